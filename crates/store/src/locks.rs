//! The locks that keep commands apart which work on the same things.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use virtpy_files::{self as fs, Lock, LockMode};

use super::{EntryId, Store, StoreError, VenvId};

/// How long a command waits for another process before it gives up.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// What can be locked. Locks are taken in the order of the variants (several of one kind in the order of their names), so that
/// nobody waits in a ring. Whoever has one of a later kind takes none of an earlier kind, but tries it at most.
#[derive(Debug, Clone, Copy)]
pub enum LockName<'a> {
    /// An installed application, by its name.
    Tool(&'a str),
    /// An application that is run without being installed, by its name.
    Run(&'a str),
    /// The store itself.
    Store,
    /// An environment in the cache that scripts run in, by its name.
    Environment(&'a str),
    /// An interpreter that is installed or removed, by its key.
    Python(&'a str),
    /// A path at which a venv is made.
    Place(&'a Path),
    /// A venv that is changed.
    Venv(&'a VenvId),
    /// An entry that is made or gets bytecode.
    Entry(&'a EntryId),
    /// Compiling in the background.
    Compile,
}

impl LockName<'_> {
    /// The name of its file.
    fn file(self) -> String {
        match self {
            Self::Tool(name) => format!("tool-{name}"),
            Self::Run(name) => format!("run-{name}"),
            Self::Store => "store".to_owned(),
            Self::Environment(name) => format!("environment-{name}"),
            Self::Python(key) => format!("python-{key}"),
            Self::Place(path) => format!("place-{}", Store::digest_of(&path.to_string_lossy())),
            Self::Venv(id) => format!("venv-{id}"),
            Self::Entry(id) => format!("entry-{id}"),
            Self::Compile => "compile".to_owned(),
        }
    }
}

/// The kinds whose files are needed for no longer than they are held. Whoever waits for one that is removed takes the next.
const PASSING: [&str; 6] = ["tool-", "run-", "environment-", "python-", "place-", "entry-"];

impl Store {
    /// The file of a lock.
    pub fn lock_file(&self, name: LockName<'_>) -> PathBuf {
        self.locks().join(name.file())
    }

    /// Removes the lock files that nobody needs now, as far as nobody holds them. The caller holds the store alone.
    pub(super) fn sweep_locks(&self) -> Result<(), StoreError> {
        let venvs: BTreeSet<String> = self.root_ids()?.iter().map(|id| LockName::Venv(id).file()).collect();
        for name in fs::names(&self.locks())? {
            let text = name.to_string_lossy();
            let is_passing = PASSING.iter().any(|kind| text.starts_with(kind));
            let path = self.locks().join(&name);
            if (is_passing || text.starts_with("venv-") && !venvs.contains(&*text))
                && let Some(_free) = Lock::try_now(&path, LockMode::Exclusive)?
            {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Holds the store as an installer does: any number at once, but never beside a collection.
    ///
    /// # Errors
    /// When the store is sealed, the lock file cannot be made, or a collection runs for longer than the patience.
    pub fn lock_shared(&self, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        let lock = self.lock_reading(announce)?;
        // Nobody can seal it from here on.
        self.require_unsealed()?;
        Ok(lock)
    }

    /// The same for who changes nothing in the store: it may be sealed.
    ///
    /// # Errors
    /// When the lock file cannot be made, or a collection runs for longer than the patience.
    pub fn lock_reading(&self, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        Ok(Lock::wait(&self.lock_file(LockName::Store), LockMode::Shared, PATIENCE, announce)?)
    }

    /// Holds one venv alone, for as long as it is changed.
    ///
    /// # Errors
    /// When the lock file cannot be made, or another process changes the venv for longer than the patience.
    pub fn lock_venv(&self, id: &VenvId, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        let path = self.lock_file(LockName::Venv(id));
        Ok(Lock::wait(&path, LockMode::Exclusive, PATIENCE, announce)?)
    }

    /// Holds one venv alone if nobody changes it just now; `None` otherwise.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn try_lock_venv(&self, id: &VenvId) -> Result<Option<Lock>, StoreError> {
        let path = self.lock_file(LockName::Venv(id));
        Ok(Lock::try_now(&path, LockMode::Exclusive)?)
    }

    /// Holds the right to make a venv at a path.
    ///
    /// # Errors
    /// When the lock file cannot be made, or another process makes one there for longer than the patience.
    pub fn lock_place(&self, path: &Path, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        let path = self.lock_file(LockName::Place(path));
        Ok(Lock::wait(&path, LockMode::Exclusive, PATIENCE, announce)?)
    }

    /// Holds the right to make these entries, by their handles or by those of texts that stand for their sources, so that
    /// each is downloaded and unpacked once however many processes want it. All are taken before
    /// the work begins and in sorted order: two processes can never wait for each other in a ring.
    ///
    /// # Errors
    /// When a lock file cannot be made, or another process works on one of them for longer than the patience.
    pub fn lock_entries(
        &self,
        mut ids: Vec<EntryId>,
        announce: &mut dyn FnMut(&str),
    ) -> Result<Vec<Lock>, StoreError> {
        ids.sort();
        ids.dedup();
        let mut locks = Vec::with_capacity(ids.len());
        for id in ids {
            locks.push(self.lock_entry(&id, announce)?);
        }
        Ok(locks)
    }

    /// Holds an entry alone, to put something into its folder or in its place.
    ///
    /// # Errors
    /// When the lock file cannot be made, or another process works on it for longer than the patience.
    pub fn lock_entry(&self, id: &EntryId, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        Ok(Lock::wait(&self.lock_file(LockName::Entry(id)), LockMode::Exclusive, PATIENCE, announce)?)
    }

    /// Holds an entry alone if nobody works on it just now; `None` otherwise.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn try_lock_entry(&self, id: &EntryId) -> Result<Option<Lock>, StoreError> {
        Ok(Lock::try_now(&self.lock_file(LockName::Entry(id)), LockMode::Exclusive)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_files_go_unless_somebody_holds_them_or_may_wait_for_them() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        let (known, gone) = (VenvId::random(), VenvId::random());
        let root = home.path().join("venv");
        fs::create_dir_all(&root).unwrap();
        store.register(&known, &root).unwrap();
        let (free, held) = (EntryId::of_text("free"), EntryId::of_text("held"));
        let names = [
            LockName::Tool("black"),
            LockName::Run("black"),
            LockName::Store,
            LockName::Environment("abc"),
            LockName::Python("cpython-3.12"),
            LockName::Place(Path::new("/v")),
            LockName::Venv(&known),
            LockName::Venv(&gone),
            LockName::Entry(&free),
            LockName::Compile,
        ];
        for name in names {
            Lock::try_now(&store.lock_file(name), LockMode::Exclusive).unwrap().unwrap();
        }
        let lock = store.try_lock_entry(&held).unwrap().unwrap();
        store.sweep_locks().unwrap();
        drop(lock);
        let mut left = fs::names(&store.locks()).unwrap();
        left.sort();
        let expected =
            ["compile".to_owned(), format!("entry-{held}"), "store".to_owned(), format!("venv-{known}")];
        assert_eq!(left, expected.map(std::ffi::OsString::from));
    }
}
