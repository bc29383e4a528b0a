//! The words of the field: versions, names, requirements, markers. Thin wrappers, so that the rest of virtpy
//! means exactly what uv's crates mean by them without naming those crates.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use uv_normalize::{ExtraName, PackageName};
use uv_pep508::{MarkerEnvironmentBuilder, VersionOrUrl};
use uv_pypi_types::VerbatimParsedUrl;

/// A text that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: {reason}")]
pub struct InvalidText {
    kind: &'static str,
    text: String,
    reason: String,
}

impl InvalidText {
    fn new(kind: &'static str, text: &str, reason: impl fmt::Display) -> Self {
        // The library's messages go on with the text and a marker line below; the first line says it all.
        let reason = reason.to_string();
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        Self { kind, text: text.to_owned(), reason }
    }
}

/// A version (PEP 440).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(uv_pep440::Version);

impl Version {
    /// Whether it is an alpha, a beta, a release candidate or a development release.
    pub fn is_prerelease(&self) -> bool {
        self.0.any_prerelease()
    }
}

impl FromStr for Version {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        uv_pep440::Version::from_str(text).map(Self).map_err(|error| InvalidText::new("version", text, error))
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

/// The normalized form of a distribution's or an extra's name (PEP 503).
///
/// # Errors
/// When the text is no name.
pub fn normalize_name(text: &str) -> Result<String, InvalidText> {
    PackageName::from_str(text)
        .map(|name| name.to_string())
        .map_err(|error| InvalidText::new("name", text, error))
}

/// The values of the environment markers of one interpreter (PEP 508).
#[derive(Debug, Clone)]
pub struct MarkerEnvironment(uv_pep508::MarkerEnvironment);

impl MarkerEnvironment {
    /// Takes the values by the names that PEP 508 gives them.
    ///
    /// # Errors
    /// When one is missing, or a version is none.
    pub fn from_values(values: &BTreeMap<String, String>) -> Result<Self, InvalidText> {
        let value = |name: &'static str| {
            values
                .get(name)
                .map(String::as_str)
                .ok_or_else(|| InvalidText::new("set of markers", name, "the interpreter does not tell it"))
        };
        let builder = MarkerEnvironmentBuilder {
            implementation_name: value("implementation_name")?,
            implementation_version: value("implementation_version")?,
            os_name: value("os_name")?,
            platform_machine: value("platform_machine")?,
            platform_python_implementation: value("platform_python_implementation")?,
            platform_release: value("platform_release")?,
            platform_system: value("platform_system")?,
            platform_version: value("platform_version")?,
            python_full_version: value("python_full_version")?,
            python_version: value("python_version")?,
            sys_platform: value("sys_platform")?,
        };
        uv_pep508::MarkerEnvironment::try_from(builder)
            .map(Self)
            .map_err(|error| InvalidText::new("set of markers", "python_full_version", error))
    }
}

/// A requirement (PEP 508).
#[derive(Debug, Clone)]
pub struct Requirement {
    inner: uv_pep508::Requirement<VerbatimParsedUrl>,
    name: String,
}

impl Requirement {
    /// The distribution's normalized name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The extras asked for, normalized.
    pub fn extras(&self) -> Vec<String> {
        self.inner.extras.iter().map(ToString::to_string).collect()
    }

    /// The URL of a direct reference.
    pub fn url(&self) -> Option<String> {
        match &self.inner.version_or_url {
            Some(VersionOrUrl::Url(url)) => Some(url.to_string()),
            _ => None,
        }
    }

    /// Whether its markers hold in an environment, for somebody who wants these extras of the distribution that
    /// has this requirement.
    pub fn applies(&self, environment: &MarkerEnvironment, extras: &[String]) -> bool {
        let extras: Vec<ExtraName> =
            extras.iter().filter_map(|extra| ExtraName::from_str(extra).ok()).collect();
        self.inner.evaluate_markers(&environment.0, &extras)
    }

    /// Whether an installed version meets it. A direct reference is met by whatever version its source has, and
    /// an installed pre-release counts like any version.
    pub fn accepts(&self, version: &Version) -> bool {
        match &self.inner.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers.contains(&version.0),
            _ => true,
        }
    }
}

impl FromStr for Requirement {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let inner = uv_pep508::Requirement::<VerbatimParsedUrl>::from_str(text)
            .map_err(|error| InvalidText::new("requirement", text, error))?;
        let name = inner.name.to_string();
        Ok(Self { inner, name })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> MarkerEnvironment {
        let values = [
            ("implementation_name", "cpython"),
            ("implementation_version", "3.12.1"),
            ("os_name", "posix"),
            ("platform_machine", "x86_64"),
            ("platform_python_implementation", "CPython"),
            ("platform_release", "6.1"),
            ("platform_system", "Linux"),
            ("platform_version", "#1"),
            ("python_full_version", "3.12.1"),
            ("python_version", "3.12"),
            ("sys_platform", "linux"),
        ];
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        MarkerEnvironment::from_values(&values).unwrap()
    }

    #[test]
    fn names_are_one_in_every_spelling() {
        for text in ["Foo.Bar", "foo_bar", "FOO--bar"] {
            assert_eq!(normalize_name(text).unwrap(), "foo-bar");
        }
        assert!(normalize_name("../x").is_err());
    }

    #[test]
    fn versions_are_ordered_as_pep_440_says() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("1.10") > version("1.9"));
        assert!(version("1.0rc1") < version("1.0") && version("1.0rc1").is_prerelease());
        assert_eq!(version("1.0"), version("1.0.0"));
        assert!("one".parse::<Version>().is_err());
    }

    #[test]
    fn requirements_apply_and_accept() {
        let environment = environment();
        let requirement: Requirement = "Black[d]>=23,<25 ; python_version >= '3.8'".parse().unwrap();
        assert_eq!((requirement.name(), requirement.extras()), ("black", vec!["d".to_owned()]));
        assert!(requirement.applies(&environment, &[]));
        assert!(requirement.accepts(&"24.1".parse().unwrap()));
        assert!(!requirement.accepts(&"25.0".parse().unwrap()));
        let extra: Requirement = "pytest ; extra == 'test'".parse().unwrap();
        assert!(!extra.applies(&environment, &[]));
        assert!(extra.applies(&environment, &["test".to_owned()]));
        assert!("rich >".parse::<Requirement>().is_err());
    }

    #[test]
    fn an_interpreter_that_does_not_tell_is_refused() {
        let error = MarkerEnvironment::from_values(&BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("implementation_name"), "{error}");
    }
}
