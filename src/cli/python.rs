//! Arguments of `virtpy python`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::interpreters::{
    FindArguments, InstallArguments, ListInterpretersArguments, PinArguments, ShowInterpretersArguments,
    UninstallArguments, UpdateArguments, UseArguments,
};

/// Install and choose Python interpreters
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct PythonArguments {
    /// What to do
    #[command(subcommand)]
    pub command: PythonCommand,
}

/// What can be done with interpreters
#[derive(Debug, Subcommand)]
pub enum PythonCommand {
    /// Install interpreters
    Install(InstallArguments),
    /// List interpreters: installed, found on this machine, and available
    List(ListInterpretersArguments),
    /// Print the path of the interpreter that a request means
    Find(FindArguments),
    /// Show what is installed, what is newer, and what else there is
    Show(ShowInterpretersArguments),
    /// Bring installed interpreters up to date
    Update(UpdateArguments),
    /// Remove installed interpreters
    Uninstall(UninstallArguments),
    /// Choose the interpreter of the current directory, in `.python-version`
    Pin(PinArguments),
    /// Print the directory of the installed interpreters
    Dir,
    /// Install an interpreter if need be, and hand it to Poetry
    Use(UseArguments),
    /// Fetch the index that `VIRTPY_PYTHON_INDEX_URL` names again
    UpdateIndex(UpdateIndexArguments),
    /// Write an index of interpreters from a project's pages of releases
    BuildIndex(BuildIndexArguments),
}

/// Fetch the index that `VIRTPY_PYTHON_INDEX_URL` names again
///
/// A copy is kept, and used for 12 hours (`VIRTPY_PYTHON_INDEX_TTL`, in seconds). It stays if a new one cannot be had.
#[derive(Debug, Args)]
pub struct UpdateIndexArguments {}

/// Write an index of interpreters from a project's pages of releases
///
/// Reads the pages that people read, of python-build-standalone or of a mirror, without an API or a token. For each
/// version, target and variant the newest build is taken, with the SHA-256 that the release states.
#[derive(Debug, Args)]
pub struct BuildIndexArguments {
    /// The page that lists the releases
    #[arg(long, value_name = "URL", default_value = crate::interpreters::available::releases::DEFAULT_PAGE)]
    pub from: String,
    /// Only builds for this target (can be repeated) [default: all]
    #[arg(long = "triple", value_name = "TRIPLE")]
    pub triples: Vec<String>,
    /// Write the index to this file, not to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also write an index that isopy reads, of the first TRIPLE or of this machine's
    #[arg(long, value_name = "FILE")]
    pub flat: Option<PathBuf>,
    /// Also write the index that the next virtpy is to be built with, `data/python-builds.json`
    #[arg(long, value_name = "FILE", hide = true)]
    pub built_in: Option<PathBuf>,
    /// Read no more than so many pages of the list [default: all]
    #[arg(long, value_name = "COUNT")]
    pub pages: Option<u32>,
}
