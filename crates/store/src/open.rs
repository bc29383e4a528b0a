//! Folders of entries that can be written for a moment, by whoever holds the entry.

use std::path::{Path, PathBuf};

use virtpy_files as fs;

use super::StoreError;

/// A read-only folder, perhaps an immutable one, that can be written until this is dropped.
#[derive(Debug)]
pub(super) struct OpenFolder {
    path: PathBuf,
    is_immutable: bool,
}

impl OpenFolder {
    /// Lets a folder be written.
    ///
    /// # Errors
    /// When it is missing, or somebody else's.
    pub(super) fn at(path: &Path) -> Result<Self, StoreError> {
        let is_immutable = release(path)?;
        let open = Self { path: path.to_path_buf(), is_immutable };
        fs::set_mode(path, 0o755)?;
        Ok(open)
    }

    /// Protects a file that came into the folder as the folder was protected.
    ///
    /// # Errors
    /// When this process may not.
    pub(super) fn seal(&self, file: &Path) -> Result<(), StoreError> {
        if self.is_immutable {
            fs::set_immutable(file, true)?;
        }
        Ok(())
    }
}

impl Drop for OpenFolder {
    /// Failing is no reason to fail: the next look finds a folder that can be written, and closes it.
    fn drop(&mut self) {
        let _ = fs::set_mode(&self.path, 0o555);
        if self.is_immutable {
            let _ = fs::set_immutable(&self.path, true);
        }
    }
}

/// Takes the immutable flag off where there is one. Only root can have set it. Returns whether there was one.
///
/// # Errors
/// When this process may not.
pub(super) fn release(path: &Path) -> Result<bool, StoreError> {
    if !fs::is_root() || !fs::is_immutable(path) {
        return Ok(false);
    }
    fs::set_immutable(path, false)?;
    Ok(true)
}

/// Changes a mode or a time of a file or a folder that may bear the immutable flag, which it bears again afterwards.
///
/// # Errors
/// When this process may not take the flag off, or the change fails.
pub(super) fn while_released(
    path: &Path,
    change: impl FnOnce() -> Result<(), fs::PathError>,
) -> Result<(), StoreError> {
    let was_immutable = release(path)?;
    let changed = change();
    if was_immutable {
        fs::set_immutable(path, true)?;
    }
    Ok(changed?)
}
