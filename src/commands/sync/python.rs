//! The interpreter of a venv that is made to follow a file: one that the file has something for.

use super::source::{Question, Source};
use crate::cli::SyncArguments;
use crate::commands::presence::admits;
use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::Interpreter;
use crate::resolve::ResolveError;
use crate::venv::Contents;

/// Does something with the interpreter that is meant, told as a request. Without `-p` that is one whose version the file
/// admits; if the file then turns out to have nothing for it (wheels tell that by their tags), the first one that the file
/// has everything for.
///
/// # Errors
/// Those of `act`, with the first interpreter.
pub(super) fn first_that_fits<T>(
    context: &Context,
    arguments: &SyncArguments,
    source: &Source,
    act: &dyn Fn(Option<String>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failure = match act(meant(context, arguments, source)?) {
        Ok(done) => return Ok(done),
        Err(failure) => failure,
    };
    let wants_other = failure.error::<ResolveError>().is_some_and(ResolveError::wants_other_python);
    if arguments.python.is_some() || !wants_other {
        return Err(failure);
    }
    match fitting(context, arguments, source) {
        Some(other) => {
            context.output.message(format_args!(
                "Taking Python {} instead: `{}` has nothing for the other one",
                other.version,
                source.label(context)
            ));
            act(Some(other.executable.display().to_string()))
        }
        None => Err(failure),
    }
}

/// What is asked for of the interpreter: what the command says, what `.python-version` chooses if the file admits that, or
/// whatever the file admits.
fn meant(context: &Context, arguments: &SyncArguments, source: &Source) -> Result<Option<String>, Failure> {
    if arguments.python.is_some() {
        return Ok(arguments.python.clone());
    }
    let Some(required) = source.requires_python() else { return Ok(None) };
    if context.pin().is_some() {
        let chosen = context.wanted_interpreter(None)?;
        if admits(&required, &chosen) {
            return Ok(None);
        }
    }
    Ok(Some(required))
}

/// The first interpreter of this machine for which the file has everything. Nothing is fetched for that.
fn fitting(context: &Context, arguments: &SyncArguments, source: &Source) -> Option<Interpreter> {
    let question = source.question(context, arguments, &Contents::default()).ok()?;
    let Question::Locked(request) = question else { return None };
    let settings = context.index_settings(&arguments.index).ok()?;
    let mut others = context.interpreters().into_iter();
    others.find(|other| context.session(other, settings.clone()).resolve_locked(&request).is_ok())
}
