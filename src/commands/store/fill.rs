//! `virtpy store fill`: have what files ask for in the store, for others to read.

use std::path::Path;

use crate::cli::FillArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{self, Filled, Filling, LockChoice};
use crate::output::counted;

pub(super) fn run(context: &Context, arguments: &FillArguments) -> Result<u8, Failure> {
    context.store.require_unsealed()?;
    let indexes = arguments.index.indexes();
    // Read before anything is done: a file that is not there leaves everything as it is.
    let fillings = arguments.files.iter().map(|file| read(context, arguments, file));
    let fillings: Vec<Filling> = fillings.collect::<Result<_, _>>()?;
    let pythons: Vec<Option<&str>> = match arguments.python.as_slice() {
        [] => vec![None],
        named => named.iter().map(|python| Some(python.as_str())).collect(),
    };
    let mut all = Vec::new();
    for filling in &fillings {
        for python in &pythons {
            let filled = install::fill(&context.host, filling, *python, &indexes)?;
            if !arguments.json {
                tell(context, &filled);
            }
            all.push(filled);
        }
    }
    if arguments.json {
        context.output.json(&all)?;
    }
    Ok(0)
}

fn read(context: &Context, arguments: &FillArguments, file: &Path) -> Result<Filling, Failure> {
    let choice = LockChoice {
        selection: arguments.selection.selection(),
        own_indexes: arguments.index.replaces_others(),
        require_hashes: arguments.require_hashes,
        ..LockChoice::default()
    };
    Filling::read(&context.host, file, choice, &arguments.index.indexes())
}

fn tell(context: &Context, filled: &Filled) {
    let Filled { file, python, packages, fetched, .. } = filled;
    let packages = counted(*packages, "package");
    context.output.message(format_args!("`{file}` for Python {python}: {packages}, {fetched} of them new"));
}
