//! `virtpy sync`: make a venv hold exactly what a lock file says.

use std::path::Path;
use std::time::Instant;

use super::follow::{Call, Followed};
use super::poetry_install;
use crate::cli::{NewArguments, SelectionArguments, SyncArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::install::{
    Changelog, Extent, IndexOptions, Indexes, InstallOptions, LockChoice, LockSource, NewEnvironment,
    PoetryChoice, PoetryProject,
};
use crate::lockfile::LockKind;
use crate::output::counted;
use crate::poetry::{GroupChoice, Project};
use crate::report::{self, Telling};

pub(super) fn run(context: &Context, arguments: &SyncArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let index = arguments.index.options();
    let choice = LockChoice {
        files: arguments.files.clone(),
        project: arguments.project,
        upgrade: arguments.upgrade,
        require_hashes: arguments.require_hashes,
        ..choice(&arguments.selection, &index)
    };
    let indexes = Indexes::new(index);
    let source = LockSource::find(&context.host, choice, &indexes)?;
    let path = context.project_venv(&arguments.venv, &source.project)?;
    let followed = followed(source, &arguments.selection)?;
    let call = Call {
        context,
        followed: &followed,
        extent: if arguments.inexact { Extent::Sufficient } else { Extent::Exact },
        options: InstallOptions {
            dry_run: arguments.dry_run,
            force: arguments.force,
            compile_bytecode: arguments.compile_bytecode,
            ..InstallOptions::default()
        },
        indexes: &indexes,
        python: arguments.python.as_deref(),
    };
    if let Followed::Lock(source) = &followed {
        source.warn_if_stale(&context.host);
    }
    let log = call.run(path)?;
    tell(&call, arguments.json, &log, started)
}

/// `virtpy new --from LOCK`: makes a venv and fills it.
///
/// # Errors
/// When it failed; there is no venv then, unless one was there that was to be replaced.
pub(super) fn new_from(
    context: &Context,
    arguments: &NewArguments,
    lock: &Path,
    new: &NewEnvironment,
) -> Result<u8, Failure> {
    let started = Instant::now();
    let index = arguments.index.options();
    let choice = LockChoice { files: vec![lock.to_path_buf()], ..choice(&arguments.selection, &index) };
    let indexes = Indexes::new(index);
    // Read before anything is made: a file that is not there, or makes no sense, leaves everything as it is.
    let followed = followed(LockSource::find(&context.host, choice, &indexes)?, &arguments.selection)?;
    let call = Call {
        context,
        followed: &followed,
        extent: Extent::Exact,
        options: InstallOptions::default(),
        indexes: &indexes,
        python: arguments.python.as_deref(),
    };
    let log = call.make(new)?;
    tell(&call, false, &log, started)
}

fn choice(selection: &SelectionArguments, index: &IndexOptions) -> LockChoice {
    LockChoice {
        selection: selection.selection(),
        own_indexes: index.index_url.is_some() || index.no_index,
        ..LockChoice::default()
    }
}

/// What is followed: Poetry's lock says no more than its project lets it.
fn followed(source: LockSource, selection: &SelectionArguments) -> Result<Followed, Failure> {
    if source.kind != LockKind::Poetry {
        return Ok(Followed::Lock(Box::new(source)));
    }
    let mut with = selection.groups.clone();
    if selection.all_groups {
        with.extend(Project::read(&source.folder)?.groups().into_keys());
    }
    if selection.no_default_groups && selection.only_groups.is_empty() {
        return Err(Failure::usage("`poetry.lock` knows no default groups")
            .hinted("name the groups to leave out with `--no-group`"));
    }
    let only = selection.only_groups.clone();
    let choice = PoetryChoice {
        groups: GroupChoice { only, with, without: selection.without_groups.clone() },
        extras: selection.extras.clone(),
        all_extras: selection.all_extras,
        no_root: selection.no_install_project,
    };
    Ok(Followed::Poetry(Box::new(PoetryProject::read(&source.folder, choice)?)))
}

fn tell(call: &Call<'_>, json: bool, log: &Changelog, started: Instant) -> Result<u8, Failure> {
    let (context, dry_run) = (call.context, call.options.dry_run);
    let file = call.followed.label(context);
    let mut telling = Telling { dry_run, json, file: Some(&file), started };
    if matches!(call.followed, Followed::Poetry(_)) {
        telling.file = None;
        return report::changelog(context.output, &telling, log, |elapsed| {
            poetry_install::sentence(dry_run, log, elapsed)
        });
    }
    report::changelog(context.output, &telling, log, |elapsed| {
        if log.is_empty() {
            format!("Nothing to do: the venv is as `{file}` says ({elapsed})")
        } else if dry_run {
            format!("The venv would be as `{file}` says (nothing was changed)")
        } else {
            let count = counted(log.unchanged + log.summary.added.len(), "package");
            format!("{count} in the venv as `{file}` says, in {elapsed} ({})", log.origins)
        }
    })
}
