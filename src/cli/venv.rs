//! Arguments about venvs themselves.

use std::path::PathBuf;

use clap::Args;

use super::{IndexArguments, SelectionArguments};
use crate::venv::LinkMode;

/// Which venv a command works on
#[derive(Debug, Clone, Default, Args)]
pub struct VenvArgument {
    /// The venv [default: of a project's own commands `.venv` beside the project's file; otherwise the active one, or else the
    /// nearest `.venv` up to the project's root]
    #[arg(long = "venv", value_name = "PATH")]
    pub path: Option<PathBuf>,
}

/// Make a venv
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct NewArguments {
    /// Where to make it
    #[arg(default_value = ".venv")]
    pub path: PathBuf,
    /// The interpreter: a version (`3`, `3.12`, `>=3.9`), a name (`python3.11`, `pypy`) or a path
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// The name to show in the shell's prompt; `.` is the current directory's name
    #[arg(long)]
    pub prompt: Option<String>,
    /// Replace a venv that is there already
    #[arg(long)]
    pub clear: bool,
    /// Give the venv that is there another interpreter and keep its packages: the same versions from the same sources
    #[arg(long, conflicts_with_all = ["clear", "from"])]
    pub keep: bool,
    /// Let the venv see the packages of the interpreter it is made from
    #[arg(long)]
    pub system_site_packages: bool,
    /// Make it without the `pip` that hands over to virtpy
    #[arg(long)]
    pub no_pip_shim: bool,
    /// How packages come into it: auto, symlink, hardlink or copy (default: the setting `link-mode`, or auto)
    #[arg(long, value_name = "MODE")]
    pub link_mode: Option<LinkMode>,
    /// Fill it with exactly what this lock file says (see `virtpy sync`)
    #[arg(long, value_name = "LOCK")]
    pub from: Option<PathBuf>,
    /// Which extras and groups of the lock file
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Give a venv its own copy of a package, to edit it
///
/// Packages are read-only links into the store that all venvs share. This one gets writable files of its own, in this
/// venv only; upgrades keep it so. `--undo` links it again.
#[derive(Debug, Args)]
pub struct DetachArguments {
    /// The packages' names
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Link the packages to the store again
    #[arg(long)]
    pub undo: bool,
    /// With `--undo`: discard what was changed in them
    #[arg(long, requires = "undo")]
    pub force: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Make a venv whole again that was moved, copied, or lost its store or its interpreter
///
/// Scripts and activation are made for where it stands now, a copy becomes a venv of its own, and what the store no longer
/// has is fetched again: the same versions.
#[derive(Debug, Args)]
pub struct RelinkArguments {
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// The interpreter, of the same version [default: its own, or another one of the same version]
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

/// Write a venv with files of its own, for an image or another machine
///
/// It needs neither the store nor virtpy, only the same interpreter at the same path.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Where to write it; nothing may be there yet
    #[arg(value_name = "DIR")]
    pub destination: PathBuf,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// The path that it will have where it is used, if another one [default: DIR]
    #[arg(long, value_name = "PATH")]
    pub at: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Move the packages of venvs that other tools made into the store
///
/// Packages that pip, uv, Poetry or virtualenv installed and that are unchanged since become links into the store, where
/// all venvs share them; the venv works as before. Changed and editable packages, and files that no package owns, stay
/// as they are. In a venv of virtpy's own, what other tools installed there is adopted.
#[derive(Debug, Args)]
pub struct AdoptArguments {
    /// The venvs; each is adopted as a whole or not at all
    #[arg(required = true, value_name = "VENV")]
    pub venvs: Vec<PathBuf>,
    /// Only say what would be adopted, and what that would save
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
