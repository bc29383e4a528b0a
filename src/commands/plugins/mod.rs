//! `virtpy enable` and `disable`: plugins in other tools, so that these make venvs of virtpy's.

mod meant;
pub(super) mod status;

use std::path::{Path, PathBuf};

pub(super) use self::meant::{Meant, at, found, none_found};
pub(super) use self::status::{report, run as status};

use self::meant::{label, meant};
use crate::cli::{DisableArguments, EnableArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::own_program;
use crate::plugins::{Installation, Plugin, PluginError, Tool};

/// What is done to one tool that was found, and what came of it.
pub(super) type Act<'a> = dyn Fn(&Plugin, &Installation) -> Result<String, PluginError> + 'a;

/// The plugin of a tool for this very program.
pub(super) fn plugin(tool: Tool) -> Result<Plugin, Failure> {
    Ok(Plugin::for_program(tool.plugin(), own_program()?))
}

/// Writes plugins as wheels, which look for the program on PATH.
pub(super) fn write_wheels(context: &Context, folder: &Path, tools: &[Tool]) -> Result<u8, Failure> {
    let folder = context.working_directory.join(folder);
    fs::create_dir_all(&folder)?;
    for tool in tools {
        let plugin = Plugin::portable(tool.plugin());
        let path = folder.join(plugin.wheel_name());
        fs::write_atomic(&path, &plugin.wheel()?)?;
        context.output.data(path.display());
    }
    Ok(0)
}

pub(super) fn enable(context: &Context, arguments: &EnableArguments) -> Result<u8, Failure> {
    if let Some(folder) = &arguments.wheel {
        let of = |word: &PathBuf| {
            let name = word.display().to_string();
            Tool::of_name(&name)
                .ok_or_else(|| Failure::usage(format!("`{name}` is none of {}", Tool::names())))
        };
        let tools = arguments.tools.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        return write_wheels(context, folder, &tools);
    }
    let act = |plugin: &Plugin, installation: &Installation| {
        let is_poetry = installation.tool == Tool::Poetry;
        let plugin = plugin.clone().creating(is_poetry.then_some(!arguments.no_create));
        let is_new = plugin.enable(installation)?;
        Ok(outcome(installation.tool, is_new, plugin.creates(installation)))
    };
    for_each(context, meant(context, &arguments.tools)?, &act)
}

/// What now happens.
pub(super) fn outcome(tool: Tool, is_new: bool, creates: bool) -> String {
    let now = if is_new { "now" } else { "already" };
    let does = match tool {
        Tool::Poetry if creates => {
            "Poetry makes virtpy's venvs for projects and installs into them from the store"
        }
        Tool::Poetry => "Poetry installs into virtpy's venvs from the store",
        Tool::Virtualenv => "the venvs that it makes share packages",
        _ => "the venvs that it makes with virtualenv share packages",
    };
    format!("has the plugin {now}: {does}")
}

pub(super) fn disable(context: &Context, arguments: &DisableArguments) -> Result<u8, Failure> {
    for_each(context, meant(context, &arguments.tools)?, &take_out)
}

/// Takes a plugin out of a tool.
pub(super) fn take_out(plugin: &Plugin, installation: &Installation) -> Result<String, PluginError> {
    let was_there = plugin.disable(installation)?;
    Ok(if was_there { "no longer has the plugin" } else { "does not have the plugin" }.to_owned())
}

/// Does something with each tool. One that fails does not keep the others from it; one that nobody named and that the
/// plugin is not for is passed over, if there are others.
pub(super) fn for_each(context: &Context, tools: Vec<Meant>, act: &Act<'_>) -> Result<u8, Failure> {
    let (mut failures, mut skipped, mut is_done) = (Vec::new(), Vec::new(), false);
    for Meant { installation, is_named } in tools {
        match act(&plugin(installation.tool)?, &installation) {
            Ok(outcome) => {
                is_done = true;
                context.output.message(format_args!("{} {outcome}", label(&installation)));
            }
            Err(error) => {
                let is_skipped = !is_named
                    && matches!(error, PluginError::Unsupported { .. } | PluginError::NotOurs { .. });
                let what = format!("{} was left as it is", label(&installation));
                let into = if is_skipped { &mut skipped } else { &mut failures };
                into.push(Failure::from(error).within(what));
            }
        }
    }
    if is_done {
        for failure in skipped.drain(..) {
            context.output.warning(failure.chain().join(": "));
        }
    }
    failures.append(&mut skipped);
    let last = failures.pop();
    for failure in &failures {
        context.output.failure(failure);
    }
    last.map_or(Ok(0), Err)
}
