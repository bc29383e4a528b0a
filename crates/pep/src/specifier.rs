//! Single version specifiers (PEP 440).

use std::fmt;
use std::str::FromStr;

use uv_pep440::{Operator, VersionSpecifier};

use crate::{InvalidText, Version};

/// One clause of a version specifier (PEP 440): `>=3.9`, `==3.12.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specifier(VersionSpecifier);

impl Specifier {
    /// Whether it admits a version.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.contains(&version.0)
    }

    /// The numbers of the release that it names: `[3, 12]` for `==3.12.*`.
    pub fn release(&self) -> Vec<u64> {
        self.0.version().release().to_vec()
    }

    /// Whether it names nothing but the numbers of a release, and is not `===`, which compares texts.
    pub fn is_of_releases(&self) -> bool {
        let version = self.0.version();
        *self.0.operator() != Operator::ExactEqual && *version == version.only_release()
    }
}

impl FromStr for Specifier {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        VersionSpecifier::from_str(text)
            .map(Self)
            .map_err(|error| InvalidText::new(text, "a version specifier (PEP 440)", &error))
    }
}

impl fmt::Display for Specifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_told_from_what_stands_before_and_after_them() {
        let specifier = |text: &str| text.parse::<Specifier>().unwrap();
        for (text, release) in [(">= 3.9", &[3, 9][..]), ("==3.12.*", &[3, 12]), ("~=3.9.2", &[3, 9, 2])] {
            assert!(specifier(text).is_of_releases(), "{text}");
            assert_eq!(specifier(text).release(), release);
        }
        for text in [">=3.13rc1", "<1!3", "==3.post1", "===3.9", "==3+x"] {
            assert!(!specifier(text).is_of_releases(), "{text}");
        }
        assert!(specifier("!=3.12.*").contains(&Version::of_release([3, 13, 0])));
        assert!("3.9".parse::<Specifier>().is_err());
    }
}
