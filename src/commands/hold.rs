//! Taking hold of a venv that is to be changed.

use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::context::Context;
use crate::error::Failure;
use crate::fs::{self, Lock};
use crate::venv::{Contents, Venv};

/// A venv that nobody else changes, in a store that nobody collects.
pub(super) struct Held {
    /// What is in the venv.
    pub(super) contents: Contents,
    _venv_lock: Lock,
    _store_lock: Lock,
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

/// Locks the store (shared) and the venv, in this order everywhere, puts right what a killed command left, reads what
/// is installed, and says what the store lost of it.
pub(super) fn hold(context: &Context, venv: &Venv) -> Result<Held, Failure> {
    warn_of_other_owner(context);
    let store_lock = context.store.lock_shared(&mut context.announce())?;
    let venv_lock = context.store.lock_venv(&venv.id, &mut context.announce())?;
    venv.recover()?;
    let contents = super::contents(context, venv)?;
    Ok(Held { contents, _venv_lock: venv_lock, _store_lock: store_lock })
}
