//! The locks that keep commands apart which work on the same things.

use std::path::{Path, PathBuf};
use std::time::Duration;

use virtpy_files::{Lock, LockMode};

use super::{EntryId, Store, StoreError, VenvId};

/// How long a command waits for another process before it gives up.
pub const PATIENCE: Duration = Duration::from_mins(5);

impl Store {
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
}
