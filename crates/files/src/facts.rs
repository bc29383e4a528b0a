//! What stands at a path: its kind, its facts, its mode.

use std::fs::Metadata;
use std::path::Path;

use super::error::{IoResultExt as _, PathError};
use super::kind::FileKind;
use super::platform;

/// Sets the permission bits of a file or a folder. Windows has one of them: whether a file is read-only.
///
/// # Errors
/// When the path is missing or somebody else's.
pub fn set_mode(path: &Path, mode: u32) -> Result<(), PathError> {
    platform::set_mode(path, mode).at("set the mode of", path)
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
    let identity = |path: &Path| platform::identity_at(path).at("look at", path);
    Ok(identity(one)? == identity(other)?)
}

/// What tells a file whose facts are known from all others: the device and the inode. Windows is asked once more.
pub fn identity(path: &Path, facts: &Metadata) -> (u64, u64) {
    platform::identity(path, facts)
}

/// How many names a file has whose facts are known. Windows is asked once more.
pub fn count_names(path: &Path, facts: &Metadata) -> u64 {
    platform::names(path, facts)
}

/// How many bytes are read and written at once where a file is.
pub fn block_size(facts: &Metadata) -> u64 {
    platform::block_size(facts)
}

/// How many bytes of the disk a file has; Windows tells only how many are in it.
pub fn allocated(facts: &Metadata) -> u64 {
    platform::allocated(facts)
}
