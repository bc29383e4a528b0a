//! `virtpy relink`: make a venv that was moved, copied or cut off from its store or its interpreter whole again.

use std::time::Instant;

use crate::cli::RelinkArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install;
use crate::output::{counted, seconds};
use crate::report;

pub(super) fn run(context: &Context, arguments: &RelinkArguments) -> Result<u8, Failure> {
    let started = Instant::now();
    let venv = context.venv_even_if_moved(&arguments.venv)?;
    context.name_venv(&venv.root);
    let indexes = arguments.index.indexes();
    let relinked = install::relink(&context.host, &venv, arguments.python.as_deref(), &indexes)?;
    report::collisions(context.output, &relinked.summary);
    if arguments.json {
        context.output.json(&relinked)?;
    } else {
        context.output.message(format_args!(
            "Relinked {} in {} ({} fetched)",
            counted(relinked.linked, "package"),
            seconds(started.elapsed()),
            relinked.fetched
        ));
    }
    Ok(0)
}
