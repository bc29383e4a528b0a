//! What can go wrong with lock files.

use std::path::PathBuf;

use virtpy_files::PathError;

/// What can go wrong with lock files.
#[derive(Debug, thiserror::Error)]
pub enum LockFileError {
    /// A path could not be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A lock file makes no sense.
    #[error("the lock file `{}` cannot be used: {reason}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl LockFileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Path(error) => error.hint(),
            Self::Unusable { .. } => Some("make it again with the tool that wrote it".to_owned()),
        }
    }
}
