//! What can go wrong with Poetry's projects and lock files.

use std::path::PathBuf;

use crate::resolve::ResolveError;
use virtpy_files::PathError;

/// What can go wrong with Poetry's projects and lock files.
#[derive(Debug, thiserror::Error)]
pub enum PoetryError {
    /// A path could not be read or written.
    #[error(transparent)]
    Path(#[from] PathError),
    /// There is no project.
    #[error("there is no `pyproject.toml` in `{}`", .0.display())]
    NoProject(PathBuf),
    /// There is no lock file.
    #[error("there is no `{}`", .0.display())]
    NotLocked(PathBuf),
    /// `pyproject.toml` or `poetry.lock` cannot be used.
    #[error("`{}` cannot be used: {reason}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The project was changed since it was locked.
    #[error("`pyproject.toml` changed significantly since `poetry.lock` was last generated")]
    Stale,
    /// A group or an extra that the project does not have.
    #[error("the project has no {kind} `{name}`")]
    NoSuch {
        /// `group` or `extra`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The project itself cannot be installed.
    #[error("the project itself cannot be installed: {0}")]
    Root(String),
    /// A package cannot be had for this interpreter.
    #[error("{package} cannot be installed from the lock file: {reason}")]
    Package {
        /// Name and version.
        package: String,
        /// Why not.
        reason: String,
    },
    /// Packages could not be found or fetched.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
}

impl PoetryError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Path(error) => return error.hint(),
            Self::Resolve(error) => return error.hint(),
            Self::NoProject(_) => "go to the project's directory, or name it with `--project`",
            Self::NotLocked(_) | Self::Stale => "run `poetry lock`; virtpy installs what it has decided",
            Self::Unusable { path, .. } if path.ends_with("poetry.lock") => {
                "regenerate it with `poetry lock`"
            }
            Self::Root(_) => {
                "leave it out with `--no-root`, or set `package-mode = false` or `packages` in `pyproject.toml`"
            }
            Self::Unusable { .. } | Self::NoSuch { .. } | Self::Package { .. } => {
                return None;
            }
        };
        Some(hint.to_owned())
    }
}
