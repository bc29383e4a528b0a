//! `virtpy list-all`: every venv that the store knows.

use serde::Serialize;

use crate::cli::ListAllArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::store::Root;
use crate::venv::Venv;

pub(super) fn run(context: &Context, arguments: &ListAllArguments) -> Result<u8, Failure> {
    let rows: Vec<Row> = context.store.roots()?.iter().map(Row::of).collect();
    if arguments.json {
        context.output.json(&rows)?;
        return Ok(0);
    }
    for row in rows {
        match row.state {
            State::Present => context.output.data(&row.path),
            State::Gone => context.output.data(format_args!("{} (gone)", row.path)),
            State::Replaced => context.output.data(format_args!("{} (another venv is there now)", row.path)),
        }
    }
    Ok(0)
}

#[derive(Serialize)]
struct Row {
    path: String,
    id: String,
    state: State,
}

/// What stands at a registered path.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Present,
    Gone,
    Replaced,
}

impl Row {
    fn of(root: &Root) -> Self {
        let state = match Venv::open(&root.path) {
            Ok(venv) if venv.id == root.id => State::Present,
            Ok(_) => State::Replaced,
            Err(_) => State::Gone,
        };
        Self { path: root.path.display().to_string(), id: root.id.to_string(), state }
    }
}
