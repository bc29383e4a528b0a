//! Where an added or removed package is recorded, for `add` and `remove`.

use std::path::PathBuf;

use clap::Args;

use crate::install::RequirementList;

/// What stands above these options in help.
pub(super) const HEADING: &str = "Recording in pyproject.toml";

/// Whether and where it is recorded
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = HEADING)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
pub struct SaveArguments {
    /// Change the project's `pyproject.toml` too, and lock it: all of it, or nothing
    #[arg(long)]
    pub save: bool,
    /// Leave `pyproject.toml` alone, whatever the setting `project.save` says
    #[arg(long, conflicts_with_all = ["save", "group", "dev", "extra"])]
    pub no_save: bool,
    /// In this dependency group, not in the dependencies (implies `--save`)
    #[arg(long, value_name = "GROUP", conflicts_with = "extra")]
    pub group: Option<String>,
    /// In the group `dev` (implies `--save`)
    #[arg(long, conflicts_with_all = ["group", "extra"])]
    pub dev: bool,
    /// In this extra (implies `--save`)
    #[arg(long, value_name = "EXTRA")]
    pub extra: Option<String>,
    /// In a script that says itself what it needs (PEP 723), and in its lock if it has one (implies `--save`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["group", "dev", "extra", "no_save", "no_sync"])]
    pub script: Option<PathBuf>,
    /// Record and lock, and leave the venv alone (implies `--save`)
    #[arg(long, conflicts_with = "no_save")]
    pub no_sync: bool,
}

impl SaveArguments {
    /// Whether it is recorded, given what the settings say.
    pub fn is_meant(&self, by_default: bool) -> bool {
        let implied =
            self.group.is_some() || self.dev || self.extra.is_some() || self.no_sync || self.script.is_some();
        self.save || implied || by_default && !self.no_save
    }

    /// The list that it is recorded in.
    pub fn list(&self) -> RequirementList {
        match (&self.extra, &self.group) {
            (Some(extra), _) => RequirementList::Extra(extra.clone()),
            (None, Some(group)) => RequirementList::Group(group.clone()),
            (None, None) if self.dev => RequirementList::Group("dev".to_owned()),
            (None, None) => RequirementList::Dependencies,
        }
    }
}
