//! `virtpy store`: looking after the store that all venvs share.

mod advice;
mod below;
mod compile;
mod fill;
pub(super) mod gc;
mod protect;
mod repair;
pub(super) mod seal;
mod shares;
mod stats;
mod verify;
pub(super) mod why;

pub(super) use gc::automatic;

use virtpy_pep::PackageName;

use crate::cli::{StoreArguments, StoreCommand};
use crate::context::Context;
use crate::error::Failure;
use crate::store::EntryId;

pub(super) fn run(context: &Context, arguments: &StoreArguments) -> Result<u8, Failure> {
    match &arguments.command {
        StoreCommand::Gc(arguments) => gc::run(context, arguments),
        StoreCommand::Stats(arguments) => stats::run(context, arguments),
        StoreCommand::Why(arguments) => why::run(context, arguments),
        StoreCommand::Verify(arguments) => verify::run(context, arguments),
        StoreCommand::Repair(arguments) => repair::run(context, arguments),
        StoreCommand::Compile(arguments) => compile::run(context, arguments),
        StoreCommand::Protect(arguments) => protect::run(context, arguments),
        StoreCommand::Fill(arguments) => fill::run(context, arguments),
        StoreCommand::Seal(arguments) => seal::run(context, arguments),
    }
}

/// Whether an entry is meant by an id or the name of its package, which is looked up only then.
fn is_named(text: &str, id: &EntryId, name: &dyn Fn() -> Option<String>) -> bool {
    let is_package =
        || text.parse().is_ok_and(|key: PackageName| name().is_some_and(|name| key.is_spelled(&name)));
    id.as_str() == text || is_package()
}

/// The entries that names of packages and ids mean; all of them where nothing is named.
fn chosen(context: &Context, names: &[String]) -> Result<Vec<EntryId>, Failure> {
    let all = context.store.ids()?;
    if names.is_empty() {
        return Ok(all);
    }
    let mut chosen = Vec::new();
    for name in names {
        let before = chosen.len();
        for id in &all {
            if is_named(name, id, &|| Some(context.store.provenance(id)?.name)) {
                chosen.push(id.clone());
            }
        }
        if chosen.len() == before {
            return Err(Failure::new(format!("the store has nothing named `{name}`")));
        }
    }
    chosen.sort();
    chosen.dedup();
    Ok(chosen)
}
