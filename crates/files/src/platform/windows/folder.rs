//! A folder, and work on a name in it that nobody can lead elsewhere.
//!
//! Windows has no call that works on a name in an open folder. But a folder cannot be renamed or removed as long as somebody has it open
//! without sharing its deletion, and neither can those above it: so for each piece of work the folder and all below it on the way are
//! held that way ([`pin`](mod@super::pin)), each is looked at that it is no link, and then its path leads there. Between two pieces of work nothing is
//! held, so that the folder can be renamed; it is recognised by its number.

#![allow(clippy::unused_self, reason = "other systems need what is held open")]

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::facts::{facts_of, identity_of_open};
use super::opening::{self, creating, following_nothing, not_waiting, open_to_look};
use super::pin::pin;
use super::{removal, times};
use crate::kind::{Facts, FileKind};
use crate::refusals::{leads_outside, not_regular};

/// Whether folders may be kept open while others above them are renamed.
pub(crate) const CAN_KEEP_OPEN: bool = false;

/// A folder that is known by its number, and held while it is worked in.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    identity: (u64, u64),
    /// The open folders on the way here; they are only held.
    _pins: Vec<File>,
}

impl Folder {
    /// Finds the folder at an absolute path without links.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let identity = identity_of_open(&pin(path)?)?;
        Ok(Self { path: path.to_path_buf(), identity, _pins: Vec::new() })
    }

    /// Finds a folder that this process has made, to make things in it.
    pub(crate) fn open_new(path: &Path) -> io::Result<Self> {
        Self::open(path)
    }

    /// Itself, held, at the path where it should be.
    pub(crate) fn ready(self: &Arc<Self>, path: &Path) -> io::Result<Arc<Self>> {
        let pins = vec![self.pin_at(path)?];
        Ok(Arc::new(Self { path: path.to_path_buf(), identity: self.identity, _pins: pins }))
    }

    fn pin_at(&self, path: &Path) -> io::Result<File> {
        let pin = pin(path)?;
        if identity_of_open(&pin)? == self.identity {
            return Ok(pin);
        }
        Err(io::Error::new(io::ErrorKind::NotFound, "another folder was put in its place"))
    }

    /// A folder below it, held with all on the way.
    pub(crate) fn below(&self, own: &Path, path: &Path, _only_steps: bool) -> io::Result<Self> {
        let mut pins = vec![self.pin_at(own)?];
        let mut reached = own.to_path_buf();
        for part in path.components() {
            let Component::Normal(name) = part else { return Err(leads_outside()) };
            reached.push(name);
            pins.push(pin(&reached)?);
        }
        let identity = pins.last().map_or(Ok(self.identity), identity_of_open)?;
        Ok(Self { path: reached, identity, _pins: pins })
    }

    /// A folder below it, which is held again whenever it is worked in.
    pub(crate) fn held_below(&self, own: &Path, path: &Path, only_steps: bool) -> io::Result<Self> {
        let Self { path, identity, _pins } = self.below(own, path, only_steps)?;
        Ok(Self { path, identity, _pins: Vec::new() })
    }

    /// The names in a folder below it and what they are, unsorted.
    pub(crate) fn names_below(
        &self,
        own: &Path,
        path: &Path,
        only_steps: bool,
    ) -> io::Result<Vec<(OsString, FileKind)>> {
        let folder = self.below(own, path, only_steps)?;
        std::fs::read_dir(&folder.path)?
            .map(|item| item.and_then(|item| Ok((item.file_name(), item.file_type()?.into()))))
            .collect()
    }

    /// A path that leads to this very folder, whatever becomes of its own path: there is none.
    pub(crate) fn path_to_work_in(&self) -> Option<PathBuf> {
        None
    }

    /// What is known of the folder itself.
    pub(crate) fn own_facts(&self, own: &Path) -> io::Result<Facts> {
        facts_of(&self.pin_at(own)?)
    }

    /// What is known of a name.
    pub(crate) fn facts(&self, name: &OsStr) -> io::Result<Facts> {
        facts_of(&open_to_look(&self.path.join(name), false)?)
    }

    /// The text of a link.
    pub(crate) fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        std::fs::read_link(self.path.join(name))
    }

    /// Opens something for reading. A link is refused, or followed if it may be one.
    pub(crate) fn open_to_read(&self, name: &OsStr, may_be_link: bool) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true);
        if may_be_link {
            return not_waiting(&mut options).open(self.path.join(name));
        }
        let file = following_nothing(&mut options).open(self.path.join(name))?;
        if file.metadata()?.is_symlink() { Err(not_regular()) } else { Ok(file) }
    }

    /// Makes a file, to be written, with these permission bits.
    pub(crate) fn create(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        creating(OpenOptions::new().write(true).create_new(true), mode).open(self.path.join(name))
    }

    /// Makes a file at a path in a folder that nobody else writes to.
    pub(crate) fn create_inside(&self, own: &Path, inside: &str, mode: u32) -> io::Result<File> {
        creating(OpenOptions::new().write(true).create_new(true), mode).open(own.join(inside))
    }

    /// Makes a folder at a path in a folder that nobody else writes to.
    pub(crate) fn create_dir_inside(&self, own: &Path, inside: &str) -> io::Result<()> {
        std::fs::create_dir(own.join(inside))
    }

    /// Sets the permission bits of what is at a path in a folder that nobody else writes to.
    pub(crate) fn set_mode_inside(&self, own: &Path, inside: &str, mode: u32) -> io::Result<()> {
        opening::set_mode(&own.join(inside), mode)
    }

    /// Makes a folder.
    pub(crate) fn create_dir(&self, name: &OsStr) -> io::Result<()> {
        std::fs::create_dir(self.path.join(name))
    }

    /// Makes a symbolic link that holds the text `target`.
    pub(crate) fn symlink(&self, target: &Path, name: &OsStr) -> io::Result<()> {
        opening::symlink(target, &self.path.join(name))
    }

    /// Gives a file from elsewhere a second name here.
    pub(crate) fn hard_link_from(&self, original: &Path, name: &OsStr) -> io::Result<()> {
        std::fs::hard_link(original, self.path.join(name))
    }

    /// Gives a file here a second name in another folder.
    pub(crate) fn hard_link(&self, original: &OsStr, other: &Self, name: &OsStr) -> io::Result<()> {
        std::fs::hard_link(self.path.join(original), other.path.join(name))
    }

    /// Sets the permission bits of a file.
    pub(crate) fn set_mode(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        // Held open, it is what it was looked at for.
        let _held = self.open_to_read(name, false)?;
        opening::set_mode(&self.path.join(name), mode)
    }

    /// Sets the time of the folder's own last change back by the least step there is.
    pub(crate) fn set_back(&self, own: &Path) -> io::Result<()> {
        times::set_back(own)
    }

    /// Moves something from elsewhere here.
    pub(crate) fn rename_from(&self, from: &Path, name: &OsStr) -> io::Result<()> {
        rename(from, &self.path.join(name))
    }

    /// Renames something here to a name in another folder.
    pub(crate) fn rename(&self, old: &OsStr, other: &Self, new: &OsStr) -> io::Result<()> {
        rename(&self.path.join(old), &other.path.join(new))
    }

    /// Exchanges two names in one step, for which there is no call.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "it can fail on another system")]
    pub(crate) fn exchange(&self, _one: &OsStr, _there: &Self, _other: &OsStr) -> io::Result<bool> {
        Ok(false)
    }

    /// Removes a file or a link.
    pub(crate) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        removal::remove_file(&self.path.join(name))
    }

    /// Removes an empty folder.
    pub(crate) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        removal::remove_dir(&self.path.join(name))
    }

    /// Removes whatever has this name.
    pub(crate) fn remove_tree(&self, name: &OsStr) -> io::Result<()> {
        removal::remove_tree(&self.path.join(name))
    }
}

/// Renames as Unix does: a folder takes the place of nothing but an empty folder, and a file or a link that of a file or a link. Windows
/// replaces neither folders, nor links to them, nor what is read-only: in their place there is nothing for a moment.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let Ok(present) = std::fs::symlink_metadata(to) else { return std::fs::rename(from, to) };
    let is_folder = std::fs::symlink_metadata(from)?.is_dir();
    if is_folder != present.is_dir() {
        let kind = if is_folder { io::ErrorKind::NotADirectory } else { io::ErrorKind::IsADirectory };
        return Err(kind.into());
    }
    if is_folder {
        removal::remove_dir(to)?;
    } else if present.is_symlink() || present.permissions().readonly() {
        removal::remove_file(to)?;
    }
    std::fs::rename(from, to)
}
