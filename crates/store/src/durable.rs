//! Which entries are on the disk, and not only in the system's memory: `durable`, a line for each.
//!
//! Nobody who installs a package waits for a disk, so a power cut may empty what was unpacked in the last seconds. What is on
//! the disk is written down after the system has said so, by the process in the background. An entry that comes from an
//! earlier start of the machine and has no such note is hashed before its first use.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use virtpy_files::{self as fs, MetadataExt as _};
use virtpy_pep::WheelHash;

use super::finding::Finding;
use super::manifest::MANIFEST;
use super::{Checked, Entry, EntryId, Store, StoreError};

/// From so many entries on, two threads read them: reading one means parsing all that it holds.
const MANY: usize = 32;

impl Store {
    fn durable_path(&self) -> PathBuf {
        self.home().join("durable")
    }

    /// Makes the file of the notes. The process in the background, which writes them, then makes no new name in the store's folder.
    pub(super) fn create_durable(&self) -> Result<(), StoreError> {
        Ok(fs::append_own(&self.durable_path(), b"")?)
    }

    /// The notes, as [`Self::durable_note`] writes them.
    fn durable_notes(&self) -> HashSet<String> {
        let content = fs::read_own(&self.durable_path(), 64 * 1024).unwrap_or_default();
        String::from_utf8_lossy(&content).lines().map(str::to_owned).collect()
    }

    /// What is noted of an entry that stands there now, and of no other that stood or will stand there: an entry that was
    /// repaired or copied has other inodes. All numbers are whole or the line fits nothing, should it be cut off.
    fn durable_note(&self, id: &EntryId) -> Option<String> {
        let path = self.entry_path(id).join(MANIFEST);
        let facts = fs::symlink_metadata(&path).ok()?;
        let (_, inode) = fs::identity(&path, &facts);
        Some(format!("{id} {inode} {}.{:09}", facts.mtime(), facts.mtime_nsec()))
    }

    /// Has everything written back, and notes that the entries which were published or looked at since the machine started are
    /// on the disk. Waits for the disk, so it is for processes that nobody waits for. Returns how many notes were made.
    ///
    /// # Errors
    /// When the kernel could not write everything back, or the store cannot be written; nothing is noted then.
    pub fn note_durable(&self) -> Result<usize, StoreError> {
        let known = self.durable_notes();
        // Before everything is written back: what is published meanwhile is not.
        let mut notes: Vec<String> =
            self.checked().entries().filter_map(|id| self.durable_note(&id)).collect();
        notes.retain(|note| !known.contains(note));
        if notes.is_empty() {
            return Ok(0);
        }
        notes.sort();
        fs::sync_file_system(&self.entries())?;
        // A line of its own, whatever a power cut left at the end.
        let text = format!("\n{}\n", notes.join("\n"));
        let path = self.durable_path();
        self.write_unless_removed(&path, || fs::append_durably(&path, text.as_bytes()))?;
        Ok(notes.len())
    }

    /// Whether an entry is known to be on the disk.
    pub(super) fn is_durable(&self, id: &EntryId) -> bool {
        self.durable_note(id).is_some_and(|note| self.durable_notes().contains(&note))
    }

    /// Writes the notes again for the entries that are still there.
    pub(super) fn compact_durable(&self, keep: impl Fn(&EntryId) -> bool) {
        let notes = self.durable_notes();
        let is_kept = |note: &&String| {
            let id = note.split_once(' ').and_then(|(id, _)| EntryId::parse(id).ok());
            id.is_some_and(|id| keep(&id) && self.durable_note(&id).as_ref() == Some(*note))
        };
        let mut kept: Vec<&str> = notes.iter().filter(is_kept).map(String::as_str).collect();
        if kept.len() < notes.iter().filter(|note| !note.is_empty()).count() {
            kept.sort_unstable();
            let _ = fs::write_atomic(&self.durable_path(), (kept.join("\n") + "\n").as_bytes());
        }
    }

    /// Of these entries those that a power cut has damaged: they are of an earlier start of the machine, nothing says that they
    /// were on the disk by then, and their files are not as their manifests say. What is sound is noted, and not hashed again
    /// before the machine starts again.
    pub fn torn(&self, ids: &[EntryId], checked: &mut Checked) -> BTreeSet<EntryId> {
        let unknown: Vec<&EntryId> = ids.iter().filter(|id| !checked.is_noted(id.as_str())).collect();
        if unknown.is_empty() {
            return BTreeSet::new();
        }
        let durable = self.durable_notes();
        let is_doubtful = |id: &EntryId| self.durable_note(id).is_some_and(|note| !durable.contains(&note));
        let doubtful: BTreeSet<EntryId> = unknown.into_iter().filter(|id| is_doubtful(id)).cloned().collect();
        let doubtful: Vec<EntryId> = doubtful.into_iter().collect();
        let digests = self.digests();
        let findings = fs::map_ordered(&doubtful, fs::processors(), |id| self.examine(id, &digests));
        let (mut torn, mut sound) = (BTreeSet::new(), Vec::new());
        for (id, findings) in doubtful.into_iter().zip(findings) {
            if !findings.iter().all(Finding::is_harmless) {
                torn.insert(id);
            } else if findings.is_empty() || self.tidy_now(&id, &findings) {
                checked.add(&id);
                self.note_digest_again(&id, &digests);
                sound.push(id);
            }
        }
        self.note_checked(&sound);
        torn
    }

    /// Whether a power cut has damaged an entry, as [`Self::torn`].
    pub(super) fn is_torn(&self, id: &EntryId) -> bool {
        !self.torn(std::slice::from_ref(id), &mut self.checked()).is_empty()
    }

    /// What the store has of some wheels, by their SHA-256 where that is known. All of it was looked at since the machine started;
    /// what a power cut has damaged counts as missing, and gets out of the way when it is published again.
    ///
    /// # Errors
    /// When an entry is damaged that was whole on the disk: somebody changed it.
    pub fn usable(&self, wanted: &[Option<WheelHash>]) -> Result<Vec<Option<Entry>>, StoreError> {
        let mut checked = self.checked();
        let ids: Vec<Option<EntryId>> =
            wanted.iter().map(|wanted| wanted.as_ref().map(EntryId::of)).collect();
        let torn = self.torn(&ids.iter().flatten().cloned().collect::<Vec<_>>(), &mut checked);
        let look_up = |pair: &(Option<&WheelHash>, Option<&EntryId>)| {
            let (Some(sha256), Some(id)) = *pair else { return Ok(None) };
            let own = if torn.contains(id) { None } else { self.own_entry(sha256)? };
            if own.is_some() { Ok(own) } else { self.lower_entry(sha256, Some(&checked)) }
        };
        let pairs: Vec<_> = wanted.iter().map(Option::as_ref).zip(ids.iter().map(Option::as_ref)).collect();
        let threads = if pairs.len() < MANY { 1 } else { 2 };
        let found = fs::map_ordered(&pairs, threads, look_up).into_iter().collect::<Result<Vec<_>, _>>()?;
        let own = found.iter().flatten().filter(|entry| entry.layer.is_none());
        self.check_since_boot(&own.collect::<Vec<_>>(), &checked)?;
        Ok(found)
    }
}
