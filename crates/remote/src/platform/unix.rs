//! Unix: pipes, sockets and devices.

use std::fs::FileType;
use std::os::unix::fs::FileTypeExt as _;

/// What something is that is neither a file nor a folder.
pub(crate) fn special_kind(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}
