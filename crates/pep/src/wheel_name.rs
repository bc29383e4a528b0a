//! File names of wheels (PEP 427) and the tags in them (PEP 425).

use std::fmt;
use std::str::FromStr as _;

use uv_distribution_filename::WheelFilename;

use crate::{InvalidText, Version};

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
}
