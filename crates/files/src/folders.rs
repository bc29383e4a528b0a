//! Making folders.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::platform::PermissionsExt as _;
use super::{IoResultExt as _, PathError, metadata, set_mode};

/// Makes one folder whose parent exists.
///
/// # Errors
/// When something stands at `path` or the parent is missing or not writable.
pub fn create_dir(path: &Path) -> Result<(), PathError> {
    std::fs::create_dir(path).at("create the folder", path)
}

/// Whether this process makes no parents of folders.
static IS_GUEST: AtomicBool = AtomicBool::new(false);

/// From now on this process makes folders only where their parents are. For a process that nobody waits for: what a user
/// removes meanwhile, the whole store maybe, must not come back by its doing.
pub fn make_no_parents() {
    IS_GUEST.store(true, Ordering::Relaxed);
}

/// Makes a folder and its parents; one that exists is fine.
///
/// # Errors
/// When a parent is a file or not writable, or [`make_no_parents`] was called and there is none.
pub fn create_dir_all(path: &Path) -> Result<(), PathError> {
    if !IS_GUEST.load(Ordering::Relaxed) {
        return std::fs::create_dir_all(path).at("create the folder", path);
    }
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.at("create the folder", path),
    }
}

/// Makes a folder and its parents that nobody else can look into, but a group that may write there. One that exists is made so.
///
/// # Errors
/// Like [`create_dir_all`], and when it is somebody else's and not so.
pub fn create_private_dir(path: &Path) -> Result<(), PathError> {
    create_dir_all(path)?;
    let facts = metadata(path)?;
    let mode = facts.permissions().mode() & 0o777;
    let private = if mode & 0o020 == 0 { mode & 0o700 } else { mode & 0o770 };
    if mode == private { Ok(()) } else { set_mode(path, private) }
}
