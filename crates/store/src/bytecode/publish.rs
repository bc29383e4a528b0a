//! Publishing bytecode: first the record that names it, then each file by one rename, under the entry's lock.
//!
//! For this moment the folders can be written. Whoever is killed then leaves a record that names files which are not there,
//! or folders that can be written; the next pass puts both right ([`super::audit`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, Lock};
use virtpy_wheel::RecordDigest;

use super::record::Compiled;
use super::{Dialect, Module, Record};
use crate::open::{OpenFolder, release};
use crate::{Entry, LockName, Store, StoreError};

/// A folder in which files of bytecode are written before they are published.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    count: usize,
}

/// What was compiled of one entry and is not published yet.
#[derive(Debug, Default)]
pub struct Batch {
    files: BTreeMap<String, (PathBuf, Compiled)>,
    failed: Vec<String>,
}

/// What came of publishing a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is in place.
    Done,
    /// Somebody works on the entry or the store just now: later.
    Busy,
    /// The entry is gone, or another one.
    Gone,
}

impl Staging {
    /// In a folder that nobody else uses.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder, count: 0 }
    }

    /// Writes one file of bytecode into a batch. Its time is that of the entry, by which a later change shows.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn add(
        &mut self,
        batch: &mut Batch,
        entry: &Entry,
        source: &str,
        content: &[u8],
    ) -> Result<(), StoreError> {
        self.count += 1;
        let path = self.folder.join(self.count.to_string());
        let mut file = fs::create_new(&path, 0o444)?;
        fs::write_all(&mut file, &path, content)?;
        fs::set_modified(&path, entry.manifest.unpacked_at)?;
        let compiled = Compiled { sha256: RecordDigest::of(content), size: content.len() as u64 };
        batch.files.insert(source.to_owned(), (path, compiled));
        Ok(())
    }

    /// Makes everything that was added durable: a name must not lead to a file that a power cut empties.
    ///
    /// # Errors
    /// When writing back fails.
    pub fn sync(&self) -> Result<(), StoreError> {
        Ok(fs::sync_file_system(&self.folder)?)
    }
}

impl Batch {
    /// Notes that a module does not compile.
    pub fn fail(&mut self, source: &str) {
        self.failed.push(source.to_owned());
    }

    /// How many modules there are in it.
    pub fn len(&self) -> usize {
        self.files.len() + self.failed.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Store {
    /// Publishes what was compiled of an entry. Nobody is kept waiting, and this never waits: whoever makes, repairs or
    /// collects entries goes first. `modules` are all of the entry.
    ///
    /// # Errors
    /// When the store cannot be written; what was published before stays, recorded.
    pub fn publish_bytecode(
        &self,
        entry: &Entry,
        dialect: &Dialect,
        modules: &[Module],
        batch: &Batch,
    ) -> Result<Published, StoreError> {
        let Some(_store_lock) = self.try_lock_shared()? else { return Ok(Published::Busy) };
        let Some(_lock) = self.try_lock_entry(&entry.id)? else { return Ok(Published::Busy) };
        // It may have been collected since.
        match self.entry(&entry.manifest.sha256) {
            Ok(Some(_)) => {}
            Ok(None) | Err(StoreError::Damaged { .. }) => return Ok(Published::Gone),
            Err(error) => return Err(error),
        }
        let folders = targets(entry, dialect, batch);
        let parts = parts(entry)?;
        let modules_of_batch = || folders.values().flatten().map(|file| &file.module);
        if !all_stand(parts.iter().chain(modules_of_batch()))? {
            return Ok(Published::Gone);
        }
        let mut record = entry.record(dialect);
        for (source, (_, compiled)) in &batch.files {
            record.add(source, compiled.clone());
        }
        batch.failed.iter().for_each(|source| record.fail(source));
        record.complete = modules.iter().all(|module| record.has(&module.path));
        write_record(entry, &dialect.record_name(), &record)?;
        if !all_stand(parts.iter().chain(modules_of_batch()))? {
            let _ = fs::remove_file(&entry.path.join(dialect.record_name()));
            return Ok(Published::Gone);
        }
        for (folder, files) in &folders {
            make_folder(folder)?;
            let open = OpenFolder::at(folder)?;
            for file in files {
                release(&file.target)?;
                fs::rename(file.staged, &file.target)?;
                open.seal(&file.target)?;
            }
            if !all_stand(parts.iter().chain(files.iter().map(|file| &file.module)))? {
                for file in files {
                    let _ = fs::remove_file(&file.target);
                }
                return Ok(Published::Gone);
            }
        }
        Ok(Published::Done)
    }

    /// Holds the store shared if nobody collects it just now.
    fn try_lock_shared(&self) -> Result<Option<Lock>, StoreError> {
        let lock = Lock::try_now(&self.lock_file(LockName::Store), fs::LockMode::Shared)?;
        self.require_unsealed()?;
        Ok(lock)
    }
}

/// A file of bytecode on its way.
struct Move<'a> {
    /// Where it was written.
    staged: &'a Path,
    /// Where it belongs.
    target: PathBuf,
    /// The module that it was compiled from.
    module: PathBuf,
}

/// The files of a batch, by the folder that they go to.
fn targets<'a>(entry: &Entry, dialect: &Dialect, batch: &'a Batch) -> BTreeMap<PathBuf, Vec<Move<'a>>> {
    let site = entry.path.join("site");
    let mut folders: BTreeMap<PathBuf, Vec<Move<'a>>> = BTreeMap::new();
    for (source, (staged, _)) in &batch.files {
        let Some(target) = dialect.path(source).map(|path| site.join(path)) else { continue };
        if let Some(folder) = target.parent().map(Path::to_path_buf) {
            folders.entry(folder).or_default().push(Move { staged, target, module: site.join(source) });
        }
    }
    folders
}

/// What stands in an entry's folder, with the file that is deepest in it. Where some of it vanishes somebody removes the whole store
/// (`rm -rf`), and shall not find new files in their way.
fn parts(entry: &Entry) -> Result<Vec<PathBuf>, StoreError> {
    let mut parts = vec![entry.manifest.metadata_in(&entry.path)];
    parts.extend(fs::names(&entry.path)?.into_iter().map(|name| entry.path.join(name)));
    Ok(parts)
}

fn all_stand<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Result<bool, StoreError> {
    for path in paths {
        if fs::kind(path)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes a folder of bytecode that somebody took away: root, who clears bytecode with `rm`.
fn make_folder(folder: &Path) -> Result<(), StoreError> {
    if let (None, Some(parent)) = (fs::kind(folder)?, folder.parent()) {
        let open = OpenFolder::at(parent)?;
        fs::create_dir(folder)?;
        fs::set_mode(folder, 0o555)?;
        open.seal(folder)?;
    }
    Ok(())
}

/// Writes a record beside the manifest. The caller holds the entry.
pub(super) fn write_record(entry: &Entry, name: &str, record: &Record) -> Result<(), StoreError> {
    let text = serde_json::to_vec(record).map_err(|error| StoreError::Damaged {
        id: entry.manifest.sha256.to_string(),
        reason: error.to_string(),
    })?;
    let open = OpenFolder::at(&entry.path)?;
    let path = entry.path.join(name);
    release(&path)?;
    fs::write_atomic_with_mode(&path, &text, 0o444)?;
    open.seal(&path)
}
