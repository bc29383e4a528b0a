//! Versions, and what `Requires-Python` says of them (PEP 440).

use std::fmt;
use std::str::FromStr;

use uv_pep440::VersionSpecifiers;

use crate::InvalidText;

/// A version of a package (PEP 440). Compares by the order of the PEP, not as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub(crate) uv_pep440::Version);

impl Version {
    /// A final release with these numbers.
    pub fn of_release(numbers: impl IntoIterator<Item = u64>) -> Self {
        Self(uv_pep440::Version::new(numbers))
    }

    /// Whether this is a pre-release or a development release (`1.0a1`, `1.0.dev3`).
    pub fn is_prerelease(&self) -> bool {
        self.0.any_prerelease()
    }

    /// The numbers of the release, without epoch and suffixes: `[3, 12, 1]` for `3.12.1rc1`.
    pub fn release(&self) -> Vec<u64> {
        self.0.release().to_vec()
    }
}

impl FromStr for Version {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uv_pep440::Version::from_str(text)
            .map(Self)
            .map_err(|error| InvalidText::new(text, "a version (PEP 440)", &error))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl From<uv_pep440::Version> for Version {
    fn from(version: uv_pep440::Version) -> Self {
        Self(version)
    }
}

impl From<Version> for uv_pep440::Version {
    fn from(version: Version) -> Self {
        version.0
    }
}

/// Whether a `Requires-Python` value admits a version of Python.
///
/// # Errors
///
/// When the value is not a list of version specifiers (PEP 440).
pub fn accepts_python(requires_python: &str, version: &Version) -> Result<bool, InvalidText> {
    let specifiers = VersionSpecifiers::from_str(requires_python)
        .map_err(|error| InvalidText::new(requires_python, "a `Requires-Python` value", &error))?;
    // A pre-release of an interpreter counts as its release: 3.14.0rc1 satisfies `>=3.14`.
    Ok(specifiers.contains(&version.0.only_release()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_compare_as_pep_440_says() {
        assert!(version("1.10") > version("1.9"));
        assert!(version("1.0rc1") < version("1.0"));
        assert!(version("1.0.post1") > version("1.0"));
        assert_eq!(version("1.0"), version("1.0.0"));
        assert!(version("1!0.1") > version("2.0"));
        assert!(version("1.0.dev1").is_prerelease());
        assert!(!version("1.0.post1").is_prerelease());
        assert_eq!(version("3.12.1rc1").release(), [3, 12, 1]);
        assert!("one".parse::<Version>().unwrap_err().to_string().contains("`one`"));
    }

    #[test]
    fn python_versions_are_accepted_or_not() {
        assert!(accepts_python(">=3.8,<4", &version("3.12.1")).unwrap());
        assert!(accepts_python(">=3.14", &version("3.14.0rc1")).unwrap());
        assert!(!accepts_python(">=3.13", &version("3.12.1")).unwrap());
        assert!(accepts_python("three", &version("3.12.1")).is_err());
    }
}
