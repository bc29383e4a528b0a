//! Arguments of `virtpy python`.

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
    /// Choose the interpreter of the present folder, in `.python-version`
    Pin(PinArguments),
    /// Print the folder of the installed interpreters
    Dir,
    /// Install an interpreter if need be, and hand it to Poetry
    Use(UseArguments),
    /// Fetch the index that `VIRTPY_PYTHON_INDEX_URL` names anew
    UpdateIndex(UpdateIndexArguments),
}

/// Fetch the index that `VIRTPY_PYTHON_INDEX_URL` names anew
///
/// A copy is kept, and used for 12 hours (`VIRTPY_PYTHON_INDEX_TTL`, in seconds). It stays if a new one cannot be had.
#[derive(Debug, Args)]
pub struct UpdateIndexArguments {}
