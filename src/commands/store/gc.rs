//! `virtpy store gc`: say what no venv uses, and remove it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::GcArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Collected, collect, collect_if_due};
use crate::output::{bytes, counted};
use crate::progress::Counter;
use crate::settings::Settings;
use crate::store::{Facts, Policy, VenvId};

pub(super) fn run(context: &Context, arguments: &GcArguments) -> Result<u8, Failure> {
    let settings = &Settings::current()?.store;
    let policy = Policy {
        grace: arguments.grace.unwrap_or(settings.grace),
        max_age: arguments.max_age.or(settings.max_age),
        max_size: arguments.max_size.or(settings.max_size),
        keep_last: arguments.keep_last.unwrap_or(settings.keep_last),
    };
    let mut collected = collect(&context.host, &policy, &arguments.forget, arguments.remove)?;
    delete(context, &mut collected)?;
    if arguments.json {
        context.output.json(&Report {
            removed: arguments.remove,
            entries: &collected.entries.remove,
            kept_unused: &collected.entries.keep,
            freed_bytes: collected.entries.freed(),
            total_bytes: collected.entries.total,
            forgotten_venvs: &collected.venvs,
        })?;
    } else {
        tell(context, &collected, arguments.remove, policy.grace);
    }
    Ok(0)
}

/// Collects what the settings say may go, at most once a day and only if nobody else works with the store just now.
pub(in super::super) fn automatic(context: &Context) -> Result<(), Failure> {
    let Some(mut collected) = collect_if_due(&context.host, &Settings::current()?.store)? else {
        return Ok(());
    };
    delete(context, &mut collected)?;
    if !collected.entries.remove.is_empty() {
        let count = counted(collected.entries.remove.len(), "package");
        let freed = bytes(collected.entries.freed());
        context.output.message(format_args!("Removed {count} that no venv uses from the store ({freed})"));
    }
    Ok(())
}

fn delete(context: &Context, collected: &mut Collected) -> Result<(), Failure> {
    let Some(discarded) = collected.discarded.take() else { return Ok(()) };
    let progress = Counter::new(context.output, "removing", discarded.len());
    Ok(discarded.delete(&|| progress.tick())?)
}

fn tell(context: &Context, collected: &Collected, is_removed: bool, grace: Duration) {
    let (output, entries) = (context.output, &collected.entries);
    for Facts { name, version, size, .. } in &entries.remove {
        output.data(format_args!("{name} {version} ({})", bytes(*size)));
    }
    let what = format!(
        "{} ({} of {}) and {} of venvs that are gone",
        counted(entries.remove.len(), "package"),
        bytes(entries.freed()),
        bytes(entries.total),
        counted(collected.venvs.len(), "record")
    );
    if entries.remove.is_empty() && collected.venvs.is_empty() {
        output.message("There is nothing to remove");
    } else if is_removed {
        output.message(format_args!("Removed {what}"));
    } else {
        output.message(format_args!("Would remove {what}; `--remove` does it"));
    }
    if entries.keep.is_empty() {
        return;
    }
    let size = bytes(entries.keep.iter().map(|entry| entry.size).sum());
    let kept = counted(entries.keep.len(), "unused package");
    let young = format!("added within the last {}", duration(grace));
    let others = "as `--max-age`, `--max-size` and `--keep-last` or the settings say";
    output.message(match (entries.young, entries.keep.len() - entries.young) {
        (_, 0) => format!("Kept {kept} ({size}), {young}; `--grace 0` removes them too"),
        (0, _) => format!("Kept {kept} ({size}), {others}"),
        (count, _) => {
            format!(
                "Kept {kept} ({size}): {count} {young} (`--grace 0` removes them too), the others {others}"
            )
        }
    });
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

#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct Report<'a> {
    /// Whether it was removed, or only would be.
    removed: bool,
    /// What no venv uses, and goes.
    entries: &'a [Facts],
    /// What no venv uses, and stays.
    kept_unused: &'a [Facts],
    /// What goes takes so much.
    freed_bytes: u64,
    /// Everything takes so much.
    total_bytes: u64,
    /// The ids of venvs that are gone.
    forgotten_venvs: &'a [VenvId],
}
