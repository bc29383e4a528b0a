//! `virtpy freeze`: what is installed, in the form of a requirements file.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::FreezeArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::report;
use crate::venv::frozen;

pub(super) fn run(context: &Context, arguments: &FreezeArguments) -> Result<u8, Failure> {
    let venv = context.venv_to_read(&arguments.venv)?.venv;
    let contents = report::contents(context, &venv)?;
    let visible = contents.visible().into_iter().filter(|one| !one.is_pip_shim());
    let frozen =
        visible.map(|one| Frozen { name: &one.name, version: &one.version, requirement: frozen(one) });
    let frozen: Vec<Frozen<'_>> = frozen.collect();
    if arguments.json {
        context.output.json(&frozen)?;
    } else {
        let lines: Vec<String> = frozen.iter().map(|one| format!("{}\n", one.requirement)).collect();
        context.output.data_block(&lines.concat());
    }
    Ok(0)
}

/// A distribution, for programs.
#[derive(JsonSchema, Serialize)]
pub(super) struct Frozen<'a> {
    /// Its name.
    name: &'a str,
    /// Its version.
    version: &'a str,
    /// The line of a requirements file that stands for it.
    requirement: String,
}
