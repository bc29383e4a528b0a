//! `virtpy store seal`: make a store that others read, and say what it lacks.

use schemars::JsonSchema;
use serde::Serialize;

use super::shares::Shares;
use crate::cli::SealArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::bytecode;
use crate::output::counted;
use crate::store::{Finding, Lack};

/// So many packages are named of those that lack something.
const NAMED: usize = 3;

pub(super) fn run(context: &Context, arguments: &SealArguments) -> Result<u8, Failure> {
    let store = &context.store;
    if arguments.undo {
        let lock = store.lock_alone(&mut context.host.announce())?;
        let was_sealed = store.unseal(&lock)?;
        context.output.message(if was_sealed {
            "The store can be written again"
        } else {
            "It is not sealed"
        });
        return Ok(0);
    }
    bytecode::settle(&context.host);
    // What is harmless is put right; it needs the locks of entries, which come after the store's.
    let ids = store.ids()?;
    let damaged = {
        let _lock = store.lock_reading(&mut context.host.announce())?;
        let mut damaged = Shares::of_store(context, store.home(), &[])?.damaged(context);
        let harmless = |findings: &[Finding]| findings.iter().all(Finding::is_harmless);
        for verdict in damaged.iter().filter(|verdict| harmless(&verdict.findings)) {
            store.tidy(&crate::store::EntryId::parse(&verdict.id)?, &verdict.findings)?;
        }
        // What is not there is not listed.
        damaged.retain(|verdict| !harmless(&verdict.findings) && !verdict.is_absent());
        damaged
    };
    if let Some(verdict) = damaged.first() {
        let (label, finding) = (super::verify::label(verdict), &verdict.findings[0]);
        return Err(Failure::new(format!("{label} is damaged: {finding}; the store was not sealed"))
            .hinted("restore it with `virtpy store repair`"));
    }
    let lock = store.lock_alone(&mut context.host.announce())?;
    let known = store.ids()?;
    if known != ids {
        return Err(Failure::new("packages came or went meanwhile; the store was not sealed")
            .hinted("run the command again"));
    }
    let lacks = store.lacks()?;
    store.seal(&lock, &ids)?;
    if arguments.roots {
        store.open_roots()?;
    }
    let report = Report { packages: ids.len(), lacks: lacks.iter().map(told).collect() };
    if arguments.json {
        context.output.json(&report)?;
    } else {
        for lack in &report.lacks {
            context.output.warning(lack);
        }
        let count = counted(report.packages, "package");
        context.output.message(format_args!("Sealed {count}; `--undo` lets the store be written again"));
    }
    Ok(0)
}

/// A sentence about what is missing.
fn told(lack: &Lack) -> String {
    match lack {
        Lack::Bytecode { tag, packages } => {
            let named = packages.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            let others = match packages.len().saturating_sub(NAMED) {
                0 => String::new(),
                count => format!(" and {}", counted(count, "other package")),
            };
            format!("{named}{others} lack bytecode for {tag}; `virtpy store fill --python` makes it")
        }
        Lack::AllBytecode => {
            "there is no bytecode: every process will compile what it imports; `virtpy store fill --python` makes it"
                .to_owned()
        }
        Lack::Closed(path) => format!("other users cannot get to the store: `{}` is closed to them", path.display()),
        Lack::Distrust(reason) => format!("other users will not believe it: {reason}"),
    }
}

#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct Report {
    /// How many packages the store has.
    packages: usize,
    /// What it lacks, a sentence each.
    lacks: Vec<String>,
}
