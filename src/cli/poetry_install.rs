//! Arguments of `virtpy poetry-install`.

use std::path::PathBuf;

use clap::Args;

use super::{ChangeArguments, IndexArguments, VenvArgument};

/// Install what `poetry.lock` says, as `poetry install` does, without Poetry
///
/// The project is the one in this directory or the nearest above. Its venv is `.venv` in the project, whichever is active, and is
/// made if it is not there.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
pub struct PoetryInstallArguments {
    /// Install only these groups (comma-separated; can be repeated)
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Also install these optional groups
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub with: Vec<String>,
    /// Leave these groups out
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub without: Vec<String>,
    /// Install these extras of the project
    #[arg(long, short = 'E', value_name = "EXTRA", value_delimiter = ',')]
    pub extras: Vec<String>,
    /// Install all extras of the project
    #[arg(long, conflicts_with = "extras")]
    pub all_extras: bool,
    /// Leave the project itself out
    #[arg(long)]
    pub no_root: bool,
    /// Remove what is not in the lock file
    #[arg(long)]
    pub sync: bool,
    /// How it is done and told
    #[command(flatten)]
    pub change: ChangeArguments,
    /// The project's directory
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// The interpreter of a venv that has to be made [default: one that the project admits]
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}
