//! A venv: making it, knowing what is in it, and changing it.
//!
//! A change is planned first, as plain data, and applied after. The plan of a venv is a function of the set of
//! its distributions ([`plan`]), so what has to be done is the difference between two plans ([`change`]), and a
//! venv always looks as if its final set had been installed at once. Applying is all or nothing: a journal says
//! how to go back.

pub mod activation;
mod adopt;
mod adoption;
mod change;
mod check;
mod config;
mod contents;
mod create;
mod detach;
mod direct_url;
mod earlier;
mod error;
mod export;
mod foreign;
mod installed_metadata;
mod journal;
mod keys;
mod layout;
mod must_real;
mod nodes;
mod own_pip;
mod pieces;
mod place;
mod plan;
mod rebuild;
mod record;
mod relink;
mod served;
mod state;
mod survey;
mod system_site;
mod traces;
mod transaction;

use std::path::{Path, PathBuf};

pub use adopt::Candidate;
pub use adoption::{Adoptable, Extent, Inventory, LeftAlone};
pub use change::{Arrival, Change, ChangeSummary};
pub use check::{Problem, Scope, check, check_requirements, check_tags};
pub use config::{Config, LinkMode};
pub use contents::{Contents, Distribution, Owner};
pub use create::{BaseInterpreter, NewVenv, create, python_literal};
pub use direct_url::{editable_location, frozen};
pub use error::VenvError;
pub use export::Destination;
pub use installed_metadata::LARGEST_METADATA;
pub use layout::Layout;
pub use plan::{Clash, Member, Node, Plan};
pub use relink::Place;
pub use state::{Installed, State};
pub use survey::{Fate, Surveyed, survey, survey_again};
pub use system_site::distributions_in;
pub use traces::Aftermath;

use virtpy_files::{self as fs, FileKind};
use virtpy_store::{Store, StoreError, VenvId};

/// The folder of a venv in which virtpy keeps its own files.
pub const PRIVATE_FOLDER: &str = ".virtpy";

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
        let lost_keys = [create::ID_KEY, create::LIBRARY_KEY].iter().any(|key| config.get(key).is_none());
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
    fn of(root: PathBuf, config: Config) -> Result<Self, VenvError> {
        let id = config.get(create::ID_KEY).ok_or_else(|| VenvError::NotOurs(root.clone()))?;
        let id = VenvId::parse(id)?;
        let layout = Layout::of(&root, &config)?;
        let venv = Self { root, config, id, layout, lost_keys: false };
        venv.demand_real_folders()?;
        Ok(venv)
    }

    /// Makes sure that the folders in which virtpy works are really there and not somewhere else: a venv may come from a
    /// repository or from another user, and nothing outside it is touched by way of it.
    fn demand_real_folders(&self) -> Result<(), VenvError> {
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

    /// The folder of the store that its links lead into.
    pub fn store_home(&self) -> Option<PathBuf> {
        self.config.get(create::STORE_KEY).map(PathBuf::from)
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
