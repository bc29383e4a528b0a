//! Whether a venv may be made at a place, and what stands there may go for it.
//!
//! Something is only removed for a venv if it is proven to be one: it carries an id, and the store's record of that id
//! names that very place; or there is nothing in the folder but what every venv consists of, whoever made it.

use std::path::{Path, PathBuf};

use super::{PRIVATE_FOLDER, VenvError, keys};
use crate::fs::{self, FileKind};
use crate::store::{Store, VenvId};

/// What stands where a venv is to be made.
pub(super) enum Existing {
    /// Nothing, or an empty folder.
    Nothing,
    /// A venv that may be replaced, with its id if the store knows it at this place.
    Venv(Option<VenvId>),
}

/// What lies in the root of a venv, whichever tool made it.
const PARTS: [&str; 14] = [
    "pyvenv.cfg",
    "bin",
    "lib",
    "lib64",
    "include",
    "share",
    "etc",
    "man",
    PRIVATE_FOLDER,
    ".gitignore",
    ".lock",
    "CACHEDIR.TAG",
    ".DS_Store",
    ".virtpy-unfinished",
];

/// What shows that a folder is somebody's work, even if it is a venv as well.
const WORK: [&str; 8] =
    [".git", ".hg", ".svn", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "poetry.lock"];

/// Refuses a path that is a link itself. Links on the way to it are fine.
///
/// # Errors
/// When it is one, or cannot be looked at.
pub(super) fn refuse_link(path: &Path) -> Result<(), VenvError> {
    // `link/` and `link/.` would be looked at through the link.
    let path: PathBuf = path.components().collect();
    match fs::kind(&path)? {
        Some(FileKind::Link) => Err(VenvError::LinkedPlace(path)),
        _ => Ok(()),
    }
}

/// Refuses the store's folder, everything in it, and the folders above it.
///
/// # Errors
/// When the path is one of these.
pub(super) fn refuse_store(store: &Store, path: &Path) -> Result<(), VenvError> {
    let home = fs::canonicalize(store.home()).unwrap_or_else(|_| store.home().to_path_buf());
    let what = if path.starts_with(&home) {
        "is in"
    } else if home.starts_with(path) && fs::kind(&home)?.is_some() {
        "holds"
    } else {
        return Ok(());
    };
    Err(VenvError::StorePlace { path: path.to_path_buf(), store: home, what })
}

/// Looks at the place; refuses what may not be replaced.
///
/// # Errors
/// When something stands there that is no venv, or `clear` does not say that it may go.
pub(super) fn existing(store: &Store, path: &Path, clear: bool) -> Result<Existing, VenvError> {
    let names = match fs::kind(path)? {
        None => return Ok(Existing::Nothing),
        Some(FileKind::Folder) => names(path)?,
        Some(_) => return Err(VenvError::Exists { path: path.to_path_buf(), is_venv: false }),
    };
    if names.is_empty() {
        return Ok(Existing::Nothing);
    }
    let is_husk = names == [PRIVATE_FOLDER];
    let is_venv = is_husk || fs::kind(&path.join("pyvenv.cfg"))?.is_some();
    if !is_venv || !clear {
        return Err(VenvError::Exists { path: path.to_path_buf(), is_venv });
    }
    let refuse = |reason: String| Err(VenvError::NotProven { path: path.to_path_buf(), reason });
    if let Some(work) = names.iter().find(|name| WORK.contains(&name.as_str())) {
        return refuse(format!("beside a venv it has `{work}`, which is somebody's work"));
    }
    if let Some(id) = keys::is_proven(store, path) {
        return Ok(Existing::Venv(Some(id)));
    }
    if let Some(other) = names.iter().find(|name| !PARTS.contains(&name.as_str())) {
        return refuse(format!("this store has not made the venv there, and it has `{other}` beside it"));
    }
    if !is_husk && !has_interpreter(path)? {
        return refuse("this store has not made it, and it has no interpreter in `bin`".to_owned());
    }
    Ok(Existing::Venv(None))
}

/// Whether a folder beside a venv's place may be emptied: only what a killed process left of a venv in the making.
///
/// # Errors
/// When it cannot be looked at.
pub(super) fn may_be_swept(folder: &Path) -> Result<bool, VenvError> {
    Ok(match fs::kind(folder)? {
        None => true,
        Some(FileKind::Folder) => names(folder)?.iter().all(|name| PARTS.contains(&name.as_str())),
        Some(_) => false,
    })
}

fn names(folder: &Path) -> Result<Vec<String>, VenvError> {
    Ok(fs::names(folder)?.into_iter().map(|name| name.to_string_lossy().into_owned()).collect())
}

fn has_interpreter(root: &Path) -> Result<bool, VenvError> {
    let scripts = root.join("bin");
    if fs::kind(&scripts)? != Some(FileKind::Folder) {
        return Ok(false);
    }
    Ok(names(&scripts)?.iter().any(|name| name.starts_with("python") || name.starts_with("pypy")))
}
