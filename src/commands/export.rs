//! `virtpy export`: write a venv with files of its own.

use std::time::Instant;

use serde::Serialize;

use crate::cli::ExportArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Environment, Indexes, base};
use crate::output::{counted, seconds};
use crate::report;
use crate::venv::{Destination, editable_location};

pub(super) fn run(context: &Context, arguments: &ExportArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let venv = context.venv_to_change(&arguments.venv)?;
    let interpreter = context.host.interpreter(&venv)?;
    let indexes = Indexes::default();
    let environment = Environment::open_as_it_is(&context.host, venv, &indexes)?;
    let contents = &environment.contents;
    report::warn_of_lost(context, contents);
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
    let path = environment.venv().export(&context.store, contents, &base(&interpreter), &destination)?;
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

#[derive(Serialize)]
struct Report {
    path: String,
    at: String,
    packages: usize,
}
