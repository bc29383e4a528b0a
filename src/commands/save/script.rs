//! `virtpy add --script` and `virtpy remove --script`.

use std::path::Path;
use std::time::Instant;

use virtpy_pep::PackageName;

use super::add::locking;
use super::{WrittenLock, tell};
use crate::cli::{AddArguments, RemoveArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Locked, Locking, SavingScript};

/// Records what a script needs in the script.
pub(super) fn add(context: &Context, arguments: &AddArguments, path: &Path) -> Result<u8, Failure> {
    let started = Instant::now();
    let mut saving = SavingScript::begin(&context.host, path)?;
    if arguments.change.dry_run {
        let specs = arguments.specs.join("`, `");
        context
            .output
            .message(format_args!("Would record `{specs}` in `{}` (nothing was changed)", path.display()));
        return Ok(0);
    }
    let locking = locking(arguments, Locking::default());
    let (locked, recorded) = saving.add(&arguments.specs, arguments.bound(), &locking)?;
    let told = format!("Recorded `{}` in `{}`", recorded.join("`, `"), path.display());
    finish(context, saving, Saved { told, locked, json: arguments.change.json, started })
}

/// Takes what a script no longer needs out of the script.
pub(super) fn remove(
    context: &Context,
    arguments: &RemoveArguments,
    path: &Path,
    names: &[PackageName],
) -> Result<u8, Failure> {
    let started = Instant::now();
    let mut saving = SavingScript::begin(&context.host, path)?;
    let shown = arguments.names.join("`, `");
    if arguments.dry_run {
        context
            .output
            .message(format_args!("Would take `{shown}` out of `{}` (nothing was changed)", path.display()));
        return Ok(0);
    }
    let locked = saving.remove(names, &Locking::default())?;
    let told = format!("Took `{shown}` out of `{}`", path.display());
    finish(context, saving, Saved { told, locked, json: arguments.json, started })
}

/// What was saved in a script, and how it is told.
struct Saved {
    /// The sentence that says so.
    told: String,
    /// Of a script that has a lock.
    locked: Option<Locked>,
    json: bool,
    started: Instant,
}

fn finish(context: &Context, saving: SavingScript<'_>, saved: Saved) -> Result<u8, Failure> {
    let Saved { told, locked, json, started } = saved;
    let lock = saving.shown_lock();
    saving.keep();
    context.output.message(told);
    match (lock, locked) {
        (Some(lock), Some(locked)) => {
            tell(context, WrittenLock { file: &lock, locked: &locked }, None, json, started)
        }
        _ => Ok(0),
    }
}
