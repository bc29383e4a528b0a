//! By what a changed file is recognised without reading it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A file as it was at a moment; links are followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The file.
    pub path: PathBuf,
    /// In bytes.
    size: u64,
    /// In seconds since 1970, and nanoseconds.
    pub modified: (i64, i64),
    inode: u64,
}

impl Stamp {
    /// The present state of a file, or `None` if there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = super::metadata(path).ok()?;
        Some(Self {
            path: path.to_path_buf(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            inode: metadata.ino(),
        })
    }

    /// Whether the file is as it was then.
    pub fn is_current(&self) -> bool {
        Self::of(&self.path).as_ref() == Some(self)
    }
}
