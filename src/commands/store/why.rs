//! `virtpy store why`: which venvs use a package, and why.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::WhyArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::bytes;
use crate::store::Facts;
use crate::venv::{self, EntryUse};

pub(super) fn run(context: &Context, arguments: &WhyArguments) -> Result<u8, Failure> {
    let _store_lock = context.store.lock_reading(&mut context.host.announce())?;
    let entries = found(context, &arguments.name)?;
    let surveyed = venv::survey(&context.store)?;
    let mut answers = Vec::new();
    for (store, facts) in entries {
        let of = |venv| EntryUse::of(&facts.id, store.as_deref(), venv);
        let venvs = surveyed.iter().filter_map(of).collect();
        answers.push(Answer { facts, store, venvs });
    }
    if arguments.json {
        context.output.json(&answers)?;
        return Ok(0);
    }
    for Answer { facts, store, venvs } in &answers {
        let Facts { name, version, id, size, .. } = facts;
        let place = store.as_ref().map_or_else(String::new, |store| format!(", in `{}`", store.display()));
        context.output.data(format_args!("{name} {version} ({id}): {}{place}", bytes(*size)));
        for user in venvs {
            context.output.data(format_args!("  {}: {}", user.path, reason(user)));
        }
        if venvs.is_empty() {
            context.output.data("  no venv uses it");
        }
    }
    Ok(0)
}

/// The entries that a name or an id means, of the user's own store and of those below it, with the latter's folders.
fn found(context: &Context, name: &str) -> Result<Vec<(Option<PathBuf>, Facts)>, Failure> {
    let store = &context.store;
    let mut below = Vec::new();
    for layer in store.lower()? {
        for facts in store.facts_below(layer, |id, known| super::is_named(name, id, known))? {
            below.push((Some(layer.home().to_path_buf()), facts));
        }
    }
    let chosen = match super::chosen(context, &[name.to_owned()]) {
        Err(_) if !below.is_empty() => Vec::new(),
        other => other?,
    };
    let own = store.facts()?.into_iter().filter(|entry| chosen.contains(&entry.id));
    Ok(own.map(|facts| (None, facts)).chain(below).collect())
}

#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct Answer {
    #[serde(flatten)]
    facts: Facts,
    /// The lower store that it is in; absent for one of the user's own store.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<PathBuf>,
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
