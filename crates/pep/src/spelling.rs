//! Comparing the spellings of a version (PEP 440).

use crate::Version;

/// Whether two texts spell one version.
pub(crate) fn is_same(left: &str, right: &str) -> bool {
    match (left.parse::<Version>(), right.parse::<Version>()) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

/// Whether a version from a file or folder name, where old tools wrote `_` for every character that is no letter,
/// digit or dot, spells the version `full`.
pub(crate) fn is_same_escaped(escaped: &str, full: &str) -> bool {
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
            ("not a version", "not a version"),
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
