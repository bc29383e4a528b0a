//! Which of the venvs that the store knows are still there, and what they use: what a collection has to know.
//!
//! `pyvenv.cfg` does not decide: `python -m venv` on top of a venv writes it again, and a power cut may empty it. A venv is there
//! as long as its state or links at its place lead into the store. What cannot be read counts as there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use virtpy_files::{self as fs, FileKind, PathError};
use virtpy_pep::WheelHash;
use virtpy_store::{EntryId, Root, Store, StoreError, VenvId};

use super::{PRIVATE_FOLDER, keys};

/// Folders looked through for a venv whose project was renamed.
const NEIGHBOURS: usize = 2_000;

/// So many names are looked at in the folders of packages of a venv whose state is gone; what uses more is kept.
const MOST_NAMES: usize = 1_000_000;

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
    /// The entries of the store that it uses.
    pub uses: BTreeSet<EntryId>,
    /// The entries of lower stores that it uses, as its state says.
    pub uses_lower: BTreeSet<LowerEntry>,
    /// When its state was replaced last, at each of its places.
    stamps: Vec<Option<fs::Stamp>>,
}

/// An entry of a lower store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LowerEntry {
    /// The store's folder.
    pub store: PathBuf,
    /// The entry's handle.
    pub id: EntryId,
}

/// What a venv uses.
#[derive(Default)]
struct Used {
    own: BTreeSet<EntryId>,
    lower: BTreeSet<LowerEntry>,
}

impl Used {
    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.lower.is_empty()
    }

    fn extend(&mut self, other: Self) {
        self.own.extend(other.own);
        self.lower.extend(other.lower);
    }
}

impl Surveyed {
    /// Puts together what was found out.
    pub fn new(id: VenvId, root: Option<Root>, fate: Fate, uses: BTreeSet<EntryId>) -> Self {
        Self { id, root, fate, uses, uses_lower: BTreeSet::new(), stamps: Vec::new() }
    }

    /// Where it is, or was.
    pub fn path(&self) -> Option<&Path> {
        match (&self.fate, &self.root) {
            (Fate::Moved(path), _) => Some(path),
            (_, Some(root)) => Some(&root.path),
            _ => None,
        }
    }

    /// What it is called: its path as far as that is known, or else its id.
    pub fn label(&self) -> String {
        self.path().map_or_else(|| self.id.to_string(), |path| path.display().to_string())
    }
}

/// Looks for every venv that the store knows. Nothing is changed.
///
/// # Errors
/// When the store's records cannot be listed.
pub fn survey(store: &Store) -> Result<Vec<Surveyed>, StoreError> {
    survey_again(store, &[])
}

/// Looks for every venv once more after another survey, whose findings hold for the venvs that did not change since: what may take its time, such
/// as looking at other disks, is done before anybody is kept waiting.
///
/// # Errors
/// When the store's records cannot be listed.
pub fn survey_again(store: &Store, before: &[Surveyed]) -> Result<Vec<Surveyed>, StoreError> {
    let known: BTreeMap<&VenvId, &Surveyed> = before.iter().map(|venv| (&venv.id, venv)).collect();
    let ids = store.own_root_ids()?;
    let mut records = Records::of(store);
    let mut venvs: Vec<Surveyed> = Vec::new();
    // Of many venvs most of the time is waiting for the disk.
    let roots = fs::map_ordered(&ids, fs::processors(), |id| store.root(id));
    for (id, root) in ids.iter().zip(roots) {
        match root {
            Ok(Some(root)) => drop(records.roots.insert(id.clone(), root)),
            Ok(None) => venvs.push(unreadable(id, "its record in the store is damaged".to_owned())),
            Err(error) => venvs.push(unreadable(id, error.to_string())),
        }
    }
    let lost = store.lost_roots()?;
    records.roots.extend(lost.iter().map(|root| (root.id.clone(), root.clone())));
    let roots: Vec<&Root> = records.roots.values().collect();
    venvs.extend(fs::map_ordered(&roots, fs::processors(), |root| match known.get(&root.id) {
        // Whoever links registers first, and ends by replacing the state.
        Some(venv) if venv.root.as_ref() == Some(*root) && venv.stamps == stamps(root) => (*venv).clone(),
        _ => look(root, &records),
    }));
    // Nobody knows of these any more unless they are there.
    venvs.retain(|venv| venv.fate.keeps() || !lost.iter().any(|root| root.id == venv.id));
    venvs.sort_by(|one, other| one.path().cmp(&other.path()).then_with(|| one.id.cmp(&other.id)));
    Ok(venvs)
}

fn unreadable(id: &VenvId, reason: String) -> Surveyed {
    Surveyed::new(id.clone(), None, Fate::Unreadable(reason), BTreeSet::new())
}

/// What tells whether the states at the places of a venv were replaced.
fn stamps(root: &Root) -> Vec<Option<fs::Stamp>> {
    root.places().map(|place| fs::Stamp::of(&state_of(place))).collect()
}

fn state_of(place: &Path) -> PathBuf {
    place.join(PRIVATE_FOLDER).join("state.json")
}

/// Looks for one venv at every place where it may be. There may be several of one id: copies that were not told apart yet.
fn look(root: &Root, records: &Records) -> Surveyed {
    // Before anything is read: what changes while it is read is read once more.
    let stamps = stamps(root);
    let mut uses = Used::default();
    let mut found: Option<PathBuf> = None;
    let mut trouble = None;
    for place in root.places() {
        match records.used_at(place, &root.id) {
            Ok(Some(linked)) => {
                uses.extend(linked);
                found.get_or_insert_with(|| place.clone());
            }
            Ok(None) => {}
            Err(error) => trouble = Some(error),
        }
    }
    if found.is_none()
        && trouble.is_none()
        && let Some(place) = records.renamed(root)
    {
        match records.used_at(&place, &root.id) {
            Ok(linked) => (uses, found) = (linked.unwrap_or_default(), Some(place)),
            Err(error) => trouble = Some(error),
        }
    }
    let unmounted = root.mount.as_ref().filter(|mount| !mount.is_there()).map(|mount| mount.point.clone());
    let fate = match (found, trouble, unmounted) {
        (_, Some(reason), _) => Fate::Unreadable(reason),
        (Some(place), None, _) if place == root.path => Fate::Present,
        (Some(place), None, _) => Fate::Moved(place),
        (None, None, Some(point)) => {
            uses.own.extend(root.uses.iter().cloned());
            Fate::Unmounted(point)
        }
        (None, None, None) => Fate::Gone,
    };
    let Used { own, lower } = uses;
    Surveyed { stamps, uses_lower: lower, ..Surveyed::new(root.id.clone(), Some(root.clone()), fate, own) }
}

/// Whether the venv with this id stands at a place, as far as it says so itself.
pub(super) fn stands(place: &Path, id: &VenvId) -> Result<bool, String> {
    match fs::kind(place) {
        Ok(None) => Ok(false),
        Ok(Some(_)) => Ok(keys::id_at(place).as_ref() == Some(id)),
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
    sha256: WheelHash,
    #[serde(default)]
    store: Option<PathBuf>,
}

/// What the store knows of venvs, and its folder of entries by its name and by its real path.
struct Records {
    roots: BTreeMap<VenvId, Root>,
    entries: [PathBuf; 2],
    /// Which venvs stand beside those that are gone, by their places: many may be gone from one folder with many others.
    neighbours: Mutex<BTreeMap<PathBuf, Option<VenvId>>>,
}

impl Records {
    fn of(store: &Store) -> Self {
        let entries = store.entries();
        let real = fs::canonicalize(&entries).unwrap_or_else(|_| entries.clone());
        Self { roots: BTreeMap::new(), entries: [entries, real], neighbours: Mutex::default() }
    }

    /// What the venv with this id uses at a place; `None` if it is not there. Another venv that stands there answers for
    /// itself, if the store knows it at this place.
    fn used_at(&self, place: &Path, id: &VenvId) -> Result<Option<Used>, String> {
        if fs::kind(place).map_err(|error| explained(&error))?.is_none() {
            return Ok(None);
        }
        let standing = keys::id_at(place);
        let other = standing.as_ref().filter(|other| *other != id).and_then(|other| self.roots.get(other));
        if other.is_some_and(|other| other.places().any(|known| known == place)) {
            return Ok(None);
        }
        let stated = used_by(place)?;
        let mut used = Used { own: self.linked_from(place, stated.is_none())?, ..Used::default() };
        used.extend(stated.unwrap_or_default());
        Ok((standing.as_ref() == Some(id) || !used.is_empty()).then_some(used))
    }

    /// Looks for a venv whose project's folder was renamed: beside the deepest folder on its way that is still there.
    fn renamed(&self, root: &Root) -> Option<PathBuf> {
        let present = root.path.ancestors().skip(1).find(|folder| matches!(fs::kind(folder), Ok(Some(_))))?;
        let mut missing = root.path.strip_prefix(present).ok()?.components();
        missing.next();
        let rest = missing.as_path();
        let neighbours = fs::read_dir_names(present).ok()?;
        let folders = neighbours.into_iter().filter(|(_, kind)| *kind == fs::FileKind::Folder);
        folders
            .take(NEIGHBOURS)
            .map(|(name, _)| present.join(name).join(rest))
            .find(|place| self.neighbour_at(place).as_ref() == Some(&root.id))
    }

    /// The id of the venv at a place, which is read once.
    fn neighbour_at(&self, place: &Path) -> Option<VenvId> {
        let neighbours = || self.neighbours.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = neighbours().get(place) {
            return known.clone();
        }
        let id = keys::id_at(place);
        neighbours().insert(place.to_owned(), id.clone());
        id
    }

    /// The entries that links of a venv lead into: those in its folders of packages, and those of each distribution's
    /// METADATA. With `everywhere` all links there are looked at, which takes longer.
    fn linked_from(&self, place: &Path, everywhere: bool) -> Result<BTreeSet<EntryId>, String> {
        let mut linked = BTreeSet::new();
        let library = place.join("lib");
        let folders =
            names_in(&library)?.into_iter().map(|(name, _)| library.join(name).join("site-packages"));
        let mut waiting: Vec<PathBuf> = folders.collect();
        let mut left = MOST_NAMES;
        while let Some(folder) = waiting.pop() {
            for (name, kind) in names_in(&folder)? {
                left = left.checked_sub(1).ok_or("it has too many files to look at them all")?;
                let path = folder.join(&name);
                match kind {
                    FileKind::Link => linked.extend(self.entry_behind(&path)),
                    FileKind::Folder if everywhere => waiting.push(path),
                    FileKind::Folder if name.as_encoded_bytes().ends_with(b".dist-info") => {
                        linked.extend(self.entry_behind(&path.join("METADATA")));
                    }
                    _ => {}
                }
            }
        }
        Ok(linked)
    }

    /// The entry that a link leads into, also by another name of the store's folder.
    fn entry_behind(&self, link: &Path) -> Option<EntryId> {
        let entry_of = |target: &Path| {
            let inside = self.entries.iter().find_map(|entries| target.strip_prefix(entries).ok())?;
            EntryId::parse(inside.iter().next()?.to_str()?).ok()
        };
        entry_of(&fs::read_link(link).ok()?).or_else(|| entry_of(&fs::canonicalize(link).ok()?))
    }
}

/// The names in a folder, which may be a link to one on another disk; none where there is no such folder.
fn names_in(folder: &Path) -> Result<Vec<(std::ffi::OsString, FileKind)>, String> {
    match fs::metadata(folder) {
        Ok(facts) if facts.is_dir() => fs::read_dir_names(folder).map_err(|error| explained(&error)),
        Ok(_) => Ok(Vec::new()),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(explained(&error)),
    }
}

/// The entries that the state of the venv at a place names; `None` if it has none. One that a power cut emptied does not tell:
/// copies have no links.
fn used_by(place: &Path) -> Result<Option<Used>, String> {
    let path = state_of(place);
    let content = match fs::read_own(&path, 64 * 1024) {
        Ok(content) => content,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(explained(&error)),
    };
    let damaged = |reason: String| format!("`{}` is damaged: {reason}", path.display());
    let state: Uses = serde_json::from_slice(&content).map_err(|error| damaged(error.to_string()))?;
    let mut used = Used::default();
    for Use { sha256, store } in state.distributions {
        let id = EntryId::of(&sha256);
        match store {
            Some(store) => drop(used.lower.insert(LowerEntry { store, id })),
            None => drop(used.own.insert(id)),
        }
    }
    Ok(Some(used))
}
