//! Locking: a project, a script or requirements are resolved into a lock file, which is written if it says something new.

mod inputs;
mod known;
mod merged;
#[cfg(test)]
mod properties;
mod spec;
mod target;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use virtpy_pep::Requirement;
use virtpy_resolver::{Lock, LockForm, LockRequest, Options, Request, RequirementsFiles};

pub(crate) use self::spec::Draft;
pub use self::spec::Locking;

use self::inputs::Inputs;
use self::known::KnownLock;
use self::target::Target;
use crate::lockfile::{LockKind, Neighbours, Origin, directories_in};
use crate::resolve::ResolveError;
use crate::words::line_of;
use crate::{Error, Host, Result, lockfile, unfinished};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;

/// A lock as it was made.
#[derive(Debug)]
pub struct Locked {
    /// The lock file; none for the standard output, to which nothing was written yet.
    pub path: Option<PathBuf>,
    /// What it says.
    pub text: String,
    /// How many packages it has.
    pub packages: usize,
    /// Whether the file said just that already.
    pub is_unchanged: bool,
}

impl Locking {
    /// Resolves, and writes the lock file.
    ///
    /// # Errors
    /// When what is to be locked makes no sense or cannot be resolved, the lock file was made from something else, or the
    /// disk cannot be written; the lock file is as before then.
    pub fn run(&self, host: &Host) -> Result<Locked> {
        let here = &host.working_directory;
        let inputs = Inputs::of(here, self)?;
        let target = Target::of(here, self, &inputs)?;
        let existing = match &target.path {
            Some(path) if fs::metadata(path).is_ok() => Some(fs::read_to_string(path)?),
            _ => None,
        };
        self.refuse_other_tools(host, &inputs, existing.as_ref())?;
        // Before anything is resolved: what is edited while that lasts is not what is locked.
        let origin = Origin::of(&inputs.origins(here), &target.folder);
        let mut neighbours = neighbours(&inputs, &target, existing.as_deref());
        if let Some(existing) = &existing {
            self.refuse_another(&inputs, &target, existing, &origin)?;
        }
        let known = KnownLock::of(self, host, &inputs, &target, &neighbours)?;
        if let Some(locked) = self.as_known(&target, known.as_ref(), existing.as_deref()) {
            return Ok(locked);
        }
        let told = existing.as_deref().map(|existing| self.readable(host, &target, existing));
        let lock = self.resolve(host, (&inputs, &target), told.as_deref(), &mut neighbours)?;
        let (text, packages) = (lock.text, lock.packages);
        let text = match target.form {
            LockForm::Pylock => {
                let table = origin.with_directories_of(&text, &target.folder, &neighbours).table();
                text + &table
            }
            LockForm::Requirements { .. } => format!("# Made by `virtpy lock`\n{text}"),
        };
        // A checkout may have the other ends of lines.
        let is_unchanged = existing.as_deref().is_some_and(|old| old.replace("\r\n", "\n") == text);
        if let Some(path) = target.path.as_ref().filter(|_| !is_unchanged && self.draft.is_none()) {
            if self.check {
                return Err(Error::new(format!("`{}` is out of date", host.shown(path)))
                    .hinted("update it with `virtpy lock`"));
            }
            let _held = unfinished::hold();
            fs::write_in_project(path, text.as_bytes(), 0o644)?;
        }
        if let Some(known) = known.filter(|_| lock.warnings.is_empty()) {
            known.remember(KnownLock::of(self, host, &inputs, &target, &neighbours)?, &text, packages);
        }
        Ok(Locked { path: target.path, text, packages, is_unchanged })
    }

    /// A lock that is known to be what would be made, unless more is asked than that.
    fn as_known(
        &self,
        target: &Target,
        known: Option<&KnownLock<'_>>,
        existing: Option<&str>,
    ) -> Option<Locked> {
        if self.refresh || self.upgrade || !self.upgrade_packages.is_empty() {
            return None;
        }
        let text = existing?;
        let packages = known?.packages(text)?;
        Some(Locked { path: target.path.clone(), text: text.to_owned(), packages, is_unchanged: true })
    }

    /// What can be read of the lock that is replaced: a merge may have left its marks in it.
    fn readable<'t>(&self, host: &Host, target: &Target, existing: &'t str) -> Cow<'t, str> {
        if target.form != LockForm::Pylock || self.upgrade {
            return existing.into();
        }
        let Err(error) = existing.parse::<toml::Table>() else { return existing.into() };
        if self.draft.is_none() {
            host.warning(format_args!(
                "`{}` is not TOML: line {}: {}; the versions of packages that are whole in it stay",
                target.path.as_ref().map(|path| host.shown(path)).unwrap_or_default(),
                line_of(existing, error.span().map_or(0, |span| span.start)),
                error.message()
            ));
        }
        merged::packages_in(existing).into()
    }

    /// The lock as it is to be, without what it was made from.
    fn resolve(
        &self,
        host: &Host,
        (inputs, target): (&Inputs, &Target),
        existing: Option<&str>,
        neighbours: &mut Neighbours,
    ) -> Result<Lock> {
        let interpreter = self.interpreter(host, inputs)?;
        let index = host.index_settings(&self.index)?;
        let index = match &inputs.script {
            Some(script) => script.metadata.uv.applied_to(index),
            None => index,
        };
        let mut files = host.requirements_files(&inputs.files, &self.constraints, &index)?;
        let upgrades = self.upgrades()?;
        let limited = upgrades.iter().filter(|one| !one.specifiers().is_empty());
        let limits: Vec<String> = limited.map(ToString::to_string).collect();
        files.constrain(&limits, "--upgrade-package");
        if let Some(remark) = files.remark_on_nothing().filter(|_| inputs.asked.is_empty()) {
            host.warning(remark);
        }
        let request = LockRequest {
            request: self.request(host, inputs, target, files)?,
            form: target.form,
            universal: self.universal,
            requires_python: self.requires_python(inputs),
            folder: target.folder.clone(),
            existing: existing.filter(|_| !self.upgrade).map(str::to_owned),
            asks_all: self.refresh,
        };
        let session = host.session(&interpreter, index);
        let progress = host.progress("resolving");
        let mut lock = session.lock(&request).map_err(ResolveError::from)?;
        // A project that nobody had looked at may have been edited since it was read.
        while target.form == LockForm::Pylock && neighbours.look_at(directories_of(&lock.text, target)) {
            lock = session.lock(&request).map_err(ResolveError::from)?;
        }
        drop(progress);
        for warning in &lock.warnings {
            host.warning(warning);
        }
        Ok(lock)
    }

    /// The packages whose newest versions are taken, each with the versions that it is limited to.
    fn upgrades(&self) -> Result<Vec<Requirement>> {
        let parsed = |text: &String| {
            let requirement = text.parse::<Requirement>().ok().filter(|one| one.url().is_none());
            requirement.ok_or_else(|| {
                Error::usage(format!("`{text}` does not name a package to upgrade"))
                    .hinted("give its name, with versions if need be: `-P rich`, `-P 'rich<15'`")
            })
        };
        self.upgrade_packages.iter().map(parsed).collect()
    }

    fn request(
        &self,
        host: &Host,
        inputs: &Inputs,
        target: &Target,
        files: RequirementsFiles,
    ) -> Result<Request> {
        let script = inputs.script.as_ref();
        Ok(Request {
            requirements: inputs.in_form(target.form),
            files,
            rules: script.map(|script| script.metadata.uv.clone()).unwrap_or_default(),
            options: Options {
                upgrade: self.upgrade,
                upgrade_packages: self.upgrades()?.iter().map(|one| one.name().to_string()).collect(),
                prerelease: self.pre,
                exclude_newer: self.exclude_newer.clone(),
                working_directory: inputs.folder(&host.working_directory),
                ..Options::default()
            },
            ..Request::default()
        })
    }

    /// A project that another tool locks gets no second lock, unless the user names its file or says so.
    fn refuse_other_tools(&self, host: &Host, inputs: &Inputs, existing: Option<&String>) -> Result<()> {
        let is_meant = self.force || self.output.is_some();
        // One that virtpy made before is kept up to date.
        let is_own = existing.is_some_and(|existing| Origin::read(existing).is_some());
        let Some(project) = inputs.project.as_deref().filter(|_| !is_meant && !is_own) else { return Ok(()) };
        let folder = project.parent().unwrap_or(Path::new("/"));
        let Some((lock, tool)) = lockfile::lock_of_other_tool(folder) else { return Ok(()) };
        let shown = host.shown(project);
        Err(Error::new(format!("the project of `{shown}` is locked by `{lock}`; nothing was changed")).hinted(
            format!(
                "`{tool} lock` updates that; `virtpy lock -o pylock.toml` makes a lock beside it, which virtpy then follows"
            ),
        ))
    }

    /// A lock file that was made from something else is not replaced, unless the user names it or says so.
    fn refuse_another(
        &self,
        inputs: &Inputs,
        target: &Target,
        existing: &str,
        origin: &Origin,
    ) -> Result<()> {
        let Some(path) = target.path.as_ref().filter(|_| !self.force && !self.check && self.output.is_none())
        else {
            return Ok(());
        };
        let made_from = match Origin::read(existing) {
            Some(made) if made.inputs == origin.inputs => return Ok(()),
            Some(made) => format!("was made from `{}`", made.inputs.join("`, `")),
            // Who asks for a project or a script means the lock that goes with it, whoever made it.
            None if inputs.project.is_some() || inputs.script.is_some() || self.inputs.is_empty() => {
                return Ok(());
            }
            None => "does not say what it was made from".to_owned(),
        };
        let wanted = origin.inputs.join("`, `");
        Err(Error::new(format!("`{}` {made_from}, not from `{wanted}`; nothing was changed", path.display()))
            .hinted("name another file, such as `-o pylock.NAME.toml`, or replace this one with `--force`"))
    }

    /// The versions of Python to lock for, if they are not a project's own.
    fn requires_python(&self, inputs: &Inputs) -> Option<String> {
        let of_script = inputs.script.as_ref().and_then(|script| script.metadata.requires_python.clone());
        self.requires_python.clone().or(of_script)
    }

    /// The interpreter to resolve with: one that the project is for, if there is one.
    fn interpreter(&self, host: &Host, inputs: &Inputs) -> Result<Interpreter> {
        if self.python.is_some() {
            return host.wanted_interpreter(self.python.as_deref());
        }
        let text = inputs.project.as_deref().map(fs::read_to_string).transpose()?;
        let required = text.and_then(|text| LockKind::Project.requires_python(&text));
        let required = self.requires_python(inputs).or(required);
        match required.map(|required| host.wanted_interpreter(Some(&required))) {
            Some(Ok(found)) => Ok(found),
            // Nothing is installed: any one can ask the indexes.
            _ => host.wanted_interpreter(None),
        }
    }
}

/// The projects on this machine that the lock may have, as they are now.
fn neighbours(inputs: &Inputs, target: &Target, existing: Option<&str>) -> Neighbours {
    let mut neighbours = Neighbours::default();
    for project in inputs.projects() {
        neighbours.look_around(project);
    }
    neighbours.look_at(existing.map(|text| directories_of(text, target)).unwrap_or_default());
    neighbours
}

/// The directories of the projects on this machine that a lock has.
fn directories_of(lock: &str, target: &Target) -> Vec<PathBuf> {
    directories_in(lock).iter().map(|path| target.folder.join(path)).collect()
}
