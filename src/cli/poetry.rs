//! Arguments of `virtpy poetry`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::VenvArgument;

/// Let Poetry install from the store, by a plugin in its own environment
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct PoetryArguments {
    /// What to do
    #[command(subcommand)]
    pub command: PoetryCommand,
}

/// What can be done with Poetry
#[derive(Debug, Subcommand)]
pub enum PoetryCommand {
    /// Put the plugin into Poetry; nothing is downloaded
    Enable(WhichPoetry),
    /// Take the plugin out of Poetry, without trace
    Disable(WhichPoetry),
    /// List the Poetries of this machine, and which of them have the plugin
    Status(PoetryStatusArguments),
    /// Write the plugin as a wheel, for `poetry self add` or `requires-plugins`
    PluginWheel(PluginWheelArguments),
    /// Do what the plugin asks for on standard input
    #[command(hide = true)]
    Apply(PoetryApplyArguments),
}

/// Which Poetry
#[derive(Debug, Args)]
pub struct WhichPoetry {
    /// The command `poetry` or the environment that it is in [default: every Poetry that is found]
    #[arg(value_name = "POETRY")]
    pub poetries: Vec<PathBuf>,
}

/// List the Poetries of this machine, and which of them have the plugin
///
/// Looked at are PATH, the environments of pipx and uv, where the official installer puts it, and pyenv's versions.
#[derive(Debug, Args)]
pub struct PoetryStatusArguments {
    /// Which Poetry
    #[command(flatten)]
    pub which: WhichPoetry,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Write the plugin as a wheel, for `poetry self add` or `requires-plugins`
#[derive(Debug, Args)]
pub struct PluginWheelArguments {
    /// The directory to write it to
    #[arg(default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
}

/// Do what the plugin asks for on standard input
#[derive(Debug, Args)]
pub struct PoetryApplyArguments {
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
}
