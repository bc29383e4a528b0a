//! What there is instead of what was asked for: the newest version of a package, names that resemble one that nobody has, and a
//! version that was typed as if it were a package.

use std::collections::BTreeSet;

use uv_cache::{CacheBucket, WheelCache};
use uv_distribution_types::Index;
use uv_normalize::PackageName;
use virtpy_pep::Version;

use crate::context::Context;
use crate::error::Error;
use crate::failure::LOOSEN_HINT;
use crate::newest::{Choice, newest};
use crate::proof::Proof;
use crate::request::{Input, Request};

/// How many names are suggested.
const SUGGESTIONS: usize = 2;

/// Adds to a request without a solution what there is instead. Asks for nothing that was not asked for already.
pub(crate) async fn explain(context: &Context, request: &Request, error: Error) -> Error {
    let mut error = error;
    let Error::NoSolution { message, proof, hints, absent, .. } = &mut error else { return error };
    let facts = proof.as_ref().map(ToString::to_string).and_then(|proof| Proof::of(&proof));
    if let Some(name) = absent.as_ref().filter(|name| message.contains(&format!("package `{name}`"))) {
        if let Some((version, before)) = mistyped_version(request, name) {
            *message = format!("there is no package `{version}`, which looks like a version");
            *hints = vec![before.map_or_else(
                || "a version goes with its package: `NAME==VERSION`".to_owned(),
                |before| format!("did you mean `{before}=={version}`?"),
            )];
        } else if let Some(similar) = similar(name, &known_names(context)) {
            *hints = vec![format!("did you mean {similar}?")];
        }
    } else if let Some(name) = facts.as_ref().and_then(Proof::scarce)
        && let Ok(package) = name.parse::<PackageName>()
        && let choice = Choice::among_all(request.options.prerelease)
        && let Ok(Some(newest)) = newest(context, &package, choice, None).await
    {
        let newest = newest.version.to_string();
        let told = facts.as_ref().map_or_else(String::new, |facts| facts.sentence(Some(&newest)));
        if told.ends_with(&newest) {
            // It is not several requirements that are at odds.
            hints.retain(|hint| hint != LOOSEN_HINT);
        }
        if hints.is_empty() {
            hints.push(format!("take a version that exists; `{name}` alone is the newest"));
        }
        *message = told;
    }
    error
}

/// A version that was given as a package of its own, with the name before it: `requests 2.31`.
fn mistyped_version<'a>(
    request: &'a Request,
    absent: &virtpy_pep::PackageName,
) -> Option<(&'a str, Option<&'a str>)> {
    let text = |input: &'a Input| match input {
        Input::Requirement(text) => Some(text.trim()),
        _ => None,
    };
    let inputs: Vec<Option<&str>> = request.requirements.iter().map(text).collect();
    let is_it = |text: &str| absent.is_spelled(text) && text.contains('.') && text.parse::<Version>().is_ok();
    let place = inputs.iter().position(|input| input.is_some_and(is_it))?;
    let before = place.checked_sub(1).and_then(|before| inputs[before]);
    let before = before.filter(|text| text.parse::<virtpy_pep::PackageName>().is_ok());
    Some((inputs[place]?, before))
}

/// The names that the indexes of a request are known to have, and those that the caller has wheels of.
fn known_names(context: &Context) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = context.local_wheels.names();
    for index in context.indexes.fetch_indexes().map(Index::url) {
        let folder = context.cache.bucket(CacheBucket::Simple).join(WheelCache::Index(index).root());
        names.extend(pages(&folder));
    }
    names
}

/// The names of the pages in a folder of the cache.
#[expect(
    clippy::disallowed_methods,
    reason = "reading only: the ban is on writing past the one module that does"
)]
fn pages(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".rkyv")?.to_owned())).collect()
}

/// The names that resemble another one the most, in a form that is ready to be read.
fn similar(name: &str, known: &BTreeSet<String>) -> Option<String> {
    let limit = match name.len() {
        0..=3 => 1,
        4..=9 => 2,
        _ => 3,
    };
    let mut found: Vec<(usize, &String)> = known
        .iter()
        .filter(|one| one.as_str() != name)
        .map(|one| (strsim::osa_distance(name, one), one))
        .filter(|(distance, one)| *distance <= limit && *distance < one.len())
        .collect();
    found.sort();
    let best = found.first()?.0;
    let names = found.iter().take_while(|(distance, _)| *distance == best).take(SUGGESTIONS);
    Some(names.map(|(_, one)| format!("`{one}`")).collect::<Vec<_>>().join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_resemble_another_are_found() {
        let known = ["requests", "rich", "numpy", "numba", "scikit-learn"].map(str::to_owned).into();
        for (name, told) in [
            ("reqeusts", Some("`requests`")),
            ("request", Some("`requests`")),
            ("numby", Some("`numba` or `numpy`")),
            ("scikitlearn", Some("`scikit-learn`")),
            ("ric", Some("`rich`")),
            ("flask", None),
        ] {
            assert_eq!(similar(name, &known).as_deref(), told, "{name}");
        }
    }

    #[test]
    fn a_version_is_no_package() {
        let request = |words: &[&str]| Request {
            requirements: words.iter().map(|word| Input::Requirement((*word).to_owned())).collect(),
            ..Request::default()
        };
        let absent = "2-31".parse().unwrap();
        assert_eq!(
            mistyped_version(&request(&["requests", "2.31"]), &absent),
            Some(("2.31", Some("requests")))
        );
        assert_eq!(mistyped_version(&request(&["2.31"]), &absent), Some(("2.31", None)));
        assert_eq!(mistyped_version(&request(&["requests==2.31"]), &absent), None);
    }
}
