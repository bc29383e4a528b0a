//! Putting what the store has on a remote: the wheels of entries, the records of builds, and bytecode.
//!
//! The store keeps what wheels unpack to. A wheel that came from an index is fetched from there once more; one that was built is
//! still there if a remote was set up when it was built.

use std::path::Path;

use virtpy_files as fs;
use virtpy_pep::WheelHash;
use virtpy_remote::{BytecodeKey, NewObject, PrivateKey, Pushed, Remote};
use virtpy_resolver::{KnownWheel, Session};

use crate::bytecode::carried;
use crate::resolve::{ResolveError, Unpushed};
use crate::{Host, Result};
use virtpy_store::{ADOPTED, Dialect, Entry, KnownOrigin, PIP_SHIM_ORIGIN, Store, StoreError, was_built};
use virtpy_wheel::{CheckStrategy, Limits};

/// How many objects are prepared before they are sent.
const AT_ONCE: usize = 16;

/// What came of a push.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushOutcome {
    /// How many wheels are there now that were not.
    pub wheels: usize,
    /// How many records of builds.
    pub builds: usize,
    /// How many archives of bytecode.
    pub bytecode: usize,
    /// The packages whose wheels cannot be had again.
    pub lost: Vec<String>,
}

/// Puts entries on a remote, as far as it does not have them. Without a key only wheels go there.
///
/// # Errors
/// When the remote does not take something, or a wheel cannot be fetched again. What is there by then stays, and the next push
/// goes on from there.
pub fn push_entries(host: &Host, push: Push<'_>, entries: &[Entry]) -> Result<PushOutcome> {
    let mut outcome = PushOutcome::default();
    let is_of_wheel = |entry: &&Entry| {
        let origin = KnownOrigin::of_entry(&entry.path).map(|known| known.origin);
        !matches!(origin.as_deref(), None | Some(ADOPTED | PIP_SHIM_ORIGIN))
    };
    let all = entries.len();
    let entries: Vec<&Entry> = entries.iter().filter(is_of_wheel).collect();
    (push.heard)(all - entries.len());
    for entries in entries.chunks(AT_ONCE) {
        push_wheels(host, push, entries, &mut outcome)?;
        if let Some(key) = push.key {
            outcome.bytecode += push_bytecode(push.remote, key, entries)?;
        }
        (push.heard)(entries.len());
    }
    Ok(outcome)
}

/// Refuses what is no wheel, cannot be unpacked, or has other files than its RECORD says: machines that take it from the remote would
/// find out one after the other.
///
/// # Errors
/// When it is refused, or there is no room to unpack it.
pub fn check_wheel(store: &Store, path: &Path) -> Result<()> {
    let filename = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = store.temporary_folder()?;
    let strict = CheckStrategy::RejectInvalid;
    let unpacked = virtpy_wheel::unpack(path, &filename, folder.path(), &Limits::default(), strict);
    // Its directories are read-only by now.
    fs::remove_tree(folder.path())?;
    let unusable =
        |source| StoreError::Wheel { filename: path.display().to_string(), source: Box::new(source) };
    unpacked.map(drop).map_err(|source| unusable(source).into())
}

/// With what is pushed.
#[derive(Clone, Copy)]
pub struct Push<'a> {
    /// The remote.
    pub remote: &'a Remote,
    /// What is signed with.
    pub key: Option<&'a PrivateKey>,
    /// From where wheels are fetched once more.
    pub session: &'a Session,
    /// Hears how many more packages are done.
    pub heard: &'a dyn Fn(usize),
}

fn push_wheels(host: &Host, push: Push<'_>, entries: &[&Entry], outcome: &mut PushOutcome) -> Result<()> {
    let unpushed = Unpushed::new(&host.store);
    let folder = host.store.temporary_folder()?;
    let hashes: Vec<WheelHash> = entries.iter().map(|entry| entry.manifest.sha256).collect();
    let there = push.remote.has_wheels(&hashes)?;
    let (mut objects, mut waiting) = (Vec::new(), Vec::new());
    for ((entry, sha256), is_there) in entries.iter().zip(&hashes).zip(there) {
        if let Some(wheel) = unpushed.get(sha256) {
            objects.push(NewObject::Wheel { sha256: *sha256, path: wheel.path });
            if push.key.is_some() {
                objects.push(NewObject::Build(wheel.record));
                waiting.push(sha256);
            }
            continue;
        }
        let Some(known) = KnownOrigin::of_entry(&entry.path).filter(|_| !is_there) else { continue };
        if was_built(&known.origin) {
            outcome.lost.push(entry.manifest.label().to_string());
            continue;
        }
        let wheel = KnownWheel { filename: known.filename, sha256: *sha256, origin: known.origin };
        match push.session.fetch(&wheel, folder.path()).map_err(ResolveError::from)? {
            Some(fetched) => objects.push(NewObject::Wheel { sha256: fetched.sha256, path: fetched.path }),
            None => outcome.lost.push(entry.manifest.label().to_string()),
        }
    }
    let new = send(push.remote, &objects, push.key)?;
    outcome.wheels += new.wheels;
    outcome.builds += new.others;
    for sha256 in waiting {
        unpushed.discard(sha256);
    }
    Ok(())
}

/// How many objects are there now that were not.
struct NewThere {
    wheels: usize,
    others: usize,
}

/// Sends objects.
fn send(remote: &Remote, objects: &[NewObject], key: Option<&PrivateKey>) -> Result<NewThere> {
    let (wheels, others) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    remote.push(objects, key, &|index, pushed| {
        if pushed == Pushed::New {
            let count = if matches!(objects[index], NewObject::Wheel { .. }) { &wheels } else { &others };
            count.set(count.get() + 1);
        }
    })?;
    Ok(NewThere { wheels: wheels.get(), others: others.get() })
}

/// Puts bytecode there, of whatever interpreters it is complete for. Returns how many archives are new.
fn push_bytecode(remote: &Remote, private: &PrivateKey, entries: &[&Entry]) -> Result<usize> {
    let of =
        |entry: &&Entry| entry.dialects().into_iter().map(|dialect| ((*entry).clone(), dialect)).collect();
    let all: Vec<(Entry, Dialect)> =
        entries.iter().flat_map(|entry| -> Vec<(Entry, Dialect)> { of(entry) }).collect();
    let keys: Vec<BytecodeKey> = all.iter().map(|(entry, dialect)| carried::key(entry, dialect)).collect();
    let there = remote.has_bytecode(&keys, private)?;
    let mut count = 0;
    for (((entry, dialect), key), _) in all.iter().zip(keys).zip(there).filter(|(_, is_there)| !is_there) {
        // One after the other: they may be large.
        if let Some(object) = carried::object(entry, dialect, key) {
            count += send(remote, &[object], Some(private))?.others;
        }
    }
    Ok(count)
}
