//! Removing whole folders by way of their open descriptors. No function here follows a link.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fchmod, fstat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::facts::kind_of;
use super::process::effective_user;
use super::system;
use crate::kind::FileKind;

/// Removes a file or a link by its path.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

/// Removes whatever stands at a path.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    remove_at(CWD, path.as_os_str())
}

/// Removes whatever has this name in a folder that is held open. What is below it is reached from its descriptor, so nobody can lead this
/// elsewhere by putting a link in place of a folder meanwhile.
pub(super) fn remove_at(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    let kind = kind_of(&statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?);
    if kind != FileKind::Folder {
        return Ok(unlink(Place { folder: parent, is_going: false }, name, AtFlags::empty())?);
    }
    if system::is_mounted_at(parent, name) {
        return Err(Errno::BUSY.into());
    }
    // Not by calls of this function for what is inside: a tree may be deeper than the stack.
    let mut levels = vec![Level::open(parent, name, openat_plainly)?];
    while let Some(level) = levels.last_mut() {
        let Some((name, kind)) = level.left.pop() else {
            let Some(done) = levels.pop() else { break };
            let (folder, is_going) = match levels.last() {
                Some(above) => (above.folder.fd()?, true),
                None => (parent, false),
            };
            unlink(Place { folder, is_going }, &done.name, AtFlags::REMOVEDIR)?;
            continue;
        };
        let folder = level.folder.fd()?;
        let opened = if kind == FileKind::Folder {
            Level::open(folder, &name, open_unless_mounted)
        } else {
            Err(Errno::NOTDIR)
        };
        match opened {
            Ok(inner) => levels.push(inner),
            Err(Errno::NOENT) => {}
            // A link also where a folder was a moment ago.
            Err(Errno::NOTDIR | Errno::LOOP) => {
                unlink(Place { folder, is_going: true }, &name, AtFlags::empty())?;
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

/// A folder on the way through a tree that is removed.
struct Level {
    folder: Dir,
    name: OsString,
    /// What is in it and has not been removed yet.
    left: Vec<(OsString, FileKind)>,
}

impl Level {
    fn open(parent: BorrowedFd<'_>, name: &OsStr, open: Opening) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = match open(parent, name, flags) {
            Err(Errno::ACCESS) => {
                system::make_accessible(parent, name)?;
                open(parent, name, flags)?
            }
            other => other?,
        };
        let mut folder = Dir::new(handle)?;
        let left = names_of(&mut folder)?;
        Ok(Self { folder, name: name.to_owned(), left })
    }
}

/// How a folder is opened.
type Opening = fn(BorrowedFd<'_>, &OsStr, OFlags) -> Result<OwnedFd, Errno>;

fn openat_plainly(parent: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    openat(parent, name, flags, Mode::empty())
}

/// Opens a folder in another one, unless a file system or another folder is mounted there: what is in that is somebody else's.
fn open_unless_mounted(parent: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    match system::open_on_same_mount(parent, name, flags) {
        Some(Err(Errno::XDEV)) => return Err(Errno::BUSY),
        Some(answer) => return answer,
        None => {}
    }
    let handle = openat_plainly(parent, name, flags)?;
    let is_elsewhere = fstat(&handle)?.st_dev != fstat(parent)?.st_dev;
    if is_elsewhere || system::is_mounted_at(parent, name) { Err(Errno::BUSY) } else { Ok(handle) }
}

/// A folder out of which something is removed.
#[derive(Clone, Copy)]
struct Place<'a> {
    folder: BorrowedFd<'a>,
    /// Whether it goes itself, so that its permissions may be changed.
    is_going: bool,
}

/// Removes one name, also where a mode or a flag is against it.
fn unlink(place: Place<'_>, name: &OsStr, flags: AtFlags) -> Result<(), Errno> {
    let removed = match unlinkat(place.folder, name, flags) {
        Err(Errno::ACCESS | Errno::PERM) => {
            if place.is_going {
                take_flag_off(place.folder);
                let _ = fchmod(place.folder, Mode::RWXU);
            }
            let to_look = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            if let Ok(file) = openat(place.folder, name, to_look, Mode::empty()) {
                take_flag_off(&file);
            }
            unlinkat(place.folder, name, flags)
        }
        other => other,
    };
    if removed == Err(Errno::NOENT) { Ok(()) } else { removed }
}

/// Lets a file or a folder be removed that bears the immutable flag, which only root can have set.
fn take_flag_off(file: impl AsFd) {
    if effective_user() == 0 {
        // Whoever tries to remove it next tells why that cannot be.
        let _ = system::set_immutable(&file, false);
    }
}

/// The names in an open folder and what they are, unsorted.
pub(super) fn names_of(folder: &mut Dir) -> Result<Vec<(OsString, FileKind)>, Errno> {
    let mut names = Vec::new();
    while let Some(item) = folder.read() {
        let item = item?;
        let name = item.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        let kind = match item.file_type() {
            FileType::RegularFile => FileKind::File,
            FileType::Directory => FileKind::Folder,
            FileType::Symlink => FileKind::Link,
            // Not every file system tells it here.
            FileType::Unknown => match statat(folder.fd()?, item.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue,
                facts => kind_of(&facts?),
            },
            _ => FileKind::Other,
        };
        names.push((OsStr::from_bytes(name).to_owned(), kind));
    }
    Ok(names)
}
