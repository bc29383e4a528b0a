//! What is known of files: what the standard library's facts have on Windows, under the names that Unix has for it, and what has to
//! be asked of an open file.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::windows::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use winapi_util::file::{Information, information};

use super::opening::open_to_look;
use crate::kind::Facts;

/// Whose everything is: nobody's who is known.
pub(super) const UNKNOWN_USER: u32 = u32::MAX;

/// From the beginning of Windows' clock (1601) to that of Unix's (1970), in seconds.
const BETWEEN_THE_CLOCKS: i64 = 11_644_473_600;

/// How many steps Windows' clock makes in a second, and how many nanoseconds each has.
const STEPS: u64 = 10_000_000;
const STEP: i64 = 100;

/// Facts of files by the names that they have on Unix, as far as Windows tells them.
pub trait MetadataExt {
    /// The user to whom it belongs, which is not known: a number that is no user's, this process's neither.
    fn uid(&self) -> u32;
    /// Its permission bits, of which Windows has one: whether anybody may write. That others may is taken for granted otherwise.
    fn mode(&self) -> u32;
    /// When it was changed last, in seconds since 1970.
    fn mtime(&self) -> i64;
    /// The part of a second of that time, in nanoseconds.
    fn mtime_nsec(&self) -> i64;
    /// When anything about it was changed. The standard library does not tell that time on Windows; this is the other one, which can be set
    /// at will.
    fn ctime(&self) -> i64;
    /// The part of a second of that time, in nanoseconds.
    fn ctime_nsec(&self) -> i64;
}

impl MetadataExt for Metadata {
    fn uid(&self) -> u32 {
        UNKNOWN_USER
    }

    fn mode(&self) -> u32 {
        self.permissions().mode()
    }

    fn mtime(&self) -> i64 {
        i64::try_from(self.last_write_time() / STEPS).unwrap_or(i64::MAX) - BETWEEN_THE_CLOCKS
    }

    fn mtime_nsec(&self) -> i64 {
        i64::try_from(self.last_write_time() % STEPS).unwrap_or_default() * STEP
    }

    fn ctime(&self) -> i64 {
        self.mtime()
    }

    fn ctime_nsec(&self) -> i64 {
        self.mtime_nsec()
    }
}

/// Permission bits, as far as Windows has them.
pub trait PermissionsExt {
    /// See [`MetadataExt::mode`].
    fn mode(&self) -> u32;
}

impl PermissionsExt for Permissions {
    fn mode(&self) -> u32 {
        if self.readonly() { 0o444 } else { 0o666 }
    }
}

/// Reading and writing at a place in a file, which moves the file's own position on Windows.
pub trait FileExt {
    /// Reads from a place on, and returns how many bytes that were.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn read_at(&self, content: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Reads as much as fits.
    ///
    /// # Errors
    /// When the file cannot be read, or ends before.
    fn read_exact_at(&self, content: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of it at a place.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn write_all_at(&self, content: &[u8], offset: u64) -> io::Result<()>;
}

impl FileExt for File {
    fn read_at(&self, content: &mut [u8], offset: u64) -> io::Result<usize> {
        self.seek_read(content, offset)
    }

    fn read_exact_at(&self, content: &mut [u8], offset: u64) -> io::Result<()> {
        let mut filled = 0;
        while filled < content.len() {
            match self.seek_read(&mut content[filled..], offset + filled as u64) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => filled += read?,
            }
        }
        Ok(())
    }

    fn write_all_at(&self, content: &[u8], offset: u64) -> io::Result<()> {
        let mut written = 0;
        while written < content.len() {
            match self.seek_write(&content[written..], offset + written as u64) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                count => written += count?,
            }
        }
        Ok(())
    }
}

/// Whether the system tells whose a file is.
pub const fn knows_owners() -> bool {
    false
}

/// Whether a file may be run: Windows asks for no permission bit.
pub fn is_executable(facts: &Metadata) -> bool {
    facts.is_file()
}

/// What tells a file from all others: the volume and the number of the file on it. Of what cannot be opened it is a pair that no file
/// has.
pub(crate) fn identity(path: &Path, facts: &Metadata) -> (u64, u64) {
    let found = open_to_look(path, !facts.is_symlink()).and_then(|file| identity_of_open(&file));
    found.unwrap_or((u64::MAX, u64::MAX))
}

/// What tells the file at a path from all others, links followed.
pub(crate) fn identity_at(path: &Path) -> io::Result<(u64, u64)> {
    open_to_look(path, true).and_then(|file| identity_of_open(&file))
}

/// What tells an open file from all others.
pub(crate) fn identity_of_open(file: &File) -> io::Result<(u64, u64)> {
    information(file).map(|known| identity_in(&known))
}

fn identity_in(known: &Information) -> (u64, u64) {
    (known.volume_serial_number(), known.file_index())
}

/// What the file system of a file is known by.
pub(crate) fn device(path: &Path, facts: &Metadata) -> u64 {
    identity(path, facts).0
}

/// How many names a file has; none where that cannot be found out.
pub(crate) fn names(path: &Path, facts: &Metadata) -> u64 {
    let found = open_to_look(path, !facts.is_symlink()).and_then(|file| names_of_open(&file));
    found.unwrap_or(0)
}

/// How many names an open file has.
pub(crate) fn names_of_open(file: &File) -> io::Result<u64> {
    information(file).map(|known| known.number_of_links())
}

/// How many bytes are read and written at once where a file is: Windows tells by no safe call; NTFS has these as a rule.
pub(crate) fn block_size(_facts: &Metadata) -> u64 {
    4096
}

/// How many bytes are in a file: how many of the disk it has, Windows tells by no safe call.
pub(crate) fn allocated(facts: &Metadata) -> u64 {
    facts.file_size()
}

/// What is known of an open file, folder or link.
pub(super) fn facts_of(file: &File) -> io::Result<Facts> {
    let (facts, known) = (file.metadata()?, information(file)?);
    Ok(Facts {
        kind: facts.file_type().into(),
        size: facts.len(),
        mode: facts.mode(),
        user: facts.uid(),
        identity: identity_in(&known),
    })
}
