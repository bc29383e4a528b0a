//! The project that something is run in: which lock its venv follows, and whether that lock is made again first.

use std::path::{Path, PathBuf};

use toml::Table;
use virtpy_resolver::Selection;

use crate::lockfile::{self, LockKind};
use crate::locking::{Locked, Locking};
use crate::words::line_of;
use crate::{Error, Host, IndexOptions, Indexes, LockChoice, LockSource, Result};
use virtpy_files as fs;

/// How much a lock is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockTrust {
    /// It is made again where the project asks for something else.
    Renewed,
    /// It has to be what the project asks for.
    Current,
    /// It is followed as it is.
    Frozen,
}

/// A project that something is run in.
#[derive(Debug)]
pub struct CurrentProject<'a> {
    host: &'a Host,
    /// Its `pyproject.toml`, which is not there if it has a lock alone.
    path: PathBuf,
    table: Table,
}

impl<'a> CurrentProject<'a> {
    /// The project that the working directory is in, if it has a lock that virtpy follows, or could be locked by virtpy.
    ///
    /// # Errors
    /// When its file cannot be read or makes no sense.
    pub fn find(host: &'a Host) -> Result<Option<Self>> {
        let here = &host.working_directory;
        let Some(path) = lockfile::find_project(here) else {
            return Ok(lock_alone(here).map(|path| Self { host, path, table: Table::new() }));
        };
        let text = fs::read_named(&path)?;
        let table = text.parse::<Table>().map_err(|error: toml::de::Error| {
            let line = line_of(&text, error.span().map_or(0, |span| span.start));
            Error::new(format!("`{}` is not TOML: line {line}: {}", host.shown(&path), error.message()))
        })?;
        let project = Self { host, path, table };
        let kind = lockfile::find(project.folder()).map(|found| LockKind::of(&found));
        let is_locked = !matches!(kind, None | Some(LockKind::Requirements | LockKind::Project));
        Ok((is_locked || project.can_be_locked()).then_some(project))
    }

    /// Its directory.
    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// Whether it is a standard project, and no other tool's.
    fn can_be_locked(&self) -> bool {
        let is_standard = ["project", "dependency-groups"].iter().any(|key| self.table.contains_key(*key));
        let poetry = self.table.get("tool").and_then(|tool| tool.get("poetry"));
        let is_poetrys = ["dependencies", "group", "dev-dependencies"]
            .iter()
            .any(|key| poetry.is_some_and(|poetry| poetry.get(key).is_some()));
        is_standard && !is_poetrys && lockfile::lock_of_other_tool(self.folder()).is_none()
    }

    /// What its venv is to hold, as the files are now.
    ///
    /// # Errors
    /// When a file cannot be read or makes no sense.
    pub fn source(&self, selection: &Selection, own_indexes: bool, indexes: &Indexes) -> Result<LockSource> {
        let choice = LockChoice { selection: selection.clone(), own_indexes, ..LockChoice::default() };
        let source = LockSource::find_from(self.host, self.folder(), choice, indexes)?;
        Ok(source.with_development_group())
    }

    /// Sees to it that a source is a lock, and as current as it has to be: locks the project where that is needed.
    ///
    /// # Errors
    /// When the lock is not there or out of date and must not be made, or the project cannot be locked.
    pub fn renew(
        &self,
        source: &LockSource,
        trust: LockTrust,
        (index, refresh): (IndexOptions, bool),
    ) -> Result<Option<Locked>> {
        let is_lock = source.kind != LockKind::Project;
        match trust {
            LockTrust::Current | LockTrust::Frozen if !is_lock => {
                let place = self.host.shown(&self.folder().join("pylock.toml"));
                return Err(Error::new(format!("there is no lock file `{place}`"))
                    .hinted("make it with `virtpy lock`"));
            }
            LockTrust::Frozen => return Ok(None),
            LockTrust::Current => return source.demand_current(self.host).map(|()| None),
            LockTrust::Renewed => {}
        }
        if is_lock && (!source.is_of_project_alone() || source.changed().is_empty()) {
            return Ok(None);
        }
        let locking = Locking { refresh, index, ..Locking::of_file(&source.folder.join("pyproject.toml")) };
        let locked = locking.run(self.host).map(Some);
        locked.map_err(|error| error.hinted_if_not("`--no-sync` leaves the lock and the venv as they are"))
    }
}

/// Where the file of a project would be that has nothing but a lock: those of pipenv have no other, and requirements may be locked.
fn lock_alone(here: &Path) -> Option<PathBuf> {
    let lock = lockfile::find(here)?;
    let is_whole = matches!(LockKind::of(&lock), LockKind::Pylock | LockKind::Pipfile);
    is_whole.then(|| lock.with_file_name("pyproject.toml"))
}
