//! Ranges of Python versions, such as `>=3.9,<3.13`.

use std::fmt;
use std::str::FromStr;

use virtpy_pep::{Specifier, Version};

use super::version::PythonVersion;

/// Version specifiers in the sense of PEP 440, applied to the numbers of a version; pre-release suffixes are
/// left out of the comparison, as installers do for `Requires-Python`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange {
    clauses: Vec<Specifier>,
}

/// A part of a version range that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{clause}` is not a version specifier")]
pub struct RangeError {
    /// The part between two commas.
    pub clause: String,
}

impl RangeError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some("a range looks like `>=3.9,<3.13`, `==3.12.*` or `~=3.11`".to_owned())
    }
}

impl FromStr for VersionRange {
    type Err = RangeError;

    /// Reads specifiers between commas: `>=`, `<=`, `<`, `>`, `==`, `!=` or `~=`, then one to three numbers;
    /// `.*` may follow them after `==` and `!=`.
    fn from_str(text: &str) -> Result<Self, RangeError> {
        let clauses = text.split(',').map(|clause| read_clause(clause.trim())).collect::<Result<_, _>>()?;
        Ok(Self { clauses })
    }
}

fn read_clause(text: &str) -> Result<Specifier, RangeError> {
    let is_of_python = |clause: &Specifier| clause.is_of_releases() && clause.release().len() <= 3;
    text.parse().ok().filter(is_of_python).ok_or_else(|| RangeError { clause: text.to_owned() })
}

impl VersionRange {
    /// Whether the version's numbers satisfy every specifier.
    pub fn contains(&self, version: &PythonVersion) -> bool {
        self.contains_release(version.release().map(u64::from))
    }

    fn contains_release(&self, release: [u64; 3]) -> bool {
        let version = Version::of_release(release);
        self.clauses.iter().all(|clause| clause.contains(&version))
    }

    /// Whether some version that starts with these numbers is in the range.
    pub(super) fn may_contain(&self, known: &[u32]) -> bool {
        match *known {
            [major, minor, micro, ..] => self.contains_release([major, minor, micro].map(u64::from)),
            [major, minor] => {
                // The answer can only change beside a number that a specifier names.
                let named = self.clauses.iter().filter_map(|clause| clause.release().get(2).copied());
                let beside =
                    named.flat_map(|micro| [micro.saturating_sub(1), micro, micro.saturating_add(1)]);
                [0, 1, u64::from(u32::MAX)]
                    .into_iter()
                    .chain(beside)
                    .any(|micro| self.contains_release([major.into(), minor.into(), micro]))
            }
            _ => true,
        }
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, clause) in self.clauses.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{clause}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> VersionRange {
        text.parse().unwrap()
    }

    #[test]
    fn specifiers_mean_what_pep_440_says() {
        let cases: [(&str, &[&str], &[&str]); 11] = [
            (">=3.9,<3.13", &["3.9.0", "3.12.99"], &["3.8.18", "3.13.0", "2.7.18"]),
            (">= 3.9 , < 4", &["3.9.0", "3.14.0"], &["3.8.0", "4.0.0"]),
            ("<=3.12", &["3.11.7", "3.12.0"], &["3.12.1"]),
            (">3.9", &["3.9.1", "3.10.0"], &["3.9.0"]),
            ("==3.12.1", &["3.12.1"], &["3.12.0", "3.12.10"]),
            ("==3.12", &["3.12.0"], &["3.12.1"]),
            ("==3.12.*", &["3.12.0", "3.12.9"], &["3.1.2", "3.13.0"]),
            ("!=3.12.*,!=3.11.2", &["3.11.1", "3.13.0"], &["3.12.4", "3.11.2"]),
            ("~=3.9", &["3.9.0", "3.12.0"], &["3.8.0", "4.0.0"]),
            ("~=3.9.2", &["3.9.2", "3.9.9"], &["3.9.1", "3.10.0"]),
            (">=3.13", &["3.13.0rc1"], &["3.12.9"]),
        ];
        for (text, inside, outside) in cases {
            for version in inside {
                assert!(range(text).contains(&version.parse().unwrap()), "{version} in {text}");
            }
            for version in outside {
                assert!(!range(text).contains(&version.parse().unwrap()), "{version} not in {text}");
            }
        }
    }

    #[test]
    fn the_text_comes_back_without_spaces() {
        for text in [">=3.9,<3.13", "==3.12.*", "~=3.9.1", "!=3,>2,<=4.0.0"] {
            assert_eq!(range(text).to_string(), text);
        }
        assert_eq!(range(" >= 3.9 ,<4 ").to_string(), ">=3.9,<4");
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_wrong_part() {
        let texts = [">=", "=3.9", "===3.9", ">=3.9.*", "~=3", ">=3.9rc1", ">=3.9.1.2", ">=x", "3.9", "^3.9"];
        for text in texts {
            let error = format!("<4,{text}").parse::<VersionRange>().unwrap_err();
            assert_eq!(error.clause, text);
            assert!(error.hint().is_some());
        }
        assert_eq!(">=3.9,".parse::<VersionRange>().unwrap_err().clause, "");
    }

    #[test]
    fn two_known_numbers_rule_out_exactly_what_no_patch_release_satisfies() {
        let texts = [
            ">=3.9,<3.13",
            ">3.12.4",
            "<3.12.4",
            "<3.12.0",
            "==3.12.7",
            "==3.12",
            "!=3.12.*",
            "!=3.12.0",
            "~=3.12.2",
            ">3.12.1,<3.12.3",
            ">3.12.1,<3.12.2",
            ">=3.12.1,<=3.12.2,!=3.12.1,!=3.12.2",
        ];
        for text in texts {
            for minor in 8..15 {
                let some_patch = (0..100).any(|micro| range(text).contains_release([3, minor.into(), micro]));
                assert_eq!(range(text).may_contain(&[3, minor]), some_patch, "3.{minor} in {text}");
            }
        }
        assert!(range("==3.12.1").may_contain(&[]));
        assert!(!range("==3.12.1").may_contain(&[3, 12, 2]));
    }
}
