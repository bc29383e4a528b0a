//! `virtpy hook`: git's new worktrees get their venv.

use std::time::Instant;

use super::follow;
use crate::cli::{HookArguments, HookCommand, HookRunArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{
    Extent, Followed, Following, GitHook, Indexes, InstallOptions, LockChoice, LockSource, is_new_worktree,
    own_program,
};
use crate::lockfile::{self, LockKind};

pub(super) fn run(context: &Context, arguments: &HookArguments) -> Result<u8, Failure> {
    match &arguments.command {
        HookCommand::Install => install(context),
        HookCommand::Uninstall => uninstall(context),
        HookCommand::Run(arguments) => {
            // A checkout never fails because of a venv.
            if let Err(failure) = fill(context, arguments) {
                context.output.failure(&failure.within("this worktree got no `.venv`"));
            }
            Ok(0)
        }
    }
}

fn install(context: &Context) -> Result<u8, Failure> {
    let hook = GitHook::of(&context.working_directory)?;
    let is_new = hook.install(&own_program()?)?;
    let now = if is_new { "now" } else { "already" };
    context.output.message(format_args!(
        "New worktrees of this repository get `.venv` from their lock file {now} (`{}`)",
        hook.path.display()
    ));
    Ok(0)
}

fn uninstall(context: &Context) -> Result<u8, Failure> {
    let hook = GitHook::of(&context.working_directory)?;
    let was_there = hook.uninstall()?;
    let what = if was_there { "Removed" } else { "There is no hook at" };
    context.output.message(format_args!("{what} `{}`", hook.path.display()));
    Ok(0)
}

/// Makes the venv of a new worktree, in which git calls the hook, from the lock file that it has.
fn fill(context: &Context, arguments: &HookRunArguments) -> Result<(), Failure> {
    let here = &context.working_directory;
    if !is_new_worktree(&arguments.previous) {
        return Ok(());
    }
    let Some(lock) = lockfile::find(here) else { return Ok(()) };
    let path = lock.parent().unwrap_or(here).join(".venv");
    if LockKind::of(&lock) == LockKind::Project || fs::kind(&path)?.is_some() {
        return Ok(());
    }
    let started = Instant::now();
    let indexes = Indexes::default();
    let source = LockSource::find(&context.host, LockChoice::default(), &indexes)?;
    if source.kind == LockKind::Project {
        // Requirements that pin nothing are no lock.
        return Ok(());
    }
    let following = Following {
        followed: &Followed::of(source)?,
        extent: Extent::Exact,
        options: InstallOptions::default(),
        indexes: &indexes,
        python: None,
    };
    let log = follow::bring(context, &following, path)?;
    follow::tell(context, &following, false, &log, started)?;
    Ok(())
}
