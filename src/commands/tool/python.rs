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
            context.output.detail(&error);
            context
                .output
                .message(format_args!("no interpreter of this machine is `{version}`: installing one"));
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

/// Whether another interpreter might help: the resolver's sentences say so where a version of Python, or what a wheel says
/// of it, excludes something.
pub(super) fn is_about_python(failure: &Failure) -> bool {
    let phrases = [
        "Python version (",
        "Python version tag",
        "Python implementation tag",
        "Python ABI tag",
        "requires Python",
        "require Python",
        "requires a different Python",
    ];
    failure
        .chain()
        .iter()
        .any(|message| required_python(message).is_some() || phrases.iter().any(|one| message.contains(one)))
}

/// The range that Python has to be in, of a sentence such as "the current Python version (3.11.7) does not satisfy
/// Python>=3.13".
fn required_python(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("does not satisfy Python")?;
    let end = rest.find(|letter: char| letter.is_whitespace()).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches([',', '.'])).filter(|range| !range.is_empty())
}

/// An interpreter that can be installed, installed: the newest that the failure says is needed, or else the newest of all, if
/// it is newer than those that were tried.
pub(super) fn needed(
    context: &Context,
    failure: &Failure,
    tried: &[Interpreter],
) -> Result<Option<Interpreter>, Failure> {
    let chain = failure.chain();
    let range = chain.iter().find_map(|message| required_python(message));
    let range = range.filter(|text| matches!(text.parse(), Ok(PythonRequest::Range(_))));
    let version = python::newest_version(context, range.unwrap_or("3"))?;
    let numbers: Vec<u32> = version.split('.').take(2).filter_map(|number| number.parse().ok()).collect();
    let is_known = match range.map(str::parse::<PythonRequest>) {
        Some(Ok(request)) => tried.iter().any(|one| request.matches(one)),
        _ => tried.iter().any(|one| numbers <= vec![one.version.major, one.version.minor]),
    };
    if is_known {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_which_python_is_needed() {
        let sentence = "Because the current Python version (3.11.7) does not satisfy Python>=3.9,<3.11 and x==1 depends on";
        assert_eq!(required_python(sentence), Some(">=3.9,<3.11"));
        assert_eq!(required_python("does not satisfy Python"), None);
        assert!(is_about_python(&Failure::new(sentence)));
        assert!(is_about_python(&Failure::new(
            "x==1 has no wheels with a matching Python ABI tag (e.g., `cp38`)"
        )));
        assert!(!is_about_python(&Failure::new("x does not appear to be a Python project")));
    }
}
