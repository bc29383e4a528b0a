//! Arguments about how a venv is changed and how that is told, which several commands share.

use clap::Args;

use crate::install::InstallOptions;

/// How a change is made and told
#[derive(Debug, Clone, Copy, Default, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
pub struct ChangeArguments {
    /// Discard what was edited in packages that this venv has copies of (see `virtpy detach`)
    #[arg(long)]
    pub force: bool,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Compile the packages' bytecode into the store now, for every venv of this Python
    #[arg(long, alias = "compile")]
    pub compile_bytecode: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

impl ChangeArguments {
    /// What they mean for whoever carries out the change.
    pub fn options(self) -> InstallOptions {
        let Self { force, dry_run, compile_bytecode, .. } = self;
        InstallOptions { dry_run, force, compile_bytecode, ..InstallOptions::default() }
    }
}
