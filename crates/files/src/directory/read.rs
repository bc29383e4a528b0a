//! Looking and reading in a directory that is held open.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::{Directory, Folder, is_absent};
use crate::bounded;
use crate::{Facts, FileKind, IoResultExt as _, PathError};

impl Directory {
    /// Whether there is a folder at a path, reached without a link.
    ///
    /// # Errors
    /// When a folder on the way may not be entered, or the path leads outside.
    pub fn has_folder(&self, path: impl AsRef<Path>) -> Result<bool, PathError> {
        let path = path.as_ref();
        match self.reach(path) {
            Ok(_) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(error).at("look at", &self.path.join(path)),
        }
    }

    /// The first of a folder and those above it that is no real folder, but a link or a file; what is not there is fine.
    ///
    /// # Errors
    /// When a folder on the way may not be entered, or the path leads outside.
    pub fn first_unreal<'p>(&self, folder: &'p str) -> Result<Option<&'p str>, PathError> {
        match self.reach(Path::new(folder)) {
            Ok(_) => return Ok(None),
            // Those above what is missing are real.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
            Err(error) => return Err(error).at("look at", &self.path.join(folder)),
        }
        for (end, _) in folder.match_indices('/').chain([(folder.len(), "")]) {
            match self.kind(&folder[..end])? {
                None => return Ok(None),
                Some(FileKind::Folder) => {}
                Some(_) => return Ok(Some(&folder[..end])),
            }
        }
        Ok(None)
    }

    /// What is known of what stands at a path; `None` where nothing does. What is behind a link is not there.
    ///
    /// # Errors
    /// When a folder on the way may not be entered, or the path leads outside.
    pub fn facts(&self, path: impl AsRef<Path>) -> Result<Option<Facts>, PathError> {
        self.on(path.as_ref(), "look at", |folder, name| folder.facts(name).map(Some))
            .or_else(|error| if is_absent(&error.source) { Ok(None) } else { Err(error) })
    }

    /// What stands at a path, as [`Self::facts`] knows it.
    ///
    /// # Errors
    /// As [`Self::facts`]'.
    pub fn kind(&self, path: impl AsRef<Path>) -> Result<Option<FileKind>, PathError> {
        Ok(self.facts(path)?.map(|facts| facts.kind))
    }

    /// What is known of the folder itself.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn own_facts(&self) -> Result<Facts, PathError> {
        self.handle.own_facts(&self.path).at("look at", &self.path)
    }

    /// What is known of the folder that a path is in.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn facts_of_parent(&self, path: impl AsRef<Path>) -> Result<Facts, PathError> {
        let path = path.as_ref();
        let own = self.path.join(path.parent().unwrap_or(Path::new("")));
        self.on(path, "look at", |folder, _| folder.own_facts(&own))
    }

    /// The text of a link.
    ///
    /// # Errors
    /// When nothing stands there, or it is no link.
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<PathBuf, PathError> {
        self.on(path.as_ref(), "read the link", Folder::read_link)
    }

    /// The names in a folder (of this one for an empty path) and what they are, unsorted.
    ///
    /// # Errors
    /// When the folder is missing or may not be read, or is reached by a link only.
    pub fn read_dir_names(&self, path: impl AsRef<Path>) -> Result<Vec<(OsString, FileKind)>, PathError> {
        let path = path.as_ref();
        self.handle.names_below(&self.path, path, self.only_steps).at("list", &self.path.join(path))
    }

    /// The names in a folder, unsorted.
    ///
    /// # Errors
    /// As [`Self::read_dir_names`]'.
    pub fn names(&self, path: impl AsRef<Path>) -> Result<Vec<OsString>, PathError> {
        Ok(self.read_dir_names(path)?.into_iter().map(|(name, _)| name).collect())
    }

    /// Opens a regular file for reading, and nobody waits for the other end of a pipe.
    ///
    /// # Errors
    /// When there is none, or a link is in its place.
    pub fn open_file(&self, path: impl AsRef<Path>) -> Result<File, PathError> {
        self.on(path.as_ref(), "open", |folder, name| {
            bounded::regular(folder.open_to_read(name, false)?).map(|(file, _)| file)
        })
    }

    /// The whole content of a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// When there is no such file, it is of another kind or larger, or it cannot be read.
    pub fn read_bounded(&self, path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, PathError> {
        self.on(path.as_ref(), "read", |folder, name| {
            bounded::whole(folder.open_to_read(name, false)?, limit)
        })
    }

    /// The whole content of a file of at most `limit` bytes, which may be a link itself.
    ///
    /// # Errors
    /// As [`Self::read_bounded`].
    pub fn read_bounded_through(&self, path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>, PathError> {
        self.on(path.as_ref(), "read", |folder, name| bounded::whole(folder.open_to_read(name, true)?, limit))
    }

    /// The whole content of a regular file, as [`super::read`] reads it.
    ///
    /// # Errors
    /// As [`Self::read_bounded`].
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, PathError> {
        self.read_bounded(path, bounded::LARGEST_FILE)
    }

    /// The whole content of a regular file of UTF-8 text.
    ///
    /// # Errors
    /// As [`Self::read_bounded`].
    pub fn read_to_string(&self, path: impl AsRef<Path>) -> Result<String, PathError> {
        let path = path.as_ref();
        bounded::text(self.read_bounded(path, bounded::LARGEST_TEXT)?).at("read", &self.path.join(path))
    }

    /// The content of a file that `virtpy` wrote itself, as [`super::read_own`] reads it.
    ///
    /// # Errors
    /// When the file cannot be opened or read, is no regular file, or too large.
    pub fn read_own(&self, path: impl AsRef<Path>, expected: usize) -> Result<Vec<u8>, PathError> {
        self.on(path.as_ref(), "read", |folder, name| {
            bounded::own(folder.open_to_read(name, false)?, expected)
        })
    }
}
