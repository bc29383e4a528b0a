//! An existing venv: opening it, and where things are in it.

use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, Directory, FileKind, Lock, PathError};
use virtpy_store::{Store, StoreError, VenvId};

use crate::config::{Config, ID_KEY, LIBRARY_KEY, STORE_KEY};
use crate::layout::{Layout, PRIVATE_FOLDER, TRASH};
use crate::{VenvError, keys};

/// An existing venv that virtpy made.
#[derive(Debug, Clone)]
pub struct Venv {
    /// Its folder, absolute.
    pub root: PathBuf,
    /// Its folder, held open: whatever is changed in the venv is changed by way of it.
    pub directory: Directory,
    /// Its `pyvenv.cfg`.
    pub config: Config,
    /// Its id.
    pub id: VenvId,
    /// Where things lie in it.
    pub layout: Layout,
    /// Whether its `pyvenv.cfg` has lost virtpy's keys, which were found elsewhere ([`Venv::put_keys_back`]).
    pub lost_keys: bool,
}

impl Venv {
    /// Opens the venv in `root`.
    ///
    /// # Errors
    /// When there is no venv, or one that another tool made, or folders of its own are links.
    pub fn open(root: &Path) -> Result<Self, VenvError> {
        let absent = |error: PathError| match fs::kind(root) {
            _ if !error.is_not_found() && !error.is_no_folder() => error.into(),
            Ok(None) => VenvError::Missing(root.to_path_buf()),
            _ => VenvError::NotAVenv(root.to_path_buf()),
        };
        let real = fs::canonicalize(root).map_err(absent)?;
        let directory = Directory::open(&real).map_err(absent)?;
        let (text, is_readable) = keys::read(&directory).map_err(absent)?;
        let mut config = Config::parse(&text);
        let lost_keys = [ID_KEY, LIBRARY_KEY].iter().any(|key| config.get(key).is_none());
        if lost_keys && !keys::complete(&directory, &mut config)? {
            return Err(VenvError::NotOurs(root.to_path_buf()));
        }
        Ok(Self { lost_keys: lost_keys || !is_readable, ..Self::of(real, directory, config)? })
    }

    /// Whether there is a venv in a folder that virtpy made, whatever else is right or wrong with it.
    pub fn is_at(root: &Path) -> bool {
        keys::id_at(root).is_some()
    }

    /// The venv in `root` that has this configuration.
    pub(crate) fn of(root: PathBuf, directory: Directory, config: Config) -> Result<Self, VenvError> {
        let id = config.get(ID_KEY).ok_or_else(|| VenvError::NotOurs(root.clone()))?;
        let id = VenvId::parse(id)?;
        let layout = Layout::of(&root, &config)?;
        let venv = Self { root, directory, config, id, layout, lost_keys: false };
        venv.demand_real_folders()?;
        Ok(venv)
    }

    /// Makes sure that the folders in which virtpy works are really there and not somewhere else: a venv may come from a
    /// repository or from another user. Only for a clear message before anything is done: that nothing outside it is
    /// touched is seen to by [`Directory`].
    pub(super) fn demand_real_folders(&self) -> Result<(), VenvError> {
        let layout = &self.layout;
        for path in [TRASH, &layout.scripts, &layout.site_packages, &layout.headers] {
            if let Some(link) = self.directory.first_unreal(path)? {
                return Err(VenvError::NotAFolder(self.root.join(link)));
            }
        }
        Ok(())
    }

    /// Whether it is this user's own, as [`is_proven`] says. What `pyvenv.cfg` said when it was opened counts.
    pub fn is_proven(&self, store: &Store) -> bool {
        if self.lost_keys { is_proven(store, &self.root) } else { store.vouches_for(&self.id, &self.root) }
    }

    /// Holds it alone, for as long as it is changed.
    ///
    /// # Errors
    /// When another process changes it for longer than the patience, or it was replaced or removed meanwhile.
    pub fn lock(&self, store: &Store, announce: &mut dyn FnMut(&str)) -> Result<Lock, VenvError> {
        let lock = store.lock_venv(&self.id, announce)?;
        if self.is_in_place()? { Ok(lock) } else { Err(VenvError::Replaced(self.root.clone())) }
    }

    /// Whether it is what stands at its place now.
    fn is_in_place(&self) -> Result<bool, VenvError> {
        let present = match Directory::open(&self.root) {
            Err(error) if error.is_not_found() || error.is_no_folder() => return Ok(false),
            other => other?,
        };
        // In a mount point a new one is made in the same folder.
        let is_other = keys::id_in(&present).is_some_and(|id| id != self.id);
        Ok(!is_other && present.own_facts()?.identity == self.directory.own_facts()?.identity)
    }

    /// The folder of virtpy's own files in it.
    pub fn private(&self) -> PathBuf {
        self.root.join(PRIVATE_FOLDER)
    }

    /// The folder of the store that its links lead into.
    pub fn store_home(&self) -> Option<PathBuf> {
        self.config.get(STORE_KEY).map(PathBuf::from)
    }

    /// Its interpreter: a link to the base interpreter.
    pub fn python(&self) -> PathBuf {
        self.root.join("bin/python")
    }

    /// The folder of its packages, absolute.
    pub fn site_packages(&self) -> PathBuf {
        self.root.join(&self.layout.site_packages)
    }
}

/// Whether the venv in a folder is this user's own: it carries an id, and the store's record of that id names that very place.
pub fn is_proven(store: &Store, root: &Path) -> bool {
    keys::is_proven(store, root).is_some()
}

/// Deletes a venv that this process has made, or that is in the store, and what the store knows of it; what is left of one is
/// deleted as well. A link to one stays, and so does what the store knows of another venv with the same id.
///
/// # Errors
/// When it cannot be removed.
pub fn discard(store: &Store, root: &Path) -> Result<(), StoreError> {
    let is_link = fs::kind(root)? == Some(FileKind::Link);
    let real = fs::canonicalize(root).ok().filter(|_| !is_link);
    let root = real.unwrap_or_else(|| root.to_path_buf());
    if !is_link && let Some(id) = keys::is_proven(store, &root) {
        store.forget(&id)?;
    }
    if fs::kind(&root)?.is_some() {
        fs::remove_tree(&root)?;
    }
    Ok(())
}
