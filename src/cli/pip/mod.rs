//! The command line of `virtpy pip`: pip's, read as pip reads it. It has a parser of its own because pip's has rules that
//! no other has: options before and after the command, names that may be cut short, and defaults from variables.

mod configured;
mod parse;
mod table;

use std::ffi::OsString;

use clap::Args;

pub use parse::{PipLine, PipRequest, PipUsage, parse};
pub use table::PipCommand;

/// Do what pip does, in a venv of virtpy's
///
/// Takes pip's own command line: `virtpy pip install -r requirements.txt`, `virtpy pip list --format=json`. The `pip` of a
/// venv is this command. What only pip itself can do (`download`, `wheel`, `config`, …) is handed to a pip that all
/// venvs share.
#[derive(Debug, Args)]
#[command(disable_help_flag = true, disable_version_flag = true)]
pub struct PipArguments {
    /// pip's command line; `--venv PATH` before it names the venv
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}
