//! Times of files and folders.

use std::os::fd::BorrowedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, statat, utimensat};
use rustix::io::Errno;

use super::{File, IoResultExt as _, OpenOptions, PathError, symlink_metadata};

/// When something was changed last: seconds since 1970, and nanoseconds. Links are not followed.
///
/// # Errors
/// When it is missing, or its folder may not be entered.
pub fn changed_at(path: &Path) -> Result<(i64, i64), PathError> {
    symlink_metadata(path).map(|facts| (facts.mtime(), facts.mtime_nsec()))
}

/// Gives a file the present time, as if it had just been written.
///
/// # Errors
/// When there is none, or it is somebody else's.
pub fn touch(path: &Path) -> Result<(), PathError> {
    let file = OpenOptions::new().append(true).open(path).at("open", path)?;
    file.set_modified(std::time::SystemTime::now()).at("set the time of", path)
}

/// Sets the time of a file's last change, in seconds since 1970; its owner needs no permission to write to it.
///
/// # Errors
/// When there is none, or it is somebody else's.
pub fn set_modified(path: &Path, seconds: u64) -> Result<(), PathError> {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    File::open(path).and_then(|file| file.set_modified(time)).at("set the time of", path)
}

/// Sets the time of the last change back by the least step there is. The kernel's clock for files stands still for some
/// milliseconds, and whatever is changed within them gets the same time; a change that comes after this call, and what is
/// written after it, are newer in any case.
///
/// # Errors
/// When there is nothing, or it is somebody else's.
pub fn set_back(path: &Path) -> Result<(), PathError> {
    set_back_at(CWD, path).map_err(std::io::Error::from).at("set the time of", path)
}

/// Sets the time back, as [`set_back`], of a path in a folder that is held open.
pub(crate) fn set_back_at(folder: BorrowedFd<'_>, path: &Path) -> Result<(), Errno> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{create_dir, write_new};

    #[test]
    fn what_comes_after_is_newer_however_fast_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..200 {
            let one = folder.path().join(number.to_string());
            create_dir(&one).unwrap();
            set_back(&one).unwrap();
            let before = changed_at(&one).unwrap();
            let note = folder.path().join(format!("{number}.note"));
            write_new(&note, b"", 0o644).unwrap();
            assert!(before < changed_at(&note).unwrap());
            write_new(&one.join("file"), b"", 0o644).unwrap();
            assert!(before < changed_at(&one).unwrap());
        }
    }

    #[test]
    fn a_step_back_crosses_seconds() {
        let folder = tempfile::tempdir().unwrap();
        set_modified(folder.path(), 1_000).unwrap();
        set_back(folder.path()).unwrap();
        assert_eq!(changed_at(folder.path()).unwrap(), (999, 999_999_999));
        set_back(folder.path()).unwrap();
        assert_eq!(changed_at(folder.path()).unwrap(), (999, 999_999_998));
    }
}
