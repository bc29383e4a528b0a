//! What can be wrong with a wheel.

use crate::archive;
use crate::fs::PathError;

/// Why a wheel is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive is broken or hostile.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The disk did not take it.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The file name is not that of a wheel.
    #[error("`{filename}` is not a wheel's file name: {reason}")]
    Filename {
        /// The name.
        filename: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A part that every wheel has is missing or there twice.
    #[error("{0}")]
    Layout(String),
    /// A metadata file makes no sense.
    #[error("`{file}` is invalid: {reason}")]
    Metadata {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The wheel is of a format that is not known yet.
    #[error("it has wheel format {0}, and this virtpy knows format 1")]
    Format(String),
    /// The contents speak of another distribution than the file name.
    #[error("its contents are of `{found}`, but its file name says `{expected}`")]
    Mismatch {
        /// What the file name says.
        expected: String,
        /// What the contents say.
        found: String,
    },
    /// A file's hash or size is not the one in RECORD.
    #[error("`{path}` is not the file that RECORD lists: expected {expected}, got {found}")]
    Record {
        /// The member.
        path: String,
        /// What RECORD says.
        expected: String,
        /// What was unpacked.
        found: String,
    },
    /// RECORD and the archive do not list the same files.
    #[error("RECORD and the archive disagree about `{0}`")]
    Unlisted(String),
    /// An entry point or a script that may not be made.
    #[error("the script `{name}` cannot be made: {reason}")]
    Script {
        /// Its name.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// A path that fits into no interpreter line.
    #[error("the path has a character that no interpreter line can hold")]
    Shebang,
}

impl Error {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Archive(error) => error.hint(),
            Self::Path(error) => error.hint(),
            Self::Shebang => Some("choose a folder without control characters in its path".to_owned()),
            Self::Format(_) => Some("a newer virtpy may know it".to_owned()),
            _ => Some("the file is broken: another version, or a fresh download, may be sound".to_owned()),
        }
    }
}
