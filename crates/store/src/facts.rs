//! What a collection and the statistics want to know of every entry: what it is, what it takes on the disk, how old it is.
//!
//! Sizes are those of the disk: allocated blocks, folders too, a file with several names once. Adding them up means to look at
//! every file of an entry, which never changes but for its bytecode; so what was found out stands in `cache/facts`, and one
//! look at each entry's folder tells whether it still holds: it is written to whenever bytecode comes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use virtpy_files::{self as fs, DiskUse, Stamp};
use virtpy_wheel as wheel;

use super::{EntryId, Layer, Store, StoreError};

/// What a collection and the statistics want to know of an entry, and what programs are told of one.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Facts {
    /// The distribution's name; the handle where the manifest cannot be read.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its handle.
    pub id: EntryId,
    /// What it takes on the disk in bytes, bytecode included.
    #[serde(rename = "bytes")]
    pub size: u64,
    /// What the bytecode that was compiled of it takes.
    #[serde(skip)]
    pub bytecode: u64,
    /// When it was unpacked, in seconds since 1970.
    #[serde(skip)]
    pub unpacked_at: u64,
    /// When it was linked last, as far as that is known, or else unpacked.
    #[serde(skip)]
    pub linked_at: u64,
}

/// What of a manifest those facts need.
#[derive(Deserialize)]
struct Brief {
    name: String,
    version: String,
    unpacked_at: u64,
}

/// What was found out about an entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    /// Its folder as it was then.
    folder: Stamp,
    name: String,
    version: String,
    size: u64,
    bytecode: u64,
    unpacked_at: u64,
}

impl Store {
    /// Facts of every entry, in the order of the handles.
    ///
    /// # Errors
    /// When the folder of the entries cannot be read.
    pub fn facts(&self) -> Result<Vec<Facts>, StoreError> {
        let linked = self.last_linked();
        let known = self.known_facts();
        let now = SystemTime::now();
        let ids = self.entry_names()?;
        let looked = fs::map_ordered(&ids, fs::processors(), |id| {
            let folder = Stamp::of(&self.entry_path(id))?;
            match known.get(id.as_str()) {
                Some(known) if known.folder == folder => Some((known.clone(), true)),
                _ => self.has_manifest(id).then(|| (self.find_out(id, folder), false)),
            }
        });
        let found: Vec<(EntryId, (Known, bool))> =
            ids.into_iter().zip(looked).filter_map(|(id, known)| Some((id, known?))).collect();
        let is_news =
            |(_, (one, was_known)): &(EntryId, (Known, bool))| !was_known && one.folder.is_settled(now);
        if found.iter().any(is_news) || found.len() < known.len() {
            let settled = found.iter().filter(|(_, (one, _))| one.folder.is_settled(now));
            self.note_facts(&settled.map(|(id, (one, _))| (id.as_str(), one)).collect());
        }
        let facts = |(id, (known, _)): (EntryId, (Known, bool))| {
            let Known { name, version, size, bytecode, unpacked_at, .. } = known;
            let linked_at = linked.get(id.as_str()).copied().unwrap_or_default().max(unpacked_at);
            Facts { name, version, id, size, bytecode, unpacked_at, linked_at }
        };
        Ok(found.into_iter().map(facts).collect())
    }

    /// Facts of those entries of a lower store that are meant, by their handle and the name of their package.
    ///
    /// # Errors
    /// When the folder of its entries cannot be read.
    pub fn facts_below(
        &self,
        layer: &Layer,
        is_meant: impl Fn(&EntryId, &dyn Fn() -> Option<String>) -> bool,
    ) -> Result<Vec<Facts>, StoreError> {
        let store = Self::new(layer.home().to_path_buf());
        let mut found = Vec::new();
        for id in store.ids()? {
            let folder = Stamp::of(&store.entry_path(&id));
            if let Some(folder) = folder.filter(|_| is_meant(&id, &|| Some(store.provenance(&id)?.name))) {
                let Known { name, version, size, bytecode, unpacked_at, .. } = store.find_out(&id, folder);
                found.push(Facts { name, version, id, size, bytecode, unpacked_at, linked_at: unpacked_at });
            }
        }
        Ok(found)
    }

    /// Looks at an entry itself.
    fn find_out(&self, id: &EntryId, folder: Stamp) -> Known {
        let path = self.entry_path(id);
        let content = fs::read_own(&path.join("entry.json"), 32 * 1024).ok();
        let brief = content.and_then(|content| serde_json::from_slice::<Brief>(&content).ok());
        let mut disk = DiskUse::default();
        disk.add_tree(&path, wheel::BYTECODE_FOLDER);
        let block = fs::symlink_metadata(&path).map_or(0, |facts| fs::block_size(&facts));
        let bytecode = self.bytecode_size(id, block);
        let size = disk.bytes() + bytecode;
        // One that cannot be read is as old as can be: the grace is for those in the making.
        let (name, version, unpacked_at) = match brief {
            Some(brief) => (brief.name, brief.version, brief.unpacked_at),
            None => (id.to_string(), String::new(), 0),
        };
        Known { folder, name, version, size, bytecode, unpacked_at }
    }

    fn facts_path(&self) -> PathBuf {
        self.cache().join("facts")
    }

    fn known_facts(&self) -> HashMap<String, Known> {
        let content = fs::read_own(&self.facts_path(), 256 * 1024).unwrap_or_default();
        serde_json::from_slice(&content).unwrap_or_default()
    }

    /// A note that cannot be written costs another look.
    fn note_facts(&self, known: &HashMap<&str, &Known>) {
        if let Ok(text) = serde_json::to_vec(known) {
            let _ = fs::write_atomic(&self.facts_path(), &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something that counts as an entry.
    fn entry(store: &Store, number: u32) -> EntryId {
        let id = EntryId::of_text(&number.to_string());
        let site = store.entry_path(&id).join("site/package/__pycache__");
        fs::create_dir_all(&site).unwrap();
        let manifest = format!(r#"{{"name": "package", "version": "{number}", "unpacked_at": 1000}}"#);
        fs::write_new(&store.entry_path(&id).join("entry.json"), manifest.as_bytes(), 0o444).unwrap();
        for small in 0..10 {
            fs::write_new(&site.join(format!("../{small}.py")), b"x = 1", 0o444).unwrap();
        }
        id
    }

    #[test]
    fn sizes_are_those_of_the_disk_and_found_out_once() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        assert_eq!(store.facts().unwrap(), []);
        fs::create_dir_all(&store.cache()).unwrap();
        let id = entry(&store, 1);
        let of_disk = |id: &EntryId| {
            let mut disk = DiskUse::default();
            disk.add_tree(&store.entry_path(id), "none");
            disk.bytes()
        };
        let [facts] = store.facts().unwrap().try_into().unwrap();
        assert_eq!((facts.name.as_str(), facts.version.as_str(), facts.size), ("package", "1", of_disk(&id)));
        // What was changed a moment ago may change again within the same tick.
        assert!(store.known_facts().is_empty());
        std::thread::sleep(std::time::Duration::from_millis(150));
        store.facts().unwrap();
        assert_eq!(store.known_facts().len(), 1);
        // A note is believed as long as the folder is as it was.
        let mut known = store.known_facts();
        known.get_mut(id.as_str()).unwrap().size = 7;
        store.note_facts(&known.iter().map(|(id, known)| (id.as_str(), known)).collect());
        assert_eq!(store.facts().unwrap()[0].size, 7);
        fs::write_new(&store.entry_path(&id).join("bytecode.cpython-313"), b"{}", 0o444).unwrap();
        assert_eq!(store.facts().unwrap()[0].size, of_disk(&id));
        fs::remove_tree(&store.entry_path(&id)).unwrap();
        assert_eq!(store.facts().unwrap(), []);
        assert!(store.known_facts().is_empty(), "what is gone is forgotten");
    }
}
