//! What `virtpy add` tells.

use std::time::Duration;

use serde::Serialize;

use super::{Outcome, Ways, warn_of_clashes};
use crate::cli::AddArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::{counted, seconds};

/// Tells what was done.
pub(super) fn report(
    context: &Context,
    arguments: &AddArguments,
    outcome: &Outcome,
    elapsed: Duration,
) -> Result<u8, Failure> {
    let output = context.output;
    warn_of_clashes(output, outcome);
    if arguments.json {
        output.json(&Report::of(outcome, arguments.dry_run, elapsed))?;
        return Ok(0);
    }
    output.changes(&outcome.summary.removed, &outcome.summary.added);
    let added = counted(outcome.summary.added.len(), "package");
    if outcome.summary.added.is_empty() {
        output.message(format_args!("Nothing to do: everything is installed ({})", seconds(elapsed)));
    } else if arguments.dry_run {
        let Ways { from_store, downloaded, .. } = outcome.ways;
        output.message(format_args!(
            "Would add {added} ({from_store} from the store, {downloaded} to download; nothing was changed)"
        ));
    } else {
        output.message(format_args!("Added {added} in {} ({})", seconds(elapsed), outcome.ways));
        output.detail(format_args!(
            "linked {} distributions in {:.1} ms",
            outcome.summary.added.len(),
            outcome.linked_in.as_secs_f64() * 1000.0
        ));
    }
    Ok(0)
}

/// The answer for programs.
#[derive(Serialize)]
struct Report<'a> {
    dry_run: bool,
    added: Vec<Named<'a>>,
    removed: Vec<Named<'a>>,
    unchanged: usize,
    #[serde(flatten)]
    ways: Ways,
    seconds: f64,
}

/// A distribution in an answer for programs.
#[derive(Serialize)]
pub(in crate::commands) struct Named<'a> {
    name: &'a str,
    version: &'a str,
}

/// Pairs of name and version, for programs.
pub(in crate::commands) fn named(pairs: &[(String, String)]) -> Vec<Named<'_>> {
    pairs.iter().map(|(name, version)| Named { name, version }).collect()
}

impl<'a> Report<'a> {
    fn of(outcome: &'a Outcome, dry_run: bool, elapsed: Duration) -> Self {
        Self {
            dry_run,
            added: named(&outcome.summary.added),
            removed: named(&outcome.summary.removed),
            unchanged: outcome.unchanged,
            ways: outcome.ways,
            seconds: elapsed.as_secs_f64(),
        }
    }
}
