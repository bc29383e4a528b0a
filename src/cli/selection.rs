//! The choice of extras and groups, which many commands share.

use clap::Args;
use virtpy_resolver::Selection;

/// What help calls these options.
pub(super) const HEADING: &str = "Extras and groups";

/// Which extras and groups
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = HEADING)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own on the command line
pub struct SelectionArguments {
    /// Also an extra of the project (can be repeated)
    #[arg(long = "extra", short = 'E', value_name = "EXTRA", value_delimiter = ',')]
    pub extras: Vec<String>,
    /// Also all extras
    #[arg(long, conflicts_with = "extras")]
    pub all_extras: bool,
    /// Also a dependency group (can be repeated)
    #[arg(long = "group", value_name = "GROUP", value_delimiter = ',')]
    pub groups: Vec<String>,
    /// Also all groups
    #[arg(long, conflicts_with_all = ["groups", "only_groups"])]
    pub all_groups: bool,
    /// Leave a group out (can be repeated)
    #[arg(long = "no-group", value_name = "GROUP", value_delimiter = ',')]
    pub without_groups: Vec<String>,
    /// Leave the groups out that come unasked
    #[arg(long)]
    pub no_default_groups: bool,
    /// Leave the group `dev` out, if there is one
    #[arg(long)]
    pub no_dev: bool,
    /// Only this group, without the project's dependencies (can be repeated)
    #[arg(long = "only-group", value_name = "GROUP", value_delimiter = ',')]
    pub only_groups: Vec<String>,
    /// Only the group `dev`
    #[arg(long, conflicts_with_all = ["only_groups", "groups", "all_groups", "no_dev"])]
    pub only_dev: bool,
    /// Leave the project itself out
    #[arg(long, alias = "no-root")]
    pub no_install_project: bool,
    /// This member of the workspace, for `uv.lock` (can be repeated) [default: the one whose directory this is]
    #[arg(long = "package", value_name = "NAME", value_delimiter = ',')]
    pub packages: Vec<String>,
    /// All members of the workspace, for `uv.lock`
    #[arg(long, conflicts_with = "packages")]
    pub all_packages: bool,
    /// Install the project and the members of its workspace as they would be built, not in place, for `uv.lock`
    #[arg(long)]
    pub no_editable: bool,
}

impl SelectionArguments {
    /// The selection as the facade knows it.
    pub fn selection(&self) -> Selection {
        Selection {
            extras: self.extras.clone(),
            all_extras: self.all_extras,
            groups: self.groups.clone(),
            all_groups: self.all_groups,
            without_groups: self.without_groups.clone(),
            no_default_groups: self.no_default_groups,
            no_dev: self.no_dev,
            only_groups: if self.only_dev { vec!["dev".to_owned()] } else { self.only_groups.clone() },
            no_project: self.no_install_project,
            members: self.packages.clone(),
            all_members: self.all_packages,
            no_editable: self.no_editable,
        }
    }
}
