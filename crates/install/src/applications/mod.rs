//! Applications: from what is known or asked of one to a venv that is in use. A new venv is made beside the old one, filled, and
//! taken into use when it is complete.

mod changes;
mod injected;
mod installed;
mod list;
mod spec;

pub use changes::Upgrade;
pub use list::ToolList;
pub use spec::{ToolSpec, versioned};

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use virtpy_pep::{PackageName, Requirement, Version, WheelHash};
use virtpy_resolver::{Input, Options, Request};

use crate::installed::sha256_of;
use crate::lockfile::LockKind;
use crate::plan::{Extent, Goal, InstallOptions, Source};
use crate::resolved::{ResolveRequest, Resolved};
use crate::tools::{Exposed, Manifest, Offer, Tool, Toolbox, check_suffix};
use crate::{
    Changelog, Environment, Error, Host, Indexes, LockChoice, LockSource, NewEnvironment, Requirements,
    Result, bring, counted, plugins, pythons,
};
use virtpy_files as fs;
use virtpy_interpreters::{Interpreter, PythonRequest};
use virtpy_venv::{Contents, Owner, Venv};

/// What came of it.
pub struct ToolOutcome {
    /// The application.
    pub tool: Tool,
    /// The one that was there before.
    pub previous: Option<Tool>,
    /// Whether something changed.
    pub changed: bool,
    /// What came of filling its venv.
    pub log: Changelog,
    /// How long it took.
    pub taken: Duration,
}

/// Installs an application, or leaves everything as it was. If the user names no interpreter and the usual one will not do,
/// others are tried.
///
/// # Errors
/// When no interpreter will do, or what is asked for cannot be had.
pub fn install_tool(host: &Host, mut spec: ToolSpec) -> Result<ToolOutcome> {
    let started = Instant::now();
    let toolbox = Toolbox::new(&host.store);
    let outcome = install_with_fitting_python(host, toolbox, &mut spec)?;
    Ok(ToolOutcome { taken: started.elapsed(), ..outcome })
}

fn install_with_fitting_python(
    host: &Host,
    toolbox: Toolbox<'_>,
    spec: &mut ToolSpec,
) -> Result<ToolOutcome> {
    check_suffix(&spec.manifest.suffix)?;
    let request = spec.manifest.python.clone();
    let first = host.interpreter_for(request.as_deref(), spec.downloads)?;
    let error = match attempt(host, toolbox, spec, &first) {
        Err(error) if request.is_none() && error.python_need().is_some() => error,
        settled => return settled,
    };
    let mut tried = vec![first];
    for other in host.other_minors(&tried[0]) {
        if let Ok(outcome) = attempt(host, toolbox, spec, &other) {
            host.message(format_args!("{} runs with Python {}", outcome.tool.name, other.version));
            return Ok(outcome);
        }
        tried.push(other);
    }
    // What cannot be installed now is not what failed.
    let needed = if spec.downloads { needed(host, &error, &tried).unwrap_or(None) } else { None };
    needed
        .and_then(|needed| attempt(host, toolbox, spec, &needed).ok())
        .ok_or_else(|| error.hinted("name another interpreter with `--python`"))
}

/// An interpreter that can be installed, installed: the newest that an error says is needed, or else the newest of all, if it
/// is newer than those that were tried.
fn needed(host: &Host, error: &Error, tried: &[Interpreter]) -> Result<Option<Interpreter>> {
    let range = error.python_need().and_then(|need| need.range.as_deref());
    let request = range.and_then(|text| text.parse().ok());
    let request = request.filter(|request| matches!(request, PythonRequest::Range(_)));
    let version = pythons::newest_version(host, range.filter(|_| request.is_some()).unwrap_or("3"))?;
    let numbers: Vec<u32> = version.split('.').take(2).filter_map(|number| number.parse().ok()).collect();
    let is_known = match request {
        Some(request) => tried.iter().any(|one| request.matches(one)),
        None => tried.iter().any(|one| numbers <= vec![one.version.major, one.version.minor]),
    };
    if is_known {
        return Ok(None);
    }
    host.message(format_args!("no interpreter of this machine will do: installing Python {version}"));
    pythons::install_for(host, &version)?;
    host.interpreter_for(Some(&version), false).map(Some)
}

fn attempt(
    host: &Host,
    toolbox: Toolbox<'_>,
    spec: &mut ToolSpec,
    interpreter: &Interpreter,
) -> Result<ToolOutcome> {
    if spec.manifest.package.is_empty() {
        spec.manifest.package = package_name(host, interpreter, spec)?.into();
    }
    // A lock file says all that there is to be. What cannot be read is replaced.
    if spec.keep_injected
        && spec.lock.is_none()
        && let Ok(Some(old)) = toolbox.open(&spec.manifest.name())
    {
        spec.manifest.keep_injected(&old.manifest);
    }
    install_generation(host, toolbox, &spec.manifest.name(), spec, interpreter)
}

/// Installs the next generation of an application under a name, with this interpreter.
///
/// # Errors
/// When what is asked for cannot be had; everything is as before then.
pub fn install_generation(
    host: &Host,
    toolbox: Toolbox<'_>,
    name: &str,
    spec: &ToolSpec,
    interpreter: &Interpreter,
) -> Result<ToolOutcome> {
    let _lock = toolbox.lock(name, &mut host.announce())?;
    let generation = toolbox.next_generation(name)?;
    // One that cannot be read is replaced.
    let previous = toolbox.open(name).unwrap_or(None);
    let built = build(host, &generation, spec, interpreter).and_then(|built| {
        toolbox.check(name, &built.manifest.exposed)?;
        Ok(built)
    });
    let Built { manifest, set, log } = match built {
        Ok(built) => built,
        Err(error) => return Err(rolled_back(host, toolbox, name, error)),
    };
    if let Some(old) = &previous
        && spec.keep_same
        && (Manifest { pinned: old.manifest.pinned, ..manifest.clone() }) == old.manifest
        && InstalledSet::of(host, &old.venv).is_ok_and(|old| old == set)
    {
        toolbox.discard(&generation)?;
        let tool = old.clone();
        return Ok(ToolOutcome {
            tool,
            previous,
            changed: false,
            log: Changelog::default(),
            taken: Duration::ZERO,
        });
    }
    if let Some(old) = &previous {
        keep_plugins(&old.venv, &generation).map_err(|error| rolled_back(host, toolbox, name, error))?;
    }
    toolbox
        .publish(name, &generation, &manifest)
        .map_err(|error| rolled_back(host, toolbox, name, error.into()))?;
    let tool = Tool { name: name.to_owned(), venv: generation, manifest };
    Ok(ToolOutcome { tool, previous, changed: true, log, taken: Duration::ZERO })
}

/// Puts the plugins that are in one generation (`virtpy enable`) into the next.
fn keep_plugins(old: &Path, new: &Path) -> Result<()> {
    // What is no venv any more has none.
    let Ok(old) = Venv::open(old) else { return Ok(()) };
    Ok(plugins::carry_over(&old.site_packages(), &Venv::open(new)?.site_packages())?)
}

/// Removes what a failed change left, and gives back why it failed. What cannot be removed now is by the next change.
fn rolled_back(host: &Host, toolbox: Toolbox<'_>, name: &str, error: Error) -> Error {
    if let Err(left) = toolbox.settle(name) {
        let left = Error::from(left).told().join(": ");
        host.detail(format_args!("left for the next change of {name}: {left}"));
    }
    error
}

/// What is in a venv.
#[derive(PartialEq, Eq)]
struct InstalledSet {
    packages: BTreeSet<InstalledPackage>,
    python: PathBuf,
}

/// What tells a package in a venv from another.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct InstalledPackage {
    name: PackageName,
    version: String,
    /// That of its wheel; another installer's has none.
    sha256: Option<WheelHash>,
}

impl InstalledSet {
    fn of(host: &Host, root: &Path) -> Result<Self> {
        let venv = Venv::open(root)?;
        let contents = Contents::read(&venv, &host.store)?;
        if !contents.dangling.is_empty() {
            return Err(Error::new("the store no longer has all of it"));
        }
        let others = contents.distributions.iter().filter(|one| !plugins::is_plugin(&one.package));
        let packages = others
            .map(|one| InstalledPackage {
                name: one.package.clone(),
                version: one.version.clone(),
                sha256: sha256_of(one),
            })
            .collect();
        Ok(Self { packages, python: fs::canonicalize(&venv.python())? })
    }
}

/// A generation that is complete.
struct Built {
    manifest: Manifest,
    set: InstalledSet,
    log: Changelog,
}

/// Makes and fills the venv of a generation.
fn build(host: &Host, generation: &Path, spec: &ToolSpec, interpreter: &Interpreter) -> Result<Built> {
    let manifest = &spec.manifest;
    let indexes = Indexes::new(spec.index.clone());
    let new = NewEnvironment {
        prompt: Some(manifest.package.clone()),
        ..NewEnvironment::in_store(generation.to_path_buf())
    };
    let injections = injected::groups(manifest, &spec.index);
    let mut environment = Environment::create(host, interpreter.clone(), new, &indexes)?;
    let options = InstallOptions::default();
    let (source, extent): (Box<dyn Source>, Extent) = if let Some(lock) = &spec.lock {
        (Box::new(lock_source(host, lock, &indexes)?), Extent::Exact)
    } else {
        (Box::new(requirements(host, spec, &indexes)?), Extent::Sufficient)
    };
    let mut log = bring(&mut environment, &Goal { source: source.as_ref(), extent, options })?;
    for group in injections.iter().filter(|_| spec.lock.is_none()) {
        log.append(injected::bring_group(&mut environment, spec, group)?);
    }
    let contents = Contents::read(environment.venv(), &host.store)?;
    let main =
        contents.distributions.iter().find(|one| one.package == *manifest.package).ok_or_else(|| {
            let lock = spec.lock.as_ref().map(|lock| lock.display().to_string());
            let what = lock.unwrap_or_else(|| manifest.request.clone());
            Error::new(format!("`{what}` did not bring the package `{}`", manifest.package))
        })?;
    if spec.lock.is_some() {
        check_lock(manifest, &contents)?;
    }
    let exposed = exposed(host, &contents, spec)?;
    let manifest = Manifest { version: main.version.clone(), exposed, ..manifest.clone() };
    environment.keep();
    Ok(Built { manifest: manifest.without_credentials(), set: InstalledSet::of(host, generation)?, log })
}

/// The lock file that an application is made of.
fn lock_source(host: &Host, lock: &Path, indexes: &Indexes) -> Result<LockSource> {
    let choice = LockChoice { files: vec![lock.to_path_buf()], ..LockChoice::default() };
    let source = LockSource::find(host, choice, indexes)?;
    if source.kind == LockKind::Poetry {
        return Err(Error::usage("`poetry.lock` locks a project, not an application")
            .hinted("lock the application itself: `virtpy lock NAME -o pylock.NAME.toml`"));
    }
    Ok(source)
}

/// What an application is made of.
fn requirements(host: &Host, spec: &ToolSpec, indexes: &Indexes) -> Result<Requirements> {
    let manifest = &spec.manifest;
    let request = vec![manifest.request.clone()];
    let (specs, editables) = if manifest.editable { (Vec::new(), request) } else { (request, Vec::new()) };
    // What has a place of its own comes from there, afterwards.
    let with = manifest.with.iter().filter(|text| !manifest.with_origins.contains_key(*text)).cloned();
    let specs: Vec<String> = specs.into_iter().chain(with).collect();
    let mut wanted = Requirements::read(host, &specs, &[], &[], indexes.settings(host)?)?;
    wanted.files.constrain(&spec.constraints, "the list of applications");
    Ok(Requirements {
        editables,
        pre: manifest.origin.pre,
        upgrade: spec.upgrade,
        preferred: spec.preferred.clone(),
        ..wanted
    })
}

/// A lock file has to have what was asked for, in a version that was asked for.
fn check_lock(manifest: &Manifest, contents: &Contents) -> Result<()> {
    for text in std::iter::once(&manifest.request).chain(&manifest.with) {
        let Ok(requirement) = Requirement::of_metadata(text) else { continue };
        let found = contents.find(requirement.name());
        let version = found.and_then(|found| found.version.parse::<Version>().ok());
        if !version.is_some_and(|version| requirement.url().is_some() || requirement.accepts(&version)) {
            let what = found.map_or_else(|| "nothing of it".to_owned(), |found| found.version.clone());
            return Err(Error::new(format!("`{text}` is not what is locked: the lock file has {what}"))
                .hinted("make the lock file again, or ask for what it has"));
        }
    }
    Ok(())
}

/// The names that an application's packages offer, as far as they are wanted.
fn exposed(host: &Host, contents: &Contents, spec: &ToolSpec) -> Result<Vec<Exposed>> {
    let manifest = &spec.manifest;
    let mut exposed: Vec<Exposed> = Vec::new();
    let mut others = Vec::new();
    for distribution in &contents.distributions {
        let Owner::Virtpy(installed) = &distribution.owner else { continue };
        let Some(entry) = host.store.entry(&installed.sha256)? else { continue };
        let offer = Offer::of(&entry.manifest);
        let is_main = distribution.package == *manifest.package;
        if is_main
            || manifest.include_deps
            || manifest.with_apps.iter().any(|name| distribution.package == **name)
        {
            exposed.extend(offer.exposed(&manifest.suffix));
        } else if !offer.commands.is_empty() {
            others.push(distribution.name.clone());
        }
    }
    exposed.sort();
    exposed.dedup_by(|one, other| one.place == other.place);
    if exposed.iter().any(|one| one.command().is_some()) {
        Ok(exposed)
    } else {
        Err(no_commands(spec, &others))
    }
}

/// A package without commands is a library, or a collection of what has some.
fn no_commands(spec: &ToolSpec, others: &[String]) -> Error {
    let package = &spec.manifest.package;
    let error = Error::new(format!("`{package}` has no commands"));
    if spec.is_run {
        return error
            .hinted("name the package that has the command: `virtpy tool run --from PACKAGE COMMAND`");
    }
    let library = format!("if it is a library, `virtpy add {package}` puts it into a venv");
    let hint = match others {
        [] => library,
        [one] => format!("{library}; what it requires has some ({one}): `--include-deps` exposes them"),
        [one, more @ ..] => format!(
            "{library}; {} that it requires have some ({one} and others): `--include-deps` exposes them",
            counted(more.len() + 1, "package")
        ),
    };
    error.hinted(hint)
}

/// The normalized name of the package that a request brings.
///
/// # Errors
/// When it cannot be found out.
pub fn package_name(host: &Host, interpreter: &Interpreter, spec: &ToolSpec) -> Result<PackageName> {
    let request = &spec.manifest.request;
    if !spec.manifest.editable
        && let Ok(requirement) = request.parse::<Requirement>()
    {
        return Ok(requirement.name().clone());
    }
    let input = if spec.manifest.editable {
        Input::Editable(request.clone())
    } else {
        Input::Requirement(request.clone())
    };
    let asked = Request {
        requirements: vec![input],
        options: Options {
            no_deps: true,
            prerelease: spec.manifest.origin.pre,
            working_directory: host.working_directory.clone(),
            ..Options::default()
        },
        ..Request::default()
    };
    let settings = host.index_settings(&spec.index)?;
    let resolution =
        Resolved::of(host, interpreter, settings, &ResolveRequest::Request(Box::new(asked)))?.resolution;
    let package = resolution.packages.iter().find(|package| package.requested);
    package.map(|package| package.name.clone()).ok_or_else(|| {
        Error::new(format!("`{request}` names no package"))
            .hinted("write it as a requirement, a path or a URL")
    })
}

/// A request that means the same from every folder: paths are made absolute.
pub fn absolutize_spec(host: &Host, spec: &str) -> String {
    let (path, extras) = match spec.split_once('[') {
        Some((path, extras)) => (path, format!("[{extras}")),
        None => (spec, String::new()),
    };
    let is_file = Path::new(path)
        .extension()
        .is_some_and(|extension| ["whl", "gz", "zip", "bz2", "xz"].iter().any(|known| extension == *known));
    if spec.contains("://")
        || spec.contains(" @ ")
        || !(path.contains('/') || path.starts_with('.') || is_file)
    {
        return spec.to_owned();
    }
    let absolute = host.working_directory.join(path);
    match fs::canonicalize(&absolute) {
        Ok(found) => format!("{}{extras}", found.display()),
        Err(_) => spec.to_owned(),
    }
}
