//! `virtpy remote push`: put what this machine has on the remote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use virtpy_remote::{NewObject, PrivateKey, Pushed, Remote};

use super::configured;
use super::files::{Asked, is_wheel};
use crate::cli::RemotePushArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Indexes, Push, PushOutcome, check_wheel, push_entries};
use crate::output::counted;
use crate::progress::Counter;
use crate::report;
use crate::store::{Entry, EntryId};
use crate::venv::Owner;

pub(super) fn run(context: &Context, arguments: &RemotePushArguments) -> Result<u8, Failure> {
    let remote = configured(context)?;
    if arguments.sign_again {
        return sign_again(context, &remote);
    }
    let (wheels, files): (Vec<&PathBuf>, Vec<&PathBuf>) =
        arguments.files.iter().partition(|file| is_wheel(file));
    if !wheels.is_empty() {
        push_files(context, &remote, &wheels)?;
        if files.is_empty() {
            return Ok(0);
        }
    }
    let key = private_key(context, &remote);
    let _store_lock = context.store.lock_reading(&mut context.host.announce())?;
    let entries = if arguments.all {
        all(context)?
    } else if files.is_empty() {
        of_venv(context, arguments)?
    } else {
        of_files(context, arguments, files)?
    };
    let interpreter = context.host.find_interpreter(None)?;
    let indexes = Indexes::new(arguments.index.options());
    let session = context.host.session(&interpreter, indexes.settings(&context.host)?.clone());
    let progress = Counter::new(context.output, "pushing", entries.len());
    let heard = |count: usize| (0..count).for_each(|_| progress.tick());
    let push = Push { remote: &remote, key: key.as_ref(), session: &session, heard: &heard };
    let outcome = push_entries(&context.host, push, &entries)?;
    drop(progress);
    tell(context, &remote, &outcome);
    Ok(0)
}

/// Signs what other trusted keys have signed: the old key may be given up then.
fn sign_again(context: &Context, remote: &Remote) -> Result<u8, Failure> {
    let key = remote.settings().private_key()?;
    warn_of_distrust(context, remote, &key);
    let objects = remote.objects()?;
    let progress = Counter::new(context.output, "signing", objects.len());
    let count = remote.sign_again(&objects, &key, &|| progress.tick())?;
    drop(progress);
    context.output.message(format_args!("Signed {} with {}", counted(count, "object"), key.public()));
    Ok(0)
}

/// Says so if this machine itself will not believe what it signs: most likely the others will not, either.
fn warn_of_distrust(context: &Context, remote: &Remote, key: &PrivateKey) {
    let public = key.public();
    if !remote.settings().trust.contains(&public) {
        context.output.warning(format_args!(
            "what is signed counts only where `remote.trust` lists the key {public}, which this machine does not"
        ));
    }
}

/// The key to sign with. Without one, wheels go there and nothing else.
fn private_key(context: &Context, remote: &Remote) -> Option<PrivateKey> {
    match remote.settings().private_key() {
        Ok(key) => {
            warn_of_distrust(context, remote, &key);
            Some(key)
        }
        Err(error) => {
            context
                .output
                .warning(format_args!("only wheels are pushed, no builds and no bytecode: {error}"));
            None
        }
    }
}

fn all(context: &Context) -> Result<Vec<Entry>, Failure> {
    let entry = |id| context.store.entry_by_id(&id).transpose();
    Ok(context.store.ids()?.into_iter().filter_map(entry).collect::<Result<_, _>>()?)
}

fn of_venv(context: &Context, arguments: &RemotePushArguments) -> Result<Vec<Entry>, Failure> {
    let venv = context.venv(&arguments.venv)?;
    let contents = report::contents(context, &venv)?;
    let mut entries = Vec::new();
    for distribution in &contents.distributions {
        let Owner::Virtpy(installed) = &distribution.owner else { continue };
        entries.extend(context.store.entry(&installed.sha256)?);
    }
    Ok(entries)
}

/// What the store has of what files ask for, each entry once.
fn of_files(
    context: &Context,
    arguments: &RemotePushArguments,
    files: Vec<&PathBuf>,
) -> Result<Vec<Entry>, Failure> {
    let (selection, index) = (&arguments.selection, &arguments.index);
    let found = Asked { files, pythons: &arguments.python, selection, index }.find(context, None)?;
    let entries = found.into_iter().flat_map(|found| found.at_hand.entries);
    let by_id: BTreeMap<EntryId, Entry> = entries.map(|entry| (entry.id.clone(), entry)).collect();
    Ok(by_id.into_values().collect())
}

fn tell(context: &Context, remote: &Remote, outcome: &PushOutcome) {
    for label in &outcome.lost {
        context.output.warning(format_args!(
            "{label} is not pushed: it was built before there was a remote and a key, and no two builds are equal; \
             a store that builds it anew puts it there"
        ));
    }
    let PushOutcome { wheels, builds, bytecode, .. } = outcome;
    let address = &remote.settings().address;
    if wheels + builds + bytecode == 0 {
        context.output.message(format_args!("There is nothing new for `{address}`"));
        return;
    }
    context.output.message(format_args!(
        "Pushed {}, {} and {} to `{address}`",
        counted(*wheels, "wheel"),
        counted(*builds, "record of a build").replace("record of a builds", "records of builds"),
        counted(*bytecode, "archive of bytecode").replace("archive of bytecodes", "archives of bytecode"),
    ));
}

fn push_files(context: &Context, remote: &Remote, files: &[&PathBuf]) -> Result<(), Failure> {
    let object = |file: &&PathBuf| wheel(context, &context.working_directory.join(file));
    let objects = files.iter().map(object).collect::<Result<Vec<_>, _>>()?;
    let (progress, new) = (Counter::new(context.output, "pushing", objects.len()), std::cell::Cell::new(0));
    remote.push(&objects, None, &|_, pushed| {
        progress.tick();
        new.set(new.get() + usize::from(pushed == Pushed::New));
    })?;
    drop(progress);
    let (new, address) = (counted(new.get(), "wheel"), &remote.settings().address);
    context.output.message(format_args!("Pushed {new} to `{address}`"));
    Ok(())
}

/// A wheel in a file, as far as it can be installed and its RECORD says what is in it.
fn wheel(context: &Context, path: &Path) -> Result<NewObject, Failure> {
    // What is pushed is compared with this once more.
    let sha256 = virtpy_wheel::file_sha256(path)?;
    check_wheel(&context.store, path)?;
    Ok(NewObject::Wheel { sha256: sha256.into(), path: path.to_path_buf() })
}
