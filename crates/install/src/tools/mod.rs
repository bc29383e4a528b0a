//! Applications on PATH: what an application is on the disk, and how one version of it takes the place of another.
//!
//! `$VIRTPY_HOME/tools/NAME/` holds one folder for each generation of an application, which is a venv with a
//! [`Manifest`], and the link `current` to the one in use. Its commands are links in `$VIRTPY_HOME/bin` that lead through
//! `current`, so an upgrade is one rename of that link: until then everything is as before, after it everything is new.
//! What an interrupted change leaves behind (a generation that is not current, a link that nobody wants) is seen for what it
//! is and swept by the next one.

mod error;
mod exposure;
mod manifest;
mod name;
mod path_file;
mod pipx;
mod running;

use std::path::{Path, PathBuf};

pub use error::ToolError;
pub use exposure::{Exposed, Offer};
pub use manifest::{Manifest, Origin};
pub use name::{check_suffix, names_of};
pub use path_file::{Home, PathFile, Shell, path_files};
pub use pipx::{PipxTool, pipx_home, pipx_tools};

use name::{CURRENT, NEXT, check_name, is_left_over, is_name};
use virtpy_files::{self as fs, FileKind, Lock, LockMode};
use virtpy_store::{LockName, Store};
use virtpy_venv as venv;

/// How long to wait for another process that changes the same application.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(10);

/// An installed application.
#[derive(Debug, Clone)]
pub struct Tool {
    /// The name by which it was installed: the distribution's normalized name and the suffix.
    pub name: String,
    /// The venv in use.
    pub venv: PathBuf,
    /// What is known of it.
    pub manifest: Manifest,
}

impl Tool {
    /// Whether somebody runs it right now.
    pub fn is_running(&self) -> bool {
        running::is_running(&self.venv)
    }
}

/// Every application of a store, or every one of its cache.
#[derive(Debug, Clone, Copy)]
pub struct Toolbox<'a> {
    store: &'a Store,
    /// Whether these are the ones that are run without being installed: they have no names outside.
    is_cache: bool,
}

impl<'a> Toolbox<'a> {
    /// The applications of a store.
    pub fn new(store: &'a Store) -> Self {
        Self { store, is_cache: false }
    }

    /// The applications that were run without being installed. Their venvs may be deleted at any time.
    pub fn cached(store: &'a Store) -> Self {
        Self { store, is_cache: true }
    }

    /// The folder of all of them.
    fn all(self) -> PathBuf {
        if self.is_cache { self.store.cache().join("run") } else { self.store.tools() }
    }

    /// The folder of an application.
    fn folder(self, name: &str) -> PathBuf {
        self.all().join(name)
    }

    /// The names of the installed applications, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(self) -> Result<Vec<String>, ToolError> {
        let folder = self.all();
        if fs::kind(&folder)?.is_none() {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for name in fs::names(&folder)? {
            if let Ok(name) = name.into_string()
                && is_name(&name)
                && fs::kind(&folder.join(&name).join(CURRENT))?.is_some()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Reads an application; `None` where there is none of that name.
    ///
    /// # Errors
    /// When its manifest cannot be read.
    pub fn open(self, name: &str) -> Result<Option<Tool>, ToolError> {
        check_name(name)?;
        let Some(venv) = self.current(name)? else { return Ok(None) };
        let manifest = Manifest::read(&venv)?;
        Ok(Some(Tool { name: name.to_owned(), venv, manifest }))
    }

    /// The venv in use, if the application is installed.
    fn current(self, name: &str) -> Result<Option<PathBuf>, ToolError> {
        let link = self.folder(name).join(CURRENT);
        match fs::kind(&link)? {
            None => Ok(None),
            Some(_) => Ok(Some(self.folder(name).join(fs::read_link(&link)?))),
        }
    }

    /// Holds an application alone, for as long as it is changed.
    ///
    /// # Errors
    /// When the name is none, the lock file cannot be made, or another process changes the application for too long.
    pub fn lock(self, name: &str, announce: &mut dyn FnMut(&str)) -> Result<Lock, ToolError> {
        Ok(Lock::wait(&self.lock_file(name)?, LockMode::Exclusive, PATIENCE, announce)?)
    }

    /// Holds an application alone if nobody else does just now; `None` otherwise.
    ///
    /// # Errors
    /// When the name is none, or the lock file cannot be made.
    pub fn try_lock(self, name: &str) -> Result<Option<Lock>, ToolError> {
        Ok(Lock::try_now(&self.lock_file(name)?, LockMode::Exclusive)?)
    }

    fn lock_file(self, name: &str) -> Result<PathBuf, ToolError> {
        check_name(name)?;
        let lock = if self.is_cache { LockName::Run(name) } else { LockName::Tool(name) };
        Ok(self.store.lock_file(lock))
    }

    /// Where the next generation of an application is to be made. The caller holds its lock.
    ///
    /// # Errors
    /// When what an interrupted change left behind cannot be removed.
    pub fn next_generation(self, name: &str) -> Result<PathBuf, ToolError> {
        self.settle(name)?;
        let folder = self.folder(name);
        fs::create_dir_all(&folder)?;
        let names = fs::names(&folder)?;
        let last = names.iter().filter_map(|name| name.to_str()?.parse::<u64>().ok()).max();
        Ok(folder.join((last.unwrap_or(0) + 1).to_string()))
    }

    /// Finds out which of an application's names are free, before anything is changed.
    ///
    /// # Errors
    /// When one of them belongs to another application, or to somebody else.
    pub fn check(self, name: &str, exposed: &[Exposed]) -> Result<(), ToolError> {
        if self.is_cache {
            return Ok(());
        }
        exposed.iter().try_for_each(|one| exposure::check(self.store, name, one))
    }

    /// Takes a finished generation into use: its manifest is written, its names appear, and `current` is switched.
    /// The caller holds the lock and has called [`Self::check`].
    ///
    /// # Errors
    /// When the disk cannot be written; the old generation is in use then, and [`Self::settle`] removes the rest.
    pub fn publish(self, name: &str, generation: &Path, manifest: &Manifest) -> Result<(), ToolError> {
        manifest.write(generation)?;
        // Names of the old generation lead to the new one as soon as `current` does; those that only the new one has
        // lead nowhere for that moment.
        if !self.is_cache {
            manifest.exposed.iter().try_for_each(|one| exposure::expose(self.store, name, one))?;
        }
        let number = generation.file_name().map(PathBuf::from).unwrap_or_default();
        let link = self.folder(name).join(CURRENT);
        fs::link_by_way_of(&self.folder(name).join(NEXT), &number, &link)?;
        self.settle(name)
    }

    /// Ends what an interrupted change began: names appear or go as the generation in use says, others are deleted, but for
    /// one that is just running: it goes with a later change. The caller holds the lock.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn settle(self, name: &str) -> Result<(), ToolError> {
        check_name(name)?;
        let folder = self.folder(name);
        let current = self.current(name)?;
        if !self.is_cache {
            self.settle_names(name, current.as_deref())?;
        }
        // Behind a link in its place lies what somebody else keeps there.
        if fs::kind(&folder)? != Some(FileKind::Folder) {
            return Ok(());
        }
        for (item, kind) in fs::read_dir_names(&folder)? {
            let path = folder.join(&item);
            if current.as_ref() != Some(&path) && is_left_over(&item) {
                match kind {
                    FileKind::Folder if current.is_some() && running::is_running(&path) => {}
                    FileKind::Folder => self.discard(&path)?,
                    _ => fs::remove_file(&path)?,
                }
            }
        }
        if current.is_none() && fs::names(&folder)?.is_empty() {
            fs::remove_dir(&folder)?;
        }
        Ok(())
    }

    /// The names of an application are those that its generation in use has, no more and no fewer.
    fn settle_names(self, name: &str, current: Option<&Path>) -> Result<(), ToolError> {
        let exposed = current.map_or(Ok(Vec::new()), |venv| Manifest::read(venv).map(|known| known.exposed));
        // A manifest that makes no sense says nothing about names: they stay.
        let Ok(exposed) = exposed else { return Ok(()) };
        exposure::withdraw(self.store, name, &exposed)?;
        for one in &exposed {
            // A name that somebody else took meanwhile is theirs.
            if exposure::check(self.store, name, one).is_ok() {
                exposure::expose(self.store, name, one)?;
            }
        }
        Ok(())
    }

    /// Deletes a generation that is not in use, and what the store knows of it.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn discard(self, generation: &Path) -> Result<(), ToolError> {
        Ok(venv::discard(self.store, generation)?)
    }

    /// Uninstalls an application: with the link `current` it is gone, the rest is swept. The caller holds the lock.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn remove(self, name: &str) -> Result<(), ToolError> {
        let link = self.folder(name).join(CURRENT);
        if fs::kind(&link)?.is_some() {
            fs::remove_file(&link)?;
        }
        self.settle(name)
    }
}
