//! The interpreter of an application: the one that is asked for, or one that the application works with. What is not on
//! this machine is installed, unless that is forbidden.

use std::path::Path;

use crate::commands::python;
use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::{self, Interpreter, PythonRequest, Sources};

/// Finds the interpreter that a request means; what the present folder prefers does not count. Installs it if it is nowhere
/// and `downloads` allows it.
pub(in super::super) fn interpreter(
    context: &Context,
    request: Option<&str>,
    downloads: bool,
) -> Result<Interpreter, Failure> {
    let parsed = request
        .map(|text| text.parse::<PythonRequest>().map_err(|error| Failure::usage(error.to_string())))
        .transpose()?;
    let found =
        with_sources(context, parsed.as_ref(), |sources| interpreters::find(parsed.as_ref(), sources));
    let can_be_installed = matches!(
        parsed,
        None | Some(PythonRequest::Any | PythonRequest::Version(_) | PythonRequest::Range(_))
    );
    match found {
        Err(error @ interpreters::Error::NotFound { .. }) if downloads && can_be_installed => {
            let version = request.unwrap_or("3");
            context.output.message(format_args!("{error}: installing it"));
            python::install_for(context, version)?;
            Ok(with_sources(context, parsed.as_ref(), |sources| {
                interpreters::find(parsed.as_ref(), sources)
            })?)
        }
        other => Ok(other?),
    }
}

/// The interpreters to try where one did not do: those of this machine with another minor version, the newest first.
pub(super) fn others(context: &Context, tried: &Interpreter) -> Vec<Interpreter> {
    let mut seen = vec![minor(tried)];
    let mut all = with_sources(context, None, interpreters::find_all);
    all.retain(|one| one.implementation == "cpython" && !one.free_threaded && one.version.suffix.is_empty());
    all.sort_by_key(|one| std::cmp::Reverse(minor(one)));
    all.retain(|one| {
        let is_new = !seen.contains(&minor(one));
        seen.push(minor(one));
        is_new
    });
    all
}

/// The newest interpreter that can be installed, installed, if it is newer than all that were tried.
pub(super) fn newest(context: &Context, tried: &[Interpreter]) -> Result<Option<Interpreter>, Failure> {
    let version = python::newest_version(context)?;
    let numbers: Vec<u32> = version.split('.').take(2).filter_map(|number| number.parse().ok()).collect();
    if tried.iter().any(|one| numbers <= vec![one.version.major, one.version.minor]) {
        return Ok(None);
    }
    context
        .output
        .message(format_args!("no interpreter of this machine will do: installing Python {version}"));
    python::install_for(context, &version)?;
    interpreter(context, Some(&version), false).map(Some)
}

fn minor(interpreter: &Interpreter) -> (u32, u32) {
    (interpreter.version.major, interpreter.version.minor)
}

fn with_sources<T>(
    context: &Context,
    request: Option<&PythonRequest>,
    act: impl FnOnce(&Sources<'_>) -> T,
) -> T {
    let (pythons, cache) = (context.store.pythons(), context.store.cache());
    let folder: &Path = match request {
        Some(PythonRequest::Path(_) | PythonRequest::Name(_)) => &context.working_directory,
        // Where no `.python-version` is.
        _ => Path::new("/"),
    };
    act(&Sources::from_environment(&pythons, &cache, folder))
}
