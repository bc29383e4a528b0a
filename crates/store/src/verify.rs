//! Comparing entries with their manifests, file by file, and putting a sound entry in a damaged one's place.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_files::{self as fs, FileKind, PermissionsExt as _};
use virtpy_wheel::RecordDigest;

use super::comparison::{Comparison, owner_of};
use super::digests::Digests;
use super::finding::Finding;
use super::ingest::move_closed;
use super::manifest::MANIFEST;
use super::open::{OpenFolder, release, while_released};
use super::{Entry, EntryId, Staged, Store, StoreError};

/// What was found in one entry.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Verdict {
    /// The entry's handle.
    pub id: String,
    /// The distribution's name and version, where the manifest tells.
    pub distribution: Option<(String, String)>,
    /// The lower store that it is in; absent for one of the user's own store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<PathBuf>,
    /// What is wrong; nothing for a sound entry.
    pub findings: Vec<Finding>,
}

impl Store {
    /// Hashes every file of these entries and compares everything with the manifests, on all processors. `done` hears
    /// of each entry that is finished. Verdicts come in the order of the handles.
    pub fn verify(&self, ids: &[EntryId], done: &(dyn Fn() + Sync)) -> Vec<Verdict> {
        let digests = self.digests();
        let mut verdicts = fs::map_ordered(ids, fs::processors(), |id| {
            let verdict = self.verify_one(id, &digests);
            done();
            verdict
        });
        verdicts.sort_by(|one, other| one.id.cmp(&other.id));
        verdicts
    }

    fn verify_one(&self, id: &EntryId, digests: &Digests) -> Verdict {
        let verdict =
            |distribution, findings| Verdict { id: id.to_string(), distribution, store: None, findings };
        let entry = match self.standing(id) {
            Ok(entry) => entry,
            Err(finding) => return verdict(None, vec![finding]),
        };
        let label = Some((entry.manifest.name.clone(), entry.manifest.version.clone()));
        let mut findings = entry_findings(&entry, digests);
        // Bytecode may be about to be published: once more while nobody can.
        if findings.iter().any(Finding::is_harmless)
            && let Ok(_lock) = self.lock_entry(id, &mut |_| {})
        {
            findings = entry_findings(&entry, digests);
        }
        verdict(label, findings)
    }

    /// What is wrong with one entry, found without its lock, which the caller may hold.
    pub(super) fn examine(&self, id: &EntryId, digests: &Digests) -> Vec<Finding> {
        match self.standing(id) {
            Ok(entry) => entry_findings(&entry, digests),
            Err(finding) => vec![finding],
        }
    }

    /// Compares the names in an entry, and the modes and owners of its folders, with its manifest, and reads no file of it. A folder
    /// that was not changed since the entry was complete is not listed. What is found may also be what another process is about to do there. Bytecode is looked at by [`Self::clean_bytecode`].
    pub fn look_at_names(&self, entry: &Entry) -> Vec<Finding> {
        match Comparison::of(entry) {
            Ok(comparison) => comparison.of_names().run(),
            Err(error) => vec![Finding::NoManifest(error.to_string())],
        }
    }

    /// Puts harmless findings right, as [`Self::tidy`], if nobody works on the entry just now. Returns whether it was done.
    pub(super) fn tidy_now(&self, id: &EntryId, findings: &[Finding]) -> bool {
        matches!(self.try_lock_entry(id), Ok(Some(_lock)) if self.tidy_held(id, findings).is_ok())
    }

    /// Compares as [`Self::look_at_names`] does. What somebody is working on just now has nothing wrong.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn strays_in(&self, entry: &Entry) -> Result<Vec<Finding>, StoreError> {
        if self.look_at_names(entry).is_empty() {
            return Ok(Vec::new());
        }
        match self.try_lock_entry(&entry.id)? {
            Some(_lock) => Ok(self.look_at_names(entry)),
            None => Ok(Vec::new()),
        }
    }

    /// Takes write permissions away, sets owners and times back and removes what does not belong into an entry, as
    /// [`Self::verify`] found it.
    ///
    /// # Errors
    /// When the entry belongs to somebody else.
    pub fn tidy(&self, id: &EntryId, findings: &[Finding]) -> Result<(), StoreError> {
        let _lock = self.lock_entry(id, &mut |_| {})?;
        self.tidy_held(id, findings)
    }

    /// Does it for whoever holds the entry.
    fn tidy_held(&self, id: &EntryId, findings: &[Finding]) -> Result<(), StoreError> {
        let root = self.entry_path(id);
        for finding in findings {
            match finding {
                Finding::Extra(path) | Finding::Bytecode(path) => {
                    let path = root.join(path);
                    let _open = OpenFolder::at(path.parent().unwrap_or(&root))?;
                    fs::remove_tree(&path)?;
                }
                Finding::WrongMode(path) => {
                    let path = root.join(path);
                    let mode = fs::symlink_metadata(&path)?.permissions().mode();
                    while_released(&path, || fs::set_mode(&path, mode & 0o555))?;
                }
                Finding::Touched(path) => {
                    let time = self.entry_by_id(id)?.map_or(0, |entry| entry.manifest.unpacked_at);
                    let path = root.join(path);
                    while_released(&path, || fs::set_modified(&path, time))?;
                }
                Finding::WrongOwner(path) => self.take_back(id, path)?,
                Finding::Changed(_) | Finding::Missing(_) | Finding::NoManifest(_) => {}
            }
        }
        Ok(())
    }

    /// Gives a file or a folder back to whom the entry belongs. A file gets a new inode: whoever had it may have it open still.
    fn take_back(&self, id: &EntryId, path: &str) -> Result<(), StoreError> {
        let root = self.entry_path(id);
        let owner = owner_of(&root).unwrap_or_else(fs::effective_user);
        let absolute = root.join(path);
        if fs::kind(&absolute)? == Some(FileKind::Folder) {
            return while_released(&absolute, || fs::set_owner(&absolute, owner));
        }
        let before = RecordDigest::of_file(&absolute)?;
        let _open = OpenFolder::at(absolute.parent().unwrap_or(&root))?;
        while_released(&absolute, || fs::renew(&absolute, owner))?;
        if RecordDigest::of_file(&absolute)? != before {
            let reason = format!("`{path}` is being changed");
            return Err(StoreError::Damaged { id: id.to_string(), reason });
        }
        Ok(())
    }

    /// Puts a sound entry in the place of a damaged one, in one step where the system can exchange two folders. What
    /// was compiled for the old one goes with it.
    ///
    /// # Errors
    /// When the store cannot be written; the old entry is then in place.
    pub fn replace(&self, staged: Staged) -> Result<Entry, StoreError> {
        let id = EntryId::of(&staged.manifest().sha256);
        if fs::kind(&self.entry_path(&id))?.is_some() {
            self.exchange(staged)?;
        } else {
            self.publish(vec![staged])?;
        }
        self.entry_by_id(&id)?
            .ok_or_else(|| StoreError::Damaged { id: id.to_string(), reason: "it is gone again".to_owned() })
    }

    /// Puts a sound entry where another one stands.
    pub(super) fn exchange(&self, staged: Staged) -> Result<(), StoreError> {
        let id = staged.id().clone();
        let path = self.entry_path(&id);
        self.note_renewed(&id)?;
        let is_protected = release(&path)?;
        self.note_digests(std::slice::from_ref(&staged));
        // Whatever stood there is removed afterwards, so it may stay open.
        move_closed(staged.path(), &path, |from, to| {
            if !fs::is_root() {
                fs::set_mode(to, 0o755)?;
            }
            fs::exchange(from, to)
        })?;
        drop(staged);
        self.note_checked(std::slice::from_ref(&id));
        if is_protected {
            self.protect(&id)?;
        }
        Ok(())
    }
}

/// Entries that were put in another's place while venvs may still have names of the old files: known until those have
/// been seen to, also if the process that wanted to do it was killed.
impl Store {
    fn renewed_folder(&self) -> PathBuf {
        self.cache().join("renewed")
    }

    fn note_renewed(&self, id: &EntryId) -> Result<(), StoreError> {
        fs::create_dir_all(&self.renewed_folder())?;
        Ok(fs::write_atomic(&self.renewed_folder().join(id.as_str()), b"")?)
    }

    /// The handles of the renewed entries, sorted.
    pub fn renewed(&self) -> Vec<EntryId> {
        let names = fs::names(&self.renewed_folder()).unwrap_or_default();
        let mut ids: Vec<EntryId> =
            names.iter().filter_map(|name| EntryId::parse(name.to_str()?).ok()).collect();
        ids.sort();
        ids
    }

    /// Notes that every venv has the files of a renewed entry. A note that cannot be removed only costs another look.
    pub fn forget_renewed(&self, id: &EntryId) {
        let _ = fs::remove_file(&self.renewed_folder().join(id.as_str()));
    }
}

/// Hashes every file of an entry and compares everything with its manifest.
pub(super) fn entry_findings(entry: &Entry, digests: &Digests) -> Vec<Finding> {
    if EntryId::of(&entry.manifest.sha256) != entry.id {
        return vec![Finding::NoManifest("it is of another wheel".to_owned())];
    }
    let mut findings = match Comparison::of(entry) {
        Ok(comparison) => comparison.run(),
        Err(error) => vec![Finding::NoManifest(error.to_string())],
    };
    if !fs::read_own(&entry.path.join(MANIFEST), 16 * 1024)
        .is_ok_and(|manifest| digests.vouch_for(&entry.id, &manifest))
    {
        findings.push(Finding::Changed(MANIFEST.to_owned()));
    }
    findings
}
