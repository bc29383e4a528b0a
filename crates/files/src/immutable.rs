//! The immutable flag of files and folders (`chattr +i`): what bears it cannot be changed, replaced or removed, by root
//! neither, before it is taken off again. Linux only, and only on file systems that know it.

use std::path::Path;

use super::{PathError, platform};

/// Whether a file or a folder bears the flag; not where the system cannot tell.
pub fn is_immutable(path: &Path) -> bool {
    open(path).is_ok_and(platform::is_immutable)
}

/// Sets the flag of a file or a folder, or takes it off. A link is refused, never followed.
///
/// # Errors
/// When the file system knows no such flag, or this process lacks the right (`CAP_LINUX_IMMUTABLE`).
pub fn set_immutable(path: &Path, immutable: bool) -> Result<(), PathError> {
    use super::IoResultExt as _;
    open(path)
        .and_then(|file| platform::set_immutable(&file, immutable))
        .map_err(std::io::Error::from)
        .at("set the immutable flag of", path)
}

fn open(path: &Path) -> Result<std::os::fd::OwnedFd, rustix::io::Errno> {
    use rustix::fs::{Mode, OFlags};
    // Without waiting for the other end of a pipe.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}
