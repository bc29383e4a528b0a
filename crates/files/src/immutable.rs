//! The immutable flag of files and folders (`chattr +i`): what bears it cannot be changed, replaced or removed, by root
//! neither, before it is taken off again. Linux only, and only on file systems that know it.

use std::path::Path;

use super::{PathError, platform};

/// Whether a file or a folder bears the flag; not where the system cannot tell.
pub fn is_immutable(path: &Path) -> bool {
    platform::is_immutable(path)
}

/// Sets the flag of a file or a folder, or takes it off. A link is refused, never followed.
///
/// # Errors
/// When the file system knows no such flag, or this process lacks the right (`CAP_LINUX_IMMUTABLE`).
pub fn set_immutable(path: &Path, immutable: bool) -> Result<(), PathError> {
    use super::IoResultExt as _;
    platform::set_immutable(path, immutable).at("set the immutable flag of", path)
}
