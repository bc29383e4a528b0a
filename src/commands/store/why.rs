//! `virtpy store why`: which venvs use a package, and why.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::WhyArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::bytes;
use crate::store::Facts;
use crate::venv::{self, EntryUse};

pub(super) fn run(context: &Context, arguments: &WhyArguments) -> Result<u8, Failure> {
    let _store_lock = context.store.lock_shared(&mut context.host.announce())?;
    let chosen = super::chosen(context, std::slice::from_ref(&arguments.name))?;
    let surveyed = venv::survey(&context.store)?;
    let mut answers = Vec::new();
    for facts in context.store.facts()?.into_iter().filter(|entry| chosen.contains(&entry.id)) {
        let venvs = surveyed.iter().filter_map(|venv| EntryUse::of(&facts.id, venv)).collect();
        answers.push(Answer { facts, venvs });
    }
    if arguments.json {
        context.output.json(&answers)?;
        return Ok(0);
    }
    for Answer { facts, venvs } in &answers {
        let Facts { name, version, id, size, .. } = facts;
        context.output.data(format_args!("{name} {version} ({id}): {}", bytes(*size)));
        for user in venvs {
            context.output.data(format_args!("  {}: {}", user.path, reason(user)));
        }
        if venvs.is_empty() {
            context.output.data("  no venv uses it");
        }
    }
    Ok(0)
}

#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct Answer {
    #[serde(flatten)]
    facts: Facts,
    /// The venvs that use it.
    venvs: Vec<EntryUse>,
}

fn reason(user: &EntryUse) -> String {
    let required = || format!("required by {}", user.required_by.join(", "));
    match (user.readable, user.requested, user.required_by.is_empty()) {
        (false, ..) => "it cannot be looked into now".to_owned(),
        (_, true, true) => "asked for".to_owned(),
        (_, true, false) => format!("asked for, and {}", required()),
        (_, false, false) => required(),
        (_, false, true) => "nothing requires it any more".to_owned(),
    }
}
