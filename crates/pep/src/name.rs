//! Names of packages (PEP 503).

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{InvalidName, InvalidText};

/// The name of a package in its normalized form (PEP 503): lower case, with single hyphens. Two spellings of one name are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PackageName(String);

impl PackageName {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text is any spelling of this name.
    pub fn is_spelled(&self, text: &str) -> bool {
        text.parse::<Self>().is_ok_and(|name| name == *self)
    }
}

impl FromStr for PackageName {
    type Err = InvalidName;

    /// Normalizes a name.
    ///
    /// # Errors
    ///
    /// When the text is not a valid name: empty, or with other characters than letters, digits, `.`, `-`, `_`.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        uv_normalize::PackageName::from_str(text)
            .map(|name| Self(name.to_string()))
            .map_err(|error| InvalidText::new(text, "the name of a package (PEP 503)", &error))
    }
}

impl TryFrom<String> for PackageName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<PackageName> for String {
    fn from(name: PackageName) -> Self {
        name.0
    }
}

impl From<&uv_normalize::PackageName> for PackageName {
    fn from(name: &uv_normalize::PackageName) -> Self {
        Self(name.to_string())
    }
}

impl Deref for PackageName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Text compares and hashes as the name does, so that sets and maps can be asked with it.
impl Borrow<str> for PackageName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for PackageName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for PackageName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for PackageName {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalized() {
        let name: PackageName = "Ruamel.YAML__clib".parse().unwrap();
        assert_eq!(name, "ruamel-yaml-clib");
        assert!(name.is_spelled("ruamel_yaml.clib"));
        assert!(!name.is_spelled("ruamel"));
        for wrong in ["", "no spaces", "-a", "a-", "ä", "a/b"] {
            assert!(wrong.parse::<PackageName>().is_err(), "{wrong}");
        }
    }
}
