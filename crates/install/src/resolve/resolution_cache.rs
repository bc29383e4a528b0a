//! Remembered resolutions of pinned sets, in `cache/resolutions`.
//!
//! A lock file, or a requirements file that pins everything it needs, has one answer, so the second venv that is made from it
//! need not ask again: its entries are taken from the store at once. Only answers in which every package is certain (pinned by
//! the request, told by its hash or commit) are remembered, under a digest of the request, the options, the indexes and the
//! interpreter. Anything that is missing from the store sends the request to the resolver as if nothing were known.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtpy_resolver::Resolution;

use super::Obtained;
use virtpy_files as fs;
use virtpy_pep::WheelHash;
use virtpy_store::{Entry, Store};

/// The resolutions that a store remembers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResolutionCache<'a> {
    pub(super) store: &'a Store,
}

/// A package of a remembered resolution, with its entry.
#[derive(Debug, Clone)]
pub(crate) struct CachedPackage {
    /// Its entry in the store.
    pub entry: Entry,
    /// Whether the request names it.
    pub requested: bool,
    /// The text of its `direct_url.json` (PEP 610).
    pub direct_url: Option<String>,
}

/// What is written down of a package.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    sha256: WheelHash,
    requested: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    direct_url: Option<String>,
}

impl<'a> ResolutionCache<'a> {
    /// Those of a store.
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Where the resolution of a digest is written down.
    pub(super) fn path(self, digest: &str) -> PathBuf {
        self.store.cache().join("resolutions").join(digest)
    }

    /// Returns the entries of the resolution that is remembered under a digest, if the store has all of them, sound.
    pub(crate) fn get(self, digest: &str) -> Option<Vec<CachedPackage>> {
        let content = fs::read_own(&self.path(digest), 32 * 1024).ok()?;
        self.entries_of(&serde_json::from_slice::<Vec<Note>>(&content).ok()?)
    }

    /// The entries of what was written down, if the store has all of them, sound.
    pub(super) fn entries_of(self, notes: &[Note]) -> Option<Vec<CachedPackage>> {
        let known: Vec<Option<WheelHash>> = notes.iter().map(|note| Some(note.sha256)).collect();
        let entries = self.store.usable(&known).ok()?;
        let packages = entries.into_iter().zip(notes).map(|(entry, note)| {
            let Note { requested, direct_url, .. } = note;
            Some(CachedPackage { entry: entry?, requested: *requested, direct_url: direct_url.clone() })
        });
        packages.collect()
    }

    /// Remembers a resolution of which every package is certain to be the same the next time. A note that cannot be written
    /// costs time, no more.
    pub(crate) fn put(self, digest: &str, resolution: &Resolution, obtained: &[Obtained]) {
        if !resolution.is_makeshift && obtained.len() == resolution.packages.len() {
            self.write(digest, &notes_of(resolution, obtained));
        }
    }

    /// Returns the SHA-256 of the wheel that is remembered for one pinned package.
    pub(crate) fn get_one(self, digest: &str) -> Option<WheelHash> {
        let content = fs::read_own(&self.path(digest), 256).ok()?;
        let notes: Vec<Note> = serde_json::from_slice(&content).ok()?;
        Some(notes.into_iter().next()?.sha256)
    }

    /// Remembers the entry that one pinned package is, under a digest of all that decides about it.
    pub(crate) fn put_one(self, digest: &str, entry: &Entry) {
        let note = Note { sha256: entry.manifest.sha256, requested: false, direct_url: None };
        self.write(digest, &[note]);
    }

    /// Returns how many packages the lock has that is remembered under a digest.
    pub(crate) fn get_count(self, digest: &str) -> Option<usize> {
        serde_json::from_slice(&fs::read_own(&self.path(digest), 32).ok()?).ok()
    }

    /// Remembers how many packages a lock has, under a digest of it and of all that decides about it.
    pub(crate) fn put_count(self, digest: &str, packages: usize) {
        self.write(digest, &packages);
    }

    /// Writes a note down, if that is possible.
    pub(super) fn write(self, digest: &str, note: &(impl Serialize + ?Sized)) {
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(Path::new("."));
        if let Ok(text) = serde_json::to_vec(note) {
            let _ = fs::create_dir_all(folder).and_then(|()| fs::write_atomic(&path, &text));
        }
    }
}

/// What is to be written down of a resolution's packages.
pub(super) fn notes_of(resolution: &Resolution, obtained: &[Obtained]) -> Vec<Note> {
    let note = |one: &Obtained| {
        let package = &resolution.packages[one.package];
        Note {
            sha256: one.entry.manifest.sha256,
            requested: package.requested,
            direct_url: one.direct_url.clone(),
        }
    };
    obtained.iter().map(note).collect()
}
