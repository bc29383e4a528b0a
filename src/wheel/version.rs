//! Comparing the spellings of a version (PEP 440).

/// A version as far as two spellings of it must be recognised as one.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    epoch: String,
    /// Without leading zeros, and without zeros at the end: `1` is `1.0`.
    release: Vec<String>,
    pre: Option<(&'static str, String)>,
    post: Option<String>,
    dev: Option<String>,
    local: Vec<String>,
}

/// Whether two texts spell one version. Versions that PEP 440 does not know are compared letter by letter.
pub(super) fn is_same(left: &str, right: &str) -> bool {
    match (parse(left), parse(right)) {
        (Some(left), Some(right)) => left == right,
        _ => left.eq_ignore_ascii_case(right),
    }
}

/// Whether a version from a file or folder name, where old tools wrote `_` for every character that is no letter,
/// digit or dot, spells the version `full`.
pub(super) fn is_same_escaped(escaped: &str, full: &str) -> bool {
    if is_same(escaped, full) {
        return true;
    }
    let escape =
        |text: &str| text.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.', "_");
    escape(escaped).eq_ignore_ascii_case(&escape(full)) || is_same(&restore_local(escaped), full)
}

/// `1.0_cpu` was `1.0+cpu`.
fn restore_local(escaped: &str) -> String {
    escaped.replacen('_', "+", 1)
}

fn parse(text: &str) -> Option<Version> {
    let text = text.trim().to_ascii_lowercase();
    let (public, local) = match text.split_once('+') {
        Some((public, local)) => (public, local.split(['.', '-', '_']).map(number).collect()),
        None => (text.as_str(), Vec::new()),
    };
    let is_alphanumeric =
        |part: &String| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !local.iter().all(is_alphanumeric) || text.ends_with('+') {
        return None;
    }
    let public = public.strip_prefix('v').unwrap_or(public);
    let (epoch, mut rest) = match public.split_once('!') {
        Some((epoch, rest)) => (digits(epoch).filter(|(_, rest)| rest.is_empty())?.0, rest),
        None => ("0".to_owned(), public),
    };
    let mut release = Vec::new();
    loop {
        let (part, after) = digits(rest)?;
        release.push(part);
        rest = after;
        match after.strip_prefix('.') {
            Some(more) if more.starts_with(|letter: char| letter.is_ascii_digit()) => rest = more,
            _ => break,
        }
    }
    while release.len() > 1 && release.last().is_some_and(|part| part == "0") {
        release.pop();
    }
    let (pre, rest) = segment(rest, &PRE);
    let (post, rest) = match implicit_post(rest) {
        Some((post, rest)) => (Some(post), rest),
        None => segment_number(rest, &POST),
    };
    let (dev, rest) = segment_number(rest, &DEV);
    rest.is_empty().then_some(Version { epoch, release, pre, post, dev, local })
}

/// Spellings, the longer first where one starts another, and what they are normalised to.
const PRE: [(&str, &str); 8] = [
    ("alpha", "a"),
    ("beta", "b"),
    ("preview", "rc"),
    ("pre", "rc"),
    ("rc", "rc"),
    ("a", "a"),
    ("b", "b"),
    ("c", "rc"),
];
const POST: [(&str, &str); 3] = [("post", ""), ("rev", ""), ("r", "")];
const DEV: [(&str, &str); 1] = [("dev", "")];

/// Reads `[-_.]? name [-_.]? number?`.
fn segment<'a>(text: &'a str, names: &[(&str, &'static str)]) -> (Option<(&'static str, String)>, &'a str) {
    let bare = text.strip_prefix(SEPARATORS).unwrap_or(text);
    for (spelling, normal) in names {
        if let Some(rest) = bare.strip_prefix(spelling) {
            let after = rest.strip_prefix(SEPARATORS).unwrap_or(rest);
            return match digits(after) {
                Some((value, rest)) => (Some((normal, value)), rest),
                None => (Some((normal, "0".to_owned())), rest),
            };
        }
    }
    (None, text)
}

const SEPARATORS: [char; 3] = ['-', '_', '.'];

fn segment_number<'a>(text: &'a str, names: &[(&str, &'static str)]) -> (Option<String>, &'a str) {
    let (segment, rest) = segment(text, names);
    (segment.map(|(_, value)| value), rest)
}

/// `1.0-1` is `1.0.post1`.
fn implicit_post(text: &str) -> Option<(String, &str)> {
    digits(text.strip_prefix('-')?)
}

/// The digits that a text starts with, normalised, and the rest.
fn digits(text: &str) -> Option<(String, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| (number(&text[..end]), &text[end..]))
}

/// Takes the leading zeros from a number; other texts stay as they are.
fn number(text: &str) -> String {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    match text.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_version() {
        for (left, right) in [
            ("1.0", "1.0.0"),
            ("1.0", "v1.0"),
            ("0!1", "1"),
            ("1.0a1", "1.0-Alpha.1"),
            ("1.0rc1", "1.0.pre-1"),
            ("1.0rc1", "1.0c1"),
            ("1.0b0", "1.0beta"),
            ("1.0.post1", "1.0-1"),
            ("1.0.post1", "1.0.rev1"),
            ("1.0.post0", "1.0post"),
            ("1.0.dev3", "1.0dev3"),
            ("1.0.dev3", "1.0-dev03"),
            ("1.0+ubuntu.1", "1.0+UBUNTU-01"),
            ("2024.01.02", "2024.1.2"),
            ("1.0a1.post2.dev3+x", "1.0a1post2dev3+X"),
            ("not a version", "NOT A VERSION"),
        ] {
            assert!(is_same(left, right), "{left} {right}");
        }
        for (left, right) in [
            ("1.0", "1.1"),
            ("1!1.0", "1.0"),
            ("1.0", "1.0a1"),
            ("1.0a1", "1.0b1"),
            ("1.0", "1.0+local"),
            ("1.0.post1", "1.0.dev1"),
            ("1.0", "1.0.x"),
            ("1.0", "1.0+"),
            ("", "0"),
        ] {
            assert!(!is_same(left, right), "{left} {right}");
        }
    }

    #[test]
    fn escaped_versions() {
        for (escaped, full) in [
            ("1.0_cpu", "1.0+cpu"),
            ("1_2.0", "1!2.0"),
            ("1.0_1", "1.0-1"),
            ("1.0+cpu", "1.0+cpu"),
            ("1.0.0_abc", "1.0+abc"),
        ] {
            assert!(is_same_escaped(escaped, full), "{escaped} {full}");
        }
        assert!(!is_same_escaped("1.0_cpu", "1.0+gpu"));
        assert!(!is_same_escaped("1.0", "1.0+gpu"));
    }
}
