//! From what is known or asked of an application to a venv that is in use.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use virtpy_pep::{Requirement, Version, normalize_name};
use virtpy_resolver::{Input, Options, Request};

use super::super::{add, new, sync};
use super::python::{interpreter, is_about_python, needed, others};
use crate::cli::{AddArguments, IndexArguments, VenvArgument};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::Interpreter;
use crate::output::counted;
use crate::resolve::ResolveError;
use crate::tools::{Exposed, Manifest, Offer, Origin, Tool, Toolbox, check_suffix};
use crate::venv::{self, Contents, LinkMode, NewVenv, Owner, Venv};

/// What is wanted.
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(super) struct Wish {
    /// What is known of the application; without a package's name the request tells it.
    pub(super) manifest: Manifest,
    /// Where packages come from.
    pub(super) index: IndexArguments,
    /// Versions that are kept where that is possible: name and version.
    pub(super) preferred: Vec<(String, String)>,
    /// A file of versions that have to be taken.
    pub(super) constraints: Option<PathBuf>,
    /// A lock file that is followed exactly.
    pub(super) lock: Option<PathBuf>,
    /// Whether an interpreter may be installed for it.
    pub(super) downloads: bool,
    /// Whether the indexes are asked for the newest, whatever they said a few minutes ago.
    pub(super) upgrade: bool,
    /// Whether an application that would come out the same is left as it is.
    pub(super) keep_same: bool,
    /// Whether it is only run, and not installed.
    pub(super) is_run: bool,
}

impl Wish {
    /// A wish for what a manifest says, from where it says.
    pub(super) fn of(manifest: Manifest) -> Self {
        let index = index_of(&manifest.origin);
        Self {
            manifest,
            index,
            preferred: Vec::new(),
            constraints: None,
            lock: None,
            downloads: true,
            upgrade: false,
            keep_same: false,
            is_run: false,
        }
    }
}

/// The index options that mean what is remembered.
pub(super) fn index_of(origin: &Origin) -> IndexArguments {
    IndexArguments {
        index_url: origin.index_url.clone(),
        extra_index_urls: origin.extra_index_urls.clone(),
        find_links: origin.find_links.clone(),
        no_index: origin.no_index,
        ..IndexArguments::default()
    }
}

/// What came of it.
pub(super) struct Realized {
    /// The application.
    pub(super) tool: Tool,
    /// The one that was there before.
    pub(super) previous: Option<Tool>,
    /// Whether something changed.
    pub(super) changed: bool,
}

/// Makes a wish come true, or leaves everything as it was. If the user names no interpreter and the usual one will not do,
/// others are tried.
pub(super) fn realize(context: &Context, toolbox: Toolbox<'_>, mut wish: Wish) -> Result<Realized, Failure> {
    check_suffix(&wish.manifest.suffix)?;
    let request = wish.manifest.python.clone();
    let first = interpreter(context, request.as_deref(), wish.downloads)?;
    let failure = match attempt(context, toolbox, &mut wish, &first) {
        Err(failure) if request.is_none() && is_about_python(&failure) => failure,
        settled => return settled,
    };
    let mut tried = vec![first];
    for other in others(context, &tried[0]) {
        if let Ok(realized) = attempt(context, toolbox, &mut wish, &other) {
            context.output.message(format_args!("{} runs with Python {}", realized.tool.name, other.version));
            return Ok(realized);
        }
        tried.push(other);
    }
    // What cannot be installed now is not what failed.
    let needed = if wish.downloads { needed(context, &failure, &tried).unwrap_or(None) } else { None };
    needed
        .and_then(|needed| attempt(context, toolbox, &mut wish, &needed).ok())
        .ok_or_else(|| failure.hinted("name another interpreter with `--python`"))
}

fn attempt(
    context: &Context,
    toolbox: Toolbox<'_>,
    wish: &mut Wish,
    interpreter: &Interpreter,
) -> Result<Realized, Failure> {
    if wish.manifest.package.is_empty() {
        wish.manifest.package = package_name(context, interpreter, wish)?;
    }
    realize_as(context, toolbox, &wish.manifest.name(), wish, interpreter)
}

/// The same under a given name.
pub(super) fn realize_as(
    context: &Context,
    toolbox: Toolbox<'_>,
    name: &str,
    wish: &Wish,
    interpreter: &Interpreter,
) -> Result<Realized, Failure> {
    let _lock = toolbox.lock(name, &mut context.announce())?;
    let generation = toolbox.next_generation(name)?;
    // One that cannot be read is replaced.
    let previous = toolbox.open(name).unwrap_or(None);
    let built = build(context, &generation, wish, interpreter).and_then(|(manifest, set)| {
        toolbox.check(name, &manifest.exposed)?;
        Ok((manifest, set))
    });
    let (manifest, set) = match built {
        Ok(built) => built,
        Err(failure) => return Err(taken_back(context, toolbox, name, failure)),
    };
    if let Some(old) = &previous
        && wish.keep_same
        && (Manifest { pinned: old.manifest.pinned, ..manifest.clone() }) == old.manifest
        && installed(context, &old.venv).is_ok_and(|old| old == set)
    {
        toolbox.discard(&generation)?;
        let tool = old.clone();
        return Ok(Realized { tool, previous, changed: false });
    }
    toolbox
        .publish(name, &generation, &manifest)
        .map_err(|error| taken_back(context, toolbox, name, error.into()))?;
    let tool = Tool { name: name.to_owned(), venv: generation, manifest };
    Ok(Realized { tool, previous, changed: true })
}

/// Removes what a failed change left, and gives back why it failed. What cannot be removed now is by the next change.
fn taken_back(context: &Context, toolbox: Toolbox<'_>, name: &str, failure: Failure) -> Failure {
    if let Err(error) = toolbox.settle(name) {
        let error = Failure::from(error);
        context
            .output
            .detail(format_args!("left for the next change of {name}: {}", error.chain().join(": ")));
    }
    failure
}

/// What is in a venv: names, versions, hashes of the wheels, and the interpreter.
type Set = (BTreeSet<(String, String, String)>, PathBuf);

fn installed(context: &Context, root: &Path) -> Result<Set, Failure> {
    let venv = Venv::open(root)?;
    let contents = Contents::read(&venv, &context.store)?;
    if !contents.dangling.is_empty() {
        return Err(Failure::new("the store no longer has all of it"));
    }
    let packages = contents.distributions.iter().map(|one| {
        let sha256 = match &one.owner {
            Owner::Virtpy(installed) => installed.sha256.clone(),
            Owner::Foreign { .. } | Owner::System { .. } => String::new(),
        };
        (one.key.clone(), one.version.clone(), sha256)
    });
    Ok((packages.collect(), fs::canonicalize(&venv.python())?))
}

/// Makes and fills the venv of a generation; returns its manifest and its set.
fn build(
    context: &Context,
    generation: &Path,
    wish: &Wish,
    interpreter: &Interpreter,
) -> Result<(Manifest, Set), Failure> {
    let manifest = &wish.manifest;
    let new_venv = NewVenv {
        path: generation.to_path_buf(),
        prompt: Some(manifest.package.clone()),
        system_site_packages: false,
        clear: false,
        in_store: true,
        link_mode: LinkMode::default(),
        pip: None,
    };
    {
        let _store_lock = context.store.lock_shared(&mut context.announce())?;
        venv::create(&context.store, &new::base(interpreter), &new_venv, &mut context.announce())?;
    }
    match &wish.lock {
        Some(lock) => sync::follow(context, generation, lock, &wish.index)?,
        None => add_all(context, generation, wish)?,
    }
    let venv = Venv::open(generation)?;
    let contents = Contents::read(&venv, &context.store)?;
    let main = contents.find(&manifest.package).ok_or_else(|| {
        let what =
            wish.lock.as_ref().map_or_else(|| manifest.request.clone(), |lock| lock.display().to_string());
        Failure::new(format!("`{what}` did not bring the package `{}`", manifest.package))
    })?;
    if wish.lock.is_some() {
        check_lock(manifest, &contents)?;
    }
    let exposed = exposed(context, &contents, wish)?;
    let manifest = Manifest { version: main.version.clone(), exposed, ..manifest.clone() };
    Ok((manifest.without_credentials(), installed(context, generation)?))
}

/// A lock file has to have what was asked for, in a version that was asked for.
fn check_lock(manifest: &Manifest, contents: &Contents) -> Result<(), Failure> {
    for text in std::iter::once(&manifest.request).chain(&manifest.with) {
        let Ok(requirement) = Requirement::of_metadata(text) else { continue };
        let found = contents.find(requirement.name());
        let version = found.and_then(|found| found.version.parse::<Version>().ok());
        if !version.is_some_and(|version| requirement.url().is_some() || requirement.accepts(&version)) {
            let what = found.map_or_else(|| "nothing of it".to_owned(), |found| found.version.clone());
            return Err(Failure::new(format!("`{text}` is not what is locked: the lock file has {what}"))
                .hinted("make the lock file anew, or ask for what it has"));
        }
    }
    Ok(())
}

/// Resolves and installs what a wish asks for.
fn add_all(context: &Context, generation: &Path, wish: &Wish) -> Result<(), Failure> {
    let manifest = &wish.manifest;
    let (specs, editables) = if manifest.editable {
        (Vec::new(), vec![manifest.request.clone()])
    } else {
        (vec![manifest.request.clone()], Vec::new())
    };
    let arguments = AddArguments {
        specs: specs.into_iter().chain(manifest.with.iter().cloned()).collect(),
        editables,
        venv: VenvArgument { path: Some(generation.to_path_buf()) },
        constraints: wish.constraints.iter().cloned().collect(),
        pre: manifest.origin.pre,
        upgrade: wish.upgrade,
        index: wish.index.clone(),
        ..AddArguments::default()
    };
    add::carry_out(context, &arguments, &wish.preferred).map(drop)
}

/// The names that an application's packages offer, as far as they are wanted.
fn exposed(context: &Context, contents: &Contents, wish: &Wish) -> Result<Vec<Exposed>, Failure> {
    let manifest = &wish.manifest;
    let mut exposed: Vec<Exposed> = Vec::new();
    let mut others = Vec::new();
    for distribution in &contents.distributions {
        let Owner::Virtpy(installed) = &distribution.owner else { continue };
        let Some(entry) = context.store.entry(&installed.sha256)? else { continue };
        let offer = Offer::of(&entry.manifest);
        let is_main = distribution.key == manifest.package;
        if is_main || manifest.include_deps || manifest.with_apps.contains(&distribution.key) {
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
        Err(no_commands(wish, &others))
    }
}

/// A package without commands is a library, or a collection of what has some.
fn no_commands(wish: &Wish, others: &[String]) -> Failure {
    let package = &wish.manifest.package;
    let failure = Failure::new(format!("`{package}` has no commands"));
    if wish.is_run {
        return failure
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
    failure.hinted(hint)
}

/// The normalized name of the package that a request brings.
pub(super) fn package_name(
    context: &Context,
    interpreter: &Interpreter,
    wish: &Wish,
) -> Result<String, Failure> {
    let request = &wish.manifest.request;
    if !wish.manifest.editable
        && let Ok(requirement) = request.parse::<Requirement>()
    {
        return Ok(requirement.name().to_owned());
    }
    let input = if wish.manifest.editable {
        Input::Editable(request.clone())
    } else {
        Input::Requirement(request.clone())
    };
    let session = context.session(interpreter, context.index_settings(&wish.index)?);
    let resolution = session
        .resolve(&Request {
            requirements: vec![input],
            options: Options {
                no_deps: true,
                prerelease: wish.manifest.origin.pre,
                working_directory: context.working_directory.clone(),
                ..Options::default()
            },
            ..Request::default()
        })
        .map_err(ResolveError::from)?;
    let package = resolution.packages.iter().find(|package| package.requested);
    package.map(|package| package.name.clone()).ok_or_else(|| {
        Failure::new(format!("`{request}` names no package"))
            .hinted("write it as a requirement, a path or a URL")
    })
}

/// A request that means the same from every folder: paths are made absolute.
pub(in super::super) fn settled(context: &Context, spec: &str) -> String {
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
    let absolute = context.working_directory.join(path);
    match fs::canonicalize(&absolute) {
        Ok(found) => format!("{}{extras}", found.display()),
        Err(_) => spec.to_owned(),
    }
}

/// The normalized names of requirements, for `with-apps`. What has no name by itself is left out.
pub(in super::super) fn names_of(specs: &[String]) -> Vec<String> {
    specs
        .iter()
        .filter_map(|spec| {
            spec.parse::<Requirement>()
                .map(|requirement| requirement.name().to_owned())
                .or_else(|_| normalize_name(spec))
                .ok()
        })
        .collect()
}
