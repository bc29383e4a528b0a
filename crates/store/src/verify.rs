//! Comparing entries with their manifests, file by file, and putting a sound entry in a damaged one's place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_files::{self as fs, FileKind, MetadataExt, PermissionsExt as _};
use virtpy_wheel::{self as wheel, RecordDigest};

use super::boot::Completed;
use super::bytecode::{self, Recorded};
use super::digests::Digests;
use super::ingest::move_closed;
use super::manifest::MANIFEST;
use super::open::{OpenFolder, release, while_released};
use super::{DIST_INFO_ALIAS, Entry, EntryId, Staged, Store, StoreError};

/// Something in an entry that is not as its manifest says. Paths are relative to the entry.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(tag = "finding", content = "detail", rename_all = "snake_case")]
pub enum Finding {
    /// A file has another content.
    Changed(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// A file is not there.
    Missing(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// Something is there that no wheel brought.
    Extra(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// A file or a folder can be written.
    WrongMode(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// A file with the right content was written to after it was unpacked.
    Touched(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// A file or a folder belongs to another user than its entry.
    WrongOwner(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// Bytecode is not as virtpy compiled it.
    Bytecode(
        /// Its path; nothing for the entry itself.
        String,
    ),
    /// The manifest cannot be read.
    NoManifest(
        /// Why.
        String,
    ),
}

impl Finding {
    /// Whether no file of the wheel has another content: it can be put right in place. Only root can give something away.
    pub fn is_harmless(&self) -> bool {
        match self {
            Self::WrongMode(_) | Self::Extra(_) | Self::Touched(_) | Self::Bytecode(_) => true,
            Self::WrongOwner(_) => fs::is_root(),
            Self::Changed(_) | Self::Missing(_) | Self::NoManifest(_) => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(path) if path.is_empty() => formatter.write_str("something else is in its place"),
            Self::Missing(path) if path.is_empty() => formatter.write_str("its directory is missing"),
            Self::Changed(path) => write!(formatter, "`{path}` has another content"),
            Self::Missing(path) => write!(formatter, "`{path}` is missing"),
            Self::Extra(path) => write!(formatter, "`{path}` does not belong there"),
            Self::WrongMode(path) if path.is_empty() => write!(formatter, "its folder can be written"),
            Self::WrongMode(path) => write!(formatter, "`{path}` can be written"),
            Self::Touched(path) => write!(formatter, "`{path}` was written to, and has the same content"),
            Self::WrongOwner(path) if path.is_empty() => {
                write!(formatter, "its folder belongs to another user")
            }
            Self::WrongOwner(path) => write!(formatter, "`{path}` belongs to another user"),
            Self::Bytecode(path) => write!(formatter, "`{path}` is not the bytecode that virtpy compiled"),
            Self::NoManifest(reason) => write!(formatter, "`entry.json` cannot be used: {reason}"),
        }
    }
}

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

    /// Compares the names in an entry, and the modes and owners of its folders, with its manifest, and reads no file of it. What
    /// is found may also be what another process is about to do there. Bytecode is looked at by [`Self::clean_bytecode`].
    pub fn look_at_names(&self, entry: &Entry) -> Vec<Finding> {
        match Expected::of(entry) {
            Ok(expected) => Search { names_only: true, ..Search::new(entry, expected) }.run(),
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
        let id = EntryId::of(&staged.manifest().sha256)?;
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
    if EntryId::of(&entry.manifest.sha256).is_ok_and(|own| own != entry.id) {
        return vec![Finding::NoManifest("it is of another wheel".to_owned())];
    }
    let mut findings = match Expected::of(entry) {
        Ok(expected) => Search::new(entry, expected).run(),
        Err(error) => vec![Finding::NoManifest(error.to_string())],
    };
    if !fs::read_own(&entry.path.join(MANIFEST), 16 * 1024)
        .is_ok_and(|manifest| digests.vouch_for(&entry.id, &manifest))
    {
        findings.push(Finding::Changed(MANIFEST.to_owned()));
    }
    findings
}

/// What an entry should hold: the SHA-256 of each file by its path in the entry.
struct Expected(BTreeMap<String, RecordDigest>);

impl Expected {
    fn of(entry: &Entry) -> Result<Self, StoreError> {
        let manifest = &entry.manifest;
        let texts = manifest.texts.iter().map(|row| (row.path.clone(), row.sha256.clone()));
        let mut files: BTreeMap<String, RecordDigest> = texts.collect();
        for row in manifest.rows()? {
            let digest = row.hash.map(RecordDigest::from).unwrap_or_default();
            files.insert(format!("site/{}", row.path), digest);
        }
        for (tree, row) in manifest.rows_beside() {
            files.insert(format!("{}/{}", tree.folder(), row.path), row.sha256.clone());
        }
        Ok(Self(files))
    }
}

/// The walk through one entry.
struct Search<'a> {
    root: &'a Path,
    /// When the entry was complete.
    completed: Completed,
    /// To whom the entry belongs.
    owner: Option<u32>,
    expected: Expected,
    /// Every folder above an expected file.
    folders: BTreeSet<String>,
    /// Every folder with a module directly in it.
    modules: BTreeSet<String>,
    recorded: Recorded,
    /// Whether only names are compared, and what is known of folders.
    names_only: bool,
    findings: Vec<Finding>,
}

/// To whom an entry belongs: whose its folder and its manifest are, or whose the store is where those differ.
fn owner_of(entry: &Path) -> Option<u32> {
    let of = |path: &Path| fs::symlink_metadata(path).ok().map(|facts| facts.uid());
    let folder = of(entry);
    if folder == of(&entry.join(MANIFEST)) { folder } else { of(entry.parent()?) }
}

impl<'a> Search<'a> {
    fn new(entry: &'a Entry, expected: Expected) -> Self {
        let (mut folders, mut modules) = (BTreeSet::new(), BTreeSet::new());
        for path in expected.0.keys() {
            let mut above = path.as_str();
            while let Some((parent, name)) = above.rsplit_once('/') {
                if above.len() == path.len() && Path::new(name).extension().is_some_and(|end| end == "py") {
                    modules.insert(parent.to_owned());
                }
                if !folders.insert(parent.to_owned()) {
                    break;
                }
                above = parent;
            }
        }
        Self {
            root: &entry.path,
            completed: Completed::of(entry),
            owner: owner_of(&entry.path),
            expected,
            folders,
            modules,
            recorded: Recorded::of(entry),
            names_only: false,
            findings: Vec::new(),
        }
    }

    fn run(mut self) -> Vec<Finding> {
        self.check_facts("");
        self.folder("");
        let missing = std::mem::take(&mut self.expected.0);
        self.findings.extend(missing.into_keys().map(Finding::Missing));
        self.findings
    }

    fn folder(&mut self, folder: &str) {
        let Ok(mut names) = fs::read_dir_names(&self.root.join(folder)) else {
            return self.findings.push(Finding::Missing(folder.to_owned()));
        };
        names.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, kind) in names {
            let name = name.to_string_lossy();
            let path = if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
            match kind {
                FileKind::Folder if name == wheel::BYTECODE_FOLDER && self.has_code(folder) => {
                    self.check_facts(&path);
                    self.bytecode(&path);
                }
                FileKind::Folder if !self.leads_to_files(&path) => self.findings.push(Finding::Extra(path)),
                FileKind::Folder => {
                    self.check_facts(&path);
                    self.folder(&path);
                }
                FileKind::File if path == MANIFEST || bytecode::is_record(&path) => self.check_facts(&path),
                FileKind::Link if path == DIST_INFO_ALIAS => {}
                FileKind::File => self.file(path),
                FileKind::Link | FileKind::Other => self.findings.push(Finding::Extra(path)),
            }
        }
    }

    /// Whether a module lies directly in a folder, or bytecode that the wheel brought: then it has a bytecode folder.
    fn has_code(&self, folder: &str) -> bool {
        let bytecode = format!("{folder}/{}", wheel::BYTECODE_FOLDER);
        self.modules.contains(folder) || self.folders.contains(&bytecode)
    }

    /// Whether files that the wheel brought are below a folder; the trees themselves may be empty.
    fn leads_to_files(&self, folder: &str) -> bool {
        !folder.contains('/') || self.folders.contains(folder)
    }

    /// What a wheel brought directly into a folder.
    fn brought<'s>(&'s self, folder: &str) -> impl Iterator<Item = &'s String> + use<'s> {
        let start = format!("{folder}/");
        let files = self.expected.0.range(start.clone()..).map(|(path, _)| path);
        files.take_while(move |path| path.starts_with(&start))
    }

    /// What a wheel brought, and what virtpy compiled; whatever else is there does not belong there.
    fn bytecode(&mut self, folder: &str) {
        if self.names_only {
            let brought: Vec<String> = self.brought(folder).cloned().collect();
            for path in &brought {
                self.expected.0.remove(path);
            }
            return;
        }
        let mut names = fs::read_dir_names(&self.root.join(folder)).unwrap_or_default();
        names.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, kind) in names {
            let path = format!("{folder}/{}", name.to_string_lossy());
            match self.recorded.sha256(&path) {
                None if kind == FileKind::File => self.file(path),
                None => self.findings.push(Finding::Extra(path)),
                Some(digest) => {
                    let found = RecordDigest::of_file(&self.root.join(&path));
                    if kind == FileKind::File && found.is_ok_and(|found| found == *digest) {
                        self.check_facts(&path);
                    } else {
                        self.findings.push(Finding::Bytecode(path));
                    }
                }
            }
        }
    }

    fn file(&mut self, path: String) {
        let Some(digest) = self.expected.0.remove(&path) else {
            return self.findings.push(Finding::Extra(path));
        };
        if self.names_only {
            return;
        }
        self.check_facts(&path);
        let absolute = self.root.join(&path);
        let facts = fs::symlink_metadata(&absolute).ok();
        if !RecordDigest::of_file(&absolute).is_ok_and(|found| found == digest) {
            self.findings.push(Finding::Changed(path));
        } else if facts.is_some_and(|facts| self.completed.is_before(&facts)) {
            self.findings.push(Finding::Touched(path));
        }
    }

    fn check_facts(&mut self, path: &str) {
        let Ok(facts) = fs::symlink_metadata(&self.root.join(path)) else { return };
        if facts.permissions().mode() & 0o222 != 0 {
            self.findings.push(Finding::WrongMode(path.to_owned()));
        }
        if Some(facts.uid()) != self.owner {
            self.findings.push(Finding::WrongOwner(path.to_owned()));
        }
    }
}
