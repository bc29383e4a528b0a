//! The look at every entry's files, once a day, by the process in the background.
//!
//! Nothing prevents an owner's editor or root's tools from changing what is in the store, so it is noticed instead. Which entries
//! were looked at stands in `cache/looked/<day>`, which may be deleted at any time.

use std::collections::HashSet;
use std::path::PathBuf;

use virtpy_files as fs;

use super::usage::today;
use super::{Entry, EntryId, Store, StoreError};

/// What a look at an entry has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// It is as its manifest says.
    Sound,
    /// It is not, for this reason.
    Damaged(String),
    /// Somebody works on it just now, or it is gone.
    Busy,
}

impl Store {
    fn looked(&self) -> PathBuf {
        self.cache().join("looked")
    }

    /// What was looked at today, as [`Self::note_looked`] was told.
    pub fn looked_today(&self) -> HashSet<String> {
        let content = fs::read_own(&self.looked().join(today().to_string()), 8 * 1024).unwrap_or_default();
        String::from_utf8_lossy(&content).lines().map(str::to_owned).collect()
    }

    /// Notes what was looked at, a line each, and forgets what was on other days. A note that cannot be written only costs
    /// another look.
    pub fn note_looked(&self, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let today = today().to_string();
        let text = lines.join("\n") + "\n";
        let path = self.looked().join(&today);
        let _ = self.write_unless_removed(&path, || fs::append_own_with_folder(&path, text.as_bytes()));
        for name in fs::own_names(&self.looked()) {
            let is_day = name.to_str().is_some_and(|name| name.parse::<u64>().is_ok());
            if is_day && name.to_str() != Some(&today) {
                let _ = fs::remove_file(&self.looked().join(name));
            }
        }
    }

    /// When venvs were looked at, as [`Self::note_venv_looks`] was told.
    pub fn venv_looks(&self) -> String {
        let content = fs::read_own(&self.cache().join("venvs"), 32 * 1024).unwrap_or_default();
        String::from_utf8_lossy(&content).into_owned()
    }

    /// Notes when venvs were looked at. A note that cannot be written only costs more looks.
    pub fn note_venv_looks(&self, text: &str) {
        let path = self.cache().join("venvs");
        let _ = self.write_unless_removed(&path, || fs::write_note(&path, text.as_bytes()));
    }

    /// Compares an entry's files with its manifest as [`Self::look_at`] does, without the store's lock and without keeping
    /// anybody waiting: what looks wrong is looked at once more while nobody can exchange it.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn look_in_passing(&self, id: &EntryId) -> Result<Look, StoreError> {
        let look = || match self.entry_by_id(id) {
            Ok(Some(entry)) => self.verdict_on(&entry),
            Ok(None) => Look::Busy,
            Err(StoreError::Damaged { reason, .. }) => Look::Damaged(reason),
            Err(error) => Look::Damaged(error.to_string()),
        };
        if look() == Look::Sound {
            return Ok(Look::Sound);
        }
        let Some(_lock) = self.try_lock_entry(id)? else { return Ok(Look::Busy) };
        Ok(look())
    }

    fn verdict_on(&self, entry: &Entry) -> Look {
        match self.look_at(entry) {
            Ok(()) => match self.look_at_names(entry).first() {
                None => Look::Sound,
                Some(finding) => Look::Damaged(finding.to_string()),
            },
            Err(StoreError::Damaged { reason, .. }) => Look::Damaged(reason),
            Err(error) => Look::Damaged(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_at_on_another_day_is_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        assert!(store.looked_today().is_empty());
        fs::create_dir_all(&store.entries()).unwrap();
        fs::create_dir_all(&store.looked()).unwrap();
        let yesterday = store.looked().join((today() - 1).to_string());
        fs::write_new(&yesterday, b"one\n", 0o644).unwrap();
        assert!(store.looked_today().is_empty());
        store.note_looked(&["two".to_owned()]);
        store.note_looked(&["three".to_owned(), "four".to_owned()]);
        assert_eq!(store.looked_today().len(), 3);
        assert_eq!(fs::names(&store.looked()).unwrap().len(), 1);
    }

    #[test]
    fn nothing_is_noted_in_a_store_that_is_being_removed() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        let (entries, cache) = (store.entries(), store.cache());
        let note_everything = |store: &Store| {
            store.note_looked(&["one".to_owned()]);
            store.note_venv_looks("two");
            store.note_collection(crate::Collecting::Builds);
            fs::names(&cache).unwrap().len()
        };
        fs::create_dir_all(&cache).unwrap();
        assert_eq!(note_everything(&store), 0, "the entries are gone");
        fs::create_dir_all(&entries).unwrap();
        assert_eq!(note_everything(&store), 3, "an empty cache is none that somebody removes");
        store.watch_for_removal();
        fs::remove_tree(&cache).unwrap();
        fs::create_dir_all(&cache).unwrap();
        assert_eq!(note_everything(&store), 0, "the cache is gone");
    }
}
