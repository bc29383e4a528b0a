//! The venv of a project whose requirements were changed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use virtpy_pep::PackageName;
use virtpy_resolver::Selection;

use crate::cli::VenvArgument;
use crate::commands::follow;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{
    self, Changelog, Environment, Extent, Followed, Following, Indexes, InstallOptions, InstallPlan,
    LockChoice, LockSource, RequirementList, Saving,
};

/// A project's venv, and how it is brought to the project's lock.
pub(super) struct ProjectVenv<'a> {
    /// Where it is, or is to be.
    pub(super) path: PathBuf,
    pub(super) indexes: &'a Indexes,
    /// Whether only these indexes are asked, and none that the lock names.
    pub(super) own_indexes: bool,
    pub(super) options: InstallOptions,
}

impl ProjectVenv<'_> {
    /// Brings it to the lock, to the sufficient extent: what a plain `add` installed stays.
    pub(super) fn bring(&self, context: &Context, saving: &Saving<'_>) -> Result<Changelog, Failure> {
        let selection = match saving.list() {
            RequirementList::Dependencies => Selection::default(),
            // The extras of a workspace's lock are those of its root.
            _ if saving.is_of_workspace() => Selection::default(),
            RequirementList::Extra(extra) => {
                Selection { extras: vec![extra.clone()], ..Selection::default() }
            }
            RequirementList::Group(group) => {
                Selection { groups: vec![group.clone()], ..Selection::default() }
            }
        };
        let files = vec![saving.lock().to_path_buf()];
        let choice = LockChoice { files, selection, own_indexes: self.own_indexes, ..LockChoice::default() };
        let source = LockSource::find(&context.host, choice, self.indexes)?.with_development_group();
        let following = Following {
            followed: &Followed::of(source)?,
            extent: Extent::Sufficient,
            options: self.options,
            indexes: self.indexes,
            python: None,
        };
        follow::bring(context, &following, self.path.clone())
    }

    /// Brings it to the lock, then removes what the lock has no more and nothing else in it requires, when these packages were named
    /// to go.
    pub(super) fn bring_without(
        &self,
        context: &Context,
        saving: &Saving<'_>,
        gone: &BTreeSet<PackageName>,
        named: &[PackageName],
    ) -> Result<Changelog, Failure> {
        // The project itself is installed again if need be: it no longer requires what is gone.
        self.bring(context, saving)?;
        let venv = context.venv_to_change(&VenvArgument { path: Some(self.path.clone()) })?;
        let mut environment = Environment::open(&context.host, venv, self.indexes)?;
        let unused = install::unused(&environment, gone, named)?;
        install::execute(&mut environment, InstallPlan::removal(unused, self.options))
    }
}
