//! What can go wrong in the store.

use std::path::PathBuf;

use virtpy_files::{LockError, PathError};
use virtpy_wheel as wheel;

use super::LayerError;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A path could not be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Another process holds what is needed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The wheel is broken or hostile.
    #[error("`{filename}` is not a usable wheel")]
    Wheel {
        /// The wheel's file name.
        filename: String,
        /// What is wrong with it.
        source: Box<wheel::Error>,
    },
    /// A published entry does not read as one.
    #[error("the store's entry `{id}` is damaged: {reason}")]
    Damaged {
        /// The entry's folder name.
        id: String,
        /// What was found.
        reason: String,
    },
    /// Two wheels whose SHA-256 begins with the same 16 digits.
    #[error(
        "the SHA-256 of `{filename}` begins with the same 16 digits as that of `{stored}`, which the store has"
    )]
    Collision {
        /// The wheel that was to be added.
        filename: String,
        /// The one that is there.
        stored: String,
    },
    /// An entry cannot be protected by the immutable flag.
    #[error("the setting `immutable` cannot be kept here: {}", .0.source)]
    Unprotected(#[source] PathError),
    /// The store was sealed, and takes nothing any more.
    #[error("the store `{}` is sealed", .0.display())]
    Sealed(PathBuf),
    /// A store below the user's own is not believed.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// What is given as an id is not one.
    #[error("`{0}` is not an id of this store")]
    InvalidId(String),
}

impl StoreError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Path(error) | Self::Lock(LockError::Path(error)) => hint(error),
            Self::Lock(error) => error.hint(),
            Self::Wheel { source, .. } => source.hint(),
            Self::Damaged { id, .. } => Some(format!("restore it with `virtpy store repair {id}`")),
            Self::Unprotected(_) => Some(
                "only root may set the immutable flag, not every file system has it, and containers are often refused it; \
                 switch the setting off"
                    .to_owned(),
            ),
            Self::Collision { .. } => Some(
                "this never happens by chance: somebody made one of the two wheels for it; use another store \
                 (`VIRTPY_HOME`) if both are wanted"
                    .to_owned(),
            ),
            Self::Sealed(_) => Some("`virtpy store seal --undo` lets it be written again".to_owned()),
            Self::Layer(error) => error.hint.clone(),
            Self::InvalidId(_) => None,
        }
    }
}

/// What a user can do about a path of the store: it need not be where it is.
fn hint(error: &PathError) -> Option<String> {
    let hint = error.hint()?;
    if error.is_refused() || error.is_no_folder() {
        return Some(format!("{hint}; `VIRTPY_HOME` moves the store to another folder"));
    }
    Some(hint)
}
