//! `virtpy sync`: make a venv hold exactly what a lock file says.

use std::path::Path;
use std::time::Instant;

use super::follow;
use crate::cli::{IndexArguments, NewArguments, SelectionArguments, SyncArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::install::{
    Extent, Followed, Following, Indexes, InstallOptions, LockChoice, LockSource, NewEnvironment,
};

pub(super) fn run(context: &Context, arguments: &SyncArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let choice = LockChoice {
        files: arguments.files.clone(),
        project: arguments.project,
        upgrade: arguments.upgrade,
        require_hashes: arguments.require_hashes,
        ..choice(&arguments.selection, &arguments.index)
    };
    let indexes = arguments.index.indexes();
    let source = LockSource::find(&context.host, choice, &indexes)?;
    // A file that is named says itself what comes unasked.
    let source = if arguments.files.is_empty() { source.with_development_group() } else { source };
    let path = context.project_venv(&arguments.venv, &source.project)?;
    let following = Following {
        followed: &Followed::of(source)?,
        extent: if arguments.inexact { Extent::Sufficient } else { Extent::Exact },
        options: arguments.change.options(),
        indexes: &indexes,
        python: arguments.python.as_deref(),
    };
    match following.followed {
        Followed::Lock(source) if arguments.locked => source.demand_current(&context.host)?,
        Followed::Lock(source) if !arguments.frozen => source.warn_if_stale(&context.host),
        Followed::Lock(_) | Followed::Poetry(_) => {}
    }
    let log = follow::bring(context, &following, path)?;
    follow::tell(context, &following, arguments.change.json, &log, started)
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
    let files = vec![lock.to_path_buf()];
    let choice = LockChoice { files, ..choice(&arguments.selection, &arguments.index) };
    let indexes: Indexes = arguments.index.indexes();
    // Read before anything is made: a file that is not there, or makes no sense, leaves everything as it is.
    let followed = Followed::of(LockSource::find(&context.host, choice, &indexes)?)?;
    let following = Following {
        followed: &followed,
        extent: Extent::Exact,
        options: InstallOptions::default(),
        indexes: &indexes,
        python: arguments.python.as_deref(),
    };
    let log = follow::make(context, &following, new)?;
    follow::tell(context, &following, false, &log, started)
}

fn choice(selection: &SelectionArguments, index: &IndexArguments) -> LockChoice {
    LockChoice {
        selection: selection.selection(),
        own_indexes: index.replaces_others(),
        ..LockChoice::default()
    }
}
