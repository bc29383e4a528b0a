//! Where the store is unless somebody says otherwise, and whether two paths are one place.

use std::path::{Path, PathBuf};

use crate::fs;

/// The folder of the store where none is configured.
pub(super) fn default_home() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "virtpy")?.data_dir().to_path_buf())
}

/// Whether two paths lead to the same place; one that is not there is told by its path.
pub(super) fn is_same_place(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    real(one) == real(other)
}
