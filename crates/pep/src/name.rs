//! Names of packages (PEP 503).

use std::str::FromStr as _;

use uv_normalize::PackageName;

use crate::{InvalidName, InvalidText};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalized() {
        assert_eq!(normalize_name("Ruamel.YAML__clib").unwrap(), "ruamel-yaml-clib");
        assert!(normalize_name("no spaces").is_err());
    }
}
