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
mod error;
mod export;
mod foreign;
mod installed_metadata;
mod journal;
mod layout;
mod must_real;
mod nodes;
mod own_pip;
mod pieces;
mod plan;
mod rebuild;
mod record;
mod relink;
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
pub use survey::{Fate, Surveyed, survey};
pub use system_site::distributions_in;
pub use traces::Aftermath;

use crate::fs;
use crate::store::{Store, StoreError, VenvId};

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
}

impl Venv {
    /// Opens the venv in `root`.
    ///
    /// # Errors
    /// When there is no venv, or one that another tool made.
    pub fn open(root: &Path) -> Result<Self, VenvError> {
        let path = root.join("pyvenv.cfg");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.is_not_found() => {
                return Err(match fs::kind(root)? {
                    None => VenvError::Missing(root.to_path_buf()),
                    Some(_) => VenvError::NotAVenv(root.to_path_buf()),
                });
            }
            other => other?,
        };
        let config = Config::parse(&text);
        let id = config.get("virtpy-id").ok_or_else(|| VenvError::NotOurs(root.to_path_buf()))?;
        let id = VenvId::parse(id)?;
        let root = fs::canonicalize(root)?;
        let layout = Layout::of(&root, &config)?;
        Ok(Self { root, config, id, layout })
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

/// Deletes a venv that is virtpy's own to delete, and what the store knows of it; what is left of one is deleted as well.
///
/// # Errors
/// When it cannot be removed.
pub fn discard(store: &Store, root: &Path) -> Result<(), StoreError> {
    if let Ok(venv) = Venv::open(root) {
        store.forget(&venv.id)?;
    }
    if fs::kind(root)?.is_some() {
        fs::remove_tree(root)?;
    }
    Ok(())
}
