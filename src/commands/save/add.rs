//! `virtpy add --save`.

use std::time::Instant;

use virtpy_pep::{PackageName, Requirement};

use super::venv::ProjectVenv;
use super::{WrittenLock, script, tell};
use crate::cli::AddArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Locking, RequirementList, Saving};

/// Records what is added, locks the project, and brings its venv to the lock.
pub(in crate::commands) fn add(context: &Context, arguments: &AddArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    refuse_unrecordable(arguments)?;
    Saving::check(&arguments.specs)?;
    if let Some(path) = &arguments.save.script {
        return script::add(context, arguments, path);
    }
    let mut saving = Saving::begin(&context.host, arguments.save.list())?;
    let place = format!("{} of `{}`", arguments.save.list(), saving.shown());
    if arguments.change.dry_run {
        let specs = arguments.specs.join("`, `");
        context.output.message(format_args!("Would record `{specs}` in {place} (nothing was changed)"));
        return Ok(0);
    }
    let locking = locking(arguments, saving.locking());
    let (locked, recorded) = saving.add(&arguments.specs, arguments.bound(), &locking)?;
    let log = if arguments.save.no_sync {
        None
    } else {
        let venv = ProjectVenv {
            path: context.project_venv(&arguments.venv, saving.folder())?,
            indexes: &arguments.index.indexes(),
            own_indexes: arguments.index.replaces_others(),
            options: arguments.change.options(),
        };
        Some(venv.bring(context, &saving)?)
    };
    let lock = saving.shown_lock();
    if saving.is_of_workspace()
        && matches!(saving.list(), RequirementList::Extra(_))
        && !Saving::is_locked(&locked, &recorded)
    {
        context
            .output
            .warning(format_args!("nothing in the workspace asks for {place}: `{lock}` does not have it"));
    }
    saving.keep();
    context.output.message(format_args!("Recorded `{}` in {place}", recorded.join("`, `")));
    let written = WrittenLock { file: &lock, locked: &locked };
    tell(context, written, log.as_ref(), arguments.change.json, started)
}

/// How it is locked, as the arguments say.
pub(super) fn locking(arguments: &AddArguments, usual: Locking) -> Locking {
    let names = arguments.specs.iter().filter_map(|spec| Some(name_of(spec)?.to_string()));
    Locking {
        constraints: arguments.constraints.clone(),
        upgrade_packages: names.filter(|_| arguments.upgrade).collect(),
        pre: arguments.pre,
        exclude_newer: arguments.exclude_newer.clone(),
        index: arguments.index.options(),
        ..usual
    }
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
    spec.parse::<Requirement>().ok().map(|requirement| requirement.name().clone())
}
