//! A folder that is held open, and work in it that nobody can lead elsewhere.
//!
//! Who may write to a venv can put a link in place of one of its folders at any moment, also between a look at it and the work
//! there. So everything in a venv is reached from one descriptor of its folder, without following a link ([`reach`]), and the last
//! part of a path is worked on by calls that do not follow one either. Paths are relative to that folder.

mod reach;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat, openat, statat};

use super::bounded;
use super::tree::{names_of, remove_at};
use super::{FileKind, IoResultExt as _, PathError};

/// How many folders below it a directory keeps open: as many as several threads work in at a time.
const MOST_OPEN: usize = 16;

/// A folder that is held open. Whatever becomes of its path, it stays the same one.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
    handle: Arc<OwnedFd>,
    /// The folders that were worked in last, the latest at the end; `None` if each is opened anew.
    recent: Option<Arc<Mutex<Vec<Reached>>>>,
    /// Whether it does without the call that not every system has.
    only_steps: bool,
}

/// A folder that was reached.
#[derive(Debug)]
struct Reached {
    path: PathBuf,
    handle: Arc<OwnedFd>,
}

/// What is known of a file, a link or a folder itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What it is.
    pub kind: FileKind,
    /// Its size in bytes.
    pub size: u64,
    /// Its permission bits.
    pub mode: u32,
    /// Whose it is.
    pub user: u32,
    /// What tells it from all others: the device and the inode.
    pub identity: (u64, u64),
}

impl Facts {
    /// Whether the file at a path, links followed, is this very one.
    ///
    /// # Errors
    /// When nothing stands there.
    pub fn is_file_at(&self, path: &Path) -> Result<bool, PathError> {
        use std::os::unix::fs::MetadataExt as _;
        let other = super::metadata(path)?;
        Ok(self.identity == (other.dev(), other.ino()))
    }
}

impl From<Stat> for Facts {
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "the types differ between systems"
    )]
    fn from(stat: Stat) -> Self {
        Self {
            kind: FileKind::of(&stat),
            size: stat.st_size.try_into().unwrap_or(0),
            mode: stat.st_mode as u32 & 0o7777,
            user: stat.st_uid,
            identity: (stat.st_dev as u64, stat.st_ino as u64),
        }
    }
}

impl Directory {
    /// Opens the folder at a path that has no links, as [`super::canonicalize`] gives it.
    ///
    /// # Errors
    /// When there is none, or a link is in its place.
    pub fn open(path: &Path) -> Result<Self, PathError> {
        let handle = reach::open_absolute(path).at("open the folder", path)?;
        Ok(Self { path: path.to_owned(), handle: Arc::new(handle), recent: None, only_steps: false })
    }

    /// The same folder for a row of changes: the folders in it that were worked in last are kept open. Only for as long as
    /// nobody else is expected to make folders anew there.
    #[must_use]
    pub fn for_many_changes(&self) -> Self {
        Self { recent: Some(Arc::default()), ..self.clone() }
    }

    /// The path by which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder in it, held open as well.
    ///
    /// # Errors
    /// When there is none, or a link is in its place or on its way.
    pub fn folder(&self, path: impl AsRef<Path>) -> Result<Self, PathError> {
        let path = path.as_ref();
        let absolute = self.path.join(path);
        let handle = self.open_folder(path, reach::TO_WORK_IN).at("open the folder", &absolute)?;
        Ok(Self { path: absolute, handle: Arc::new(handle), recent: None, only_steps: self.only_steps })
    }

    /// Whether there is a folder at a path, reached without a link.
    ///
    /// # Errors
    /// When a folder on the way may not be entered, or the path leads outside.
    pub fn has_folder(&self, path: impl AsRef<Path>) -> Result<bool, PathError> {
        let path = path.as_ref();
        match self.reach(path) {
            Ok(_) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(error).at("look at", &self.path.join(path)),
        }
    }

    /// The first of a folder and those above it that is no real folder, but a link or a file; what is not there is fine.
    ///
    /// # Errors
    /// When a folder on the way may not be entered, or the path leads outside.
    pub fn first_unreal<'p>(&self, folder: &'p str) -> Result<Option<&'p str>, PathError> {
        match self.reach(Path::new(folder)) {
            Ok(_) => return Ok(None),
            // Those above what is missing are real.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
            Err(error) => return Err(error).at("look at", &self.path.join(folder)),
        }
        for (end, _) in folder.match_indices('/').chain([(folder.len(), "")]) {
            match self.kind(&folder[..end])? {
                None => return Ok(None),
                Some(FileKind::Folder) => {}
                Some(_) => return Ok(Some(&folder[..end])),
            }
        }
        Ok(None)
    }

    /// What is known of what stands at a path; `None` where nothing does. What is behind a link is not there.
    ///
    /// # Errors
    /// When a folder on the way may not be entered, or the path leads outside.
    pub fn facts(&self, path: impl AsRef<Path>) -> Result<Option<Facts>, PathError> {
        self.on(path.as_ref(), "look at", |folder, name| {
            Ok(Some(statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?.into()))
        })
        .or_else(|error| if is_absent(&error.source) { Ok(None) } else { Err(error) })
    }

    /// What stands at a path, as [`Self::facts`] knows it.
    ///
    /// # Errors
    /// As [`Self::facts`]'.
    pub fn kind(&self, path: impl AsRef<Path>) -> Result<Option<FileKind>, PathError> {
        Ok(self.facts(path)?.map(|facts| facts.kind))
    }

    /// What is known of the folder itself.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn own_facts(&self) -> Result<Facts, PathError> {
        rustix::fs::fstat(&self.handle).map(Into::into).map_err(io::Error::from).at("look at", &self.path)
    }

    /// What is known of the folder that a path is in.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn facts_of_parent(&self, path: impl AsRef<Path>) -> Result<Facts, PathError> {
        self.on(path.as_ref(), "look at", |folder, _| Ok(rustix::fs::fstat(folder)?.into()))
    }

    /// The text of a link.
    ///
    /// # Errors
    /// When nothing stands there, or it is no link.
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<PathBuf, PathError> {
        self.on(path.as_ref(), "read the link", |folder, name| {
            let target = rustix::fs::readlinkat(folder, name, Vec::with_capacity(256))?;
            Ok(OsString::from_vec(target.into_bytes()).into())
        })
    }

    /// The names in a folder (of this one for an empty path) and what they are, unsorted.
    ///
    /// # Errors
    /// When the folder is missing or may not be read, or is reached by a link only.
    pub fn read_dir_names(&self, path: impl AsRef<Path>) -> Result<Vec<(OsString, FileKind)>, PathError> {
        let path = path.as_ref();
        let names = || -> io::Result<_> {
            let handle = self.open_folder(path, OFlags::RDONLY)?;
            Ok(names_of(&mut rustix::fs::Dir::new(handle)?)?)
        };
        names().at("list", &self.path.join(path))
    }

    /// The names in a folder, unsorted.
    ///
    /// # Errors
    /// As [`Self::read_dir_names`]'.
    pub fn names(&self, path: impl AsRef<Path>) -> Result<Vec<OsString>, PathError> {
        Ok(self.read_dir_names(path)?.into_iter().map(|(name, _)| name).collect())
    }

    /// Opens a regular file for reading, and nobody waits for the other end of a pipe.
    ///
    /// # Errors
    /// When there is none, or a link is in its place.
    pub fn open_file(&self, path: impl AsRef<Path>) -> Result<File, PathError> {
        self.on(path.as_ref(), "open", |folder, name| {
            bounded::regular(open_to_read(folder, name, OFlags::NOFOLLOW)?).map(|(file, _)| file)
        })
    }

    /// The whole content of a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// When there is no such file, it is of another kind or larger, or it cannot be read.
    pub fn read_bounded(&self, path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, PathError> {
        self.on(path.as_ref(), "read", |folder, name| {
            bounded::whole(open_to_read(folder, name, OFlags::NOFOLLOW)?, limit)
        })
    }

    /// The same of a file that may be a link itself.
    ///
    /// # Errors
    /// As [`Self::read_bounded`]'.
    pub fn read_bounded_through(&self, path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, PathError> {
        self.on(path.as_ref(), "read", |folder, name| {
            bounded::whole(open_to_read(folder, name, OFlags::empty())?, limit)
        })
    }

    /// The whole content of a regular file, as [`super::read`] reads it.
    ///
    /// # Errors
    /// As [`Self::read_bounded`]'.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, PathError> {
        self.read_bounded(path, bounded::LARGEST_FILE)
    }

    /// The whole content of a regular file of UTF-8 text.
    ///
    /// # Errors
    /// As [`Self::read_bounded`]'.
    pub fn read_to_string(&self, path: impl AsRef<Path>) -> Result<String, PathError> {
        let path = path.as_ref();
        bounded::text(self.read_bounded(path, bounded::LARGEST_TEXT)?).at("read", &self.path.join(path))
    }

    /// The content of a file that `virtpy` wrote itself, as [`super::read_own`] reads it.
    ///
    /// # Errors
    /// When the file cannot be opened or read, is no regular file, or too large.
    pub fn read_own(&self, path: impl AsRef<Path>, expected: usize) -> Result<Vec<u8>, PathError> {
        self.on(path.as_ref(), "read", |folder, name| {
            bounded::own(open_to_read(folder, name, OFlags::NOFOLLOW)?, expected)
        })
    }

    /// Opens a file for writing that must not exist yet, with these permission bits (less the umask).
    ///
    /// # Errors
    /// When something stands there, even a dangling link, or the folder is not writable.
    pub fn create_new(&self, path: impl AsRef<Path>, mode: u32) -> Result<File, PathError> {
        self.on(path.as_ref(), "create", |folder, name| create_at(folder, name, mode))
    }

    /// Writes a file that must not exist yet.
    ///
    /// # Errors
    /// As [`Self::create_new`]'s, and when the write fails.
    pub fn write_new(&self, path: impl AsRef<Path>, content: &[u8], mode: u32) -> Result<(), PathError> {
        let path = path.as_ref();
        self.create_new(path, mode)?.write_all(content).at("write", &self.path.join(path))
    }

    /// Copies the rest of an open file to a path where nothing stands. The kernel shares the blocks where the file system can.
    ///
    /// # Errors
    /// When either side cannot be read or written.
    pub fn copy_new(&self, mut source: File, path: impl AsRef<Path>, mode: u32) -> Result<(), PathError> {
        let path = path.as_ref();
        let mut target = self.create_new(path, mode)?;
        super::copy_rest(&mut source, &mut target).at("copy to", &self.path.join(path))
    }

    /// Replaces what stands at a path by a file with this content and these permission bits, by way of a name at which one
    /// process at a time works. Readers see the old file or the new one, never a part.
    ///
    /// # Errors
    /// When a folder is missing or not writable, or the disk is full; the old file is then untouched.
    pub fn replace(
        &self,
        by_way_of: impl AsRef<Path>,
        path: impl AsRef<Path>,
        content: &[u8],
        mode: u32,
    ) -> Result<(), PathError> {
        let (by_way_of, path) = (by_way_of.as_ref(), path.as_ref());
        // Never into what stands there: it may be a link, or have another name elsewhere.
        let file = match self.create_new(by_way_of, mode) {
            Err(error) if error.already_exists() => {
                self.remove_tree(by_way_of)?;
                self.create_new(by_way_of, mode)
            }
            other => other,
        };
        let mut file =
            file.map_err(|error| PathError { action: "write", path: self.path.join(path), ..error })?;
        let written = file
            .write_all(content)
            .at("write", &self.path.join(path))
            .and_then(|()| self.rename(by_way_of, path));
        if written.is_err() {
            let _ = self.remove_file(by_way_of);
        }
        written
    }

    /// Makes a symbolic link that holds the text `target`.
    ///
    /// # Errors
    /// When something stands there, or its folder is missing or not writable.
    pub fn symlink(&self, target: &Path, path: impl AsRef<Path>) -> Result<(), PathError> {
        self.on(path.as_ref(), "link", |folder, name| Ok(rustix::fs::symlinkat(target, folder, name)?))
    }

    /// Replaces what stands at a path by a link, by way of a name at which one process at a time works; a link that leads
    /// there already is left.
    ///
    /// # Errors
    /// When a folder is missing or not writable, or a folder stands there.
    pub fn replace_by_link(
        &self,
        by_way_of: impl AsRef<Path>,
        target: &Path,
        path: impl AsRef<Path>,
    ) -> Result<(), PathError> {
        let (by_way_of, path) = (by_way_of.as_ref(), path.as_ref());
        if self.read_link(path).is_ok_and(|found| found == target) {
            return Ok(());
        }
        self.remove_tree(by_way_of)?;
        self.symlink(target, by_way_of)?;
        let renamed = self.rename(by_way_of, path);
        if renamed.is_err() {
            let _ = self.remove_file(by_way_of);
        }
        renamed
    }

    /// Gives a file from elsewhere a second name here.
    ///
    /// # Errors
    /// When something stands there, or the two are on different file systems.
    pub fn hard_link_from(&self, original: &Path, path: impl AsRef<Path>) -> Result<(), PathError> {
        self.on(path.as_ref(), "link", |folder, name| {
            Ok(rustix::fs::linkat(CWD, original, folder, name, AtFlags::empty())?)
        })
    }

    /// Gives a file of this directory a second name in it.
    ///
    /// # Errors
    /// When something stands there, or the file has as many names as it can have.
    pub fn hard_link(&self, original: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), PathError> {
        self.on_two(original.as_ref(), path.as_ref(), "link", |(from, original), (folder, name)| {
            Ok(rustix::fs::linkat(from, original, folder, name, AtFlags::empty())?)
        })
    }

    /// Sets the permission bits of a file.
    ///
    /// # Errors
    /// When there is none that may be read, or it is somebody else's.
    pub fn set_mode(&self, path: impl AsRef<Path>, mode: u32) -> Result<(), PathError> {
        self.on(path.as_ref(), "set the mode of", |folder, name| {
            let file = open_to_read(folder, name, OFlags::NOFOLLOW)?;
            file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
        })
    }

    /// Sets the time of a folder's last change back, as [`super::set_back`] does.
    ///
    /// # Errors
    /// When there is none, or it is somebody else's.
    pub fn set_folder_back(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        let path = path.as_ref();
        self.reach(path)
            .and_then(|folder| Ok(super::times::set_back_at(folder.as_fd(), Path::new("."))?))
            .at("set the time of", &self.path.join(path))
    }

    /// Makes one folder whose parent exists.
    ///
    /// # Errors
    /// When something stands there, or the parent is missing or not writable.
    pub fn create_dir(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        self.on(path.as_ref(), "create the folder", |folder, name| {
            Ok(rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(0o777))?)
        })
    }

    /// Makes a folder and those above it; one that exists is fine.
    ///
    /// # Errors
    /// When one of them is no folder, or not writable.
    pub fn create_dir_all(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        let mut reached = PathBuf::new();
        for part in path.as_ref() {
            reached.push(part);
            match self.create_dir(&reached) {
                Err(error) if error.already_exists() && self.has_folder(&reached)? => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Renames within the directory; replaces a file, a link or an empty folder at `to`.
    ///
    /// # Errors
    /// When there is nothing to rename, or a folder with content stands at `to`.
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), PathError> {
        let (from, to) = (from.as_ref(), to.as_ref());
        self.forget(from);
        self.forget(to);
        self.on_two(from, to, "rename to", |(here, old), (there, new)| {
            Ok(rustix::fs::renameat(here, old, there, new)?)
        })
    }

    /// Exchanges what stands at two paths: in one step on Linux, by three renames elsewhere.
    ///
    /// # Errors
    /// When one is missing, or a folder is not writable.
    pub fn exchange(&self, one: impl AsRef<Path>, other: impl AsRef<Path>) -> Result<(), PathError> {
        let (one, other) = (one.as_ref(), other.as_ref());
        self.forget(one);
        self.forget(other);
        let exchanged = self.on_two(one, other, "replace", |(here, old), (there, new)| {
            super::exchange_at((here.as_fd(), old), (there.as_fd(), new))
        })?;
        if exchanged {
            return Ok(());
        }
        let aside = one.with_file_name(format!("{}{}", super::UNFINISHED, std::process::id()));
        self.create_dir(&aside)?;
        let kept = aside.join("old");
        let exchanged = self.rename(other, &kept).and_then(|()| match self.rename(one, other) {
            Err(error) => self.rename(&kept, other).and(Err(error)),
            Ok(()) => self.rename(&kept, one),
        });
        let _ = self.remove_dir(&aside);
        exchanged
    }

    /// Removes a file or a link; a link's target stays.
    ///
    /// # Errors
    /// When there is none, or the folder is not writable.
    pub fn remove_file(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        self.on(path.as_ref(), "remove", |folder, name| {
            Ok(rustix::fs::unlinkat(folder, name, AtFlags::empty())?)
        })
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// When it has content or its parent is not writable.
    pub fn remove_dir(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        let path = path.as_ref();
        self.forget(path);
        self.on(path, "remove the folder", |folder, name| {
            Ok(rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)?)
        })
    }

    /// Removes whatever stands at a path, as [`super::remove_tree`] does. Nothing there is fine.
    ///
    /// # Errors
    /// When a part belongs to somebody else; what could be removed is then gone.
    pub fn remove_tree(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        let path = path.as_ref();
        self.forget(path);
        match self.on(path, "remove", |folder, name| remove_at(folder.as_fd(), name)) {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }

    /// Does something to the last part of a path, in the folder that it is in.
    fn on<T>(
        &self,
        path: &Path,
        action: &'static str,
        act: impl FnOnce(&OwnedFd, &OsStr) -> io::Result<T>,
    ) -> Result<T, PathError> {
        let done = || -> io::Result<_> {
            let (parent, name) = split(path)?;
            act(&*self.reach(parent)?, name)
        };
        done().at(action, &self.path.join(path))
    }

    /// The same with two paths; the error names the second one.
    fn on_two<T>(
        &self,
        one: &Path,
        other: &Path,
        action: &'static str,
        act: impl FnOnce((&OwnedFd, &OsStr), (&OwnedFd, &OsStr)) -> io::Result<T>,
    ) -> Result<T, PathError> {
        let done = || -> io::Result<_> {
            let ((first, old), (second, new)) = (split(one)?, split(other)?);
            let (first, second) = (self.reach(first)?, self.reach(second)?);
            act((&*first, old), (&*second, new))
        };
        done().at(action, &self.path.join(other))
    }

    /// A folder in it, opened to work in.
    fn reach(&self, path: &Path) -> io::Result<Arc<OwnedFd>> {
        if path.as_os_str().is_empty() {
            return Ok(Arc::clone(&self.handle));
        }
        let Some(recent) = &self.recent else {
            return Ok(Arc::new(self.open_folder(path, reach::TO_WORK_IN)?));
        };
        let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = recent.iter().rposition(|reached| reached.path == path) {
            // The latest is at the end.
            recent[place..].rotate_left(1);
        } else {
            let handle = Arc::new(self.open_folder(path, reach::TO_WORK_IN)?);
            if recent.len() == MOST_OPEN {
                recent.remove(0);
            }
            recent.push(Reached { path: path.to_owned(), handle });
        }
        Ok(recent.last().map_or_else(|| Arc::clone(&self.handle), |reached| Arc::clone(&reached.handle)))
    }

    fn open_folder(&self, path: &Path, purpose: OFlags) -> io::Result<OwnedFd> {
        reach::open_below(&*self.handle, path, purpose, self.only_steps)
    }

    /// Closes what was at a path or below it.
    fn forget(&self, path: &Path) {
        if let Some(recent) = &self.recent {
            let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
            recent.retain(|reached| !reached.path.starts_with(path));
        }
    }
}

/// The folder that a path is in and its last part.
fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    match (path.parent(), path.file_name()) {
        // A last part of `..` has no name, one of `.` is none.
        (Some(parent), Some(name)) => Ok((parent, name)),
        _ => Err(reach::leads_outside()),
    }
}

fn open_to_read(folder: &OwnedFd, name: &OsStr, more: OFlags) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | more;
    match openat(folder, name, flags, Mode::empty()) {
        Err(rustix::io::Errno::LOOP) => Err(bounded::not_regular()),
        opened => Ok(opened?.into()),
    }
}

fn create_at(folder: &OwnedFd, name: &OsStr, mode: u32) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    #[allow(
        clippy::useless_conversion,
        clippy::cast_possible_truncation,
        reason = "the type differs between systems"
    )]
    Ok(openat(folder, name, flags, Mode::from_raw_mode(mode as _))?.into())
}

/// Whether nothing stands there, or a link or a file is on the way.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
