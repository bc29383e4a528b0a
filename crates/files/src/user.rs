//! As whom this process works, and what belongs to that user.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Whether this process may write everywhere, whatever the permissions say.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The user as whom this process reads and writes.
pub fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether a file or a folder, no link, belongs to who runs this, or to root.
pub fn is_own(path: &Path) -> bool {
    std::fs::symlink_metadata(path)
        .is_ok_and(|facts| !facts.is_symlink() && (facts.uid() == effective_user() || facts.uid() == 0))
}
