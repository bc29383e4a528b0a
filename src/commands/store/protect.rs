//! `virtpy store protect`: set the immutable flag on what is in the store, or take it off.

use crate::cli::ProtectArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::counted;

pub(super) fn run(context: &Context, arguments: &ProtectArguments) -> Result<u8, Failure> {
    let store = &context.store;
    let _store_lock = store.lock_shared(&mut context.host.announce())?;
    if !arguments.undo {
        store.require_protection()?;
    }
    let mut changed = 0;
    for id in store.ids()? {
        let _lock = store.lock_entry(&id, &mut context.host.announce())?;
        let is_changed = if arguments.undo { store.unprotect(&id)? } else { store.protect(&id)? };
        changed += usize::from(is_changed);
    }
    let packages = counted(changed, "package");
    if arguments.undo {
        context.output.message(format_args!("{packages} can be changed by root again"));
    } else {
        context.output.message(format_args!("Protected {packages}; `--undo` takes it back"));
    }
    Ok(0)
}
