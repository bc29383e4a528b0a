//! `virtpy python use`: an interpreter for Poetry, or for any other tool.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::report_warnings;
use crate::cli::UseArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::pythons::{Order, install};
use crate::interpreters::PythonRequest;
use crate::interpreters::managed::{Installed, named, through_minor};
use crate::{fs, interpreters};

pub(super) fn run(context: &Context, arguments: &UseArguments) -> Result<u8, Failure> {
    let executable = executable(context, &arguments.request)?;
    if arguments.print {
        context.output.data(executable.display());
        return Ok(0);
    }
    poetry(context, &executable)
}

/// The interpreter that is meant: one that virtpy installed, another one of this machine, or one that is installed now.
fn executable(context: &Context, request: &str) -> Result<PathBuf, Failure> {
    if let Ok(mut known) = named(&context.store.pythons(), request)
        && fs::metadata(&known[0].executable()).is_ok()
    {
        return stable(context, &known.swap_remove(0), request);
    }
    if let Ok(version @ (PythonRequest::Version(_) | PythonRequest::Range(_))) = request.parse()
        && let Ok(found) = context.host.find_interpreter(Some(&version))
    {
        return Ok(found.executable);
    }
    stable(context, &newest(context, request)?, request)
}

/// Installs what a version means now, unless it is there.
pub(in crate::commands) fn newest(context: &Context, version: &str) -> Result<Installed, Failure> {
    let transfer = context.host.downloads()?;
    let catalogue = context.host.catalogue(&transfer)?;
    let build = catalogue.find(version)?;
    report_warnings(context, &catalogue);
    let order = Order::new(&transfer);
    let outcome = install(&context.host, &order, &[build])?.pop();
    let outcome = outcome.ok_or_else(|| Failure::new("nothing was installed"))?;
    Ok(outcome?.installed)
}

/// The path that stays right when a newer patch release is installed, unless a certain one is wanted.
fn stable(context: &Context, installed: &Installed, version: &str) -> Result<PathBuf, Failure> {
    let pythons = fs::canonicalize(&context.store.pythons())?;
    let own = fs::canonicalize(&installed.folder)?.join(&installed.record.executable);
    let is_exact = version.parse().is_ok_and(|request: interpreters::VersionRequest| request.is_exact());
    Ok(if is_exact { own } else { through_minor(&pythons, &own).unwrap_or(own) })
}

/// Runs `poetry env use` in the current directory. Its output is the user's to read.
pub(in crate::commands) fn poetry(context: &Context, executable: &Path) -> Result<u8, Failure> {
    let mut command = Command::new("poetry");
    command.args(["env", "use"]).arg(executable).current_dir(&context.working_directory);
    let status = command.status().map_err(|error| {
        let failure = Failure::new(format!("`poetry` could not be started: {error}"));
        failure.hinted(format!(
            "install Poetry, or give `{}` to any other tool (`--print` prints only that)",
            executable.display()
        ))
    })?;
    // A signal has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(code)
}
