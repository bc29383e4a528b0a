//! `virtpy adopt`: move the packages of venvs that other tools made into the store, and link them.

use std::path::Path;
use std::time::Instant;

use crate::cli::AdoptArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{self, Adoption};
use crate::output::{bytes, counted, seconds};
use crate::report;
use crate::venv::{Extent, LeftAlone};

pub(super) fn run(context: &Context, arguments: &AdoptArguments) -> Result<u8, Failure> {
    let mut reports = Vec::new();
    for path in &arguments.venvs {
        let started = Instant::now();
        let at = context.working_directory.join(path);
        let report = match install::adopt(&context.host, &at, arguments.dry_run) {
            Ok(report) => {
                report::collisions(context.output, &report.summary);
                report
            }
            Err(failure) => {
                let error = failure.told().join(": ");
                context.output.failure(&failure.within(format!("`{}` was not adopted", path.display())));
                Adoption { error: Some(error), ..Adoption::of(path) }
            }
        };
        if !arguments.json && report.error.is_none() {
            show(context, &report, path, started);
        }
        reports.push(report);
    }
    if arguments.json {
        context.output.json(&reports)?;
    }
    Ok(u8::from(reports.iter().any(|report| report.error.is_some())))
}

fn show(context: &Context, adoption: &Adoption, path: &Path, started: Instant) {
    let output = context.output;
    let labels: Vec<_> = adoption.adopted.iter().map(|adopted| adopted.label.clone()).collect();
    output.changes(&[], &labels);
    for LeftAlone { name, version, reason } in &adoption.left_alone {
        let blank = if version.is_empty() { "" } else { " " };
        output.warning(format_args!("{name}{blank}{version} was left alone: {reason}"));
    }
    let shared = adoption.adopted.iter().filter(|adopted| adopted.in_store).count();
    let count = counted(adoption.adopted.len(), "package");
    let path = path.display();
    let ways = format!("{shared} in the store already, {} moved there", adoption.adopted.len() - shared);
    if adoption.dry_run {
        output.message(format_args!("Would adopt {count} of `{path}` ({ways}; nothing was changed)"));
    } else {
        let elapsed = seconds(started.elapsed());
        output.message(format_args!("Adopted {count} of `{path}` in {elapsed} ({ways})"));
    }
    if adoption.adopted.is_empty() {
        return;
    }
    let Extent { files, bytes: size } = adoption.saved;
    output.message(format_args!(
        "The venv {} {files} files and {} less, the store {} more",
        if adoption.dry_run { "would have" } else { "has" },
        bytes(size),
        bytes(adoption.grown.bytes)
    ));
}
