//! Advisory locks between processes (`flock`): they end with their holder, however it ends.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{IoResultExt as _, PathError};

/// How a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// With others that hold it shared.
    Shared,
    /// Alone.
    Exclusive,
}

/// Why a lock was not got.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The lock file could not be made or locked.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Somebody else kept it for longer than the caller wanted to wait.
    #[error("gave up after {} s: {holder} holds `{}`", waited.as_secs(), path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// Who has it, as that process wrote it down.
        holder: String,
        /// How long this process waited.
        waited: Duration,
    },
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock at `path`. `announce` is called once, after a second of waiting, with who holds it.
    ///
    /// # Errors
    /// When the lock file cannot be made, or `patience` is over.
    pub fn wait(
        path: &Path,
        mode: LockMode,
        patience: Duration,
        announce: &mut dyn FnMut(&str),
    ) -> Result<Self, LockError> {
        let mut file = open_lock_file(path)?;
        let started = Instant::now();
        let mut announced = false;
        while !try_lock(&file, mode).at("lock", path)? {
            let waited = started.elapsed();
            if waited >= patience {
                return Err(LockError::Busy { path: path.to_path_buf(), holder: holder(&mut file), waited });
            }
            if !announced && waited >= Duration::from_secs(1) {
                announced = true;
                announce(&holder(&mut file));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if mode == LockMode::Exclusive {
            // Only a help for whoever waits: that it cannot be written is no reason to fail.
            let _ = file.set_len(0).and_then(|()| write!(file, "process {}", std::process::id()));
        }
        Ok(Self { _file: file })
    }

    /// Takes the lock if it is free at once.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn try_now(path: &Path, mode: LockMode) -> Result<Option<Self>, PathError> {
        let file = open_lock_file(path)?;
        Ok(try_lock(&file, mode).at("lock", path)?.then_some(Self { _file: file }))
    }
}

fn open_lock_file(path: &Path) -> Result<File, PathError> {
    let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    match open() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                super::create_dir_all(folder)?;
            }
            open().at("create the lock", path)
        }
        other => other.at("create the lock", path),
    }
}

fn try_lock(file: &File, mode: LockMode) -> std::io::Result<bool> {
    let result = match mode {
        LockMode::Shared => file.try_lock_shared(),
        LockMode::Exclusive => file.try_lock(),
    };
    match result {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Interrupted => {
            Ok(false)
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(64).read_to_string(&mut text));
    match read {
        Ok(_) if !text.is_empty() => text,
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_lock_names_its_holder_and_a_dropped_one_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("locks/venv");
        let mut silent = |_: &str| {};
        let held = Lock::wait(&path, LockMode::Exclusive, Duration::ZERO, &mut silent).unwrap();
        let error =
            Lock::wait(&path, LockMode::Exclusive, Duration::from_millis(30), &mut silent).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        assert!(Lock::try_now(&path, LockMode::Shared).unwrap().is_none());
        drop(held);
        // With patience: a process that another test starts at this moment has the file open until it runs.
        let patience = Duration::from_secs(10);
        let _one = Lock::wait(&path, LockMode::Shared, patience, &mut silent).unwrap();
        let _other = Lock::wait(&path, LockMode::Shared, patience, &mut silent).unwrap();
    }
}
