//! What was found in a wheel's modules.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What a wheel's modules that climb need of a venv. Paths are in `site-packages`, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Climbing {
    /// The folders that have to be real, those above them left out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub folders: BTreeSet<String>,
    /// The modules that have to be real files, since they resolve their own path.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub files: BTreeSet<String>,
}

impl Climbing {
    /// Whether no module climbs.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty()
    }
}
