//! The store: every wheel that any venv of this machine uses, unpacked once, read-only, keyed by its SHA-256.
//!
//! An entry is complete or absent: it is unpacked beside the store, verified, made durable and then published by
//! one rename; a published entry is never changed. Venvs register themselves as roots before they link, so that
//! nothing in use is ever collected. `docs/store.md` describes what is on disk.

mod adopt;
mod boot;
mod bytecode;
mod collect;
mod daily;
mod digests;
mod entry;
mod error;
mod ingest;
mod manifest;
mod open;
mod pip_shim;
mod protect;
mod roots;
mod strangers;
mod usage;
mod verify;

use std::path::{Path, PathBuf};
use std::time::Duration;

use virtpy_files::{self as fs, Lock, LockMode};

pub use adopt::{ADOPTED, Catalogue, content_key};
pub use boot::Checked;
pub use bytecode::{Batch, Dialect, Module, Published, Record, Staging, Stray};
pub use collect::{Collection, Discarded, Facts, GRACE, Policy};
pub use daily::Look;
pub use entry::{Entry, EntryId};
pub use error::StoreError;
pub use ingest::{DIST_INFO_ALIAS, Staged, WheelFile};
pub use manifest::{FileRow, FolderItem, KnownOrigin, Manifest, ROWS, ScriptRow};
pub use pip_shim::{PIP_SHIM_ORIGIN, PIP_SHIM_VERSION, PROGRAM, is_pip_shim};
pub use roots::{Mount, Root, VenvId};
pub use strangers::Stranger;
pub use verify::{Finding, Verdict};

/// How long a command waits for another process before it gives up.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// The store under one `$VIRTPY_HOME`. Cheap to make: no folder is touched before it is needed.
#[derive(Debug, Clone)]
pub struct Store {
    home: PathBuf,
}

impl Store {
    /// The store that lives in `home`, an absolute path.
    pub fn new(home: PathBuf) -> Self {
        Self { home }
    }

    /// The folder of everything: `$VIRTPY_HOME`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The folder of the entries. Its name is one letter so that links into it stay under 60 bytes, which ext4
    /// keeps inside the inode.
    pub fn entries(&self) -> PathBuf {
        self.home.join("w")
    }

    /// The folder in which entries and downloads are made before they are published.
    pub fn temporary(&self) -> PathBuf {
        self.home.join("tmp")
    }

    /// The folder of the lock files.
    pub fn locks(&self) -> PathBuf {
        self.home.join("locks")
    }

    /// What may be deleted at any time: HTTP answers, interpreters' facts, wheels built from source.
    pub fn cache(&self) -> PathBuf {
        self.home.join("cache")
    }

    /// The folder of the installed interpreters.
    pub fn pythons(&self) -> PathBuf {
        self.home.join("pythons")
    }

    /// The folder of the applications' commands.
    pub fn bin(&self) -> PathBuf {
        self.home.join("bin")
    }

    /// The folder of the applications, one folder each.
    pub fn tools(&self) -> PathBuf {
        self.home.join("tools")
    }

    /// The folder of the real pips, one venv for each version of Python, that do what only pip can do.
    pub fn shared_pips(&self) -> PathBuf {
        self.home.join("tools/.pip")
    }

    /// Where an entry stands or would stand.
    pub fn entry_path(&self, id: &EntryId) -> PathBuf {
        self.entries().join(id.as_str())
    }

    /// Holds the store as an installer does: any number at once, but never beside a collection.
    ///
    /// # Errors
    /// When the lock file cannot be made, or a collection runs for longer than the patience.
    pub fn lock_shared(&self, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        Ok(Lock::wait(&self.locks().join("store"), LockMode::Shared, PATIENCE, announce)?)
    }

    /// Holds one venv alone, for as long as it is changed.
    ///
    /// # Errors
    /// When the lock file cannot be made, or another process changes the venv for longer than the patience.
    pub fn lock_venv(&self, id: &VenvId, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        let path = self.locks().join(format!("venv-{}", id.as_str()));
        Ok(Lock::wait(&path, LockMode::Exclusive, PATIENCE, announce)?)
    }

    /// The same if nobody changes it just now.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn try_lock_venv(&self, id: &VenvId) -> Result<Option<Lock>, StoreError> {
        let path = self.locks().join(format!("venv-{}", id.as_str()));
        Ok(Lock::try_now(&path, LockMode::Exclusive)?)
    }

    /// Holds the right to make a venv at a path.
    ///
    /// # Errors
    /// When the lock file cannot be made, or another process makes one there for longer than the patience.
    pub fn lock_place(&self, path: &Path, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        let name = format!("place-{}", Self::digest_of(&path.to_string_lossy()));
        Ok(Lock::wait(&self.locks().join(name), LockMode::Exclusive, PATIENCE, announce)?)
    }

    /// Holds the right to make the entries named by `keys` (a SHA-256, or any text that stands for the source of
    /// one), so that each is downloaded and unpacked once however many processes want it. All are taken before
    /// the work begins and in sorted order: two processes can never wait for each other in a ring.
    ///
    /// # Errors
    /// When a lock file cannot be made, or another process works on one of them for longer than the patience.
    pub fn lock_entries(
        &self,
        mut keys: Vec<String>,
        announce: &mut dyn FnMut(&str),
    ) -> Result<Vec<Lock>, StoreError> {
        keys.sort();
        keys.dedup();
        let mut locks = Vec::with_capacity(keys.len());
        for key in keys {
            locks.push(self.lock_entry(&EntryId::of_text(&key), announce)?);
        }
        Ok(locks)
    }

    /// Holds an entry alone, to put something into its folder or in its place.
    ///
    /// # Errors
    /// When the lock file cannot be made, or another process works on it for longer than the patience.
    pub fn lock_entry(&self, id: &EntryId, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        Ok(Lock::wait(&self.entry_lock(id), LockMode::Exclusive, PATIENCE, announce)?)
    }

    /// The same if nobody works on it just now.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn try_lock_entry(&self, id: &EntryId) -> Result<Option<Lock>, StoreError> {
        Ok(Lock::try_now(&self.entry_lock(id), LockMode::Exclusive)?)
    }

    fn entry_lock(&self, id: &EntryId) -> PathBuf {
        self.locks().join(format!("entry-{id}"))
    }

    /// Makes the folders that every store has; whoever registers the first venv does it.
    fn create_folders(&self) -> Result<(), StoreError> {
        let roots = self.home.join("roots");
        for folder in [self.entries(), self.temporary(), self.locks(), self.cache(), roots] {
            fs::create_dir_all(&folder)?;
        }
        Ok(())
    }

    /// Marks the entries as third-party code, once for each store: coverage takes for such what lies in a folder of
    /// `sys.path` that has a `pyvenv.cfg` somewhere above. Returns the folder that venvs put on their `sys.path`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn mark_as_third_party(&self) -> Result<PathBuf, StoreError> {
        let mark = self.home.join("pyvenv.cfg");
        if fs::kind(&mark)?.is_none() {
            fs::write_atomic(&mark, b"# This is no venv: it marks what lies below as third-party code.\n")?;
        }
        Ok(self.entries())
    }

    /// Makes a folder of its own under `tmp/`, removed when the returned value is dropped.
    ///
    /// # Errors
    /// When the store's folder cannot be written.
    pub fn temporary_folder(&self) -> Result<tempfile::TempDir, StoreError> {
        let parent = self.temporary();
        fs::create_dir_all(&parent)?;
        Ok(fs::temporary_folder(&parent)?)
    }
}
