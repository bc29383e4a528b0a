//! Arguments of `virtpy python`.

use clap::{Args, Subcommand};

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
    /// Fetch the index that `VIRTPY_PYTHON_INDEX_URL` names anew
    UpdateIndex(UpdateIndexArguments),
}

/// Fetch the index that `VIRTPY_PYTHON_INDEX_URL` names anew
///
/// A copy is kept, and used for 12 hours (`VIRTPY_PYTHON_INDEX_TTL`, in seconds). It stays if a new one cannot be had.
#[derive(Debug, Args)]
pub struct UpdateIndexArguments {}
