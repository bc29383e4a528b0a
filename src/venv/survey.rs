//! Which of the venvs that the store knows are still there, and what they use: what a collection has to know.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Config, PRIVATE_FOLDER};
use crate::fs::{self, PathError};
use crate::store::{EntryId, Root, Store, StoreError, VenvId};

/// Folders looked through for a venv whose project was renamed.
const NEIGHBOURS: usize = 2_000;

/// What became of a venv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is where it was.
    Present,
    /// It was found at another place.
    Moved(PathBuf),
    /// The file system that it was on is not mounted.
    Unmounted(PathBuf),
    /// It cannot be told, for this reason.
    Unreadable(String),
    /// It is gone.
    Gone,
}

impl Fate {
    /// Whether what it uses has to be kept.
    pub fn keeps(&self) -> bool {
        !matches!(self, Self::Gone)
    }
}

/// A venv that the store knows, and what became of it.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// Its id.
    pub id: VenvId,
    /// What is registered of it; nothing where that file is damaged.
    pub root: Option<Root>,
    /// What became of it.
    pub fate: Fate,
    /// The entries that it uses.
    pub uses: BTreeSet<EntryId>,
}

impl Surveyed {
    /// Where it is, or was.
    pub fn path(&self) -> Option<&Path> {
        match (&self.fate, &self.root) {
            (Fate::Moved(path), _) => Some(path),
            (_, Some(root)) => Some(&root.path),
            _ => None,
        }
    }
}

/// Looks for every venv that the store knows. Nothing is changed.
///
/// # Errors
/// When the store's records cannot be listed.
pub fn survey(store: &Store) -> Result<Vec<Surveyed>, StoreError> {
    let mut venvs: Vec<Surveyed> = Vec::new();
    for id in store.root_ids()? {
        venvs.push(match store.root(&id) {
            Ok(Some(root)) => look(root),
            Ok(None) => unreadable(id, "its record in the store is damaged".to_owned()),
            Err(error) => unreadable(id, error.to_string()),
        });
    }
    venvs.sort_by(|one, other| one.path().cmp(&other.path()).then_with(|| one.id.cmp(&other.id)));
    Ok(venvs)
}

fn unreadable(id: VenvId, reason: String) -> Surveyed {
    Surveyed { id, root: None, fate: Fate::Unreadable(reason), uses: BTreeSet::new() }
}

/// Looks for one venv at every place where it may be. There may be several of one id: copies that were not told apart yet.
fn look(root: Root) -> Surveyed {
    let mut uses = BTreeSet::new();
    let mut found: Option<PathBuf> = None;
    let mut trouble = None;
    for place in root.places() {
        match stands(place, &root.id)
            .and_then(|stands| if stands { used_by(place).map(Some) } else { Ok(None) })
        {
            Ok(Some(ids)) => {
                uses.extend(ids);
                found.get_or_insert_with(|| place.clone());
            }
            Ok(None) => {}
            Err(error) => trouble = Some(error),
        }
    }
    if found.is_none()
        && trouble.is_none()
        && let Some(place) = renamed(&root)
    {
        match used_by(&place) {
            Ok(ids) => (uses, found) = (ids, Some(place)),
            Err(error) => trouble = Some(error),
        }
    }
    let unmounted = root.mount.as_ref().filter(|mount| !mount.is_there()).map(|mount| mount.point.clone());
    let fate = match (found, trouble, unmounted) {
        (_, Some(reason), _) => Fate::Unreadable(reason),
        (Some(place), None, _) if place == root.path => Fate::Present,
        (Some(place), None, _) => Fate::Moved(place),
        (None, None, Some(point)) => {
            uses.extend(root.uses.iter().cloned());
            Fate::Unmounted(point)
        }
        (None, None, None) => Fate::Gone,
    };
    Surveyed { id: root.id.clone(), root: Some(root), fate, uses }
}

/// Whether the venv with this id stands at a place.
pub(super) fn stands(place: &Path, id: &VenvId) -> Result<bool, String> {
    match fs::read_own(&place.join("pyvenv.cfg"), 1024) {
        Ok(content) => {
            Ok(Config::parse(&String::from_utf8_lossy(&content)).get("virtpy-id") == Some(id.as_str()))
        }
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(explained(&error)),
    }
}

fn is_absent(error: &PathError) -> bool {
    matches!(error.source.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn explained(error: &PathError) -> String {
    format!("{error}: {}", error.source)
}

/// What of `state.json` a collection has to know.
#[derive(Deserialize)]
struct Uses {
    distributions: Vec<Use>,
}

#[derive(Deserialize)]
struct Use {
    sha256: String,
}

/// The entries that the venv at a place uses.
fn used_by(place: &Path) -> Result<BTreeSet<EntryId>, String> {
    let path = place.join(PRIVATE_FOLDER).join("state.json");
    let content = match fs::read_own(&path, 64 * 1024) {
        Ok(content) => content,
        Err(error) if is_absent(&error) => return Ok(BTreeSet::new()),
        Err(error) => return Err(explained(&error)),
    };
    let damaged = |reason: String| format!("`{}` is damaged: {reason}", path.display());
    let state: Uses = serde_json::from_slice(&content).map_err(|error| damaged(error.to_string()))?;
    let ids = state.distributions.iter().map(|used| EntryId::of(&used.sha256));
    ids.collect::<Result<_, _>>().map_err(|error| damaged(error.to_string()))
}

/// Looks for a venv whose project's folder was renamed: beside the deepest folder on its way that is still there.
fn renamed(root: &Root) -> Option<PathBuf> {
    let present = root.path.ancestors().skip(1).find(|folder| matches!(fs::kind(folder), Ok(Some(_))))?;
    let mut missing = root.path.strip_prefix(present).ok()?.components();
    missing.next();
    let rest = missing.as_path();
    let neighbours = fs::read_dir_names(present).ok()?;
    let folders = neighbours.into_iter().filter(|(_, kind)| *kind == fs::FileKind::Folder);
    folders
        .take(NEIGHBOURS)
        .map(|(name, _)| present.join(name).join(rest))
        .find(|place| stands(place, &root.id) == Ok(true))
}
