//! Reaching a folder below one that is held open, so that no link leads away from it.
//!
//! Linux does this in one call (`openat2`). Where its kernel, or a filter around the process, refuses that, and on other systems, the
//! folders on the way are opened one by one, each without following a link.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::system::{self, FOLDER_TO_WORK_IN};
use crate::refusals::{leads_outside, no_folder_on_the_way};

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
    if !only_steps && let Some(answer) = system::open_below(root.as_fd(), path, folder(purpose)) {
        return answer.map_err(in_words);
    }
    by_steps(root.as_fd(), path, purpose).map_err(in_words)
}

/// Opens a folder by its absolute path without links. Where that cannot be had in one call, only its last part is looked at.
pub(super) fn open_absolute(path: &Path) -> io::Result<OwnedFd> {
    if let Some(answer) = system::open_without_links(path, folder(FOLDER_TO_WORK_IN)) {
        return answer.map_err(in_words);
    }
    openat(rustix::fs::CWD, path, folder(FOLDER_TO_WORK_IN), Mode::empty()).map_err(in_words)
}

fn folder(purpose: OFlags) -> OFlags {
    purpose | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// Opens the folders on the way one by one.
fn by_steps(root: impl AsFd, path: &Path, purpose: OFlags) -> Result<OwnedFd, Errno> {
    let mut parts = path.iter().peekable();
    let mut reached: Option<OwnedFd> = None;
    while let Some(part) = parts.next() {
        let flags = folder(if parts.peek().is_some() { FOLDER_TO_WORK_IN } else { purpose });
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
        Errno::LOOP | Errno::NOTDIR | Errno::XDEV => no_folder_on_the_way(),
        other => other.into(),
    }
}
