//! The parsers of virtpy, compiled again without the resolver and the hundreds of crates behind it, and what must
//! hold of them whatever they are fed.

// The parsers are compiled here as they are; not everything in them is used.
#![allow(dead_code, unused_imports, unreachable_pub)]

// `virtpy_resolver` lends two grammars to src/wheel; here this crate takes its place.
extern crate self as virtpy_resolver;

#[path = "../../src/archive/mod.rs"]
pub mod archive;
#[path = "../../src/venv/config.rs"]
pub mod config;
#[path = "../../src/fs/mod.rs"]
pub mod fs;
pub mod mend;
pub mod oracles;
#[path = "../../src/wheel/mod.rs"]
pub mod wheel;

use std::str::FromStr as _;

pub use uv_pep440::Version;

/// Where the oracles look for `Config`.
pub mod venv {
    pub use crate::config::Config;
}

/// As `virtpy_resolver::normalize_name`, with another error.
///
/// # Errors
/// When the text is no name.
pub fn normalize_name(name: &str) -> Result<String, uv_normalize::InvalidNameError> {
    uv_normalize::PackageName::from_str(name).map(|name| name.to_string())
}
