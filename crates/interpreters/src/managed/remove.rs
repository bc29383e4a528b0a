//! Removing an installed interpreter, and who lives on it.

use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, Lock, LockMode};
use virtpy_store::{LockName, PATIENCE, Store};
use virtpy_venv::{self as venv, Config};

use super::install::{refresh_links, stage_prefix, sweep, sweep_leftovers_of};
use super::record::{Installed, installed};
use super::{ManagedError, links};
use crate::VersionRequest;

/// The installed interpreters that a name means: the name of a folder or of a distribution, or the leading part of a
/// version.
///
/// # Errors
/// When there is none.
pub fn named(pythons: &Path, name: &str) -> Result<Vec<Installed>, ManagedError> {
    let all = installed(pythons);
    let exact: Vec<Installed> =
        all.iter().filter(|one| one.folder_name == name || one.record.name == name).cloned().collect();
    if !exact.is_empty() {
        return Ok(exact);
    }
    let request = name.parse::<VersionRequest>().ok();
    let fits = |one: &Installed| {
        let (Some(request), Some(version)) = (&request, one.record.python_version()) else { return false };
        request.implementation.as_deref().is_none_or(|implementation| implementation == "cpython")
            && version.release().starts_with(&request.release)
            && (request.suffix.is_empty() || request.suffix == version.suffix)
            && request.free_threaded == one.record.name.ends_with('t')
    };
    let fitting: Vec<Installed> = all.iter().filter(|one| fits(one)).cloned().collect();
    if fitting.is_empty() {
        let installed = all.into_iter().map(|one| one.record.name).collect();
        return Err(ManagedError::NotInstalled { name: name.to_owned(), installed });
    }
    Ok(fitting)
}

/// The venvs that would have no interpreter if these were gone. One that was made through the link of a minor version
/// lives on with another patch release, if there is one.
///
/// # Errors
/// When the store's records cannot be read.
pub fn venvs_on(store: &Store, going: &[Installed]) -> Result<Vec<PathBuf>, ManagedError> {
    let Ok(pythons) = fs::canonicalize(&store.pythons()) else { return Ok(Vec::new()) };
    let mut staying = installed(&pythons);
    staying.retain(|one| going.iter().all(|other| other.folder_name != one.folder_name));
    let minors = links::minors(&staying);
    let mut venvs = Vec::new();
    for surveyed in venv::survey(store)? {
        let Some(place) = surveyed.path() else { continue };
        let Ok(text) = fs::read_to_string(&place.join("pyvenv.cfg")) else { continue };
        let config = Config::parse(&text);
        let Some(home) = config.get("home").map(Path::new) else { continue };
        let is_inside = |folder: &Path| fs::canonicalize(home).is_ok_and(|home| home.starts_with(folder));
        let lives = going.iter().any(|one| {
            let survives = one.record.minor(&one.folder_name).is_some_and(|minor| {
                is_below(home, &pythons.join(&minor), &store.pythons().join(&minor))
                    && minors.contains_key(&minor)
            });
            is_inside(&pythons.join(&one.folder_name)) && !survives
        });
        if lives {
            venvs.push(place.to_path_buf());
        }
    }
    Ok(venvs)
}

/// Sweeps what killed commands left, and leads the links of minor versions to what is installed.
///
/// # Errors
/// When another process works on them, or they cannot be written.
pub fn repair_links(store: &Store, announce: &mut dyn FnMut(&str)) -> Result<(), ManagedError> {
    match fs::canonicalize(&store.pythons()) {
        Ok(pythons) => {
            sweep(store)?;
            refresh_links(store, &pythons, None, announce)
        }
        // Nothing was ever installed.
        Err(_) => Ok(()),
    }
}

fn is_below(path: &Path, one: &Path, other: &Path) -> bool {
    path.starts_with(one) || path.starts_with(other)
}

/// Removes an interpreter. The caller holds the store shared, and has asked [`venvs_on`].
///
/// # Errors
/// When another process works on it, or it cannot be removed; it is then still whole or gone.
pub fn remove(
    store: &Store,
    installed: &Installed,
    announce: &mut dyn FnMut(&str),
) -> Result<(), ManagedError> {
    let path = store.lock_file(LockName::Python(&installed.folder_name));
    let _lock = Lock::wait(&path, LockMode::Exclusive, PATIENCE, announce)?;
    sweep_leftovers_of(store, &installed.folder_name)?;
    let temporary = store.temporary();
    fs::create_dir_all(&temporary)?;
    let stage = fs::temporary_folder_named(&temporary, &stage_prefix(&installed.folder_name))?;
    let pythons = fs::canonicalize(&store.pythons())?;
    // Before it goes: venvs that can live on with another patch release are never without one.
    refresh_links(store, &pythons, Some(&installed.folder_name), announce)?;
    match fs::rename(&installed.folder, &stage.path().join("removed")) {
        Err(error) if !error.is_not_found() => {
            refresh_links(store, &pythons, None, announce)?;
            return Err(error.into());
        }
        _ => {}
    }
    refresh_links(store, &pythons, None, announce)?;
    fs::remove_tree(stage.path())?;
    Ok(())
}
