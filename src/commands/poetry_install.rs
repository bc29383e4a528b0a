//! `virtpy poetry-install`: bring a venv to what `poetry.lock` says, in one change.

use std::time::Instant;

use super::follow::{Call, Followed, project_directory};
use crate::cli::PoetryInstallArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Changelog, Extent, InstallOptions, PoetryChoice, PoetryProject};
use crate::output::counted;
use crate::poetry::GroupChoice;
use crate::report::{self, Telling};

pub(super) fn run(context: &Context, arguments: &PoetryInstallArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let PoetryInstallArguments { only, with, without, dry_run, json, .. } = arguments;
    let choice = PoetryChoice {
        groups: GroupChoice { only: only.clone(), with: with.clone(), without: without.clone() },
        extras: arguments.extras.clone(),
        all_extras: arguments.all_extras,
        no_root: arguments.no_root,
    };
    let directory = project_directory(context, arguments.project.as_deref())?;
    let project = PoetryProject::read(&directory, choice)?;
    let path = context.project_venv(&arguments.venv, &project.project.root)?;
    let call = Call {
        context,
        followed: &Followed::Poetry(Box::new(project)),
        extent: if arguments.sync { Extent::Exact } else { Extent::Sufficient },
        options: InstallOptions {
            dry_run: *dry_run,
            force: arguments.force,
            compile_bytecode: arguments.compile_bytecode,
            ..InstallOptions::default()
        },
        indexes: &arguments.index.indexes(),
        python: arguments.python.as_deref(),
    };
    let log = call.run(path)?;
    let telling = Telling { dry_run: *dry_run, json: *json, file: None, started };
    report::changelog(context.output, &telling, &log, |elapsed| sentence(*dry_run, &log, elapsed))
}

/// What was done, in a sentence.
pub(super) fn sentence(dry_run: bool, log: &Changelog, elapsed: &str) -> String {
    let summary = &log.summary;
    let added = counted(summary.added.len(), "package");
    let is_gone = |(name, _): &&(String, String)| !summary.added.iter().any(|(added, _)| added == name);
    let gone = counted(summary.removed.iter().filter(is_gone).count(), "package");
    if dry_run {
        let removed = if gone.starts_with("0 ") { String::new() } else { format!(" and remove {gone}") };
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
