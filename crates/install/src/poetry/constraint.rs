//! Poetry's way to write which versions are meant (`^1.2`, `~1.2`, `1.*`, `>=1,<2 || >=3`), put into the terms of
//! PEP 440.

use virtpy_pep::{Requirement, Version};

/// Specifiers of PEP 440, one list for each alternative. A version is meant if it satisfies one of them; an empty list is
/// satisfied by every version.
pub(super) fn alternatives(constraint: &str) -> Option<Vec<String>> {
    constraint.split("||").flat_map(|part| part.split(" | ")).map(|part| specifiers(part.trim())).collect()
}

/// Whether a version is meant. One that is not understood admits everything: the lock file has decided already, and this
/// only tells apart the several versions that it may hold.
pub(super) fn admits(constraint: &str, version: &str) -> bool {
    let (Some(alternatives), Ok(version)) = (alternatives(constraint), version.parse::<Version>()) else {
        return true;
    };
    alternatives.iter().any(|specifiers| {
        format!("x{specifiers}").parse::<Requirement>().is_ok_and(|requirement| requirement.accepts(&version))
    })
}

/// The specifiers of one alternative, with commas between them.
fn specifiers(alternative: &str) -> Option<String> {
    if alternative.is_empty() || alternative == "*" {
        return Some(String::new());
    }
    // Blanks may stand for commas, and after operators for nothing.
    let mut parts: Vec<String> = Vec::new();
    for word in alternative.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()) {
        match parts.last_mut() {
            Some(last) if last.chars().all(is_operator) => last.push_str(word),
            _ => parts.push(word.to_owned()),
        }
    }
    let translated: Option<Vec<String>> = parts.iter().map(|part| specifier(part)).collect();
    Some(translated?.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(","))
}

fn is_operator(letter: char) -> bool {
    "<>=!~^".contains(letter)
}

fn specifier(text: &str) -> Option<String> {
    let version = text.trim_start_matches(is_operator);
    let operator = &text[..text.len() - version.len()];
    let version = version.trim_start_matches('v');
    match operator {
        "" | "=" if version == "*" => Some(String::new()),
        "" | "=" | "==" => Some(format!("=={version}")),
        "^" => Some(format!(">={version},<{}", above(version, caret_place(version)?)?)),
        "~" => Some(format!(">={version},<{}", above(version, 1.min(release(version)?.len() - 1))?)),
        ">" | ">=" | "<" | "<=" | "!=" | "~=" | "===" => Some(format!("{operator}{version}")),
        _ => None,
    }
}

fn release(version: &str) -> Option<Vec<u64>> {
    Some(version.parse::<Version>().ok()?.release())
}

/// The number of a version that `^` lets no newer version change: the first that is not 0, or the last there is.
fn caret_place(version: &str) -> Option<usize> {
    let release = release(version)?;
    Some(release.iter().position(|number| *number != 0).unwrap_or(release.len() - 1))
}

/// The least version with a higher number at a place.
fn above(version: &str, place: usize) -> Option<String> {
    let release = release(version)?;
    let mut numbers: Vec<u64> = release.into_iter().take(place + 1).collect();
    *numbers.last_mut()? += 1;
    Some(numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poetrys_ways_become_specifiers() {
        for (constraint, expected) in [
            ("*", vec![""]),
            ("1.2.3", vec!["==1.2.3"]),
            ("^1.2", vec![">=1.2,<2"]),
            ("^0.2.3", vec![">=0.2.3,<0.3"]),
            ("^0.0.3", vec![">=0.0.3,<0.0.4"]),
            ("^0", vec![">=0,<1"]),
            ("~1.2.3", vec![">=1.2.3,<1.3"]),
            ("~1", vec![">=1,<2"]),
            ("1.*", vec!["==1.*"]),
            (">= 1, < 2", vec![">=1,<2"]),
            (">=1 <2", vec![">=1,<2"]),
            ("^1 || ^3.1", vec![">=1,<2", ">=3.1,<4"]),
        ] {
            assert_eq!(alternatives(constraint).unwrap(), expected, "{constraint}");
        }
        assert_eq!(alternatives("nonsense"), Some(vec!["==nonsense".to_owned()]));
    }

    #[test]
    fn versions_are_meant_or_not() {
        assert!(admits("^1.2 || >=4", "5"));
        assert!(!admits("^1.2 || >=4", "3.9"));
        assert!(admits("*", "1.0a1"));
        assert!(admits("^broken", "1"));
    }
}
