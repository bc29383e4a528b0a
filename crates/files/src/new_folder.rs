//! A folder that this process has made and that nobody else writes to: what comes into it is reached from its descriptor, so that
//! the way to it is walked once.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::platform::Folder;
use super::{IoResultExt as _, PathError};

/// A folder that this process has made and that nobody else writes to, held open. Paths in it are relative and checked by
/// whoever names them.
#[derive(Debug)]
pub struct NewFolder {
    handle: Folder,
    path: PathBuf,
}

impl NewFolder {
    /// Holds it open.
    ///
    /// # Errors
    /// When it is missing, or no folder.
    pub fn open(path: &Path) -> Result<Self, PathError> {
        let handle = Folder::open_new(path).at("open", path)?;
        Ok(Self { handle, path: path.to_path_buf() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder, whose parent is there already.
    ///
    /// # Errors
    /// When something stands there.
    pub fn create_dir(&self, inside: &str) -> Result<(), PathError> {
        self.handle.create_dir_inside(&self.path, inside).at("create the folder", &self.path.join(inside))
    }

    /// Makes a file, to be written, with these permission bits (less the umask).
    ///
    /// # Errors
    /// When something stands there.
    pub fn create_file(&self, inside: &str, mode: u32) -> Result<File, PathError> {
        self.handle.create_inside(&self.path, inside, mode).at("create", &self.path.join(inside))
    }

    /// Sets the permission bits of something in it.
    ///
    /// # Errors
    /// When it is missing.
    pub fn set_mode(&self, inside: &str, mode: u32) -> Result<(), PathError> {
        self.handle.set_mode_inside(&self.path, inside, mode).at("set the mode of", &self.path.join(inside))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_made_has_its_mode_and_never_takes_the_place_of_anything() {
        let folder = tempfile::tempdir().unwrap();
        let new = NewFolder::open(folder.path()).unwrap();
        new.create_dir("a").unwrap();
        new.create_dir("a/b").unwrap();
        new.create_file("a/b/c", 0o444).unwrap().write_all(b"text").unwrap();
        assert!(new.create_dir("a/b").unwrap_err().already_exists());
        let error = new.create_file("a/b/c", 0o644).unwrap_err();
        assert!(error.already_exists() && error.path == folder.path().join("a/b/c"));
        assert!(new.create_file("missing/c", 0o644).unwrap_err().is_not_found());
        new.set_mode("a/b", 0o555).unwrap();
        for (inside, mode) in [("a/b/c", 0o444), ("a/b", 0o555)] {
            let facts = std::fs::metadata(folder.path().join(inside)).unwrap();
            assert_eq!(facts.permissions().mode() & 0o777, mode, "{inside}");
        }
        assert_eq!(std::fs::read(folder.path().join("a/b/c")).unwrap(), b"text");
        new.set_mode("a/b", 0o755).unwrap();
    }
}
