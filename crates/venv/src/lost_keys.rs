//! Venvs whose `pyvenv.cfg` has lost virtpy's lines: opening them all the same, and putting the lines back.

use std::path::Path;

use virtpy_files::{self as fs, Directory};
use virtpy_store::Store;

use crate::adopt::library;
use crate::keys::{self, Identity};
use crate::relink::write_config;
use crate::{Config, PRIVATE_FOLDER, Venv, VenvError};

impl Venv {
    /// Opens a venv that has lost its keys and whose state does not hold them either, if the store has a record of this very
    /// place.
    ///
    /// # Errors
    /// As [`Self::open`]'s.
    pub fn open_recorded(store: &Store, root: &Path) -> Result<Self, VenvError> {
        let opened = Self::open(root);
        let Err(VenvError::NotOurs(_)) = &opened else { return opened };
        let root = fs::canonicalize(root)?;
        let directory = Directory::open(&root)?;
        if !directory.has_folder(PRIVATE_FOLDER)? {
            return opened;
        }
        let Some(record) = store.roots()?.into_iter().find(|record| record.path == root) else {
            return opened;
        };
        let mut config = Config::parse(&keys::read(&directory)?.0);
        let library = library(&root, &config)?;
        Identity { id: &record.id, store }.write(&mut config, &root, &library);
        let mut venv = Self::of(root, directory, config)?;
        venv.lost_keys = true;
        Ok(venv)
    }

    /// Writes virtpy's keys back into `pyvenv.cfg` where another tool has taken them out, and the id into the state.
    ///
    /// # Errors
    /// When the venv cannot be written.
    pub fn put_keys_back(&mut self) -> Result<(), VenvError> {
        if self.lost_keys {
            write_config(self, &self.config)?;
            self.lost_keys = false;
        }
        Ok(())
    }
}
