//! What is to be locked: requirements, requirements files, projects, or one script.

use std::path::{Path, PathBuf};

use virtpy_resolver::{Input, LockForm, ProjectInput, Selection};

use super::spec::{Draft, Locking};
use crate::lockfile::{self, LockedFrom};
use crate::scripts::{self, Metadata};
use crate::{Error, Result};
use virtpy_files as fs;

/// What is to be locked.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) asked: Vec<Input>,
    /// Requirements files, as they are named.
    pub(super) files: Vec<PathBuf>,
    /// The first project among the inputs.
    pub(super) project: Option<PathBuf>,
    /// The script whose metadata are to be locked.
    pub(super) script: Option<Script>,
}

/// A script and what it says about itself (PEP 723).
pub(super) struct Script {
    pub(super) path: PathBuf,
    pub(super) metadata: Metadata,
    /// All that it said when it was read.
    text: String,
}

impl Script {
    fn read(path: PathBuf) -> Result<Self> {
        let source = fs::read(&path)?;
        let block = scripts::block(&source)?.ok_or_else(|| {
            Error::new(format!("`{}` does not say what it needs", path.display()))
                .hinted("begin it with a block `# /// script` (PEP 723)")
        })?;
        let text = String::from_utf8_lossy(&source).into_owned();
        Ok(Self { metadata: Metadata::parse(&block)?, path, text })
    }
}

impl Inputs {
    /// Finds out what is meant, for somebody in the directory `here`.
    pub(super) fn of(here: &Path, locking: &Locking) -> Result<Self> {
        let found = if locking.inputs.is_empty() { vec![found(here)?] } else { Vec::new() };
        let texts = if found.is_empty() { &locking.inputs } else { &found };
        if let [text] = texts.as_slice()
            && matches!(extension(Path::new(text)), Some("py" | "pyw"))
            && !text.ends_with("setup.py")
        {
            let script = Script::read(here.join(text))?;
            let asked = script.metadata.dependencies.clone();
            return Ok(Self { asked, script: Some(script), ..Self::default() });
        }
        let selection = Selection {
            no_project: locking.no_project,
            without_groups: locking.without_groups.clone(),
            ..Selection::default()
        };
        let mut inputs = Self::default();
        for text in texts {
            inputs.push(text, here.join(text), (&selection, locking.draft.as_ref()))?;
        }
        Ok(inputs)
    }

    fn push(
        &mut self,
        text: &str,
        path: PathBuf,
        (selection, draft): (&Selection, Option<&Draft>),
    ) -> Result<()> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_file = matches!(extension(&path), Some("in" | "txt"))
            || matches!(name.as_str(), "setup.py" | "setup.cfg")
            || text == "-"
            || is_stream(&path);
        if name == "pyproject.toml" {
            fs::metadata(&path)?;
            self.project.get_or_insert_with(|| path.clone());
            let (selection, text) = (selection.clone(), draft.filter(|draft| draft.path == path));
            let text = text.map(|draft| draft.text.clone());
            let (conditional, marks_base) = (true, false);
            self.asked.push(Input::Project(ProjectInput { path, text, selection, conditional, marks_base }));
        } else if is_file {
            self.files.push(PathBuf::from(text));
        } else {
            self.asked.push(Input::Requirement(text.to_owned()));
        }
        Ok(())
    }

    /// What the lock file will say that it was made from.
    pub(super) fn origins(&self, here: &Path) -> Vec<LockedFrom> {
        if let Some(script) = &self.script {
            return vec![LockedFrom::Read(script.path.clone(), script.text.clone())];
        }
        let origin = |input: &Input| match input {
            Input::Project(project) => LockedFrom::File(project.path.clone()),
            Input::Requirement(text) | Input::Editable(text) => LockedFrom::Requirement(text.clone()),
        };
        let file = |path: &PathBuf| {
            let absolute = here.join(path);
            // What comes through a pipe can be read once, and has no name that means anything later.
            if path == Path::new("-") || is_stream(&absolute) {
                LockedFrom::Requirement("-".to_owned())
            } else if let Some(url) = path.to_str().filter(|path| path.contains("://")) {
                LockedFrom::Requirement(url.to_owned())
            } else {
                LockedFrom::File(absolute)
            }
        };
        self.asked.iter().map(origin).chain(self.files.iter().map(file)).collect()
    }

    /// The directories of the projects among the inputs.
    pub(super) fn projects(&self) -> impl Iterator<Item = &Path> {
        self.asked.iter().filter_map(|input| match input {
            Input::Project(project) => project.path.parent(),
            Input::Requirement(_) | Input::Editable(_) => None,
        })
    }

    /// The inputs as a form can hold them: requirements have no way to leave extras and groups to be chosen later, so a project
    /// is then only what everybody gets of it.
    pub(super) fn in_form(&self, form: LockForm) -> Vec<Input> {
        let input = |input: &Input| match input {
            Input::Project(project) => {
                Input::Project(ProjectInput { conditional: form == LockForm::Pylock, ..project.clone() })
            }
            other => other.clone(),
        };
        self.asked.iter().map(input).collect()
    }

    /// The directory that paths in the inputs start from.
    pub(super) fn folder(&self, here: &Path) -> PathBuf {
        let of_script = self.script.as_ref().and_then(|script| script.path.parent());
        of_script.unwrap_or(here).to_path_buf()
    }
}

/// What is locked where nothing is named.
fn found(here: &Path) -> Result<String> {
    let requirements = here.join("requirements.in");
    let project = lockfile::find_project(here);
    // A member that the workspace's lock has is locked there.
    let workspace = project.as_deref().and_then(Path::parent).and_then(lockfile::lock_of_workspace);
    let found = workspace
        .map(|lock| lock.with_file_name("pyproject.toml"))
        .or(project)
        .or_else(|| fs::metadata(&requirements).is_ok().then_some(requirements))
        .ok_or_else(|| {
            Error::new("there is nothing to lock: neither a `pyproject.toml` nor a `requirements.in`")
                .hinted("name what is to be locked: `virtpy lock rich`, `virtpy lock requirements.in`")
        })?;
    Ok(found.display().to_string())
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|extension| extension.to_str())
}

/// Whether this is what a shell passes on: `/dev/stdin`, `<(…)`.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}
