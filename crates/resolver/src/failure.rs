//! From the errors of the libraries underneath to ours: finds out at which stage something failed, and
//! which hint fits.
//!
//! Their errors are transparent wrappers in each other, so that walking `source()` skips levels; hence
//! the matching on variants here.

use std::error::Error as StdError;

use uv_client::{ErrorKind, WrappedReqwestError};
use uv_distribution::Error as DistributionError;
use uv_distribution_types::Name;
use uv_errors::Hint;
use uv_redacted::DisplaySafeUrl;
use uv_resolver::ResolveError;
use virtpy_pep::PackageName;
use virtpy_pep::index_page::without_marks;

use crate::error::{Cause, Error, PythonNeed, again_with_network};
use crate::proof::Proof;
use crate::public::public;
use crate::reasons::{self, BuildFailure};
use crate::replies::BadReply;
use crate::reword::{reword, reword_hint, with_choices_named};
use crate::url::local_path;

/// What to do about a name that no index has.
const MISSING_HINT: &str = "look at the spelling of the name; another index is given with `--index-url` or \
                            `--extra-index-url`";

/// What a hint says that is about an environment which the lock is for as well.
const OTHER_ENVIRONMENT: &str = "environment that is not the current one";

/// What to do about extras and groups that do not go together.
const TOGETHER_HINT: &str =
    "extras and groups are locked together, since they may be installed together: let them agree";

/// What else may be done where one of them is a group.
const LEAVE_OUT_HINT: &str = "a group is left out of the lock with `virtpy lock --no-group NAME`";

/// What to do about what cannot be had elsewhere.
const ENVIRONMENTS_HINT: &str = "loosen one of these requirements; a lock is for every platform, unless the project's setting `environments` limits it";

/// What to do about requirements that exclude each other.
pub(crate) const LOOSEN_HINT: &str =
    "loosen one of these requirements; `-U` lets versions change that are installed already";

/// Beginnings of remarks on builds for which virtpy has words of its own.
const BUILD_REMARKS: [&str; 3] = [
    "Build failures usually indicate",
    "This error likely indicates that a package depends on",
    "This error likely indicates that `",
];

/// A failed resolution.
pub(crate) fn from_resolve(error: &ResolveError) -> Error {
    match error {
        ResolveError::NoSolution(no_solution) => {
            no_solution_of(&no_solution.to_string(), hints_of(no_solution.as_ref()))
        }
        ResolveError::Client(client) => from_client("an answer of the index", client),
        ResolveError::Distribution(distribution) => from_distribution("a distribution", distribution),
        ResolveError::Dist(_, requested, chain, distribution) => {
            let mut failed = from_distribution(&requested.to_string(), distribution);
            let needed_by: Vec<String> = chain.iter().map(|step| format!("`{}`", step.name)).collect();
            if let (Error::Build { hint, .. }, false) = (&mut failed, needed_by.is_empty()) {
                let needed = format!("`{}` is needed by {}", requested.name(), needed_by.join(", by "));
                *hint = Some(hint.take().map_or(needed.clone(), |hint| format!("{hint}\n{needed}")));
            }
            failed
        }
        ResolveError::Dependencies(inner, ..) => from_resolve(inner),
        ResolveError::DistributionType(uv_distribution_types::Error::NotFound(url)) => absent(url),
        ResolveError::DisallowedUrl { .. } => {
            requirements(error, "name the URL in the requirements yourself")
        }
        ResolveError::ConflictingUrls { .. } => requirements(error, "keep one of the URLs"),
        ResolveError::UnhashedPackage(_) => {
            requirements(error, "pin every package with `==` and `--hash`, also those that others need")
        }
        _ => no_solution_of(&error.to_string(), hints_of(error)),
    }
}

/// A distribution that could not be fetched, read or built; `what` names it.
pub(crate) fn from_distribution(what: &str, error: &DistributionError) -> Error {
    match error {
        DistributionError::Client(client) => from_client(&format!("`{what}`"), client),
        DistributionError::Reqwest(wrapped) => from_request(&format!("`{what}`"), wrapped, error),
        DistributionError::ReqwestMiddlewareError(_) | DistributionError::Git(_) => {
            unreachable_source(what, error)
        }
        DistributionError::MismatchedHashes { expected, actual, .. } => {
            Error::Hash { package: what.to_owned(), expected: one_line(expected), computed: one_line(actual) }
        }
        DistributionError::MissingExpectedHashes { .. }
        | DistributionError::MissingHashes { .. }
        | DistributionError::HashesNotSupportedGit(_)
        | DistributionError::HashesNotSupportedSourceTree(_) => {
            requirements(error, "give a `--hash` for it, or leave `--require-hashes` out")
        }
        DistributionError::MismatchedSize { expected, actual, .. } => Error::Transfer {
            package: what.to_owned(),
            reason: format!("expected {expected} bytes, but {actual} came"),
        },
        DistributionError::NoBuild | DistributionError::NoBuildPackage(_) => Error::Build {
            package: what.to_owned(),
            cause: Cause::from_error(error),
            hint: Some("leave `--only-binary` out, or take a version that has a wheel".to_owned()),
            python: None,
        },
        DistributionError::NotFound(_) => {
            requirements(error, "look at the path; relative ones start in the current folder")
        }
        DistributionError::Build(_) | DistributionError::RequiresPython(..) => build_of(what, error),
        _ => Error::Distribution { what: format!("`{what}`"), cause: Cause::from_error(error) },
    }
}

/// A source whose server or repository did not answer, or must not be asked.
fn unreachable_source(what: &str, error: &DistributionError) -> Error {
    let what = format!("`{what}`");
    if whole_message(error).to_lowercase().contains("network connectivity is disabled") {
        return Error::Offline { what };
    }
    Error::Network { what, status: None, cause: Some(Cause::from_error(error)) }
}

/// A build that failed, at whatever stage of it.
pub(crate) fn build_of<E: Hint + StdError + 'static>(package: &str, error: &E) -> Error {
    let text = whole_message(error);
    let missing = match reasons::build(&text) {
        Some(BuildFailure::NoProject(place)) => {
            return Error::Requirements {
                message: format!(
                    "`{place}` is not a Python project: it has no `pyproject.toml` or `setup.py`"
                ),
                hint: Some("name the directory that has one, or a wheel".to_owned()),
                cause: None,
            };
        }
        Some(BuildFailure::Missing { what, remark }) => Some((what, remark)),
        None => None,
    };
    let mut hints = hints_of(error);
    hints.retain(|hint| !BUILD_REMARKS.iter().any(|remark| hint.starts_with(remark)));
    match &missing {
        Some((what, "")) => hints.push(format!(
            "its build needs `{what}`, which is not among what it says it needs (`[build-system]`); take a version that has a \
             wheel for this Python"
        )),
        Some((what, remark)) => hints.push(format!(
            "its build needs `{what}`: {remark}; take a newer version of the package, or an older Python (`-p`)"
        )),
        None if hints.is_empty() => hints.push(
            "see the build's output above; to take wheels only, add `--only-binary NAME`".to_owned(),
        ),
        None => {}
    }
    Error::Build {
        package: package.to_owned(),
        cause: Cause::from_error(error),
        hint: Some(hints.join("\n")),
        python: python_need(&text),
    }
}

/// A failed request to an index or for a file; `what` is what was asked for.
pub(crate) fn from_client(what: &str, error: &uv_client::Error) -> Error {
    match error.kind() {
        // A page ends with the name of its package, a file with its own.
        ErrorKind::Offline(url) => {
            let last = url.rsplit('/').find(|part| !part.is_empty()).unwrap_or(url);
            Error::Offline { what: format!("`{last}`") }
        }
        ErrorKind::WrappedReqwestError(url, wrapped) => {
            from_request(&without_marks(&format!("`{url}`")), wrapped, error)
        }
        ErrorKind::RemotePackageNotFound(_) | ErrorKind::LocalPackageNotFound(_) => {
            no_solution(reword(&error.to_string()), vec![MISSING_HINT.to_owned()])
        }
        ErrorKind::NoIndex(_) => no_solution(
            reword(&error.to_string()),
            vec!["leave `--no-index` out, or name a folder with `--find-links`".to_owned()],
        ),
        ErrorKind::Flat(flat) => from_flat_index(flat),
        ErrorKind::AsyncHttpRangeReader(url, _)
        | ErrorKind::BadJson { url, .. }
        | ErrorKind::BadHtml { url, .. }
        | ErrorKind::MissingContentType(url)
        | ErrorKind::UnsupportedMediaType(url, _) => {
            let what = format!("`{}`", public(url));
            Error::Network { what, status: None, cause: Some(Cause::from_error(error)) }
        }
        ErrorKind::MetadataParseError(file, ..) | ErrorKind::Zip(file, _) => {
            Error::Distribution { what: format!("`{file}`"), cause: Cause::from_error(error) }
        }
        _ => Error::Distribution { what: what.to_owned(), cause: Cause::from_error(error) },
    }
}

/// A `--find-links` location that could not be read.
pub(crate) fn from_flat_index(error: &uv_client::FlatIndexError) -> Error {
    Error::Settings { setting: "--find-links".to_owned(), reason: whole_message(error) }
}

fn from_request(what: &str, wrapped: &WrappedReqwestError, whole: &(dyn StdError + 'static)) -> Error {
    match BadReply::among(wrapped) {
        Some(BadReply::Metadata { file, expected, computed }) => {
            return Error::Hash {
                package: file.clone(),
                expected: expected.clone(),
                computed: computed.clone(),
            };
        }
        Some(bad) => {
            let cause = Some(Cause::new(bad.to_string()));
            return Error::Network { what: what.to_owned(), status: None, cause };
        }
        None => {}
    }
    let status = wrapped.inner().and_then(reqwest::Error::status).map(|status| status.as_u16());
    Error::Network { what: what.to_owned(), status, cause: Some(Cause::from_error(whole)) }
}

/// An input that could not be given a name, or whose metadata could not be had.
pub(crate) fn from_requirements(error: &uv_requirements::Error) -> Error {
    from_input("what was asked for", error)
}

/// The same, of an input that is known.
pub(crate) fn from_input(what: &str, error: &uv_requirements::Error) -> Error {
    match error {
        uv_requirements::Error::Dist(_, dist, distribution) => {
            from_distribution(&dist.to_string(), distribution)
        }
        uv_requirements::Error::Distribution(distribution) => from_distribution(what, distribution),
        uv_requirements::Error::DistributionTypes(uv_distribution_types::Error::NotFound(url)) => absent(url),
        uv_requirements::Error::HashStrategy(_) => {
            requirements(error, "pin every requirement with `==` and give it a `--hash`")
        }
        _ => requirements(error, "see the forms that `virtpy add --help` lists"),
    }
}

/// An error whose type was given up on the way: looks for one of those we know in its chain.
pub(crate) fn from_anyhow(what: &str, error: &anyhow::Error) -> Error {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<DistributionError>() {
            return from_distribution(what, error);
        }
        if let Some(error) = cause.downcast_ref::<uv_requirements::Error>() {
            return from_requirements(error);
        }
        if let Some(error) = cause.downcast_ref::<ResolveError>() {
            return from_resolve(error);
        }
        if let Some(error) = cause.downcast_ref::<uv_client::Error>() {
            return from_client(what, error);
        }
    }
    Error::Requirements {
        message: format!("cannot use {what}"),
        hint: None,
        cause: Some(Cause::from_error(error.as_ref())),
    }
}

/// A requirement that cannot be used as it is.
pub(crate) fn requirements<E: StdError + 'static>(error: &E, hint: &str) -> Error {
    Error::Requirements {
        message: reword(&error.to_string()),
        hint: Some(hint.to_owned()),
        cause: Cause::behind(error),
    }
}

/// The hints of an error that are of use with virtpy.
pub(crate) fn hints_of<E: Hint>(error: &E) -> Vec<String> {
    error.hints().into_iter().filter_map(|hint| reword_hint(&hint)).collect()
}

/// An error with all its causes in one line.
pub(crate) fn whole_message(error: &(dyn StdError + 'static)) -> String {
    let mut parts = Vec::new();
    let cause = Cause::from_error(error);
    let mut next: Option<&dyn StdError> = Some(&cause);
    while let Some(error) = next {
        parts.push(error.to_string());
        next = error.source();
    }
    parts.join(": ")
}

/// A path that leads nowhere.
fn absent(url: &DisplaySafeUrl) -> Error {
    let place = local_path(url).map_or_else(|| public(url), |path| path.display().to_string());
    Error::Requirements {
        message: format!("there is no `{place}`"),
        hint: Some("look at the path; relative ones start in the current folder".to_owned()),
        cause: None,
    }
}

fn no_solution_of(text: &str, mut hints: Vec<String>) -> Error {
    let text = mend_versions(&reword(text));
    if let Some(text) = with_choices_named(&text) {
        hints.retain(|hint| !hint.contains(OTHER_ENVIRONMENT));
        hints.push(TOGETHER_HINT.to_owned());
        hints.extend(text.contains("(group `").then(|| LEAVE_OUT_HINT.to_owned()));
        return no_solution(text, hints);
    }
    if let Some(place) = hints.iter().position(|hint| hint.contains(OTHER_ENVIRONMENT)) {
        // It is also said of a lock's extras and groups, which are no environments.
        if text.contains('{') && !text.contains("not found") {
            ENVIRONMENTS_HINT.clone_into(&mut hints[place]);
        } else {
            hints.remove(place);
        }
    }
    if text.contains("was not found on the index") || text.contains("were not found on the index") {
        hints.push(MISSING_HINT.to_owned());
    }
    if text.contains("yanked") {
        hints.push("a yanked version is only taken if you pin it: `NAME==VERSION`".to_owned());
    }
    if let Some(position) = hints.iter().position(|hint| hint.contains("the network was disabled")) {
        hints[position] = format!("only what is cached was looked at: {}", again_with_network());
    }
    if hints.is_empty() && text.contains("in the provided package locations") {
        hints.push("leave `--no-index` out, or name a directory that has it with `--find-links`".to_owned());
    }
    if hints.is_empty() && text.contains("does not satisfy Python") {
        hints.push("take another version of the package, or another interpreter with `-p`".to_owned());
    }
    if hints.is_empty() {
        hints.push(LOOSEN_HINT.to_owned());
    }
    no_solution(text, hints)
}

fn no_solution(text: String, hints: Vec<String>) -> Error {
    let absent = absent_package(&text);
    let python = python_need(&format!("{text}\n{}", hints.join("\n")));
    let told = Proof::of(&text).map(|facts| facts.sentence(None));
    let proof = told.is_some().then(|| Box::new(Cause::new(&text)));
    Error::NoSolution { message: told.unwrap_or(text), proof, hints, absent, python }
}

/// Whether a proof is about a version of Python, or about wheels for other ones. The library underneath keeps its reasons to
/// itself, so its sentences are all there is.
fn python_need(text: &str) -> Option<PythonNeed> {
    const PHRASES: [&str; 7] = [
        "Python version (",
        "Python version tag",
        "Python implementation tag",
        "Python ABI tag",
        "requires Python",
        "require Python",
        "requires a different Python",
    ];
    let range = text.split_once("does not satisfy Python").map(|(_, rest)| {
        let end = rest.find(|letter: char| letter.is_whitespace()).unwrap_or(rest.len());
        rest[..end].trim_end_matches([',', '.']).to_owned()
    });
    let range = range.filter(|range| !range.is_empty());
    let is_about_it = range.is_some() || PHRASES.iter().any(|phrase| text.contains(phrase));
    is_about_it.then_some(PythonNeed { range })
}

/// The package that a proof says is nowhere, or not in a version that would do.
fn absent_package(text: &str) -> Option<PackageName> {
    let name = |text: &str| {
        let word = text.trim_start_matches('`');
        let end = word.find(|letter: char| !(letter.is_alphanumeric() || "-_.".contains(letter)));
        word[..end.unwrap_or(word.len())].trim_end_matches('.').parse::<PackageName>().ok()
    };
    let before = |sentence: &str| {
        let (before, _) = text.split_once(sentence)?;
        name(before.rsplit(char::is_whitespace).next().unwrap_or(before))
    };
    let after = |sentence: &str| text.split_once(sentence).and_then(|(_, after)| name(after));
    before(" was not found")
        .or_else(|| after("there is no version of "))
        .or_else(|| after("there are no versions of "))
        .or_else(|| text.contains(" available and you ").then(|| after("Because only ")).flatten())
}

/// Puts the `==` back that one of the sentences leaves out: "there is no version of foo1.0".
fn mend_versions(text: &str) -> String {
    const SENTENCE: &str = "there is no version of ";
    let word_end = |text: &str| {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        text[..end].trim_end_matches([',', '.', ':', ';']).len()
    };
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(SENTENCE) {
        let (before, after) = rest.split_at(start + SENTENCE.len());
        let (glued, remainder) = after.split_at(word_end(after));
        // What stands in the sentence glued together stands somewhere else as it should.
        let pinned = text
            .split_whitespace()
            .map(|word| word.trim_end_matches([',', '.', ':', ';']))
            .find(|word| word.contains("==") && word.replacen("==", "", 1) == glued);
        mended.push_str(before);
        mended.push_str(pinned.unwrap_or(glued));
        rest = remainder;
    }
    mended.push_str(rest);
    mended
}

fn one_line(hashes: &str) -> String {
    hashes.split_whitespace().collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_without_an_operator_gets_it() {
        let text =
            "Because there is no version of foo1.0 and you require foo==1.0, we can conclude that bar.";
        let mended =
            "Because there is no version of foo==1.0 and you require foo==1.0, we can conclude that bar.";
        assert_eq!(mend_versions(text), mended);
        assert_eq!(
            mend_versions("Because there is no version of foo1."),
            "Because there is no version of foo1."
        );
    }

    #[test]
    fn a_proof_may_be_about_one_absent_package() {
        for (text, absent) in [
            ("Because Nope.x was not found on the index and you want nope-x, we can", Some("nope-x")),
            ("Because there is no version of foo==1.0 and you want foo==1.0", Some("foo")),
            ("Because only simple<=3.0 is available and you want simple>3", Some("simple")),
            ("Because only a<=1 is available and b depends on a>1, we can conclude", None),
            ("Because you want simple==1.0 and simple==2.0", None),
        ] {
            assert_eq!(absent_package(text).as_deref(), absent, "{text}");
        }
    }

    #[test]
    fn a_proof_may_tell_which_python_is_needed() {
        let told = "Because the current Python version (3.11.7) does not satisfy Python>=3.9,<3.11 and x==1 depends on";
        let need = python_need(told).unwrap();
        assert_eq!(need.range.as_deref(), Some(">=3.9,<3.11"));
        let tag = python_need("x==1 has no wheels with a matching Python ABI tag (e.g., `cp38`)");
        assert_eq!(tag, Some(PythonNeed { range: None }));
        assert_eq!(python_need("x does not appear to be a Python project"), None);
    }

    #[test]
    fn without_the_network_the_hint_is_about_it() {
        let hints = vec!["Packages were unavailable because the network was disabled. And so on.".to_owned()];
        let error = no_solution_of("Because foo was not found in the cache", hints);
        assert!(error.hint().unwrap().contains("without `--offline`"));
    }
}
