//! Arguments of `virtpy run`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::{IndexArguments, SelectionArguments};

/// Run a script or a command, in an environment that has what it needs
///
/// A script that says what it needs (`# /// script`, PEP 723) runs in an environment of its own. Anything else runs in the
/// project's `.venv`, which is brought to the project's lock first: the lock is made again if `pyproject.toml` asks for something
/// else, the group `dev` comes with it, and what `virtpy add` installed stays. With extras, groups or another Python it runs in an
/// environment of its own instead. Where there is no project, it runs in the active venv, or else in `.venv` here or in a
/// directory above; without one, in an environment without packages. What is made is kept, so the second time costs nothing.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
pub struct RunArguments {
    /// A script, a directory or archive with `__main__.py`, a URL, `-` for the standard input, or a command; then what it is told
    #[arg(required = true, trailing_var_arg = true, value_name = "SCRIPT|COMMAND")]
    pub words: Vec<OsString>,
    /// Run a module, as `python -m` does
    #[arg(long, short)]
    pub module: bool,
    /// Have this package as well (can be repeated)
    #[arg(long, value_name = "SPEC")]
    pub with: Vec<String>,
    /// Have what a requirements file lists as well (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub with_requirements: Vec<PathBuf>,
    /// Have a directory as well, so that its source is used in place (can be repeated)
    #[arg(long, value_name = "PATH")]
    pub with_editable: Vec<String>,
    /// Run it in the project's venv as it is
    #[arg(long, conflicts_with_all = ["locked", "frozen"])]
    pub no_sync: bool,
    /// Fail if the project asks for something else than when it was locked
    #[arg(long)]
    pub locked: bool,
    /// Follow the lock as it is, whatever the project asks for
    #[arg(long, conflicts_with = "locked")]
    pub frozen: bool,
    /// Set the variables that a file of lines `NAME=value` has, unless they are set already (can be repeated; the last one counts)
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<PathBuf>,
    /// Which extras and groups, in an environment of its own
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// The interpreter: a version (`3`, `3.12`, `>=3.9`), a name or a path
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// Leave the present project's venv and the active one aside
    #[arg(long, visible_alias = "no-project")]
    pub isolated: bool,
    /// Look for newer versions, whatever the cache has
    #[arg(long, short = 'U', visible_alias = "upgrade")]
    pub refresh: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}
