//! Systems without Linux's calls, macOS among them. What cannot be done in one step is done in several by who asks.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, chmodat};
use rustix::io::Errno;

/// What a folder is opened for that is only to be worked in.
pub(crate) const FOLDER_TO_WORK_IN: OFlags = OFlags::RDONLY;

/// The number of the mount that a path is on, which the system does not tell.
pub(crate) fn number_of_mount(_path: &Path) -> Option<u64> {
    None
}

/// Whether something is mounted at a name in a folder, which the system does not tell.
pub(crate) fn is_mounted_at(_parent: BorrowedFd<'_>, _name: &OsStr) -> bool {
    false
}

/// Opens something in a folder unless something is mounted there, for which there is no call.
pub(crate) fn open_on_same_mount(
    _parent: BorrowedFd<'_>,
    _name: &OsStr,
    _flags: OFlags,
) -> Option<Result<OwnedFd, Errno>> {
    None
}

/// Exchanges two names in one step, which is not done here.
#[allow(clippy::unnecessary_wraps, reason = "it can fail on another system")]
pub(crate) fn exchange(
    (_, _): (BorrowedFd<'_>, &OsStr),
    (_, _): (BorrowedFd<'_>, &OsStr),
) -> std::io::Result<bool> {
    Ok(false)
}

/// Begins to write back what was written to all file systems.
#[allow(clippy::unnecessary_wraps, reason = "it can fail on another system")]
pub(crate) fn sync_file_system(_folder: &Path) -> std::io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

/// Lets the kernel begin to write a new file back, for which there is no call.
pub(crate) fn begin_writing_back(_file: &File) {}

/// The absolute path without links, where the kernel tells it.
pub(crate) fn resolved_by_kernel(_path: &Path) -> Option<Result<PathBuf, Errno>> {
    None
}

/// Lets the owner look into a folder that nobody may look into.
pub(crate) fn make_accessible(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    chmodat(parent, name, Mode::RWXU, AtFlags::SYMLINK_NOFOLLOW)
}

/// Whether an open file or folder bears the immutable flag, which there is not.
pub(crate) fn is_immutable(_file: impl AsFd) -> bool {
    false
}

/// Sets the immutable flag, which there is not, or takes it off.
pub(crate) fn set_immutable(_file: impl AsFd, immutable: bool) -> Result<(), Errno> {
    if immutable { Err(Errno::NOTSUP) } else { Ok(()) }
}

/// Opens a path below a folder in one call, for which there is none.
pub(crate) fn open_below(
    _root: BorrowedFd<'_>,
    _path: &Path,
    _flags: OFlags,
) -> Option<Result<OwnedFd, Errno>> {
    None
}

/// Opens an absolute path through no link in one call, for which there is none.
pub(crate) fn open_without_links(_path: &Path, _flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
    None
}
