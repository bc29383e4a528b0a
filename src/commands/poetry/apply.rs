//! `virtpy poetry apply`: what one run of Poetry installs and removes, as its plugin collected it, in one change.
//!
//! What is wanted is JSON on standard input, the answer JSON on standard output. A wheel that virtpy refuses is named in the
//! answer, and all others are installed: Poetry has said already that it installs them.

use serde::{Deserialize, Serialize};
use virtpy_pep::NamedVersion;

use crate::cli::PoetryApplyArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{self, Environment, Extent, Goal, Indexes, InstallOptions, Refusal, WheelSource};
use crate::report::{self, OWN_PIP};

/// What the plugin wants.
#[derive(Deserialize)]
struct Request {
    #[serde(flatten)]
    wheels: WheelSource,
    #[serde(default)]
    compile_bytecode: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    added: &'a [NamedVersion],
    removed: &'a [NamedVersion],
    refused: Vec<Refusal>,
    /// What the user should know.
    notes: Vec<&'static str>,
}

pub(super) fn run(context: &Context, arguments: &PoetryApplyArguments) -> Result<u8, Failure> {
    let Request { wheels, compile_bytecode } =
        serde_json::from_reader(std::io::stdin().lock()).map_err(|error| {
            Failure::usage(format!("standard input is not what Poetry's plugin sends: {error}"))
        })?;
    let venv = context.venv_to_change(&arguments.venv)?;
    let options = InstallOptions { compile_bytecode, ..InstallOptions::default() };
    let goal = Goal { source: &wheels, extent: Extent::Sufficient, options };
    let indexes = Indexes::default();
    let mut log = install::bring(&mut Environment::open(&context.host, venv, &indexes)?, &goal)?;
    // The plugin tells it.
    let notes = if std::mem::take(&mut log.pip_stays) { vec![OWN_PIP] } else { Vec::new() };
    report::warnings(context.output, &log);
    context.output.json_of_others(&Answer {
        added: &log.summary.added,
        removed: &log.summary.removed,
        refused: log.refused,
        notes,
    })?;
    Ok(0)
}
