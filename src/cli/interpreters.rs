//! Arguments of the parts of `virtpy python` that deal with installed interpreters.

use clap::Args;

/// Install interpreters
///
/// `3.12` is its newest patch release, `3.13t` the build without the global interpreter lock, and any other name a custom
/// distribution. What is there already is not downloaded.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
pub struct InstallArguments {
    /// Versions or names of custom distributions
    #[arg(required = true, value_name = "VERSION")]
    pub versions: Vec<String>,
    /// Install again what is there already
    #[arg(long)]
    pub reinstall: bool,
    /// Replace what virtpy did not make: a directory in the way, a command of the same name
    #[arg(long)]
    pub force: bool,
    /// Also make the commands `python` and `python3`, of the first VERSION
    #[arg(long)]
    pub default: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// List interpreters: installed, found on this machine, and available
#[derive(Debug, Args)]
pub struct ListInterpretersArguments {
    /// Also every patch release that can be installed, not only the newest
    #[arg(long, conflicts_with = "only_installed")]
    pub all: bool,
    /// Only what is on this machine
    #[arg(long)]
    pub only_installed: bool,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// Print the path of the interpreter that a request means
#[derive(Debug, Args)]
pub struct FindArguments {
    /// A version (`3.12`, `>=3.9`), a name or a path [default: what `virtpy new` would take]
    #[arg(value_name = "PYTHON")]
    pub request: Option<String>,
}

/// Show what is installed, what is newer, and what else there is
#[derive(Debug, Args)]
pub struct ShowInterpretersArguments {
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Bring installed interpreters up to date
///
/// Venvs that were made from `3.12` go on with its new patch release. The old one stays until it is uninstalled.
#[derive(Debug, Args)]
pub struct UpdateArguments {
    /// Which ones: `3.12`, or the name of a custom distribution
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub names: Vec<String>,
    /// All that are installed
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
}

/// Remove installed interpreters
///
/// One that venvs live on stays, and they are named.
#[derive(Debug, Args)]
pub struct UninstallArguments {
    /// Which ones: `3.12.10`, all of `3.12`, or the name of a custom distribution
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Also those that venvs live on
    #[arg(long)]
    pub force: bool,
}

/// Choose the interpreter of the current directory, in `.python-version`
#[derive(Debug, Args)]
pub struct PinArguments {
    /// The version [default: print what is chosen]
    #[arg(value_name = "VERSION")]
    pub request: Option<String>,
}

/// Install an interpreter if need be, and hand it to Poetry
#[derive(Debug, Args)]
pub struct UseArguments {
    /// The version or the name of a custom distribution
    #[arg(value_name = "VERSION")]
    pub request: String,
    /// Only print its path, for any other tool
    #[arg(long)]
    pub print: bool,
}
