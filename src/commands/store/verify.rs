//! `virtpy store verify`: look for what was changed, removed or added in the store.

use super::advice::advice;
use super::shares::Shares;
use crate::cli::VerifyArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::bytecode;
use crate::store::{Finding, Stranger, Verdict};

pub(super) fn run(context: &Context, arguments: &VerifyArguments) -> Result<u8, Failure> {
    let shares = match &arguments.store {
        Some(store) => Shares::of_store(context, store, &arguments.names)?,
        None => Shares::of_user(context, &arguments.names)?,
    };
    bytecode::settle(&context.host);
    let _store_lock = context.store.lock_reading(&mut context.host.announce())?;
    let mut damaged = shares.damaged(context);
    if shares.has_own() {
        damaged.extend(strangers(context, &arguments.names)?.iter().map(verdict_on));
    }
    if arguments.json {
        context.output.json(&damaged)?;
        return Ok(u8::from(!damaged.is_empty()));
    }
    for verdict in &damaged {
        for finding in &verdict.findings {
            context.output.data(format_args!("{}: {finding}", label(verdict)));
        }
    }
    let verified = shares.told();
    if damaged.is_empty() {
        context.output.message(format_args!("Verified {verified}: everything is in order"));
        return Ok(0);
    }
    context.output.message(format_args!(
        "Verified {verified}: {} damaged; {}",
        damaged.len(),
        advice(context, &damaged)?
    ));
    Ok(1)
}

/// What lies among the entries and is none; nothing where only some entries were asked for.
pub(super) fn strangers(context: &Context, names: &[String]) -> Result<Vec<Stranger>, Failure> {
    if names.is_empty() { Ok(context.store.strangers()?) } else { Ok(Vec::new()) }
}

fn verdict_on(stranger: &Stranger) -> Verdict {
    let name = stranger.name.to_string_lossy().into_owned();
    Verdict { id: format!("w/{name}"), distribution: None, store: None, findings: vec![Finding::Extra(name)] }
}

/// The distribution with the id of its entry, and its store if that is a lower one.
pub(super) fn label(verdict: &Verdict) -> String {
    let label = match &verdict.distribution {
        Some((name, version)) => format!("{name} {version} ({})", verdict.id),
        None => verdict.id.clone(),
    };
    match &verdict.store {
        Some(store) => format!("{label} in the store `{}`", store.display()),
        None => label,
    }
}
