//! What can go wrong with Poetry's installations, projects and lock files.

use std::path::PathBuf;

use crate::fs::PathError;

/// What can go wrong with Poetry's installations, projects and lock files.
#[derive(Debug, thiserror::Error)]
pub enum PoetryError {
    /// A path could not be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A path was named that is no Poetry.
    #[error("`{}` is no Poetry: {reason}", .path.display())]
    NotPoetry {
        /// The path as it was given.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A Poetry that the plugin was not made for.
    #[error("the plugin does not fit Poetry {version} at `{}`", .path.display())]
    Unsupported {
        /// Where it is.
        path: PathBuf,
        /// Its version.
        version: String,
    },
    /// The plugin came into this Poetry by another way than `virtpy poetry enable`.
    #[error("the plugin in the Poetry at `{}` was put there by {installer}", .path.display())]
    NotOurs {
        /// Where the Poetry is.
        path: PathBuf,
        /// What its INSTALLER file says.
        installer: String,
    },
    /// The plugin's wheel could not be put together.
    #[error("the plugin's wheel could not be made: {0}")]
    Wheel(String),
}

impl PoetryError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Path(error) => return error.hint(),
            Self::NotPoetry { .. } => "name the command `poetry`, or the folder of the environment it is in",
            Self::Unsupported { .. } => {
                "it needs Poetry 1.8 or 2; every Poetry works in virtpy's venvs without it, and `virtpy adopt` shares \
                 what it installed"
            }
            Self::NotOurs { .. } => {
                "remove it the same way: `poetry self remove poetry-plugin-virtpy`, `pipx uninject`, or pip"
            }
            Self::Wheel(_) => return None,
        };
        Some(hint.to_owned())
    }
}
