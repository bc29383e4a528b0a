//! A folder that is held open, and the calls that work on a name in it. None follows a link.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use super::facts::facts_of;
use super::removal::{names_of, remove_at};
use super::system::{self, FOLDER_TO_WORK_IN};
use super::{reach, times};
use crate::kind::{Facts, FileKind};
use crate::refusals::not_regular;

/// Whether folders may be kept open while others above them are renamed.
pub(crate) const CAN_KEEP_OPEN: bool = true;

/// A folder that is held open. Whatever becomes of its path, it stays the same one.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

impl Folder {
    /// Opens the folder at an absolute path without links, to be held for long.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        reach::open_absolute(path).map(Self)
    }

    /// Opens a folder that this process has made, to make things in it.
    pub(crate) fn open_new(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Itself, to work in; `_path` is where it should be.
    #[allow(clippy::unnecessary_wraps, reason = "it can fail on another system")]
    pub(crate) fn ready(self: &Arc<Self>, _path: &Path) -> io::Result<Arc<Self>> {
        Ok(Arc::clone(self))
    }

    /// A folder below it, to work in; by steps only, or in one call where that can be had.
    pub(crate) fn below(&self, _own: &Path, path: &Path, only_steps: bool) -> io::Result<Self> {
        reach::open_below(&self.0, path, FOLDER_TO_WORK_IN, only_steps).map(Self)
    }

    /// A folder below it, to be held for long.
    pub(crate) fn held_below(&self, own: &Path, path: &Path, only_steps: bool) -> io::Result<Self> {
        self.below(own, path, only_steps)
    }

    /// The names in a folder below it and what they are, unsorted.
    pub(crate) fn names_below(
        &self,
        _own: &Path,
        path: &Path,
        only_steps: bool,
    ) -> io::Result<Vec<(OsString, FileKind)>> {
        let handle = reach::open_below(&self.0, path, OFlags::RDONLY, only_steps)?;
        Ok(names_of(&mut Dir::new(handle)?)?)
    }

    /// A path for a program that is started in this folder while it is held open: it leads to this very folder, whatever becomes
    /// of its own path. `None` where the system has none.
    pub(crate) fn path_to_work_in(&self) -> Option<PathBuf> {
        let path = PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()));
        path.exists().then_some(path)
    }

    /// What is known of the folder itself.
    pub(crate) fn own_facts(&self, _own: &Path) -> io::Result<Facts> {
        Ok(facts_of(&rustix::fs::fstat(&self.0)?))
    }

    /// What is known of a name.
    pub(crate) fn facts(&self, name: &OsStr) -> io::Result<Facts> {
        Ok(facts_of(&statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// The text of a link.
    pub(crate) fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        let target = rustix::fs::readlinkat(&self.0, name, Vec::with_capacity(256))?;
        Ok(OsString::from_vec(target.into_bytes()).into())
    }

    /// Opens something for reading, and nobody waits for the other end of a pipe. A link is refused, or followed if it may be one.
    pub(crate) fn open_to_read(&self, name: &OsStr, may_be_link: bool) -> io::Result<File> {
        let more = if may_be_link { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | more;
        match openat(&self.0, name, flags, Mode::empty()) {
            Err(Errno::LOOP) => Err(not_regular()),
            opened => Ok(opened?.into()),
        }
    }

    /// Makes a file, to be written, with these permission bits (less the umask).
    pub(crate) fn create(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        #[allow(
            clippy::useless_conversion,
            clippy::cast_possible_truncation,
            reason = "the type differs between systems"
        )]
        Ok(openat(&self.0, name, flags, Mode::from_raw_mode(mode as _))?.into())
    }

    /// Makes a file at a path in a folder that nobody else writes to.
    pub(crate) fn create_inside(&self, _own: &Path, inside: &str, mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        Ok(openat(&self.0, inside, flags, Mode::from_raw_mode(mode as _)).map(File::from)?)
    }

    /// Makes a folder at a path in a folder that nobody else writes to.
    pub(crate) fn create_dir_inside(&self, _own: &Path, inside: &str) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.0, inside, Mode::from_bits_truncate(0o777))?)
    }

    /// Sets the permission bits of what is at a path in a folder that nobody else writes to.
    pub(crate) fn set_mode_inside(&self, _own: &Path, inside: &str, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::chmodat(&self.0, inside, Mode::from_raw_mode(mode as _), AtFlags::empty())?)
    }

    /// Makes a folder.
    pub(crate) fn create_dir(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777))?)
    }

    /// Makes a symbolic link that holds the text `target`.
    pub(crate) fn symlink(&self, target: &Path, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(target, &self.0, name)?)
    }

    /// Gives a file from elsewhere a second name here.
    pub(crate) fn hard_link_from(&self, original: &Path, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::linkat(CWD, original, &self.0, name, AtFlags::empty())?)
    }

    /// Gives a file here a second name in another folder.
    pub(crate) fn hard_link(&self, original: &OsStr, other: &Self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.0, original, &other.0, name, AtFlags::empty())?)
    }

    /// Sets the permission bits of a file, which may be read.
    pub(crate) fn set_mode(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        let file = self.open_to_read(name, false)?;
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
    }

    /// Sets the time of the folder's own last change back by the least step there is.
    pub(crate) fn set_back(&self, _own: &Path) -> io::Result<()> {
        Ok(times::set_back_at(self.0.as_fd(), Path::new("."))?)
    }

    /// Moves something from elsewhere here.
    pub(crate) fn rename_from(&self, from: &Path, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(CWD, from, &self.0, name)?)
    }

    /// Renames something here to a name in another folder.
    pub(crate) fn rename(&self, old: &OsStr, other: &Self, new: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, old, &other.0, new)?)
    }

    /// Exchanges two names in one step. Returns whether it was done: not every system and file system can.
    pub(crate) fn exchange(&self, one: &OsStr, there: &Self, other: &OsStr) -> io::Result<bool> {
        system::exchange((self.0.as_fd(), one), (there.0.as_fd(), other))
    }

    /// Removes a file or a link.
    pub(crate) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes an empty folder.
    pub(crate) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Removes whatever has this name.
    pub(crate) fn remove_tree(&self, name: &OsStr) -> io::Result<()> {
        remove_at(self.0.as_fd(), name)
    }
}
