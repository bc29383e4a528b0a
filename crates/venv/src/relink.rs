//! Venvs that are no longer where or what they were made for: moved, copied, of another store, without interpreter.

use std::path::{Path, PathBuf};

use virtpy_files::{self as fs};
use virtpy_store::{Store, VenvId};
use virtpy_wheel as wheel;

use super::activation::Activation;
use super::config::{ID_KEY, PATH_KEY, STORE_KEY};
use super::create::prompt;
use super::keys::Identity;
use super::layout::UNFINISHED;
use super::{
    BaseInterpreter, Config, Contents, Installed, Layout, Owner, PRIVATE_FOLDER, Venv, VenvError, survey,
};

/// Where a venv stands, compared with where it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At its place.
    Own,
    /// It was moved from this place; its scripts still name that.
    Moved(PathBuf),
    /// It is a copy of the venv at this place: its scripts run that one, and both have the same id.
    Copy(PathBuf),
    /// Its links lead into the store in this folder.
    OtherStore(PathBuf),
}

impl Venv {
    /// Compares where the venv stands with what its `pyvenv.cfg` says. Venvs of earlier versions do not say it.
    ///
    /// # Errors
    /// When the place that it was made for cannot be looked at.
    pub fn place(&self, store: &Store) -> Result<Place, VenvError> {
        if let Some(home) = self.other_store(store) {
            return Ok(Place::OtherStore(home.to_path_buf()));
        }
        let is_here = |place: &PathBuf| {
            *place == self.root || fs::canonicalize(place).is_ok_and(|path| path == self.root)
        };
        let made_for = self.config.get(PATH_KEY).map(PathBuf::from).filter(|place| !is_here(place));
        // What a venv says may be a lie; the store knows where the venv of this id is.
        let known = store.root(&self.id)?.filter(|known| !known.only_seen).map(|known| known.path);
        let known = known.filter(|place| !is_here(place));
        for place in made_for.iter().chain(&known) {
            // A place that cannot be looked at may well hold the original.
            if survey::stands(place, &self.id).unwrap_or(true) {
                return Ok(Place::Copy(place.clone()));
            }
        }
        Ok(made_for.map_or(Place::Own, Place::Moved))
    }

    /// The store that this venv names, if that is another one.
    pub(super) fn other_store(&self, store: &Store) -> Option<&Path> {
        let home = self.config.get(STORE_KEY).map(Path::new).filter(|home| *home != store.home())?;
        // What is not there is no other name of the store.
        let is_another_name = matches!((fs::canonicalize(home), fs::canonicalize(store.home())), (Ok(one), Ok(other)) if one == other);
        (!is_another_name).then_some(home)
    }

    /// Gives a copy an id of its own and registers it. Returns the venv with the new id.
    ///
    /// # Errors
    /// When the venv or the store cannot be written.
    pub fn part_from_original(&self, store: &Store) -> Result<Self, VenvError> {
        let id = VenvId::random();
        store.register(&id, &self.root)?;
        let mut config = self.config.clone();
        config.set(ID_KEY, id.as_str());
        write_config(self, &config)?;
        Self::open(&self.root)
    }

    /// What has to be linked again: what virtpy installed here, and no other installer has taken away or replaced.
    ///
    /// # Errors
    /// When the venv cannot be read.
    pub fn to_be_linked(&self, contents: &Contents) -> Result<Vec<Installed>, VenvError> {
        let mut wanted = Vec::new();
        for installed in &contents.state.distributions {
            let replaced = contents.distributions.iter().any(|found| {
                found.package == installed.package
                    && matches!(&found.owner, Owner::Foreign(described) if described.installer != wheel::INSTALLER.trim())
            });
            let folder = format!("{}/{}", self.layout.site_packages, installed.dist_info);
            if !replaced && self.directory.has_folder(folder)? {
                wanted.push(installed.clone());
            }
        }
        Ok(wanted)
    }

    /// Leads the venv's own links and activation scripts to this interpreter and this place. The caller holds the venv's
    /// lock. `pyvenv.cfg` is left for [`Self::settle`].
    ///
    /// # Errors
    /// When the venv cannot be written.
    pub fn prepare(&self, store: &Store, base: &BaseInterpreter) -> Result<(), VenvError> {
        let directory = self.directory.for_many_changes();
        let in_bin = |name: &str| format!("{}/{name}", self.layout.scripts);
        directory.create_dir_all(PRIVATE_FOLDER)?;
        directory.replace_by_link(UNFINISHED, &base.executable, in_bin("python"))?;
        for name in base.names.iter().filter(|name| *name != "python") {
            directory.replace_by_link(UNFINISHED, Path::new("python"), in_bin(name))?;
        }
        let wish = self.prompt();
        let prompt = prompt(wish.as_deref(), &self.root);
        let activation = Activation { root: &self.root, scripts: &self.layout.scripts, prompt: &prompt };
        for script in activation.scripts()? {
            directory.replace(UNFINISHED, in_bin(script.name), script.content.as_bytes(), 0o644)?;
        }
        self.write_mark(store, UNFINISHED)
    }

    /// The same venv as one whose links lead into this store, for scripts that name it. `pyvenv.cfg` is left for
    /// [`Self::settle`].
    ///
    /// # Errors
    /// When no script can be made for its place.
    pub fn in_store(mut self, store: &Store) -> Result<Self, VenvError> {
        self.config.set(STORE_KEY, store.home().display().to_string());
        self.config.set(PATH_KEY, self.root.display().to_string());
        self.layout = Layout::of(&self.root, &self.config)?;
        Ok(self)
    }

    /// Writes down where the venv stands now, which store it belongs to, and what it runs on: the end of a relink.
    ///
    /// # Errors
    /// When the venv cannot be written.
    pub fn settle(&self, store: &Store, base: &BaseInterpreter) -> Result<(), VenvError> {
        let mut config = self.config.clone();
        config.set("home", base.executable.parent().unwrap_or(Path::new("/")).display().to_string());
        config.set("version", base.version.clone());
        config.set("executable", base.executable.display().to_string());
        Identity { id: &self.id, store }.write(&mut config, &self.root, &base.library);
        write_config(self, &config)
    }
}

/// Replaces a venv's `pyvenv.cfg`.
pub(super) fn write_config(venv: &Venv, config: &Config) -> Result<(), VenvError> {
    venv.directory.create_dir_all(PRIVATE_FOLDER)?;
    Ok(venv.directory.replace(UNFINISHED, "pyvenv.cfg", config.to_string().as_bytes(), 0o644)?)
}
