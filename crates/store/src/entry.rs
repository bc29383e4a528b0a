//! One unpacked wheel.

use std::path::{Path, PathBuf};

use virtpy_files as fs;
use virtpy_pep::{PackageName, WheelHash};

use super::manifest::LazyText;
use super::{EntryId, KnownOrigin, Manifest, ROWS, Store, StoreError};

/// Most manifests fit this many bytes, so one read gets them.
const USUAL_MANIFEST: usize = 8 * 1024;

/// A published entry with its manifest.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its handle.
    pub id: EntryId,
    /// Where it stands: `$VIRTPY_HOME/w/<id>`, or the same in a lower store.
    pub path: PathBuf,
    /// The lower store that it is in, by its folder; nothing for one of the user's own store. It is only read there.
    pub layer: Option<PathBuf>,
    /// The package that it is of: the name in its manifest, normalized.
    pub package: PackageName,
    /// What it holds.
    pub manifest: Manifest,
}

impl Entry {
    /// Reads the entry in a folder; `None` where there is none.
    pub(super) fn read(
        id: &EntryId,
        path: PathBuf,
        layer: Option<&Path>,
    ) -> Result<Option<Self>, StoreError> {
        let content = match fs::read_own(&path.join("entry.json"), USUAL_MANIFEST) {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let damaged = |reason: String| StoreError::Damaged { id: id.to_string(), reason };
        let mut manifest = Manifest::parse(&content).map_err(|error| damaged(error.to_string()))?;
        manifest.site_rows = LazyText::of(path.join(ROWS));
        let package = manifest.package_name().map_err(|error| damaged(error.to_string()))?;
        let layer = layer.map(Path::to_path_buf);
        Ok(Some(Self { id: id.clone(), path, layer, package, manifest }))
    }

    /// Whether it is of the wheel with this SHA-256: the handle is only the beginning of it.
    pub(super) fn is_of(&self, sha256: &WheelHash) -> bool {
        self.manifest.sha256 == *sha256
    }
}

impl Store {
    /// Returns the entry of the wheel with this SHA-256, of this store or else of a lower one, or `None` where none has it. One
    /// file is read, whatever the entry's size; the first time after each boot the entry's files are looked at as well. The
    /// whole hash decides: the entry of another wheel whose hash only begins the same is not it.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn entry(&self, sha256: &WheelHash) -> Result<Option<Entry>, StoreError> {
        let own = self.own_entry(sha256)?;
        if own.is_some() { Ok(own) } else { self.lower_entry(sha256, None) }
    }

    /// Returns this store's own entry of the wheel with this SHA-256, or `None` where it has none.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn own_entry(&self, sha256: &WheelHash) -> Result<Option<Entry>, StoreError> {
        let entry = self.entry_by_id(&EntryId::of(sha256))?;
        Ok(entry.filter(|entry| entry.is_of(sha256)))
    }

    /// Returns this store's own entry in the folder `id`, or `None` where there is none.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn entry_by_id(&self, id: &EntryId) -> Result<Option<Entry>, StoreError> {
        Entry::read(id, self.entry_path(id), None)
    }

    /// Where this store's own entry in the folder `id` came from, if its manifest tells that much.
    pub fn provenance(&self, id: &EntryId) -> Option<KnownOrigin> {
        KnownOrigin::of_entry(&self.entry_path(id))
    }

    /// Whether this store or a lower one has the wheel with this SHA-256, without reading its manifest.
    pub fn has(&self, sha256: &WheelHash) -> bool {
        let id = EntryId::of(sha256);
        self.has_own(&id) || self.is_below(&id)
    }

    /// Whether this store itself has something in the folder `id`.
    pub(super) fn has_own(&self, id: &EntryId) -> bool {
        matches!(fs::kind(&self.entry_path(id).join("entry.json")), Ok(Some(_)))
    }
}
