//! `virtpy python build-index`.

use super::transfer;
use crate::cli::BuildIndexArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::available::releases::{Found, Releases, flat_document, rich_document};
use crate::interpreters::available::this_triple;
use crate::output::counted;

pub(super) fn run(context: &Context, arguments: &BuildIndexArguments) -> Result<u8, Failure> {
    let transfer = transfer(context)?;
    let found = Releases {
        address: &arguments.from,
        triples: &arguments.triples,
        pages: arguments.pages,
        fetch: &transfer,
        report: &|message| context.output.detail(message),
    }
    .read()?;
    let broken = |error: serde_json::Error| Failure::new(format!("the index cannot be written: {error}"));
    if let Some(path) = &arguments.flat {
        let triple = arguments.triples.first().cloned().unwrap_or_else(this_triple);
        let text = flat_document(&found.entries, &triple).map_err(broken)?;
        fs::write_atomic(&context.working_directory.join(path), text.as_bytes())?;
    }
    let text = rich_document(&found.entries).map_err(broken)?;
    match &arguments.output {
        Some(path) => fs::write_atomic(&context.working_directory.join(path), text.as_bytes())?,
        None => context.output.data_block(&text),
    }
    summarize(context, &found);
    Ok(0)
}

fn summarize(context: &Context, found: &Found) {
    if let Some(first) = found.unverified.first() {
        context.output.warning(format_args!(
            "no release states the SHA-256 of {}, such as {first}",
            counted(found.unverified.len(), "build")
        ));
    }
    context.output.message(format_args!(
        "Chose {} from {}",
        counted(found.entries.len(), "build"),
        counted(found.releases, "release")
    ));
}
