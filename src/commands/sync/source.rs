//! What `sync` is to make a venv hold: which file, of which form, and how it is asked about.

use std::path::{Path, PathBuf};

use virtpy_resolver::{
    IndexSettings, Input, LockFormat, LockedRequest, Options, ProjectInput, Request, RequirementsFiles,
    Selection,
};

use super::super::presence::candidates;
use crate::cli::SyncArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::lockfile::{self, LockKind, Pipfile};
use crate::venv::Contents;

/// The file that a venv is to follow.
pub(in crate::commands) struct Source {
    /// Its form.
    pub(super) kind: LockKind,
    /// The file; of requirements there may be several.
    pub(super) files: Vec<PathBuf>,
    /// Their contents.
    pub(super) texts: Vec<String>,
    /// What they say, if they are requirements.
    pub(super) requirements: RequirementsFiles,
    /// The folder that it is in.
    pub(super) folder: PathBuf,
    /// The folder of the project that it is of, where the venv is.
    pub(super) project: PathBuf,
    /// What of it is wanted.
    pub(super) selection: Selection,
}

/// A file's path as a user sees it.
fn relative(file: &Path, context: &Context) -> String {
    file.strip_prefix(&context.working_directory).unwrap_or(file).display().to_string()
}

/// What the facade is asked.
pub(super) enum Question {
    /// What a lock file holds.
    Locked(Box<LockedRequest>),
    /// To resolve.
    Request(Box<Request>),
}

impl Source {
    /// Finds and reads what is meant.
    ///
    /// # Errors
    /// When there is no such file, or the files do not go together.
    pub(in crate::commands) fn of(context: &Context, arguments: &SyncArguments) -> Result<Self, Failure> {
        let here = &context.working_directory;
        let mut selection = arguments.selection.selection();
        let is_named = !arguments.files.is_empty();
        let is_elsewhere = |file: &Path| file == Path::new("-") || file.to_string_lossy().contains("://");
        let absolute = |file: &PathBuf| if is_elsewhere(file) { file.clone() } else { here.join(file) };
        let files = if arguments.project {
            vec![lockfile::find_project(here).ok_or_else(|| {
                Failure::new("this project has no `pyproject.toml`, neither here nor up to its root")
                    .hinted("go to the project's folder")
            })?]
        } else if is_named {
            arguments.files.iter().map(absolute).collect()
        } else {
            vec![lockfile::find(here).ok_or_else(|| {
                Failure::new("there is no lock file here or up to the project's root").hinted(
                    "name one, or make one with `virtpy lock`: `pylock.toml`, `uv.lock`, `poetry.lock`, `Pipfile.lock`, \
                     `requirements.txt` and `pyproject.toml` are looked for",
                )
            })?]
        };
        let index = context.index_settings(&arguments.index)?;
        let mut source = Self::read(context, files, selection.clone(), &index)?;
        if is_named {
            source.project = lockfile::project_of_file(&source.folder, here);
        } else if source.kind == LockKind::Uv && selection.members.is_empty() && !selection.all_members {
            selection.members.extend(source.member_here(here)?);
            source.selection = selection;
        }
        if source.kind == LockKind::Requirements {
            return source.demand_pins(context, &index, is_named);
        }
        Ok(source)
    }

    /// The member of the workspace that the present directory belongs to, if it is not the lock's own project.
    fn member_here(&self, here: &Path) -> Result<Option<String>, Failure> {
        let own = lockfile::find_project(here);
        let Some(own) = own.as_deref().and_then(Path::parent).filter(|own| *own != self.folder) else {
            return Ok(None);
        };
        if lockfile::workspace_of(own).is_none() {
            return Ok(None);
        }
        let member = lockfile::member_in_lock(&self.texts[0], &self.folder, own);
        let missing = || {
            let (lock, own) = (self.files[0].display(), own.display());
            Failure::new(format!("`{lock}` does not have the workspace's member in `{own}`"))
                .hinted("lock the workspace anew with `uv lock`")
        };
        member.map(Some).ok_or_else(missing)
    }

    /// Requirements that leave anything open are no lock. Where none is named, the project's own file is followed instead.
    fn demand_pins(self, context: &Context, index: &IndexSettings, is_named: bool) -> Result<Self, Failure> {
        let pins = self.requirements.pins();
        // A file that only names the project beside it locks nothing.
        let is_lock = pins.open.is_empty() && (pins.pinned > 0 || is_named && pins.sources > 0);
        if is_lock {
            return Ok(self);
        }
        let project = self.folder.join("pyproject.toml");
        if !is_named && lockfile::is_project(&project) {
            let followed = Self::read(context, vec![project], self.selection.clone(), index)?;
            context.output.message(format_args!(
                "`{}` does not pin everything: following `{}`",
                self.label(context),
                followed.label(context)
            ));
            return Ok(followed);
        }
        let why = match pins.open.as_slice() {
            [] => "it pins nothing".to_owned(),
            [one] => format!("it does not pin `{one}`"),
            [one, more @ ..] => format!("it does not pin `{one}` and {} more", more.len()),
        };
        Err(self.is_no_lock(context, &why))
    }

    /// What is said of requirements that `sync` cannot follow.
    pub(super) fn is_no_lock(&self, context: &Context, why: &str) -> Failure {
        let label = self.label(context);
        let first = self.files.first().map(|file| relative(file, context)).unwrap_or_default();
        Failure::new(format!("`{label}` is not a lock: {why}; nothing was changed")).hinted(format!(
            "`virtpy add -r {first}` installs what it asks for and all that this requires; `virtpy lock {first}` makes a lock"
        ))
    }

    /// Reads files that are named.
    ///
    /// # Errors
    /// When one cannot be read, or they do not go together.
    fn read(
        context: &Context,
        files: Vec<PathBuf>,
        selection: Selection,
        index: &IndexSettings,
    ) -> Result<Self, Failure> {
        let kind = files.first().map_or(LockKind::Requirements, |file| LockKind::of(file));
        if files.len() > 1 && files.iter().any(|file| LockKind::of(file) != LockKind::Requirements) {
            return Err(Failure::usage("only requirements files may be several"));
        }
        let has_members = !selection.members.is_empty() || selection.all_members || selection.no_editable;
        if kind != LockKind::Uv && has_members {
            return Err(Failure::usage(
                "only `uv.lock` has members of a workspace (`--package`, `--all-packages`, `--no-editable`)",
            ));
        }
        if kind == LockKind::Requirements && selection != Selection::default() {
            return Err(Failure::usage("a requirements file has neither extras nor groups"));
        }
        let (texts, requirements) = if kind == LockKind::Requirements {
            let read = context.requirements_files(&files, &[], index)?;
            // What they come to counts, with the values of variables in it.
            (vec![format!("{read:?}")], read)
        } else {
            let texts = files.iter().map(|file| fs::read_named(file)).collect::<Result<_, _>>()?;
            (texts, RequirementsFiles::default())
        };
        // What comes from a pipe or from elsewhere stands in no folder of its own.
        let is_file = files.first().is_some_and(|file| fs::metadata(file).is_ok_and(|found| found.is_file()));
        let folder = files.first().and_then(|file| file.parent()).filter(|_| is_file);
        let folder = fs::canonicalize(folder.unwrap_or(&context.working_directory))?;
        Ok(Self { kind, files, texts, requirements, project: folder.clone(), folder, selection })
    }

    /// The versions of Python that it is for, if it says so.
    pub(super) fn requires_python(&self) -> Option<String> {
        let text = self.texts.first()?;
        match self.kind {
            LockKind::Pipfile => Pipfile::parse(&self.files[0], text).ok()?.python().map(str::to_owned),
            kind => kind.requires_python(text),
        }
    }

    /// Its name, for people.
    pub(super) fn label(&self, context: &Context) -> String {
        self.files.iter().map(|file| relative(file, context)).collect::<Vec<_>>().join("`, `")
    }

    /// What the facade is to be asked, for a venv that has these `contents`.
    ///
    /// # Errors
    /// When the file makes no sense.
    pub(super) fn question(
        &self,
        context: &Context,
        arguments: &SyncArguments,
        contents: &Contents,
    ) -> Result<Question, Failure> {
        let options = Options {
            upgrade: arguments.upgrade,
            require_hashes: arguments.require_hashes,
            left_out: if contents.has_pip_shim() { vec!["pip".to_owned()] } else { Vec::new() },
            working_directory: context.working_directory.clone(),
            ..Options::default()
        };
        let locked = |format| {
            Question::Locked(Box::new(LockedRequest {
                path: self.files[0].clone(),
                text: self.texts[0].clone(),
                format,
                selection: self.selection.clone(),
                options: options.clone(),
            }))
        };
        let request = |requirements: Vec<Input>, options: Options| Request {
            requirements,
            options,
            ..Request::default()
        };
        let ask = |request| Question::Request(Box::new(request));
        // What a pinned file leaves out is not wanted, even if another package requires it.
        let pinned = Options { no_deps: true, ..options.clone() };
        Ok(match self.kind {
            LockKind::Pylock => locked(LockFormat::Pylock),
            LockKind::Uv => locked(LockFormat::Uv),
            LockKind::Requirements => {
                ask(Request { files: self.requirements.clone(), ..request(Vec::new(), pinned) })
            }
            LockKind::Pipfile => {
                let path = &self.files[0];
                let index = context.index_settings(&arguments.index)?;
                let files = context.requirements_text(path, self.pipfile(arguments)?, &index)?;
                let pinned = Options { working_directory: self.folder.clone(), ..pinned };
                ask(Request { files, ..request(Vec::new(), pinned) })
            }
            LockKind::Project | LockKind::Poetry => {
                let (path, selection) = (self.files[0].clone(), self.selection.clone());
                let input = Input::Project(ProjectInput { path, selection, conditional: false });
                // Nothing is locked, so what is there does, wherever it came from.
                let installed = candidates(&contents.visible(), Path::new(""));
                ask(Request { installed, ..request(vec![input], options) })
            }
        })
    }

    /// The packages of `Pipfile.lock`, as a requirements file.
    fn pipfile(&self, arguments: &SyncArguments) -> Result<String, Failure> {
        let pipfile = Pipfile::parse(&self.files[0], &self.texts[0])?;
        let Selection { extras, all_extras, groups, all_groups, without_groups, only_groups, .. } =
            &self.selection;
        if !extras.is_empty() || *all_extras {
            return Err(Failure::usage("`Pipfile.lock` has no extras"));
        }
        let known: Vec<String> = pipfile.categories().map(str::to_owned).collect();
        // pipenv's word for it, and everybody else's.
        let category = |name: &String| if name == "dev" { "develop".to_owned() } else { name.clone() };
        let mut wanted: Vec<String> = groups.iter().chain(only_groups).map(category).collect();
        if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
            return Err(Failure::new(format!("`Pipfile.lock` has no group `{unknown}`"))
                .hinted(format!("it has {}", known.join(", "))));
        }
        if *all_groups {
            wanted = known;
        }
        let without: Vec<String> = without_groups.iter().map(category).collect();
        wanted.retain(|name| !without.contains(name));
        let with_indexes = arguments.index.index_url.is_none() && !arguments.index.no_index;
        let categories = (wanted.as_slice(), only_groups.is_empty());
        Ok(pipfile.requirements(categories, with_indexes, &|name| std::env::var(name).ok()))
    }
}
