//! Files of this machine whose SHA-256 is known: `cache/files`.
//!
//! A wheel that lies in a folder is recognised by its path, size, times and inode, so that one which the store has is neither
//! hashed nor unpacked again. What is remembered says only which entry to look for. Whatever becomes an entry is hashed.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use virtpy_files::{self as fs, Stamp};
use virtpy_pep::WheelHash;

use super::Store;

/// What is remembered of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    file: Stamp,
    sha256: WheelHash,
}

/// A file as it was before somebody hashed it.
#[derive(Debug, Clone)]
pub struct Sight {
    file: Stamp,
    seen: SystemTime,
}

impl Sight {
    /// Looks at a file that is about to be hashed. `None` if there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let seen = SystemTime::now();
        Some(Self { file: Stamp::of(path)?, seen })
    }

    /// Whether the file is still as it was.
    pub fn is_current(&self) -> bool {
        self.file.is_current()
    }
}

impl Store {
    fn known_file(&self, path: &Path) -> PathBuf {
        self.cache().join("files").join(Self::digest_of(&path.to_string_lossy()))
    }

    /// The SHA-256 of a file, if it was hashed before and nothing was done to it since.
    pub fn sha256_of_known(&self, path: &Path) -> Option<WheelHash> {
        let content = fs::read_own(&self.known_file(path), 1024).ok()?;
        let known: Known = serde_json::from_slice(&content).ok()?;
        (known.file.path == path && known.file.is_current()).then_some(known.sha256)
    }

    /// Remembers the SHA-256 of a file that was looked at, then hashed, if it did not change meanwhile and every later change
    /// will show. A note that cannot be written costs another hashing.
    pub fn remember_file(&self, sight: &Sight, sha256: &WheelHash) {
        if !sight.file.is_settled(sight.seen) || !sight.is_current() {
            return;
        }
        let path = self.known_file(&sight.file.path);
        let known = Known { file: sight.file.clone(), sha256: *sha256 };
        if let (Ok(text), Some(folder)) = (serde_json::to_vec(&known), path.parent()) {
            let _ = fs::create_dir_all(folder).and_then(|()| fs::write_atomic(&path, &text));
        }
    }

    /// Forgets files that are gone or others by now.
    pub(super) fn sweep_known_files(&self) {
        let folder = self.cache().join("files");
        for name in fs::own_names(&folder) {
            if !Self::is_digest(&name) {
                continue;
            }
            let path = folder.join(name);
            let known = fs::read_own(&path, 1024).ok();
            let known = known.and_then(|content| serde_json::from_slice::<Known>(&content).ok());
            if known.is_none_or(|known| !known.file.is_current()) {
                let _ = fs::remove_file(&path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_is_recognised_until_anything_about_it_changes() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        let path = home.path().join("a.whl");
        assert!(Sight::of(&path).is_none());
        fs::write_new(&path, b"one", 0o644).unwrap();
        let first = WheelHash::from([1; 32]);
        store.remember_file(&Sight::of(&path).unwrap(), &first);
        assert_eq!(store.sha256_of_known(&path), None, "it may change within the same tick of the clock");
        std::thread::sleep(Duration::from_millis(150));
        let sight = Sight::of(&path).unwrap();
        store.remember_file(&sight, &first);
        assert_eq!(store.sha256_of_known(&path), Some(first));
        // Another file of the same size, with the old one's time.
        let (seconds, _) = fs::changed_at(&path).unwrap();
        let other = home.path().join("b.whl");
        fs::write_new(&other, b"two", 0o644).unwrap();
        fs::set_modified(&other, u64::try_from(seconds).unwrap()).unwrap();
        fs::set_modified(&path, u64::try_from(seconds).unwrap()).unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(store.sha256_of_known(&path), None);
        store.remember_file(&sight, &first);
        assert_eq!(store.sha256_of_known(&path), None, "it was exchanged while it was hashed");
        store.sweep_known_files();
        assert!(fs::names(&home.path().join("cache/files")).unwrap().is_empty());
    }
}
