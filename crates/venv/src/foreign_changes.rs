//! Traces that other installers leave in venvs, and what they may have done to the store through its links.
//!
//! An ordinary user cannot write to an entry. For root there are no permissions: an installer that overwrites without
//! uninstalling first, or that adds to a folder which is folded, goes through the link into the store. What it leaves in
//! the venv (its own dist-info) is the trace by which the entries of that venv are looked at again, once for each new
//! trace. Files that it added there are brought back into the venv, where it meant them to be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use virtpy_files as fs;
use virtpy_store::{Entry, EntryId, Store, StoreError};

use super::{ChangeSet, Contents, Venv, VenvError, foreign};

/// What another installer did to the store through a venv.
#[derive(Debug, Default)]
pub struct StoreDamage {
    /// The damaged entries.
    pub damaged: Vec<Entry>,
    /// The files that do not belong to those entries and were meant for the venv: their paths relative to the venv's root,
    /// and their contents.
    pub strays: BTreeMap<String, Vec<u8>>,
    /// What stands for the trace; `None` where there is no new one.
    pub trace: Option<String>,
}

impl Venv {
    /// Looks at this venv's entries if another installer was here since the last time.
    ///
    /// # Errors
    /// When the venv or the store cannot be read.
    pub fn store_damage(&self, store: &Store, contents: &Contents) -> Result<StoreDamage, VenvError> {
        let Some(trace) = self.trace(contents).filter(|trace| !store.is_noted(trace)) else {
            return Ok(StoreDamage::default());
        };
        let mut store_damage = StoreDamage { trace: Some(trace), ..StoreDamage::default() };
        let entries = fs::canonicalize(&store.entries())?;
        let mut joined = BTreeSet::new();
        for distribution in contents.distributions.iter().filter(|one| one.is_foreign()) {
            for (path, real) in foreign::behind_links(self, &entries, distribution) {
                let inside = real.strip_prefix(&entries).ok().and_then(|inside| inside.to_str());
                let Some((id, inside)) = inside.and_then(|inside| inside.split_once('/')) else { continue };
                let Ok(id) = EntryId::parse(id) else { continue };
                if store.entry_by_id(&id)?.is_some_and(|entry| !entry.manifest.has_file(inside)) {
                    store_damage.strays.insert(path, fs::read(&real)?);
                }
                joined.insert(id);
            }
        }
        for installed in &contents.state.distributions {
            // Nobody but its owner can write into a lower store.
            let Some(entry) = store.own_entry(&installed.sha256)?.filter(|_| installed.layer.is_none())
            else {
                continue;
            };
            match store.look_at(&entry) {
                Ok(()) if !joined.contains(&entry.id) => {}
                Ok(()) | Err(StoreError::Damaged { .. }) => store_damage.damaged.push(entry),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(store_damage)
    }

    /// Brings files that another installer wrote into the store back to where it meant them to be. The entries are sound
    /// again already. The caller holds the venv's lock and the store's.
    ///
    /// # Errors
    /// When the venv cannot be written.
    pub fn bring_back(
        &self,
        store: &Store,
        contents: &Contents,
        strays: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(), VenvError> {
        let mut real_folders = BTreeSet::new();
        for path in strays.keys() {
            let mut inner = path.as_str();
            while let Some((parent, _)) = inner.rsplit_once('/') {
                if self.layout.is_skeleton(parent) || !real_folders.insert(parent.to_owned()) {
                    break;
                }
                inner = parent;
            }
        }
        self.apply(store, contents, &ChangeSet { real_folders, ..ChangeSet::default() })?;
        for (path, content) in strays {
            if let Some((folder, _)) = path.rsplit_once('/') {
                self.directory.create_dir_all(folder)?;
            }
            self.directory.write_new(path, content, 0o644)?;
        }
        Ok(())
    }

    /// What others did here: their dist-info folders with their times, and what they took away.
    fn trace(&self, contents: &Contents) -> Option<String> {
        let mut trace = String::new();
        let foreign = contents.distributions.iter().filter(|one| one.is_foreign());
        for name in foreign.map(|one| &one.dist_info).chain(contents.lost.iter().map(|one| &one.dist_info)) {
            trace.push_str(name);
            if let Ok((seconds, nanoseconds)) = fs::changed_at(&self.site_packages().join(name)) {
                let _ = write!(trace, "{seconds}.{nanoseconds}");
            }
        }
        (!trace.is_empty()).then(|| format!("{}-{}", self.id, Store::digest_of(&trace)))
    }
}
