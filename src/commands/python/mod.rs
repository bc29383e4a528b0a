//! `virtpy python`: interpreters, where they come from and what becomes of them.

mod build_index;
mod update_index;

use virtpy_resolver::Transfer;

use crate::cli::{IndexArguments, PythonArguments, PythonCommand};
use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::available::{Catalogue, Environment, Fetch};

pub(super) fn run(context: &Context, arguments: &PythonArguments) -> Result<u8, Failure> {
    match &arguments.command {
        PythonCommand::UpdateIndex(_) => update_index::run(context),
        PythonCommand::BuildIndex(arguments) => build_index::run(context, arguments),
    }
}

/// The way to the network, with the settings that the indexes of packages are reached with.
fn transfer(context: &Context) -> Result<Transfer, Failure> {
    let settings = context.index_settings(&IndexArguments::default())?;
    Ok(Transfer::new(&settings, concat!("virtpy/", env!("CARGO_PKG_VERSION"))))
}

/// All that can be installed, as the environment says.
fn catalogue<'a>(context: &Context, fetch: &'a dyn Fetch) -> Result<Catalogue<'a>, Failure> {
    Ok(Catalogue::open(Environment::of_process(), context.store.cache(), fetch)?)
}
