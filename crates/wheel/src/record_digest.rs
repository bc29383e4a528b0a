//! The SHA-256 of a file, as it stands in RECORD.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use virtpy_files::digest::{Sha256, base64, sha256};
use virtpy_files::{self as fs, IoResultExt as _, PathError};

/// The SHA-256 of a file as RECORD writes it: base64, URL-safe, without padding. The hash of a wheel, which is written in
/// hexadecimal digits, is not one.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordDigest(pub(super) String);

impl RecordDigest {
    /// That of a content.
    pub fn of(content: impl AsRef<[u8]>) -> Self {
        Self::of_sha256(sha256(content))
    }

    /// That of the content of a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(path: &Path) -> Result<Self, PathError> {
        Ok(Self::of_sha256(file_sha256(path)?))
    }

    /// The bytes of a SHA-256, written so.
    pub(super) fn of_sha256(sha256: impl AsRef<[u8]>) -> Self {
        Self(base64(sha256.as_ref()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The bytes of a file's SHA-256.
///
/// # Errors
/// When the file cannot be read.
pub fn file_sha256(path: &Path) -> Result<[u8; 32], PathError> {
    let mut file = fs::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).at("read", path),
        }
    }
}
