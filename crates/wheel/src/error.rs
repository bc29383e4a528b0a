//! What can be wrong with a wheel.

use std::path::PathBuf;

use virtpy_files::PathError;
use virtpy_pep::InvalidText;

use crate::archive;

/// Why a wheel cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive around the wheel is broken or hostile.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The disk did not take it.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The file's name does not follow PEP 427.
    #[error(transparent)]
    FileName(Box<InvalidText>),
    /// A file that every wheel must have is missing.
    #[error("the wheel has no `{0}`")]
    Missing(String),
    /// The dist-info or data folder is not this wheel's, or there are two.
    #[error("the wheel has a folder `{folder}`, {reason}")]
    Folder {
        /// The top-level folder.
        folder: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file name, the dist-info folder and METADATA tell different things.
    #[error("the wheel's METADATA says {field} `{}`, its file name `{filename}`", metadata.escape_debug())]
    Mismatch {
        /// "name" or "version".
        field: &'static str,
        /// The value in METADATA.
        metadata: String,
        /// The value in the file name.
        filename: String,
    },
    /// METADATA or WHEEL lacks something or holds something illegal.
    #[error("the wheel's `{file}` {reason}")]
    Metadata {
        /// `METADATA` or `WHEEL`.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The wheel was made for a newer installer.
    #[error("the wheel has format {0}, and virtpy knows format 1")]
    WheelVersion(String),
    /// A path that a wheel may not install.
    #[error("the wheel would install `{path}`, {reason}")]
    Forbidden {
        /// The path in the archive.
        path: String,
        /// Why it may not.
        reason: &'static str,
    },
    /// Two members would become one file.
    #[error("the wheel installs `{0}` twice, from different folders of the archive")]
    Collision(String),
    /// A line of `entry_points.txt` makes no script.
    #[error("the wheel's entry point `{}` {reason}", entry.escape_debug())]
    EntryPoint {
        /// The line.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// RECORD is no table of files.
    #[error("line {line} of RECORD {reason}")]
    Record {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// RECORD and the content differ.
    #[error("`{path}` {reason}")]
    Verification {
        /// The file.
        path: String,
        /// How it differs.
        reason: String,
    },
    /// RECORD and the archive do not list the same files.
    #[error("the wheel's {0}")]
    Unlisted(String),
    /// No script can name this interpreter.
    #[error("no script can be made for the interpreter `{}`: {reason}", path.display())]
    Interpreter {
        /// The interpreter.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
}

impl From<InvalidText> for Error {
    fn from(error: InvalidText) -> Self {
        Self::FileName(Box::new(error))
    }
}

impl Error {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Archive(error) => error.hint(),
            Self::Path(error) => error.hint(),
            Self::FileName(_) => Some(
                "a wheel is called like `name-1.0-py3-none-any.whl`; give the file its original name"
                    .to_owned(),
            ),
            Self::WheelVersion(_) => Some("a newer virtpy may be able to install it".to_owned()),
            Self::Verification { .. } => {
                Some("the wheel was changed or damaged after it was built: get it again".to_owned())
            }
            Self::Unlisted(_) => Some(
                "the wheel was changed after it was built: ask its publisher for a correct one, or build it from source \
                 with `--no-binary`"
                    .to_owned(),
            ),
            Self::Interpreter { .. } => Some("move the environment to another folder".to_owned()),
            _ => Some("the wheel is malformed: ask its publisher for a correct one".to_owned()),
        }
    }
}
