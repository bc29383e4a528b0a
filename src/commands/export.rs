//! `virtpy export`: write a venv with files of its own.

use std::time::Instant;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::ExportArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{self, Environment, Indexes, base};
use crate::output::{counted, seconds};
use crate::report;
use crate::venv::{Contents, Destination, Venv, editable_location};

pub(super) fn run(context: &Context, arguments: &ExportArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let found = context.venv_to_read(&arguments.venv)?;
    if found.is_foreign {
        let contents = install::contents(&context.host, &found.venv)?;
        let _lock = context.store.lock_reading(&mut context.host.announce())?;
        return write(context, arguments, started, &found.venv, &contents);
    }
    let venv = context.venv_to_change(&arguments.venv)?;
    let indexes = Indexes::default();
    let environment = Environment::open_as_it_is(&context.host, venv, &indexes)?;
    report::warn_of_lost(context, &environment.contents);
    write(context, arguments, started, environment.venv(), &environment.contents)
}

/// Writes the export of a venv that nobody changes meanwhile, and tells of it.
fn write(
    context: &Context,
    arguments: &ExportArguments,
    started: Instant,
    venv: &Venv,
    contents: &Contents,
) -> Result<u8, Failure> {
    let interpreter = context.host.interpreter(venv)?;
    for distribution in &contents.distributions {
        if let Some(location) = distribution.direct_url().and_then(editable_location) {
            context.output.warning(format_args!(
                "{} is editable: the export still needs `{location}`",
                distribution.name
            ));
        }
    }
    let path = context.working_directory.join(&arguments.destination);
    let at = arguments.at.as_ref().map_or_else(|| path.clone(), |at| context.working_directory.join(at));
    let destination = Destination { path, at: at.clone() };
    let path = venv.export(&context.store, contents, &base(&interpreter), &destination)?;
    if arguments.json {
        context.output.json(&Report {
            path: path.display().to_string(),
            at: at.display().to_string(),
            packages: contents.distributions.len(),
        })?;
    } else {
        context.output.message(format_args!(
            "Wrote `{}` with {} in {}; it needs `{}` where it is used",
            path.display(),
            counted(contents.distributions.len(), "package"),
            seconds(started.elapsed()),
            interpreter.executable.display()
        ));
    }
    Ok(0)
}

#[derive(JsonSchema, Serialize)]
pub(super) struct Report {
    /// Where it was written.
    path: String,
    /// The path that it is made for.
    at: String,
    /// How many packages it has.
    packages: usize,
}
