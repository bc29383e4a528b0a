//! The version of a Python interpreter, with the order in which releases follow each other.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The oldest Python that virtpy makes venvs for, as `(major, minor)`.
pub(super) const OLDEST: (u32, u32) = (3, 8);

/// A version as an interpreter reports it, such as `3.12.1` or `3.14.0rc1`.
///
/// The order is that of PEP 440: a pre-release stands before its final release.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PythonVersion {
    /// The 3 of `3.12.1`.
    pub major: u32,
    /// The 12 of `3.12.1`.
    pub minor: u32,
    /// The 1 of `3.12.1`.
    pub micro: u32,
    /// Empty for a final release, else `a`, `b` or `rc` and a number, such as `rc1`.
    pub suffix: String,
}

/// A text that is no Python version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a Python version")]
pub struct VersionError {
    /// The text as it was given.
    pub text: String,
}

impl VersionError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some("a version looks like 3.12, 3.12.1 or 3.14.0rc1".to_owned())
    }
}

impl PythonVersion {
    /// A final release.
    pub fn new(major: u32, minor: u32, micro: u32) -> Self {
        Self { major, minor, micro, suffix: String::new() }
    }

    /// Whether this is an alpha, beta or release candidate.
    pub fn is_prerelease(&self) -> bool {
        !self.suffix.is_empty()
    }

    /// The three numbers, without the suffix: what `Requires-Python` and the like are compared with.
    pub fn release(&self) -> [u32; 3] {
        [self.major, self.minor, self.micro]
    }

    /// Stage and number of a pre-release; a final release is above every stage.
    fn stage(&self) -> (u32, u32) {
        let letters = self.suffix.trim_end_matches(|character: char| character.is_ascii_digit());
        let number = self.suffix[letters.len()..].parse().unwrap_or(0);
        let rank = match letters {
            "a" => 0,
            "b" => 1,
            "rc" => 2,
            _ => 3,
        };
        (rank, number)
    }
}

impl Ord for PythonVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.release(), self.stage(), &self.suffix).cmp(&(other.release(), other.stage(), &other.suffix))
    }
}

impl PartialOrd for PythonVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}{}", self.major, self.minor, self.micro, self.suffix)
    }
}

impl FromStr for PythonVersion {
    type Err = VersionError;

    /// Reads `X.Y` or `X.Y.Z`, with `aN`, `bN` or `rcN` after it; a missing `Z` is 0.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let error = || VersionError { text: text.to_owned() };
        let (numbers, suffix) = split_release(text).ok_or_else(error)?;
        let (major, minor, micro) = match numbers[..] {
            [major, minor] => (major, minor, 0),
            [major, minor, micro] => (major, minor, micro),
            _ => return Err(error()),
        };
        Ok(Self { major, minor, micro, suffix: suffix.to_owned() })
    }
}

/// Splits a version into its dotted numbers (at least one) and a pre-release suffix, which may be empty.
/// Returns `None` for anything else.
pub(super) fn split_release(text: &str) -> Option<(Vec<u32>, &str)> {
    let end =
        text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (release, suffix) = text.split_at(end);
    let numbers = release.split('.').map(number).collect::<Option<Vec<_>>>()?;
    (suffix.is_empty() || is_prerelease_suffix(suffix)).then_some((numbers, suffix))
}

/// Writes numbers with dots between them.
pub(super) fn write_numbers(formatter: &mut fmt::Formatter<'_>, numbers: &[u32]) -> fmt::Result {
    for (index, number) in numbers.iter().enumerate() {
        let dot = if index == 0 { "" } else { "." };
        write!(formatter, "{dot}{number}")?;
    }
    Ok(())
}

/// A decimal number without sign; `None` if it is empty or too large for a version.
fn number(text: &str) -> Option<u32> {
    (!text.is_empty() && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn is_prerelease_suffix(suffix: &str) -> bool {
    ["a", "b", "rc"].iter().any(|stage| suffix.strip_prefix(stage).is_some_and(|rest| number(rest).is_some()))
}

impl Serialize for PythonVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PythonVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> PythonVersion {
        text.parse().unwrap()
    }

    #[test]
    fn releases_follow_each_other() {
        let ordered = [
            "2.7.18",
            "3.9.18",
            "3.12.0a7",
            "3.12.0b2",
            "3.12.0b10",
            "3.12.0rc1",
            "3.12.0",
            "3.12.1",
            "3.12.10",
            "3.13.0",
        ];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{} < {}", pair[0], pair[1]);
        }
        assert_eq!(version("3.12"), version("3.12.0"));
        assert!(version("3.14.0rc1").is_prerelease());
    }

    #[test]
    fn text_survives_a_round_trip() {
        for text in ["3.12.1", "3.14.0rc1", "3.8.0a0"] {
            assert_eq!(version(text).to_string(), text);
            let json = serde_json::to_string(&version(text)).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<PythonVersion>(&json).unwrap(), version(text));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "3",
            "3.",
            ".3",
            "3..1",
            "3.12.1.4",
            "3.12.1x",
            "3.12rc",
            "3.-1",
            "3.99999999999",
            "v3.1",
            "3.1 ",
        ] {
            let error = text.parse::<PythonVersion>().unwrap_err();
            assert_eq!(error.text, text);
        }
    }
}
