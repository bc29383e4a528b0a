//! Whether a venv may be made at a place, and what stands there may go for it.
//!
//! Something is only removed for a venv if there is nothing in the folder but what a venv consists of, whoever made it, and
//! what packages brought. Of a venv that carries an id and whose record in the store names that very place it is known what
//! they brought, and files that lie about in its root go with it; any other has to look like one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, Directory, FileKind};
use virtpy_store::{Store, VenvId};
use virtpy_wheel as wheel;

use super::foreign::in_venv;
use super::{PRIVATE_FOLDER, Venv, VenvError, keys};

/// The most that is read of a RECORD.
const LARGEST_RECORD: u64 = 64 << 20;

/// The folder in which a venv is made at a place that cannot be renamed.
pub(super) const MADE_WITHIN: &str = ".virtpy-new";

/// What stands where a venv is to be made.
pub(super) enum Existing {
    /// Nothing, or an empty folder.
    Nothing,
    /// An empty folder at which a file system is mounted: a container's volume. It stays, and gets its content.
    MountPoint,
    /// A venv that may be replaced.
    Venv {
        /// Its id, if the store knows it at this place.
        id: Option<VenvId>,
        /// Its folder, by which it is known again when it is replaced.
        directory: Directory,
    },
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

/// Files that show that a folder is somebody's work, even if it is a known venv as well.
const WORK: [&str; 9] = [
    ".git",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "requirements.txt",
    "poetry.lock",
    "uv.lock",
    "pylock.toml",
    "Pipfile",
];

/// The absolute path without links, though its last parts need not exist.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, VenvError> {
    if fs::kind(path)?.is_some() {
        return fs::canonicalize(path).map_err(|error| {
            if error.is_not_found() { VenvError::LinkToNothing(path.to_path_buf()) } else { error.into() }
        });
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok(resolve(parent)?.join(name)),
        _ => Ok(fs::canonicalize(path)?),
    }
}

/// The absolute path of something that may be removed: links on the way to it are followed, and it is not one itself. Should it
/// become one at any later moment, the path still does not lead through it.
///
/// # Errors
/// When it is one, or cannot be looked at.
pub(super) fn not_through_a_link(path: &Path) -> Result<PathBuf, VenvError> {
    // `link/` and `link/.` would be looked at through the link.
    let path: PathBuf = path.components().collect();
    if fs::kind(&path)? == Some(FileKind::Link) {
        return Err(VenvError::LinkedPlace(path));
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok(resolve(parent)?.join(name)),
        _ => resolve(&path),
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
    let directory = match fs::kind(path)? {
        None => return Ok(Existing::Nothing),
        Some(FileKind::Folder) => Directory::open(path)?,
        Some(_) => return Err(VenvError::Exists { path: path.to_path_buf(), is_venv: false }),
    };
    let names = names(&directory, "")?;
    let is_empty = names.iter().all(|name| name == MADE_WITHIN);
    if is_empty && fs::is_mount_point(path) {
        return Ok(Existing::MountPoint);
    }
    if names.is_empty() {
        return Ok(Existing::Nothing);
    }
    let is_husk = names == [PRIVATE_FOLDER];
    let is_venv = is_husk || directory.kind("pyvenv.cfg")?.is_some();
    if !is_venv || !clear {
        return Err(VenvError::Exists { path: path.to_path_buf(), is_venv });
    }
    let refuse = |reason: String| Err(VenvError::NotProven { path: path.to_path_buf(), reason });
    if let Some(mount) = fs::mounts_in(path).first() {
        return refuse(format!("another file system is mounted at `{}`", mount.display()));
    }
    let proven = keys::is_proven_in(store, &directory);
    let mut others: Vec<&String> = names.iter().filter(|name| !PARTS.contains(&name.as_str())).collect();
    if proven.is_some() && !others.is_empty() {
        let known = installed_in_root(path);
        others.retain(|name| !known.contains(*name) && !is_stray_file(&directory, name));
    }
    if let Some(other) = others.first() {
        return refuse(format!("beside a venv it has `{other}`, which no package has brought"));
    }
    if proven.is_none() && !is_husk && !looks_like_a_venv(&directory)? {
        return refuse("this store has not made it, and it does not look like a venv".to_owned());
    }
    Ok(Existing::Venv { id: proven, directory })
}

/// Whether something in the root of a known venv is a plain file of no weight, such as those that Makefiles compare times with.
fn is_stray_file(root: &Directory, name: &str) -> bool {
    !WORK.contains(&name) && matches!(root.kind(name), Ok(Some(FileKind::File)))
}

/// The names in a venv's root that its distributions have put there: data of wheels may lie anywhere.
fn installed_in_root(path: &Path) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let Ok(venv) = Venv::open(path) else { return known };
    let packages = venv.site_packages();
    for name in fs::names(&packages).unwrap_or_default() {
        if !name.as_encoded_bytes().ends_with(b".dist-info") {
            continue;
        }
        let record =
            fs::read_bounded(&packages.join(name).join("RECORD"), LARGEST_RECORD).unwrap_or_default();
        let rows = wheel::parse_record(&String::from_utf8_lossy(&record)).unwrap_or_default();
        let inside = rows.iter().filter_map(|row| in_venv(&venv, &row.path));
        known.extend(inside.filter_map(|inside| Some(inside.split('/').next()?.to_owned())));
    }
    known
}

/// Whether a folder beside a venv's place may be emptied: only what a killed process left of a venv in the making.
///
/// # Errors
/// When it cannot be looked at.
pub(super) fn may_be_swept(parent: &Directory, name: &str) -> Result<bool, VenvError> {
    Ok(match parent.kind(name)? {
        None => true,
        Some(FileKind::Folder) => names(parent, name)?.iter().all(|name| PARTS.contains(&name.as_str())),
        Some(_) => false,
    })
}

fn names(directory: &Directory, folder: &str) -> Result<Vec<String>, VenvError> {
    Ok(directory.names(folder)?.into_iter().map(|name| name.to_string_lossy().into_owned()).collect())
}

/// Whether there is what every tool makes a venv of: an interpreter beside a script that activates it, and no standard
/// library. An installation of Python has one, and may have a `pyvenv.cfg` as well.
fn looks_like_a_venv(root: &Directory) -> Result<bool, VenvError> {
    let names_in = |folder: &str| if root.has_folder(folder)? { names(root, folder) } else { Ok(Vec::new()) };
    let scripts = names_in("bin")?;
    let has_interpreter = scripts.iter().any(|name| name.starts_with("python") || name.starts_with("pypy"));
    for name in names_in("lib")? {
        // Also behind a link: this only keeps what would go otherwise.
        if fs::kind(&root.path().join("lib").join(name).join("os.py"))?.is_some() {
            return Ok(false);
        }
    }
    Ok(has_interpreter && scripts.iter().any(|name| name.starts_with("activate")))
}
