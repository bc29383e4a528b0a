//! Reaching a folder below one that is held open, so that no link leads away from it.
//!
//! Linux does this in one call (`openat2`). Where its kernel, or a filter around the process, refuses that, and on other systems, the
//! folders on the way are opened one by one, each without following a link.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

/// What a folder is opened for that is only to be worked in.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const TO_WORK_IN: OFlags = OFlags::PATH;
/// What a folder is opened for that is only to be worked in.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) const TO_WORK_IN: OFlags = OFlags::RDONLY;

/// Opens the folder at a path below another one. No part of the path may be a link, and none may lead upwards.
pub(super) fn open_below(
    root: impl AsFd,
    path: &Path,
    purpose: OFlags,
    only_steps: bool,
) -> io::Result<OwnedFd> {
    if path.components().any(|part| !matches!(part, Component::Normal(_))) {
        return Err(leads_outside());
    }
    if path.as_os_str().is_empty() {
        return Ok(openat(root, ".", folder(purpose), Mode::empty())?);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if !only_steps {
        use rustix::fs::ResolveFlags;
        let rules = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        if let Some(answer) = at_once::open(root.as_fd(), path, folder(purpose), rules) {
            return answer.map_err(in_words);
        }
    }
    let _ = only_steps;
    by_steps(root.as_fd(), path, purpose).map_err(in_words)
}

/// Opens a folder by its absolute path without links. Where that cannot be had in one call, only its last part is looked at.
pub(super) fn open_absolute(path: &Path) -> io::Result<OwnedFd> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::fs::ResolveFlags;
        let rules = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        if let Some(answer) = at_once::open(rustix::fs::CWD, path, folder(TO_WORK_IN), rules) {
            return answer.map_err(in_words);
        }
    }
    openat(rustix::fs::CWD, path, folder(TO_WORK_IN), Mode::empty()).map_err(in_words)
}

fn folder(purpose: OFlags) -> OFlags {
    purpose | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// Opens the folders on the way one by one.
fn by_steps(root: impl AsFd, path: &Path, purpose: OFlags) -> Result<OwnedFd, Errno> {
    let mut parts = path.iter().peekable();
    let mut reached: Option<OwnedFd> = None;
    while let Some(part) = parts.next() {
        let flags = folder(if parts.peek().is_some() { TO_WORK_IN } else { purpose });
        reached = Some(match &reached {
            None => openat(&root, part, flags, Mode::empty())?,
            Some(folder) => openat(folder, part, flags, Mode::empty())?,
        });
    }
    reached.ok_or(Errno::NOENT)
}

/// A link, or a file, in place of a folder. `openat2` tells it by another number than opening without following.
fn in_words(number: Errno) -> io::Error {
    match number {
        Errno::LOOP | Errno::NOTDIR | Errno::XDEV => io::Error::new(
            io::ErrorKind::NotADirectory,
            "a link or a file is in place of a folder on its way",
        ),
        other => other.into(),
    }
}

pub(super) fn leads_outside() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it leads out of the folder")
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod at_once {
    //! The one call, where there is it.

    use std::os::fd::{BorrowedFd, OwnedFd};
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    use rustix::io::Errno;

    /// Whether it was refused to this process: by a kernel before 5.6, or by a filter of system calls, as older containers have.
    static IS_REFUSED: AtomicBool = AtomicBool::new(false);

    /// How often it is tried while others rename folders on the way.
    const TRIES: usize = 32;

    /// Opens a path by these rules; `None` where that has to be done in another way.
    pub(super) fn open(
        root: BorrowedFd<'_>,
        path: &Path,
        flags: OFlags,
        rules: ResolveFlags,
    ) -> Option<Result<OwnedFd, Errno>> {
        if IS_REFUSED.load(Ordering::Relaxed) {
            return None;
        }
        for _ in 0..TRIES {
            match openat2(root, path, flags, Mode::empty(), rules) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::NOSYS | Errno::PERM) => {
                    IS_REFUSED.store(true, Ordering::Relaxed);
                    return None;
                }
                answer => return Some(answer),
            }
        }
        None
    }
}
