//! The words of Python packaging as values: versions (PEP 440), names (PEP 503), requirements and markers
//! (PEP 508), and the file names of wheels (PEP 427).
//!
//! Everything in virtpy that reads or compares one of these uses these types, so that one grammar holds
//! everywhere. Parsing is all they do; none of them touches the disk or the network.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use uv_distribution_filename::WheelFilename;
use uv_normalize::{ExtraName, PackageName};
use uv_pep440::{Operator, VersionSpecifiers};
use uv_pep508::{MarkerEnvironmentBuilder, VerbatimUrl, VersionOrUrl};
use uv_pypi_types::LenientRequirement;

use crate::nesting;
use crate::reword::reword;

/// Why a text is not what it should be: a version, a name, a requirement, the name of a wheel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}: {reason}")]
pub struct InvalidText {
    /// The text as it was given.
    pub text: String,
    /// What was expected, with its article, such as "a version (PEP 440)".
    pub expected: &'static str,
    /// What is wrong with the text.
    pub reason: String,
}

impl InvalidText {
    fn new(text: &str, expected: &'static str, reason: &impl fmt::Display) -> Self {
        Self { text: nesting::beginning(text), expected, reason: reword(&reason.to_string()) }
    }
}

/// A text that is no valid name of a package.
pub type InvalidName = InvalidText;

/// A version of a package (PEP 440). Compares by the order of the PEP, not as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub(crate) uv_pep440::Version);

impl Version {
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

/// The normalized form of a package's name (PEP 503): lower case, with single hyphens.
///
/// # Errors
///
/// When the text is no valid name: empty, or with other characters than letters, digits, `.`, `-`, `_`.
pub fn normalize_name(name: &str) -> Result<String, InvalidName> {
    PackageName::from_str(name)
        .map(|name| name.to_string())
        .map_err(|error| InvalidText::new(name, "the name of a package (PEP 503)", &error))
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

/// A requirement on a package (PEP 508): `rich[jupyter]>=13; python_version < "3.13"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement(uv_pep508::Requirement<VerbatimUrl>, String);

impl Requirement {
    /// The normalized name of the package.
    pub fn name(&self) -> &str {
        &self.1
    }

    /// The normalized extras that are asked for.
    pub fn extras(&self) -> Vec<String> {
        self.0.extras.iter().map(ToString::to_string).collect()
    }

    /// The URL of a direct reference (`name @ URL`), without credentials.
    pub fn url(&self) -> Option<String> {
        match &self.0.version_or_url {
            Some(VersionOrUrl::Url(url)) => Some(url.to_string()),
            _ => None,
        }
    }

    /// Whether the marker holds in an environment, for a package that was asked for with `extras`.
    /// A requirement without marker always applies.
    pub fn applies(&self, environment: &MarkerEnvironment, extras: &[String]) -> bool {
        let extras: Vec<ExtraName> =
            extras.iter().filter_map(|extra| ExtraName::from_str(extra).ok()).collect();
        self.0.evaluate_markers(&environment.0, &extras)
    }

    /// Whether an installed version satisfies the requirement. Any version does if there is no specifier or
    /// a URL instead of one; pre-releases are accepted, as they are there already.
    pub fn accepts(&self, version: &Version) -> bool {
        match &self.0.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers.contains(&version.0),
            Some(VersionOrUrl::Url(_)) | None => true,
        }
    }

    /// The only version that satisfies it: its only specifier is `===`, or `==` with a whole version.
    pub fn pinned_version(&self) -> Option<Version> {
        let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &self.0.version_or_url else { return None };
        let mut specifiers = specifiers.iter();
        match (specifiers.next(), specifiers.next()) {
            (Some(only), None) if matches!(only.operator(), Operator::Equal | Operator::ExactEqual) => {
                Some(Version(only.version().clone()))
            }
            _ => None,
        }
    }

    /// The version specifiers as text (`>=13,<14`); empty if there are none.
    pub fn specifiers(&self) -> String {
        match &self.0.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers.to_string(),
            Some(VersionOrUrl::Url(_)) | None => String::new(),
        }
    }
}

impl Requirement {
    /// Reads a requirement of a distribution's metadata, as the resolver does: spellings of old tools (`lib (>=1.0.*)`) are
    /// taken for what they mean.
    ///
    /// # Errors
    ///
    /// [`InvalidText`] for what cannot be understood so either.
    pub fn of_metadata(text: &str) -> Result<Self, InvalidText> {
        text.parse().or_else(|error: InvalidText| {
            let readable = nesting::check_requirement(text)
                .ok()
                .and_then(|()| LenientRequirement::<VerbatimUrl>::from_str(text).ok());
            let requirement = uv_pep508::Requirement::from(readable.ok_or(error)?);
            let name = requirement.name.to_string();
            Ok(Self(requirement, name))
        })
    }
}

impl FromStr for Requirement {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |reason: &dyn fmt::Display| {
            InvalidText::new(text, "a requirement (PEP 508)", &reason.to_string())
        };
        nesting::check_requirement(text).map_err(|reason| invalid(&reason))?;
        let requirement =
            uv_pep508::Requirement::<VerbatimUrl>::from_str(text).map_err(|error| invalid(&error.message))?;
        let name = requirement.name.to_string();
        Ok(Self(requirement, name))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The values of the environment markers (PEP 508) of one interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkerEnvironment(uv_pep508::MarkerEnvironment);

impl MarkerEnvironment {
    /// Makes an environment from the markers' names and values (`sys_platform` → `linux`, ...).
    ///
    /// # Errors
    ///
    /// When one of the eleven markers is missing, or one of the three versions is none.
    pub fn from_values(values: &BTreeMap<String, String>) -> Result<Self, InvalidText> {
        let value = |name: &'static str| {
            values.get(name).map(String::as_str).ok_or_else(|| InvalidText {
                text: name.to_owned(),
                expected: "an environment with all markers of PEP 508",
                reason: "this marker has no value".to_owned(),
            })
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
            .map_err(|error| InvalidText::new("the environment", "made of valid markers (PEP 508)", &error))
    }
}

/// The file name of a wheel, taken apart (PEP 427).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    /// The normalized name of the package.
    pub name: String,
    /// The version of the package.
    pub version: Version,
    /// The build tag, if there is one.
    pub build: Option<String>,
    /// The compatibility tags (PEP 425), written out: `py2.py3-none-any` gives `py2-none-any` and
    /// `py3-none-any`.
    pub tags: Vec<String>,
}

impl WheelName {
    /// Takes the file name of a wheel apart.
    ///
    /// # Errors
    ///
    /// When the text is not the file name of a wheel.
    pub fn parse(file_name: &str) -> Result<Self, InvalidText> {
        let expected = "the file name of a wheel (PEP 427)";
        let invalid = |reason: &dyn fmt::Display| InvalidText::new(file_name, expected, &reason.to_string());
        let parsed = WheelFilename::from_str(file_name).map_err(|error| invalid(&error))?;
        // The tags are taken from the text, so that ones this build has never heard of survive.
        let stem = file_name.strip_suffix(".whl").unwrap_or(file_name);
        let mut parts = stem.rsplitn(4, '-');
        let (Some(platforms), Some(abis), Some(pythons), Some(rest)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid(&"it has fewer than five parts"));
        };
        let build = parsed.build_tag().and_then(|_| rest.rsplit('-').next()).map(ToOwned::to_owned);
        let mut tags = Vec::new();
        for python in pythons.split('.') {
            for abi in abis.split('.') {
                tags.extend(platforms.split('.').map(|platform| format!("{python}-{abi}-{platform}")));
            }
        }
        Ok(Self { name: parsed.name.to_string(), version: Version(parsed.version), build, tags })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn metadata_of_old_tools_is_understood() {
        for (text, expected) in [("leaf (>=1.0.*)", ">=1.0"), ("leaf ~1.0", "")] {
            match Requirement::of_metadata(text) {
                Ok(requirement) => {
                    assert_eq!((requirement.name(), &*requirement.specifiers()), ("leaf", expected));
                }
                Err(_) => assert!(expected.is_empty(), "{text}"),
            }
            assert!(text.parse::<Requirement>().is_err(), "{text}");
        }
        assert!(Requirement::of_metadata(&format!("leaf{}", "(".repeat(5000))).is_err());
    }

    fn linux() -> MarkerEnvironment {
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
    fn names_are_normalized() {
        assert_eq!(normalize_name("Ruamel.YAML__clib").unwrap(), "ruamel-yaml-clib");
        assert!(normalize_name("no spaces").is_err());
    }

    #[test]
    fn requirements_give_their_parts() {
        let requirement: Requirement =
            "Rich[Jupyter] >=13, <14 ; python_version < '3.13' and extra == 'x'".parse().unwrap();
        assert_eq!(requirement.name(), "rich");
        assert_eq!(requirement.extras(), ["jupyter"]);
        assert_eq!(requirement.url(), None);
        assert_eq!(requirement.specifiers(), ">=13, <14");
        assert!(requirement.accepts(&version("13.5")));
        assert!(!requirement.accepts(&version("14")));
        assert!(requirement.applies(&linux(), &["X".to_owned()]));
        assert!(!requirement.applies(&linux(), &[]));
    }

    #[test]
    fn urls_and_bare_names_accept_every_version() {
        let direct: Requirement = "a @ https://example.com/a-1-py3-none-any.whl".parse().unwrap();
        assert_eq!(direct.url().as_deref(), Some("https://example.com/a-1-py3-none-any.whl"));
        assert!(direct.accepts(&version("9")));
        assert!("a".parse::<Requirement>().unwrap().accepts(&version("1.0a1")));
        assert!("a>=1.0a0".parse::<Requirement>().unwrap().accepts(&version("1.0b1")));
        assert!("a ==".parse::<Requirement>().is_err());
    }

    #[test]
    fn wheel_names_are_taken_apart() {
        let wheel = WheelName::parse("Foo_Bar-1.0-2a-py2.py3-none-any.whl").unwrap();
        assert_eq!(wheel.name, "foo-bar");
        assert_eq!(wheel.version, version("1.0"));
        assert_eq!(wheel.build.as_deref(), Some("2a"));
        assert_eq!(wheel.tags, ["py2-none-any", "py3-none-any"]);
        let wheel =
            WheelName::parse("x-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl").unwrap();
        assert_eq!(wheel.build, None);
        assert_eq!(wheel.tags.len(), 2);
        assert!(WheelName::parse("foo-1.0.tar.gz").is_err());
        assert!(WheelName::parse("../foo-1.0-py3-none-any.whl").is_err());
    }

    #[test]
    fn python_versions_are_accepted_or_not() {
        assert!(accepts_python(">=3.8,<4", &version("3.12.1")).unwrap());
        assert!(accepts_python(">=3.14", &version("3.14.0rc1")).unwrap());
        assert!(!accepts_python(">=3.13", &version("3.12.1")).unwrap());
        assert!(accepts_python("three", &version("3.12.1")).is_err());
    }

    #[test]
    fn an_environment_needs_all_markers() {
        let error = MarkerEnvironment::from_values(&BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("implementation_name"));
    }
}
