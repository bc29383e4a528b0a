//! What stands at a path: its kind, its facts, its mode.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::error::{IoResultExt as _, PathError};

/// What stands at a path, without following a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A real folder.
    Folder,
    /// A symbolic link, whatever it points at.
    Link,
    /// A socket, a device, a pipe.
    Other,
}

impl FileKind {
    /// What the system says that it is.
    pub(super) fn of(facts: &rustix::fs::Stat) -> Self {
        use rustix::fs::FileType;
        match FileType::from_raw_mode(facts.st_mode) {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

impl From<std::fs::FileType> for FileKind {
    fn from(kind: std::fs::FileType) -> Self {
        if kind.is_symlink() {
            Self::Link
        } else if kind.is_dir() {
            Self::Folder
        } else if kind.is_file() {
            Self::File
        } else {
            Self::Other
        }
    }
}

/// Sets the permission bits of a file or a folder.
///
/// # Errors
/// When the path is missing or somebody else's.
pub fn set_mode(path: &Path, mode: u32) -> Result<(), PathError> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).at("set the mode of", path)
}

/// Returns a path's facts, following links.
///
/// # Errors
/// When nothing stands there.
pub fn metadata(path: &Path) -> Result<Metadata, PathError> {
    std::fs::metadata(path).at("look at", path)
}

/// Returns a path's facts; a link's own where it is one.
///
/// # Errors
/// When nothing stands there.
pub fn symlink_metadata(path: &Path) -> Result<Metadata, PathError> {
    std::fs::symlink_metadata(path).at("look at", path)
}

/// Returns what stands at a path, or `None` where nothing does.
///
/// # Errors
/// When a folder on the way may not be read.
pub fn kind(path: &Path) -> Result<Option<FileKind>, PathError> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type().into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Ok(None),
        Err(error) => Err(error).at("look at", path),
    }
}

/// Whether two paths are names of one file: the same inode of the same file system.
///
/// # Errors
/// When nothing stands at one of them.
pub fn is_same_file(one: &Path, other: &Path) -> Result<bool, PathError> {
    use std::os::unix::fs::MetadataExt as _;
    let (one, other) = (metadata(one)?, metadata(other)?);
    Ok(one.dev() == other.dev() && one.ino() == other.ino())
}
