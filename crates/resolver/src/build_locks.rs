//! Removes the locks of builds from the folder for temporary files.
//!
//! For each source tree that setuptools builds the libraries underneath make a file there, and leave it.

use std::env;
use std::fs::{DirEntry, File, remove_file};
use std::io;
use std::time::{Duration, SystemTime};

/// How much a file's time may lag behind the clock.
const LAG: Duration = Duration::from_secs(1);

/// Removes, when it is dropped, the locks that were made since it was made.
pub(crate) struct BuildLocks {
    since: SystemTime,
}

impl BuildLocks {
    pub(crate) fn watch() -> Self {
        Self { since: SystemTime::now().checked_sub(LAG).unwrap_or(SystemTime::UNIX_EPOCH) }
    }

    /// Removes a lock that is new and that nobody holds: a program that builds beside this one needs its own.
    // The ban is for the program's own files, which `src/fs` writes.
    #[expect(clippy::disallowed_methods)]
    fn remove(&self, entry: &DirEntry) -> io::Result<()> {
        let metadata = entry.metadata()?;
        if !metadata.is_file() || metadata.modified()? < self.since {
            return Ok(());
        }
        let file = File::open(entry.path())?;
        file.try_lock()?;
        remove_file(entry.path())
    }
}

impl Drop for BuildLocks {
    fn drop(&mut self) {
        let Ok(entries) = env::temp_dir().read_dir() else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_some_and(is_lock) {
                // It is in nobody's way; the next build beside it tries again.
                let _ = self.remove(&entry);
            }
        }
    }
}

fn is_lock(name: &str) -> bool {
    let digest = name.strip_prefix("uv-setuptools-").and_then(|rest| rest.strip_suffix(".lock"));
    digest.is_some_and(|digest| !digest.is_empty() && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::is_lock;

    #[test]
    fn other_files_are_none() {
        assert!(is_lock("uv-setuptools-109e4cc716c57173.lock"));
        for name in [
            "uv-setuptools-.lock",
            "uv-setuptools-a.lock.txt",
            "uv-109e4cc716c57173.lock",
            "uv-setuptools-mine.lock",
        ] {
            assert!(!is_lock(name), "{name}");
        }
    }
}
