//! `virtpy tool run`: an application from a venv in the cache, made when it is first needed.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use virtpy_pep::Requirement;

use crate::cli::ToolRunArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{ToolSpec, absolutize_spec, cache, install_generation, package_name, versioned};
use crate::store::Store;
use crate::tools::{Manifest, Tool, Toolbox};

pub(super) fn run(context: &Context, arguments: &ToolRunArguments) -> Result<u8, Failure> {
    let (tool, command) = ready(context, arguments)?;
    let program = program(&tool, &command)?;
    fs::restore_umask();
    let error = Command::new(&program).args(arguments.call().1).exec();
    Err(Failure::new(format!("could not start `{}`: {error}", program.display())))
}

/// The application, and the name of its command.
fn ready(context: &Context, arguments: &ToolRunArguments) -> Result<(Tool, String), Failure> {
    let (app, _) = arguments.call();
    let (app, newest) = versioned(app);
    let app = app.as_ref();
    let request = absolutize_spec(&context.host, arguments.from.as_deref().unwrap_or(app));
    let requirement = request.parse::<Requirement>().ok();
    let command = match (&arguments.from, &requirement) {
        (None, Some(requirement)) => requirement.name().to_string(),
        (None, None) => String::new(),
        (Some(_), _) => app.to_owned(),
    };
    let refresh = arguments.refresh || newest;
    let is_plain = arguments.from.is_none()
        && arguments.with.is_empty()
        && arguments.python.is_none()
        && !refresh
        && app == command;
    if is_plain && let Ok(Some(tool)) = Toolbox::new(&context.store).open(&command) {
        return Ok((tool, command));
    }
    let beside: Vec<String> =
        arguments.with.iter().map(|spec| absolutize_spec(&context.host, spec)).collect();
    let index = arguments.index.options();
    let manifest = Manifest {
        package: requirement.map(|requirement| requirement.name().to_string()).unwrap_or_default(),
        with: beside,
        python: arguments.python.clone(),
        origin: index.origin(false),
        ..Manifest::new(request)
    };
    let key = serde_json::to_string(&manifest).map_err(|error| Failure::new(error.to_string()))?;
    let name = Store::digest_of(&key);
    let toolbox = Toolbox::cached(&context.store);
    if !refresh
        && let Ok(Some(tool)) = toolbox.open(&name)
        && cache::is_young(&tool.venv)
        && fs::metadata(&tool.venv.join("bin/python")).is_ok()
    {
        return Ok((tool, command));
    }
    cache::sweep(&context.host);
    let interpreter = context.host.interpreter_for(manifest.python.as_deref(), true)?;
    let mut spec = ToolSpec { index, upgrade: refresh, is_run: true, ..ToolSpec::of(manifest) };
    if spec.manifest.package.is_empty() {
        spec.manifest.package = package_name(&context.host, &interpreter, &spec)?.into();
    }
    let outcome = install_generation(&context.host, toolbox, &name, &spec, &interpreter)?;
    let command = if command.is_empty() { outcome.tool.manifest.package.clone() } else { command };
    Ok((outcome.tool, command))
}

/// The script that is meant: of that name, or the only one.
fn program(tool: &Tool, command: &str) -> Result<PathBuf, Failure> {
    let commands: Vec<&str> = tool.manifest.commands().collect();
    let found = commands.iter().find(|known| **known == command);
    let only = if let [only] = commands.as_slice() { Some(only) } else { None };
    let name = found.or(only).ok_or_else(|| {
        Failure::new(format!("{} has no command `{command}`", tool.manifest.package)).hinted(format!(
            "it has {}: `virtpy tool run --from {} COMMAND`",
            commands.join(", "),
            tool.manifest.package
        ))
    })?;
    let is_exposed = |one: &&crate::tools::Exposed| one.command() == Some(name);
    let target = tool.manifest.exposed.iter().find(is_exposed).map_or(*name, |one| one.target.as_str());
    Ok(tool.venv.join(target))
}
