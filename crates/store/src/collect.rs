//! Collecting what no venv uses: the plan, which only reads, and carrying it out.
//!
//! The store does not know what a venv is; whoever calls says which entries are in use. A collection holds the store
//! alone, so nobody is between having found an entry and linking it. It takes what goes out of the way by one rename
//! each and deletes afterwards, when it no longer keeps anybody waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use virtpy_files::{self as fs, FileKind, Lock, LockMode};

use super::open::release;
use super::usage::now;
use super::{EntryId, Facts, LockName, PATIENCE, Store, StoreError, VenvId};

/// Which entries that nobody uses are kept all the same. By default only those that came a short while ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long an entry stays after it was unpacked.
    pub grace: Duration,
    /// Remove only what was linked last longer ago than this.
    pub max_age: Option<Duration>,
    /// Remove only as much as brings the entries down to this many bytes on the disk, the longest unused first.
    pub max_size: Option<u64>,
    /// Keep this many entries of each package, the most recently linked; those in use count.
    pub keep_last: usize,
}

impl Policy {
    /// Whether it says by itself how old or how large a store may become.
    pub fn limits(&self) -> bool {
        self.max_age.is_some() || self.max_size.is_some()
    }
}

/// How long an entry stays after it was unpacked, if nobody says otherwise.
const GRACE: Duration = Duration::from_hours(1);

impl Default for Policy {
    fn default() -> Self {
        Self { grace: GRACE, max_age: None, max_size: None, keep_last: 0 }
    }
}

/// What is collected without being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collecting {
    /// What the settings say.
    ByPolicy,
    /// What was built of projects on this machine and replaced since.
    Builds,
}

impl Collecting {
    fn note(self) -> &'static str {
        match self {
            Self::ByPolicy => "collected",
            Self::Builds => "builds-collected",
        }
    }

    fn interval(self) -> Duration {
        match self {
            Self::ByPolicy => Duration::from_hours(24),
            Self::Builds => Duration::from_hours(1),
        }
    }
}

/// What a collection removes, and what it leaves although nobody uses it.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    /// The entries to be removed.
    pub remove: Vec<Facts>,
    /// The unused entries that the policy keeps.
    pub keep: Vec<Facts>,
    /// How many of these it keeps because they are young.
    pub young: usize,
    /// What all entries take on the disk before, in bytes.
    pub total: u64,
}

impl Collection {
    /// Decides which entries go. Nothing is touched.
    pub fn plan(entries: Vec<Facts>, used: &BTreeSet<EntryId>, policy: &Policy) -> Self {
        let now = now();
        let total = entries.iter().map(|entry| entry.size).sum();
        let recent = most_recent(&entries, policy.keep_last);
        let mut collection = Self { total, ..Self::default() };
        let mut candidates = Vec::new();
        for entry in entries.into_iter().filter(|entry| !used.contains(&entry.id)) {
            let is_young = now.saturating_sub(entry.unpacked_at) < policy.grace.as_secs();
            if is_young || recent.contains(&entry.id) {
                collection.young += usize::from(is_young);
                collection.keep.push(entry);
            } else {
                candidates.push(entry);
            }
        }
        candidates.sort_by_key(|entry| entry.linked_at);
        let mut left = total;
        for entry in candidates {
            let too_old = policy.max_age.map(|age| now.saturating_sub(entry.linked_at) > age.as_secs());
            let too_much = policy.max_size.map(|size| left > size);
            let goes = match (too_old, too_much) {
                (None, None) => true,
                (one, other) => one == Some(true) || other == Some(true),
            };
            if goes {
                left -= entry.size;
                collection.remove.push(entry);
            } else {
                collection.keep.push(entry);
            }
        }
        collection
    }

    /// The bytes on the disk that removing them frees.
    pub fn freed(&self) -> u64 {
        self.remove.iter().map(|entry| entry.size).sum()
    }
}

/// The `count` most recently linked entries of each package.
fn most_recent(entries: &[Facts], count: usize) -> BTreeSet<EntryId> {
    let mut packages: BTreeMap<&str, Vec<&Facts>> = BTreeMap::new();
    if count > 0 {
        for entry in entries {
            packages.entry(&entry.name).or_default().push(entry);
        }
    }
    let mut recent = BTreeSet::new();
    for mut versions in packages.into_values() {
        versions.sort_by_key(|entry| std::cmp::Reverse((entry.linked_at, entry.unpacked_at)));
        recent.extend(versions.iter().take(count).map(|entry| entry.id.clone()));
    }
    recent
}

/// What was taken out of the way and can be deleted without holding anybody up.
#[derive(Debug)]
#[must_use]
pub struct Discarded {
    folders: Vec<PathBuf>,
}

impl Discarded {
    /// Deletes everything. `done` hears of each folder that is gone.
    ///
    /// # Errors
    /// When something cannot be deleted; the next collection tries again.
    pub fn delete(mut self, done: &dyn Fn()) -> Result<(), StoreError> {
        while let Some(folder) = self.folders.pop() {
            fs::remove_tree(&folder)?;
            done();
        }
        Ok(())
    }

    /// How many folders there are.
    pub fn len(&self) -> usize {
        self.folders.len()
    }

    /// Whether there is nothing to delete.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
    }
}

impl Store {
    /// Holds the store alone, as a collection does.
    ///
    /// # Errors
    /// When the store is sealed, the lock file cannot be made, or installers hold it for longer than the patience.
    pub fn lock_exclusive(&self, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        let lock = self.lock_alone(announce)?;
        self.require_unsealed()?;
        Ok(lock)
    }

    /// Holds the store alone, sealed or not: for who seals it, undoes that, or changes nothing that is sealed.
    ///
    /// # Errors
    /// When the lock file cannot be made, or installers hold it for longer than the patience.
    pub fn lock_alone(&self, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        Ok(Lock::wait(&self.lock_file(LockName::Store), LockMode::Exclusive, PATIENCE, announce)?)
    }

    /// Holds the store alone if nobody holds it just now; `None` otherwise.
    ///
    /// # Errors
    /// When the store is sealed, or the lock file cannot be made.
    pub fn try_lock_exclusive(&self) -> Result<Option<Lock>, StoreError> {
        let lock = Lock::try_now(&self.lock_file(LockName::Store), LockMode::Exclusive)?;
        self.require_unsealed()?;
        Ok(lock)
    }

    /// Whether the last collection of this kind that nobody asked for was long enough ago. A sealed store is left alone.
    pub fn is_due(&self, collecting: Collecting) -> bool {
        if self.require_unsealed().is_err() {
            return false;
        }
        let note = self.cache().join(collecting.note());
        let time = fs::symlink_metadata(&note).ok().and_then(|facts| facts.modified().ok());
        // A time that is ahead of the clock tells nothing.
        let since = time.and_then(|time| time.elapsed().ok());
        since.is_none_or(|since| since > collecting.interval())
    }

    /// Notes that the store is collected now.
    pub fn note_collection(&self, collecting: Collecting) {
        let path = self.cache().join(collecting.note());
        let _ = self.write_unless_removed(&path, || fs::write_atomic(&path, b""));
    }

    /// Takes entries out of the store, forgets venvs, and sweeps what killed commands left. The caller holds the store
    /// alone (its `lock` is the proof) and may let it go before it deletes what is returned.
    ///
    /// # Errors
    /// When the store cannot be written; what is in use is untouched in any case.
    pub fn collect(
        &self,
        _lock: &Lock,
        entries: &[Facts],
        venvs: &[VenvId],
    ) -> Result<Discarded, StoreError> {
        let temporary = self.temporary();
        fs::create_dir_all(&temporary)?;
        let mut folders = Vec::new();
        for path in self.abandoned() {
            if path.starts_with(&temporary) {
                folders.push(path);
                continue;
            }
            // Somebody may download the same as soon as the store is let go.
            let aside = temporary.join(format!("removed-{}", path.file_name().unwrap_or_default().display()));
            fs::remove_tree(&aside)?;
            fs::rename(&path, &aside)?;
            folders.push(aside);
        }
        for entry in entries {
            let aside = temporary.join(format!("removed-{}", entry.id));
            fs::remove_tree(&aside)?;
            take_aside(&self.entry_path(&entry.id), &aside)?;
            folders.push(aside);
        }
        for venv in venvs {
            self.forget(venv)?;
        }
        self.sweep_unfinished()?;
        self.sweep_notes()?;
        Ok(Discarded { folders })
    }

    /// Removes files that somebody was about to put in another's place when he was killed.
    fn sweep_unfinished(&self) -> Result<(), StoreError> {
        for folder in [self.home().to_owned(), self.home().join("roots")] {
            for name in fs::names(&folder).unwrap_or_default() {
                if name.to_string_lossy().starts_with(fs::UNFINISHED) {
                    fs::remove_file(&folder.join(&name))?;
                }
            }
        }
        Ok(())
    }

    /// Removes lock files that nobody can hold now, and notes about entries and boots that are gone.
    fn sweep_notes(&self) -> Result<(), StoreError> {
        self.sweep_locks()?;
        self.compact_places()?;
        let ids: BTreeSet<String> = self.ids()?.into_iter().map(|id| id.to_string()).collect();
        // Earlier versions noted there what they had compiled.
        fs::remove_tree(&self.cache().join("compiled"))?;
        self.sweep_checked();
        self.compact_links(|id| ids.contains(id));
        self.compact_digests(|id| ids.contains(id));
        self.compact_durable(|id| ids.contains(id.as_str()));
        self.sweep_known_files();
        self.sweep_complete()?;
        Ok(())
    }
}

/// Renames an entry out of the store. Only a folder that may be written can be renamed by its owner.
fn take_aside(path: &Path, aside: &Path) -> Result<(), StoreError> {
    match fs::kind(path)? {
        None => return Ok(()),
        Some(FileKind::Folder) => {
            release(path)?;
            fs::set_mode(path, 0o755)?;
        }
        Some(_) => {}
    }
    Ok(fs::rename(path, aside)?)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str, number: u64, days_ago: u64, size: u64) -> Facts {
        let time = now() - days_ago * 24 * 60 * 60;
        Facts {
            id: EntryId::of_text(&format!("{name} {number}")),
            name: name.to_owned(),
            version: number.to_string(),
            size,
            bytecode: 0,
            unpacked_at: time,
            linked_at: time,
        }
    }

    fn removed(entries: &[Facts], used: &[&Facts], policy: &Policy) -> Vec<String> {
        let used = used.iter().map(|entry| entry.id.clone()).collect();
        let collection = Collection::plan(entries.to_vec(), &used, policy);
        let kept = entries.len() - used.len() - collection.remove.len();
        assert_eq!(collection.keep.len(), kept);
        collection.remove.iter().map(|entry| format!("{} {}", entry.name, entry.version)).collect()
    }

    #[test]
    fn what_is_used_or_young_stays_and_policies_keep_more() {
        let entries =
            [facts("a", 1, 40, 100), facts("a", 2, 20, 100), facts("a", 3, 0, 100), facts("b", 1, 30, 50)];
        let policy = Policy::default();
        assert_eq!(removed(&entries, &[], &policy), ["a 1", "b 1", "a 2"]);
        assert_eq!(removed(&entries, &[&entries[0]], &policy), ["b 1", "a 2"]);
        let no_grace = Policy { grace: Duration::ZERO, ..policy.clone() };
        assert_eq!(removed(&entries, &[], &no_grace), ["a 1", "b 1", "a 2", "a 3"]);
        let aged = Policy { max_age: Some(Duration::from_hours(25 * 24)), ..policy.clone() };
        assert_eq!(removed(&entries, &[], &aged), ["a 1", "b 1"]);
        let sized = Policy { max_size: Some(250), ..policy.clone() };
        assert_eq!(removed(&entries, &[], &sized), ["a 1"]);
        let both =
            Policy { max_size: Some(220), max_age: Some(Duration::from_hours(35 * 24)), ..policy.clone() };
        assert_eq!(removed(&entries, &[], &both), ["a 1", "b 1"]);
        let last = Policy { keep_last: 2, ..no_grace };
        assert_eq!(removed(&entries, &[], &last), ["a 1"]);
    }
}
