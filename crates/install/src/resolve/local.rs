//! What the store has of wheels, for requests that may not ask an index.

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

    fn wheel(&self, id: &EntryId) -> Option<LocalWheel> {
        let KnownOrigin { name, sha256, filename, origin, indexes } = self.0.provenance(id)?;
        // The hash of an adopted entry is none of a wheel.
        if origin == ADOPTED || EntryId::of(&sha256).ok()? != *id {
            return None;
        }
        let metadata = self.0.entry_path(id).join(DIST_INFO_ALIAS).join("METADATA");
        Some(LocalWheel { name, filename, sha256, origin, indexes, metadata })
    }
}

impl LocalWheels for StoredWheels {
    fn list(&self) -> Vec<LocalWheel> {
        self.0.ids().unwrap_or_default().iter().filter_map(|id| self.wheel(id)).collect()
    }
}
