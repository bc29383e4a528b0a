//! File systems, and what is done to their files by path.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};

use super::system;

/// What tells a file system from others (`f_fsid` of statvfs(3)).
pub(crate) fn file_system(path: &Path) -> io::Result<u64> {
    Ok(rustix::fs::statvfs(path)?.f_fsid)
}

/// How many bytes this user may still write to the file system of a path.
pub(crate) fn free_space(path: &Path) -> io::Result<u64> {
    let facts = rustix::fs::statvfs(path)?;
    Ok(facts.f_bavail.saturating_mul(facts.f_frsize))
}

/// Exchanges what stands at two paths in one step. Returns whether it was done: not every system and file system can.
pub(crate) fn exchange(one: &OsStr, other: &OsStr) -> io::Result<bool> {
    system::exchange((CWD, one), (CWD, other))
}

/// The absolute path without links.
pub(crate) fn resolved(path: &Path) -> io::Result<PathBuf> {
    match system::resolved_by_kernel(path) {
        Some(resolved) => Ok(resolved?),
        None => std::fs::canonicalize(path),
    }
}

/// A path as the system's tables write it.
pub(crate) fn path_of_bytes(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}

/// Whether a file or a folder bears the immutable flag.
pub(crate) fn is_immutable(path: &Path) -> bool {
    open(path).is_ok_and(system::is_immutable)
}

/// Sets the immutable flag of a file or a folder, or takes it off. A link is refused.
pub(crate) fn set_immutable(path: &Path, immutable: bool) -> io::Result<()> {
    Ok(open(path).and_then(|file| system::set_immutable(&file, immutable))?)
}

fn open(path: &Path) -> Result<OwnedFd, rustix::io::Errno> {
    // Without waiting for the other end of a pipe.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}
