//! `virtpy python build-index`.

use std::path::Path;

use crate::cli::BuildIndexArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs::{self, FileKind};
use crate::interpreters::available::releases::{Found, Releases, flat_document, rich_document};
use crate::interpreters::available::{built_in_document, this_triple};
use crate::output::counted;

pub(super) fn run(context: &Context, arguments: &BuildIndexArguments) -> Result<u8, Failure> {
    let transfer = context.host.downloads()?;
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
        write(context, path, &text)?;
    }
    if let Some(path) = &arguments.built_in {
        let text = built_in_document(&found.entries).map_err(broken)?;
        write(context, path, &text)?;
    }
    let text = rich_document(&found.entries).map_err(broken)?;
    match &arguments.output {
        Some(path) => write(context, path, &text)?,
        None => context.output.data_block(&text),
    }
    summarize(context, &found);
    Ok(0)
}

/// Replaces a file at once, and nothing else: a device, say, stays what it is.
fn write(context: &Context, path: &Path, text: &str) -> Result<(), Failure> {
    let path = context.working_directory.join(path);
    let path = fs::canonicalize(&path).unwrap_or(path);
    match fs::kind(&path)? {
        None | Some(FileKind::File) => Ok(fs::write_atomic(&path, text.as_bytes())?),
        Some(_) => Err(Failure::new(format!("`{}` is not a file that could be replaced", path.display()))
            .hinted("name a file, or leave `--output` out to get the index on standard output")),
    }
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
