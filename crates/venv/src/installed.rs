//! What a venv's state says of a distribution that virtpy installed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use virtpy_pep::{NamedVersion, PackageName, WheelHash};
use virtpy_store::{LinkedWheel, is_pip_shim};

/// A distribution that virtpy installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The package that it is of: its normalized name (PEP 503).
    #[serde(rename = "key")]
    pub package: PackageName,
    /// Its name as its METADATA spells it.
    pub name: String,
    /// Its version as its METADATA spells it.
    pub version: String,
    /// The SHA-256 of its wheel.
    pub sha256: WheelHash,
    /// The name of its dist-info folder.
    pub dist_info: String,
    /// Whether somebody asked for it by name.
    pub requested: bool,
    /// The text of its `direct_url.json`, for one that did not come from an index.
    pub direct_url: Option<String>,
    /// Its requirements, each a PEP 508 text.
    pub requires_dist: Vec<String>,
    /// Its extras.
    pub provides_extra: Vec<String>,
    /// Whether this venv has a copy of its own instead of links: it was detached, or the settings ask for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copied: bool,
    /// Whether its wheel was built on this machine: another build of the same source has another hash.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub built: bool,
    /// The lower store that the links lead into, by its folder; nothing for the user's own.
    #[serde(rename = "store", default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<PathBuf>,
}

impl Installed {
    /// The wheel, and where it was linked from.
    pub fn linked(&self) -> LinkedWheel<'_> {
        LinkedWheel { sha256: &self.sha256, layer: self.layer.as_deref() }
    }

    /// Its name and version, as its METADATA spells them.
    pub fn label(&self) -> NamedVersion {
        NamedVersion::new(&self.name, &self.version)
    }

    /// Whether it is virtpy's own pip.
    pub fn is_pip_shim(&self) -> bool {
        is_pip_shim(&self.package, &self.version)
    }
}
