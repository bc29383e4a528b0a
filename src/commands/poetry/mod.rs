//! `virtpy poetry`: the plugin that lets Poetry install from the store.

mod apply;

use crate::cli::{PoetryArguments, PoetryCommand, WhichPoetry};
use crate::commands::plugins::{self, Meant};
use crate::context::Context;
use crate::error::Failure;
use crate::plugins::{Installation, Plugin, PluginError, Tool};

pub(super) fn run(context: &Context, arguments: &PoetryArguments) -> Result<u8, Failure> {
    match &arguments.command {
        PoetryCommand::Enable(which) => plugins::for_each(context, meant(context, which)?, &put_in),
        PoetryCommand::Disable(which) => {
            plugins::for_each(context, meant(context, which)?, &plugins::take_out)
        }
        PoetryCommand::Status(arguments) => {
            let meant = meant(context, &arguments.which)?;
            plugins::report(context, meant.into_iter().map(|one| one.installation).collect(), arguments.json)
        }
        PoetryCommand::PluginWheel(arguments) => {
            plugins::write_wheels(context, &arguments.folder, &[Tool::Poetry])
        }
        PoetryCommand::Apply(arguments) => apply::run(context, arguments),
    }
}

/// The Poetries that are named, or all.
fn meant(context: &Context, which: &WhichPoetry) -> Result<Vec<Meant>, Failure> {
    let is_named = !which.poetries.is_empty();
    let installations = if is_named {
        let named = which.poetries.iter().map(|path| plugins::at(context, Tool::Poetry, path));
        named.collect::<Result<_, _>>()?
    } else {
        plugins::found(context, &[Tool::Poetry])
    };
    if installations.is_empty() {
        return Err(plugins::none_found(Tool::Poetry));
    }
    Ok(installations.into_iter().map(|installation| Meant { installation, is_named }).collect())
}

/// Puts the plugin into a Poetry; whether that makes virtpy's venvs stays as it was.
fn put_in(plugin: &Plugin, poetry: &Installation) -> Result<String, PluginError> {
    let is_new = plugin.enable(poetry)?;
    Ok(plugins::outcome(Tool::Poetry, is_new, plugin.creates(poetry)))
}
