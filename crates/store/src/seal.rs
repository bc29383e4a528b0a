//! Sealing a store: making it one that is only read, for others to have below their own.
//!
//! `sealed` lists the entries that were whole then, each with the SHA-256 of its manifest. Who reads the store need not hash them
//! before their first use, as entries are that a power cut may have emptied.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use virtpy_files::digest::{hex, sha256};
use virtpy_files::{self as fs, Lock, PermissionsExt as _};
use virtpy_pep::{WheelName, may_accept};

use super::manifest::MANIFEST;
use super::{Entry, EntryId, Layer, Manifest, Owners, Store, StoreError};

/// The name of the list.
const SEALED: &str = "sealed";

/// The most that is read of the list.
const LARGEST_LIST: u64 = 64 << 20;

/// What a sealed store lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// Packages have no bytecode for a kind of interpreter that others have it for.
    Bytecode {
        /// The kind: `cpython-312`.
        tag: String,
        /// The packages, with their versions.
        packages: Vec<String>,
    },
    /// Nothing has bytecode.
    AllBytecode,
    /// Others can't get to a folder.
    Closed(PathBuf),
    /// Others will not believe it, for this reason.
    Distrust(String),
}

impl Store {
    /// The list of entries in a store.
    fn seal_path(home: &Path) -> PathBuf {
        home.join(SEALED)
    }

    /// Whether this store was sealed.
    ///
    /// # Errors
    /// When its folder cannot be looked at.
    pub fn is_sealed(&self) -> Result<bool, StoreError> {
        Ok(fs::kind(&Self::seal_path(self.home()))?.is_some())
    }

    /// Refuses what would change a sealed store. Every lock of those who write asks it.
    ///
    /// # Errors
    /// When the store is sealed, or its folder cannot be looked at.
    pub fn require_unsealed(&self) -> Result<(), StoreError> {
        if self.is_sealed()? { Err(StoreError::Sealed(self.home().to_path_buf())) } else { Ok(()) }
    }

    /// Seals the store: these entries are whole, and nobody writes any more. The caller holds the store alone (its `lock` is the
    /// proof).
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn seal(&self, _lock: &Lock, ids: &[EntryId]) -> Result<(), StoreError> {
        self.mark_as_third_party()?;
        let mut list = String::new();
        for id in ids {
            let digest = hex(&sha256(fs::read(&self.entry_path(id).join(MANIFEST))?));
            let _ = writeln!(list, "{id} {digest}");
        }
        // What is listed has to be on the disk before the list is.
        fs::sync_file_system(&self.entries())?;
        let path = Self::seal_path(self.home());
        fs::write_atomic(&path, list.as_bytes())?;
        fs::set_mode(&path, 0o444)?;
        let mode = fs::metadata(self.home())?.permissions().mode();
        fs::set_mode(self.home(), (mode | 0o555) & 0o755)?;
        Ok(fs::set_mode(&self.entries(), 0o555)?)
    }

    /// Lets the store be written again. Returns whether it was sealed.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn unseal(&self, _lock: &Lock) -> Result<bool, StoreError> {
        let was_sealed = self.is_sealed()?;
        if was_sealed {
            fs::remove_file(&Self::seal_path(self.home()))?;
        }
        if fs::kind(&self.entries())?.is_some() {
            fs::set_mode(&self.entries(), 0o755)?;
        }
        Ok(was_sealed)
    }

    /// What others will miss who have this store below theirs.
    ///
    /// # Errors
    /// When the entries cannot be read.
    pub fn lacks(&self) -> Result<Vec<Lack>, StoreError> {
        let mut lacks = self.missing_bytecode()?;
        let closed =
            |folder: &&Path| fs::metadata(folder).is_ok_and(|facts| facts.permissions().mode() & 0o001 == 0);
        // Its own folder is opened by sealing it.
        lacks.extend(
            self.home().ancestors().skip(1).filter(closed).map(|path| Lack::Closed(path.to_path_buf())),
        );
        if let Err(error) = Layer::at(self.home(), &Owners::and([])) {
            lacks.push(Lack::Distrust(error.message));
        }
        Ok(lacks)
    }

    fn missing_bytecode(&self) -> Result<Vec<Lack>, StoreError> {
        let mut tags = BTreeSet::new();
        let mut packages: Vec<(Entry, HashSet<String>)> = Vec::new();
        for id in self.ids()? {
            let Some(entry) = self.entry_by_id(&id)? else { continue };
            if entry.manifest.modules()?.is_empty() {
                continue;
            }
            let complete = complete_tags(&entry);
            tags.extend(complete.iter().cloned());
            packages.push((entry, complete));
        }
        if tags.is_empty() && !packages.is_empty() {
            return Ok(vec![Lack::AllBytecode]);
        }
        let mut lacking: BTreeMap<&String, Vec<String>> = BTreeMap::new();
        for tag in &tags {
            let lacks = |(entry, complete): &&(Entry, HashSet<String>)| {
                !complete.contains(tag) && may_be_for(&entry.manifest, tag)
            };
            for (entry, _) in packages.iter().filter(lacks) {
                lacking.entry(tag).or_default().push(entry.manifest.label().to_string());
            }
        }
        let lack = |(tag, packages): (&String, Vec<String>)| Lack::Bytecode { tag: tag.clone(), packages };
        Ok(lacking.into_iter().map(lack).collect())
    }

    /// Whether an entry of a lower store is as it was when that was sealed.
    pub(super) fn is_listed(layer: &Layer, entry: &Entry) -> bool {
        let Ok(list) = Self::list(layer.home()) else { return false };
        let Ok(manifest) = fs::read(&entry.path.join(MANIFEST)) else { return false };
        let line = format!("{} {}", entry.id, hex(&sha256(manifest)));
        list.lines().any(|known| known == line)
    }

    /// What was in the store when it was sealed; nothing where it is not.
    ///
    /// # Errors
    /// When the list is there and cannot be read.
    pub fn sealed_ids(&self) -> Result<BTreeSet<EntryId>, StoreError> {
        let list = match Self::list(self.home()) {
            Err(error) if error.is_not_found() => return Ok(BTreeSet::new()),
            other => other?,
        };
        Ok(list.lines().filter_map(|line| EntryId::parse(line.split(' ').next()?).ok()).collect())
    }

    fn list(home: &Path) -> Result<String, fs::PathError> {
        let list = fs::read_bounded(&Self::seal_path(home), LARGEST_LIST)?;
        Ok(String::from_utf8_lossy(&list).into_owned())
    }
}

/// Whether an interpreter of this kind may take a package at all.
fn may_be_for(manifest: &Manifest, cache_tag: &str) -> bool {
    let by_tags = WheelName::parse(&manifest.filename).is_ok_and(|name| !name.may_be_for(cache_tag));
    let required = manifest.requires_python.as_deref();
    !by_tags && required.is_none_or(|required| may_accept(required, cache_tag))
}

/// The kinds of interpreters that all modules of an entry were compiled for.
fn complete_tags(entry: &Entry) -> HashSet<String> {
    entry.records().into_iter().filter(|(_, record)| record.is_complete()).map(|(tag, _)| tag).collect()
}
