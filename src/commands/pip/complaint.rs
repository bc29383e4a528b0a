//! A failure in pip's form. The story is virtpy's; the lines around it are those by which tools tell one kind of failure
//! from another.

use virtpy_resolver::Error;

use super::requirements::name_of;
use crate::cli::pip::PipRequest;
use crate::error::Failure;
use crate::install::ResolveError;

/// The lines that tell a failure.
pub(super) fn lines(failure: &Failure, request: Option<&PipRequest>) -> Vec<String> {
    let error = match failure.resolver() {
        Some(ResolveError::Resolver(error)) => Some(error.as_ref()),
        _ => None,
    };
    let chain = failure.told();
    let mut told = Vec::with_capacity(chain.len() + 3);
    told.extend(error.and_then(|error| headline(error, request)));
    for (place, message) in chain.iter().enumerate() {
        let indent = if place == 0 && told.is_empty() { "" } else { "  " };
        told.push(format!("ERROR: {indent}{message}"));
    }
    told.extend(error.and_then(|error| verdict(error, request)));
    told.extend(failure.hint().map(|hint| format!("HINT: {hint}")));
    told
}

fn headline(error: &Error, request: Option<&PipRequest>) -> Option<String> {
    let line = match error {
        Error::NoSolution { absent: Some(name), .. } => {
            let wanted = asked_for(request, name);
            format!("Could not find a version that satisfies the requirement {wanted}")
        }
        Error::NoSolution { absent: None, .. } => {
            let asked = request.map(|request| request.arguments.as_slice()).unwrap_or_default();
            let what = if asked.is_empty() { "what was asked for".to_owned() } else { asked.join(" and ") };
            format!("Cannot install {what} because these package versions have conflicting dependencies.")
        }
        Error::Hash { .. } => "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE:".to_owned(),
        Error::Build { package, .. } => format!("Failed to build '{package}'"),
        _ => return None,
    };
    Some(format!("ERROR: {line}"))
}

fn verdict(error: &Error, request: Option<&PipRequest>) -> Option<String> {
    let Error::NoSolution { absent, .. } = error else { return None };
    let line = match absent {
        Some(name) => format!("No matching distribution found for {}", asked_for(request, name)),
        None => "ResolutionImpossible: these requirements exclude each other".to_owned(),
    };
    Some(format!("ERROR: {line}"))
}

/// What was asked for of a package: the requirement as it was given, or else the name.
fn asked_for(request: Option<&PipRequest>, name: &str) -> String {
    let arguments = request.map(|request| request.arguments.as_slice()).unwrap_or_default();
    let asked = arguments.iter().find(|argument| name_of(argument).as_deref() == Some(name));
    asked.cloned().unwrap_or_else(|| name.to_owned())
}
