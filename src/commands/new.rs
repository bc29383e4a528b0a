//! `virtpy new`: make a venv.

use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::sync;
use crate::cli::{NewArguments, VenvArgument};
use crate::context::{Context, active_venv};
use crate::error::Failure;
use crate::fs;
use crate::install::{Environment, Indexes, NewEnvironment, Renewed, is_same_place, with_another_python};
use crate::output::counted;
use crate::report::{self, Telling};
use crate::venv::activation::Shell;

pub(super) fn run(context: &Context, arguments: &NewArguments) -> Result<u8, Failure> {
    let new = NewEnvironment {
        prompt: prompt(context, arguments),
        system_site_packages: arguments.system_site_packages,
        clear: arguments.clear,
        link_mode: arguments.link_mode,
        pip_shim: !arguments.no_pip_shim,
        ..NewEnvironment::at(context.working_directory.join(&arguments.path))
    };
    if let Some(lock) = &arguments.from {
        return sync::new_from(context, arguments, lock, &new);
    }
    if arguments.keep {
        return keep(context, arguments, new);
    }
    let started = Instant::now();
    let interpreter = context.host.wanted_interpreter(arguments.python.as_deref())?;
    let indexes = Indexes::default();
    let mut environment = Environment::create(&context.host, interpreter, new, &indexes)?;
    environment.keep();
    report::made(context, &environment, started)?;
    tell_activation(context, &environment.venv().root);
    Ok(0)
}

/// `virtpy new --keep`: gives the venv that is there another interpreter.
fn keep(context: &Context, arguments: &NewArguments, new: NewEnvironment) -> Result<u8, Failure> {
    let started = Instant::now();
    let venv = context.venv_to_change(&VenvArgument { path: Some(arguments.path.clone()) })?;
    let interpreter = context.host.wanted_interpreter(arguments.python.as_deref())?;
    let indexes = arguments.index.indexes();
    let renewed = with_another_python(&context.host, venv, interpreter, new, &indexes)?;
    report::made(context, &renewed.environment, started)?;
    let telling = Telling { dry_run: false, json: false, file: None, started };
    report::changelog(context.output, &telling, &renewed.log, |_| {
        let same = renewed.kept - renewed.other_files.len();
        let (kept, more) = (counted(same, "package"), renewed.log.summary.added.len());
        let more =
            if more == 0 { String::new() } else { format!(", and {more} more that this Python needs") };
        format!("{kept} as before{more} ({})", renewed.log.origins)
    })?;
    if !renewed.other_files.is_empty() {
        context.output.message(other_files(&renewed)?);
    }
    Ok(0)
}

/// Which packages came as other files, as a sentence.
fn other_files(renewed: &Renewed<'_>) -> Result<String, Failure> {
    let labels: Vec<String> = renewed.other_files.iter().map(ToString::to_string).collect();
    let are = if labels.len() == 1 { "is another file" } else { "are other files" };
    let version = &renewed.environment.interpreter()?.version;
    let count = counted(labels.len(), "package");
    Ok(format!("{count} {are} of the same version for Python {version}: {}", labels.join(", ")))
}

/// Says how the shell at hand takes the venv into use, unless it has done so.
fn tell_activation(context: &Context, venv: &Path) {
    if active_venv().is_some_and(|active| is_same_place(&active, venv)) {
        return;
    }
    let shown = venv.strip_prefix(&context.working_directory).unwrap_or(venv);
    let line = shell_at_hand().activation(&shown.join("bin"));
    context.output.message(format_args!("Activate it with: {line}"));
}

/// The shell that called this program, or else the user's.
fn shell_at_hand() -> Shell {
    let parent = fs::read_to_string(&PathBuf::from(format!("/proc/{}/comm", parent_id()))).ok();
    let called_by = parent.and_then(|name| Shell::named(name.trim()));
    let users = || std::env::var("SHELL").ok().and_then(|path| Shell::named(path.rsplit('/').next()?));
    called_by.or_else(users).unwrap_or(Shell::Posix)
}

fn prompt(context: &Context, arguments: &NewArguments) -> Option<String> {
    let prompt = arguments.prompt.as_deref()?;
    if prompt == "." {
        return context.working_directory.file_name().map(|name| name.to_string_lossy().into_owned());
    }
    Some(prompt.to_owned())
}
