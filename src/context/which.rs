//! Which venv a command means, and whether it may be used: the one that is named, the project's, the active one, or the nearest.

use std::path::{Path, PathBuf};

use super::Context;
use crate::cli::VenvArgument;
use crate::error::Failure;
use crate::fs;
use crate::install::is_same_place;
use crate::interpreters::Interpreter;
use crate::lockfile;
use crate::scripts;
use crate::venv::{Candidate, LinkMode, Place, Venv, VenvError};

/// A venv that a command only looks at.
pub struct VenvToRead {
    /// The venv.
    pub venv: Venv,
    /// Whether another tool made it. It is not registered, and nothing is written to it.
    pub is_foreign: bool,
}

/// The venv that is active in the shell.
pub fn active_venv() -> Option<PathBuf> {
    std::env::var_os("VIRTUAL_ENV").filter(|active| !active.is_empty()).map(PathBuf::from)
}

impl Context {
    /// Opens the venv that a command means: the one it names, the active one, or the nearest `.venv` upwards. Says so if it
    /// is not where it was made, or not of this store.
    ///
    /// # Errors
    /// When there is none, or another tool made it.
    pub fn venv(&self, argument: &VenvArgument) -> Result<Venv, Failure> {
        let venv = self.venv_even_if_moved(argument)?;
        if let Some(problem) = self.location_problem(&venv, &venv.place(&self.store)?) {
            self.output.warning(format_args!("{problem}; `virtpy relink` repairs it"));
        }
        Ok(venv)
    }

    /// Opens the venv that a command means only to look at, whoever made it: nothing is written to another tool's.
    ///
    /// # Errors
    /// When there is none, or it does not tell where its packages are.
    pub fn venv_to_read(&self, argument: &VenvArgument) -> Result<VenvToRead, Failure> {
        match self.venv(argument) {
            Ok(venv) => Ok(VenvToRead { venv, is_foreign: false }),
            Err(failure) if failure.is_of_foreign_venv() => {
                let Some(path) = self.meant_venv(argument)? else { return Err(failure) };
                let venv = Candidate::open(&self.store, &path, LinkMode::default())?.venv;
                self.output.detail(format_args!(
                    "another tool made the venv at `{}`: it is only looked at",
                    venv.root.display()
                ));
                Ok(VenvToRead { venv, is_foreign: true })
            }
            Err(failure) => Err(failure),
        }
    }

    /// Opens the venv that a command means to change, as [`Self::venv`] does. One whose links or whose id are another's is not touched.
    ///
    /// # Errors
    /// When there is none, another tool made it, it is a copy, or it is of another store.
    pub fn venv_to_change(&self, argument: &VenvArgument) -> Result<Venv, Failure> {
        let venv = self.venv_even_if_moved(argument)?;
        if scripts::is_environment(&venv.root) {
            let place = venv.root.display();
            return Err(Failure::new(format!(
                "the environment `{place}` is in the cache, where others use it as well"
            ))
            .hinted("name what is needed with `virtpy run --with`, or make a venv with `virtpy new`"));
        }
        let place = venv.place(&self.store)?;
        self.demand_store(&place)?;
        match (self.location_problem(&venv, &place), place) {
            (None, _) => {}
            (Some(problem), Place::Moved(_)) => {
                self.output.warning(format_args!("{problem}; `virtpy relink` repairs it"));
            }
            (Some(problem), _) => {
                return Err(Failure::new(problem + "; nothing was changed")
                    .hinted("make it a venv of its own with `virtpy relink`"));
            }
        }
        Ok(venv)
    }

    /// Makes sure that the packages of a venv at this place are in this store.
    ///
    /// # Errors
    /// When they are in another one.
    fn demand_store(&self, place: &Place) -> Result<(), Failure> {
        let Place::OtherStore(home) = place else { return Ok(()) };
        let hint = if fs::kind(home)?.is_some() {
            format!(
                "set `VIRTPY_HOME` to `{}`, or bring the venv into this store with `virtpy relink`",
                home.display()
            )
        } else {
            "set `VIRTPY_HOME` if it was moved; otherwise `virtpy relink` restores the venv".to_owned()
        };
        Err(Failure::new(self.in_other_store(home)).hinted(hint))
    }

    fn in_other_store(&self, home: &Path) -> String {
        let other = home.display();
        match fs::kind(home) {
            Ok(None) => format!("the store `{other}` of this venv is missing"),
            _ => format!(
                "the packages of this venv are in the store at `{other}`, not in `{}`",
                self.store.home().display()
            ),
        }
    }

    /// What is wrong with where a venv stands. The store is told of the new place, so that what the venv uses is kept.
    fn location_problem(&self, venv: &Venv, place: &Place) -> Option<String> {
        // What cannot be noted now (a store that may only be read) is noted when the venv is changed.
        match place {
            Place::Own => None,
            Place::Moved(from) => {
                // Moved by its owner, if the store knows it. Otherwise it may have come with a repository.
                let is_known = matches!(self.store.root(&venv.id), Ok(Some(root)) if !root.only_seen);
                let _ = if is_known {
                    self.store.register(&venv.id, &venv.root).map(drop)
                } else {
                    self.store.note_place(&venv.id, &venv.root)
                };
                Some(format!(
                    "this venv was moved here from `{}`: its scripts still run that one's Python",
                    from.display()
                ))
            }
            Place::Copy(of) => {
                let _ = self.store.note_place(&venv.id, &venv.root);
                Some(format!(
                    "this venv is a copy of the one at `{}`: its scripts run that one's Python, and the store takes \
                     both for one",
                    of.display()
                ))
            }
            Place::OtherStore(home) => Some(self.in_other_store(home)),
        }
    }

    /// Opens the venv that a command means, wherever it stands and whatever it needs.
    ///
    /// # Errors
    /// When there is none, or another tool made it.
    pub fn venv_even_if_moved(&self, argument: &VenvArgument) -> Result<Venv, Failure> {
        let Some(path) = self.meant_venv(argument)? else {
            let looked = match lockfile::project_root(&self.working_directory) {
                Some(root) if root == self.working_directory => "this project has no `.venv`".to_owned(),
                Some(root) => {
                    format!("no directory up to the project's root, `{}`, has a `.venv`", root.display())
                }
                None => "no directory upwards has a `.venv`".to_owned(),
            };
            return Err(Failure::new(format!("there is no venv here: none is active, and {looked}"))
                .hinted("make one with `virtpy new`, or name one with `--venv PATH`"));
        };
        let opened = Venv::open_recorded(&self.store, &path).map_err(|error| match error {
            VenvError::Missing(path) if argument.path.is_none() => {
                Failure::new(format!("there is no venv at `{}`, which `VIRTUAL_ENV` names", path.display()))
                    .hinted("end that with `deactivate` or `unset VIRTUAL_ENV`, or name a venv with `--venv`")
            }
            VenvError::NotAVenv(path) if argument.path.is_none() && active_venv().as_ref() == Some(&path) => {
                Failure::new(format!("`{}`, which `VIRTUAL_ENV` names, is not a venv", path.display()))
                    .hinted("end that with `deactivate` or `unset VIRTUAL_ENV`, or name a venv with `--venv`")
            }
            error => Failure::from(error),
        });
        let mut venv = opened?;
        if venv.lost_keys {
            self.output.message(format_args!(
                "`{}` was rewritten or damaged by another tool; virtpy's lines are put back",
                venv.root.join("pyvenv.cfg").display()
            ));
            // Where it may only be read, whoever changes it does it.
            let _ = venv.put_keys_back();
        }
        Ok(venv)
    }

    /// Where the venv is that a command means: the one that is named, the active one, or the nearest `.venv` of the project.
    /// Only the last is sure to be there.
    ///
    /// # Errors
    /// When a folder cannot be looked at.
    pub fn meant_venv(&self, argument: &VenvArgument) -> Result<Option<PathBuf>, Failure> {
        if let Some(path) = &argument.path {
            return Ok(Some(self.working_directory.join(path)));
        }
        if let Some(active) = active_venv() {
            return Ok(Some(active));
        }
        self.nearest_venv()
    }

    /// The nearest `.venv` from the current directory upwards, whoever made it, and never past the project's root. This is the
    /// only place where a venv is looked for.
    ///
    /// # Errors
    /// When a directory cannot be looked at.
    pub fn nearest_venv(&self) -> Result<Option<PathBuf>, Failure> {
        if let Some(found) = self.nearest.get() {
            return Ok(Some(found.clone()));
        }
        for folder in lockfile::within_project(&self.working_directory) {
            let path = folder.join(".venv");
            if fs::kind(&path.join("pyvenv.cfg"))?.is_some() {
                self.demand_safe(&path)?;
                return Ok(Some(self.nearest.get_or_init(|| path).clone()));
            }
        }
        Ok(None)
    }

    /// Where the venv of a project is, which need not be there yet: the one that is named, or `.venv` in the project's
    /// directory. Says so if another one is active, which is never taken for it.
    ///
    /// # Errors
    /// When another user has put it there.
    pub fn project_venv(&self, argument: &VenvArgument, project: &Path) -> Result<PathBuf, Failure> {
        if let Some(path) = &argument.path {
            return Ok(self.working_directory.join(path));
        }
        let own = project.join(".venv");
        self.demand_safe(&own)?;
        if let Some(active) = active_venv()
            && !is_same_place(&active, &own)
        {
            self.output.warning(format_args!(
                "the active venv `{}` is not this project's and is left aside; `--venv` would name it",
                active.display()
            ));
        }
        Ok(own)
    }

    /// Names the venv that a command is about to change, unless it is `.venv` in the current directory.
    pub fn name_venv(&self, venv: &Path) {
        if !is_same_place(venv, &self.working_directory.join(".venv")) {
            let shown = venv.strip_prefix(&self.working_directory).unwrap_or(venv);
            self.output.message(format_args!("Using the venv at `{}`", shown.display()));
        }
    }

    /// Refuses a venv that is to be filled and has another Python than the user asks for. It is not made again unasked.
    ///
    /// # Errors
    /// When it has another one.
    pub fn demand_python(&self, wanted: &str, venv: &Path, interpreter: &Interpreter) -> Result<(), Failure> {
        if self.host.is_wanted(wanted, interpreter)? {
            return Ok(());
        }
        let place = venv.display();
        Err(Failure::new(format!(
            "the venv at `{place}` has Python {}, not {wanted}; nothing was changed",
            interpreter.version
        ))
        .hinted(format!("`virtpy new --keep -p {wanted} {place}` gives it that one, with the same packages")))
    }
}
