//! Times of files and folders.

use std::path::Path;

use super::platform::{self, MetadataExt as _};
use super::{IoResultExt as _, OpenOptions, PathError, symlink_metadata};

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
    platform::open_to_date(path).and_then(|file| file.set_modified(time)).at("set the time of", path)
}

/// Sets the time of the last change back by the least step there is. The kernel's clock for files stands still for some
/// milliseconds, and whatever is changed within them gets the same time; a change that comes after this call, and what is
/// written after it, are newer in any case.
///
/// # Errors
/// When there is nothing, or it is somebody else's.
pub fn set_back(path: &Path) -> Result<(), PathError> {
    platform::set_back(path).at("set the time of", path)
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
