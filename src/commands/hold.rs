//! Taking hold of a venv that is to be changed.

use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{aftermath, lost};
use crate::cli::IndexArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs::{self, Lock};
use crate::venv::{Contents, Venv};

/// A venv that nobody else changes, in a store that nobody collects.
pub(super) struct Held {
    /// What is in the venv.
    pub(super) contents: Contents,
    _locks: Locks,
}

/// Says so when root is about to write into the store of a user, who could then no longer change all of it.
pub(super) fn warn_of_other_owner(context: &Context) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !fs::is_root() {
        return;
    }
    let home = context.store.home();
    let owner = fs::metadata(home).map_or(0, |found| found.uid());
    if owner != 0 && !TOLD.swap(true, Ordering::Relaxed) {
        context.output.warning(format_args!(
            "the store `{}` belongs to user {owner}, and what root adds to it will be root's; run this as that user, or set \
             `VIRTPY_HOME` to a store of root's own",
            home.display()
        ));
    }
}

/// The store's lock (shared) and the venv's.
struct Locks {
    _venv: Lock,
    _store: Lock,
}

/// Locks the store and the venv, in this order everywhere, and puts right what a killed command left.
fn lock(context: &Context, venv: &Venv) -> Result<Locks, Failure> {
    warn_of_other_owner(context);
    if context.settings()?.immutable {
        context.store.require_protection()?;
    }
    context.note_store();
    let store = context.store.lock_shared(&mut context.announce())?;
    let locks = Locks { _venv: context.store.lock_venv(&venv.id, &mut context.announce())?, _store: store };
    venv.recover()?;
    Ok(locks)
}

/// Takes hold of a venv, reads what is installed, and says what the store lost of it.
pub(super) fn hold(context: &Context, venv: &Venv) -> Result<Held, Failure> {
    let locks = lock(context, venv)?;
    Ok(Held { contents: super::contents(context, venv)?, _locks: locks })
}

/// Takes hold of a venv and makes it whole: what the store lost of it is fetched again, and what another installer did to the
/// store through it is put right. So no command leaves a venv behind that does not work.
///
/// # Errors
/// When what is missing cannot be had.
pub(super) fn hold_whole(context: &Context, venv: &Venv, index: &IndexArguments) -> Result<Held, Failure> {
    let locks = lock(context, venv)?;
    let contents = lost::restore(context, venv, super::installed(context, venv)?, index)?;
    Ok(Held { contents: aftermath::restore(context, venv, contents, index)?, _locks: locks })
}
