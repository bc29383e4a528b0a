//! Ranges of Python versions, such as `>=3.9,<3.13`.

use std::fmt;
use std::str::FromStr;

use super::version::{PythonVersion, split_release, write_numbers};

/// Version specifiers in the sense of PEP 440, applied to the numbers of a version; pre-release suffixes are
/// left out of the comparison, as installers do for `Requires-Python`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange {
    clauses: Vec<Clause>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Clause {
    operator: Operator,
    numbers: Vec<u32>,
    /// Whether `.*` follows the numbers.
    wildcard: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtLeast,
    AtMost,
    Below,
    Above,
    Equal,
    NotEqual,
    Compatible,
}

/// The operators and how they are written; those of two characters first, so that `>=` is not read as `>`.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("~=", Operator::Compatible),
    ("<", Operator::Below),
    (">", Operator::Above),
];

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
        let clauses = text.split(',').map(|clause| clause.trim().parse()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { clauses })
    }
}

impl FromStr for Clause {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let error = || RangeError { clause: text.to_owned() };
        let (operator, version) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| text.strip_prefix(sign).map(|version| (*operator, version.trim())))
            .ok_or_else(error)?;
        let (version, wildcard) =
            version.strip_suffix(".*").map_or((version, false), |version| (version, true));
        let (numbers, suffix) = split_release(version).ok_or_else(error)?;
        let may_be_wild = matches!(operator, Operator::Equal | Operator::NotEqual);
        let too_short = operator == Operator::Compatible && numbers.len() < 2;
        if numbers.len() > 3 || !suffix.is_empty() || (wildcard && !may_be_wild) || too_short {
            return Err(error());
        }
        Ok(Self { operator, numbers, wildcard })
    }
}

impl VersionRange {
    /// Whether the version's numbers satisfy every specifier.
    pub fn contains(&self, version: &PythonVersion) -> bool {
        self.contains_release(version.release())
    }

    fn contains_release(&self, release: [u32; 3]) -> bool {
        self.clauses.iter().all(|clause| clause.contains(release))
    }

    /// Whether some version that starts with these numbers is in the range.
    pub(super) fn may_contain(&self, known: &[u32]) -> bool {
        match *known {
            [major, minor, micro, ..] => self.contains_release([major, minor, micro]),
            [major, minor] => {
                // The answer can only change beside a number that a specifier names.
                let named = self.clauses.iter().filter_map(|clause| clause.numbers.get(2).copied());
                let beside =
                    named.flat_map(|micro| [micro.saturating_sub(1), micro, micro.saturating_add(1)]);
                [0, 1, u32::MAX]
                    .into_iter()
                    .chain(beside)
                    .any(|micro| self.contains_release([major, minor, micro]))
            }
            _ => true,
        }
    }
}

impl Clause {
    fn contains(&self, release: [u32; 3]) -> bool {
        let mut bound = [0; 3];
        bound[..self.numbers.len()].copy_from_slice(&self.numbers);
        match self.operator {
            Operator::AtLeast => release >= bound,
            Operator::AtMost => release <= bound,
            Operator::Below => release < bound,
            Operator::Above => release > bound,
            Operator::Equal if self.wildcard => release.starts_with(&self.numbers),
            Operator::Equal => release == bound,
            Operator::NotEqual if self.wildcard => !release.starts_with(&self.numbers),
            Operator::NotEqual => release != bound,
            Operator::Compatible => {
                release >= bound && release.starts_with(&self.numbers[..self.numbers.len() - 1])
            }
        }
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, clause) in self.clauses.iter().enumerate() {
            let sign =
                OPERATORS.iter().find(|(_, operator)| *operator == clause.operator).map_or("", |pair| pair.0);
            formatter.write_str(if index == 0 { "" } else { "," })?;
            formatter.write_str(sign)?;
            write_numbers(formatter, &clause.numbers)?;
            formatter.write_str(if clause.wildcard { ".*" } else { "" })?;
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
                let some_patch = (0..100).any(|micro| range(text).contains_release([3, minor, micro]));
                assert_eq!(range(text).may_contain(&[3, minor]), some_patch, "3.{minor} in {text}");
            }
        }
        assert!(range("==3.12.1").may_contain(&[]));
        assert!(!range("==3.12.1").may_contain(&[3, 12, 2]));
    }
}
