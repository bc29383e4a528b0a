//! `virtpy poetry apply`: what one run of Poetry installs and removes, as its plugin collected it, in one change.
//!
//! The wish is JSON on standard input, the answer JSON on standard output. A wheel that virtpy refuses is named in the
//! answer, and all others are installed: Poetry has said already that it installs them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use virtpy_pep::InterpreterTags;

use crate::cli::{IndexArguments, PoetryApplyArguments};
use crate::commands::add::{Named, OWN_PIP, named};
use crate::commands::hold::hold_whole;
use crate::commands::presence::arrival;
use crate::commands::{aftermath, bytecode};
use crate::context::Context;
use crate::digest::hex;
use crate::error::Failure;
use crate::store::{Entry, Staged, StoreError, WheelFile};
use crate::venv::{Arrival, Change};
use crate::wheel;

/// What the plugin wants.
#[derive(Deserialize)]
struct Wish {
    install: Vec<Wanted>,
    /// Names; those that are not installed are passed over.
    remove: Vec<String>,
    #[serde(default)]
    compile_bytecode: bool,
}

/// A wheel to be installed.
#[derive(Deserialize)]
struct Wanted {
    wheel: PathBuf,
    /// Where it was downloaded from.
    origin: Option<String>,
    /// The text of its `direct_url.json`.
    direct_url: Option<String>,
}

impl Wanted {
    /// The wheel's file name.
    fn filename(&self) -> String {
        self.wheel.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    added: Vec<Named<'a>>,
    removed: Vec<Named<'a>>,
    refused: Vec<Refusal>,
    /// What the user should know.
    notes: Vec<&'static str>,
}

/// A wheel that was not installed.
#[derive(Serialize)]
struct Refusal {
    wheel: PathBuf,
    reason: String,
}

pub(super) fn run(context: &Context, arguments: &PoetryApplyArguments) -> Result<u8, Failure> {
    let wish: Wish = serde_json::from_reader(std::io::stdin().lock()).map_err(|error| {
        Failure::usage(format!("standard input is not what Poetry's plugin sends: {error}"))
    })?;
    let venv = context.venv_to_change(&arguments.venv)?;
    let held = hold_whole(context, &venv, &IndexArguments::default())?;
    let contents = &held.contents;
    aftermath::restore_everywhere(context, &venv, &IndexArguments::default())?;

    let interpreter = context.interpreter(&venv)?;
    let tags = interpreter.tags();
    let Supplied { entries, refused } = supply(context, &wish.install, &tags)?;
    let settings = context.settings()?;
    let install: Vec<Arrival> = wish
        .install
        .iter()
        .zip(entries)
        .filter_map(|(wanted, entry)| {
            let entry = entry?;
            Some(arrival(settings, contents, entry, (false, wanted.direct_url.clone())))
        })
        .collect();
    let remove: BTreeSet<String> =
        wish.remove.iter().filter_map(|name| contents.find(name)).map(|found| found.key.clone()).collect();
    let is_pip = |arrival: &Arrival| arrival.entry.manifest.name == "pip";
    let asks_for_pip = remove.contains("pip") || install.iter().any(is_pip);
    let notes = if asks_for_pip && contents.has_pip_shim() { vec![OWN_PIP] } else { Vec::new() };
    let change = Change { install, remove, tags: Some(tags), ..Change::default() };
    let summary = venv.apply(&context.store, contents, &change)?;
    bytecode::after_change(context, &interpreter, &venv, &change.install, wish.compile_bytecode)?;
    context.output.json(&Answer {
        added: named(&summary.added),
        removed: named(&summary.removed),
        refused,
        notes,
    })?;
    Ok(0)
}

/// What became of the wheels.
struct Supplied {
    /// The entry of each wheel that was accepted, in order.
    entries: Vec<Option<Entry>>,
    refused: Vec<Refusal>,
}

/// Brings the wheels into the store, those that it lacks on several threads.
fn supply(context: &Context, wanted: &[Wanted], tags: &InterpreterTags) -> Result<Supplied, Failure> {
    let digests = on_threads(wanted, |one| wheel::file_sha256(&one.wheel).map(|bytes| hex(&bytes)));
    let digests = digests.into_iter().collect::<Result<Vec<_>, _>>()?;
    let absent = digests.iter().filter(|sha256| !context.store.has(sha256)).cloned().collect();
    let _locks = context.store.lock_entries(absent, &mut context.announce())?;
    // Only now: another process may have brought them while this one waited.
    let mut entries = Vec::with_capacity(wanted.len());
    for sha256 in &digests {
        entries.push(context.store.entry(sha256)?);
    }
    let present: Vec<&Entry> = entries.iter().flatten().collect();
    context.store.check_since_boot(&present, &context.store.checked())?;

    let mut refused = Vec::new();
    let mut missing = Vec::new();
    for (index, one) in wanted.iter().enumerate() {
        if let Err(error) = tags.check(&one.filename()) {
            entries[index] = None;
            refused.push(Refusal { wheel: one.wheel.clone(), reason: error.to_string() });
        } else if entries[index].is_none() {
            missing.push(index);
        }
    }
    let staged = on_threads(&missing, |index| stage(context, &wanted[*index], &digests[*index]));
    let (mut batch, mut places) = (Vec::new(), BTreeMap::new());
    for (index, staged) in missing.into_iter().zip(staged) {
        match staged {
            Ok(staged) => {
                places.insert(batch.len(), index);
                batch.push(staged);
            }
            Err(StoreError::Path(error)) => return Err(error.into()),
            Err(error) => {
                let reason = Failure::from(error).chain().join(": ");
                refused.push(Refusal { wheel: wanted[index].wheel.clone(), reason });
            }
        }
    }
    for (place, entry) in context.store.publish(batch)?.into_iter().enumerate() {
        entries[places[&place]] = Some(entry);
    }
    Ok(Supplied { entries, refused })
}

fn stage(context: &Context, wanted: &Wanted, sha256: &str) -> Result<Staged, StoreError> {
    let origin = wanted.origin.clone().unwrap_or_else(|| wanted.wheel.display().to_string());
    context.store.stage(&WheelFile {
        path: wanted.wheel.clone(),
        filename: wanted.filename(),
        sha256: sha256.to_owned(),
        origin,
        indexes: Vec::new(),
    })
}

/// Does the same with each item, several at a time, and returns the results in the items' order.
fn on_threads<T: Sync, R: Send>(items: &[T], act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(items.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((index, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|index| Some((index, items.get(index)?)))
        {
            done.push((index, act(item)));
        }
        done
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
