//! Why packages could not be found or fetched.

use std::path::PathBuf;

use virtpy_files::PathError;
use virtpy_store::StoreError;

/// Why packages could not be found or fetched.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The facade's own word.
    #[error(transparent)]
    Resolver(Box<virtpy_resolver::Error>),
    /// The store refused or lost something.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A path could not be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A package's wheel could not become an entry.
    #[error("could not unpack `{package}`")]
    Unpack {
        /// Name and version.
        package: String,
        /// Why.
        source: StoreError,
    },
    /// A file of this machine was replaced while it was read.
    #[error("`{}` changed while it was being unpacked", path.display())]
    Exchanged {
        /// The wheel.
        path: PathBuf,
    },
    /// A damaged entry of the store that cannot be had again.
    #[error("the store's entry `{id}` cannot be fetched again: {reason}")]
    CannotRepair {
        /// Its handle.
        id: String,
        /// Why.
        reason: String,
    },
    /// The thread that unpacks died.
    #[error("the unpacking stopped unexpectedly")]
    Interrupted,
}

impl From<virtpy_resolver::Error> for ResolveError {
    fn from(error: virtpy_resolver::Error) -> Self {
        Self::Resolver(Box::new(error))
    }
}

impl ResolveError {
    /// Whether a lock file has nothing for this interpreter, and may have for another.
    pub fn wants_other_python(&self) -> bool {
        matches!(self, Self::Resolver(error) if matches!(**error, virtpy_resolver::Error::OtherPython { .. }))
    }

    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Resolver(error) => error.hint(),
            Self::Store(error) | Self::Unpack { source: error, .. } => error.hint(),
            Self::Path(error) => error.hint(),
            Self::CannotRepair { .. } => {
                let hint =
                    "add the package again with `--upgrade`; if there is no newer version, remove it first";
                Some(hint.to_owned())
            }
            Self::Exchanged { .. } => Some("run it again when nobody writes there any more".to_owned()),
            Self::Interrupted => None,
        }
    }
}
