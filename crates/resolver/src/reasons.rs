//! What went wrong below, in one clause: networks, repositories and builds.
//!
//! The libraries underneath tell it in chains of up to six messages, and say most of it several times. Here is the one table of
//! what of that a user is told; the chain is kept for whoever wants all of it.

use std::fmt::Write as _;

/// Why a server cannot be reached: a sign in the chain, and the clause.
const CONNECTIONS: [(&str, &str); 11] = [
    ("failed to lookup address", "host not found"),
    ("dns error", "host not found"),
    ("Connection refused", "the connection was refused"),
    ("Connection reset", "the connection was reset"),
    ("connection closed before message completed", "the connection was closed"),
    ("Network is unreachable", "the network is unreachable"),
    ("No route to host", "there is no route to it"),
    ("operation timed out", "no answer in time"),
    ("timed out", "no answer in time"),
    ("error sending request for url", "the connection failed"),
    ("client error (Connect)", "the connection failed"),
];

/// What is not for this table although it looks like it: it has an explanation of its own.
const SPECIAL: [&str; 3] = ["certificate", "redirects from HTTPS to HTTP", "invalid peer"];

/// Why a repository cannot be had: a sign in the chain, and the clause.
const REPOSITORIES: [(&str, &str); 12] = [
    ("Git executable not found", "there is no command `git` on PATH"),
    ("Could not resolve host", "host not found"),
    ("Connection refused", "the connection was refused"),
    ("timed out", "no answer in time"),
    ("couldn't find remote ref", "it has no such branch, tag or commit"),
    ("failed to find branch, tag, or commit", "it has no such branch, tag or commit"),
    ("does not appear to be a git repository", "there is no repository"),
    ("Repository not found", "there is no such repository, or it needs other credentials"),
    ("could not read Username", "it needs credentials"),
    ("Authentication failed", "it needs other credentials"),
    ("Permission denied (publickey)", "it needs another key"),
    ("unable to access", "the server does not answer as one of git's"),
];

/// Modules that builds miss: what is imported, what has it, and what users can do beside adding that.
const MODULES: [(&str, &str, &str); 4] = [
    ("pkg_resources", "setuptools<81", "newer setuptools have no `pkg_resources`"),
    ("distutils", "setuptools", "Python 3.12 and newer have no `distutils`"),
    ("imp", "Python 3.11 or older", "Python 3.12 and newer have no `imp`"),
    ("setuptools", "setuptools", ""),
];

/// Why a server could not be reached, if the chain of an error says so.
pub(crate) fn connection(chain: &str) -> Option<String> {
    if SPECIAL.iter().any(|sign| chain.contains(sign)) {
        return None;
    }
    let (_, clause) = CONNECTIONS.iter().find(|(sign, _)| chain.contains(sign))?;
    let mut clause = (*clause).to_owned();
    if let Some((retries, seconds)) = retried(chain) {
        let _ = write!(clause, " ({} attempts", retries + 1);
        clause.push_str(&seconds.map_or_else(|| ")".to_owned(), |seconds| format!(", {seconds} s)")));
    }
    Some(clause)
}

/// How often it was tried again, and how long that took: "Request failed after 3 retries in 9.1s".
fn retried(chain: &str) -> Option<(u32, Option<&str>)> {
    let (_, rest) = chain.split_once("Request failed after ")?;
    let (count, rest) = rest.split_once(' ')?;
    let seconds =
        rest.split_once(" in ").and_then(|(_, rest)| rest.split_once('s')).map(|(seconds, _)| seconds);
    let seconds = seconds.filter(|text| text.parse::<f64>().is_ok());
    Some((count.parse().ok()?, seconds))
}

/// Which repository could not be had, and why, if the chain of an error says so.
pub(crate) fn repository(chain: &str) -> Option<(Option<String>, String)> {
    if !chain.contains("Git operation failed") && !chain.contains("git fetch") {
        return None;
    }
    // The address stands in quotes in git's command line.
    let address = chain.split_once("git fetch").and_then(|(_, rest)| {
        rest.split(['\'', '`', ' ']).find(|word| word.contains("://") || word.starts_with("git@"))
    });
    let known =
        REPOSITORIES.iter().find(|(sign, _)| chain.contains(sign)).map(|(_, clause)| (*clause).to_owned());
    let own_word = || {
        let line = chain.lines().rev().find_map(|line| line.trim().strip_prefix("fatal: "))?;
        Some(format!("git says: {line}"))
    };
    Some((address.map(str::to_owned), known.or_else(own_word)?))
}

/// What a failed build is told as.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BuildFailure {
    /// There is nothing to build at this place.
    NoProject(String),
    /// What the build imports, what would have it, and more about that.
    Missing { what: String, remark: &'static str },
}

/// What is the matter with a build, if its output says so.
pub(crate) fn build(chain: &str) -> Option<BuildFailure> {
    const NO_PROJECT: &str = " does not appear to be a Python project";
    if let Some((before, _)) = chain.split_once(NO_PROJECT) {
        let place = before.rsplit(": ").next().unwrap_or(before);
        return Some(BuildFailure::NoProject(place.trim_matches('`').to_owned()));
    }
    let missing = chain.rsplit_once("No module named ").map(|(_, rest)| {
        let rest = rest.trim_start_matches(['\'', '"']);
        let end = rest.find(|letter: char| !(letter.is_alphanumeric() || "_-".contains(letter)));
        &rest[..end.unwrap_or(rest.len())]
    });
    let missing = missing.filter(|name| !name.is_empty())?;
    let known = MODULES.iter().find(|(module, ..)| *module == missing);
    Some(known.map_or_else(
        || BuildFailure::Missing { what: missing.to_owned(), remark: "" },
        |(_, what, remark)| BuildFailure::Missing { what: (*what).to_owned(), remark },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_cannot_be_reached() {
        for (chain, told) in [
            (
                "Request failed after 3 retries in 9.1s: Failed to fetch: `https://h/`: error sending request for url \
                 (https://h/): client error (Connect): dns error: failed to lookup address information",
                Some("host not found (4 attempts, 9.1 s)"),
            ),
            (
                "error sending request for url (http://h/): tcp connect error: Connection refused (os error 111)",
                Some("the connection was refused"),
            ),
            ("error sending request for url (https://h/): invalid peer certificate: UnknownIssuer", None),
            ("HTTP status server error (500 Internal Server Error)", None),
        ] {
            assert_eq!(connection(chain).as_deref(), told, "{chain}");
        }
    }

    #[test]
    fn repositories_that_cannot_be_had() {
        let of = |stderr: &str| {
            repository(&format!(
                "Git operation failed: failed to clone into: /s/git-v0/db/1: process didn't exit successfully: `/usr/bin/git \
                 fetch --force 'https://h/a/b' '+HEAD:refs/x'` (exit status: 128)\n--- stderr\n{stderr}"
            ))
        };
        let address = Some("https://h/a/b".to_owned());
        for (stderr, told) in [
            ("fatal: unable to access 'https://h/a/b/': Could not resolve host: h", "host not found"),
            ("fatal: '/x' does not appear to be a git repository", "there is no repository"),
            ("fatal: the moon is full\n", "git says: the moon is full"),
        ] {
            assert_eq!(of(stderr), Some((address.clone(), told.to_owned())));
        }
        assert_eq!(repository("HTTP status 404"), None);
    }

    #[test]
    fn builds_that_say_what_is_missing() {
        let missing = |what: &str, remark| Some(BuildFailure::Missing { what: what.to_owned(), remark });
        assert_eq!(
            build("Call failed\nModuleNotFoundError: No module named 'pkg_resources'"),
            missing("setuptools<81", "newer setuptools have no `pkg_resources`")
        );
        assert_eq!(build("python: No module named wheelbarrow.core"), missing("wheelbarrow", ""));
        assert_eq!(build("RuntimeError: the compiler is missing"), None);
        assert_eq!(
            build("/w/p7 does not appear to be a Python project, as neither"),
            Some(BuildFailure::NoProject("/w/p7".to_owned()))
        );
    }
}
