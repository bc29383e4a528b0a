//! `virtpy store verify`: look for what was changed, removed or added in the store.

use crate::cli::VerifyArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::bytecode;
use crate::output::counted;
use crate::progress::Counter;
use crate::store::{EntryId, Finding, Stranger, Verdict};

pub(super) fn run(context: &Context, arguments: &VerifyArguments) -> Result<u8, Failure> {
    let ids = super::chosen(context, &arguments.names)?;
    bytecode::settle(&context.host);
    let _store_lock = context.store.lock_shared(&mut context.host.announce())?;
    let mut damaged = damaged(context, &ids);
    damaged.extend(strangers(context, &arguments.names)?.iter().map(verdict_on));
    if arguments.json {
        context.output.json(&damaged)?;
        return Ok(u8::from(!damaged.is_empty()));
    }
    for verdict in &damaged {
        for finding in &verdict.findings {
            context.output.data(format_args!("{}: {finding}", label(verdict)));
        }
    }
    let verified = counted(ids.len(), "package");
    if damaged.is_empty() {
        context.output.message(format_args!("Verified {verified}: everything is in order"));
        return Ok(0);
    }
    context.output.message(format_args!(
        "Verified {verified}: {} damaged; `virtpy store repair` restores what it can",
        damaged.len()
    ));
    Ok(1)
}

/// The verdicts on those entries in which something is wrong.
pub(super) fn damaged(context: &Context, ids: &[EntryId]) -> Vec<Verdict> {
    let progress = Counter::new(context.output, "verifying", ids.len());
    let mut verdicts = context.store.verify(ids, &|| progress.tick());
    verdicts.retain(|verdict| !verdict.findings.is_empty());
    verdicts
}

/// What lies among the entries and is none; nothing where only some entries were asked for.
pub(super) fn strangers(context: &Context, names: &[String]) -> Result<Vec<Stranger>, Failure> {
    if names.is_empty() { Ok(context.store.strangers()?) } else { Ok(Vec::new()) }
}

fn verdict_on(stranger: &Stranger) -> Verdict {
    let name = stranger.name.to_string_lossy().into_owned();
    Verdict { id: format!("w/{name}"), distribution: None, findings: vec![Finding::Extra(name)] }
}

/// The distribution with the id of its entry.
pub(super) fn label(verdict: &Verdict) -> String {
    match &verdict.distribution {
        Some((name, version)) => format!("{name} {version} ({})", verdict.id),
        None => verdict.id.clone(),
    }
}
