//! Arguments of `virtpy enable`, `disable` and `status`, and of what the plugins call.

use std::path::PathBuf;

use clap::Args;

use crate::venv::LinkMode;

/// Let other tools make venvs of virtpy's, by a plugin in their own environments
///
/// TOOL is `poetry`, `tox`, `nox`, `hatch`, `pre-commit` or `virtualenv`, for every installation that is found: on PATH, in the
/// environments of pipx, uv and virtpy, and where the tools' own installers put them. It may also be the path of a
/// command, or of the environment that it is in. Nothing is downloaded, and nothing is set for other tools.
#[derive(Debug, Args)]
pub struct EnableArguments {
    /// Which tools
    #[arg(value_name = "TOOL", required = true)]
    pub tools: Vec<PathBuf>,
    /// Poetry: only install from the store, and leave it to `poetry config virtpy.create` who makes its venvs
    #[arg(long)]
    pub no_create: bool,
    /// Write the tools' plugins as wheels to a directory instead, to be installed by other means
    ///
    /// The plugin for virtualenv then makes virtpy's venvs where `VIRTUALENV_SEEDER=virtpy` says so.
    #[arg(long, value_name = "DIR", conflicts_with = "no_create")]
    pub wheel: Option<PathBuf>,
}

/// Take the plugins out of other tools again, without trace
#[derive(Debug, Args)]
pub struct DisableArguments {
    /// Which tools, as `virtpy enable` takes them
    #[arg(value_name = "TOOL", required = true)]
    pub tools: Vec<PathBuf>,
}

/// List the tools of this machine that can make virtpy's venvs, and which of them do
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Which tools, as `virtpy enable` takes them [default: all that are found]
    #[arg(value_name = "TOOL")]
    pub tools: Vec<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Make a venv of virtpy's of one that virtualenv is just making, and print the keys that it has to keep
#[derive(Debug, Args)]
pub struct SeedArguments {
    /// The venv
    pub path: PathBuf,
    /// Leave out the `pip` that hands over to virtpy
    #[arg(long)]
    pub no_pip_shim: bool,
    /// How packages come into it
    #[arg(long, value_name = "MODE")]
    pub link_mode: Option<LinkMode>,
    /// A wheel that comes into it
    #[arg(long = "wheel", value_name = "WHEEL")]
    pub wheels: Vec<PathBuf>,
}
