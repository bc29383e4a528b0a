//! Arguments of `virtpy sync`.

use std::path::PathBuf;

use clap::Args;

use super::{ChangeArguments, IndexArguments, SelectionArguments, VenvArgument};

/// Make a venv hold exactly what a lock file says
///
/// The file is `pylock.toml`, `uv.lock`, `poetry.lock`, `Pipfile.lock`, a `requirements.txt` that pins everything, or
/// `pyproject.toml`: without FILE the first of these in this directory, or else in the nearest one above, up to the project's root.
/// The venv is `.venv` beside the project's file, whichever is active, and made if there is none. What the file does not
/// name is removed; everything happens in one change, or nothing does.
#[derive(Debug, Default, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
pub struct SyncArguments {
    /// The lock file; requirements files may be several
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Take the project's dependencies from `pyproject.toml`, whatever is locked
    #[arg(long, conflicts_with = "files")]
    pub project: bool,
    /// Which extras and groups
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Fail if the project asks for something else than when the file was locked
    #[arg(long)]
    pub locked: bool,
    /// Don't look whether the project asks for something else than when the file was locked
    #[arg(long, conflicts_with = "locked")]
    pub frozen: bool,
    /// Keep what the file does not name
    #[arg(long)]
    pub inexact: bool,
    /// Take the newest versions of what is not locked
    #[arg(long, short = 'U')]
    pub upgrade: bool,
    /// Refuse every file whose hash a requirements file does not give
    #[arg(long)]
    pub require_hashes: bool,
    /// The interpreter of a venv that has to be made [default: one that the file admits]; a venv with another one is refused
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// How it is done and told
    #[command(flatten)]
    pub change: ChangeArguments,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}
