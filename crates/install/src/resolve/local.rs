//! What the store has of wheels, for requests that may not ask an index.

use std::path::Path;

use virtpy_resolver::{LocalWheel, LocalWheels};

use virtpy_store::{ADOPTED, DIST_INFO_ALIAS, EntryId, KnownOrigin, Store};

/// The wheels in a store.
#[derive(Debug)]
pub(crate) struct StoredWheels(Store);

impl StoredWheels {
    /// Those of this store.
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    fn wheel(id: &EntryId, folder: &Path) -> Option<LocalWheel> {
        let KnownOrigin { name, sha256, filename, origin, indexes } = KnownOrigin::of_entry(folder)?;
        // The hash of an adopted entry is none of a wheel.
        if origin == ADOPTED || EntryId::of(&sha256) != *id {
            return None;
        }
        let metadata = folder.join(DIST_INFO_ALIAS).join("METADATA");
        Some(LocalWheel { name, filename, sha256, origin, indexes, metadata })
    }
}

impl LocalWheels for StoredWheels {
    fn list(&self) -> Vec<LocalWheel> {
        let folders = self.0.folders().unwrap_or_default();
        folders.iter().filter_map(|(id, folder)| Self::wheel(id, folder)).collect()
    }
}
