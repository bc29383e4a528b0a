//! Which venvs wait for bytecode, and what the process that compiles it has to tell: files in `compiling/`.
//!
//! A change of a venv leaves a request there; the process takes them one after the other, and one that was killed is taken
//! up again by the next. There is one such process for each store, which holds the lock `compile`.

use std::path::PathBuf;

use virtpy_files::{self as fs, Lock, LockMode};

use super::Staging;
use crate::{LockName, PATIENCE, Store, StoreError, VenvId};

/// What the names of requests that are being dealt with begin with.
const TAKEN: &str = "taken-";

impl Store {
    fn compiling(&self) -> PathBuf {
        self.home().join("compiling")
    }

    fn requests(&self) -> PathBuf {
        self.compiling().join("requests")
    }

    /// Asks that what a venv uses be compiled.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn request_bytecode(&self, venv: &VenvId) -> Result<(), StoreError> {
        Ok(fs::append_own_with_folder(&self.requests().join(venv.as_str()), b"")?)
    }

    /// Takes up one request. The caller holds the lock of [`Self::lock_compiling`].
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn take_bytecode_request(&self) -> Result<Option<VenvId>, StoreError> {
        let folder = self.requests();
        let mut names = match fs::names(&folder) {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        names.sort();
        for name in names {
            let text = name.to_string_lossy();
            match VenvId::parse(text.strip_prefix(TAKEN).unwrap_or(&text)) {
                Ok(id) => {
                    fs::rename(&folder.join(&name), &folder.join(format!("{TAKEN}{id}")))?;
                    return Ok(Some(id));
                }
                Err(_) => fs::remove_file(&folder.join(&name))?,
            }
        }
        Ok(None)
    }

    /// Whether anybody waits for bytecode.
    pub fn has_bytecode_requests(&self) -> bool {
        fs::names(&self.requests()).is_ok_and(|names| !names.is_empty())
    }

    /// Ends a request that was taken up.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn end_bytecode_request(&self, venv: &VenvId) -> Result<(), StoreError> {
        Ok(fs::remove_file(&self.requests().join(format!("{TAKEN}{venv}")))?)
    }

    /// Holds the right to be the process that compiles, if nobody has it.
    ///
    /// # Errors
    /// When the store is sealed, or the lock file cannot be made.
    pub fn try_lock_compiling(&self) -> Result<Option<Lock>, StoreError> {
        self.require_unsealed()?;
        Ok(Lock::try_now(&self.lock_file(LockName::Compile), LockMode::Exclusive)?)
    }

    /// Waits for the same.
    ///
    /// # Errors
    /// When the store is sealed, the lock file cannot be made, or another process has it for longer than the patience.
    pub fn lock_compiling(&self, announce: &mut dyn FnMut(&str)) -> Result<Lock, StoreError> {
        self.require_unsealed()?;
        Ok(Lock::wait(&self.lock_file(LockName::Compile), LockMode::Exclusive, PATIENCE, announce)?)
    }

    /// An empty folder for what the holder of that right compiles; what a killed one left in it goes.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn bytecode_staging(&self, _held: &Lock) -> Result<Staging, StoreError> {
        let folder = self.compiling().join("staged");
        fs::remove_tree(&folder)?;
        fs::create_dir_all(&folder)?;
        Ok(Staging::in_folder(folder))
    }

    /// Leaves a line for whoever runs the next command.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn tell_later(&self, line: &str) -> Result<(), StoreError> {
        // Names of files are in it, whatever they are.
        let line: String =
            line.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect();
        Ok(fs::append_own_with_folder(&self.compiling().join("found"), format!("{line}\n").as_bytes())?)
    }

    /// What was left to be told, each line once.
    pub fn told_later(&self) -> Vec<String> {
        // Out of the way first: then what is written meanwhile is not lost, and who may not write here tells nothing.
        let path = self.temporary().join(format!("found-{}", std::process::id()));
        if fs::rename(&self.compiling().join("found"), &path).is_err() {
            return Vec::new();
        }
        let content = fs::read_own(&path, 4096).unwrap_or_default();
        let _ = fs::remove_file(&path);
        let mut lines: Vec<String> = String::from_utf8_lossy(&content).lines().map(str::to_owned).collect();
        lines.sort();
        lines.dedup();
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_stays_until_it_was_dealt_with() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        assert_eq!(store.take_bytecode_request().unwrap(), None);
        let venv = VenvId::random();
        store.request_bytecode(&venv).unwrap();
        store.request_bytecode(&venv).unwrap();
        assert_eq!(store.take_bytecode_request().unwrap(), Some(venv.clone()));
        // Whoever took it was killed.
        assert_eq!(store.take_bytecode_request().unwrap(), Some(venv.clone()));
        // It changed again meanwhile.
        store.request_bytecode(&venv).unwrap();
        store.end_bytecode_request(&venv).unwrap();
        assert_eq!(store.take_bytecode_request().unwrap(), Some(venv.clone()));
        store.end_bytecode_request(&venv).unwrap();
        assert!(!store.has_bytecode_requests());
    }

    #[test]
    fn what_is_left_to_be_told_is_told_once() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        fs::create_dir_all(&store.temporary()).unwrap();
        assert!(store.told_later().is_empty());
        for line in ["one", "two\n\u{1b}[31m", "one"] {
            store.tell_later(line).unwrap();
        }
        assert_eq!(store.told_later(), ["one", "two??[31m"]);
        assert!(store.told_later().is_empty());
    }
}
