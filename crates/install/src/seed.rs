//! Making a venv of virtpy's of one that virtualenv is just making: it is registered, gets virtpy's pip instead of a copied one, and
//! what else virtualenv would put there comes from the store.
//!
//! virtualenv writes `pyvenv.cfg` once more when it has seeded, so the keys that make the venv virtpy's are handed back to it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::environment::lock_store;
use crate::plan::{Goal, InstallOptions, Source as _};
use crate::{Changelog, Environment, Error, Extent, Host, Indexes, LocalWheel, Result, WheelSource};
use virtpy_venv::{Candidate, ChangeSet, LinkMode, PackageToInstall, Phase, Place, Venv};

/// What a new venv starts with.
#[derive(Debug)]
pub struct Seed {
    /// The venv's folder.
    pub path: PathBuf,
    /// Whether it gets the `pip` that hands over to virtpy.
    pub pip: bool,
    /// How packages come into it; as the user prefers where it is not said.
    pub link_mode: Option<LinkMode>,
    /// Wheels on this machine that come into it.
    pub wheels: Vec<PathBuf>,
}

/// Makes a venv of virtpy's of the one at a path, and returns the keys that its `pyvenv.cfg` has to keep.
///
/// # Errors
/// When there is none, or the wheels are not for it; the venv is as before then.
pub fn seed(host: &Host, seed: &Seed) -> Result<BTreeMap<String, String>> {
    let preferences = host.preferences()?;
    if preferences.immutable {
        host.store.require_protection()?;
    }
    if seed.pip && !preferences.pip_shim {
        return Err(Error::new(
            "the setting `pip-shim` leaves out the `pip` of virtpy's own, and one is asked for",
        ));
    }
    let store = &host.store;
    let _store_lock = lock_store(host)?;
    let link_mode = seed.link_mode.unwrap_or(preferences.link_mode);
    let candidate = Candidate::open(store, &seed.path, link_mode)?;
    // Only its path tells one that has no id yet.
    let _place_lock = store.lock_place(&candidate.venv.root, &mut host.announce())?;
    if !candidate.is_foreign() && candidate.venv.place(store)? != Place::Own {
        return Err(Error::new("this venv was moved or copied there, or is of another store"));
    }
    Phase::UnderWay.enter();
    candidate.take_over(store)?;
    match fill(host, &candidate.venv, seed) {
        Ok(()) => {
            Phase::Changed.enter();
            Ok(candidate.venv.config.own_keys())
        }
        Err(error) => {
            candidate.give_back(store)?;
            Err(error)
        }
    }
}

/// Puts into a venv what it starts with.
fn fill(host: &Host, venv: &Venv, seed: &Seed) -> Result<()> {
    let indexes = Indexes::default();
    let mut venv = Venv::open_recorded(&host.store, &venv.root)?;
    venv.put_keys_back()?;
    let environment = Environment::open_as_it_is(host, venv, &indexes)?;
    let mut change = ChangeSet::default();
    if !seed.wheels.is_empty() {
        change.install = wheels(&environment, seed)?;
        change.tags = Some(environment.interpreter()?.tags());
    }
    if seed.pip && !environment.contents.has_pip_shim() {
        host.note_program()?;
        let entry = host.store.pip_shim(&mut host.announce())?;
        change.install.push(PackageToInstall { entry, requested: false, direct_url: None, copied: false });
    }
    environment.apply(&change, false)?;
    Ok(())
}

/// The wheels that come, as entries of the store.
fn wheels(environment: &Environment<'_>, seed: &Seed) -> Result<Vec<PackageToInstall>> {
    let local = |wheel: &PathBuf| LocalWheel { wheel: wheel.clone(), origin: None, direct_url: None };
    let source = WheelSource { install: seed.wheels.iter().map(local).collect(), remove: Vec::new() };
    let goal = Goal { source: &source, extent: Extent::Sufficient, options: InstallOptions::default() };
    let mut log = Changelog::default();
    let packages = source.plan(environment, &goal)?.supply.fetch(environment, goal.options, &mut log)?;
    match log.refused.first() {
        None => Ok(packages),
        Some(refusal) => Err(Error::new(refusal.reason.clone())
            .within(format!("`{}` cannot be installed", refusal.wheel.display()))),
    }
}
