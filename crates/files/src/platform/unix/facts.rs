//! What is known of files: the standard library's facts of them, which have all on Unix.

use std::fs::{File, Metadata};
use std::io;
pub use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FileType, Stat};

use crate::kind::{Facts, FileKind};

/// How many bytes a block of `st_blocks` has (POSIX leaves it open, and everybody has these).
const BLOCK: u64 = 512;

/// Whether the system tells whose a file is.
pub const fn knows_owners() -> bool {
    true
}

/// Whether a file may be run, as far as its permission bits say.
pub fn is_executable(facts: &Metadata) -> bool {
    facts.permissions().mode() & 0o111 != 0
}

/// What tells a file from all others: the device and the inode.
pub(crate) fn identity(_path: &Path, facts: &Metadata) -> (u64, u64) {
    (facts.dev(), facts.ino())
}

/// What tells the file at a path from all others, links followed.
pub(crate) fn identity_at(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|facts| identity(path, &facts))
}

/// What tells an open file from all others.
pub(crate) fn identity_of_open(file: &File) -> io::Result<(u64, u64)> {
    file.metadata().map(|facts| (facts.dev(), facts.ino()))
}

/// How many names an open file has.
pub(crate) fn names_of_open(file: &File) -> io::Result<u64> {
    file.metadata().map(|facts| facts.nlink())
}

/// What the file system of a file is known by.
pub(crate) fn device(_path: &Path, facts: &Metadata) -> u64 {
    facts.dev()
}

/// How many names a file has.
pub(crate) fn names(_path: &Path, facts: &Metadata) -> u64 {
    facts.nlink()
}

/// How many bytes are read and written at once where a file is.
pub(crate) fn block_size(facts: &Metadata) -> u64 {
    facts.blksize()
}

/// How many bytes of the disk a file has.
pub(crate) fn allocated(facts: &Metadata) -> u64 {
    facts.blocks() * BLOCK
}

/// What the system says that it is.
pub(super) fn kind_of(facts: &Stat) -> FileKind {
    match FileType::from_raw_mode(facts.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Folder,
        FileType::Symlink => FileKind::Link,
        _ => FileKind::Other,
    }
}

#[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the types differ between systems")]
pub(super) fn facts_of(stat: &Stat) -> Facts {
    Facts {
        kind: kind_of(stat),
        size: stat.st_size.try_into().unwrap_or(0),
        mode: stat.st_mode as u32 & 0o7777,
        user: stat.st_uid,
        identity: (stat.st_dev as u64, stat.st_ino as u64),
    }
}
