//! Entries of lower stores: finding them, and looking at them before their first use.
//!
//! What the user's own store has comes first, then the lower ones in their order. A venv links to where an entry was found, and its
//! state says so: later on an entry is the one in that place, whatever other store has the same. A lower store is never
//! written: no lock, no note, no bytecode.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, MetadataExt as _};
use virtpy_pep::WheelHash;

use super::finding::Finding;
use super::manifest::MANIFEST;
use super::verify::entry_findings;
use super::{Checked, Entry, EntryId, Layer, Store, StoreError, Verdict};

/// A wheel that a venv is linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkedWheel<'a> {
    /// Its SHA-256.
    pub sha256: &'a WheelHash,
    /// The lower store that the links lead into, by its folder; nothing for the user's own.
    pub layer: Option<&'a Path>,
}

impl Store {
    /// The lower store in a folder, if it is one of this store's and is there.
    pub fn layer(&self, home: &Path) -> Option<&Layer> {
        self.lower().ok()?.iter().find(|layer| layer.home() == home && layer.is_there())
    }

    /// Where an entry stands or would stand, in this store or in a lower one. Nothing says that there is one.
    pub fn path_linked(&self, id: &EntryId, layer: Option<&Path>) -> PathBuf {
        match layer {
            Some(home) => home.join("w").join(id.as_str()),
            None => self.entry_path(id),
        }
    }

    /// Whether a wheel is still where it was linked from.
    pub fn has_linked(&self, wheel: LinkedWheel<'_>) -> bool {
        let id = EntryId::of(wheel.sha256);
        match wheel.layer {
            None => self.has_own(&id),
            Some(home) => self.layer(home).is_some_and(|layer| has_entry(layer, &id)),
        }
    }

    /// The entry that a venv is linked with, if it is still where it was linked from.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn linked_entry(&self, wheel: LinkedWheel<'_>) -> Result<Option<Entry>, StoreError> {
        match wheel.layer {
            None => self.own_entry(wheel.sha256),
            Some(home) => self.layer(home).map_or(Ok(None), |layer| entry_in(layer, wheel.sha256)),
        }
    }

    /// The entry that a venv is linked with. If it is gone from where it was linked from, and another store has the same, that one
    /// tells what it held: it is returned as it stood.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn entry_as_linked(&self, wheel: LinkedWheel<'_>) -> Result<Option<Entry>, StoreError> {
        if let Some(entry) = self.linked_entry(wheel)? {
            return Ok(Some(entry));
        }
        let elsewhere = self.entry(wheel.sha256)?;
        Ok(elsewhere.map(|entry| Entry {
            path: self.path_linked(&entry.id, wheel.layer),
            layer: wheel.layer.map(Path::to_path_buf),
            ..entry
        }))
    }

    /// Whether a lower store has something in the folder `id`.
    pub(super) fn is_below(&self, id: &EntryId) -> bool {
        self.lower().is_ok_and(|layers| layers.iter().any(|layer| has_entry(layer, id)))
    }

    /// The entry of a wheel in the first lower store that has it. One that is not as its manifest says, or to which somebody can
    /// write who is not believed, counts as absent. `checked` is what was looked at since the machine started, where that is known.
    ///
    /// # Errors
    /// When a lower store is not believed.
    pub(super) fn lower_entry(
        &self,
        sha256: &WheelHash,
        checked: Option<&Checked>,
    ) -> Result<Option<Entry>, StoreError> {
        for layer in self.lower()?.iter().filter(|layer| layer.is_there()) {
            let Ok(Some(entry)) = entry_in(layer, sha256) else { continue };
            let note = note_of(&entry);
            if checked.map_or_else(|| self.is_noted(&note), |checked| checked.is_noted(&note)) {
                return Ok(Some(entry));
            }
            if self.objection(layer, &entry).is_none() {
                self.note(&note);
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// What is wrong with an entry of a lower store.
    fn objection(&self, layer: &Layer, entry: &Entry) -> Option<String> {
        if let Some(reason) = layer.objection_to(&entry.path) {
            return Some(reason);
        }
        if let Err(error) = self.look_at(entry) {
            return Some(error.to_string());
        }
        let lower = Self::new(layer.home().to_path_buf());
        if Self::is_listed(layer, entry) || lower.is_durable(&entry.id) {
            return None;
        }
        // A power cut may have emptied its files.
        let findings = entry_findings(entry, &lower.digests());
        findings.iter().find(|finding| !finding.is_harmless()).map(Finding::to_string)
    }

    /// Verifies entries of a lower store as [`Self::verify`] does this one's. Nothing is locked there: what its owner is changing just
    /// now may count as a finding.
    pub fn verify_below(&self, layer: &Layer, ids: &[EntryId], done: &(dyn Fn() + Sync)) -> Vec<Verdict> {
        let lower = Self::new(layer.home().to_path_buf());
        let digests = lower.digests();
        fs::map_ordered(ids, fs::processors(), |id| {
            let manifest = lower.entry_by_id(id).ok().flatten().map(|entry| entry.manifest);
            let findings = lower.examine(id, &digests);
            done();
            Verdict {
                id: id.to_string(),
                distribution: manifest.map(|manifest| (manifest.name.clone(), manifest.version.clone())),
                store: Some(layer.home().to_path_buf()),
                findings,
            }
        })
    }

    /// Every entry that this store or a lower one has, with its folder; of two with one handle the first.
    ///
    /// # Errors
    /// When a folder of entries cannot be read, or a lower store is not believed.
    pub fn folders(&self) -> Result<Vec<(EntryId, PathBuf)>, StoreError> {
        let mut folders: BTreeMap<EntryId, PathBuf> =
            self.ids()?.into_iter().map(|id| (id.clone(), self.entry_path(&id))).collect();
        for layer in self.lower()?.iter().filter(|layer| layer.is_there()) {
            let lower = Self::new(layer.home().to_path_buf());
            for id in lower.ids()? {
                let path = lower.entry_path(&id);
                folders.entry(id).or_insert(path);
            }
        }
        Ok(folders.into_iter().collect())
    }
}

fn entry_in(layer: &Layer, sha256: &WheelHash) -> Result<Option<Entry>, StoreError> {
    let id = EntryId::of(sha256);
    if !is_folder(layer, &id) {
        return Ok(None);
    }
    let entry = Entry::read(&id, layer.entries().join(id.as_str()), Some(layer.home()))?;
    Ok(entry.filter(|entry| entry.is_of(sha256)))
}

fn has_entry(layer: &Layer, id: &EntryId) -> bool {
    layer.is_there()
        && is_folder(layer, id)
        && matches!(fs::kind(&layer.entries().join(id.as_str()).join(MANIFEST)), Ok(Some(_)))
}

/// Whether an entry's folder is a real one. Where a link leads, somebody else may decide what is there.
fn is_folder(layer: &Layer, id: &EntryId) -> bool {
    matches!(fs::kind(&layer.entries().join(id.as_str())), Ok(Some(fs::FileKind::Folder)))
}

/// What is noted of an entry of a lower store that was looked at, and of no other that will stand there.
fn note_of(entry: &Entry) -> String {
    let path = entry.path.join(MANIFEST);
    let facts = fs::symlink_metadata(&path).map(|facts| {
        let (device, inode) = fs::identity(&path, &facts);
        (device, inode, facts.mtime(), facts.mtime_nsec())
    });
    format!("below-{}", Store::digest_of(&format!("{} {facts:?}", entry.path.display())))
}
