//! What can go wrong with the interpreters that virtpy installs.

use std::path::PathBuf;

use virtpy_files::{LockError, PathError};
use virtpy_store::StoreError;
use virtpy_wheel::archive;

use crate as interpreters;
use crate::available::AvailableError;

/// Why an interpreter could not be installed, or not be removed.
#[derive(Debug, thiserror::Error)]
pub enum ManagedError {
    /// The archive did not come.
    #[error(transparent)]
    Available(#[from] AvailableError),
    /// The archive cannot be unpacked.
    #[error("`{name}` could not be unpacked")]
    Archive {
        /// What was to be installed.
        name: String,
        /// What is wrong with the archive.
        source: Box<archive::Error>,
    },
    /// The name of the file tells no kind of archive that virtpy can unpack.
    #[error("`{location}` is not an archive that can be unpacked")]
    Kind {
        /// Where it is.
        location: String,
    },
    /// A distribution's name cannot be the name of a folder.
    #[error("`{0}` cannot be the name of an installed interpreter")]
    Name(String),
    /// The archive does not have what it should.
    #[error("the archive of `{name}` has no interpreter at `{expected}`")]
    NoInterpreter {
        /// What was to be installed.
        name: String,
        /// The path inside the archive.
        expected: String,
    },
    /// The path of the interpreter inside the archive leads elsewhere.
    #[error("`{path}` is not a path inside the archive of `{name}`")]
    Outside {
        /// What was to be installed.
        name: String,
        /// The path.
        path: String,
    },
    /// What was unpacked does not run.
    #[error("the interpreter of `{name}` does not run on this machine")]
    DoesNotRun {
        /// What was to be installed.
        name: String,
        /// What happened.
        source: Box<interpreters::Error>,
    },
    /// What was unpacked is another version than its index says.
    #[error("the archive of `{name}` holds Python {found}")]
    OtherVersion {
        /// What was to be installed.
        name: String,
        /// What the interpreter says it is.
        found: String,
    },
    /// Something that virtpy did not install stands in its place.
    #[error("`{}` is in the way: virtpy did not install it, or did not finish", .0.display())]
    InTheWay(PathBuf),
    /// Nothing of that name is installed.
    #[error("no interpreter `{name}` is installed by virtpy")]
    NotInstalled {
        /// As it was typed.
        name: String,
        /// What is installed.
        installed: Vec<String>,
    },
    /// Venvs need the interpreter.
    #[error("{} on `{name}`: {}", lives(.venvs.len()), listed(.venvs))]
    InUse {
        /// The interpreter.
        name: String,
        /// The venvs' folders.
        venvs: Vec<PathBuf>,
    },
    /// Another process works on the same interpreter.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The store's own files.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something on this machine cannot be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
}

fn lives(count: usize) -> String {
    if count == 1 { "a venv lives".to_owned() } else { format!("{count} venvs live") }
}

fn listed(venvs: &[PathBuf]) -> String {
    venvs.iter().map(|venv| format!("`{}`", venv.display())).collect::<Vec<_>>().join(", ")
}

impl ManagedError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Available(error) => return error.hint(),
            Self::Archive { source, .. } => return source.hint(),
            Self::Store(error) => return error.hint(),
            Self::Path(error) => return error.hint(),
            Self::Kind { .. } => {
                "its name has to end in .tar.gz, .tgz, .tar.bz2, .bz2, .tar.zst, .tar.zstd or .zip".to_owned()
            }
            Self::Name(_) => "use letters, digits, `.`, `-`, `_` and `+`".to_owned(),
            Self::NoInterpreter { .. } | Self::Outside { .. } => {
                "the path is relative to the archive's top, such as `python/bin/python3`; for a custom distribution \
                 it is in HATCH_PYTHON_CUSTOM_PATH_<NAME>"
                    .to_owned()
            }
            Self::DoesNotRun { source, .. } if matches!(**source, interpreters::Error::TooOld { .. }) => {
                return source.hint();
            }
            Self::DoesNotRun { .. } => {
                "look at the cause; a build for another processor or another C library is chosen by VIRTPY_PYTHON_ARCH"
                    .to_owned()
            }
            Self::OtherVersion { .. } => {
                "the index names the wrong archive; look at VIRTPY_PYTHON_INDEX_URL".to_owned()
            }
            Self::InTheWay(_) => "`--force` replaces it".to_owned(),
            Self::NotInstalled { installed, .. } if installed.is_empty() => {
                "`virtpy python install` installs one".to_owned()
            }
            Self::NotInstalled { installed, .. } => format!("installed are {}", installed.join(", ")),
            Self::InUse { .. } => "remove the venvs or give them another interpreter with `virtpy relink -p`; `--force` \
                                   removes it nevertheless"
                .to_owned(),
            Self::Lock(error) => return error.hint(),
        })
    }
}
