//! One unpacked wheel.

use std::path::PathBuf;

use virtpy_files as fs;
use virtpy_pep::PackageName;

use super::manifest::LazyText;
use super::{EntryId, KnownOrigin, Manifest, ROWS, Store, StoreError};

/// Most manifests fit this many bytes, so one read gets them.
const USUAL_MANIFEST: usize = 8 * 1024;

/// A published entry with its manifest.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its handle.
    pub id: EntryId,
    /// Where it stands: `$VIRTPY_HOME/w/<id>`.
    pub path: PathBuf,
    /// The package that it is of: the name in its manifest, normalized.
    pub package: PackageName,
    /// What it holds.
    pub manifest: Manifest,
}

impl Store {
    /// Returns the entry of the wheel with this SHA-256, or `None` where the store has none. One file is read,
    /// whatever the entry's size; the first time after each boot the entry's files are looked at as well. The whole hash
    /// decides: the entry of another wheel whose hash only begins the same is not it.
    ///
    /// # Errors
    /// When the entry is damaged.
    pub fn entry(&self, sha256: &str) -> Result<Option<Entry>, StoreError> {
        let id = EntryId::of(sha256)?;
        let entry = self.entry_by_id(&id)?;
        Ok(entry.filter(|entry| entry.manifest.sha256.eq_ignore_ascii_case(sha256)))
    }

    /// Returns the entry in the folder `id`, or `None` where there is none.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn entry_by_id(&self, id: &EntryId) -> Result<Option<Entry>, StoreError> {
        let path = self.entry_path(id);
        let content = match fs::read_own(&path.join("entry.json"), USUAL_MANIFEST) {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let damaged = |reason: String| StoreError::Damaged { id: id.to_string(), reason };
        let mut manifest = Manifest::parse(&content).map_err(|error| damaged(error.to_string()))?;
        manifest.site_rows = LazyText::of(path.join(ROWS));
        let package = manifest.package_name().map_err(|error| damaged(error.to_string()))?;
        Ok(Some(Entry { id: id.clone(), path, package, manifest }))
    }

    /// Where the entry in the folder `id` came from, if its manifest tells that much.
    pub fn provenance(&self, id: &EntryId) -> Option<KnownOrigin> {
        let content = fs::read(&self.entry_path(id).join("entry.json")).ok()?;
        serde_json::from_slice(&content).ok()
    }

    /// Whether the store has the wheel with this SHA-256, without reading its manifest.
    pub fn has(&self, sha256: &str) -> bool {
        EntryId::of(sha256)
            .is_ok_and(|id| matches!(fs::kind(&self.entry_path(&id).join("entry.json")), Ok(Some(_))))
    }
}
