//! Taking hold of a venv that is to be changed.

use crate::context::Context;
use crate::error::Failure;
use crate::fs::Lock;
use crate::venv::{Contents, Venv};

/// A venv that nobody else changes, in a store that nobody collects.
pub(super) struct Held {
    /// What is in the venv.
    pub(super) contents: Contents,
    _venv_lock: Lock,
    _store_lock: Lock,
}

/// Locks the store (shared) and the venv, in this order everywhere, puts right what a killed command left, reads what
/// is installed, and says what the store lost of it.
pub(super) fn hold(context: &Context, venv: &Venv) -> Result<Held, Failure> {
    let store_lock = context.store.lock_shared(&mut context.announce())?;
    let venv_lock = context.store.lock_venv(&venv.id, &mut context.announce())?;
    venv.recover()?;
    let contents = super::contents(context, venv)?;
    Ok(Held { contents, _venv_lock: venv_lock, _store_lock: store_lock })
}
