//! What killed commands left: entries and downloads in the making, complete downloads that were not unpacked, and builds.

use std::ffi::OsString;
use std::path::PathBuf;

use virtpy_files::{self as fs, DiskUse, FileKind, Lock};

use super::{Store, StoreError};

/// How the names begin of what a command would have removed or renamed at its end.
const TEMPORARY: &str = ".tmp";

impl Store {
    /// The folder of complete downloads that wait for being unpacked. A command that comes after a killed one takes them from
    /// there.
    pub fn kept_wheels(&self) -> PathBuf {
        self.cache().join("wheels")
    }

    /// Everything that was abandoned. Whoever makes something there holds the store, and the caller holds it alone.
    pub(super) fn abandoned(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut found = Vec::new();
        let is_temporary = |name: &OsString| name.to_string_lossy().starts_with(TEMPORARY);
        let resolver = self.cache().join("resolver");
        let buckets = fs::names(&resolver).unwrap_or_default().into_iter();
        let buckets = buckets.filter(|name| !is_temporary(name)).map(|name| resolver.join(name));
        for bucket in buckets.chain([resolver.clone()]) {
            let names = fs::names(&bucket).unwrap_or_default().into_iter();
            found.extend(names.filter(is_temporary).map(|name| bucket.join(name)));
        }
        for folder in [self.temporary(), self.kept_wheels()] {
            // In a folder elsewhere, to which a link in its place leads, others have theirs.
            if fs::kind(&folder)? != Some(FileKind::Folder) {
                continue;
            }
            let names = match fs::names(&folder) {
                Err(error) if error.is_not_found() => continue,
                other => other?,
            };
            found.extend(names.into_iter().map(|name| folder.join(name)));
        }
        Ok(found)
    }

    /// How many bytes on the disk killed commands left, which a collection removes. The caller holds the store alone.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn abandoned_bytes(&self, _lock: &Lock) -> Result<u64, StoreError> {
        let mut disk = DiskUse::default();
        for path in self.abandoned()? {
            let below = fs::walk(&path).flatten().map(|found| found.path);
            for path in below.chain([path.clone()]) {
                if let Ok(facts) = fs::symlink_metadata(&path) {
                    disk.add(&facts);
                }
            }
        }
        Ok(disk.bytes())
    }
}
