//! Arguments of `virtpy poetry-install`.

use std::path::PathBuf;

use clap::Args;

use super::{IndexArguments, VenvArgument};

/// Install what `poetry.lock` says, as `poetry install` does, without Poetry
///
/// The project is the one in this folder or the nearest above. Its venv is `.venv` in the project, whichever is active, and is
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
    /// Discard what was edited in packages that this venv has copies of (see `virtpy detach`)
    #[arg(long)]
    pub force: bool,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Compile the packages' bytecode into the store now, for every venv of this Python
    #[arg(long, alias = "compile")]
    pub compile_bytecode: bool,
    /// The project's folder
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// The interpreter of a venv that has to be made [default: one that the project admits]
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}
