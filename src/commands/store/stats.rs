//! `virtpy store stats`: how much the store holds and what it saves.

use crate::cli::StatsArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::{bytes, counted};
use crate::venv::{self, LowerStoreUse, Statistics};

pub(super) fn run(context: &Context, arguments: &StatsArguments) -> Result<u8, Failure> {
    // While somebody works with the store, nobody knows what is abandoned.
    let alone = context.store.try_lock_exclusive().ok().flatten();
    let abandoned = alone.map(|lock| context.store.abandoned_bytes(&lock)).transpose()?;
    let _store_lock = context.store.lock_shared(&mut context.host.announce())?;
    let venvs = venv::survey(&context.store)?;
    let statistics =
        Statistics { abandoned_bytes: abandoned, ..Statistics::of(&context.store.facts()?, &venvs) };
    if arguments.json {
        context.output.json(&statistics)?;
    } else {
        context.output.data_block(&text(&statistics, context.output.is_verbose()));
    }
    Ok(0)
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
    for LowerStoreUse { path, wheels, venvs } in &statistics.lower_stores {
        let (wheels, venvs) = (counted(*wheels, "wheel"), counted(*venvs, "venv"));
        lines.push(format!("from the store `{}`: {wheels} in {venvs}", path.display()));
    }
    if let Some(abandoned) = statistics.abandoned_bytes.filter(|size| *size > 0) {
        let size = bytes(abandoned);
        lines.push(format!("left by interrupted commands: {size}; `virtpy store gc --remove` removes it"));
    }
    if is_detailed {
        lines.push("\npackages:".to_owned());
        lines.extend(statistics.by_package.iter().map(|entry| {
            let (facts, venvs) = (&entry.facts, counted(entry.venvs, "venv"));
            format!("  {} {} ({}): {}, {venvs}", facts.name, facts.version, facts.id, bytes(facts.size))
        }));
        lines.push("\nvenvs:".to_owned());
        lines.extend(statistics.by_venv.iter().map(|venv| {
            format!("  {}: {}, {}", venv.path, counted(venv.packages, "package"), bytes(venv.bytes))
        }));
    }
    lines.join("\n") + "\n"
}
