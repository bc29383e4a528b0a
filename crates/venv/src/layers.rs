//! The lower stores that a venv has links into: `pyvenv.cfg` names them, and so does `_virtpy.pth`, for tools that sort files by
//! their real paths.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use virtpy_store::{Entry, EntryId, Store};

use super::create::mark;
use super::layout::{MARK_FILE, UNFINISHED};
use super::relink::write_config;
use super::{Installed, Layout, Venv, VenvError};

impl Venv {
    /// The same venv with these entries' stores named among those that it has links into. Nothing is written.
    ///
    /// # Errors
    /// When no script can be made for its place.
    pub fn naming_stores<'a>(
        mut self,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Result<Self, VenvError> {
        self.config.set_layers(entries.into_iter().filter_map(|entry| entry.layer.as_deref()));
        self.layout = Layout::of(&self.root, &self.config)?;
        Ok(self)
    }

    /// Names the stores of entries that are about to be linked, where a lower one is among them that is not named yet. Returns the
    /// venv as it is then; `None` if nothing was to be done.
    pub(super) fn name_stores<'a>(
        &self,
        store: &Store,
        entries: impl Iterator<Item = &'a Entry> + Clone,
    ) -> Result<Option<Self>, VenvError> {
        let mut layers = entries.clone().filter_map(|entry| entry.layer.as_deref()).peekable();
        if layers.peek().is_none() {
            return Ok(None);
        }
        let named = self.config.layers();
        if layers.all(|layer| named.iter().any(|known| known == layer)) {
            return Ok(None);
        }
        let mut config = self.config.clone();
        let all: Vec<PathBuf> = named.into_iter().chain(layers_of(entries)).collect();
        config.set_layers(all.iter().map(PathBuf::as_path));
        let venv = Self { layout: Layout::of(&self.root, &config)?, config, ..self.clone() };
        write_config(&venv, &venv.config)?;
        venv.write_mark(store, UNFINISHED)?;
        Ok(Some(venv))
    }

    /// Registers in lower stores what is about to be linked from them, where their owners let users do that.
    pub(super) fn register_below(&self, store: &Store, entries: &[&Entry], before: &[Installed]) {
        let before: BTreeSet<PathBuf> = before.iter().filter_map(|one| one.layer.clone()).collect();
        let mut uses: BTreeMap<PathBuf, BTreeSet<EntryId>> = BTreeMap::new();
        for entry in entries {
            if let Some(layer) = &entry.layer {
                uses.entry(layer.clone()).or_default().insert(entry.id.clone());
            }
        }
        if !(before.is_empty() && uses.is_empty()) {
            store.register_below(&self.id, &self.root, &uses, &before);
        }
    }

    /// Writes the file by which tools know the files of the stores for third-party code, if this venv has links into them; until it
    /// is complete it has the name `unfinished`.
    pub(super) fn write_mark(&self, store: &Store, unfinished: &str) -> Result<(), VenvError> {
        if self.config.link_mode().folds() {
            let path = format!("{}/{MARK_FILE}", self.layout.site_packages);
            self.directory.replace(unfinished, path, mark(store, &self.config)?.as_bytes(), 0o644)?;
        }
        Ok(())
    }
}

fn layers_of<'a>(entries: impl Iterator<Item = &'a Entry>) -> impl Iterator<Item = PathBuf> {
    entries.filter_map(|entry| entry.layer.as_deref().map(Path::to_path_buf))
}
