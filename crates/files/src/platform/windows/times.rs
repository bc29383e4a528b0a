//! Times of files and folders.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::opening::{following_nothing, not_waiting};

const FILE_READ_ATTRIBUTES: u32 = 0x80;
const FILE_WRITE_ATTRIBUTES: u32 = 0x100;

/// The least step of Windows' clock for files.
const STEP: Duration = Duration::from_nanos(100);

/// Opens something whose time is to be set, also where it is read-only.
pub(crate) fn open_to_date(path: &Path) -> io::Result<File> {
    not_waiting(&mut to_date()).open(path)
}

/// Sets the time of the last change back by the least step there is. Links are not followed.
pub(crate) fn set_back(path: &Path) -> io::Result<()> {
    let file = following_nothing(&mut to_date()).open(path)?;
    file.set_modified(file.metadata()?.modified()? - STEP)
}

fn to_date() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.access_mode(FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES);
    options
}
