//! Noticing that somebody deletes the whole store (`rm -rf`) while the process in the background works in it.
//!
//! `rm` reads a directory, deletes what it has read, and fails at what came meanwhile. Nothing can keep a process from making a
//! file at that moment. So what nobody waits for is made only while everything stands that stood when the process began,
//! and is taken away again if something vanished meanwhile. What others remove for good reasons looks the same, and only
//! costs that a note is not written or a file is compiled later.

use std::path::{Path, PathBuf};

use virtpy_files as fs;

use super::Store;

/// So many entries of a folder are watched: removing more takes so long that the others are seen to go.
const MANY: usize = 64;

impl Store {
    /// Begins to watch for the removal of the store, for [`Self::is_being_removed`]. Every clone of this value watches, too.
    pub fn watch_for_removal(&self) {
        let stable = |folder: &Path| -> Vec<PathBuf> {
            let names = fs::names(folder).unwrap_or_default().into_iter();
            // Files that are being written have such names.
            let names = names.filter(|name| !name.to_string_lossy().starts_with('.'));
            names.take(MANY).map(|name| folder.join(name)).collect()
        };
        let folders = [self.home().to_path_buf(), self.cache(), self.entries()];
        let _ = self.watched.set(folders.iter().flat_map(|folder| stable(folder)).collect());
    }

    /// Whether somebody seems to be removing the store as a whole: something of it is gone. What is written then would be left
    /// over, and be in the way.
    pub fn is_being_removed(&self) -> bool {
        let is_gone = |path: &Path| !matches!(fs::kind(path), Ok(Some(_)));
        is_gone(&self.entries())
            || self.watched.get().is_some_and(|paths| paths.iter().any(|path| is_gone(path)))
    }

    /// Writes a file that nobody waits for, unless the store is being removed.
    pub(super) fn write_unless_removed<E>(
        &self,
        path: &Path,
        write: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        if self.is_being_removed() {
            return Ok(());
        }
        let is_new = matches!(fs::kind(path), Ok(None));
        let written = write();
        if is_new && self.is_being_removed() {
            let _ = fs::remove_file(path);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        store.create_folders().unwrap();
        fs::write_new(&store.cache().join("other"), b"", 0o644).unwrap();
        (home, store)
    }

    #[test]
    fn whatever_goes_is_noticed_by_who_watches() {
        for gone in ["w", "roots", "cache/other", "durable"] {
            let (home, store) = store();
            fs::write_new(&store.cache().join("second"), b"", 0o644).unwrap();
            store.watch_for_removal();
            assert!(!store.is_being_removed(), "{gone}");
            let path = home.path().join(gone);
            if path.is_dir() {
                fs::remove_tree(&path).unwrap();
            } else {
                fs::remove_file(&path).unwrap();
            }
            assert!(store.clone().is_being_removed(), "{gone}");
            let other = Store::new(home.path().to_owned());
            assert_eq!(other.is_being_removed(), gone == "w", "{gone}");
        }
    }

    #[test]
    fn what_was_written_while_it_began_goes_again() {
        let (home, store) = store();
        store.watch_for_removal();
        let note = home.path().join("tmp/note");
        let write = |goes: &str| {
            store.write_unless_removed(&note, || {
                if !goes.is_empty() {
                    fs::remove_tree(&home.path().join(goes)).unwrap();
                }
                fs::write_atomic(&note, b"x")
            })
        };
        write("").unwrap();
        assert!(note.exists());
        fs::remove_file(&note).unwrap();
        write("roots").unwrap();
        assert!(!note.exists(), "it was written, and taken away");
        write("").unwrap();
        assert!(!note.exists(), "it is not even written");
    }
}
