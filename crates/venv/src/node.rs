//! What a plan is made of and consists of: the distributions of a venv, what stands at a path, and clashes.

use std::path::{Path, PathBuf};

use virtpy_files::FileKind;
use virtpy_store::Manifest;

/// A distribution of the venv, in the order of installation.
#[derive(Debug, Clone, Copy)]
pub struct PlannedDistribution<'a> {
    /// What its entry holds.
    pub manifest: &'a Manifest,
    /// Where its entry stands.
    pub entry: &'a Path,
    /// Whether somebody asked for it by name (PEP 376, `REQUESTED`).
    pub requested: bool,
    /// The text of `direct_url.json` (PEP 610), for one that did not come from an index.
    pub direct_url: Option<&'a str>,
    /// Whether this venv has a copy of its own, whatever the venv's link mode.
    pub copied: bool,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A real folder.
    Folder,
    /// A link into the store.
    Link(PathBuf),
    /// A file that virtpy writes.
    Text {
        /// Its bytes.
        content: Vec<u8>,
        /// Whether it may be run.
        executable: bool,
    },
    /// A file of a dist-info folder that is the same for every distribution (`INSTALLER`, `REQUESTED`), so those
    /// that come with one change share an inode.
    SharedText(&'static str),
    /// A copy of a script of the store, with this venv's interpreter line.
    Script(PathBuf),
    /// A second name of the store's file, in the hardlink mode.
    Hardlink(PathBuf),
    /// A file of the venv's own with the content of the store's, read-only; a large one may be a second name of it
    /// (see [`super::nodes`]).
    HardlinkOrCopy(PathBuf),
    /// A copy of the store's file.
    Copy(PathBuf),
}

impl Node {
    /// What stands at its path.
    pub fn kind(&self) -> FileKind {
        match self {
            Self::Folder => FileKind::Folder,
            Self::Link(_) => FileKind::Link,
            _ => FileKind::File,
        }
    }

    /// Where in the store it comes from; nothing for what virtpy writes.
    pub fn source(&self) -> Option<&Path> {
        match self {
            Self::Link(path)
            | Self::Script(path)
            | Self::Hardlink(path)
            | Self::HardlinkOrCopy(path)
            | Self::Copy(path) => Some(path),
            Self::Folder | Self::Text { .. } | Self::SharedText(_) => None,
        }
    }
}

/// Two distributions that have the same file; the later one's is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The path in the venv.
    pub path: String,
    /// Whose file is there.
    pub winner: String,
    /// Whose is not.
    pub loser: String,
}
