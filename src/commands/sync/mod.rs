//! `virtpy sync`: make a venv hold exactly what a lock file says.

mod directories;
mod exact;
mod python;
mod source;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use super::add::{Named, Outcome, named};
use super::hold::hold_whole;
use super::{new, poetry_install};
use crate::cli::{IndexArguments, NewArguments, PoetryInstallArguments, SyncArguments, VenvArgument};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::lockfile::{self, LockKind};
use crate::output::{counted, seconds};
use crate::poetry::Project;
use crate::venv::Contents;

use exact::Exact;
pub(super) use source::Source;

pub(super) fn run(context: &Context, arguments: &SyncArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let source = Source::of(context, arguments)?;
    if source.kind == LockKind::Poetry {
        return poetry_install::run(context, &as_poetry_has_it(context, arguments, &source)?);
    }
    let outcome = carry_out(context, arguments, &source)?;
    report(context, arguments, &source, &outcome, started)
}

/// Brings a venv to what a source says, and says nothing but warnings. The venv is made if there is none.
///
/// # Errors
/// When it failed; a venv that was there is as before then, one that was made is gone.
pub(super) fn carry_out(
    context: &Context,
    arguments: &SyncArguments,
    source: &Source,
) -> Result<Outcome, Failure> {
    for changed in lockfile::changed_since(source.kind, &source.texts[0], &source.folder) {
        let (label, tool) =
            (source.label(context), if source.kind == LockKind::Uv { "uv" } else { "virtpy" });
        context.output.warning(format_args!(
            "`{changed}` changed since `{label}` was made, which is followed as it is; `{tool} lock` makes it anew"
        ));
    }
    let path = venv_path(context, arguments, source)?;
    let is_new = fs::kind(&path.join("pyvenv.cfg"))?.is_none();
    if !is_new {
        context.name_venv(&path);
        return fill(context, arguments, source, &path);
    }
    python::first_that_fits(context, arguments, source, &|python| {
        if arguments.dry_run {
            let interpreter = context.wanted_interpreter(python.as_deref())?;
            let exact = Exact { context, arguments, source, venv: None, interpreter };
            return exact.run(&Contents::default(), exact.target()?);
        }
        let wish = NewArguments { path: path.clone(), python, ..NewArguments::default() };
        new::make_for(context, &wish, || fill(context, arguments, source, &path))
    })
}

/// `virtpy new --from LOCK`: makes a venv and fills it.
///
/// # Errors
/// When it failed; there is no venv then, unless one was there that was to be replaced.
pub(super) fn new_from(context: &Context, arguments: &NewArguments, lock: &Path) -> Result<u8, Failure> {
    let started = Instant::now();
    let sync = SyncArguments {
        files: vec![lock.to_path_buf()],
        venv: VenvArgument { path: Some(arguments.path.clone()) },
        selection: arguments.selection.clone(),
        python: arguments.python.clone(),
        index: arguments.index.clone(),
        ..SyncArguments::default()
    };
    // Read before anything is made: a file that is not there, or makes no sense, leaves everything as it is.
    let source = Source::of(context, &sync)?;
    let path = context.working_directory.join(&arguments.path);
    let was_there = fs::kind(&path)?.is_some();
    python::first_that_fits(context, &sync, &source, &|python| {
        let new = NewArguments { python, from: None, path: path.clone(), ..arguments.clone() };
        let fill = || {
            if source.kind == LockKind::Poetry {
                let poetry = as_poetry_has_it(context, &sync, &source)?;
                return poetry_install::run(context, &poetry);
            }
            let outcome = fill(context, &sync, &source, &path)?;
            report(context, &sync, &source, &outcome, started)
        };
        if was_there {
            new::make(context, &new)?;
            return fill();
        }
        new::make_for(context, &new, fill)
    })
}

/// Fills a venv that is there with exactly what a lock file says, and says nothing but warnings.
///
/// # Errors
/// When it failed, or the file is one that only a project's own command can follow.
pub(super) fn follow(
    context: &Context,
    venv: &Path,
    lock: &Path,
    index: &IndexArguments,
) -> Result<(), Failure> {
    let arguments = SyncArguments {
        files: vec![lock.to_path_buf()],
        venv: VenvArgument { path: Some(venv.to_path_buf()) },
        index: index.clone(),
        ..SyncArguments::default()
    };
    let source = Source::of(context, &arguments)?;
    if source.kind == LockKind::Poetry {
        return Err(Failure::usage("`poetry.lock` locks a project, not an application")
            .hinted("lock the application itself: `virtpy lock NAME -o pylock.NAME.toml`"));
    }
    fill(context, &arguments, &source, venv).map(drop)
}

fn fill(
    context: &Context,
    arguments: &SyncArguments,
    source: &Source,
    path: &Path,
) -> Result<Outcome, Failure> {
    let venv = context.venv_to_change(&VenvArgument { path: Some(path.to_path_buf()) })?;
    let interpreter = context.interpreter(&venv)?;
    context.demand_python(arguments.python.as_deref(), &venv.root, &interpreter)?;
    let exact = Exact { context, arguments, source, venv: Some(&venv), interpreter };
    let target = exact.target()?;
    if let Some(outcome) = exact.idle(&target)? {
        return Ok(outcome);
    }
    let held = hold_whole(context, &venv, &arguments.index)?;
    let contents = &held.contents;
    exact.run(contents, target)
}

/// The venv that is named, or that of the file's project.
fn venv_path(context: &Context, arguments: &SyncArguments, source: &Source) -> Result<PathBuf, Failure> {
    context.project_venv(&arguments.venv, &source.project)
}

/// A call of `poetry-install` that does the same.
fn as_poetry_has_it(
    context: &Context,
    arguments: &SyncArguments,
    source: &Source,
) -> Result<PoetryInstallArguments, Failure> {
    let selection = &arguments.selection;
    let mut with = selection.groups.clone();
    if selection.all_groups {
        with.extend(Project::read(&source.folder)?.groups().into_keys());
    }
    if selection.no_default_groups && selection.only_groups.is_empty() {
        return Err(Failure::usage("`poetry.lock` knows no default groups")
            .hinted("name the groups to leave out with `--no-group`"));
    }
    Ok(PoetryInstallArguments {
        only: selection.only_groups.clone(),
        with,
        without: selection.without_groups.clone(),
        extras: selection.extras.clone(),
        all_extras: selection.all_extras,
        no_root: selection.no_install_project,
        sync: !arguments.inexact,
        force: arguments.force,
        dry_run: arguments.dry_run,
        compile_bytecode: arguments.compile_bytecode,
        project: Some(source.folder.clone()),
        python: arguments.python.clone(),
        venv: VenvArgument { path: Some(context.project_venv(&arguments.venv, &source.project)?) },
        json: arguments.json,
        index: arguments.index.clone(),
    })
}

#[derive(Serialize)]
struct Report<'a> {
    dry_run: bool,
    file: String,
    added: Vec<Named<'a>>,
    removed: Vec<Named<'a>>,
    unchanged: usize,
    #[serde(flatten)]
    ways: super::add::Ways,
    seconds: f64,
}

fn report(
    context: &Context,
    arguments: &SyncArguments,
    source: &Source,
    outcome: &Outcome,
    started: Instant,
) -> Result<u8, Failure> {
    let output = context.output;
    super::add::warn_of_clashes(output, outcome);
    let elapsed = started.elapsed();
    let summary = &outcome.summary;
    if arguments.json {
        output.json(&Report {
            dry_run: arguments.dry_run,
            file: source.label(context),
            added: named(&summary.added),
            removed: named(&summary.removed),
            unchanged: outcome.unchanged,
            ways: outcome.ways,
            seconds: elapsed.as_secs_f64(),
        })?;
        return Ok(0);
    }
    output.changes(&summary.removed, &summary.added);
    let file = source.label(context);
    if summary.added.is_empty() && summary.removed.is_empty() {
        output.message(format_args!("Nothing to do: the venv is as `{file}` says ({})", seconds(elapsed)));
    } else if arguments.dry_run {
        output.message(format_args!("The venv would be as `{file}` says (nothing was changed)"));
    } else {
        output.message(format_args!(
            "{} in the venv as `{file}` says, in {} ({})",
            counted(outcome.unchanged + summary.added.len(), "package"),
            seconds(elapsed),
            outcome.ways
        ));
    }
    Ok(0)
}
