//! Arguments of `virtpy lock`.

use std::path::PathBuf;

use clap::Args;

use super::IndexArguments;

/// Resolve a project, a script or requirements into a lock file
///
/// Written is `pylock.toml` (PEP 751): one file for every platform and Python that the project is for, with each file's hash.
/// A project's extras and groups are in it too, to be chosen by `virtpy sync`. What an existing lock file names is kept
/// unless `--upgrade` says otherwise.
#[derive(Debug, Default, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
pub struct LockArguments {
    /// Requirements, requirements files (`*.in`, `*.txt`), projects (`pyproject.toml`), or one script (`*.py`) that says what it
    /// needs [default: the nearest `pyproject.toml`, or else `requirements.in`]
    #[arg(value_name = "SPEC|FILE")]
    pub inputs: Vec<String>,
    /// Where to write; a name ending in `.txt` gets requirements with hashes, `-` is the standard output
    /// [default: `pylock.toml` beside the project, `pylock.NAME.toml` beside `NAME.py`]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Keep to the versions that a file names (can be repeated)
    #[arg(long = "constraint", short, value_name = "FILE")]
    pub constraints: Vec<PathBuf>,
    /// Take the newest versions, whatever is locked
    #[arg(long, short = 'U')]
    pub upgrade: bool,
    /// Take the newest version of this package (can be repeated)
    #[arg(long, short = 'P', value_name = "NAME")]
    pub upgrade_package: Vec<String>,
    /// Ask the index about everything, also about what the lock has and need not move
    #[arg(long)]
    pub refresh: bool,
    /// Replace a lock file that was made from something else
    #[arg(long)]
    pub force: bool,
    /// Write nothing; fail if the lock file is out of date
    #[arg(long)]
    pub check: bool,
    /// Lock for the interpreter alone, not for every platform
    #[arg(long)]
    pub no_universal: bool,
    /// The versions of Python to lock for, such as `>=3.9` [default: the project's, or the interpreter's and later ones]
    #[arg(long, value_name = "VERSIONS", conflicts_with = "no_universal")]
    pub requires_python: Option<String>,
    /// The interpreter to resolve with: a version, a name or a path
    #[arg(long, short, value_name = "PYTHON")]
    pub python: Option<String>,
    /// Leave a project itself out
    #[arg(long, alias = "no-root")]
    pub no_project: bool,
    /// Leave a group of the project out (can be repeated)
    #[arg(long = "no-group", value_name = "GROUP", value_delimiter = ',')]
    pub without_groups: Vec<String>,
    /// Accept pre-releases
    #[arg(long)]
    pub pre: bool,
    /// Leave the hashes out of a requirements file
    #[arg(long)]
    pub no_hashes: bool,
    /// Leave out what was uploaded after this date (RFC 3339, or YYYY-MM-DD)
    #[arg(long, value_name = "DATE", value_parser = super::add::date)]
    pub exclude_newer: Option<String>,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}
