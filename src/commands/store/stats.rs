//! `virtpy store stats`: how much the store holds and what it saves.

use std::cmp::Reverse;
use std::path::Path;

use crate::cli::StatsArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::{bytes, counted};
use crate::store::{EntryId, Facts};
use crate::venv::{self, EntryUsage, LowerStoreUse, Statistics, Surveyed};

pub(super) fn run(context: &Context, arguments: &StatsArguments) -> Result<u8, Failure> {
    context.store.lower()?;
    // While somebody works with the store, nobody knows what is abandoned.
    let alone = context.store.try_lock_exclusive().ok().flatten();
    let abandoned = alone.map(|lock| context.store.abandoned_bytes(&lock));
    let _store_lock = context.store.lock_reading(&mut context.host.announce())?;
    let venvs = venv::survey(&context.store)?;
    let mut statistics =
        Statistics { abandoned_bytes: abandoned, ..Statistics::of(&context.store.facts()?, &venvs) };
    if arguments.json || context.output.is_verbose() {
        for lower in &mut statistics.lower_stores {
            lower.by_package = used_below(context, &lower.path, &venvs)?;
        }
    }
    if arguments.json {
        context.output.json(&statistics)?;
    } else {
        context.output.data_block(&text(&statistics, context.output.is_verbose()));
    }
    Ok(0)
}

/// What venvs use of a lower store, as far as it is there.
fn used_below(context: &Context, home: &Path, venvs: &[Surveyed]) -> Result<Vec<EntryUsage>, Failure> {
    let Some(layer) = context.store.layer(home) else { return Ok(Vec::new()) };
    let users = |id: &EntryId| {
        let uses = |venv: &&Surveyed| {
            venv.fate.keeps() && venv.uses_lower.iter().any(|used| used.store == home && used.id == *id)
        };
        venvs.iter().filter(uses).count()
    };
    let facts = context.store.facts_below(layer, |id, _| users(id) > 0)?;
    let usage = |facts: Facts| EntryUsage { venvs: users(&facts.id), facts };
    let mut used: Vec<EntryUsage> = facts.into_iter().map(usage).collect();
    used.sort_by_key(|entry| Reverse(entry.facts.size));
    Ok(used)
}

fn text(statistics: &Statistics, is_detailed: bool) -> String {
    let mut lines = vec![
        format!(
            "{} of {}: {} (bytecode: {})",
            counted(statistics.entries, "wheel"),
            counted(statistics.packages, "package"),
            bytes(statistics.bytes),
            bytes(statistics.bytecode_bytes)
        ),
        format!(
            "unused: {} ({})",
            counted(statistics.unused_entries, "wheel"),
            bytes(statistics.unused_bytes)
        ),
        format!(
            "{} would take {} with copies of their own; sharing saves {}",
            counted(statistics.venvs, "venv"),
            bytes(statistics.bytes_without_sharing),
            bytes(statistics.saved_bytes)
        ),
    ];
    for LowerStoreUse { path, wheels, venvs, .. } in &statistics.lower_stores {
        let (wheels, venvs) = (counted(*wheels, "wheel"), counted(*venvs, "venv"));
        lines.push(format!("from the store `{}`: {wheels} in {venvs}", path.display()));
    }
    if let Some(abandoned) = statistics.abandoned_bytes.filter(|size| *size > 0) {
        let size = bytes(abandoned);
        lines.push(format!("left by interrupted commands: {size}; `virtpy store gc --remove` removes it"));
    }
    if is_detailed {
        lines.push("\npackages:".to_owned());
        let line = |entry: &EntryUsage, place: &str| {
            let (facts, venvs) = (&entry.facts, counted(entry.venvs, "venv"));
            format!(
                "  {} {} ({}): {}, {venvs}{place}",
                facts.name,
                facts.version,
                facts.id,
                bytes(facts.size)
            )
        };
        lines.extend(statistics.by_package.iter().map(|entry| line(entry, "")));
        for LowerStoreUse { path, by_package, .. } in &statistics.lower_stores {
            let place = format!(", in `{}`", path.display());
            lines.extend(by_package.iter().map(|entry| line(entry, &place)));
        }
        lines.push("\nvenvs:".to_owned());
        lines.extend(statistics.by_venv.iter().map(|venv| {
            format!("  {}: {}, {}", venv.path, counted(venv.packages, "package"), bytes(venv.bytes))
        }));
    }
    lines.join("\n") + "\n"
}
