//! Entries that ought to be there: whether they are, as folders of their own.

use virtpy_files::{self as fs, FileKind};

use super::{Entry, EntryId, Finding, Store, StoreError, Verdict};

impl Verdict {
    /// Whether the entry is not there at all, so that nothing in the store says what it was.
    pub fn is_absent(&self) -> bool {
        self.findings.contains(&Finding::Missing(String::new()))
    }
}

impl Store {
    /// Whether nothing has the place of an entry. What is there and is none is among [`Self::strangers`].
    ///
    /// # Errors
    /// When the place cannot be looked at.
    pub fn is_vacant(&self, id: &EntryId) -> Result<bool, StoreError> {
        Ok(fs::kind(&self.entry_path(id))?.is_none())
    }

    /// The entry in the place of a handle, or what is there instead. A link is none, wherever it leads.
    pub(super) fn standing(&self, id: &EntryId) -> Result<Entry, Finding> {
        let unusable = |error: StoreError| Finding::NoManifest(error.to_string());
        match fs::kind(&self.entry_path(id)).map_err(|error| unusable(error.into()))? {
            Some(FileKind::Folder) => {}
            Some(_) => return Err(Finding::Changed(String::new())),
            None => return Err(Finding::Missing(String::new())),
        }
        self.entry_by_id(id).map_err(unusable)?.ok_or_else(|| Finding::NoManifest("it is missing".to_owned()))
    }
}
