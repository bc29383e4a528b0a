//! A distribution as lists and sentences name it.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// The name and the version of a distribution, each as it is spelled where it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
pub struct NamedVersion {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl NamedVersion {
    /// Puts them together.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into() }
    }
}

impl fmt::Display for NamedVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.name, self.version)
    }
}
