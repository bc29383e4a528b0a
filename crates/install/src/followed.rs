//! Bringing a venv to what a file says, and making it if there is none, with an interpreter that the file has something for.

use std::path::{Path, PathBuf};
use std::time::Instant;

use virtpy_resolver::Selection;

use crate::execute::reached;
use crate::lockfile::LockKind;
use crate::plan::Source;
use crate::poetry::{GroupChoice, PoetryError, Project};
use crate::resolve::ResolveError;
use crate::{
    Changelog, Environment, Error, Extent, Goal, Host, Indexes, InstallOptions, LockSource, NewEnvironment,
    PoetryChoice, PoetryProject, Result, admits, bring, install,
};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_venv::Venv;

/// What is followed.
pub enum Followed {
    /// A lock file, or a project's own file.
    Lock(Box<LockSource>),
    /// A project of Poetry's.
    Poetry(Box<PoetryProject>),
}

impl Followed {
    /// What a file says: Poetry's lock says no more than its project lets it.
    ///
    /// # Errors
    /// When Poetry's project does not have what is chosen of it.
    pub fn of(source: LockSource) -> Result<Self> {
        if source.kind != LockKind::Poetry {
            return Ok(Self::Lock(Box::new(source)));
        }
        let selection = &source.choice.selection;
        let all_groups = if selection.all_groups {
            Project::read(&source.folder)?.groups().into_keys().collect()
        } else {
            Vec::new()
        };
        let mut choice = poetry_choice(selection, all_groups)?;
        let dev = "dev".to_owned();
        if selection.no_dev && Project::read(&source.folder)?.groups().contains_key(&dev) {
            choice.groups.without.push(dev);
        }
        Ok(Self::Poetry(Box::new(PoetryProject::read(&source.folder, choice)?)))
    }

    /// Its name, for people.
    pub fn label(&self, host: &Host) -> String {
        match self {
            Self::Lock(source) => source.label(host),
            Self::Poetry(_) => "poetry.lock".to_owned(),
        }
    }

    fn source(&self) -> &dyn Source {
        match self {
            Self::Lock(source) => source.as_ref(),
            Self::Poetry(project) => project.as_ref(),
        }
    }

    fn requires_python(&self) -> Option<String> {
        match self {
            Self::Lock(source) => source.requires_python(),
            Self::Poetry(project) => project.project.requires_python(),
        }
    }

    /// A venv for it at a path.
    pub fn environment(&self, path: PathBuf) -> NewEnvironment {
        let prompt = match self {
            Self::Lock(_) => None,
            Self::Poetry(project) => project.project.text("name").map(ToOwned::to_owned),
        };
        NewEnvironment { prompt, ..NewEnvironment::at(path) }
    }
}

/// What is chosen of a project, in Poetry's words. `all_groups` are the groups that come beside those that are named.
fn poetry_choice(selection: &Selection, all_groups: Vec<String>) -> Result<PoetryChoice> {
    if selection.no_default_groups && selection.only_groups.is_empty() {
        return Err(Error::usage("`poetry.lock` knows no default groups")
            .hinted("name the groups to leave out with `--no-group`"));
    }
    let (only, without) = (selection.only_groups.clone(), selection.without_groups.clone());
    Ok(PoetryChoice {
        groups: GroupChoice { only, with: [selection.groups.clone(), all_groups].concat(), without },
        extras: selection.extras.clone(),
        all_extras: selection.all_extras,
        no_root: selection.no_project,
    })
}

/// How something is followed.
pub struct Following<'a> {
    /// What.
    pub followed: &'a Followed,
    /// Whether other things may be in the venv as well.
    pub extent: Extent,
    /// What follows from how it is asked for.
    pub options: InstallOptions,
    /// The indexes that are asked.
    pub indexes: &'a Indexes,
    /// The interpreter that the user names.
    pub python: Option<&'a str>,
}

impl Following<'_> {
    pub(crate) fn goal(&self) -> Goal<'_> {
        Goal { source: self.followed.source(), extent: self.extent, options: self.options }
    }

    /// Whether a venv is known to be as the file says. Nothing is locked or changed for that.
    ///
    /// # Errors
    /// When the venv or the settings cannot be read.
    pub fn is_reached(&self, host: &Host, venv: &Venv) -> Result<bool> {
        let interpreter = host.interpreter(venv)?;
        Ok(reached(host, venv, &interpreter, self.indexes, &self.goal())?.is_some())
    }

    /// Brings a venv to what the file says.
    ///
    /// # Errors
    /// When that cannot be had; the venv is as before then.
    pub fn bring(&self, host: &Host, venv: Venv) -> Result<Changelog> {
        install(host, venv, self.indexes, &self.goal())
    }

    /// Makes a venv and fills it. `made` hears of it before it is filled.
    ///
    /// # Errors
    /// When that fails; there is no venv then, unless one was there that was to be replaced.
    pub fn make(
        &self,
        host: &Host,
        new: &NewEnvironment,
        made: &dyn Fn(&Environment<'_>, Instant) -> Result<()>,
    ) -> Result<Changelog> {
        self.with_interpreter(host, &|interpreter| {
            if self.options.dry_run {
                return bring(&mut Environment::imagined(host, interpreter, self.indexes), &self.goal());
            }
            let started = Instant::now();
            let was_there = fs::kind(&new.path)?.is_some();
            let mut environment = Environment::create(host, interpreter, new.clone(), self.indexes)?;
            if was_there {
                environment.keep();
            }
            made(&environment, started)?;
            let log = bring(&mut environment, &self.goal())?;
            environment.keep();
            Ok(log)
        })
    }

    /// Does something with the interpreter that is meant. Where the user names none, that is one whose version the file admits;
    /// if the file then turns out to have nothing for it (wheels tell that by their tags), the first one that the file has
    /// everything for.
    pub(super) fn with_interpreter<T>(
        &self,
        host: &Host,
        act: &dyn Fn(Interpreter) -> Result<T>,
    ) -> Result<T> {
        let error = match act(self.meant_interpreter(host)?) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let wants_other = error.resolver().is_some_and(ResolveError::wants_other_python);
        let Followed::Lock(source) = self.followed else { return Err(error) };
        if self.python.is_some() || !wants_other {
            return Err(error);
        }
        let Some(other) = source.fitting_interpreter(host, self.indexes.settings(host)?) else {
            return Err(error);
        };
        host.message(format_args!(
            "Taking Python {} instead: `{}` has nothing for the other one",
            other.version,
            source.label(host)
        ));
        act(other)
    }

    /// The interpreter that is named, the one that `.python-version` chooses if the file admits that, or whatever the file
    /// admits.
    pub(crate) fn meant_interpreter(&self, host: &Host) -> Result<Interpreter> {
        let required = self.followed.requires_python().filter(|_| self.python.is_none());
        let Some(required) = required else { return host.wanted_interpreter(self.python) };
        if host.pin().is_some() {
            let chosen = host.wanted_interpreter(None)?;
            if admits(&required, &chosen) {
                return Ok(chosen);
            }
        }
        host.wanted_interpreter(Some(&required))
    }
}

impl Host {
    /// The directory of the nearest `pyproject.toml`, or the one that is named.
    ///
    /// # Errors
    /// When there is none.
    pub fn poetry_project(&self, named: Option<&Path>) -> Result<PathBuf> {
        if let Some(folder) = named {
            return Ok(fs::canonicalize(&self.working_directory.join(folder))?);
        }
        for folder in self.working_directory.ancestors() {
            if fs::kind(&folder.join("pyproject.toml"))?.is_some() {
                return Ok(folder.to_path_buf());
            }
        }
        Err(PoetryError::NoProject(self.working_directory.clone()).into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn selections() -> impl Strategy<Value = Selection> {
        let names = || vec("[a-c]{1,2}", 0..3);
        let flags = (any::<bool>(), any::<bool>(), any::<bool>());
        (names(), names(), names(), names(), flags).prop_map(
            |(extras, groups, without_groups, only_groups, (all_extras, no_default_groups, no_project))| {
                Selection {
                    extras,
                    groups,
                    without_groups,
                    only_groups,
                    all_extras,
                    no_default_groups,
                    no_project,
                    ..Selection::default()
                }
            },
        )
    }

    proptest! {
        /// All that is chosen is chosen in Poetry's words too, and the one thing that Poetry has no word for is refused.
        #[test]
        fn poetry_gets_all_that_is_chosen(selection in selections(), all in vec("[a-c]{1,2}", 0..3)) {
            let Ok(choice) = poetry_choice(&selection, all.clone()) else {
                prop_assert!(selection.no_default_groups && selection.only_groups.is_empty());
                return Ok(());
            };
            prop_assert!(!selection.no_default_groups || !selection.only_groups.is_empty());
            let with = selection.groups.iter().chain(&all).cloned().collect::<Vec<_>>();
            prop_assert_eq!(choice.groups.with, with);
            prop_assert_eq!(choice.groups.only, selection.only_groups);
            prop_assert_eq!(choice.groups.without, selection.without_groups);
            prop_assert_eq!(choice.extras, selection.extras);
            prop_assert_eq!((choice.all_extras, choice.no_root), (selection.all_extras, selection.no_project));
        }
    }
}
