//! `virtpy poetry`: the plugin that lets Poetry install from the store.

mod apply;
mod status;

use std::path::PathBuf;

use crate::cli::{PluginWheelArguments, PoetryArguments, PoetryCommand, WhichPoetry};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::poetry::{self, Installation, Places, Plugin, PoetryError};

pub(super) fn run(context: &Context, arguments: &PoetryArguments) -> Result<u8, Failure> {
    match &arguments.command {
        PoetryCommand::Enable(which) => enable(context, which),
        PoetryCommand::Disable(which) => disable(context, which),
        PoetryCommand::Status(arguments) => status::run(context, arguments),
        PoetryCommand::PluginWheel(arguments) => plugin_wheel(context, arguments),
        PoetryCommand::Apply(arguments) => apply::run(context, arguments),
    }
}

/// The plugin for this very program.
fn plugin() -> Result<Plugin, Failure> {
    let executable = std::env::current_exe()
        .map_err(|error| Failure::new(format!("this program does not know where it is: {error}")))?;
    Ok(Plugin::for_program(executable))
}

/// The Poetries that are named, or all.
fn installations(context: &Context, which: &WhichPoetry) -> Result<Vec<Installation>, Failure> {
    if !which.poetries.is_empty() {
        let commands = std::env::var_os("PATH");
        let named = which
            .poetries
            .iter()
            .map(|path| poetry::named(path, &context.working_directory, commands.as_deref()));
        return Ok(named.collect::<Result<_, _>>()?);
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let home = variable("HOME").map(PathBuf::from).unwrap_or_default();
    let found = poetry::find(&Places::of(&variable, &home));
    if found.is_empty() {
        return Err(Failure::new("no Poetry was found on PATH or in the usual places")
            .hinted("name the command `poetry`, or the directory of the environment that it is in"));
    }
    Ok(found)
}

fn label(poetry: &Installation) -> String {
    format!("Poetry {} in `{}`", poetry.version, poetry.prefix.display())
}

fn enable(context: &Context, which: &WhichPoetry) -> Result<u8, Failure> {
    let plugin = plugin()?;
    for_each(context, which, |poetry| {
        let is_new = plugin.enable(poetry)?;
        Ok(if is_new { "has the plugin now" } else { "has the plugin already" })
    })
}

fn disable(context: &Context, which: &WhichPoetry) -> Result<u8, Failure> {
    let plugin = plugin()?;
    for_each(context, which, |poetry| {
        let was_there = plugin.disable(poetry)?;
        Ok(if was_there { "no longer has the plugin" } else { "does not have the plugin" })
    })
}

/// Does something with each Poetry. One that fails does not keep the others from it; one that nobody named and that the
/// plugin is not for is passed over.
fn for_each(
    context: &Context,
    which: &WhichPoetry,
    act: impl Fn(&Installation) -> Result<&'static str, PoetryError>,
) -> Result<u8, Failure> {
    let mut failures = Vec::new();
    for poetry in installations(context, which)? {
        match act(&poetry) {
            Ok(outcome) => context.output.message(format_args!("{} {outcome}", label(&poetry))),
            Err(error @ (PoetryError::Unsupported { .. } | PoetryError::NotOurs { .. }))
                if which.poetries.is_empty() =>
            {
                context.output.warning(format_args!("{} was left as it is: {error}", label(&poetry)));
            }
            Err(error) => {
                let what = format!("{} was left as it is", label(&poetry));
                failures.push(Failure::from(error).within(what));
            }
        }
    }
    let last = failures.pop();
    for failure in &failures {
        context.output.failure(failure);
    }
    last.map_or(Ok(0), Err)
}

fn plugin_wheel(context: &Context, arguments: &PluginWheelArguments) -> Result<u8, Failure> {
    let folder = context.working_directory.join(&arguments.folder);
    let wheel = Plugin::portable().wheel()?;
    fs::create_dir_all(&folder)?;
    let path = folder.join(Plugin::wheel_name());
    fs::write_atomic(&path, &wheel)?;
    context.output.data(path.display());
    Ok(0)
}
