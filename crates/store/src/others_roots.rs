//! Roots of other users, in a store that they have below their own.
//!
//! Its owner may open `roots/` to everybody, as `/tmp` is: with the sticky bit. Then a user's virtpy registers there which entries a
//! venv is about to use, and a collection of the owner keeps them. Nothing else in such a file is believed: no path in it is looked
//! at, no link is followed, and only so much is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use virtpy_files::{self as fs, MetadataExt as _, PermissionsExt as _};

use super::{EntryId, Root, Store, StoreError, VenvId};

/// The most that is read of one file: so much names tens of thousands of entries.
const LARGEST: u64 = 1 << 20;

/// So many files of others are looked at.
const MOST_FILES: usize = 100_000;

/// The sticky bit, and that everybody may make files.
const OPEN: u32 = 0o1002;

/// What is believed of another user's root.
#[derive(Deserialize)]
struct Registered {
    /// What the venv uses here.
    #[serde(default)]
    uses: BTreeSet<EntryId>,
}

/// What other users' venvs use, as they say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsedByOthers {
    /// How many venvs say so.
    pub venvs: usize,
    /// The entries.
    pub uses: BTreeSet<EntryId>,
}

impl Store {
    fn roots_folder(home: &Path) -> PathBuf {
        home.join("roots")
    }

    /// Opens the roots to other users.
    ///
    /// # Errors
    /// When the folder cannot be made or changed.
    pub fn open_roots(&self) -> Result<(), StoreError> {
        let folder = Self::roots_folder(self.home());
        fs::create_dir_all(&folder)?;
        Ok(fs::set_mode(&folder, 0o1777)?)
    }

    /// Whether other users may register venvs here.
    pub(super) fn has_open_roots(&self) -> bool {
        is_open(&Self::roots_folder(self.home()))
    }

    /// The ids of the venvs that the store's owner registered: what others put there is none of its own.
    ///
    /// # Errors
    /// When the folder of the roots cannot be read.
    pub fn own_root_ids(&self) -> Result<Vec<VenvId>, StoreError> {
        let mut ids = self.root_ids()?;
        if self.has_open_roots() {
            let folder = Self::roots_folder(self.home());
            ids.retain(|id| self.is_owners(&folder.join(id.as_str())));
        }
        Ok(ids)
    }

    /// Whether a root belongs to the store's owner alone.
    fn is_owners(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|facts| facts.is_file() && !self.is_of_others(path, &facts))
    }

    /// Whether a root was put there by another user, in a folder that is open to them. A second name of one of the owner's files
    /// may have been made by anybody.
    pub(super) fn is_of_others(&self, path: &Path, root: &Metadata) -> bool {
        let names = fs::count_names(path, root);
        let is_usual = names == 1 && (root.uid() == 0 || root.uid() == fs::effective_user());
        let is_owners = || names == 1 && fs::metadata(self.home()).is_ok_and(|home| home.uid() == root.uid());
        !is_usual && self.has_open_roots() && !is_owners()
    }

    /// What other users' venvs use of this store, as far as they could register it.
    ///
    /// # Errors
    /// When the folder of the roots cannot be read.
    pub fn used_by_others(&self) -> Result<UsedByOthers, StoreError> {
        let mut used = UsedByOthers::default();
        if !self.has_open_roots() {
            return Ok(used);
        }
        let folder = Self::roots_folder(self.home());
        for id in self.root_ids()?.iter().take(MOST_FILES) {
            let path = folder.join(id.as_str());
            if self.is_owners(&path) {
                continue;
            }
            let content = fs::read_unlinked(&path, LARGEST);
            if let Some(registered) = content.ok().and_then(|text| serde_json::from_slice(&text).ok()) {
                let Registered { uses } = registered;
                used.venvs += 1;
                used.uses.extend(uses);
            }
        }
        Ok(used)
    }

    /// Registers in lower stores what the venv at a place is about to use of them, by their folders, and takes back what was registered in those
    /// that are named `before` and are used no more. Where that cannot be done, their owners collect by age.
    pub fn register_below(
        &self,
        id: &VenvId,
        place: &Path,
        uses: &BTreeMap<PathBuf, BTreeSet<EntryId>>,
        before: &BTreeSet<PathBuf>,
    ) {
        for (home, uses) in uses.iter().filter(|(home, _)| self.layer(home).is_some()) {
            let folder = Self::roots_folder(home);
            // The whole of a root: the lower store may be the same user's, who looks at the venv itself.
            let root = Root {
                id: id.clone(),
                path: place.to_path_buf(),
                elsewhere: Vec::new(),
                only_seen: true,
                mount: None,
                uses: uses.iter().cloned().collect(),
            };
            let Ok(text) = serde_json::to_vec(&root) else { continue };
            let path = folder.join(id.as_str());
            let is_known = || fs::read_unlinked(&path, LARGEST).is_ok_and(|known| known == text);
            if is_open(&folder) && !is_known() && fs::write_atomic(&path, &text).is_ok() {
                // Its reader has other rights, whatever the umask is.
                let _ = fs::set_mode(&path, 0o644);
            }
        }
        for home in before.iter().filter(|home| !uses.contains_key(*home) && self.layer(home).is_some()) {
            forget_in(home, id);
        }
    }

    /// Takes back what is registered of a venv in lower stores.
    pub(super) fn forget_below(&self, id: &VenvId) {
        for layer in self.lower().into_iter().flatten().filter(|layer| layer.is_there()) {
            forget_in(layer.home(), id);
        }
    }
}

fn forget_in(home: &Path, id: &VenvId) {
    let folder = Store::roots_folder(home);
    if is_open(&folder) {
        // What is somebody else's the sticky bit protects.
        let _ = fs::remove_file(&folder.join(id.as_str()));
    }
}

fn is_open(folder: &Path) -> bool {
    fs::symlink_metadata(folder)
        .is_ok_and(|facts| facts.is_dir() && facts.permissions().mode() & OPEN == OPEN)
}
