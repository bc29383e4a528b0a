//! Bytecode of a remote: taken in place of compiling, and put there after it.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::mpsc::sync_channel;

use crate::Host;
use crate::compiler;
use virtpy_interpreters::Interpreter;
use virtpy_remote::{BytecodeArchive, BytecodeFile, BytecodeKey, NewObject, Remote};
use virtpy_store::{Batch, Dialect, Entry, Module, Published, Staging, Store, StoreError};

/// The bytecode of how many entries is published at once.
pub(super) const AT_ONCE: usize = 64;

/// How many archives that came may wait to be written.
const WAITING: usize = 16;

/// From where bytecode comes, for whom.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub store: &'a Store,
    pub remote: &'a Remote,
    pub interpreter: &'a Interpreter,
}

/// Publishes what the remote of the settings has, if there is one.
///
/// # Errors
/// When the store cannot be written.
pub(super) fn bring_by_itself(
    host: &Host,
    interpreter: &Interpreter,
    entries: &[&Entry],
    staging: &mut Staging,
) -> Result<usize, StoreError> {
    match host.remote() {
        Ok(Some(remote)) => bring(Place { store: &host.store, remote, interpreter }, entries, staging),
        _ => Ok(0),
    }
}

/// Publishes what a remote has of the bytecode of entries that is not complete. What it lacks, Python compiles here. Returns the
/// number of modules.
///
/// # Errors
/// When the store cannot be written.
pub(super) fn bring(
    place: Place<'_>,
    entries: &[&Entry],
    staging: &mut Staging,
) -> Result<usize, StoreError> {
    let Some(dialect) = compiler::dialect(place.interpreter) else { return Ok(0) };
    let incomplete = entries.iter().copied().filter(|entry| !entry.record(&dialect).is_complete());
    let mut incomplete: Vec<Incomplete<'_>> = incomplete.filter_map(Incomplete::of).collect();
    // No large one may come alone at the end.
    incomplete.sort_by_key(|one| Reverse(one.modules.len()));
    let keys: Vec<BytecodeKey> = incomplete.iter().map(|one| key(one.entry, &dialect)).collect();
    let publishing = Publishing { store: place.store, dialect: &dialect };
    // What comes next is fetched while this is written.
    std::thread::scope(|scope| {
        let (send, received) = sync_channel(WAITING);
        let keys = &keys;
        scope.spawn(move || {
            place.remote.each_bytecode(keys, &mut |index, unread| send.send((index, unread)).is_ok());
        });
        let (mut staged, mut count) = (Vec::new(), 0);
        for (index, unread) in received {
            let Some(archive) = place.remote.read_bytecode(&unread) else { continue };
            let batch = stage(&dialect, &incomplete[index], archive, staging)?;
            if !batch.is_empty() {
                staged.push((&incomplete[index], batch));
            }
            if staged.len() == AT_ONCE {
                count += publishing.publish(std::mem::take(&mut staged), staging)?;
            }
        }
        Ok(count + publishing.publish(staged, staging)?)
    })
}

/// An entry whose bytecode is not complete.
struct Incomplete<'a> {
    entry: &'a Entry,
    modules: Vec<Module>,
}

impl<'a> Incomplete<'a> {
    /// `None` for an entry that has nothing to compile.
    fn of(entry: &'a Entry) -> Option<Self> {
        let modules = entry.manifest.modules().ok().filter(|modules| !modules.is_empty())?;
        Some(Self { entry, modules })
    }
}

/// The name that the bytecode of an entry has for others.
pub(crate) fn key(entry: &Entry, dialect: &Dialect) -> BytecodeKey {
    BytecodeKey {
        wheel_sha256: entry.manifest.sha256,
        cache_tag: dialect.tag().to_owned(),
        magic: dialect.magic().to_owned(),
    }
}

/// To where bytecode goes, of which interpreter.
struct Publishing<'a> {
    store: &'a Store,
    dialect: &'a Dialect,
}

impl Publishing<'_> {
    /// Publishes what is staged as if it had been compiled here: recorded, with its digests, and all of it on the disk before the first
    /// has its name. Returns the number of modules.
    fn publish(
        &self,
        staged: Vec<(&Incomplete<'_>, Batch)>,
        staging: &mut Staging,
    ) -> Result<usize, StoreError> {
        if staged.is_empty() {
            return Ok(0);
        }
        // It writes back the whole disk: once for all of them.
        staging.sync()?;
        let mut count = 0;
        for (Incomplete { entry, modules }, batch) in staged {
            match self.store.publish_bytecode(entry, self.dialect, modules, &batch)? {
                Published::Done => count += batch.len(),
                // It is compiled like any other.
                Published::Busy | Published::Gone => {}
            }
        }
        Ok(count)
    }
}

/// Writes down what an archive has that is missing. What is no module of the entry, or no bytecode for this interpreter, is left out,
/// whoever has signed it.
fn stage(
    dialect: &Dialect,
    Incomplete { entry, modules }: &Incomplete<'_>,
    archive: BytecodeArchive,
    staging: &mut Staging,
) -> Result<Batch, StoreError> {
    let record = entry.record(dialect);
    let paths = modules.iter().map(|module| module.path.as_str());
    let missing: HashSet<&str> = paths.filter(|path| !record.has(path)).collect();
    let mut batch = Batch::default();
    for BytecodeFile { source, content } in archive.files {
        if missing.contains(source.as_str()) && dialect.begins(&content) {
            staging.add(&mut batch, entry, &source, &content)?;
        }
    }
    for source in archive.failed.iter().filter(|source| missing.contains(source.as_str())) {
        batch.fail(source);
    }
    Ok(batch)
}

/// Puts the bytecode of entries on the remote if the settings say that it goes there by itself, where it is complete and not
/// there yet.
///
/// # Errors
/// When there is no key to sign with, or the remote does not take it.
pub(super) fn push_by_itself(
    host: &Host,
    interpreter: &Interpreter,
    entries: &[&Entry],
) -> Result<(), virtpy_remote::Error> {
    let Some((remote, dialect)) = host.remote().ok().flatten().zip(compiler::dialect(interpreter)) else {
        return Ok(());
    };
    if !remote.settings().push || !remote.settings().address.is_writable() || remote.failure().is_some() {
        return Ok(());
    }
    let private = remote.settings().private_key()?;
    let keys: Vec<BytecodeKey> = entries.iter().map(|entry| key(entry, &dialect)).collect();
    let there = remote.has_bytecode(&keys, &private)?;
    let absent = entries.iter().zip(keys).zip(there).filter(|(_, is_there)| !is_there);
    for ((entry, key), _) in absent {
        if let Some(object) = object(entry, &dialect, key) {
            remote.push(&[object], Some(&private), &|_, _| {})?;
        }
    }
    Ok(())
}

/// The bytecode of an entry, where it is complete and there is any.
pub(crate) fn object(entry: &Entry, dialect: &Dialect, key: BytecodeKey) -> Option<NewObject> {
    let compilation = entry.compilation(dialect)?;
    if compilation.files.is_empty() && compilation.failed.is_empty() {
        return None;
    }
    let files = compilation.files.into_iter();
    let files = files.map(|file| BytecodeFile { source: file.source, content: file.content }).collect();
    let archive = BytecodeArchive { files, failed: compilation.failed };
    Some(NewObject::Bytecode { key, archive })
}
