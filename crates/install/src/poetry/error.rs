//! What can go wrong with Poetry's installations, projects and lock files.

use std::path::PathBuf;

use crate::resolve::ResolveError;
use virtpy_files::PathError;

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
    /// A name that is neither a command nor a path.
    #[error("no command `{0}` on PATH, and no directory of that name")]
    NoCommand(String),
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
    /// The plugin's wheel could not be put together.
    #[error("the plugin's wheel could not be made: {0}")]
    Wheel(String),
}

impl PoetryError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Path(error) => return error.hint(),
            Self::NotPoetry { .. } | Self::NoCommand(_) => {
                "name the command `poetry`, or the directory of the environment it is in"
            }
            Self::Unsupported { .. } => {
                "it needs Poetry 1.8 or 2; every Poetry works in virtpy's venvs without it, and `virtpy adopt` shares \
                 what it installed"
            }
            Self::NotOurs { .. } => {
                "remove it the same way: `poetry self remove poetry-plugin-virtpy`, `pipx uninject`, or pip"
            }
            Self::Resolve(error) => return error.hint(),
            Self::NoProject(_) => "go to the project's directory, or name it with `--project`",
            Self::NotLocked(_) | Self::Stale => "run `poetry lock`; virtpy installs what it has decided",
            Self::Unusable { path, .. } if path.ends_with("poetry.lock") => {
                "regenerate it with `poetry lock`"
            }
            Self::Root(_) => {
                "leave it out with `--no-root`, or set `package-mode = false` or `packages` in `pyproject.toml`"
            }
            Self::Wheel(_) | Self::Unusable { .. } | Self::NoSuch { .. } | Self::Package { .. } => {
                return None;
            }
        };
        Some(hint.to_owned())
    }
}
