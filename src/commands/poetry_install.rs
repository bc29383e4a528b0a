//! `virtpy poetry-install`: bring a venv to what `poetry.lock` says, in one change.

use std::time::Instant;

use super::follow;
use crate::cli::PoetryInstallArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Extent, Followed, Following, PoetryChoice, PoetryProject};
use crate::poetry::GroupChoice;

pub(super) fn run(context: &Context, arguments: &PoetryInstallArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let PoetryInstallArguments { only, with, without, .. } = arguments;
    let choice = PoetryChoice {
        groups: GroupChoice { only: only.clone(), with: with.clone(), without: without.clone() },
        extras: arguments.extras.clone(),
        all_extras: arguments.all_extras,
        no_root: arguments.no_root,
    };
    let directory = context.host.poetry_project(arguments.project.as_deref())?;
    let project = PoetryProject::read(&directory, choice)?;
    let path = context.project_venv(&arguments.venv, &project.project.root)?;
    let following = Following {
        followed: &Followed::Poetry(Box::new(project)),
        extent: if arguments.sync { Extent::Exact } else { Extent::Sufficient },
        options: arguments.change.options(),
        indexes: &arguments.index.indexes(),
        python: arguments.python.as_deref(),
    };
    let log = follow::bring(context, &following, path)?;
    follow::tell(context, &following, arguments.change.json, &log, started)
}
