//! `.virtpy/state.json`: which entries a venv uses, in the order of their installation.
//!
//! It names what virtpy put there; what really stands in `site-packages` decides ([`super::contents`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtpy_files::{self as fs, Directory, PathError};
use virtpy_pep::WheelHash;
use virtpy_store::{LinkedWheel, Store};

use super::layout::{JOURNAL, STATE, STATE_SIZE, UNFINISHED};
use super::{Installed, Venv, VenvError, rebuild};

const FORMAT: u32 = 1;

/// No venv has more. A file that somebody else put there is not worked on for minutes.
const MOST_DISTRIBUTIONS: usize = 10_000;

/// What virtpy knows about a venv's packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    format: u32,
    /// The id of the change that wrote it: a journal with the same id is of a finished change.
    pub change: String,
    /// What is installed, in order.
    pub distributions: Vec<Installed>,
    /// Folders that were kept real because another installer's files were in them.
    #[serde(default)]
    pub shared_folders: Vec<String>,
    /// The digest of the last request that the present set satisfies.
    #[serde(default)]
    pub satisfied: Option<String>,
    /// What `pyvenv.cfg` says of virtpy's: other tools write that file again (`python -m venv` on top of a venv does).
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
    /// Whether the file was empty, as a power cut leaves it, and this was found out from the links instead.
    #[serde(skip)]
    pub rebuilt: bool,
}

/// What tells whether there is nothing to do.
#[derive(Deserialize)]
struct Summary {
    format: u32,
    #[serde(default)]
    change: String,
    distributions: Vec<Digest>,
    satisfied: Option<String>,
}

/// What of a distribution tells which entry it is.
#[derive(Deserialize)]
struct Digest {
    sha256: WheelHash,
    #[serde(default)]
    store: Option<PathBuf>,
}

impl Digest {
    fn linked(&self) -> LinkedWheel<'_> {
        LinkedWheel { sha256: &self.sha256, layer: self.store.as_deref() }
    }
}

impl Summary {
    /// Which of the distributions the store does not have, by their number.
    fn missing(&self, venv: &Venv, store: &Store) -> Vec<usize> {
        let wheels: Vec<LinkedWheel<'_>> = self.distributions.iter().map(Digest::linked).collect();
        store.missing(&venv.id, &self.change, &wheels)
    }
}

impl State {
    /// Reads a venv's state; a venv without one is empty, and one that a power cut emptied is rebuilt from the venv's links.
    ///
    /// # Errors
    /// When the file cannot be read or makes no sense.
    pub fn read(venv: &Venv) -> Result<Self, VenvError> {
        let path = venv.root.join(STATE);
        let content = match fs::read_own(&path, STATE_SIZE) {
            Err(error) if error.is_not_found() => return Ok(Self::default()),
            other => other?,
        };
        if rebuild::is_emptied(&content) {
            return Ok(Self {
                rebuilt: true,
                distributions: rebuild::distributions(venv)?,
                ..Self::default()
            });
        }
        let damaged = |reason: String| VenvError::Damaged { path: path.clone(), reason };
        let state: Self = serde_json::from_slice(&content).map_err(|error| damaged(error.to_string()))?;
        if state.format != FORMAT {
            return Err(damaged(format!("it has format {} and this virtpy reads {FORMAT}", state.format)));
        }
        if state.distributions.len() > MOST_DISTRIBUTIONS {
            return Err(damaged(format!("it names more than {MOST_DISTRIBUTIONS} distributions")));
        }
        Ok(state)
    }

    /// What the present set satisfies, and of how many distributions it is, if nobody but virtpy has put anything into
    /// `site-packages` or taken anything out since the last change, none is under way, and the store has all of it. Asked
    /// without holding the venv.
    ///
    /// # Errors
    /// When the venv cannot be read.
    pub fn still_satisfied(venv: &Venv, store: &Store) -> Result<Option<(String, usize)>, VenvError> {
        if !matches!(Self::outdated_by(&venv.site_packages(), &venv.private()), Ok(None)) {
            return Ok(None);
        }
        if fs::kind(&venv.root.join(JOURNAL))?.is_some() {
            return Ok(None);
        }
        let state =
            serde_json::from_slice::<Summary>(&fs::read_own(&venv.root.join(STATE), STATE_SIZE)?).ok();
        let state = state.filter(|state| state.format == FORMAT && state.missing(venv, store).is_empty());
        Ok(state.and_then(|state| Some((state.satisfied?, state.distributions.len()))))
    }

    /// When the folder of packages was changed, if that was after virtpy's last change of the venv. [`Self::write`] sees to it
    /// that nothing is too fast for that: the folder is older than the state then, and if both are of the same time, somebody
    /// was there.
    ///
    /// # Errors
    /// When one of them is missing.
    pub(super) fn outdated_by(site_packages: &Path, private: &Path) -> Result<Option<(i64, i64)>, PathError> {
        let packages = fs::changed_at(site_packages)?;
        let state = fs::changed_at(&private.join("state.json"))?;
        Ok((packages >= state).then_some(packages))
    }

    /// Whether the store that a venv is of has all that virtpy installed there. What cannot be told counts as there: whoever
    /// changes the venv says what is wrong with it.
    pub fn is_in_store(venv: &Venv, configured: &Store) -> bool {
        let Ok(content) = fs::read_own(&venv.root.join(STATE), STATE_SIZE) else { return true };
        let Ok(state) = serde_json::from_slice::<Summary>(&content) else { return true };
        let own = venv.store_home().map(|home| configured.beside(home));
        let store = own.as_ref().unwrap_or(configured);
        state.missing(venv, store).is_empty()
    }

    /// Which of the distributions the store does not have, by their number.
    pub(super) fn missing(&self, venv: &Venv, store: &Store) -> Vec<usize> {
        let wheels: Vec<LinkedWheel<'_>> = self.distributions.iter().map(Installed::linked).collect();
        store.missing(&venv.id, &self.change, &wheels)
    }

    /// Replaces a venv's state by one rename: the moment at which a change has happened.
    ///
    /// # Errors
    /// When the venv cannot be written.
    pub fn write(&mut self, venv: &Venv) -> Result<(), VenvError> {
        self.write_in(venv, &venv.directory)
    }

    /// Replaces the state as [`Self::write`] does, by way of this handle of the venv's folder.
    pub(super) fn write_in(&mut self, venv: &Venv, directory: &Directory) -> Result<(), VenvError> {
        self.format = FORMAT;
        self.keys = venv.config.own_keys();
        let text = serde_json::to_vec(self)
            .map_err(|error| VenvError::Damaged { path: venv.root.join(STATE), reason: error.to_string() })?;
        // Of a folder that belongs to somebody else it can't be set. Then it is looked at once more than needed.
        let _ = directory.set_folder_back(&venv.layout.site_packages);
        Ok(directory.replace_early(UNFINISHED, STATE, &text, 0o644)?)
    }
}
