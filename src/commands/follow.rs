//! Bringing a venv to what a file says, for `sync`, `new --from` and `poetry-install`: what the user is asked for and told.

use std::path::PathBuf;
use std::time::Instant;

use virtpy_pep::NamedVersion;

use crate::cli::VenvArgument;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{Changelog, Followed, Following, NewEnvironment};
use crate::output::{counted, seconds};
use crate::report::{self, Telling};

/// How often a venv is looked at again that others make, replace or remove meanwhile.
const LOOKS: usize = 2;

/// Brings the venv at a path to what is followed; one that is made for that is gone if it failed.
pub(super) fn bring(
    context: &Context,
    following: &Following<'_>,
    path: PathBuf,
) -> Result<Changelog, Failure> {
    // Others may bring the same venv at the same time: once they are done, it is looked at again.
    for _ in 0..LOOKS {
        match bring_as_it_is(context, following, path.clone()) {
            Err(failure) if failure.is_of_other_command() => {}
            other => return other,
        }
    }
    bring_as_it_is(context, following, path)
}

/// Brings the venv at a path, if it stays the one that is there now.
fn bring_as_it_is(context: &Context, following: &Following<'_>, path: PathBuf) -> Result<Changelog, Failure> {
    if fs::kind(&path.join("pyvenv.cfg"))?.is_none() {
        return make(context, following, &following.followed.environment(path));
    }
    context.name_venv(&path);
    let venv = context.venv_to_change(&VenvArgument { path: Some(path) })?;
    if let Some(python) = following.python {
        context.demand_python(python, &venv.root, &context.host.interpreter(&venv)?)?;
    }
    following.bring(&context.host, venv)
}

/// Makes a venv and fills it.
pub(super) fn make(
    context: &Context,
    following: &Following<'_>,
    new: &NewEnvironment,
) -> Result<Changelog, Failure> {
    following.make(&context.host, new, &|environment, started| report::made(context, environment, started))
}

/// Says what came of it.
pub(super) fn tell(
    context: &Context,
    following: &Following<'_>,
    json: bool,
    log: &Changelog,
    started: Instant,
) -> Result<u8, Failure> {
    let dry_run = following.options.dry_run;
    let label = following.followed.label(&context.host);
    let is_lock = matches!(following.followed, Followed::Lock(_));
    let telling = Telling { dry_run, json, file: Some(label.as_str()).filter(|_| is_lock), started };
    report::changelog(context.output, &telling, log, |elapsed| {
        if is_lock { of_lock(&label, dry_run, log, elapsed) } else { of_poetry(dry_run, log, elapsed) }
    })
}

/// Says in one sentence what came of it, to those who have asked for something else: the standard output is not theirs.
pub(super) fn tell_in_passing(
    context: &Context,
    following: &Following<'_>,
    log: &Changelog,
    started: Instant,
) {
    report::warnings(context.output, log);
    let (label, elapsed) = (following.followed.label(&context.host), seconds(started.elapsed()));
    context.output.message(of_lock(&label, following.options.dry_run, log, &elapsed));
}

fn of_lock(file: &str, dry_run: bool, log: &Changelog, elapsed: &str) -> String {
    if log.is_empty() {
        format!("Nothing to do: the venv is as `{file}` says ({elapsed})")
    } else if dry_run {
        format!("The venv would be as `{file}` says (nothing was changed)")
    } else {
        let count = counted(log.unchanged + log.summary.added.len(), "package");
        format!("{count} in the venv as `{file}` says, in {elapsed} ({})", log.origins)
    }
}

fn of_poetry(dry_run: bool, log: &Changelog, elapsed: &str) -> String {
    let summary = &log.summary;
    let added = counted(summary.added.len(), "package");
    let is_gone = |one: &&NamedVersion| summary.added.iter().all(|added| added.name != one.name);
    let count = summary.removed.iter().filter(is_gone).count();
    let gone = counted(count, "package");
    if dry_run {
        let removed = if count == 0 { String::new() } else { format!(" and remove {gone}") };
        format!("Would install {added}{removed} (nothing was changed)")
    } else if log.is_empty() {
        format!("Nothing to do: everything in `poetry.lock` is installed ({elapsed})")
    } else if summary.added.is_empty() {
        format!("Removed {gone} in {elapsed}")
    } else {
        let (downloaded, built) = (log.origins.downloaded, log.origins.built);
        format!("Installed {added} in {elapsed} ({downloaded} downloaded, {built} built)")
    }
}
