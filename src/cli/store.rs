//! Arguments of `virtpy store`.

use clap::{Args, Subcommand};

use super::IndexArguments;

/// Look after the store that all venvs share
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct StoreArguments {
    /// What to do
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// What can be done with the store
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Hash every file and look for what was changed, removed or added
    Verify(VerifyArguments),
    /// Restore what `verify` finds
    Repair(RepairArguments),
}

/// Hash every file and look for what was changed, removed or added
///
/// Ends with 1 if anything was found.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Only these: names of packages, or ids of entries
    #[arg(value_name = "NAME|ID")]
    pub names: Vec<String>,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// Restore what `verify` finds
///
/// Wheels are fetched again from where they came from, and have to have the same hash. Ends with 1 if something could
/// not be restored.
#[derive(Debug, Args)]
pub struct RepairArguments {
    /// Only these: names of packages, or ids of entries
    #[arg(value_name = "NAME|ID")]
    pub names: Vec<String>,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}
