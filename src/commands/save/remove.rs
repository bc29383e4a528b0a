//! `virtpy remove --save`.

use std::time::Instant;

use virtpy_pep::PackageName;

use super::venv::ProjectVenv;
use super::{WrittenLock, script, tell};
use crate::cli::RemoveArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{Indexes, InstallOptions, Saving};

/// Takes what is removed out of the project's file, locks it, and removes from its venv what the lock has no more.
pub(in crate::commands) fn remove(context: &Context, arguments: &RemoveArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let names: Vec<PackageName> = (arguments.names.iter())
        .map(|name| {
            name.parse().map_err(|_| Failure::usage(format!("`{name}` is not the name of a package")))
        })
        .collect::<Result<_, _>>()?;
    if let Some(path) = &arguments.save.script {
        return script::remove(context, arguments, path, &names);
    }
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
        let options = InstallOptions { force: arguments.force, ..InstallOptions::default() };
        let venv = ProjectVenv { path, indexes: &Indexes::default(), own_indexes: false, options };
        Some(venv.bring_without(context, &saving, &unlocked.gone, &names)?)
    };
    let lock = saving.shown_lock();
    saving.keep();
    context.output.message(format_args!("Took `{shown}` out of {place}"));
    let written = WrittenLock { file: &lock, locked: &unlocked.locked };
    tell(context, written, log.as_ref(), arguments.json, started)
}
