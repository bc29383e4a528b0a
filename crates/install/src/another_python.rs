//! Giving a venv another Python and the same packages. The new venv is made and filled beside the old one, and takes its place in one
//! step: until then the old one stands as it was, whatever fails or is killed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use virtpy_pep::{InterpreterTags, NamedVersion, PackageName, Version};
use virtpy_resolver::{Input, Options, Request, RequirementsFiles};

use crate::changelog::Origins;
use crate::host::markers;
use crate::installed::{candidates, own_pip, package, sha256_of, unmet};
use crate::lockfile::LockedFiles;
use crate::resolve::{Obtained, PinnedRequest, is_satisfied};
use crate::resolved::{ResolveRequest, Resolved};
use crate::restore;
use crate::{Changelog, Environment, Error, Host, Indexes, NewEnvironment, Result, admits, bytecode};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_store::Entry;
use virtpy_venv::{Contents, Distribution, Owner, PackageToInstall, Venv, VenvError};

/// A venv with another Python.
pub struct Renewed<'a> {
    /// The venv.
    pub environment: Environment<'a>,
    /// What it has now and had not before: what the same packages need on this Python only.
    pub log: Changelog,
    /// How many packages it had, and has.
    pub kept: usize,
    /// Those of them that are other files of the same versions: what it had is not for this Python, or the store has lost it.
    pub other_files: Vec<NamedVersion>,
}

/// Makes a venv again at its place, with another interpreter. What `new` leaves open is as it was.
///
/// # Errors
/// When a package cannot be had for that interpreter, somebody edited what the venv has a copy of, or the venv cannot be made; the
/// old one is as before then.
pub fn with_another_python<'a>(
    host: &'a Host,
    venv: Venv,
    interpreter: Interpreter,
    new: NewEnvironment,
    indexes: &'a Indexes,
) -> Result<Renewed<'a>> {
    let old = Environment::open_as_it_is(host, venv, indexes)?;
    old.venv().demand_unedited(&host.store, &old.contents).map_err(unforced)?;
    let kept = kept(&old)?;
    let failed = |error: Error| {
        let (root, version) = (old.venv().root.display(), &interpreter.version);
        error.within(format!("the packages of `{root}` cannot be had for Python {version}; it is as it was"))
    };
    let Filling { packages, mut log, other_files } = fetched(&old, &kept, &interpreter).map_err(failed)?;
    let started = Instant::now();
    let new = NewEnvironment {
        clear: true,
        prompt: new.prompt.or_else(|| old.venv().prompt()),
        system_site_packages: new.system_site_packages || old.sees_system_site(),
        link_mode: new.link_mode.or(Some(old.venv().config.link_mode())),
        pip_shim: new.pip_shim && old.contents.has_pip_shim(),
        packages: packages.clone(),
        ..new
    };
    let mut environment = Environment::create(host, interpreter, new, indexes)?;
    environment.keep();
    log.linked_in = started.elapsed();
    let interpreter = environment.interpreter()?;
    bytecode::after_change(host, interpreter, environment.venv(), &packages, false)?;
    log.unmet = unmet(host, environment.venv(), interpreter)?;
    Ok(Renewed { environment, log, kept: kept.len(), other_files })
}

/// Says of an edited copy what can be done here, where nothing is forced.
fn unforced(error: VenvError) -> Error {
    let name = match &error {
        VenvError::Edited { distribution, .. } => distribution.split(' ').next().map(str::to_owned),
        _ => None,
    };
    let hint = |name| {
        format!("keep what you need of it, then discard it with `virtpy detach --undo --force {name}`")
    };
    let error = Error::from(error);
    match name {
        Some(name) => error.hinted(hint(name)),
        None => error,
    }
}

/// What the venv has, in the order in which it came, but for its own pip.
fn kept(old: &Environment<'_>) -> Result<Vec<Distribution>> {
    let contents = &old.contents;
    let order = |one: &Distribution| {
        contents
            .state
            .distributions
            .iter()
            .position(|known| known.package == one.package)
            .unwrap_or(usize::MAX)
    };
    let dangling = contents.dangling.iter().cloned().map(Distribution::from);
    let mut all: Vec<Distribution> = contents.distributions.iter().cloned().chain(dangling).collect();
    all.retain(|one| !one.is_pip_shim());
    all.sort_by_key(order);
    let mut names = BTreeSet::new();
    all.retain(|one| names.insert(one.package.clone()));
    match all.iter().find(|one| !one.has_dist_info()) {
        None => Ok(all),
        Some(one) => {
            Err(Error::new(format!("nobody knows where {} came from: it has no dist-info", one.label()))
                .hinted("remove it, or make the venv anew with `virtpy new --clear`"))
        }
    }
}

/// What the other venv is filled with.
#[derive(Default)]
struct Filling {
    packages: Vec<PackageToInstall>,
    log: Changelog,
    other_files: Vec<NamedVersion>,
}

/// A package of the venv.
struct Kept {
    distribution: Distribution,
    /// Its very wheel, where the store has it and it is for the other interpreter: no index is asked about that one.
    wheel: Option<Entry>,
}

impl Kept {
    fn new(
        host: &Host,
        distribution: Distribution,
        interpreter: &Interpreter,
        tags: &InterpreterTags,
    ) -> Result<Self> {
        let entry = match sha256_of(&distribution) {
            Some(sha256) => restore::LowerStores(host).entry(&sha256)?,
            None => None,
        };
        let is_for_it = |entry: &Entry| {
            let required = entry.manifest.requires_python.as_deref();
            tags.check(&entry.manifest.filename).is_ok()
                && required.is_none_or(|required| admits(required, interpreter))
        };
        Ok(Self { distribution, wheel: entry.filter(is_for_it) })
    }

    /// Whether it has a version that others can be compared with.
    fn is_comparable(&self) -> bool {
        self.distribution.version.parse::<Version>().is_ok()
    }

    /// What to ask the resolver for; nothing where nothing could be compared with what is there.
    fn input(&self) -> Option<Input> {
        match &self.wheel {
            None => Some(restore::input(&self.distribution)),
            Some(_) => self.is_comparable().then(|| Input::Requirement(self.pin())),
        }
    }

    fn pin(&self) -> String {
        format!("{}=={}", self.distribution.name, self.distribution.version)
    }

    /// Whether another file than before came of the same version. What was built of a place that the user named is the same source.
    fn is_other_file(&self, entry: &Entry) -> bool {
        let before = sha256_of(&self.distribution);
        self.distribution.direct_url().is_none()
            && before.is_some_and(|sha256| sha256 != entry.manifest.sha256)
    }
}

/// Has the same packages for another interpreter in the store, and what they need there only.
fn fetched(old: &Environment<'_>, kept: &[Distribution], interpreter: &Interpreter) -> Result<Filling> {
    let (host, tags) = (old.host, interpreter.tags());
    let kept: Vec<Kept> =
        kept.iter().map(|one| Kept::new(host, one.clone(), interpreter, &tags)).collect::<Result<_>>()?;
    let mut filling = Filling::default();
    for Kept { distribution, wheel } in &kept {
        let Some(entry) = wheel.clone() else { continue };
        let (requested, direct_url) = (was_requested(distribution), distribution.direct_url());
        let direct_url = direct_url.map(str::to_owned);
        filling.packages.push(package(host, &old.contents, entry, requested, direct_url)?);
    }
    filling.log.origins.from_store = filling.packages.len();
    // Where it was not whole, nothing more comes: that is told in the end.
    let no_deps = is_known_to_lack(old);
    if !is_whole(&kept, no_deps, interpreter)? {
        resolve_rest(old, &kept, no_deps, interpreter, &mut filling)?;
    }
    // Where two have the same file, it is the later one's, as before.
    let place = |name: &PackageName| kept.iter().position(|one| one.distribution.package == *name);
    filling.packages.sort_by_key(|one| place(&one.entry.package).unwrap_or(usize::MAX));
    Ok(filling)
}

/// Whether the wheels that are taken again are all that is wanted, and have what they need on the other interpreter.
fn is_whole(kept: &[Kept], no_deps: bool, interpreter: &Interpreter) -> Result<bool> {
    if kept.iter().any(|one| one.wheel.is_none()) {
        return Ok(false);
    }
    let pins: Vec<String> = kept.iter().map(Kept::pin).collect();
    let Some(request) = PinnedRequest::of(&pins, &RequirementsFiles::default()) else { return Ok(false) };
    let distributions = kept.iter().map(|one| one.distribution.clone()).collect();
    let contents = Contents { distributions, ..Contents::default() };
    Ok(is_satisfied(&request, &contents, &markers(interpreter)?, no_deps))
}

/// Asks for what cannot be taken again, and for what is needed on the other interpreter only.
fn resolve_rest(
    old: &Environment<'_>,
    kept: &[Kept],
    no_deps: bool,
    interpreter: &Interpreter,
    filling: &mut Filling,
) -> Result<()> {
    let host = old.host;
    let settings = old.settings()?.clone();
    let taken: Vec<&Distribution> =
        kept.iter().filter(|one| one.wheel.is_some()).map(|one| &one.distribution).collect();
    let beyond_compare = kept.iter().filter(|one| one.wheel.is_some() && !one.is_comparable());
    let project = project(old.venv());
    let locked = project.as_deref().map(LockedFiles::of_project).unwrap_or_default();
    let request = Request {
        requirements: kept.iter().filter_map(Kept::input).collect(),
        files: demanded(host, kept, &locked),
        // What is needed on this Python only is in a lock for every Python.
        preferred: locked.versions(),
        installed: candidates(&taken, &old.venv().site_packages()),
        project,
        options: Options {
            no_deps,
            left_out: own_pip(&old.contents)
                .into_iter()
                .chain(beyond_compare.map(|one| one.distribution.package.clone()))
                .collect(),
            ..restore::as_it_was(host, &settings)
        },
        ..Request::default()
    };
    let resolved = Resolved::of(host, interpreter, settings, &ResolveRequest::Request(Box::new(request)))?;
    let packages = &resolved.resolution.packages;
    let is_taken = |name: &PackageName| taken.iter().any(|one| one.package == *name);
    let coming: Vec<usize> = (0..packages.len()).filter(|place| !is_taken(&packages[*place].name)).collect();
    let obtained = resolved.fetch(&coming)?;
    let log = &mut filling.log;
    let taken = log.origins.from_store;
    log.origins = Origins::of(obtained.iter().map(|one| one.origin));
    log.origins.from_store += taken;
    let tags = interpreter.tags();
    for Obtained { entry, direct_url, .. } in obtained {
        tags.check(&entry.manifest.filename).map_err(VenvError::from)?;
        let label = entry.manifest.label();
        let before = kept.iter().find(|one| one.distribution.package == entry.package);
        match before {
            None => log.summary.added.push(label),
            Some(before) if before.is_other_file(&entry) => filling.other_files.push(label),
            Some(_) => {}
        }
        let requested = before.is_some_and(|one| was_requested(&one.distribution));
        filling.packages.push(package(host, &old.contents, entry, requested, direct_url)?);
    }
    Ok(())
}

/// The files that the lock of the venv's project admits of what cannot be taken again.
fn demanded(host: &Host, kept: &[Kept], locked: &LockedFiles) -> RequirementsFiles {
    let mut files = RequirementsFiles::default();
    let who = host.shown(&locked.path);
    for one in kept.iter().filter(|one| one.wheel.is_none()).map(|one| &one.distribution) {
        let hashes = locked.of(&one.package, &one.version);
        if one.direct_url().is_none() && !hashes.is_empty() {
            files.demand_files(&one.package, &one.version, hashes, &who);
        }
    }
    files
}

/// The directory of the project that the venv stands in.
fn project(venv: &Venv) -> Option<PathBuf> {
    let folder = venv.root.parent()?;
    let is_project = fs::metadata(&folder.join("pyproject.toml")).is_ok_and(|found| found.is_file());
    is_project.then(|| folder.to_path_buf())
}

/// Whether the venv is known to lack something that is required in it.
fn is_known_to_lack(old: &Environment<'_>) -> bool {
    // Its interpreter may be gone, which is a reason to give it another one.
    let lacks = old.interpreter().and_then(|interpreter| unmet(old.host, old.venv(), interpreter));
    lacks.is_ok_and(|sentences| !sentences.is_empty())
}

/// Whether somebody asked for it by name; of what another installer put there nobody knows.
fn was_requested(distribution: &Distribution) -> bool {
    match &distribution.owner {
        Owner::Virtpy(installed) => installed.requested,
        Owner::Foreign(_) | Owner::System { .. } => true,
    }
}
