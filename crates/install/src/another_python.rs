//! Giving a venv another Python and the same packages. The new venv is made and filled beside the old one, and takes its place in one
//! step: until then the old one stands as it was, whatever fails or is killed.

use std::collections::BTreeSet;
use std::time::Instant;

use virtpy_pep::{NamedVersion, PackageName};
use virtpy_resolver::{Options, Request};

use crate::changelog::Origins;
use crate::installed::{own_pip, package, unmet};
use crate::resolve::Obtained;
use crate::resolved::{ResolveRequest, Resolved};
use crate::restore;
use crate::{Changelog, Environment, Error, Host, Indexes, NewEnvironment, Result, bytecode};
use virtpy_interpreters::Interpreter;
use virtpy_venv::{Distribution, Owner, PackageToInstall, Venv};

/// A venv with another Python.
pub struct Renewed<'a> {
    /// The venv.
    pub environment: Environment<'a>,
    /// What it has now and had not before: what the same packages need on this Python only.
    pub log: Changelog,
    /// How many packages it had, and has.
    pub kept: usize,
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
    old.venv().demand_unedited(&host.store, &old.contents)?;
    let kept = kept(&old)?;
    let failed = |error: Error| {
        let (root, version) = (old.venv().root.display(), &interpreter.version);
        error.within(format!("the packages of `{root}` cannot be had for Python {version}; it is as it was"))
    };
    let (packages, mut log) = fetched(&old, &kept, &interpreter).map_err(failed)?;
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
    Ok(Renewed { environment, log, kept: kept.len() })
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

/// Has the same packages for another interpreter in the store, and what they need there only.
fn fetched(
    old: &Environment<'_>,
    kept: &[Distribution],
    interpreter: &Interpreter,
) -> Result<(Vec<PackageToInstall>, Changelog)> {
    let host = old.host;
    if kept.is_empty() {
        return Ok((Vec::new(), Changelog::default()));
    }
    let settings = old.settings()?.clone();
    let request = Request {
        requirements: kept.iter().map(restore::input).collect(),
        options: Options {
            // Where it was not whole, nothing more comes: that is told in the end.
            no_deps: is_known_to_lack(old),
            left_out: own_pip(&old.contents),
            prerelease: true,
            no_binary: settings.no_binary.clone(),
            only_binary: settings.only_binary.clone(),
            working_directory: host.working_directory.clone(),
            ..Options::default()
        },
        ..Request::default()
    };
    let resolved = Resolved::of(host, interpreter, settings, &ResolveRequest::Request(Box::new(request)))?;
    let obtained = resolved.fetch_all()?;
    let (tags, place) =
        (interpreter.tags(), |name: &PackageName| kept.iter().position(|one| one.package == *name));
    let mut log =
        Changelog { origins: Origins::of(obtained.iter().map(|one| one.origin)), ..Changelog::default() };
    let mut packages = Vec::with_capacity(obtained.len());
    for Obtained { entry, direct_url, .. } in obtained {
        tags.check(&entry.manifest.filename).map_err(virtpy_venv::VenvError::from)?;
        let before = place(&entry.package).map(|place| &kept[place]);
        if before.is_none() {
            log.summary.added.push(NamedVersion::new(&entry.manifest.name, &entry.manifest.version));
        }
        let requested = before.is_some_and(was_requested);
        packages.push(package(host, &old.contents, entry, requested, direct_url)?);
    }
    // Where two have the same file, it is the later one's, as before.
    packages.sort_by_key(|one| place(&one.entry.package).unwrap_or(usize::MAX));
    Ok((packages, log))
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
