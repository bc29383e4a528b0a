//! The environments that scripts and commands run in, and the notes by which a request finds its own again.
//!
//! An environment counts from the moment at which its mark is written, which is the last thing that is done; whoever finds one
//! without a mark, under its lock, makes it again. The mark's time says when the environment was used last, to the day.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{ScriptError, Watched};
use virtpy_files::digest::{hex, sha256};
use virtpy_files::{self as fs, Lock, LockMode};
use virtpy_store::{LockName, Store};
use virtpy_venv::{self as venv, Venv};

/// The file that says that an environment is complete: the digest of all that decides about it.
const MARK: &str = ".virtpy/complete";

/// How long to wait for another process that makes the same environment.
const PATIENCE: Duration = Duration::from_mins(10);

/// A use is noted once in this time.
const NOTED_EACH: Duration = Duration::from_hours(24);

/// What is remembered of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The environment, absolute.
    pub environment: PathBuf,
    /// When it was resolved, in seconds since 1970.
    made: u64,
    /// What must be as it was.
    watched: Vec<Watched>,
}

impl Note {
    /// A note of now.
    pub fn new(environment: PathBuf, watched: Vec<Watched>) -> Self {
        Self { environment, made: now(), watched }
    }
}

/// The environments of a store, and the notes about them.
#[derive(Debug, Clone, Copy)]
pub struct Environments<'a> {
    store: &'a Store,
}

impl<'a> Environments<'a> {
    /// Those of a store.
    pub fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// The folder of all of them.
    pub fn folder(self) -> PathBuf {
        self.store.cache().join("environments")
    }

    fn notes(self) -> PathBuf {
        self.store.cache().join("runs")
    }

    /// The name of a request: a digest of all that decides about its answer.
    pub fn name_of(self, request: &str) -> String {
        hex(&sha256(format!("{}\n{request}", self.store.home().display())))
    }

    /// The environment that a request led to before, if that was no longer ago than `lifetime`, it is complete, its Python is
    /// there, and everything that it was made from is as it was.
    pub fn recall(self, name: &str, lifetime: Duration) -> Option<PathBuf> {
        let content = fs::read_own(&self.notes().join(name), 1024).ok()?;
        let note: Note = serde_json::from_slice(&content).ok()?;
        let is_young = now().checked_sub(note.made).is_some_and(|age| age < lifetime.as_secs());
        if !is_young || !note.watched.iter().all(Watched::is_unchanged) {
            return None;
        }
        if note.environment.starts_with(self.folder()) {
            let mark = note.environment.join(MARK);
            let used = fs::metadata(&mark).ok()?.modified().ok()?;
            if SystemTime::now().duration_since(used).is_ok_and(|ago| ago > NOTED_EACH) {
                let _ = fs::touch(&mark);
            }
        }
        fs::metadata(&note.environment.join("bin/python")).ok()?;
        let is_whole = self.is_whole(&note.environment);
        is_whole.then_some(note.environment)
    }

    /// Whether no power cut has damaged an environment, or what it uses of this store.
    fn is_whole(self, environment: &Path) -> bool {
        Venv::open(environment).is_ok_and(|venv| venv.torn(self.store).is_ok_and(|torn| torn.is_empty()))
    }

    /// Remembers what a request led to. A note that cannot be written costs time, no more.
    pub fn remember(self, name: &str, note: &Note) {
        if let Ok(text) = serde_json::to_vec(note) {
            let folder = self.notes();
            let _ = fs::create_dir_all(&folder).and_then(|()| fs::write_atomic(&folder.join(name), &text));
        }
    }

    /// The place of the environment that has exactly this: a text that names the interpreter, the wheels, and what else tells
    /// it from others.
    pub fn place(self, content: &str) -> CachedEnvironment<'a> {
        let digest = self.name_of(content);
        CachedEnvironment { store: self.store, path: self.folder().join(&digest[..16]), digest }
    }

    /// Deletes the environments that were not used for longer than `lifetime` and those that were never finished, unless
    /// somebody works on them just now; and notes that are older.
    pub fn sweep(self, lifetime: Duration) {
        for name in fs::own_names(&self.folder()) {
            let path = self.folder().join(&name);
            let Some(text) = name.to_str().filter(|text| !text.starts_with('.')) else { continue };
            let is_old = |path: &Path| age(path).is_some_and(|age| age > lifetime);
            let is_over = || match fs::kind(&path.join(MARK)) {
                Ok(Some(_)) => is_old(&path.join(MARK)),
                _ => age(&path).is_some_and(|age| age > NOTED_EACH),
            };
            if is_over()
                && let Ok(Some(_lock)) = Lock::try_now(&lock_path(self.store, text), LockMode::Exclusive)
                && is_over()
            {
                // A server may run for longer than that.
                let _ = if has_programs(&path) {
                    fs::touch(&path.join(MARK)).map_err(ScriptError::from)
                } else {
                    discard(self.store, &path)
                };
            }
        }
        for name in fs::own_names(&self.notes()) {
            let note = self.notes().join(name);
            if age(&note).is_some_and(|age| age > lifetime) {
                let _ = fs::remove_file(&note);
            }
        }
    }
}

/// Where one environment is or will be.
#[derive(Debug, Clone)]
pub struct CachedEnvironment<'a> {
    store: &'a Store,
    /// Its folder.
    pub path: PathBuf,
    digest: String,
}

impl CachedEnvironment<'_> {
    /// Holds the environment alone, for as long as it is made.
    ///
    /// # Errors
    /// When the lock file cannot be made, or another process works on it for too long.
    pub fn lock(&self, announce: &mut dyn FnMut(&str)) -> Result<Lock, ScriptError> {
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Ok(Lock::wait(&lock_path(self.store, name), LockMode::Exclusive, PATIENCE, announce)?)
    }

    /// Whether it is there, complete, and has a Python that runs.
    pub fn is_complete(&self) -> bool {
        let marked = fs::read_to_string(&self.path.join(MARK)).is_ok_and(|found| found == self.digest);
        marked && fs::metadata(&self.path.join("bin/python")).is_ok()
    }

    /// Says that it is complete.
    ///
    /// # Errors
    /// When the disk cannot be written.
    pub fn complete(&self) -> Result<(), ScriptError> {
        let mark = self.path.join(MARK);
        fs::create_dir_all(mark.parent().unwrap_or(&self.path))?;
        Ok(fs::write_atomic(&mark, self.digest.as_bytes())?)
    }

    /// Notes that it is used now.
    pub fn note_use(&self) {
        let _ = fs::touch(&self.path.join(MARK));
    }

    /// Deletes what is there.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn discard(&self) -> Result<(), ScriptError> {
        discard(self.store, &self.path)
    }
}

/// Whether a venv is an environment in the cache, which all who ask for the same share.
pub fn is_environment(root: &Path) -> bool {
    let is_among_them = root.parent().is_some_and(|folder| folder.ends_with("cache/environments"));
    is_among_them && matches!(fs::kind(&root.join(MARK)), Ok(Some(_)))
}

/// Whether a program of this user runs in an environment: it has been told so by a variable. Only Linux tells.
fn has_programs(path: &Path) -> bool {
    let variable = [b"VIRTUAL_ENV=", path.as_os_str().as_encoded_bytes()].concat();
    let is_process = |name: &OsString| name.to_str().is_some_and(|name| name.parse::<u32>().is_ok());
    fs::names(Path::new("/proc")).unwrap_or_default().iter().filter(|name| is_process(name)).any(|name| {
        let environment = fs::read(&Path::new("/proc").join(name).join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|found| found == variable)
    })
}

/// Deletes an environment; the mark goes first, so that nobody takes what is left for a whole one.
fn discard(store: &Store, path: &Path) -> Result<(), ScriptError> {
    let mark = path.join(MARK);
    if fs::kind(&mark)?.is_some() {
        fs::remove_file(&mark)?;
    }
    Ok(venv::discard(store, path)?)
}

fn lock_path(store: &Store, name: &str) -> PathBuf {
    store.lock_file(LockName::Environment(name))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

/// How long ago a path was changed.
fn age(path: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(fs::metadata(path).ok()?.modified().ok()?).ok()
}
