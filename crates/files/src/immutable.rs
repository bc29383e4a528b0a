//! The immutable flag of files and folders (`chattr +i`): what bears it cannot be changed, replaced or removed, by root
//! neither, before it is taken off again. Linux only, and only on file systems that know it.

use std::os::fd::AsFd;
use std::path::Path;

use super::PathError;

/// Whether a file or a folder bears the flag; not where the system cannot tell.
pub fn is_immutable(path: &Path) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        open(path)
            .and_then(|file| rustix::fs::ioctl_getflags(&file))
            .is_ok_and(|flags| flags.contains(rustix::fs::IFlags::IMMUTABLE))
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = path;
        false
    }
}

/// Sets the flag of a file or a folder, or takes it off. A link is refused, never followed.
///
/// # Errors
/// When the file system knows no such flag, or this process lacks the right (`CAP_LINUX_IMMUTABLE`).
pub fn set_immutable(path: &Path, immutable: bool) -> Result<(), PathError> {
    use super::IoResultExt as _;
    open(path)
        .and_then(|file| change(&file, immutable))
        .map_err(std::io::Error::from)
        .at("set the immutable flag of", path)
}

fn open(path: &Path) -> Result<std::os::fd::OwnedFd, rustix::io::Errno> {
    use rustix::fs::{Mode, OFlags};
    // Without waiting for the other end of a pipe.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

/// Sets or takes the flag of an open file or folder.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn change(file: impl AsFd, immutable: bool) -> Result<(), rustix::io::Errno> {
    use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
    let mut flags = ioctl_getflags(&file)?;
    if flags.contains(IFlags::IMMUTABLE) == immutable {
        return Ok(());
    }
    flags.set(IFlags::IMMUTABLE, immutable);
    ioctl_setflags(file, flags)
}

/// Sets or takes the flag of an open file or folder.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn change(_file: impl AsFd, immutable: bool) -> Result<(), rustix::io::Errno> {
    if immutable { Err(rustix::io::Errno::NOTSUP) } else { Ok(()) }
}
