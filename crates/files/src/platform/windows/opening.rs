//! How files are opened and made by their paths.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{OpenOptionsExt as _, symlink_dir, symlink_file};
use std::path::{Path, PathBuf};

use super::numbers::PRIVILEGE_NOT_HELD;

const GENERIC_WRITE: u32 = 0x4000_0000;
const FILE_READ_ATTRIBUTES: u32 = 0x80;
const FILE_ATTRIBUTE_READONLY: u32 = 0x1;
/// Without it no folder is opened.
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
/// Opens a link itself.
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// The bits of which none is set where nobody may write.
const WRITABLE: u32 = 0o222;

/// What this system does not do, or by no safe call.
pub(super) fn not_to_be_had(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("{what} is not to be had on Windows yet"))
}

/// Makes files with these permission bits, of which Windows has one: whether anybody may write.
pub(crate) fn creating(options: &mut OpenOptions, mode: u32) -> &mut OpenOptions {
    if mode & WRITABLE == 0 { options.attributes(FILE_ATTRIBUTE_READONLY) } else { options }
}

/// Opens whatever is there, a folder too, so that it can be looked at what it is.
pub(crate) fn not_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
}

/// Opens as [`not_waiting`], and of a link the link itself.
pub(crate) fn following_nothing(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
}

/// Opens something to ask what it is, which needs no permission to read it.
pub(super) fn open_to_look(path: &Path, follow: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.access_mode(FILE_READ_ATTRIBUTES);
    let options = if follow { not_waiting(&mut options) } else { following_nothing(&mut options) };
    options.open(path)
}

/// Temporary files are made without permission bits: [`finish_mode`] sets what there is of them.
pub(crate) fn with_mode<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
    _mode: u32,
) -> &'b mut tempfile::Builder<'p, 's> {
    builder
}

/// Sets the permission bits of a file that was a temporary one, where it could not be made with them.
pub(crate) fn finish_mode(path: &Path, mode: u32) -> io::Result<()> {
    if mode & WRITABLE == 0 { set_mode(path, mode) } else { Ok(()) }
}

/// Sets the permission bits of a file or a folder. Of a folder it is a mark only: who may write in it is not decided by it.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    let mut permissions = std::fs::metadata(path)?.permissions();
    permissions.set_readonly(mode & WRITABLE == 0);
    std::fs::set_permissions(path, permissions)
}

/// Gives an open file to the user that another one belongs to.
pub(crate) fn give_to_owner_of(_file: &File, _other: &Metadata) -> io::Result<()> {
    Err(not_to_be_had("giving a file to another user"))
}

/// Gives a file or a folder itself to another user.
pub(crate) fn set_owner(_path: &Path, _user: u32) -> io::Result<()> {
    Err(not_to_be_had("giving a file to another user"))
}

/// Makes a symbolic link, or a junction where a link to a folder is refused, for which everybody has the right.
pub(crate) fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    let absolute = link.parent().unwrap_or(Path::new("")).join(target);
    if !std::fs::metadata(absolute).is_ok_and(|facts| facts.is_dir()) {
        return symlink_file(target, link);
    }
    match symlink_dir(target, link) {
        // A junction's text is absolute.
        Err(error) if error.raw_os_error() == Some(PRIVILEGE_NOT_HELD) && target.is_absolute() => {
            if std::fs::symlink_metadata(link).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            junction::create(target, link)
        }
        made => made,
    }
}

/// Waits until the names in a folder are on the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    not_waiting(OpenOptions::new().access_mode(GENERIC_WRITE)).open(folder)?.sync_all()
}

/// Leaves a file open for another program.
pub(crate) fn hand_over(_file: File) -> io::Result<PathBuf> {
    Err(not_to_be_had("a file without a name for another program"))
}
