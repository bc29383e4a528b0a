//! An existing venv: opening it, and where things are in it.

use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind};
use virtpy_store::{Store, StoreError, VenvId};

use crate::config::{Config, ID_KEY, LIBRARY_KEY, STORE_KEY};
use crate::layout::{Layout, PRIVATE_FOLDER};
use crate::{VenvError, keys};

/// An existing venv that virtpy made.
#[derive(Debug, Clone)]
pub struct Venv {
    /// Its folder, absolute.
    pub root: PathBuf,
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
        let (text, is_readable) = match keys::read(root) {
            Err(error) if error.is_not_found() => {
                return Err(match fs::kind(root)? {
                    None => VenvError::Missing(root.to_path_buf()),
                    Some(_) => VenvError::NotAVenv(root.to_path_buf()),
                });
            }
            other => other?,
        };
        let mut config = Config::parse(&text);
        let lost_keys = [ID_KEY, LIBRARY_KEY].iter().any(|key| config.get(key).is_none());
        if lost_keys && !keys::complete(root, &mut config)? {
            return Err(VenvError::NotOurs(root.to_path_buf()));
        }
        Ok(Self { lost_keys: lost_keys || !is_readable, ..Self::of(fs::canonicalize(root)?, config)? })
    }

    /// Whether there is a venv in a folder that virtpy made, whatever else is right or wrong with it.
    pub fn is_at(root: &Path) -> bool {
        keys::id_at(root).is_some()
    }

    /// The venv in `root` that has this configuration.
    pub(crate) fn of(root: PathBuf, config: Config) -> Result<Self, VenvError> {
        let id = config.get(ID_KEY).ok_or_else(|| VenvError::NotOurs(root.clone()))?;
        let id = VenvId::parse(id)?;
        let layout = Layout::of(&root, &config)?;
        let venv = Self { root, config, id, layout, lost_keys: false };
        venv.demand_real_folders()?;
        Ok(venv)
    }

    /// Makes sure that the folders in which virtpy works are really there and not somewhere else: a venv may come from a
    /// repository or from another user, and nothing outside it is touched by way of it.
    pub(super) fn demand_real_folders(&self) -> Result<(), VenvError> {
        let layout = &self.layout;
        let trash = format!("{PRIVATE_FOLDER}/trash");
        for path in [PRIVATE_FOLDER, &trash, &layout.scripts, &layout.site_packages, &layout.headers] {
            let mut reached = self.root.clone();
            for part in path.split('/') {
                reached.push(part);
                match fs::kind(&reached)? {
                    Some(FileKind::Folder) => {}
                    None => break,
                    Some(_) => return Err(VenvError::NotAFolder(reached)),
                }
            }
        }
        Ok(())
    }

    /// The folder of virtpy's own files in it.
    pub fn private(&self) -> PathBuf {
        self.root.join(PRIVATE_FOLDER)
    }

    /// The journal of a change that is under way in it.
    pub(crate) fn journal(&self) -> PathBuf {
        self.private().join("journal.json")
    }

    /// The file by way of which others of its own files are replaced.
    pub(crate) fn unfinished(&self) -> PathBuf {
        self.private().join("unfinished")
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
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    if let Some(id) = keys::is_proven(store, &root) {
        store.forget(&id)?;
    }
    if fs::kind(&root)?.is_some() {
        fs::remove_tree(&root)?;
    }
    Ok(())
}
