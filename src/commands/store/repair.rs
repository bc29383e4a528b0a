//! `virtpy store repair`: restore what `verify` finds.

use super::verify::{damaged, label, strangers};
use crate::cli::RepairArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::counted;
use crate::resolve::{self, Mended};
use crate::store::Finding;

/// Removes what lies among the entries and is none. Returns how much that was.
fn remove_strangers(context: &Context, names: &[String]) -> Result<usize, Failure> {
    let strangers = strangers(context, names)?;
    for stranger in &strangers {
        for finding in &stranger.findings {
            if let Finding::Extra(name) = finding {
                context.store.remove_stranger(name)?;
                context.output.data(format_args!("{}: removed, it belonged to no package", stranger.id));
            }
        }
    }
    Ok(strangers.len())
}

pub(super) fn run(context: &Context, arguments: &RepairArguments) -> Result<u8, Failure> {
    let ids = super::chosen(context, &arguments.names)?;
    let _store_lock = context.store.lock_shared(&mut context.announce())?;
    // Somebody was killed, or a venv was in use, before all had the files of an entry that was fetched again.
    for id in context.store.renewed() {
        if let Some(entry) = context.store.entry_by_id(&id)? {
            super::super::refresh_names(context, &entry, None)?;
        }
    }
    let strangers = remove_strangers(context, &arguments.names)?;
    let damaged = damaged(context, &ids);
    if damaged.is_empty() && strangers > 0 {
        return Ok(0);
    }
    if damaged.is_empty() {
        let count = counted(ids.len(), "package");
        context.output.message(format_args!("Verified {count}: there is nothing to repair"));
        return Ok(0);
    }
    let interpreter = context.find_interpreter(None)?;
    let session = context.session(&interpreter, context.index_settings(&arguments.index)?);
    let mut failed = 0;
    for verdict in &damaged {
        let label = label(verdict);
        match resolve::mend(&context.store, &session, verdict, &mut context.announce()) {
            Ok(Mended::InPlace) => context.output.data(format_args!("{label}: mended")),
            Ok(Mended::Fetched(entry)) => {
                let venvs = super::super::refresh_names(context, &entry, None)?;
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
    Ok(u8::from(failed > 0))
}
