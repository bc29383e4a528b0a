//! Advisory locks between processes (`flock`): they end with their holder, however it ends.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::platform::{self, FileExt as _};
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

impl LockError {
    /// What a user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Path(error) => error.hint(),
            Self::Busy { .. } => {
                Some("wait for the other command to end, then run this one again".to_owned())
            }
        }
    }
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
        loop {
            if try_lock(&file, mode).at("lock", path)? {
                if is_at(&file, path) {
                    break;
                }
                // It was swept meanwhile: whoever comes next locks another file.
                file = open_lock_file(path)?;
                continue;
            }
            let waited = started.elapsed();
            if waited >= patience {
                return Err(LockError::Busy { path: path.to_path_buf(), holder: holder(&file), waited });
            }
            if !announced && waited >= Duration::from_secs(1) {
                announced = true;
                announce(&holder(&file));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Only a help for whoever waits: that it cannot be written is no reason to fail. Of several that share the lock,
        // the last one is named.
        let _ = file.write_all_at(&Note::own(), 0);
        Ok(Self { _file: file })
    }

    /// Takes the lock if it is free at once.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn try_now(path: &Path, mode: LockMode) -> Result<Option<Self>, PathError> {
        loop {
            let file = open_lock_file(path)?;
            if !try_lock(&file, mode).at("lock", path)? {
                return Ok(None);
            }
            if is_at(&file, path) {
                return Ok(Some(Self { _file: file }));
            }
        }
    }
}

/// Whether a path leads to this file, and not to another one or nowhere.
fn is_at(file: &File, path: &Path) -> bool {
    platform::identity_of_open(file).ok() == platform::identity_at(path).ok()
}

fn open_lock_file(path: &Path) -> Result<File, PathError> {
    let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                super::create_dir_all(folder)?;
            }
            open().at("create the lock", path)
        }
        // Who may only read can still hold a lock, if somebody made its file.
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            File::open(path).map_err(|_| error).at("create the lock", path)
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

/// What a holder writes into the lock's file: `process 4711 (virtpy add)`, filled up with blanks to one length, so that
/// one write replaces another's.
struct Note;

impl Note {
    const LENGTH: usize = 80;

    fn own() -> Vec<u8> {
        // Names only: what else stands on a command line may be secret.
        let is_name = |word: &String| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let words = std::env::args().skip(1).filter(|word| !word.starts_with('-')).take(2);
        let words: Vec<String> = words.take_while(is_name).collect();
        let text = format!("process {} ({})", std::process::id(), ["virtpy", &words.join(" ")].join(" "));
        let mut bytes = text.into_bytes();
        bytes.resize(Self::LENGTH, b' ');
        bytes
    }

    /// The number of the process that a text names.
    fn process(text: &str) -> Option<&str> {
        text.strip_prefix("process ")?.split(' ').next()
    }
}

/// Who holds a lock, as far as its file tells: of several holders, the last one, if it still runs.
fn holder(file: &File) -> String {
    let mut bytes = [0; Note::LENGTH];
    let count = file.read_at(&mut bytes, 0).unwrap_or(0);
    let text = String::from_utf8_lossy(&bytes[..count]).trim_end().to_owned();
    let runs = Note::process(&text).is_some_and(platform::is_running);
    if runs { text } else { "another process".to_owned() }
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
        // What a process wrote that is gone names nobody.
        std::fs::write(&path, format!("process {} (virtpy add)", i32::MAX)).unwrap();
        let error = Lock::wait(&path, LockMode::Shared, Duration::from_millis(30), &mut silent).unwrap_err();
        assert!(error.to_string().contains("another process holds"), "{error}");
        drop(held);
        // With patience: a process that another test starts at this moment has the file open until it runs.
        let patience = Duration::from_secs(10);
        let _one = Lock::wait(&path, LockMode::Shared, patience, &mut silent).unwrap();
        let _other = Lock::wait(&path, LockMode::Shared, patience, &mut silent).unwrap();
    }

    #[test]
    fn who_waited_for_a_file_that_is_removed_holds_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = Lock::try_now(&path, LockMode::Exclusive).unwrap().unwrap();
        let waiting = {
            let path = path.clone();
            std::thread::spawn(move || {
                Lock::wait(&path, LockMode::Exclusive, Duration::from_secs(10), &mut |_| {}).unwrap()
            })
        };
        std::thread::sleep(Duration::from_millis(60));
        std::fs::remove_file(&path).unwrap();
        drop(held);
        let _got = waiting.join().unwrap();
        assert!(
            Lock::try_now(&path, LockMode::Exclusive).unwrap().is_none(),
            "the file that is there is held"
        );
    }
}
