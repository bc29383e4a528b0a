//! What lies among the entries: the entries, and whatever else somebody put there.
//!
//! An entry is a folder with a manifest, named by its handle. Anything else in `w/` (other names, links, folders without a
//! manifest) is a stranger: no collection takes it and nothing uses it. Nobody knows what it is to whom, so it is never
//! deleted, but moved into `quarantine/`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind};

use super::open::release;
use super::{EntryId, Store, StoreError};

/// Something in `w/` that is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Its name there.
    pub name: OsString,
    /// The handle that its name is, if it is one: venvs may have links to what lies in it.
    pub id: Option<EntryId>,
}

impl Store {
    /// The handles of all published entries, sorted.
    ///
    /// # Errors
    /// When the folder of the entries cannot be read.
    pub fn ids(&self) -> Result<Vec<EntryId>, StoreError> {
        let names = self.names_among_entries()?;
        let mut ids: Vec<EntryId> =
            names.iter().filter_map(|(name, kind)| self.entry_named(name, *kind)).collect();
        ids.sort();
        Ok(ids)
    }

    /// The handles that folders in `w/` are named by, sorted: those of all entries, and perhaps of what is none.
    ///
    /// # Errors
    /// When the folder of the entries cannot be read.
    pub(super) fn entry_names(&self) -> Result<Vec<EntryId>, StoreError> {
        let names = self.names_among_entries()?.into_iter();
        let folders = names.filter(|(_, kind)| *kind == FileKind::Folder);
        let mut ids: Vec<EntryId> =
            folders.filter_map(|(name, _)| EntryId::parse(name.to_str()?).ok()).collect();
        ids.sort();
        Ok(ids)
    }

    /// Whether the folder of a handle is an entry.
    pub(super) fn has_manifest(&self, id: &EntryId) -> bool {
        has_file(&self.entry_path(id).join("entry.json"))
    }

    /// What lies among the entries and is none, sorted by its name.
    ///
    /// # Errors
    /// When the folder of the entries cannot be read.
    pub fn strangers(&self) -> Result<Vec<Stranger>, StoreError> {
        let names = self.names_among_entries()?.into_iter();
        let strange = names.filter(|(name, kind)| self.entry_named(name, *kind).is_none());
        let stranger = |(name, _): (OsString, FileKind)| {
            let id = name.to_str().and_then(|name| EntryId::parse(name).ok());
            Stranger { name, id }
        };
        let mut strangers: Vec<Stranger> = strange.map(stranger).collect();
        strangers.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(strangers)
    }

    /// Moves what lies among the entries and is none into the quarantine. Returns where it is then, or `None` if it is
    /// gone, or an entry by now.
    ///
    /// # Errors
    /// When it belongs to somebody else, or the store cannot be written.
    pub fn put_aside(&self, stranger: &Stranger) -> Result<Option<PathBuf>, StoreError> {
        let path = self.entries().join(&stranger.name);
        let Some(kind) = fs::kind(&path)? else { return Ok(None) };
        if self.entry_named(&stranger.name, kind).is_some() {
            return Ok(None);
        }
        let quarantine = self.home().join("quarantine");
        fs::create_dir_all(&quarantine)?;
        // A folder of its own for each, so that nothing that was put aside before is in the way.
        let folder = fs::temporary_folder_named(&quarantine, "from-w-")?.keep();
        let aside = folder.join(&stranger.name);
        if kind == FileKind::Folder {
            // Only a folder that may be written can be moved by its owner.
            release(&path)?;
            fs::set_mode(&path, 0o755)?;
        }
        fs::rename(&path, &aside)?;
        Ok(Some(aside))
    }

    /// Makes way for an entry where something else has its place. Returns whether that was so.
    ///
    /// # Errors
    /// When that belongs to somebody else.
    pub(super) fn make_way(&self, id: &EntryId) -> Result<bool, StoreError> {
        let stranger = Stranger { name: id.as_str().into(), id: Some(id.clone()) };
        Ok(self.put_aside(&stranger)?.is_some())
    }

    fn names_among_entries(&self) -> Result<Vec<(OsString, FileKind)>, StoreError> {
        match fs::read_dir_names(&self.entries()) {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            other => Ok(other?),
        }
    }

    /// The handle of the entry that something in `w/` is.
    fn entry_named(&self, name: &std::ffi::OsStr, kind: FileKind) -> Option<EntryId> {
        let id = EntryId::parse(name.to_str()?).ok()?;
        let manifest = self.entries().join(name).join("entry.json");
        let is_entry = kind == FileKind::Folder && has_file(&manifest);
        is_entry.then_some(id)
    }
}

/// What cannot be looked at counts as a file: only what is certainly no entry is a stranger.
fn has_file(path: &Path) -> bool {
    !matches!(fs::kind(path), Ok(None | Some(FileKind::Folder | FileKind::Link | FileKind::Other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_moved_and_never_takes_the_place_of_another() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        fs::create_dir_all(&store.entries().join("0123456789abcdef")).unwrap();
        fs::create_dir_all(&store.entries().join("fedcba9876543210")).unwrap();
        fs::write_new(&store.entries().join("fedcba9876543210/entry.json"), b"{}", 0o444).unwrap();
        fs::symlink(Path::new("fedcba9876543210"), &store.entries().join("00000000000000ff")).unwrap();
        let names = |store: &Store| -> Vec<String> {
            let strangers = store.strangers().unwrap();
            strangers.iter().map(|one| one.name.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(&store), ["00000000000000ff", "0123456789abcdef"]);
        assert_eq!(store.ids().unwrap().len(), 1);
        for text in ["one", "two"] {
            let path = store.entries().join("note");
            fs::write_new(&path, text.as_bytes(), 0o644).unwrap();
            let aside = store.put_aside(&Stranger { name: "note".into(), id: None }).unwrap().unwrap();
            assert_eq!(fs::read(&aside).unwrap(), text.as_bytes());
        }
        let entry = Stranger { name: "fedcba9876543210".into(), id: None };
        assert_eq!(store.put_aside(&entry).unwrap(), None, "an entry is none");
        for stranger in store.strangers().unwrap() {
            assert!(store.put_aside(&stranger).unwrap().is_some());
        }
        assert_eq!(names(&store), Vec::<String>::new());
        assert_eq!(fs::names(&store.home().join("quarantine")).unwrap().len(), 4);
    }
}
