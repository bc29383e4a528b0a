//! Which venvs were changed behind virtpy's back: only some are looked at each time, the longest unseen first.
//!
//! For root there are no permissions, so an installer that root runs in one venv may have changed what all venvs use. Looking at
//! every venv with each change would make a change the slower the more venvs there are. So a change looks at no more than a
//! hundred others, at most of them with one system call, and the process in the background looks at the rest.
//!
//! The index `cache/venvs` has a line for each venv, the longest unseen first: its id, when its folder of packages was changed last
//! as far as that was looked into, where it is, and that folder in it, with tabs between. It may be deleted at any time.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use virtpy_files::{self as fs, MetadataExt as _, Stamp};
use virtpy_store::{Store, StoreError, VenvId};

use super::{Config, Layout, PRIVATE_FOLDER, State, Venv, keys};

/// How many looks a change is worth. One at a venv that was not seen before counts as several.
const LOOKS: usize = 100;

/// How many looks it takes to find out where the packages of a venv are.
const FIRST_LOOK: usize = 8;

/// How many a venv takes in which something was changed, by virtpy or another.
const CLOSE_LOOK: usize = 2;

/// A venv that somebody else changed after virtpy's last change there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedVenv {
    /// Its id.
    pub id: VenvId,
    /// Its folder.
    pub root: PathBuf,
    /// What stands for the change: another one has another trace.
    pub trace: String,
}

/// What a look at some of the store's venvs has shown.
#[derive(Debug)]
pub struct Lookout {
    /// Those that were changed.
    pub changed: Vec<ChangedVenv>,
    /// The lines of those that were not looked at this time.
    left: Vec<Line>,
    /// The lines of those that were.
    seen: Vec<Line>,
}

/// What the index has of a venv.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    id: VenvId,
    /// When the folder of packages was changed last, if everything up to then was looked into.
    known: Option<(i64, i64)>,
    /// Its folder, and the folder of packages in that; `None` for one that was not there.
    place: Option<(PathBuf, String)>,
}

impl Lookout {
    /// Looks at some of the venvs that the store knows, but for the one that the caller works on.
    ///
    /// # Errors
    /// When the store's records cannot be listed.
    pub fn some(store: &Store, present: &Venv) -> Result<Self, StoreError> {
        let mut lookout = Self::of(store, Some(&present.id), LOOKS)?;
        let place = Some((present.root.clone(), present.layout.site_packages.clone()));
        // What virtpy does there now changes that folder once more.
        lookout.seen.push(Line { id: present.id.clone(), known: None, place });
        Ok(lookout)
    }

    /// Looks at all of them.
    ///
    /// # Errors
    /// When the store's records cannot be listed.
    pub fn all(store: &Store) -> Result<Self, StoreError> {
        Self::of(store, None, usize::MAX)
    }

    fn of(store: &Store, present: Option<&VenvId>, looks: usize) -> Result<Self, StoreError> {
        let now = SystemTime::now();
        let mut looks = looks;
        let mut lookout = Self { changed: Vec::new(), left: Vec::new(), seen: Vec::new() };
        for line in queue(store)?.into_iter().filter(|line| Some(&line.id) != present) {
            if looks == 0 {
                lookout.left.push(line);
                continue;
            }
            looks = looks.saturating_sub(lookout.look_at(store, line, now));
        }
        Ok(lookout)
    }

    /// Looks at one venv. Returns how many looks that was.
    fn look_at(&mut self, store: &Store, line: Line, now: SystemTime) -> usize {
        let mut looks = 1;
        let place = line.place.clone().or_else(|| {
            looks = FIRST_LOOK;
            place_of(store, &line.id)
        });
        let Some((root, packages)) = place else {
            self.seen.push(Line { known: None, place: None, ..line });
            return looks;
        };
        let folder = root.join(&packages);
        let Ok(facts) = fs::symlink_metadata(&folder) else {
            // It is gone, or was moved: next time its record is read again.
            self.seen.push(Line { known: None, place: None, ..line });
            return looks;
        };
        let changed = (facts.ctime(), facts.ctime_nsec());
        if line.known == Some(changed) {
            self.seen.push(line);
            return looks;
        }
        let outdated = State::outdated_by(&folder, &root.join(PRIVATE_FOLDER)).unwrap_or_default();
        let mut known = Stamp::from_facts(&folder, &facts).is_settled(now).then_some(changed);
        if let Some((seconds, nanoseconds)) = outdated {
            let trace = format!("{}@{seconds}.{nanoseconds}", line.id);
            self.changed.push(ChangedVenv { id: line.id.clone(), root: root.clone(), trace });
            known = None;
        }
        self.seen.push(Line { known, place: Some((root, packages)), ..line });
        looks + CLOSE_LOOK
    }

    /// Writes down what was seen. Venvs that were changed are looked at again the next time it is their turn; the caller notes
    /// their traces. An index that cannot be written only costs more looks.
    pub fn note(&self, store: &Store) {
        let mut text = String::new();
        for line in self.left.iter().chain(&self.seen) {
            line.write_to(&mut text);
        }
        store.note_venv_looks(&text);
    }
}

/// All venvs that the store knows, the longest unseen first.
fn queue(store: &Store) -> Result<Vec<Line>, StoreError> {
    let ids = store.root_ids()?;
    let content = store.venv_looks();
    let known: Vec<Line> = content.lines().filter_map(Line::parse).collect();
    let seen: HashSet<&VenvId> = known.iter().map(|line| &line.id).collect();
    let new = ids.iter().filter(|id| !seen.contains(id));
    let mut queue: Vec<Line> = new.map(|id| Line { id: id.clone(), known: None, place: None }).collect();
    // Of several lines the last one counts, and what is gone has none.
    let mut last: HashMap<&VenvId, usize> = HashMap::new();
    for (number, line) in known.iter().enumerate() {
        last.insert(&line.id, number);
    }
    let there: HashSet<&VenvId> = ids.iter().collect();
    let counts = |(number, line): &(usize, &Line)| last[&line.id] == *number && there.contains(&line.id);
    queue.extend(known.iter().enumerate().filter(counts).map(|(_, line)| line.clone()));
    Ok(queue)
}

/// Where a venv is, and its folder of packages in it, as its record and its `pyvenv.cfg` say.
fn place_of(store: &Store, id: &VenvId) -> Option<(PathBuf, String)> {
    let root = store.root(id).ok()??.path;
    let config = Config::parse(&keys::text(&root).ok()?);
    let packages = Layout::of(&root, &config).ok()?.site_packages;
    Some((root, packages))
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('\t');
        let id = VenvId::parse(fields.next()?).ok()?;
        let (known, root, packages) = (fields.next()?, fields.next()?, fields.next()?);
        let known = known
            .split_once('.')
            .and_then(|(seconds, nanoseconds)| Some((seconds.parse().ok()?, nanoseconds.parse().ok()?)));
        // What could be anywhere else is not looked at.
        let is_place = Path::new(root).is_absolute() && !packages.starts_with('/');
        Some(Self { id, known, place: is_place.then(|| (PathBuf::from(root), packages.to_owned())) })
    }

    fn write_to(&self, text: &mut String) {
        let _ = write!(text, "{}\t", self.id);
        let _ = match self.known {
            Some((seconds, nanoseconds)) => write!(text, "{seconds}.{nanoseconds}"),
            None => write!(text, "-"),
        };
        let place = self.place.as_ref().and_then(|(root, packages)| Some((root.to_str()?, packages)));
        // The record of one with such a name is read each time.
        let place = place.filter(|(root, _)| !root.contains(['\t', '\n']));
        let (root, packages) = place.map_or(("", ""), |(root, packages)| (root, packages.as_str()));
        let _ = writeln!(text, "\t{root}\t{packages}");
    }
}

#[cfg(test)]
mod tests;
