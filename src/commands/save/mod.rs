//! `add` and `remove` with `--save`: a project's file, its lock and its venv change together, or none of them.

mod add;
mod remove;
mod script;
mod venv;

use std::path::Path;
use std::time::Instant;

pub(super) use self::add::add;
pub(super) use self::remove::remove;

use crate::cli::AddArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{self, Changelog, Locked};
use crate::output::counted;
use crate::report::{self, Telling};

/// Says of what was added to a project's own venv how it would be recorded.
pub(super) fn suggest(context: &Context, arguments: &AddArguments, venv: &Path) {
    if arguments.change.json || arguments.change.dry_run {
        return;
    }
    let unrecorded = install::unrecorded(&context.host, &arguments.specs, venv);
    if !unrecorded.is_empty() {
        context.output.message(format_args!(
            "`pyproject.toml` does not name it; `virtpy add --save {}` records it",
            unrecorded.join(" ")
        ));
    }
}

/// A lock that was written.
#[derive(Clone, Copy)]
struct WrittenLock<'a> {
    /// The file, as it is shown.
    file: &'a str,
    locked: &'a Locked,
}

/// Says what was locked in which file, and what came and went.
fn tell(
    context: &Context,
    lock: WrittenLock<'_>,
    log: Option<&Changelog>,
    json: bool,
    started: Instant,
) -> Result<u8, Failure> {
    let WrittenLock { file, locked } = lock;
    let packages = counted(locked.packages, "package");
    let state = if log.is_some() { "; the venv is as it says" } else { "" };
    let nothing = Changelog::default();
    let telling = Telling { dry_run: false, json, file: Some(file), started };
    report::changelog(context.output, &telling, log.unwrap_or(&nothing), |elapsed| {
        format!("Locked {packages} in `{file}`{state} ({elapsed})")
    })
}
