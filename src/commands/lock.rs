//! `virtpy lock`: resolve a project or requirements into a lock file.

use std::path::{Path, PathBuf};
use std::time::Instant;

use virtpy_resolver::{
    Input, LockForm, LockRequest, Options, ProjectInput, Request, RequirementsFiles, Selection,
};

use crate::cli::LockArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::ResolveError;
use crate::interpreters::Interpreter;
use crate::lockfile::{self, LockKind, Origin};
use crate::output::{counted, masked, seconds};
use crate::progress::Progress;
use crate::scripts::{self, Metadata, Source};

pub(super) fn run(context: &Context, arguments: &LockArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let asked = Asked::of(context, arguments)?;
    let output = Output::of(context, arguments, &asked)?;
    let existing = match &output.path {
        Some(path) if fs::metadata(path).is_ok() => Some(fs::read_to_string(path)?),
        _ => None,
    };
    let origin = Origin::of(&asked.origins(context), &output.folder);
    if let (Some(path), Some(existing)) = (&output.path, &existing) {
        refuse_another(arguments, &asked, (path, existing), &origin)?;
    }
    let interpreter = interpreter(context, arguments, &asked)?;
    let index = context.host.index_settings(&arguments.index.options())?;
    let index = match &asked.script {
        Some(script) => script.metadata.uv.applied_to(index, arguments.index.index_url.is_some()),
        None => index,
    };
    let files = context.host.requirements_files(&asked.files, &arguments.constraints, &index)?;
    if let Some(remark) = files.remark_on_nothing().filter(|_| asked.inputs.is_empty()) {
        context.output.warning(remark);
    }
    let request = LockRequest {
        request: asked.request(context, arguments, output.form, files),
        form: output.form,
        universal: !arguments.no_universal,
        requires_python: asked.requires_python(arguments),
        folder: output.folder.clone(),
        existing: existing.clone().filter(|_| !arguments.upgrade),
    };
    let session = context.host.session(&interpreter, index);
    let progress = Progress::new(context.output, "resolving");
    let lock = session.lock(&request).map_err(ResolveError::from)?;
    drop(progress);
    for warning in &lock.warnings {
        context.output.warning(warning);
    }
    let text = if output.form == LockForm::Pylock {
        lock.text + &origin.table()
    } else {
        format!("# Made by `virtpy lock`\n{}", lock.text)
    };
    let packages = counted(lock.packages, "package");
    let Some(path) = &output.path else {
        context.output.data_block(&text);
        return Ok(0);
    };
    let shown = path.strip_prefix(&context.working_directory).unwrap_or(path).display();
    let elapsed = seconds(started.elapsed());
    if existing.as_ref() == Some(&text) {
        context.output.message(format_args!("`{shown}` is as it should be: {packages} ({elapsed})"));
        return Ok(0);
    }
    if arguments.check {
        return Err(Failure::new(format!("`{shown}` is not what it would be now"))
            .hinted("write it anew with `virtpy lock`"));
    }
    fs::write_atomic(path, text.as_bytes())?;
    context.output.message(format_args!("Locked {packages} in `{shown}` ({elapsed})"));
    Ok(0)
}

/// A lock file that was made from something else is not replaced, unless the user names it or says so.
fn refuse_another(
    arguments: &LockArguments,
    asked: &Asked,
    (path, existing): (&Path, &str),
    origin: &Origin,
) -> Result<(), Failure> {
    if arguments.force || arguments.check || arguments.output.is_some() {
        return Ok(());
    }
    let made_from = match Origin::read(existing) {
        Some(made) if made.inputs == origin.inputs => return Ok(()),
        Some(made) => format!("was made from `{}`", made.inputs.join("`, `")),
        // Who asks for a project or a script means the lock that goes with it, whoever made it.
        None if asked.project.is_some() || asked.script.is_some() || arguments.inputs.is_empty() => {
            return Ok(());
        }
        None => "does not say what it was made from".to_owned(),
    };
    let wanted = origin.inputs.join("`, `");
    Err(Failure::new(format!("`{}` {made_from}, not from `{wanted}`; nothing was changed", path.display()))
        .hinted("name another file, such as `-o pylock.NAME.toml`, or replace this one with `--force`"))
}

/// What is to be locked.
struct Asked {
    inputs: Vec<Input>,
    /// Requirements files, as they are named.
    files: Vec<PathBuf>,
    /// The first project among the inputs.
    project: Option<PathBuf>,
    /// The script whose metadata are to be locked.
    script: Option<Script>,
}

/// A script and what it says about itself (PEP 723).
struct Script {
    path: PathBuf,
    metadata: Metadata,
}

impl Script {
    fn read(path: PathBuf) -> Result<Self, Failure> {
        let block = scripts::block(&fs::read(&path)?)?.ok_or_else(|| {
            Failure::new(format!("`{}` does not say what it needs", path.display()))
                .hinted("begin it with a block `# /// script` (PEP 723)")
        })?;
        let metadata = Metadata::parse(&block)?;
        Ok(Self { path, metadata })
    }

    fn inputs(&self) -> impl Iterator<Item = Input> {
        self.metadata.dependencies.iter().map(|source| match source {
            Source::Requirement(text) => Input::Requirement(text.clone()),
            Source::Editable(path) => Input::Editable(path.clone()),
        })
    }
}

impl Asked {
    fn of(context: &Context, arguments: &LockArguments) -> Result<Self, Failure> {
        let here = &context.working_directory;
        let mut texts = arguments.inputs.clone();
        if texts.is_empty() {
            let requirements = here.join("requirements.in");
            let found = lockfile::find_project(here)
                .or_else(|| fs::metadata(&requirements).is_ok().then_some(requirements))
                .ok_or_else(|| {
                    Failure::new(
                        "there is nothing to lock: neither a `pyproject.toml` nor a `requirements.in`",
                    )
                    .hinted("name what is to be locked: `virtpy lock rich`, `virtpy lock requirements.in`")
                })?;
            texts.push(found.display().to_string());
        }
        let selection = Selection {
            no_project: arguments.no_project,
            without_groups: arguments.without_groups.clone(),
            ..Selection::default()
        };
        let mut asked = Self { inputs: Vec::new(), files: Vec::new(), project: None, script: None };
        if let [text] = texts.as_slice()
            && matches!(
                Path::new(text).extension().and_then(|extension| extension.to_str()),
                Some("py" | "pyw")
            )
            && !text.ends_with("setup.py")
        {
            let script = Script::read(here.join(text))?;
            asked.inputs.extend(script.inputs());
            asked.script = Some(script);
            return Ok(asked);
        }
        for text in texts {
            let path = here.join(&text);
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let is_file = matches!(extension, Some("in" | "txt"))
                || matches!(name.as_str(), "setup.py" | "setup.cfg")
                || text == "-"
                || is_stream(&path);
            if name == "pyproject.toml" {
                fs::metadata(&path)?;
                asked.project.get_or_insert_with(|| path.clone());
                let selection = selection.clone();
                asked.inputs.push(Input::Project(ProjectInput { path, selection, conditional: true }));
            } else if is_file {
                asked.files.push(PathBuf::from(text));
            } else {
                asked.inputs.push(Input::Requirement(text));
            }
        }
        Ok(asked)
    }

    /// What the lock file will say that it was made from.
    fn origins(&self, context: &Context) -> Vec<lockfile::Asked> {
        if let Some(script) = &self.script {
            return vec![lockfile::Asked::File(script.path.clone())];
        }
        let origin = |input: &Input| match input {
            Input::Project(project) => lockfile::Asked::File(project.path.clone()),
            Input::Requirement(text) | Input::Editable(text) => lockfile::Asked::Requirement(masked(text)),
        };
        let file = |path: &PathBuf| {
            let absolute = context.working_directory.join(path);
            // What comes through a pipe can be read once, and has no name that means anything later.
            let is_once = path == Path::new("-") || is_stream(&absolute);
            if is_once {
                lockfile::Asked::Requirement("-".to_owned())
            } else if let Some(url) = path.to_str().filter(|path| path.contains("://")) {
                lockfile::Asked::Requirement(masked(&url))
            } else {
                lockfile::Asked::File(absolute)
            }
        };
        let files = self.files.iter().map(file);
        self.inputs.iter().map(origin).chain(files).collect()
    }

    /// The versions of Python to lock for, if they are not a project's own.
    fn requires_python(&self, arguments: &LockArguments) -> Option<String> {
        let of_script = self.script.as_ref().and_then(|script| script.metadata.requires_python.clone());
        arguments.requires_python.clone().or(of_script)
    }

    fn request(
        &self,
        context: &Context,
        arguments: &LockArguments,
        form: LockForm,
        files: RequirementsFiles,
    ) -> Request {
        let of_script = self.script.as_ref().and_then(|script| script.path.parent());
        let folder = of_script.unwrap_or(&context.working_directory).to_path_buf();
        Request {
            requirements: self.inputs.iter().map(|input| in_form(input, form)).collect(),
            files,
            options: Options {
                upgrade: arguments.upgrade,
                upgrade_packages: arguments.upgrade_package.clone(),
                prerelease: arguments.pre,
                exclude_newer: arguments.exclude_newer.clone(),
                working_directory: folder,
                ..Options::default()
            },
            ..Request::default()
        }
    }
}

/// Whether this is what a shell passes on: `/dev/stdin`, `<(…)`.
fn is_stream(path: &Path) -> bool {
    let is_other = |found: std::fs::Metadata| !found.is_file() && !found.is_dir();
    fs::metadata(path).is_ok_and(is_other)
}

/// An input as a form can hold it: requirements have no way to leave extras and groups to be chosen later, so a project is then
/// only what everybody gets of it.
fn in_form(input: &Input, form: LockForm) -> Input {
    match input {
        Input::Project(project) => {
            Input::Project(ProjectInput { conditional: form == LockForm::Pylock, ..project.clone() })
        }
        other => other.clone(),
    }
}

/// Where the lock goes, and in which form.
struct Output {
    /// The file; none for the standard output.
    path: Option<PathBuf>,
    folder: PathBuf,
    form: LockForm,
}

impl Output {
    fn of(context: &Context, arguments: &LockArguments, asked: &Asked) -> Result<Self, Failure> {
        let here = context.working_directory.clone();
        let beside = asked.project.as_deref().and_then(Path::parent).unwrap_or(&here).to_path_buf();
        let of_script = asked.script.as_ref().and_then(|script| scripts::lock_name(&script.path));
        let path = match &arguments.output {
            None => Some(of_script.unwrap_or_else(|| beside.join("pylock.toml"))),
            Some(path) if path.as_os_str() == "-" => None,
            Some(path) => Some(here.join(path)),
        };
        let Some(path) = path else {
            return Ok(Self { path: None, folder: here, form: LockForm::Pylock });
        };
        let is_text = path.extension().is_some_and(|extension| extension == "txt");
        let form = if is_text {
            LockForm::Requirements { hashes: !arguments.no_hashes }
        } else if LockKind::of(&path) == LockKind::Pylock {
            LockForm::Pylock
        } else {
            return Err(Failure::usage(format!("`{}` is no name for a lock file", path.display()))
                .hinted("`pylock.toml`, `pylock.NAME.toml` (PEP 751), or a name that ends in `.txt`"));
        };
        let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
        Ok(Self { path: Some(path), folder, form })
    }
}

/// The interpreter to resolve with: one that the project is for, if there is one.
fn interpreter(context: &Context, arguments: &LockArguments, asked: &Asked) -> Result<Interpreter, Failure> {
    if arguments.python.is_some() {
        return context.host.wanted_interpreter(arguments.python.as_deref());
    }
    let text = asked.project.as_deref().map(fs::read_to_string).transpose()?;
    let required = text.and_then(|text| LockKind::Project.requires_python(&text));
    let required = asked.requires_python(arguments).or(required);
    match required.map(|required| context.host.wanted_interpreter(Some(&required))) {
        Some(Ok(found)) => Ok(found),
        // Nothing is installed: any one can ask the indexes.
        _ => context.host.wanted_interpreter(None),
    }
}
