//! Arguments of `virtpy init`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::install::Backend;

/// Begin a project: a `pyproject.toml` with what is needed and nothing else
#[derive(Debug, Default, Args)]
pub struct InitArguments {
    /// The project's directory, whose name it gets; made if it is not there [default: this directory]
    #[arg(value_name = "NAME")]
    pub directory: Option<PathBuf>,
    /// The project's name, where the directory's is none for a project
    #[arg(long)]
    pub name: Option<String>,
    /// What builds its wheel
    #[arg(long, value_enum, default_value = "hatchling")]
    pub backend: BackendChoice,
    /// The interpreter whose version, or a later one, it is for
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
}

/// What builds a project's wheel
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum BackendChoice {
    /// `hatchling`, which finds the files by itself
    #[default]
    Hatchling,
    /// `flit-core`, the smallest
    FlitCore,
    /// Nothing: the project is only a list of what it needs
    None,
}

impl BackendChoice {
    /// The backend, if there is one.
    pub fn backend(self) -> Option<Backend> {
        match self {
            Self::Hatchling => Some(Backend::Hatchling),
            Self::FlitCore => Some(Backend::Flit),
            Self::None => None,
        }
    }
}
