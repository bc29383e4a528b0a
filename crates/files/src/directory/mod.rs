//! A folder that is held open, and work in it that nobody can lead elsewhere.
//!
//! Who may write to a venv can put a link in place of one of its folders at any moment, also between a look at it and the work
//! there. So everything in a venv is reached from one descriptor of its folder, without following a link ([`Folder`]), and the last
//! part of a path is worked on by calls that do not follow one either. Paths are relative to that folder.

mod change;
mod moving;
mod read;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::kind::Facts;
use super::platform::{self, CAN_KEEP_OPEN, Folder};
use super::refusals::leads_outside;
use super::{IoResultExt as _, PathError};

/// How many folders below it a directory keeps open: as many as several threads work in at a time.
const MOST_OPEN: usize = 16;

/// A folder that is held open. Whatever becomes of its path, it stays the same one.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
    handle: Arc<Folder>,
    /// The folders that were worked in last, the latest at the end; `None` if each is opened again.
    recent: Option<Arc<Mutex<Vec<Reached>>>>,
    /// Whether it does without the call that not every system has.
    only_steps: bool,
}

/// A folder that was reached.
#[derive(Debug)]
struct Reached {
    path: PathBuf,
    handle: Arc<Folder>,
}

impl Facts {
    /// Whether the file at a path, links followed, is this very one.
    ///
    /// # Errors
    /// When nothing stands there.
    pub fn is_file_at(&self, path: &Path) -> Result<bool, PathError> {
        Ok(self.identity == platform::identity_at(path).at("look at", path)?)
    }
}

impl Directory {
    /// Opens the folder at a path that has no links, as [`super::canonicalize`] gives it.
    ///
    /// # Errors
    /// When there is none, or a link is in its place.
    pub fn open(path: &Path) -> Result<Self, PathError> {
        let handle = Folder::open(path).at("open the folder", path)?;
        Ok(Self { path: path.to_owned(), handle: Arc::new(handle), recent: None, only_steps: false })
    }

    /// The same folder for a row of changes: the folders in it that were worked in last are kept open. Only for as long as
    /// nobody else is expected to make folders again there.
    #[must_use]
    pub fn for_many_changes(&self) -> Self {
        Self { recent: CAN_KEEP_OPEN.then(Arc::default), ..self.clone() }
    }

    /// The same folder after it was renamed, or something above it.
    #[must_use]
    pub fn renamed(&self, path: PathBuf) -> Self {
        Self { path, recent: None, ..self.clone() }
    }

    /// The path by which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path for a program that is started in this folder while it is held open: it leads to this very folder, whatever
    /// becomes of its own path. Where the system has none, its own.
    pub fn path_to_work_in(&self) -> PathBuf {
        self.handle.path_to_work_in().unwrap_or_else(|| self.path.clone())
    }

    /// A folder in it, held open as well.
    ///
    /// # Errors
    /// When there is none, or a link is in its place or on its way.
    pub fn folder(&self, path: impl AsRef<Path>) -> Result<Self, PathError> {
        let path = path.as_ref();
        let absolute = self.path.join(path);
        let handle = self.handle.held_below(&self.path, path, self.only_steps);
        let handle = handle.at("open the folder", &absolute)?;
        Ok(Self { path: absolute, handle: Arc::new(handle), recent: None, only_steps: self.only_steps })
    }

    /// Does something to the last part of a path, in the folder that it is in.
    fn on<T>(
        &self,
        path: &Path,
        action: &'static str,
        act: impl FnOnce(&Folder, &OsStr) -> io::Result<T>,
    ) -> Result<T, PathError> {
        let done = || -> io::Result<_> {
            let (parent, name) = split(path)?;
            act(&*self.reach(parent)?, name)
        };
        done().at(action, &self.path.join(path))
    }

    /// Does something to the last parts of two paths; the error names the second one.
    fn on_two<T>(
        &self,
        one: &Path,
        other: &Path,
        action: &'static str,
        act: impl FnOnce((&Folder, &OsStr), (&Folder, &OsStr)) -> io::Result<T>,
    ) -> Result<T, PathError> {
        let done = || -> io::Result<_> {
            let ((first, old), (second, new)) = (split(one)?, split(other)?);
            let (first, second) = (self.reach(first)?, self.reach(second)?);
            act((&*first, old), (&*second, new))
        };
        done().at(action, &self.path.join(other))
    }

    /// A folder in it, opened to work in.
    fn reach(&self, path: &Path) -> io::Result<Arc<Folder>> {
        if path.as_os_str().is_empty() {
            return self.handle.ready(&self.path);
        }
        let Some(recent) = &self.recent else {
            return Ok(Arc::new(self.handle.below(&self.path, path, self.only_steps)?));
        };
        let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = recent.iter().rposition(|reached| reached.path == path) {
            // The latest is at the end.
            recent[place..].rotate_left(1);
        } else {
            let handle = Arc::new(self.handle.below(&self.path, path, self.only_steps)?);
            if recent.len() == MOST_OPEN {
                recent.remove(0);
            }
            recent.push(Reached { path: path.to_owned(), handle });
        }
        Ok(recent.last().map_or_else(|| Arc::clone(&self.handle), |reached| Arc::clone(&reached.handle)))
    }

    /// Closes what was at a path or below it.
    fn forget(&self, path: &Path) {
        if let Some(recent) = &self.recent {
            let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
            recent.retain(|reached| !reached.path.starts_with(path));
        }
    }
}

/// The folder that a path is in and its last part.
fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    match (path.parent(), path.file_name()) {
        // A last part of `..` has no name, one of `.` is none.
        (Some(parent), Some(name)) => Ok((parent, name)),
        _ => Err(leads_outside()),
    }
}

/// Whether nothing stands there, or a link or a file is on the way.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
