//! Removing files and whole folders. No function here follows a link.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::os::windows::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use super::facts::names;
use super::pin::pin;

/// How the target of a folder begins at which a volume is mounted.
const VOLUME: &str = r"\\?\Volume{";

/// Removes a file or a link; a link's target stays.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    let facts = std::fs::symlink_metadata(path)?;
    if facts.file_type().is_symlink_dir() {
        if is_mounted(path) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        return std::fs::remove_dir(path);
    }
    match std::fs::remove_file(path) {
        Err(error) if may_be_made_writable(&error, path, &facts) => {
            make_writable(path, &facts)?;
            std::fs::remove_file(path)
        }
        removed => removed,
    }
}

/// Whether a volume is mounted at a folder, which looks like a link then.
fn is_mounted(path: &Path) -> bool {
    std::fs::read_link(path).is_ok_and(|target| target.as_os_str().to_string_lossy().starts_with(VOLUME))
}

/// Whether only the read-only attribute is against the removal. It belongs to the file: where that has another name, it stays.
fn may_be_made_writable(error: &io::Error, path: &Path, facts: &Metadata) -> bool {
    let is_refused = error.kind() == io::ErrorKind::PermissionDenied;
    is_refused && facts.permissions().readonly() && (facts.is_dir() || names(path, facts) == 1)
}

fn make_writable(path: &Path, facts: &Metadata) -> io::Result<()> {
    let mut permissions = facts.permissions();
    #[allow(clippy::permissions_set_readonly_false, reason = "Windows has no bits for others")]
    permissions.set_readonly(false);
    std::fs::set_permissions(path, permissions)
}

/// Removes an empty folder.
pub(super) fn remove_dir(path: &Path) -> io::Result<()> {
    let facts = std::fs::symlink_metadata(path)?;
    if !facts.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    match std::fs::remove_dir(path) {
        Err(error) if may_be_made_writable(&error, path, &facts) => {
            make_writable(path, &facts)?;
            std::fs::remove_dir(path)
        }
        removed => removed,
    }
}

/// A folder on the way through a tree that is removed.
struct Level {
    /// Nobody can put a link in its place as long as it is held.
    pin: File,
    path: PathBuf,
    /// What is in it and has not been removed yet.
    left: Vec<OsString>,
}

impl Level {
    fn open(path: PathBuf) -> io::Result<Self> {
        let pin = pin(&path)?;
        let names: io::Result<_> = std::fs::read_dir(&path)?.map(|item| Ok(item?.file_name())).collect();
        Ok(Self { pin, path, left: names? })
    }
}

/// Removes whatever stands at a path.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    if !std::fs::symlink_metadata(path)?.is_dir() {
        return remove_file(path);
    }
    // Not by calls of this function for what is inside: a tree may be deeper than the stack.
    let mut levels = vec![Level::open(path.to_path_buf())?];
    while let Some(level) = levels.last_mut() {
        let Some(name) = level.left.pop() else {
            let Some(Level { pin, path, .. }) = levels.pop() else { break };
            drop(pin);
            // Should a link be in its place now, it is refused.
            gone(remove_dir(&path))?;
            continue;
        };
        let path = level.path.join(name);
        match std::fs::symlink_metadata(&path) {
            Ok(facts) if facts.is_dir() => levels.push(Level::open(path)?),
            Ok(_) => gone(remove_file(&path))?,
            Err(error) => gone(Err(error))?,
        }
    }
    Ok(())
}

/// What somebody else has removed is fine.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
