//! `virtpy poetry-install`: bring a venv to what `poetry.lock` says, in one change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use virtpy_resolver::Input;

use super::add::{Named, OWN_PIP, named};
use super::aftermath;
use super::hold::hold_whole;
use super::presence::{admits, arrival, is_the_same, same_source, same_version};
use super::progress::Progress;
use crate::cli::{NewArguments, PoetryInstallArguments, VenvArgument};
use crate::context::Context;
use crate::digest::hex;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::{Interpreter, PythonRequest};
use crate::output::{counted, seconds};
use crate::poetry::{
    self, Ask, Circumstances, GroupChoice, LockFile, PoetryError, Project, Wanted, Wish, file_url,
    group_name, identity_of_folder, root_wheel,
};
use crate::resolve::{ResolveError, Supply, Way};
use crate::store::{Entry, WheelFile};
use crate::venv::{Change, ChangeSummary, Contents, Venv};
use crate::wheel;

pub(super) fn run(context: &Context, arguments: &PoetryInstallArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let project = Project::read(&project_folder(context, arguments)?)?;
    let lock = LockFile::read(&project.root.join("poetry.lock"))?;
    if !project.is_locked_by(&lock) {
        return Err(PoetryError::Stale.into());
    }
    let path = context.project_venv(&arguments.venv, &project.root)?;
    let is_there = fs::kind(&path.join("pyvenv.cfg"))?.is_some();
    let (project, lock) = (&project, &lock);
    if !is_there && arguments.dry_run {
        let request = python_request(arguments, project)?;
        let interpreter = &context.find_interpreter(request.as_ref())?;
        let outcome =
            Job { context, arguments, project, lock, interpreter }.run(None, &Contents::default())?;
        return report(context, arguments, &outcome, started.elapsed());
    }
    let fill = || {
        let venv = context.venv_to_change(&VenvArgument { path: Some(path.clone()) })?;
        let interpreter = &context.interpreter(&venv)?;
        context.demand_python(arguments.python.as_deref(), &venv.root, interpreter)?;
        let held = hold_whole(context, &venv, &arguments.index)?;
        Job { context, arguments, project, lock, interpreter }.run(Some(&venv), &held.contents)
    };
    let outcome = if is_there {
        context.name_venv(&path);
        fill()?
    } else {
        super::new::make_for(context, &new_venv(arguments, project, &path), fill)?
    };
    report(context, arguments, &outcome, started.elapsed())
}

/// The folder of the nearest `pyproject.toml`.
fn project_folder(context: &Context, arguments: &PoetryInstallArguments) -> Result<PathBuf, Failure> {
    if let Some(folder) = &arguments.project {
        return Ok(fs::canonicalize(&context.working_directory.join(folder))?);
    }
    for folder in context.working_directory.ancestors() {
        if fs::kind(&folder.join("pyproject.toml"))?.is_some() {
            return Ok(folder.to_path_buf());
        }
    }
    Err(PoetryError::NoProject(context.working_directory.clone()).into())
}

fn python_request(
    arguments: &PoetryInstallArguments,
    project: &Project,
) -> Result<Option<PythonRequest>, Failure> {
    let text = arguments.python.clone().or_else(|| project.requires_python());
    let request = text.map(|text| text.parse::<PythonRequest>()).transpose();
    request.map_err(|error| Failure::usage(error.to_string()))
}

/// The venv that is made if there is none.
fn new_venv(arguments: &PoetryInstallArguments, project: &Project, path: &Path) -> NewArguments {
    NewArguments {
        path: path.to_path_buf(),
        python: arguments.python.clone().or_else(|| project.requires_python()),
        prompt: project.text("name").map(ToOwned::to_owned),
        ..NewArguments::default()
    }
}

/// One call of `virtpy poetry-install`.
struct Job<'a> {
    context: &'a Context,
    arguments: &'a PoetryInstallArguments,
    project: &'a Project,
    lock: &'a LockFile,
    interpreter: &'a Interpreter,
}

/// What came of it.
#[derive(Default)]
struct Outcome {
    summary: ChangeSummary,
    unchanged: usize,
    downloaded: usize,
    built: usize,
}

impl Job<'_> {
    fn run(&self, venv: Option<&Venv>, contents: &Contents) -> Result<Outcome, Failure> {
        self.check_python()?;
        let mut wanted = self.wanted()?;
        if contents.has_pip_shim() && wanted.iter().any(|one| one.key == "pip") {
            self.context.output.warning(OWN_PIP);
            wanted.retain(|one| one.key != "pip");
        }
        let root = self.root()?;
        let missing: Vec<&Wanted> = wanted.iter().filter(|one| !is_installed(one, contents)).collect();
        let remove = if self.arguments.sync { self.surplus(&wanted, contents) } else { BTreeSet::new() };
        let Some(venv) = venv.filter(|_| !self.arguments.dry_run) else {
            return Ok(foresee(&missing, root.as_ref(), &remove, contents));
        };
        let mut to_have = missing.clone();
        if let Some(Root::Asked(root)) = &root {
            to_have.push(root);
        }
        let mut supplied = self.supply(&wanted, &to_have)?;
        let mut install = Vec::new();
        if let Some(Root::Own { entry, direct_url }) = root {
            supplied.arrivals.push((*entry, Some(direct_url)));
        }
        for (entry, direct_url) in supplied.arrivals {
            if !is_the_same(&entry, contents) {
                install.push(arrival(self.context.settings()?, contents, entry, (false, direct_url)));
            }
        }
        let tags = Some(self.interpreter.tags());
        let change = Change { install, remove, tags, force: self.arguments.force, ..Change::default() };
        let summary = if change.install.is_empty() && change.remove.is_empty() {
            ChangeSummary::default()
        } else {
            aftermath::restore_everywhere(self.context, venv, &self.arguments.index)?;
            venv.apply(&self.context.store, contents, &change)?
        };
        let eager = self.arguments.compile_bytecode;
        super::bytecode::after_change(self.context, self.interpreter, venv, &change.install, eager)?;
        let unchanged = wanted.len() - missing.len();
        Ok(Outcome { summary, unchanged, downloaded: supplied.downloaded, built: supplied.built })
    }

    /// The project may not be for this Python.
    fn check_python(&self) -> Result<(), Failure> {
        let Some(required) = self.project.requires_python() else { return Ok(()) };
        if admits(&required, self.interpreter) {
            return Ok(());
        }
        let version = &self.interpreter.version;
        Err(Failure::new(format!("the venv's Python {version} is not allowed by the project ({required})"))
            .hinted("remove the venv, or name another one with `--venv`"))
    }

    /// What the lock file has for the groups, the extras and the interpreter.
    fn wanted(&self) -> Result<Vec<Wanted>, Failure> {
        let PoetryInstallArguments { only, with, without, .. } = self.arguments;
        let choice = GroupChoice { only: only.clone(), with: with.clone(), without: without.clone() };
        let groups = self.project.choose(&choice)?;
        let extras: Vec<String> = if self.arguments.all_extras {
            self.lock.extras.keys().map(|extra| group_name(extra)).collect()
        } else {
            self.arguments.extras.iter().flat_map(|text| text.split_whitespace()).map(group_name).collect()
        };
        let markers = Context::markers(self.interpreter)?;
        let wish = Wish { markers: &markers, groups: &groups, extras: &extras };
        let all = if self.lock.names_groups() { BTreeMap::new() } else { self.project.groups() };
        let selected = poetry::select(self.lock, &all, wish)?;
        let wanted = selected.into_iter().map(|package| Wanted::of(package, &self.project.root));
        Ok(wanted.collect::<Result<_, _>>()?)
    }

    /// The project itself, if it is wanted.
    fn root(&self) -> Result<Option<Root>, Failure> {
        if self.arguments.no_root || !self.project.is_package() {
            return Ok(None);
        }
        let url = file_url(&self.project.root);
        let direct_url = serde_json::json!({"dir_info": {"editable": true}, "url": url}).to_string();
        let has_version = self.project.text("version").is_some();
        if self.project.is_built_by_poetry_alone() && has_version {
            if self.arguments.dry_run {
                // Only whether it could be.
                root_wheel(self.project)?;
                return Ok(None);
            }
            return Ok(Some(Root::Own { entry: Box::new(self.own_entry()?), direct_url }));
        }
        let name = self.project.text("name").unwrap_or_default();
        Ok(Some(Root::Asked(Box::new(Wanted {
            key: group_name(name),
            version: self.project.text("version").unwrap_or_default().to_owned(),
            ask: Ask::Input(Input::Editable(self.project.root.display().to_string())),
            index: None,
            direct_url: Some(direct_url),
            identity: identity_of_folder(&self.project.root, true),
        }))))
    }

    /// The entry of the project that virtpy lays out by itself.
    fn own_entry(&self) -> Result<Entry, Failure> {
        let wheel = root_wheel(self.project)?;
        let store = &self.context.store;
        let folder = store.temporary_folder()?;
        let path = folder.path().join(&wheel.filename);
        fs::write_new(&path, &wheel.bytes, 0o600)?;
        let sha256 = hex(&wheel::file_sha256(&path)?);
        if let Some(entry) = store.entry(&sha256)? {
            store.check_since_boot(&[&entry], &store.checked())?;
            return Ok(entry);
        }
        let origin = self.project.root.display().to_string();
        let _locks = store.lock_entries(vec![sha256.clone()], &mut self.context.announce())?;
        let staged = store.stage(&WheelFile {
            path,
            filename: wheel.filename,
            sha256,
            origin,
            indexes: Vec::new(),
        })?;
        let published = store.publish(vec![staged])?;
        published.into_iter().next().ok_or_else(|| Failure::new("the project's entry was not published"))
    }

    /// What is installed and neither in the lock file nor the project itself. `pip` stays, as with Poetry.
    fn surplus(&self, wanted: &[Wanted], contents: &Contents) -> BTreeSet<String> {
        let own = self.project.text("name").map(group_name).unwrap_or_default();
        let kept = |key: &str| key == "pip" || key == own || wanted.iter().any(|one| one.key == key);
        // Of what has no dist-info nobody knows which files it has.
        let removable = contents.distributions.iter().filter(|one| one.has_dist_info());
        let installed = removable.map(|distribution| distribution.key.clone());
        installed.filter(|key| !kept(key)).collect()
    }

    fn supply(&self, all: &[Wanted], missing: &[&Wanted]) -> Result<Supplied, Failure> {
        let settings = self.context.index_settings(&self.arguments.index)?;
        let Interpreter { executable, version, platform, .. } = self.interpreter;
        let interpreter = format!("{} {version} {platform}", executable.display());
        let circumstances = Circumstances::new(&interpreter, &settings);
        let mut entries = poetry::recall(&self.context.store, &circumstances, missing);
        let unknown: Vec<&Wanted> =
            missing.iter().zip(&entries).filter(|(_, entry)| entry.is_none()).map(|(one, _)| *one).collect();
        let (mut downloaded, mut built) = (0, 0);
        if !unknown.is_empty() {
            let progress = Progress::new(self.context.output, "fetching");
            let session = self.context.session(self.interpreter, poetry::with_indexes(settings, all));
            let supply = Supply {
                store: &self.context.store,
                session: &session,
                interpreter: &Context::build_key(self.interpreter),
                reporter: &progress,
            };
            let announce = &mut self.context.announce();
            let found = poetry::obtain(&supply, self.project, &circumstances, &unknown, announce)?;
            progress.end();
            downloaded = found.iter().filter(|(_, way)| *way == Way::Fetched).count();
            built = found.iter().filter(|(_, way)| *way == Way::Built).count();
            let mut found = found.into_iter().map(|(entry, _)| entry);
            for entry in entries.iter_mut().filter(|entry| entry.is_none()) {
                *entry = found.next();
            }
        }
        let known: Vec<&Entry> = entries.iter().flatten().collect();
        self.context
            .store
            .check_since_boot(&known, &self.context.store.checked())
            .map_err(ResolveError::from)?;
        let arrivals =
            missing.iter().zip(entries).filter_map(|(one, entry)| Some((entry?, one.direct_url.clone())));
        Ok(Supplied { arrivals: arrivals.collect(), downloaded, built })
    }
}

/// How the project itself comes.
enum Root {
    /// virtpy lays it out.
    Own { entry: Box<Entry>, direct_url: String },
    /// The program that builds it is asked.
    Asked(Box<Wanted>),
}

/// The entries of what was missing, with their `direct_url.json`.
struct Supplied {
    arrivals: Vec<(Entry, Option<String>)>,
    downloaded: usize,
    built: usize,
}

/// Whether this version from this source is installed.
fn is_installed(wanted: &Wanted, contents: &Contents) -> bool {
    let found = contents.distributions.iter().find(|distribution| distribution.key == wanted.key);
    found.is_some_and(|distribution| {
        same_version(&distribution.version, &wanted.version)
            && same_source(distribution.direct_url(), wanted.direct_url.as_deref())
    })
}

fn foresee(
    missing: &[&Wanted],
    root: Option<&Root>,
    remove: &BTreeSet<String>,
    contents: &Contents,
) -> Outcome {
    let mut summary = ChangeSummary::default();
    let asked = root.and_then(|root| if let Root::Asked(root) = root { Some(root.as_ref()) } else { None });
    for wanted in missing.iter().copied().chain(asked) {
        if let Some(old) = contents.find(&wanted.key) {
            summary.removed.push((old.name.clone(), old.version.clone()));
        }
        summary.added.push((wanted.key.clone(), wanted.version.clone()));
    }
    for distribution in contents.distributions.iter().filter(|one| remove.contains(&one.key)) {
        summary.removed.push((distribution.name.clone(), distribution.version.clone()));
    }
    Outcome { summary, ..Outcome::default() }
}

#[derive(Serialize)]
struct Report<'a> {
    dry_run: bool,
    added: Vec<Named<'a>>,
    removed: Vec<Named<'a>>,
    unchanged: usize,
    downloaded: usize,
    built: usize,
    seconds: f64,
}

fn report(
    context: &Context,
    arguments: &PoetryInstallArguments,
    outcome: &Outcome,
    elapsed: Duration,
) -> Result<u8, Failure> {
    let Outcome { summary, unchanged, downloaded, built } = outcome;
    let output = context.output;
    super::report_left_alone(output, summary);
    if arguments.json {
        output.json(&Report {
            dry_run: arguments.dry_run,
            added: named(&summary.added),
            removed: named(&summary.removed),
            unchanged: *unchanged,
            downloaded: *downloaded,
            built: *built,
            seconds: elapsed.as_secs_f64(),
        })?;
        return Ok(0);
    }
    output.changes(&summary.removed, &summary.added);
    let added = counted(summary.added.len(), "package");
    let elapsed = seconds(elapsed);
    if arguments.dry_run {
        let removed =
            summary.removed.iter().filter(|(name, _)| !summary.added.iter().any(|(added, _)| added == name));
        let removed = match removed.count() {
            0 => String::new(),
            count => format!(" and remove {}", counted(count, "package")),
        };
        output.message(format_args!("Would install {added}{removed} (nothing was changed)"));
    } else if summary.added.is_empty() && summary.removed.is_empty() {
        output.message(format_args!("Nothing to do: everything in `poetry.lock` is installed ({elapsed})"));
    } else if summary.added.is_empty() {
        let removed = counted(summary.removed.len(), "package");
        output.message(format_args!("Removed {removed} in {elapsed}"));
    } else {
        output
            .message(format_args!("Installed {added} in {elapsed} ({downloaded} downloaded, {built} built)"));
    }
    Ok(0)
}
