//! What `sync` is to make a venv hold: which file, of which form, and how it is asked about.

use std::path::{Path, PathBuf};

use virtpy_resolver::{Input, LockFormat, LockedRequest, Options, ProjectInput, Request, Selection};

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
    /// The folder that it is in.
    pub(super) folder: PathBuf,
    /// What of it is wanted.
    pub(super) selection: Selection,
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
        let files = if arguments.project {
            vec![lockfile::find_project(here).ok_or_else(|| {
                Failure::new("there is no `pyproject.toml` here or in a folder above")
                    .hinted("go to the project's folder")
            })?]
        } else if arguments.files.is_empty() {
            vec![lockfile::find(here).ok_or_else(|| {
                Failure::new("there is no lock file here or in a folder above").hinted(
                    "name one, or make one with `virtpy lock`: `pylock.toml`, `uv.lock`, `poetry.lock`, `Pipfile.lock`, \
                     `requirements.txt` and `pyproject.toml` are looked for",
                )
            })?]
        } else {
            arguments.files.iter().map(|file| here.join(file)).collect()
        };
        Self::read(files, arguments.selection.selection())
    }

    /// Reads files that are named.
    ///
    /// # Errors
    /// When one cannot be read, or they do not go together.
    pub(in crate::commands) fn read(files: Vec<PathBuf>, selection: Selection) -> Result<Self, Failure> {
        let kind = files.first().map_or(LockKind::Requirements, |file| LockKind::of(file));
        if files.len() > 1 && files.iter().any(|file| LockKind::of(file) != LockKind::Requirements) {
            return Err(Failure::usage("only requirements files may be several"));
        }
        if kind == LockKind::Requirements && selection != Selection::default() {
            return Err(Failure::usage("a requirements file has neither extras nor groups"));
        }
        let texts = files.iter().map(|file| fs::read_to_string(file)).collect::<Result<Vec<_>, _>>()?;
        let folder = files.first().and_then(|file| file.parent()).unwrap_or(Path::new("/"));
        let folder = fs::canonicalize(folder)?;
        Ok(Self { kind, files, texts, folder, selection })
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
        let relative = |file: &PathBuf| {
            file.strip_prefix(&context.working_directory).unwrap_or(file).display().to_string()
        };
        self.files.iter().map(relative).collect::<Vec<_>>().join("`, `")
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
                let inputs = self.files.iter().cloned().map(Input::RequirementsFile).collect();
                ask(request(inputs, pinned))
            }
            LockKind::Pipfile => {
                let path = self.files[0].clone();
                let texts = vec![(path.clone(), self.pipfile(arguments)?)];
                let pinned = Options { working_directory: self.folder.clone(), ..pinned };
                ask(Request { texts, ..request(vec![Input::RequirementsFile(path)], pinned) })
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
