//! Restoring damaged entries of the store from where their wheels came from.

use virtpy_remote::Remote;
use virtpy_resolver::{KnownWheel, Session};

use super::{ResolveError, remote};
use virtpy_store::{
    ADOPTED, Entry, EntryId, Finding, KnownOrigin, PIP_SHIM_ORIGIN, Store, StoreError, Verdict, WheelFile,
};

/// How an entry was restored.
#[derive(Debug)]
pub enum Repaired {
    /// Modes were set right, or what did not belong there was removed: no file's content was wrong.
    InPlace,
    /// Its wheel was fetched and unpacked again; this is the new entry.
    Fetched(Box<Entry>),
}

/// Restores one entry: from the remote if it has the wheel, else from where it came from. What is damaged in a lower store is put
/// into the user's own, since nobody else's is written. The caller holds the store's lock.
///
/// # Errors
/// [`ResolveError::CannotRepair`] when nothing says where the wheel came from or it was built from source; otherwise
/// why it could not be fetched. The damaged entry is then in place as it was.
pub fn repair(
    store: &Store,
    session: &Session,
    shared: Option<&Remote>,
    verdict: &Verdict,
    announce: &mut dyn FnMut(&str),
) -> Result<Repaired, ResolveError> {
    let id = EntryId::parse(&verdict.id)?;
    if verdict.store.is_some() {
        if let Some(entry) = sound_entry(store, &id)? {
            return Ok(Repaired::Fetched(Box::new(entry)));
        }
    } else if verdict.findings.iter().all(Finding::is_harmless) {
        store.tidy(&id, &verdict.findings)?;
        return Ok(Repaired::InPlace);
    }
    let cannot =
        |reason: &str| ResolveError::CannotRepair { id: verdict.id.clone(), reason: reason.to_owned() };
    let known = KnownOrigin::of_entry(&store.path_linked(&id, verdict.store.as_deref()))
        .ok_or_else(|| cannot("nothing says which wheel it was"))?;
    if EntryId::of(&known.sha256) != id {
        return Err(cannot("its `entry.json` is of another wheel"));
    }
    if known.origin == ADOPTED {
        return Err(cannot("it was adopted from a venv, and nothing says where to fetch it"));
    }
    let _locks = store.lock_entries(vec![id.clone()], announce)?;
    let folder = store.temporary_folder()?;
    if known.origin == PIP_SHIM_ORIGIN {
        let file = store.write_pip_shim(&known.sha256, folder.path())?;
        let file = file.ok_or_else(|| cannot("it is the pip of another virtpy"))?;
        return Ok(Repaired::Fetched(Box::new(store.replace(store.stage(&file)?)?)));
    }
    let wheel = KnownWheel { filename: known.filename, sha256: known.sha256, origin: known.origin };
    let fetched = match shared.and_then(|shared| remote::fetch_known(shared, &wheel, folder.path())) {
        Some(fetched) => Some(fetched),
        None => session.fetch(&wheel, folder.path())?,
    };
    let fetched = fetched.ok_or_else(|| cannot("it was built from source, and no two builds are equal"))?;
    let file = WheelFile {
        path: fetched.path,
        filename: fetched.filename,
        sha256: fetched.sha256,
        origin: fetched.origin,
        indexes: known.indexes,
    };
    let staged = store
        .stage(&file)
        .map_err(|source: StoreError| ResolveError::Unpack { package: wheel.filename.clone(), source })?;
    Ok(Repaired::Fetched(Box::new(store.replace(staged)?)))
}

/// The entry of the user's own store, if it has one in which nothing is wrong.
fn sound_entry(store: &Store, id: &EntryId) -> Result<Option<Entry>, ResolveError> {
    if store.provenance(id).is_none() {
        return Ok(None);
    }
    let is_sound = store.verify(std::slice::from_ref(id), &|| {}).iter().all(|one| one.findings.is_empty());
    Ok(if is_sound { store.entry_by_id(id)? } else { None })
}
