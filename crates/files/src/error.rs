//! An I/O error that says which path it is about.

use std::io;
use std::path::{Path, PathBuf};

use super::platform::{has_no_locks, hint_by_number, is_failing_disk};

/// What could not be done to which path.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.told())]
pub struct PathError {
    /// The verb of the message: "read", "create the folder".
    pub action: &'static str,
    /// The path as it was given.
    pub path: PathBuf,
    /// Why, in the operating system's words.
    pub source: io::Error,
}

impl PathError {
    fn told(&self) -> String {
        let path = self.path.display();
        match self.action {
            // What was to be done with it tells nobody more.
            "look at" | "read" if self.is_not_found() => format!("there is no `{path}`"),
            action => format!("could not {action} `{path}`"),
        }
    }

    /// Whether the path was missing.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Whether a file or a link was in place of a folder.
    pub fn is_no_folder(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotADirectory
    }

    /// Whether something stood where the path was to be made.
    pub fn already_exists(&self) -> bool {
        self.source.kind() == io::ErrorKind::AlreadyExists
    }

    /// Whether whoever runs this may not write there.
    pub fn is_refused(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
    }

    /// Whether the disk could not be read or written.
    pub fn is_failing_disk(&self) -> bool {
        self.source.raw_os_error().is_some_and(is_failing_disk)
    }

    /// What a user can do about it, where the operating system's answer tells.
    pub fn hint(&self) -> Option<String> {
        if self.action == "lock" && self.source.raw_os_error().is_some_and(has_no_locks) {
            return Some(
                "this file system has no locks that work: keep the store on a disk of this machine (`VIRTPY_HOME`), and name \
                 the shared one in the setting `stores`, which is only read"
                    .to_owned(),
            );
        }
        match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Some("free some space on that disk, then run the command again".to_owned())
            }
            io::ErrorKind::PermissionDenied => {
                Some("check who owns that path, and who may write there".to_owned())
            }
            io::ErrorKind::ReadOnlyFilesystem => Some("that disk is mounted read-only".to_owned()),
            io::ErrorKind::CrossesDevices => Some(
                "hardlinks need the store and the venv on one file system; make the venv with another \
                 `--link-mode` (`auto` or `copy`), or move the store with `VIRTPY_HOME`"
                    .to_owned(),
            ),
            io::ErrorKind::NotADirectory => Some("a part of that path is a file".to_owned()),
            io::ErrorKind::ResourceBusy if self.action == "remove" => Some(
                "a disk or another folder is mounted there or below it; unmount that, then run the command again"
                    .to_owned(),
            ),
            io::ErrorKind::Interrupted => Some("run the command again".to_owned()),
            _ => self.source.raw_os_error().and_then(hint_by_number).map(str::to_owned),
        }
    }
}

/// Adds the path to an I/O result.
pub trait IoResultExt<T> {
    /// Says what was being done to which path when it failed.
    ///
    /// # Errors
    /// The same failure, with its path.
    fn at(self, action: &'static str, path: &Path) -> Result<T, PathError>;
}

impl<T> IoResultExt<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, PathError> {
        self.map_err(|source| PathError { action, path: path.to_path_buf(), source })
    }
}
