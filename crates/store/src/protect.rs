//! Protecting entries by the immutable flag, for stores that root owns: modes keep nobody out who is root.

use std::path::Path;

use virtpy_files::{self as fs, FileKind, Found};

use super::{EntryId, Store, StoreError};

impl Store {
    /// Makes sure that entries can be protected: tries it with a file of its own.
    ///
    /// # Errors
    /// [`StoreError::Unprotected`] where the file system knows no immutable flag, or this process may not set it.
    pub fn require_protection(&self) -> Result<(), StoreError> {
        let folder = self.temporary_folder()?;
        let file = folder.path().join("immutable");
        fs::write_new(&file, b"", 0o600)?;
        let tried = fs::set_immutable(&file, true).and_then(|()| fs::set_immutable(&file, false));
        tried.map_err(StoreError::Unprotected)
    }

    /// Protects an entry: none of its files and folders can be changed, not by root either, until that is taken back. Returns
    /// whether it was not protected before.
    ///
    /// # Errors
    /// When the file system or the system refuses.
    pub fn protect(&self, id: &EntryId) -> Result<bool, StoreError> {
        let path = self.entry_path(id);
        // The entry's own folder comes last: it tells that all below is protected.
        if fs::is_immutable(&path) {
            return Ok(false);
        }
        set_everywhere(&path, true).map_err(StoreError::Unprotected)?;
        Ok(true)
    }

    /// Takes the protection of an entry back. Returns whether it was protected.
    ///
    /// # Errors
    /// When this process may not.
    pub fn unprotect(&self, id: &EntryId) -> Result<bool, StoreError> {
        let path = self.entry_path(id);
        let was_protected = fs::is_immutable(&path);
        set_everywhere(&path, false).map_err(StoreError::Unprotected)?;
        Ok(was_protected)
    }
}

fn has_other_names(path: &Path) -> Result<bool, fs::PathError> {
    Ok(fs::count_names(path, &fs::symlink_metadata(path)?) > 1)
}

fn set_everywhere(folder: &Path, immutable: bool) -> Result<(), fs::PathError> {
    for found in fs::walk(folder) {
        let Found { path, kind } = found?;
        match kind {
            // The flag is the file's, not the name's: a venv that has a name of it could not be changed any more.
            FileKind::File if immutable && has_other_names(&path)? => {}
            FileKind::File | FileKind::Folder => fs::set_immutable(&path, immutable)?,
            FileKind::Link | FileKind::Other => {}
        }
    }
    fs::set_immutable(folder, immutable)
}
