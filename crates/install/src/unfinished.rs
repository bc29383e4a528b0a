//! Files of the user's that a command has changed, and that have to be as before if it does not come to its end: whoever ends it on
//! the way (^C, `kill`) puts them back.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Error, Host};
use virtpy_files::{self as fs, PermissionsExt as _};

/// A file as it was, and as it was written since.
#[derive(Debug, Clone)]
pub(crate) struct UnfinishedFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it held; nothing where there was none.
    pub(crate) before: Option<String>,
    /// What it holds now, where that is known. If it holds something else, somebody else has written it.
    pub(crate) written: Option<String>,
}

static FILES: Mutex<Vec<UnfinishedFile>> = Mutex::new(Vec::new());

/// Held by who writes one of the files, so that nobody puts it back at the same moment.
pub(crate) fn hold() -> MutexGuard<'static, Vec<UnfinishedFile>> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts back those of a command's files that it has written; from now on nobody else does. What cannot be put back is said.
pub(crate) fn put_back<'a>(host: &Host, files: impl IntoIterator<Item = &'a UnfinishedFile>) {
    let mut held = hold();
    for file in files.into_iter().filter(|file| file.written.is_some()) {
        if let Err(error) = file.put_back() {
            host.warning(format_args!("`{}` could not be put back: {error}", file.path.display()));
        }
    }
    held.clear();
}

/// Puts all files back, for a process that ends now: nobody can write one of them any more.
pub(crate) fn put_back_at_the_end() {
    let files = hold();
    for file in files.iter().rev() {
        // Nobody is left who could be told.
        let _ = file.put_back();
    }
    std::mem::forget(files);
}

impl UnfinishedFile {
    /// Looks at a file that is about to be changed.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub(crate) fn read(path: PathBuf) -> Result<Self, fs::PathError> {
        let before = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        Ok(Self { path, before, written: None })
    }

    /// What it holds at this moment.
    pub(crate) fn present(&self) -> Option<String> {
        fs::read_to_string(&self.path).ok()
    }

    /// Writes it. From now on whoever ends the command puts it back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&mut self, text: String) -> Result<(), fs::PathError> {
        let mut files = hold();
        self.replace(&text)?;
        self.written = Some(text);
        files.push(self.clone());
        Ok(())
    }

    /// Writes it, unless somebody else has changed it since it was read.
    ///
    /// # Errors
    /// When somebody has, or it cannot be written.
    pub(crate) fn write_unchanged(&mut self, text: String) -> Result<(), Error> {
        if self.present() != self.before {
            let path = self.path.display();
            return Err(Error::new(format!("`{path}` was changed by somebody else meanwhile"))
                .hinted("run the command again"));
        }
        Ok(self.write(text)?)
    }

    /// Puts a text in the place of what it holds, with the mode that it has.
    fn replace(&self, text: &str) -> Result<(), fs::PathError> {
        let mode = fs::metadata(&self.path).map_or(0o644, |found| found.permissions().mode() & 0o777);
        fs::write_in_project(&self.path, text.as_bytes(), mode)
    }

    /// Puts it back as it was, unless somebody else has changed it since.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn put_back(&self) -> Result<(), fs::PathError> {
        let present = self.present();
        let is_ours = self.written.is_none() || self.written == present;
        if !is_ours || present == self.before {
            return Ok(());
        }
        match &self.before {
            Some(text) => self.replace(text),
            None => fs::remove_file(&self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_put_back_unless_somebody_else_has_written_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let write = |text: &str| fs::write_atomic(&path, text.as_bytes()).unwrap();
        let file = |before: Option<&str>, written: Option<&str>| UnfinishedFile {
            path: path.clone(),
            before: before.map(str::to_owned),
            written: written.map(str::to_owned),
        };
        let read = || fs::read_to_string(&path).ok();
        write("new");
        file(Some("old"), Some("new")).put_back().unwrap();
        assert_eq!(read().as_deref(), Some("old"));
        write("edited");
        file(Some("old"), Some("new")).put_back().unwrap();
        assert_eq!(read().as_deref(), Some("edited"));
        file(None, None).put_back().unwrap();
        assert_eq!(read(), None);
        file(None, None).put_back().unwrap();
    }
}
