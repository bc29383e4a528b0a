//! `virtpy store repair`: restore what `verify` finds.

use super::advice::{relinked, users};
use super::below;
use super::shares::Shares;
use super::verify::{label, strangers};
use crate::cli::RepairArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install;
use crate::install::Repaired;
use crate::output::counted;
use crate::store::{EntryId, Verdict};
use crate::venv::{self, Fate, Surveyed};

/// What came of the strangers among the entries.
#[derive(Default)]
struct Strangers {
    moved: usize,
    kept: usize,
}

/// Moves what lies among the entries and is none into the quarantine. What has the name of an entry that a venv uses stays:
/// the venv's links lead there.
fn put_strangers_aside(context: &Context, names: &[String]) -> Result<Strangers, Failure> {
    let mut outcome = Strangers::default();
    let strangers = strangers(context, names)?;
    let venvs =
        if strangers.iter().any(|one| one.id.is_some()) { venv::survey(&context.store)? } else { Vec::new() };
    for stranger in &strangers {
        let name = stranger.name.to_string_lossy();
        let user = stranger.id.as_ref().and_then(|id| venvs.iter().find(|venv| may_use(venv, id)));
        if let Some(user) = user {
            outcome.kept += 1;
            let failure = Failure::new(format!(
                "`w/{name}` is not a package, and stays: the venv at `{}` uses it",
                user.label()
            ));
            let hint = "`virtpy relink` in that venv fetches the package again, and puts the other aside";
            context.output.failure(&failure.hinted(hint));
        } else if let Some(aside) = context.store.put_aside(stranger)? {
            outcome.moved += 1;
            let aside = aside.display();
            context.output.data(format_args!("w/{name}: moved to `{aside}`, it belonged to no package"));
        }
    }
    Ok(outcome)
}

/// Whether a venv has links to an entry, as far as anybody can tell.
fn may_use(venv: &Surveyed, id: &EntryId) -> bool {
    matches!(venv.fate, Fate::Unreadable(_)) || (venv.fate.keeps() && venv.uses.contains(id))
}

pub(super) fn run(context: &Context, arguments: &RepairArguments) -> Result<u8, Failure> {
    let shares = Shares::of_user(context, &arguments.names)?;
    let _store_lock = context.store.lock_shared(&mut context.host.announce())?;
    // Somebody was killed, or a venv was in use, before all had the files of an entry that was fetched again.
    for id in context.store.renewed() {
        if let Some(entry) = context.store.entry_by_id(&id)? {
            install::refresh_names(&context.host, &entry, None)?;
        }
    }
    let strangers = put_strangers_aside(context, &arguments.names)?;
    let damaged = shares.damaged(context);
    if damaged.is_empty() && strangers.moved + strangers.kept > 0 {
        return Ok(u8::from(strangers.kept > 0));
    }
    if damaged.is_empty() {
        context.output.message(format_args!("Verified {}: there is nothing to repair", shares.told()));
        return Ok(0);
    }
    let (own, lower): (Vec<Verdict>, Vec<Verdict>) =
        damaged.into_iter().partition(|verdict| verdict.store.is_none());
    let mut left = strangers.kept;
    if !own.is_empty() {
        left += repair(context, arguments, &own)?;
    }
    if !lower.is_empty() {
        left += below::repair(context, arguments, &lower)?;
    }
    Ok(u8::from(left > 0))
}

/// Only venvs know what an entry was of which nothing is left.
fn absent(context: &Context, verdict: &Verdict) -> Result<Failure, Failure> {
    let users = users(context, &[verdict])?;
    let hint = users.first().map(|user| relinked(user, users.len()));
    let failure =
        Failure::new(format!("{} is missing, and nothing in the store says what it was", label(verdict)));
    Ok(failure.hinted(hint.unwrap_or_else(|| "`virtpy store fill` brings it back".to_owned())))
}

/// Restores entries of the user's own store. Returns how many could not be restored.
fn repair(context: &Context, arguments: &RepairArguments, damaged: &[Verdict]) -> Result<usize, Failure> {
    let interpreter = context.host.find_interpreter(None)?;
    let session =
        context.host.session(&interpreter, context.host.index_settings(&arguments.index.options())?);
    // Without the network, what can be had is had without it.
    let remote = context.host.remote()?.filter(|_| !arguments.index.offline);
    let (mut failed, mut announce) = (0, context.host.announce());
    for verdict in damaged {
        let label = label(verdict);
        if verdict.is_absent() {
            failed += 1;
            context.output.failure(&absent(context, verdict)?);
            continue;
        }
        match install::repair(&context.store, &session, remote, verdict, &mut announce) {
            Ok(Repaired::InPlace) => context.output.data(format_args!("{label}: repaired")),
            Ok(Repaired::Fetched(entry)) => {
                let venvs = install::refresh_names(&context.host, &entry, None)?;
                let venvs =
                    if venvs == 0 { String::new() } else { format!(", also in {}", counted(venvs, "venv")) };
                context.output.data(format_args!("{label}: fetched again{venvs}"));
            }
            Err(error) => {
                failed += 1;
                context
                    .output
                    .failure(&Failure::from(error).within(format!("{label} could not be restored")));
            }
        }
    }
    let repaired = counted(damaged.len() - failed, "package");
    context.output.message(format_args!("Repaired {repaired}{}", if failed == 0 { "" } else { ", not all" }));
    Ok(failed)
}
