//! `virtpy cache`: what users of other tools look for. The store is no cache; what may be removed is what indexes said.

use crate::cli::{CacheArguments, CacheCommand};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;

pub(super) fn run(context: &Context, arguments: &CacheArguments) -> Result<u8, Failure> {
    match arguments.command {
        CacheCommand::Dir => context.output.data(context.store.cache().display()),
        CacheCommand::Clean => clean(context)?,
    }
    Ok(0)
}

/// The parts of the cache that are made again when they are missing: the resolver's own, its answers, which wheel was built from
/// what, and the hashes of files.
const REPRODUCIBLE: [&str; 4] = ["resolver", "resolutions", "built", "files"];

/// Empties what is made again, while nobody is at work. Environments in the cache may be in use at any time.
fn clean(context: &Context) -> Result<(), Failure> {
    let mut folders = Vec::new();
    for folder in REPRODUCIBLE.map(|name| context.store.cache().join(name)) {
        if fs::kind(&folder)?.is_some() {
            folders.push(folder);
        }
    }
    if folders.is_empty() {
        context.output.message("The cache is empty");
        return Ok(());
    }
    let _lock = context.store.lock_alone(&mut context.host.announce())?;
    folders.iter().try_for_each(|folder| fs::remove_tree(folder))?;
    context.output.message(
        "Emptied the cache of what indexes and builds said; `virtpy store gc` removes packages that nothing uses",
    );
    Ok(())
}
