//! What a power cut has damaged of a venv's packages: looked up once after each start of the machine.

use virtpy_store::{EntryId, Store};

use super::{Installed, State, Venv, VenvError};

impl Venv {
    /// What is installed here and damaged in the store since the machine was last stopped without warning. If nothing is, that is
    /// noted until it is started again: whatever comes into the venv later is looked at then.
    ///
    /// # Errors
    /// When the venv's state cannot be read.
    pub fn torn(&self, store: &Store) -> Result<Vec<Installed>, VenvError> {
        let mut checked = store.checked();
        let note = format!("whole-{}", self.id);
        if checked.is_noted(&note) {
            return Ok(Vec::new());
        }
        let mut torn = State::read(self)?.distributions;
        torn.retain(|one| one.layer.is_none());
        let used = torn.iter().map(|one| EntryId::of(&one.sha256)).collect::<Vec<_>>();
        let damaged = store.torn(&used, &mut checked);
        if damaged.is_empty() {
            store.note(&note);
        }
        torn.retain(|one| damaged.contains(&EntryId::of(&one.sha256)));
        Ok(torn)
    }
}
