//! `virtpy lock`: resolve a project or requirements into a lock file.

use std::time::Instant;

use crate::cli::LockArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::Locking;
use crate::output::{counted, seconds};

pub(super) fn run(context: &Context, arguments: LockArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let locking = Locking {
        index: arguments.index.options(),
        inputs: arguments.inputs,
        output: arguments.output,
        constraints: arguments.constraints,
        upgrade: arguments.upgrade,
        upgrade_packages: arguments.upgrade_package,
        refresh: arguments.refresh,
        force: arguments.force,
        check: arguments.check,
        universal: !arguments.no_universal,
        requires_python: arguments.requires_python,
        python: arguments.python,
        no_project: arguments.no_project,
        without_groups: arguments.without_groups,
        draft: None,
        pre: arguments.pre,
        hashes: !arguments.no_hashes,
        exclude_newer: arguments.exclude_newer,
    };
    let locked = locking.run(&context.host)?;
    let Some(path) = &locked.path else {
        context.output.data_block(&locked.text);
        return Ok(0);
    };
    let shown = context.host.shown(path);
    let (packages, elapsed) = (counted(locked.packages, "package"), seconds(started.elapsed()));
    if locked.is_unchanged {
        context.output.message(format_args!("`{shown}` is up to date: {packages} ({elapsed})"));
    } else {
        context.output.message(format_args!("Locked {packages} in `{shown}` ({elapsed})"));
    }
    Ok(0)
}
