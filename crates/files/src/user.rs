//! As whom this process works, and what belongs to that user.

use std::path::Path;

use super::platform::{self, MetadataExt as _};

/// Whether this process may write everywhere, whatever the permissions say.
pub fn is_root() -> bool {
    effective_user() == 0
}

/// The user as whom this process reads and writes. On Windows nothing belongs to it, as far as is known: users have no numbers there.
pub fn effective_user() -> u32 {
    platform::effective_user()
}

/// Whether a file or a folder, no link, belongs to who runs this, or to root. On Windows that is not known of any.
pub fn is_own(path: &Path) -> bool {
    std::fs::symlink_metadata(path)
        .is_ok_and(|facts| !facts.is_symlink() && (facts.uid() == effective_user() || facts.uid() == 0))
}
