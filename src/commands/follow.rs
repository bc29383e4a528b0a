//! Bringing a venv to what a file says, for `sync`, `new --from` and `poetry-install`: the venv is made if there is none, with an
//! interpreter that the file has something for.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::cli::VenvArgument;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::ResolveError;
use crate::install::{
    self, Changelog, Environment, Extent, Goal, Indexes, InstallOptions, LockSource, NewEnvironment,
    PoetryProject, Source, admits,
};
use crate::interpreters::Interpreter;
use crate::report;

/// What is followed.
pub(super) enum Followed {
    /// A lock file, or a project's own file.
    Lock(Box<LockSource>),
    /// A project of Poetry's.
    Poetry(Box<PoetryProject>),
}

impl Followed {
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

    /// The name that the activation of a venv that is made for it shows.
    fn prompt(&self) -> Option<String> {
        match self {
            Self::Lock(_) => None,
            Self::Poetry(project) => project.project.text("name").map(ToOwned::to_owned),
        }
    }

    /// Its name, for people.
    pub(super) fn label(&self, context: &Context) -> String {
        match self {
            Self::Lock(source) => source.label(&context.host),
            Self::Poetry(_) => "poetry.lock".to_owned(),
        }
    }
}

/// What is to be done.
pub(super) struct Call<'a> {
    pub(super) context: &'a Context,
    pub(super) followed: &'a Followed,
    pub(super) extent: Extent,
    pub(super) options: InstallOptions,
    pub(super) indexes: &'a Indexes,
    /// The interpreter that the user names.
    pub(super) python: Option<&'a str>,
}

impl Call<'_> {
    fn goal(&self) -> Goal<'_> {
        Goal { source: self.followed.source(), extent: self.extent, options: self.options }
    }

    /// Brings the venv at a path to what the file says; one that is made for that is gone if it failed.
    pub(super) fn run(&self, path: PathBuf) -> Result<Changelog, Failure> {
        let context = self.context;
        if fs::kind(&path.join("pyvenv.cfg"))?.is_some() {
            context.name_venv(&path);
            let venv = context.venv_to_change(&VenvArgument { path: Some(path) })?;
            if let Some(python) = self.python {
                context.demand_python(python, &venv.root, &context.host.interpreter(&venv)?)?;
            }
            return install::install(&context.host, venv, self.indexes, &self.goal());
        }
        let new = NewEnvironment { prompt: self.followed.prompt(), ..NewEnvironment::at(path) };
        self.make(&new)
    }

    /// Makes the venv and fills it.
    pub(super) fn make(&self, new: &NewEnvironment) -> Result<Changelog, Failure> {
        self.with_interpreter(&|interpreter| {
            let host = &self.context.host;
            if self.options.dry_run {
                let mut environment = Environment::imagined(host, interpreter, self.indexes);
                return install::bring(&mut environment, &self.goal());
            }
            let started = Instant::now();
            let was_there = fs::kind(&new.path)?.is_some();
            let mut environment = Environment::create(host, interpreter, new.clone(), self.indexes)?;
            if was_there {
                environment.keep();
            }
            report::made(self.context, &environment, started)?;
            let log = install::bring(&mut environment, &self.goal())?;
            environment.keep();
            Ok(log)
        })
    }

    /// Does something with the interpreter that is meant. Without `-p` that is one whose version the file admits; if the file
    /// then turns out to have nothing for it (wheels tell that by their tags), the first one that the file has everything for.
    fn with_interpreter(
        &self,
        act: &dyn Fn(Interpreter) -> Result<Changelog, Failure>,
    ) -> Result<Changelog, Failure> {
        let failure = match act(self.meant_interpreter()?) {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        let wants_other = failure.resolver().is_some_and(ResolveError::wants_other_python);
        let Followed::Lock(source) = self.followed else { return Err(failure) };
        if self.python.is_some() || !wants_other {
            return Err(failure);
        }
        let host = &self.context.host;
        let Some(other) = source.fitting_interpreter(host, self.indexes.settings(host)?) else {
            return Err(failure);
        };
        self.context.output.message(format_args!(
            "Taking Python {} instead: `{}` has nothing for the other one",
            other.version,
            source.label(host)
        ));
        act(other)
    }

    /// The interpreter that the command names, the one that `.python-version` chooses if the file admits that, or whatever the
    /// file admits.
    fn meant_interpreter(&self) -> Result<Interpreter, Failure> {
        let host = &self.context.host;
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

/// The directory of the nearest `pyproject.toml`, or the one that is named.
pub(super) fn project_directory(context: &Context, named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = named {
        return Ok(fs::canonicalize(&context.working_directory.join(folder))?);
    }
    for folder in context.working_directory.ancestors() {
        if fs::kind(&folder.join("pyproject.toml"))?.is_some() {
            return Ok(folder.to_path_buf());
        }
    }
    Err(crate::poetry::PoetryError::NoProject(context.working_directory.clone()).into())
}
