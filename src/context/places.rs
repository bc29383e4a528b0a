//! Where the store is unless somebody says otherwise.

use std::path::PathBuf;

/// The folder of the store where none is configured.
pub(super) fn default_home() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "virtpy")?.data_dir().to_path_buf())
}
