//! Windows, which keeps pipes and devices out of folders.

use std::fs::FileType;

/// What something is that is neither a file nor a folder.
pub(crate) fn special_kind(_kind: FileType) -> &'static str {
    "a link that leads nowhere, or something that only its own program understands"
}
