//! `virtpy enable` and `disable`: plugins in other tools, so that these make venvs of virtpy's.

pub(super) mod status;

use std::path::{Path, PathBuf};

pub(super) use status::{report, run as status};

use crate::cli::{DisableArguments, EnableArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::own_program;
use crate::plugins::{self, Installation, Places, Plugin, PluginError, Tool};
use crate::venv;

/// What is done to one tool that was found, and what came of it.
pub(super) type Act<'a> = dyn Fn(&Plugin, &Installation) -> Result<String, PluginError> + 'a;

/// The plugin of a tool for this very program.
pub(super) fn plugin(tool: Tool) -> Result<Plugin, Failure> {
    Ok(Plugin::for_program(tool.plugin(), own_program()?))
}

/// Everything of some tools that is found on this machine.
pub(super) fn found(context: &Context, tools: &[Tool]) -> Vec<Installation> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let home = variable("HOME").map(PathBuf::from).unwrap_or_default();
    let mut places = Places::of(&variable, &home);
    places.applications.push(context.store.tools());
    // One that is only found is asked nothing: it may have come with a repository.
    places.environments.extend(context.nearest_venv().unwrap_or_default().filter(|path| {
        venv::is_proven(&context.store, &fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
    }));
    tools.iter().flat_map(|tool| plugins::find(*tool, &places)).collect()
}

/// A tool that was meant, and whether somebody named this very installation.
pub(super) struct Meant {
    pub(super) installation: Installation,
    pub(super) is_named: bool,
}

/// The tools that are meant by their names, by paths of commands, and by environments.
fn meant(context: &Context, words: &[PathBuf]) -> Result<Vec<Meant>, Failure> {
    let mut all = Vec::new();
    for word in words {
        let Some(tool) = word.to_str().and_then(Tool::of_name) else {
            let commands = std::env::var_os("PATH");
            let named = plugins::in_environment(word, &context.working_directory, commands.as_deref())?;
            all.extend(named.into_iter().map(|installation| Meant { installation, is_named: true }));
            continue;
        };
        let installations = found(context, &[tool]);
        if installations.is_empty() {
            return Err(none_found(tool));
        }
        all.extend(installations.into_iter().map(|installation| Meant { installation, is_named: false }));
    }
    Ok(all)
}

/// What is said where a tool is nowhere.
pub(super) fn none_found(tool: Tool) -> Failure {
    Failure::new(format!("no {} was found on PATH or in the usual places", tool.title())).hinted(format!(
        "name the command `{}`, or the directory of the environment that it is in",
        tool.name()
    ))
}

pub(super) fn label(installation: &Installation) -> String {
    let Installation { tool, version, prefix, .. } = installation;
    format!("{} {version} in `{}`", tool.title(), prefix.display())
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

/// The one installation of a tool that a path means.
pub(super) fn at(context: &Context, tool: Tool, path: &Path) -> Result<Installation, Failure> {
    let commands = std::env::var_os("PATH");
    Ok(plugins::named(tool, path, &context.working_directory, commands.as_deref())?)
}
