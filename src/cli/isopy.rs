//! The command line under the name `isopy`.

use clap::{Parser, Subcommand};

use super::GlobalArguments;

/// Install clean Python interpreters, and hand them to Poetry
#[derive(Debug, Parser)]
#[command(name = "isopy", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct IsopyArguments {
    /// What applies to every command
    #[command(flatten)]
    pub global: GlobalArguments,
    /// The command
    #[command(subcommand)]
    pub command: IsopyCommand,
}

/// The commands of isopy
#[derive(Debug, Subcommand)]
pub enum IsopyCommand {
    /// Install a version, the newest patch release of X.Y
    Install {
        /// X.Y or X.Y.Z
        version: String,
    },
    /// Install a version if need be, and make Poetry use it
    Use {
        /// X.Y or X.Y.Z
        version: String,
    },
    /// List what is installed
    List,
    /// Fetch the index of interpreters again
    UpdateIndex,
}
