//! Comparing what lies in an entry with its manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::Path;

use virtpy_files::{self as fs, FileKind, MetadataExt as _, PermissionsExt as _};
use virtpy_wheel::{self as wheel, RecordDigest};

use super::boot::Completed;
use super::bytecode::{self, Recorded};
use super::finding::Finding;
use super::manifest::MANIFEST;
use super::{DIST_INFO_ALIAS, Entry, StoreError};

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
pub(super) struct Comparison<'a> {
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
    /// Folders that nobody has changed since the entry was complete, which were not listed.
    unchanged: BTreeSet<String>,
    findings: Vec<Finding>,
}

/// To whom an entry belongs: whose its folder and its manifest are, or whose the store is where those differ.
pub(super) fn owner_of(entry: &Path) -> Option<u32> {
    let of = |path: &Path| fs::symlink_metadata(path).ok().map(|facts| facts.uid());
    let folder = of(entry);
    if folder == of(&entry.join(MANIFEST)) { folder } else { of(entry.parent()?) }
}

impl<'a> Comparison<'a> {
    /// Everything is to be compared, and every file hashed.
    ///
    /// # Errors
    /// When the manifest's rows cannot be read.
    pub(super) fn of(entry: &'a Entry) -> Result<Self, StoreError> {
        let expected = Expected::of(entry)?;
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
        Ok(Self {
            root: &entry.path,
            completed: Completed::of(entry),
            owner: owner_of(&entry.path),
            expected,
            folders,
            modules,
            recorded: Recorded::of(entry),
            names_only: false,
            unchanged: BTreeSet::new(),
            findings: Vec::new(),
        })
    }

    /// Only names are to be compared, and the modes and owners of folders.
    pub(super) fn of_names(self) -> Self {
        Self { names_only: true, ..self }
    }

    /// Compares.
    pub(super) fn run(mut self) -> Vec<Finding> {
        self.check_facts("");
        self.folder("");
        let is_missing =
            |path: &String| path.rsplit_once('/').is_none_or(|(folder, _)| !self.unchanged.contains(folder));
        let missing = std::mem::take(&mut self.expected.0).into_keys().filter(is_missing);
        self.findings.extend(missing.map(Finding::Missing));
        self.findings
    }

    fn enter(&mut self, folder: &str) {
        let facts = self.check_facts(folder);
        let is_unchanged = |facts: Metadata| facts.is_dir() && self.completed.is_after_changes_of(&facts);
        if self.names_only && facts.is_some_and(is_unchanged) {
            self.unchanged(folder);
        } else {
            self.folder(folder);
        }
    }

    /// A folder that nobody has changed since the entry was complete: it has the names that the wheel brought.
    fn unchanged(&mut self, folder: &str) {
        self.unchanged.insert(folder.to_owned());
        let bytecode = format!("{folder}/{}", wheel::BYTECODE_FOLDER);
        let has_code = self.has_code(folder);
        if has_code {
            self.check_facts(&bytecode);
            self.bytecode(&bytecode);
        }
        for inner in self.folders_in(folder) {
            if !has_code || inner != bytecode {
                self.enter(&inner);
            }
        }
    }

    /// The folders directly in a folder that lead to files.
    fn folders_in(&self, folder: &str) -> Vec<String> {
        let start = format!("{folder}/");
        let below = self.folders.range(start.clone()..).take_while(|path| path.starts_with(&start));
        below.filter(|path| !path[start.len()..].contains('/')).cloned().collect()
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
                FileKind::Folder => self.enter(&path),
                FileKind::File if path == MANIFEST || bytecode::is_record(&path) => {
                    self.check_facts(&path);
                }
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

    fn check_facts(&mut self, path: &str) -> Option<Metadata> {
        let facts = fs::symlink_metadata(&self.root.join(path)).ok()?;
        if facts.permissions().mode() & 0o222 != 0 {
            self.findings.push(Finding::WrongMode(path.to_owned()));
        }
        if Some(facts.uid()) != self.owner {
            self.findings.push(Finding::WrongOwner(path.to_owned()));
        }
        Some(facts)
    }
}
