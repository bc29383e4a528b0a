//! Whether the store has all that a venv uses, told by one look: `cache/complete`.
//!
//! An entry comes and goes by a rename in `w/`, which changes the time of that folder. So what was found complete is so for as long
//! as the folder is as it was then.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use virtpy_files::{self as fs, Stamp};

use super::{LinkedWheel, Store, StoreError, VenvId};

impl Store {
    fn complete_venvs(&self) -> PathBuf {
        self.cache().join("complete")
    }

    /// Which of these wheels are no longer where they were linked from. `change` is the id of the venv's change that they were
    /// linked with: the same change has the same wheels.
    pub fn missing(&self, venv: &VenvId, change: &str, wheels: &[LinkedWheel<'_>]) -> Vec<usize> {
        let now = SystemTime::now();
        let entries = self.stamps_of(wheels);
        let note = entries.as_ref().and_then(|entries| serde_json::to_string(&(change, entries)).ok());
        let path = self.complete_venvs().join(venv.as_str());
        let is_noted = |note: &String| fs::read_own(&path, 1024).is_ok_and(|known| known == note.as_bytes());
        if !change.is_empty() && note.as_ref().is_some_and(is_noted) {
            return Vec::new();
        }
        let is_missing =
            |(index, wheel): (usize, &LinkedWheel<'_>)| (!self.has_linked(*wheel)).then_some(index);
        let missing: Vec<usize> = wheels.iter().enumerate().filter_map(is_missing).collect();
        let is_settled = entries.is_some_and(|entries| entries.iter().all(|entries| entries.is_settled(now)));
        if let (true, true, false, Some(note)) = (missing.is_empty(), is_settled, change.is_empty(), note) {
            // One that cannot be written costs another look.
            let _ = fs::create_dir_all(&self.complete_venvs())
                .and_then(|()| fs::write_note(&path, note.as_bytes()));
        }
        missing
    }

    /// The folders of entries that these wheels were linked from, as they are now; `None` where one is not there, or is no longer
    /// a store of this user's.
    fn stamps_of(&self, wheels: &[LinkedWheel<'_>]) -> Option<Vec<Stamp>> {
        let layers: BTreeSet<&Path> = wheels.iter().filter_map(|wheel| wheel.layer).collect();
        let mut folders = vec![self.entries()];
        for layer in layers {
            folders.push(self.layer(layer)?.entries());
        }
        folders.iter().map(|folder| Stamp::of(folder)).collect()
    }

    /// Forgets venvs that are gone.
    pub(super) fn sweep_complete(&self) -> Result<(), StoreError> {
        let roots = self.root_ids()?;
        for name in fs::own_names(&self.complete_venvs()) {
            let is_id = name.to_str().is_some_and(|name| VenvId::parse(name).is_ok());
            if is_id && !roots.iter().any(|id| Some(id.as_str()) == name.to_str()) {
                let _ = fs::remove_file(&self.complete_venvs().join(name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use virtpy_pep::WheelHash;

    use super::*;
    use crate::EntryId;

    #[test]
    fn what_goes_is_missed_and_what_is_complete_is_looked_at_once() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        let digests: Vec<WheelHash> = (0..3).map(|number| [number; 32].into()).collect();
        let wheels: Vec<LinkedWheel<'_>> =
            digests.iter().map(|sha256| LinkedWheel { sha256, layer: None }).collect();
        let folder = |number: usize| store.entry_path(&EntryId::of(&digests[number]));
        for number in 0..3 {
            fs::create_dir_all(&folder(number)).unwrap();
            fs::write_new(&folder(number).join("entry.json"), b"{}", 0o644).unwrap();
        }
        let venv = VenvId::random();
        let missing = || store.missing(&venv, "change", &wheels);
        let is_noted = || store.complete_venvs().join(venv.as_str()).exists();
        assert!(missing().is_empty() && !is_noted(), "an entry may go within the same tick of the clock");
        std::thread::sleep(Duration::from_millis(150));
        assert!(missing().is_empty() && is_noted());
        // Nothing but the folder is looked at from then on.
        fs::remove_file(&folder(0).join("entry.json")).unwrap();
        assert!(missing().is_empty());
        assert_eq!(store.missing(&venv, "another change", &wheels), [0]);
        assert_eq!(store.missing(&venv, "", &wheels), [0]);
        fs::rename(&folder(2), &home.path().join("aside")).unwrap();
        assert_eq!(missing(), [0, 2]);
        store.sweep_complete().unwrap();
        assert!(!is_noted());
    }
}
