//! Which tools of this machine a command is about.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::plugins::{self, Installation, Places, Tool};
use crate::venv;

/// Everything of some tools that is found on this machine.
pub(in crate::commands) fn found(context: &Context, tools: &[Tool]) -> Vec<Installation> {
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
pub(in crate::commands) struct Meant {
    pub(in crate::commands) installation: Installation,
    pub(in crate::commands) is_named: bool,
}

/// The tools that are meant by their names, by paths of commands, and by environments.
pub(super) fn meant(context: &Context, words: &[PathBuf]) -> Result<Vec<Meant>, Failure> {
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
pub(in crate::commands) fn none_found(tool: Tool) -> Failure {
    Failure::new(format!("no {} was found on PATH or in the usual places", tool.title())).hinted(format!(
        "name the command `{}`, or the directory of the environment that it is in",
        tool.name()
    ))
}

pub(super) fn label(installation: &Installation) -> String {
    let Installation { tool, version, prefix, .. } = installation;
    format!("{} {version} in `{}`", tool.title(), prefix.display())
}

/// The one installation of a tool that a path means.
pub(in crate::commands) fn at(context: &Context, tool: Tool, path: &Path) -> Result<Installation, Failure> {
    let commands = std::env::var_os("PATH");
    Ok(plugins::named(tool, path, &context.working_directory, commands.as_deref())?)
}
