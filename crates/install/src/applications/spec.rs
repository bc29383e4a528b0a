//! What is wanted of an application: what is known of it, and from where and how it is to come.

use std::borrow::Cow;
use std::path::PathBuf;

use virtpy_pep::{NamedVersion, Requirement, Version};

use crate::IndexOptions;
use crate::tools::Manifest;

/// What `APP@VERSION` and `APP@latest` mean: a requirement, and whether the newest version is asked for.
pub fn versioned(spec: &str) -> (Cow<'_, str>, bool) {
    let Some((app, version)) = spec.split_once('@') else { return (Cow::Borrowed(spec), false) };
    let is_name =
        app.parse::<Requirement>().is_ok_and(|one| one.url().is_none() && one.specifiers().is_empty());
    if !is_name || app.ends_with(' ') {
        return (Cow::Borrowed(spec), false);
    }
    if version == "latest" {
        return (Cow::Borrowed(app), true);
    }
    match version.parse::<Version>() {
        Ok(_) => (Cow::Owned(format!("{app}=={version}")), false),
        Err(_) => (Cow::Borrowed(spec), false),
    }
}

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
    /// Whether what was injected into an application that is there already is kept.
    pub keep_injected: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_may_stand_behind_an_at_sign() {
        for (spec, requirement, newest) in [
            ("black@24.1.0", "black==24.1.0", false),
            ("black[d]@24.1", "black[d]==24.1", false),
            ("black@latest", "black", true),
            ("black", "black", false),
            ("black>=24", "black>=24", false),
            ("black @ https://h/black.whl", "black @ https://h/black.whl", false),
            ("black@https://h/black.whl", "black@https://h/black.whl", false),
            ("git+https://h/black@main", "git+https://h/black@main", false),
            ("./black@2", "./black@2", false),
        ] {
            assert_eq!(versioned(spec), (Cow::Borrowed(requirement), newest), "{spec}");
        }
    }
}
