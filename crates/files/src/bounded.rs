//! Reading whole files. Most of what is read may have been put there by somebody else (a cloned repository, another user of
//! a shared directory), so only regular files are read, only so much of them, and nobody waits for a pipe or a device.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

use super::error::{IoResultExt as _, PathError};
use super::platform;
use super::refusals::not_regular;

/// Returns the whole content of a regular file of at most `limit` bytes. A link is followed; a pipe, a device or a folder
/// is refused, and nobody waits for one.
///
/// # Errors
/// When there is no such file, it is of another kind or larger, or it cannot be read.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, PathError> {
    open_to_read(path).and_then(|file| whole(file, limit)).at("read", path)
}

/// Returns the content as [`read_bounded`] does, of a file that may have been put there by somebody else: no link is followed.
///
/// # Errors
/// As those of [`read_bounded`]; when the path leads to a link, too.
pub fn read_unlinked(path: &Path, limit: u64) -> Result<Vec<u8>, PathError> {
    open_unlinked(path).and_then(|file| whole(file, limit)).at("read", path)
}

/// Returns the content of a file that `virtpy` most likely wrote itself, as [`read_own`] does, and what tells whose it is. No link is
/// followed.
///
/// # Errors
/// As those of [`read_own`]; when the path leads to a link, too.
pub fn read_own_with_facts(path: &Path, expected: usize) -> Result<(Vec<u8>, Metadata), PathError> {
    let read = |file: File| {
        let facts = file.metadata()?;
        if !facts.is_file() {
            return Err(not_regular());
        }
        Ok((own_of(file, facts.len(), expected)?, facts))
    };
    open_unlinked(path).and_then(read).at("read", path)
}

fn open_unlinked(path: &Path) -> io::Result<File> {
    platform::following_nothing(OpenOptions::new().read(true)).open(path)
}

/// The most that is read of a file by [`read`]: the largest files of wheels are smaller.
pub(super) const LARGEST_FILE: u64 = 4 << 30;

/// The most that is read of a text, by [`read_to_string`] and [`read_named`].
pub(super) const LARGEST_TEXT: u64 = 64 << 20;

/// The most that is read of a file that virtpy wrote itself.
const LARGEST_OWN: u64 = 256 << 20;

/// Returns the whole content of a regular file.
///
/// # Errors
/// When there is no such file, it is of another kind or larger than any file of a wheel, or it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, PathError> {
    read_bounded(path, LARGEST_FILE)
}

/// Returns the whole content of a regular file of UTF-8 text.
///
/// # Errors
/// When there is no such file, it is of another kind, too large or not UTF-8, or it cannot be read.
pub fn read_to_string(path: &Path) -> Result<String, PathError> {
    text(read_bounded(path, LARGEST_TEXT)?).at("read", path)
}

/// Returns the text of a file that a user named, which may be a pipe: `-r <(command)`, `/dev/stdin`. It is waited for.
///
/// # Errors
/// When it cannot be read, is too large or not UTF-8.
pub fn read_named(path: &Path) -> Result<String, PathError> {
    text(read_stream(path)?).at("read", path)
}

/// Returns the content of a file that a user named, which may be a pipe and need not be text.
///
/// # Errors
/// When it cannot be read, or is too large.
pub fn read_stream(path: &Path) -> Result<Vec<u8>, PathError> {
    File::open(path).and_then(|file| content(file, 0, LARGEST_TEXT)).at("read", path)
}

/// Returns the content of a file that `virtpy` wrote itself, in four system calls where it fits `expected`
/// bytes. A short read is taken for the end, which holds for regular files; what is read is checked by its
/// parser anyway.
///
/// # Errors
/// When the file cannot be opened or read, is no regular file, or too large.
pub fn read_own(path: &Path, expected: usize) -> Result<Vec<u8>, PathError> {
    open_to_read(path).and_then(|file| own(file, expected)).at("read", path)
}

/// The content of an open file that `virtpy` wrote itself.
pub(super) fn own(file: File, expected: usize) -> io::Result<Vec<u8>> {
    let (file, size) = regular(file)?;
    own_of(file, size, expected)
}

fn own_of(mut file: File, size: u64, expected: usize) -> io::Result<Vec<u8>> {
    if size > LARGEST_OWN {
        return Err(too_large(LARGEST_OWN));
    }
    let mut content = vec![0; expected];
    let mut filled = 0;
    loop {
        let count = match file.read(&mut content[filled..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        filled += count;
        if filled < content.len() {
            content.truncate(filled);
            return Ok(content);
        }
        if filled as u64 > LARGEST_OWN {
            return Err(too_large(LARGEST_OWN));
        }
        content.resize(content.len() * 2, 0);
    }
}

/// The content of an open file that has to be a regular one of at most `limit` bytes.
pub(super) fn whole(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let (file, size) = regular(file)?;
    if size > limit {
        return Err(too_large(limit));
    }
    content(file, size, limit)
}

/// Opens a file without waiting for whoever is at the other end of a pipe.
fn open_to_read(path: &Path) -> io::Result<File> {
    platform::not_waiting(OpenOptions::new().read(true)).open(path)
}

/// Makes sure that an open file is a regular one. Returns its size as well.
pub(super) fn regular(file: File) -> io::Result<(File, u64)> {
    let facts = file.metadata()?;
    if facts.is_file() {
        Ok((file, facts.len()))
    } else if facts.is_dir() {
        Err(io::ErrorKind::IsADirectory.into())
    } else {
        Err(not_regular())
    }
}

/// The content of a file of `size` bytes. One that tells none may have some all the same, as those of the system do.
fn content(file: File, size: u64, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    content.try_reserve(usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1))?;
    // It is not asked for more when all is there.
    let most = if size == 0 { limit.saturating_add(1) } else { size };
    file.take(most).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(too_large(limit));
    }
    Ok(content)
}

fn too_large(limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} bytes"))
}

pub(super) fn text(content: Vec<u8>) -> io::Result<String> {
    String::from_utf8(content)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write_new;

    #[test]
    fn only_regular_files_of_a_moderate_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write_new(&file, b"12345", 0o644).unwrap();
        assert_eq!(read_bounded(&file, 5).unwrap(), b"12345");
        assert!(read_bounded(&file, 4).unwrap_err().source.to_string().contains("more than 4 bytes"));
        assert!(read_bounded(folder.path(), 5).is_err());
        assert!(read_bounded(&folder.path().join("absent"), 5).unwrap_err().is_not_found());
        let pipe = folder.path().join("pipe");
        // Not every system has a call that makes one.
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for error in [
            read_bounded(&pipe, 5).unwrap_err(),
            read(&pipe).unwrap_err(),
            read_own(&pipe, 5).unwrap_err(),
            read_to_string(Path::new("/dev/zero")).unwrap_err(),
        ] {
            assert!(error.source.to_string().contains("not a regular file"), "{error:?}");
        }
        let sparse = folder.path().join("sparse");
        File::create(&sparse).and_then(|file| file.set_len(1 << 40)).unwrap();
        for error in [
            read(&sparse).unwrap_err(),
            read_own(&sparse, 5).unwrap_err(),
            read_to_string(&sparse).unwrap_err(),
            read_named(Path::new("/dev/zero")).unwrap_err(),
        ] {
            assert!(error.source.to_string().contains("it has more than"), "{error:?}");
        }
        assert_eq!(read_named(&file).unwrap(), "12345");
    }
}
