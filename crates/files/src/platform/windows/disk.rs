//! File systems, and what is done to their files by path.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::facts::identity_at;
use super::opening::not_to_be_had;

/// What tells a file system from others: its volume's number.
pub(crate) fn file_system(path: &Path) -> io::Result<u64> {
    Ok(identity_at(path)?.0)
}

/// How many bytes this user may still write to the file system of a path.
pub(crate) fn free_space(path: &Path) -> io::Result<u64> {
    fs4::available_space(path)
}

/// Exchanges what stands at two paths in one step, for which there is no call.
#[allow(clippy::unnecessary_wraps, reason = "it can fail on another system")]
pub(crate) fn exchange(_one: &OsStr, _other: &OsStr) -> io::Result<bool> {
    Ok(false)
}

/// The absolute path without links, in the form that programs expect (`C:\…`) where it has one.
pub(crate) fn resolved(path: &Path) -> io::Result<PathBuf> {
    dunce::canonicalize(path)
}

/// A path as a table of the system writes it; Windows has none of them.
#[allow(clippy::needless_pass_by_value, reason = "another system keeps the bytes")]
pub(crate) fn path_of_bytes(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// The number of the mount that a path is on, which there is not.
pub(crate) fn number_of_mount(_path: &Path) -> Option<u64> {
    None
}

/// Whether a file or a folder bears the immutable flag, which there is not.
pub(crate) fn is_immutable(_path: &Path) -> bool {
    false
}

/// Sets the immutable flag, which there is not, or takes it off.
pub(crate) fn set_immutable(_path: &Path, immutable: bool) -> io::Result<()> {
    if immutable { Err(not_to_be_had("the immutable flag")) } else { Ok(()) }
}

/// Lets the kernel begin to write a new file back, for which there is no call.
pub(crate) fn begin_writing_back(_file: &File) {}

/// Writes back all that is in a folder: only an administrator may ask that of a whole volume. What is read-only cannot be written
/// back, which is an error.
pub(crate) fn sync_file_system(folder: &Path) -> io::Result<()> {
    let mut left = vec![folder.to_path_buf()];
    while let Some(folder) = left.pop() {
        for item in std::fs::read_dir(folder)? {
            let item = item?;
            let kind = item.file_type()?;
            if kind.is_dir() {
                left.push(item.path());
            } else if kind.is_file() {
                OpenOptions::new().write(true).open(item.path())?.sync_all()?;
            }
        }
    }
    Ok(())
}
