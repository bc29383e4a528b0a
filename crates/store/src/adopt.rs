//! Making entries of distributions that lie installed somewhere, and finding those that hold the same.
//!
//! Nothing says what SHA-256 their wheels had. The key of such an entry is the SHA-256 of a text that lists its files
//! with theirs ([`InstalledWheel::content_text`]), so the same content gives the same entry wherever it is found.

use std::collections::BTreeMap;

use serde::Deserialize;
use virtpy_files as fs;
use virtpy_files::digest::sha256;
use virtpy_pep::{PackageName, WheelHash};
use virtpy_wheel::{self as wheel, InstalledWheel, Part, Tree};

use super::manifest::Provenance;
use super::usage::now;
use super::{Entry, EntryId, Staged, Store, StoreError};

/// The origin of an entry that was made of a venv's files: nothing says where to fetch it.
pub const ADOPTED: &str = "adopted";

/// The handles of all entries by the normalized names and the versions of their distributions.
#[derive(Debug, Default)]
pub struct Catalogue(BTreeMap<(PackageName, String), Vec<EntryId>>);

/// What the catalogue needs of a manifest.
#[derive(Deserialize)]
struct Label {
    name: String,
    version: String,
    origin: String,
}

/// The key of the entry that is made of an installed distribution, in the place of its wheel's hash.
pub fn content_key(wheel: &InstalledWheel) -> WheelHash {
    sha256(wheel.content_text()).into()
}

impl Store {
    /// Reads which entries there are. Those that cannot be read are left out.
    ///
    /// # Errors
    /// When the folder of the entries cannot be read.
    pub fn catalogue(&self) -> Result<Catalogue, StoreError> {
        let mut catalogue = Catalogue::default();
        for id in self.ids()? {
            let content = fs::read(&self.entry_path(&id).join("entry.json")).unwrap_or_default();
            let Ok(Label { name, version, origin }) = serde_json::from_slice(&content) else { continue };
            let Ok(key) = name.parse::<PackageName>() else { continue };
            let ids = catalogue.0.entry((key, version)).or_default();
            // What came from an index can be fetched again.
            if origin == ADOPTED { ids.push(id) } else { ids.insert(0, id) }
        }
        Ok(catalogue)
    }

    /// Finds a sound entry that holds the same as an installed distribution.
    ///
    /// # Errors
    /// When an entry cannot be read.
    pub fn equal_entry(
        &self,
        catalogue: &Catalogue,
        wheel: &InstalledWheel,
    ) -> Result<Option<Entry>, StoreError> {
        let Ok(key) = wheel.metadata.name.parse::<PackageName>() else { return Ok(None) };
        let known = catalogue.0.get(&(key, wheel.metadata.version.clone()));
        let made = EntryId::of(&content_key(wheel));
        for id in known.into_iter().flatten().chain([&made]) {
            let Ok(Some(entry)) = self.entry_by_id(id) else { continue };
            if holds_the_same(&entry, wheel) && self.look_at(&entry).is_ok() {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Makes entries of installed distributions: copied beside the store, verified, made durable together, then published
    /// by a rename each. A damaged entry with the same key is replaced. The caller holds the right to make them.
    ///
    /// # Errors
    /// When a file was changed meanwhile, or the disk does not take it; nothing is published then, unless publishing itself
    /// failed.
    pub fn adopt(&self, wheels: &[&InstalledWheel]) -> Result<Vec<Entry>, StoreError> {
        let mut staged = Vec::with_capacity(wheels.len());
        for wheel in wheels {
            staged.push(self.stage_installed(wheel)?);
        }
        let mut replaced = Vec::new();
        let mut new = Vec::new();
        for one in staged {
            let id = EntryId::of(&one.manifest().sha256);
            if fs::kind(&self.entry_path(&id))?.is_some() { replaced.push(one) } else { new.push(one) }
        }
        let mut entries = self.publish(new)?;
        for one in replaced {
            entries.push(self.replace(one)?);
        }
        Ok(entries)
    }

    fn stage_installed(&self, wheel: &InstalledWheel) -> Result<Staged, StoreError> {
        let sha256 = content_key(wheel);
        let id = EntryId::of(&sha256);
        let folder = self.draft()?;
        let begun = now();
        let unpacked = wheel.copy_to(folder.path()).map_err(|source| StoreError::Wheel {
            filename: wheel.filename.clone(),
            source: Box::new(source),
        })?;
        let provenance = Provenance { sha256, filename: &wheel.filename, origin: ADOPTED, indexes: &[] };
        Self::complete(folder, id, unpacked, provenance, now().max(begun))
    }
}

/// Whether an entry has the same files, bytecode left out, and every file that can be executed here can be there.
fn holds_the_same(entry: &Entry, wheel: &InstalledWheel) -> bool {
    let manifest = &entry.manifest;
    let Ok(rows) = manifest.rows() else { return false };
    let mut expected = BTreeMap::new();
    for row in &rows {
        let digest = row.hash.as_ref().map_or("", |hash| hash.digest.as_str());
        expected.insert((Tree::Site, row.path.as_str()), digest);
    }
    for (tree, row) in manifest.rows_beside() {
        expected.insert((tree, row.path.as_str()), row.sha256.as_str());
    }
    expected.retain(|(_, path), _| !wheel::is_bytecode(path));
    let found: BTreeMap<_, _> =
        wheel.parts().iter().map(|part| ((part.tree, part.path.as_str()), part.sha256.as_str())).collect();
    let runs = |part: &Part| {
        let path = entry.path.join(part.tree.folder()).join(&part.path);
        fs::symlink_metadata(&path).is_ok_and(|facts| fs::is_executable(&facts))
    };
    manifest.dist_info == wheel.dist_info
        && expected == found
        && wheel.parts().iter().filter(|part| part.executable).all(runs)
}
