//! `add` and `remove` with `--save`: a project's file, its lock and its venv change together, or none of them.

use std::collections::BTreeSet;
use std::time::Instant;

use virtpy_pep::PackageName;
use virtpy_resolver::Selection;

use super::follow;
use crate::cli::{AddArguments, RemoveArguments, VenvArgument};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{
    self, Changelog, Environment, Extent, Followed, Following, Indexes, InstallOptions, InstallPlan,
    LockChoice, LockSource, Locked, Locking, RequirementList, Saving,
};
use crate::output::counted;
use crate::report::{self, Telling};

/// Records what is added, locks the project, and brings its venv to the lock.
pub(super) fn add(context: &Context, arguments: &AddArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    refuse_unrecordable(arguments)?;
    Saving::check(&arguments.specs)?;
    let mut saving = Saving::begin(&context.host, arguments.save.list())?;
    let place = format!("{} of `{}`", arguments.save.list(), saving.shown());
    if arguments.change.dry_run {
        let specs = arguments.specs.join("`, `");
        context.output.message(format_args!("Would record `{specs}` in {place} (nothing was changed)"));
        return Ok(0);
    }
    let names = arguments.specs.iter().filter_map(|spec| Some(name_of(spec)?.to_string()));
    let locking = Locking {
        constraints: arguments.constraints.clone(),
        upgrade_packages: names.filter(|_| arguments.upgrade).collect(),
        pre: arguments.pre,
        exclude_newer: arguments.exclude_newer.clone(),
        index: arguments.index.options(),
        ..saving.locking()
    };
    let (locked, recorded) = saving.add(&arguments.specs, arguments.bound(), &locking)?;
    let log = if arguments.save.no_sync { None } else { Some(bring(context, arguments, &saving)?) };
    saving.keep();
    context.output.message(format_args!("Recorded `{}` in {place}", recorded.join("`, `")));
    tell(context, &locked, log.as_ref(), arguments.change.json, started)
}

/// Takes what is removed out of the project's file, locks it, and removes from its venv what the lock has no more.
pub(super) fn remove(context: &Context, arguments: &RemoveArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let names: Vec<PackageName> = (arguments.names.iter())
        .map(|name| {
            name.parse().map_err(|_| Failure::usage(format!("`{name}` is not the name of a package")))
        })
        .collect::<Result<_, _>>()?;
    let mut saving = Saving::begin(&context.host, arguments.save.list())?;
    let place = format!("{} of `{}`", arguments.save.list(), saving.shown());
    let shown = arguments.names.join("`, `");
    if arguments.dry_run {
        context.output.message(format_args!("Would take `{shown}` out of {place} (nothing was changed)"));
        return Ok(0);
    }
    let locking = saving.locking();
    let unlocked = saving.remove(&names, &locking)?;
    let path = context.project_venv(&arguments.venv, saving.folder())?;
    let is_there = fs::kind(&path.join("pyvenv.cfg"))?.is_some();
    let log = if arguments.save.no_sync || !is_there {
        None
    } else {
        context.name_venv(&path);
        let venv = context.venv_to_change(&VenvArgument { path: Some(path) })?;
        let indexes = Indexes::default();
        let mut environment = Environment::open(&context.host, venv, &indexes)?;
        let gone: BTreeSet<PackageName> = unlocked.gone.into_iter().collect();
        let unused = install::unused(&environment, &gone)?;
        let options = InstallOptions { force: arguments.force, ..InstallOptions::default() };
        Some(install::execute(&mut environment, InstallPlan::removal(unused, options))?)
    };
    saving.keep();
    context.output.message(format_args!("Took `{shown}` out of {place}"));
    tell(context, &unlocked.locked, log.as_ref(), arguments.json, started)
}

/// Says of what was added to a project's own venv how it would be recorded.
pub(super) fn suggest(context: &Context, arguments: &AddArguments, venv: &std::path::Path) {
    let unrecorded = install::unrecorded(&context.host, &arguments.specs, venv);
    if !unrecorded.is_empty() && !arguments.change.json && !arguments.change.dry_run {
        context.output.message(format_args!(
            "`pyproject.toml` does not name it; `virtpy add --save {}` records it",
            unrecorded.join(" ")
        ));
    }
}

/// Brings the project's venv to its lock, to the sufficient extent: what a plain `add` installed stays.
fn bring(context: &Context, arguments: &AddArguments, saving: &Saving<'_>) -> Result<Changelog, Failure> {
    let indexes = arguments.index.indexes();
    let selection = match arguments.save.list() {
        RequirementList::Dependencies => Selection::default(),
        RequirementList::Extra(extra) => Selection { extras: vec![extra], ..Selection::default() },
        RequirementList::Group(group) => Selection { groups: vec![group], ..Selection::default() },
    };
    let choice = LockChoice {
        files: vec![saving.lock().to_path_buf()],
        selection,
        own_indexes: arguments.index.index_url.is_some() || arguments.index.no_index,
        ..LockChoice::default()
    };
    let source = LockSource::find(&context.host, choice, &indexes)?;
    let path = context.project_venv(&arguments.venv, saving.folder())?;
    let following = Following {
        followed: &Followed::of(source)?,
        extent: Extent::Sufficient,
        options: arguments.change.options(),
        indexes: &indexes,
        python: None,
    };
    follow::bring(context, &following, path)
}

/// Refuses what a project's file has no place for.
fn refuse_unrecordable(arguments: &AddArguments) -> Result<(), Failure> {
    let refused = |what: &str| {
        Err(Failure::usage(format!("{what} cannot be recorded in `pyproject.toml`"))
            .hinted("add it without `--save`, or name packages"))
    };
    if !arguments.requirements.is_empty() {
        refused("a requirements file")
    } else if !arguments.editables.is_empty() {
        refused("an editable directory")
    } else if arguments.no_deps {
        refused("a package without what it requires")
    } else if arguments.specs.is_empty() {
        Err(Failure::usage("there is nothing to record")
            .hinted("name packages: `virtpy add --save requests`"))
    } else {
        Ok(())
    }
}

fn name_of(spec: &str) -> Option<PackageName> {
    spec.parse::<virtpy_pep::Requirement>().ok().map(|requirement| requirement.name().clone())
}

fn tell(
    context: &Context,
    locked: &Locked,
    log: Option<&Changelog>,
    json: bool,
    started: Instant,
) -> Result<u8, Failure> {
    let packages = counted(locked.packages, "package");
    let nothing = Changelog::default();
    let log = log.unwrap_or(&nothing);
    let telling = Telling { dry_run: false, json, file: Some("pylock.toml"), started };
    report::changelog(context.output, &telling, log, |elapsed| {
        format!(
            "Locked {packages} in `pylock.toml`, and changed {} in the venv, in {elapsed}",
            log.summary.added.len() + log.summary.removed.len()
        )
    })
}
