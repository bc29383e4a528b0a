//! Times of files and folders.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, statat, utimensat};
use rustix::io::Errno;

/// Opens something whose time is to be set, which its owner may also where he may not write.
pub(crate) fn open_to_date(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Sets the time of the last change back by the least step there is.
pub(crate) fn set_back(path: &Path) -> io::Result<()> {
    Ok(set_back_at(CWD, path)?)
}

/// Sets the time back, as [`set_back`], of a path in a folder that is held open.
pub(super) fn set_back_at(folder: BorrowedFd<'_>, path: &Path) -> Result<(), Errno> {
    let facts = statat(folder, path, AtFlags::SYMLINK_NOFOLLOW)?;
    #[allow(
        clippy::cast_possible_wrap,
        clippy::unnecessary_cast,
        reason = "the types differ between systems"
    )]
    let changed = match (facts.st_mtime as i64, facts.st_mtime_nsec as i64) {
        (seconds, 0) => Timespec { tv_sec: seconds - 1, tv_nsec: 999_999_999 },
        (seconds, nanoseconds) => Timespec { tv_sec: seconds, tv_nsec: nanoseconds - 1 },
    };
    let used = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let times = Timestamps { last_access: used, last_modification: changed };
    utimensat(folder, path, &times, AtFlags::SYMLINK_NOFOLLOW)
}
