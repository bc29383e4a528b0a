//! virtpy's own lines of `pyvenv.cfg`, which anybody may lose: `python -m venv`, virtualenv and uv write that file again when
//! they are run on top of a venv, and a power cut may empty it. `.virtpy/state.json` holds the same, and what the store's
//! record of a place says helps where that is of an earlier version.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use virtpy_files::{self as fs, Directory, FileKind, PathError};
use virtpy_store::{Store, VenvId};

use super::VenvError;
use super::config::{Config, ID_KEY, LIBRARY_KEY, PATH_KEY, STORE_KEY};
use super::layout::{PRIVATE_FOLDER, STATE, STATE_SIZE};

/// The most that is read of a `pyvenv.cfg`.
const LARGEST: u64 = 1 << 20;

/// What makes a venv one of virtpy's.
pub(super) struct Identity<'a> {
    /// Its id.
    pub(super) id: &'a VenvId,
    /// The store that it is registered with.
    pub(super) store: &'a Store,
}

impl Identity<'_> {
    /// Writes virtpy's own keys for a venv at `path` with this library folder (`python3.12`).
    pub(super) fn write(&self, config: &mut Config, path: &Path, library: &str) {
        config.set(ID_KEY, self.id.as_str());
        config.set(LIBRARY_KEY, library);
        config.set(PATH_KEY, path.display().to_string());
        config.set(STORE_KEY, self.store.home().display().to_string());
    }
}

/// What of `state.json` says whose a venv is.
#[derive(Default, Deserialize)]
struct Kept {
    #[serde(default)]
    keys: BTreeMap<String, String>,
}

impl Kept {
    fn parse(content: &[u8]) -> Self {
        serde_json::from_slice(content).unwrap_or_default()
    }
}

/// The text of a venv's `pyvenv.cfg`. Bytes that are not UTF-8 are replaced.
///
/// # Errors
/// When there is none, it is no regular file, or far too large for one.
pub(super) fn text(root: &Path) -> Result<String, PathError> {
    Ok(decoded(&fs::read_bounded(&root.join("pyvenv.cfg"), LARGEST)?).0)
}

/// The text of `pyvenv.cfg` in a venv whose folder is held open, and whether the interpreter can read the file as it is.
///
/// # Errors
/// As [`text`]'s.
pub(super) fn read(directory: &Directory) -> Result<(String, bool), PathError> {
    Ok(decoded(&directory.read_bounded_through("pyvenv.cfg", LARGEST)?))
}

fn decoded(content: &[u8]) -> (String, bool) {
    let text = String::from_utf8_lossy(content);
    let is_readable = matches!(text, std::borrow::Cow::Borrowed(_));
    // Editors of other systems put a mark before the text.
    (text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned(), is_readable)
}

/// The id of the venv in a folder: what `pyvenv.cfg` says, or else its state.
pub(super) fn id_at(root: &Path) -> Option<VenvId> {
    let config = text(root).map(|text| Config::parse(&text)).unwrap_or_default();
    let kept = || {
        let private = root.join(PRIVATE_FOLDER);
        let is_there = matches!(fs::kind(&private), Ok(Some(FileKind::Folder)));
        let content = fs::read_own(&private.join("state.json"), STATE_SIZE).ok().filter(|_| is_there)?;
        Kept::parse(&content).keys.remove(ID_KEY)
    };
    VenvId::parse(&config.get(ID_KEY).map(str::to_owned).or_else(kept)?).ok()
}

/// The id of a venv whose folder is held open.
pub(super) fn id_in(directory: &Directory) -> Option<VenvId> {
    let config = read(directory).map(|(text, _)| Config::parse(&text)).unwrap_or_default();
    let kept = || kept(directory).keys.remove(ID_KEY);
    VenvId::parse(&config.get(ID_KEY).map(str::to_owned).or_else(kept)?).ok()
}

fn kept(directory: &Directory) -> Kept {
    directory.read_own(STATE, STATE_SIZE).map(|content| Kept::parse(&content)).unwrap_or_default()
}

/// Completes a configuration that has lost virtpy's lines from the venv's state. Returns whether it has them now.
///
/// # Errors
/// When the venv was made again for another version of Python since.
pub(super) fn complete(directory: &Directory, config: &mut Config) -> Result<bool, VenvError> {
    for (key, value) in kept(directory).keys {
        if key.starts_with("virtpy-") && config.get(&key).is_none() {
            config.set(&key, value);
        }
    }
    if config.get(ID_KEY).is_none() {
        return Ok(false);
    }
    let library = config.get(LIBRARY_KEY).unwrap_or_default();
    let version = config.get("version").or_else(|| config.get("version_info")).unwrap_or_default();
    let minor = version.split('.').take(2).collect::<Vec<_>>().join(".");
    let own = library.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    if !minor.is_empty() && !own.trim_end_matches('t').eq(&minor) && own.contains('.') {
        return Err(VenvError::Damaged {
            path: directory.path().join("pyvenv.cfg"),
            reason: format!(
                "another tool has made the venv again for Python {minor}, and its packages are of {library}"
            ),
        });
    }
    Ok(true)
}

/// What proves that a venv is this user's own: it carries an id, and the store has a record that names that very place,
/// written when virtpy made the venv or changed it there.
pub(super) fn is_proven(store: &Store, root: &Path) -> Option<VenvId> {
    let id = id_at(root)?;
    store.vouches_for(&id, root).then_some(id)
}

/// Proves, as [`is_proven`], that a venv whose folder is held open is this user's own.
pub(super) fn is_proven_in(store: &Store, directory: &Directory) -> Option<VenvId> {
    let id = id_in(directory)?;
    store.vouches_for(&id, directory.path()).then_some(id)
}
