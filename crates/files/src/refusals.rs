//! Why something is refused that the system would do.

use std::io;

pub(super) fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

pub(super) fn leads_outside() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it leads out of the folder")
}

/// A link, or a file, in place of a folder.
pub(super) fn no_folder_on_the_way() -> io::Error {
    io::Error::new(io::ErrorKind::NotADirectory, "a link or a file is in place of a folder on its way")
}
