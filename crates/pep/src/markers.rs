//! The environment that markers are evaluated in (PEP 508).

use std::collections::BTreeMap;

use uv_pep508::MarkerEnvironmentBuilder;

use crate::InvalidText;

/// The values of the environment markers (PEP 508) of one interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkerEnvironment(pub(crate) uv_pep508::MarkerEnvironment);

impl MarkerEnvironment {
    /// That of `CPython` 3.12 on Linux: for what is only looked at, as tests do.
    pub fn example() -> Self {
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
        Self::from_values(&values).unwrap_or_else(|error| unreachable!("it is complete: {error}"))
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_needs_all_markers() {
        let error = MarkerEnvironment::from_values(&BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("implementation_name"));
    }
}
