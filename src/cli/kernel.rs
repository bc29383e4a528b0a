//! Arguments of `virtpy kernel`.

use clap::{Args, Subcommand};

use super::VenvArgument;

/// Register venvs as kernels of Jupyter
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct KernelArguments {
    /// What to do
    #[command(subcommand)]
    pub command: KernelCommand,
}

/// What can be done with kernels
#[derive(Debug, Subcommand)]
pub enum KernelCommand {
    /// Register a venv, which needs the package `ipykernel`
    Install(KernelInstallArguments),
    /// Take back what `virtpy kernel install` did
    Uninstall(KernelUninstallArguments),
    /// List the kernels that virtpy has registered
    List(KernelListArguments),
}

/// Register a venv as a kernel
#[derive(Debug, Args)]
pub struct KernelInstallArguments {
    /// By which Jupyter knows it [default: made of the name of the project's directory]
    #[arg(long)]
    pub name: Option<String>,
    /// What Jupyter shows [default: the name of the project's directory, and the version of Python]
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
}

/// Take a kernel away
#[derive(Debug, Args)]
pub struct KernelUninstallArguments {
    /// Its name
    pub name: String,
}

/// List kernels
#[derive(Debug, Args)]
pub struct KernelListArguments {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
