//! Wheels that were built here and are on no remote yet: `cache/unpushed`, each with its record. The store keeps what wheels
//! unpack to and not the wheels themselves, and no two builds are equal.

use std::path::{Path, PathBuf};

use virtpy_files as fs;
use virtpy_pep::WheelHash;
use virtpy_remote::BuildRecord;
use virtpy_store::Store;

/// The most bytes of a record.
const LARGEST_RECORD: usize = 4096;

/// The wheels that wait.
#[derive(Debug)]
pub(crate) struct Unpushed(PathBuf);

/// A wheel that waits.
#[derive(Debug)]
pub(crate) struct UnpushedWheel {
    /// What it was built from.
    pub record: BuildRecord,
    /// The file.
    pub path: PathBuf,
}

impl Unpushed {
    /// Those of a store.
    pub(crate) fn new(store: &Store) -> Self {
        Self(store.cache().join("unpushed"))
    }

    fn wheel(&self, sha256: &WheelHash) -> PathBuf {
        self.0.join(format!("{sha256}.whl"))
    }

    fn record(&self, sha256: &WheelHash) -> PathBuf {
        self.0.join(format!("{sha256}.json"))
    }

    /// Keeps a wheel, by moving its file. One that cannot be kept is built again by whoever wants to push it.
    pub(super) fn keep(&self, record: &BuildRecord, wheel: &Path) {
        let Ok(text) = serde_json::to_vec(record) else { return };
        let sha256 = &record.wheel_sha256;
        let kept = fs::create_dir_all(&self.0)
            .and_then(|()| fs::rename(wheel, &self.wheel(sha256)))
            .and_then(|()| fs::write_atomic(&self.record(sha256), &text));
        if kept.is_err() {
            let _ = fs::remove_file(wheel);
        }
    }

    /// The wheel with this SHA-256, if it waits.
    pub(crate) fn get(&self, sha256: &WheelHash) -> Option<UnpushedWheel> {
        let path = self.wheel(sha256);
        let content = fs::read_own(&self.record(sha256), LARGEST_RECORD).ok()?;
        let record: BuildRecord = serde_json::from_slice(&content).ok()?;
        (record.wheel_sha256 == *sha256 && fs::kind(&path).ok()?.is_some())
            .then_some(UnpushedWheel { record, path })
    }

    /// Lets one go that is on the remote.
    pub(crate) fn discard(&self, sha256: &WheelHash) {
        let _ = fs::remove_file(&self.wheel(sha256));
        let _ = fs::remove_file(&self.record(sha256));
    }
}
