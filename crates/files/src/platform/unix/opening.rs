//! How files are opened and made by their paths.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::IntoRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Makes files with these permission bits, less the umask.
pub(crate) fn creating(options: &mut OpenOptions, mode: u32) -> &mut OpenOptions {
    options.mode(mode)
}

/// Opens without waiting for whoever is at the other end of a pipe.
pub(crate) fn not_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed())
}

/// Opens without waiting, as [`not_waiting`], and no link is followed.
pub(crate) fn following_nothing(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed())
}

/// Makes temporary files and folders with these permission bits, less the umask.
pub(crate) fn with_mode<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
    mode: u32,
) -> &'b mut tempfile::Builder<'p, 's> {
    builder.permissions(Permissions::from_mode(mode))
}

/// Sets the permission bits of a file that was a temporary one, where it could not be made with them.
#[allow(clippy::unnecessary_wraps, reason = "it can fail on another system")]
pub(crate) fn finish_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// Sets the permission bits of a file or a folder.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Gives an open file to the user and the group that another one belongs to.
pub(crate) fn give_to_owner_of(file: &File, other: &Metadata) -> io::Result<()> {
    fchown(file, Some(other.uid()), Some(other.gid()))
}

/// Gives a file or a folder itself to another user.
pub(crate) fn set_owner(path: &Path, user: u32) -> io::Result<()> {
    std::os::unix::fs::lchown(path, Some(user), None)
}

/// Makes a symbolic link.
pub(crate) fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Waits until the names in a folder are on the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Leaves a file open for the program that takes this process's place. Returns the path by which that program knows it.
pub(crate) fn hand_over(file: File) -> io::Result<PathBuf> {
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty())?;
    // It stays open until that program ends.
    Ok(PathBuf::from(format!("/dev/fd/{}", file.into_raw_fd())))
}
