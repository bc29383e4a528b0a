//! `virtpy store gc`: say what no venv uses, and remove it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::cli::GcArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs::Lock;
use crate::install::cache;
use crate::output::{bytes, counted};
use crate::progress::Counter;
use crate::settings::{Settings, StoreSettings};
use crate::store::{Collection, Facts, GRACE, Policy, VenvId};
use crate::venv::{self, Fate, Surveyed};

pub(super) fn run(context: &Context, arguments: &GcArguments) -> Result<u8, Failure> {
    let policy = policy(Settings::current()?.store, arguments);
    let mut announce = context.announce();
    if arguments.remove {
        // What the cache gives up is used by nobody any more.
        cache::sweep(&context.host);
    }
    // What takes its time is done before anybody has to wait.
    let before = venv::survey(&context.store)?;
    let lock = if arguments.remove {
        context.store.lock_exclusive(&mut announce)?
    } else {
        context.store.lock_shared(&mut announce)?
    };
    let findings = Findings::of(context, &before, &policy, &arguments.forget)?;
    findings.tell(context);
    if arguments.remove {
        findings.refuse_doubt()?;
        findings.carry_out(context, lock)?;
    }
    findings.report(context, arguments, &policy)?;
    Ok(0)
}

/// Collects what the settings say may go, at most once a day and only if nobody else works with the store just now.
pub(in super::super) fn automatic(context: &Context) -> Result<(), Failure> {
    let settings = Settings::current()?.store;
    if !settings.is_automatic() || !context.store.is_collection_due() {
        return Ok(());
    }
    let before = venv::survey(&context.store)?;
    let Some(lock) = context.store.try_lock_exclusive()? else { return Ok(()) };
    let findings = Findings::of(context, &before, &conditions(settings), &[])?;
    context.store.note_collection();
    if findings.refuse_doubt().is_err() {
        context.output.detail("the store was not collected: not every venv could be read");
        return Ok(());
    }
    findings.carry_out(context, lock)?;
    if !findings.collection.remove.is_empty() {
        let count = counted(findings.collection.remove.len(), "package");
        let freed = bytes(findings.collection.freed());
        context.output.message(format_args!("Removed {count} that no venv uses from the store ({freed})"));
    }
    Ok(())
}

fn conditions(settings: StoreSettings) -> Policy {
    Policy {
        grace: GRACE,
        max_age: settings.max_age,
        max_size: settings.max_size,
        keep_last: settings.keep_last.unwrap_or_default(),
    }
}

/// The options, and the settings for those that are not given.
fn policy(settings: StoreSettings, arguments: &GcArguments) -> Policy {
    let settings = conditions(settings);
    Policy {
        grace: arguments.grace.unwrap_or(settings.grace),
        max_age: arguments.max_age.or(settings.max_age),
        max_size: arguments.max_size.or(settings.max_size),
        keep_last: arguments.keep_last.unwrap_or(settings.keep_last),
    }
}

/// What became of the venvs, and what can go therefore.
struct Findings {
    venvs: Vec<Surveyed>,
    forgotten: BTreeSet<VenvId>,
    collection: Collection,
}

impl Findings {
    fn of(
        context: &Context,
        before: &[Surveyed],
        policy: &Policy,
        forget: &[String],
    ) -> Result<Self, Failure> {
        let venvs = venv::survey_again(&context.store, before)?;
        let forgotten = forgotten(context, &venvs, forget)?;
        let keeps = |venv: &&Surveyed| venv.fate.keeps() && !forgotten.contains(&venv.id);
        let used = venvs.iter().filter(keeps).flat_map(|venv| venv.uses.iter().cloned()).collect();
        let collection = Collection::plan(context.store.facts()?, &used, policy);
        Ok(Self { venvs, forgotten, collection })
    }

    /// Says what became of venvs that are not simply there.
    fn tell(&self, context: &Context) {
        for venv in self.venvs.iter().filter(|venv| !self.forgotten.contains(&venv.id)) {
            match &venv.fate {
                Fate::Present => {}
                Fate::Gone => context.output.detail(format_args!("{} is gone", named(venv))),
                Fate::Moved(path) => {
                    context.output.message(format_args!("{} is at `{}` now", named(venv), path.display()));
                }
                Fate::Unmounted(point) => context.output.message(format_args!(
                    "{} is kept: nothing is mounted at `{}` now, or another disk",
                    named(venv),
                    point.display()
                )),
                Fate::Unreadable(reason) => {
                    context.output.warning(format_args!("{} cannot be read: {reason}", named(venv)));
                }
            }
        }
    }

    /// Nothing is removed while it is not known what all venvs use.
    fn refuse_doubt(&self) -> Result<(), Failure> {
        let is_in_doubt =
            |venv: &&Surveyed| matches!(venv.fate, Fate::Unreadable(_)) && !self.forgotten.contains(&venv.id);
        match self.venvs.iter().find(is_in_doubt) {
            None => Ok(()),
            Some(venv) => Err(Failure::new(format!(
                "{} cannot be read, so nobody knows what it uses; nothing was removed",
                named(venv)
            ))
            .hinted(format!(
                "mend it with `virtpy relink` there, or give it up with `virtpy store gc --forget {}`",
                venv.id
            ))),
        }
    }

    fn gone(&self) -> Vec<VenvId> {
        let is_gone = |venv: &&Surveyed| !venv.fate.keeps() || self.forgotten.contains(&venv.id);
        self.venvs.iter().filter(is_gone).map(|venv| venv.id.clone()).collect()
    }

    fn carry_out(&self, context: &Context, lock: Lock) -> Result<(), Failure> {
        let store = &context.store;
        for venv in &self.venvs {
            if let Fate::Moved(path) = &venv.fate {
                store.register(&venv.id, path)?;
            }
        }
        let discarded = store.collect(&lock, &self.collection.remove, &self.gone())?;
        drop(lock);
        let progress = Counter::new(context.output, "removing", discarded.len());
        let done = std::cell::Cell::new(0);
        Ok(discarded.delete(&|| {
            done.set(done.get() + 1);
            progress.at(done.get());
        })?)
    }

    fn report(&self, context: &Context, arguments: &GcArguments, policy: &Policy) -> Result<(), Failure> {
        let collection = &self.collection;
        let gone = self.gone();
        if arguments.json {
            let entries = |facts: &[Facts]| facts.iter().map(Row::of).collect::<Vec<_>>();
            return context.output.json(&Report {
                removed: arguments.remove,
                entries: entries(&collection.remove),
                kept_unused: entries(&collection.keep),
                freed_bytes: collection.freed(),
                total_bytes: collection.total,
                forgotten_venvs: gone.iter().map(ToString::to_string).collect(),
            });
        }
        for entry in &collection.remove {
            let size = bytes(entry.size);
            context.output.data(format_args!("{} {} ({size})", entry.name, entry.version));
        }
        let what = format!(
            "{} ({} of {}) and {}",
            counted(collection.remove.len(), "package"),
            bytes(collection.freed()),
            bytes(collection.total),
            counted(gone.len(), "record") + " of venvs that are gone"
        );
        if arguments.remove {
            context.output.message(format_args!("Removed {what}"));
        } else if collection.remove.is_empty() && gone.is_empty() {
            context.output.message("There is nothing to remove");
        } else {
            context.output.message(format_args!("Would remove {what}; `--remove` does it"));
        }
        if !collection.keep.is_empty() {
            let size = bytes(collection.keep.iter().map(|entry| entry.size).sum());
            let (kept, young) = (collection.keep.len(), collection.young);
            let kept = counted(kept, "unused package");
            let grace = duration(policy.grace);
            context.output.message(match (young, collection.keep.len() - young) {
                (_, 0) => format!("Kept {kept} ({size}), added within the last {grace}; `--grace 0` removes them too"),
                (0, _) => format!("Kept {kept} ({size}), as `--max-age`, `--max-size` and `--keep-last` or the settings say"),
                (young, _) => format!(
                    "Kept {kept} ({size}): {young} added within the last {grace} (`--grace 0` removes them too), the others as \
                     `--max-age`, `--max-size` and `--keep-last` or the settings say"
                ),
            });
        }
        Ok(())
    }
}

/// The ids of the venvs that the user gives up. A venv that is there is not one of them.
fn forgotten(context: &Context, venvs: &[Surveyed], forget: &[String]) -> Result<BTreeSet<VenvId>, Failure> {
    let mut ids = BTreeSet::new();
    for text in forget {
        let path: PathBuf = context.working_directory.join(text);
        let is_meant = |venv: &&Surveyed| venv.id.as_str() == text || venv.path() == Some(path.as_path());
        let venv = venvs.iter().find(is_meant).ok_or_else(|| {
            Failure::new(format!("the store knows no venv `{text}`"))
                .hinted("`virtpy list-all` shows those that it knows")
        })?;
        if matches!(venv.fate, Fate::Present | Fate::Moved(_)) {
            return Err(Failure::new(format!("{} is there and uses its packages", named(venv)))
                .hinted("delete its folder first; then nothing has to be forgotten"));
        }
        ids.insert(venv.id.clone());
    }
    Ok(ids)
}

fn named(venv: &Surveyed) -> String {
    match venv.root.as_ref() {
        Some(root) => format!("the venv at `{}`", root.path.display()),
        None => format!("the venv {}", venv.id),
    }
}

/// A span of time in the largest unit that it has whole ones of.
fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [("day", 86_400), ("hour", 3_600), ("minute", 60)];
    match units.iter().find(|(_, length)| seconds >= *length && seconds.is_multiple_of(*length)) {
        Some((unit, length)) if seconds == *length => (*unit).to_owned(),
        Some((unit, length)) => format!("{} {unit}s", seconds / length),
        None => format!("{seconds} seconds"),
    }
}

#[derive(Serialize)]
struct Report {
    removed: bool,
    entries: Vec<Row>,
    kept_unused: Vec<Row>,
    freed_bytes: u64,
    total_bytes: u64,
    forgotten_venvs: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    version: String,
    id: String,
    bytes: u64,
}

impl Row {
    fn of(facts: &Facts) -> Self {
        Self {
            name: facts.name.clone(),
            version: facts.version.clone(),
            id: facts.id.to_string(),
            bytes: facts.size,
        }
    }
}
