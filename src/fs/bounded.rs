//! Reading what somebody else put there: only regular files, only so much of them, and without waiting.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::error::{IoResultExt as _, PathError};

/// Returns the whole content of a regular file of at most `limit` bytes. A link is followed; a pipe, a device or a folder
/// is refused, and nobody waits for one.
///
/// # Errors
/// When there is no such file, it is of another kind or larger, or it cannot be read.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, PathError> {
    read(path, limit).at("read", path)
}

fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let no_waiting = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file: File = OpenOptions::new().read(true).custom_flags(no_waiting).open(path)?;
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    // It may grow while it is read.
    let mut content = Vec::with_capacity(usize::try_from(facts.len().min(limit)).unwrap_or(0) + 1);
    file.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        let reason = format!("it has more than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::write_new;

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
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o644),
            0,
        )
        .unwrap();
        assert!(read_bounded(&pipe, 5).unwrap_err().source.to_string().contains("no regular file"));
    }
}
