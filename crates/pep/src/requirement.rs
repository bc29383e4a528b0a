//! Requirements (PEP 508), strict and as the metadata of old tools spells them.

use std::fmt;
use std::str::FromStr;

use uv_normalize::ExtraName;
use uv_pep440::Operator;
use uv_pep508::{VerbatimUrl, VersionOrUrl};
use uv_pypi_types::LenientRequirement;

use crate::limits::check_requirement;
use crate::{InvalidText, MarkerEnvironment, PackageName, Version};

/// A requirement on a package (PEP 508): `rich[jupyter]>=13; python_version < "3.13"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement(uv_pep508::Requirement<VerbatimUrl>, PackageName);

impl Requirement {
    /// The name of the package.
    pub fn name(&self) -> &PackageName {
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
            let readable = check_requirement(text)
                .ok()
                .and_then(|()| LenientRequirement::<VerbatimUrl>::from_str(text).ok());
            let requirement = uv_pep508::Requirement::from(readable.ok_or(error)?);
            let name = PackageName::from(&requirement.name);
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
        check_requirement(text).map_err(|reason| invalid(&reason))?;
        let requirement =
            uv_pep508::Requirement::<VerbatimUrl>::from_str(text).map_err(|error| invalid(&error.message))?;
        let name = PackageName::from(&requirement.name);
        Ok(Self(requirement, name))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MarkerEnvironment;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn metadata_of_old_tools_is_understood() {
        for (text, expected) in [("leaf (>=1.0.*)", ">=1.0"), ("leaf ~1.0", "")] {
            match Requirement::of_metadata(text) {
                Ok(requirement) => {
                    assert_eq!((requirement.name().as_str(), &*requirement.specifiers()), ("leaf", expected));
                }
                Err(_) => assert!(expected.is_empty(), "{text}"),
            }
            assert!(text.parse::<Requirement>().is_err(), "{text}");
        }
        assert!(Requirement::of_metadata(&format!("leaf{}", "(".repeat(5000))).is_err());
    }

    #[test]
    fn requirements_give_their_parts() {
        let requirement: Requirement =
            "Rich[Jupyter] >=13, <14 ; python_version < '3.13' and extra == 'x'".parse().unwrap();
        assert_eq!(*requirement.name(), "rich");
        assert_eq!(requirement.extras(), ["jupyter"]);
        assert_eq!(requirement.url(), None);
        assert_eq!(requirement.specifiers(), ">=13, <14");
        assert!(requirement.accepts(&version("13.5")));
        assert!(!requirement.accepts(&version("14")));
        assert!(requirement.applies(&MarkerEnvironment::example(), &["X".to_owned()]));
        assert!(!requirement.applies(&MarkerEnvironment::example(), &[]));
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
}
