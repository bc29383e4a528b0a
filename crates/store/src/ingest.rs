//! Making entries: unpack beside the store, verify, publish by one rename. Nobody waits for the disk: `durable.rs` says how
//! what a power cut has emptied is found.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use virtpy_files::digest::sha256;
use virtpy_files::{self as fs, MetadataExt as _, PathError};
use virtpy_pep::{PackageName, Sha256Digest, WheelHash};
use virtpy_wheel::{self as wheel, CheckStrategy, Limits, RecordDigest, Unpacked};

use super::manifest::{LazyText, Provenance};
use super::usage::now;
use super::{Entry, EntryId, FileRow, Manifest, ROWS, Store, StoreError};

/// The short name of an entry's dist-info folder: links to its files stay in the inode on ext4 only if their
/// targets are under 60 bytes.
pub const DIST_INFO_ALIAS: &str = "i";

/// A wheel on disk that is to become an entry.
#[derive(Debug, Clone)]
pub struct WheelFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name, which carries its tags (PEP 427).
    pub filename: String,
    /// Its SHA-256 as computed from its bytes.
    pub sha256: WheelHash,
    /// Where the bytes came from, for people.
    pub origin: String,
    /// The indexes that it was resolved with, the last one being its own; empty where it came from elsewhere.
    pub indexes: Vec<String>,
}

/// An entry that is complete but not published: dropped, it disappears.
#[derive(Debug)]
pub struct Staged {
    folder: Draft,
    id: EntryId,
    package: PackageName,
    manifest: Manifest,
    manifest_sha256: Sha256Digest,
    /// What the wheel does that people should know, such as files that its RECORD does not list.
    pub warnings: Vec<String>,
}

impl Staged {
    /// What it holds.
    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The handle of the entry that it becomes.
    pub(super) fn id(&self) -> &EntryId {
        &self.id
    }

    /// The SHA-256 of its manifest's file.
    pub(super) fn manifest_sha256(&self) -> Sha256Digest {
        self.manifest_sha256
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where its METADATA lies.
    pub fn metadata_path(&self) -> PathBuf {
        self.manifest.metadata_in(self.path())
    }
}

/// A folder in which an entry is made. It goes with all that is in it, unless it was renamed.
#[derive(Debug)]
pub(super) struct Draft(tempfile::TempDir);

impl Draft {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Draft {
    /// The folders in it are read-only, which an ordinary removal does not get through.
    fn drop(&mut self) {
        let _ = fs::remove_tree(self.path());
    }
}

impl Store {
    /// Unpacks and verifies a wheel beside the store. Nothing is published.
    ///
    /// # Errors
    /// When the wheel is broken or hostile, or the disk is full; nothing is left behind.
    pub fn stage(&self, wheel: &WheelFile) -> Result<Staged, StoreError> {
        let id = EntryId::of(&wheel.sha256);
        let folder = self.draft()?;
        let (begun, started) = (now(), Instant::now());
        let unpacked = wheel::unpack(
            &wheel.path,
            &wheel.filename,
            folder.path(),
            &Limits::default(),
            CheckStrategy::Repair,
        )
        .map_err(|source| StoreError::Wheel { filename: wheel.filename.clone(), source: Box::new(source) })?;
        let WheelFile { sha256, filename, origin, indexes, .. } = wheel;
        let provenance = Provenance { sha256: *sha256, filename, origin, indexes };
        // A clock that is set back meanwhile must not make the files newer than their entry.
        let unpacked_at = now().max(begun + started.elapsed().as_secs());
        Self::complete(folder, id, unpacked, provenance, unpacked_at)
    }

    /// An empty folder for a new entry.
    pub(super) fn draft(&self) -> Result<Draft, StoreError> {
        Ok(Draft(self.temporary_folder()?))
    }

    /// Makes an entry of what lies unpacked in a folder since a time, in seconds since 1970; all folders in it are read-only.
    pub(super) fn complete(
        folder: Draft,
        id: EntryId,
        mut unpacked: Unpacked,
        provenance: Provenance<'_>,
        unpacked_at: u64,
    ) -> Result<Staged, StoreError> {
        let warnings = std::mem::take(&mut unpacked.warnings);
        let rows = wheel::record_rows(&unpacked.site);
        let mut manifest = Manifest::of(unpacked, provenance);
        let path = folder.path();
        manifest.texts = write_texts(path, &manifest, &rows)?;
        // The file system may have another clock than this machine.
        let last = fs::symlink_metadata(&path.join(ROWS))?.mtime();
        manifest.unpacked_at = unpacked_at.max(now()).max(u64::try_from(last).unwrap_or(0));
        let damaged = |reason: String| StoreError::Damaged { id: id.to_string(), reason };
        let package = manifest.package_name().map_err(|error| damaged(error.to_string()))?;
        let text = serde_json::to_vec(&manifest).map_err(|error| damaged(error.to_string()))?;
        fs::write_new(&path.join("entry.json"), &text, 0o444)?;
        fs::symlink(&Path::new("site").join(&manifest.dist_info), &path.join(DIST_INFO_ALIAS))?;
        let manifest_sha256 = sha256(&text).into();
        Ok(Staged { folder, id, package, manifest, manifest_sha256, warnings })
    }

    /// Publishes a batch: each entry appears by one rename. An entry that another process has published meanwhile is taken
    /// instead, and one that a power cut has damaged is replaced.
    ///
    /// # Errors
    /// When the store cannot be written; entries published before that stay, complete.
    pub fn publish(&self, batch: Vec<Staged>) -> Result<Vec<Entry>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let entries = self.entries();
        fs::create_dir_all(&entries)?;
        self.note_digests(&batch);
        let mut ids = Vec::with_capacity(batch.len());
        let mut published = Vec::with_capacity(batch.len());
        for staged in batch {
            let path = self.entry_path(&staged.id);
            let is_new = self.put(&staged, &path)?;
            ids.push(staged.id.clone());
            let entry = if is_new {
                let site_rows = LazyText::of(path.join(ROWS));
                let manifest = Manifest { site_rows, ..staged.manifest.clone() };
                Entry { id: staged.id.clone(), path, layer: None, package: staged.package.clone(), manifest }
            } else if self.is_torn(&staged.id) {
                self.replace(staged)?
            } else {
                self.published_before(&staged)?
            };
            published.push(entry);
        }
        self.note_checked(&ids);
        Ok(published)
    }
}

impl Store {
    /// Renames a staged entry into place, also where something is in the way that is none; `false` where an entry is.
    fn put(&self, staged: &Staged, path: &Path) -> Result<bool, StoreError> {
        Ok(publish_one(staged, path)? || (self.make_way(&staged.id)? && publish_one(staged, path)?))
    }

    /// The entry that stands where a staged one was to be published.
    fn published_before(&self, staged: &Staged) -> Result<Entry, StoreError> {
        let found = self.entry_by_id(&staged.id)?.ok_or_else(|| StoreError::Damaged {
            id: staged.id.to_string(),
            reason: "its folder has no entry.json".to_owned(),
        })?;
        if found.manifest.sha256 == staged.manifest.sha256 {
            return Ok(found);
        }
        Err(StoreError::Collision {
            filename: staged.manifest.filename.clone(),
            stored: found.manifest.filename,
        })
    }
}

/// Writes what describes an entry beside its manifest: the RECORD rows of its files, and the RECORDs that venvs have of it
/// where those are the same in all of them.
fn write_texts(folder: &Path, manifest: &Manifest, rows: &str) -> Result<Vec<FileRow>, StoreError> {
    let mut texts = vec![(ROWS, Cow::Borrowed(rows))];
    if let Some(footprint) = manifest.usual_footprint() {
        for requested in [false, true] {
            let own = wheel::installer_files(requested);
            let record = wheel::installed_record(rows, &manifest.dist_info, &footprint, own);
            texts.push((wheel::ready_record(requested), Cow::Owned(record)));
        }
    }
    let write = |(name, text): &(&str, Cow<'_, str>)| {
        let content = text.as_bytes();
        fs::write_new(&folder.join(name), content, 0o444)?;
        let sha256 = RecordDigest::of(content);
        Ok(FileRow { path: (*name).to_owned(), sha256, size: content.len() as u64 })
    };
    texts.iter().map(write).collect()
}

/// Renames a staged entry into place; `false` where one stands there already.
fn publish_one(staged: &Staged, path: &Path) -> Result<bool, StoreError> {
    match move_closed(staged.path(), path, fs::rename) {
        Ok(()) => {}
        Err(error) if matches!(fs::kind(path), Ok(Some(_))) => {
            drop(error);
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}

/// Moves an entry to its place, where nobody may write it afterwards. Root can move a folder that is closed already, so that a
/// kill finds none that is open in its place; for anybody else it is closed after that, and should a kill come between, before
/// its first use.
pub(super) fn move_closed(
    from: &Path,
    to: &Path,
    moved: impl Fn(&Path, &Path) -> Result<(), PathError>,
) -> Result<(), PathError> {
    if fs::is_root() {
        fs::set_mode(from, 0o555)?;
        match moved(from, to) {
            // Root without the capability: in some containers.
            Err(error) if error.is_refused() => fs::set_mode(from, 0o755)?,
            other => return other,
        }
    }
    moved(from, to)?;
    fs::set_mode(to, 0o555)
}
