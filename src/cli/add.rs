//! Arguments of `virtpy add`.

use std::path::PathBuf;

use clap::Args;

use crate::install::Bound;

use super::{ChangeArguments, IndexArguments, SaveArguments, VenvArgument};

/// Install packages into a venv
#[derive(Debug, Default, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
pub struct AddArguments {
    /// What to install: a requirement (`rich>=13`, `black[d]`), a wheel, an sdist, a directory, a URL, `git+https://…`,
    /// or a requirements file (`*.txt`)
    #[arg(value_name = "SPEC")]
    pub specs: Vec<String>,
    /// Which venv
    #[command(flatten)]
    pub venv: VenvArgument,
    /// Install what a requirements file lists (can be repeated)
    #[arg(long = "requirement", short, value_name = "FILE")]
    pub requirements: Vec<PathBuf>,
    /// Keep to the versions that a file names, without installing them for it (can be repeated)
    #[arg(long = "constraint", short, value_name = "FILE")]
    pub constraints: Vec<PathBuf>,
    /// Install a directory so that its source is used in place (can be repeated)
    #[arg(long = "editable", short, value_name = "PATH")]
    pub editables: Vec<String>,
    /// Leave out what the packages require
    #[arg(long)]
    pub no_deps: bool,
    /// Take the newest versions, also of what is installed
    #[arg(long, short = 'U')]
    pub upgrade: bool,
    /// Accept pre-releases
    #[arg(long)]
    pub pre: bool,
    /// Refuse every file whose hash the requirements do not give
    #[arg(long)]
    pub require_hashes: bool,
    /// Leave out what was uploaded after this date (RFC 3339, or YYYY-MM-DD)
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub exclude_newer: Option<String>,
    /// Record the version that is chosen, and no other: `==1.2.3`
    #[arg(long, conflicts_with = "no_bounds")]
    pub exact: bool,
    /// Record the name alone, and not the version that is chosen or a later one (`>=1.2.3`)
    #[arg(long)]
    pub no_bounds: bool,
    /// Whether and where it is recorded
    #[command(flatten)]
    pub save: SaveArguments,
    /// How it is done and told
    #[command(flatten)]
    pub change: ChangeArguments,
    /// Where packages come from
    #[command(flatten)]
    pub index: IndexArguments,
}

impl AddArguments {
    /// Which versions what is recorded admits, if it names none.
    pub fn bound(&self) -> Bound {
        match (self.exact, self.no_bounds) {
            (true, _) => Bound::Exact,
            (false, true) => Bound::Nothing,
            (false, false) => Bound::Lower,
        }
    }
}

/// Refuses what is not a date before anything is done.
pub(super) fn date(text: &str) -> Result<String, String> {
    virtpy_resolver::check_date(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}
