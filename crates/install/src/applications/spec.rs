//! What is wanted of an application: what is known of it, and from where and how it is to come.

use std::path::PathBuf;

use virtpy_pep::NamedVersion;

use crate::IndexOptions;
use crate::tools::Manifest;

/// What is wanted of an application.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct ToolSpec {
    /// What is known of the application; without a package's name the request tells it.
    pub manifest: Manifest,
    /// Where packages come from.
    pub index: IndexOptions,
    /// Versions that are kept where that is possible.
    pub preferred: Vec<NamedVersion>,
    /// Requirements that limit the versions.
    pub constraints: Vec<String>,
    /// A lock file that is followed exactly.
    pub lock: Option<PathBuf>,
    /// Whether an interpreter may be installed for it.
    pub downloads: bool,
    /// Whether the indexes are asked for the newest, whatever they said a few minutes ago.
    pub upgrade: bool,
    /// Whether an application that would come out the same is left as it is.
    pub keep_same: bool,
    /// Whether it is only run, and not installed.
    pub is_run: bool,
}

impl ToolSpec {
    /// For what a manifest says, from where it says.
    pub fn of(manifest: Manifest) -> Self {
        let index = IndexOptions::of(&manifest.origin);
        Self { manifest, index, downloads: true, ..Self::default() }
    }

    /// The specification with other indexes: what is asked of them now goes before what is remembered.
    #[must_use]
    pub fn asking(mut self, index: &IndexOptions) -> Self {
        self.index = self.index.overridden(index);
        self
    }
}
