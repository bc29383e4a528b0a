//! As whom this process works, and what belongs to that user.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::OnceLock;

/// Whether this process may write everywhere, whatever the permissions say.
pub fn is_root() -> bool {
    effective_user() == 0
}

/// The user as whom this process reads and writes, which stays the same as long as it runs: the system is asked once.
pub fn effective_user() -> u32 {
    static USER: OnceLock<u32> = OnceLock::new();
    *USER.get_or_init(|| rustix::process::geteuid().as_raw())
}

/// Whether a file or a folder, no link, belongs to who runs this, or to root.
pub fn is_own(path: &Path) -> bool {
    std::fs::symlink_metadata(path)
        .is_ok_and(|facts| !facts.is_symlink() && (facts.uid() == effective_user() || facts.uid() == 0))
}
