//! `virtpy list-all`: every venv that the store knows.

use std::collections::BTreeSet;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::ListAllArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::venv::{self, Fate, Surveyed, Venv};

pub(super) fn run(context: &Context, arguments: &ListAllArguments) -> Result<u8, Failure> {
    let surveyed = venv::survey(&context.store)?;
    let mut rows: Vec<Row> = surveyed.iter().map(|venv| Row::of(context, venv)).collect();
    // What virtpy keeps for itself is nobody's venv.
    let own = [context.store.shared_pips(), context.store.cache()];
    let is_own = |path: &String| own.iter().any(|own| Path::new(path).starts_with(own));
    rows.retain(|row| !row.path.as_ref().is_some_and(is_own));
    // A venv that was made where another one stood: of that one only the record is left, until the next collection.
    let present: BTreeSet<String> = rows
        .iter()
        .filter(|row| matches!(row.state, State::Present))
        .filter_map(|row| row.path.clone())
        .collect();
    rows.retain(|row| {
        !matches!(row.state, State::Gone) || !row.path.as_ref().is_some_and(|path| present.contains(path))
    });
    if arguments.json {
        context.output.json(&rows)?;
        return Ok(0);
    }
    for row in rows {
        let path = row.path.as_deref().unwrap_or("a venv whose record is damaged");
        match row.state {
            State::Present if row.without_interpreter.is_some() => {
                let mend = row.without_interpreter.unwrap_or_default();
                context.output.data(format_args!("{path} (its interpreter is gone: {mend})"));
            }
            State::Present => context.output.data(path),
            State::Moved => context.output.data(format_args!("{path} (moved there)")),
            State::Unmounted => context.output.data(format_args!("{path} (its disk is not mounted)")),
            State::Unreadable => context.output.data(format_args!("{path} (cannot be read)")),
            State::Gone => context.output.data(format_args!("{path} (gone)")),
        }
    }
    Ok(0)
}

#[derive(JsonSchema, Serialize)]
pub(super) struct Row {
    /// Where it is; `null` where its record is damaged.
    path: Option<String>,
    /// Its id.
    id: String,
    /// What became of it.
    state: State,
    /// How many packages it uses, as far as that is known.
    packages: usize,
    /// How to mend a venv whose interpreter is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_interpreter: Option<String>,
}

/// What became of a venv.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Present,
    Moved,
    Unmounted,
    Unreadable,
    Gone,
}

impl Row {
    fn of(context: &Context, venv: &Surveyed) -> Self {
        let opened = venv.path().filter(|_| venv.fate.keeps()).and_then(|path| Venv::open(path).ok());
        let is_gone =
            |venv: &Venv| matches!(fs::metadata(&venv.python()), Err(error) if error.is_not_found());
        let broken = opened.filter(is_gone);
        Self {
            path: venv.path().map(|path| path.display().to_string()),
            id: venv.id.to_string(),
            state: match venv.fate {
                Fate::Present => State::Present,
                Fate::Moved(_) => State::Moved,
                Fate::Unmounted(_) => State::Unmounted,
                Fate::Unreadable(_) => State::Unreadable,
                Fate::Gone => State::Gone,
            },
            packages: venv.uses.len() + venv.uses_lower.len(),
            without_interpreter: broken.map(|venv| context.host.interpreter_hint(&venv)),
        }
    }
}
