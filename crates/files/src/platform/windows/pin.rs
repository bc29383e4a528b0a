//! Holding a folder so that nobody can put something else in its place.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;

use super::opening::following_nothing;
use crate::refusals::no_folder_on_the_way;

/// Sharing is decided for those who read or write; to look at attributes is not enough.
const FILE_LIST_DIRECTORY: u32 = 0x1;
const FILE_SHARE_READ: u32 = 0x1;
const FILE_SHARE_WRITE: u32 = 0x2;

/// Opens a folder, no link, so that it cannot be renamed or removed while it is held.
pub(super) fn pin(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.access_mode(FILE_LIST_DIRECTORY).share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE);
    let pin = following_nothing(&mut options).open(path)?;
    if pin.metadata()?.is_dir() { Ok(pin) } else { Err(no_folder_on_the_way()) }
}
