//! Hashing while writing.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The hash algorithms by which a wheel may vouch for its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// SHA-256, what practically every wheel uses.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// The length of a digest in bytes.
    pub const fn digest_length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// SHA-256 of what passes by, and another digest where one was asked for.
pub(super) struct Hashing {
    sha256: Sha256,
    other: Other,
}

enum Other {
    None,
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hashing {
    pub(super) fn new(other: Option<HashAlgorithm>) -> Self {
        let other = match other {
            None | Some(HashAlgorithm::Sha256) => Other::None,
            Some(HashAlgorithm::Sha384) => Other::Sha384(Sha384::new()),
            Some(HashAlgorithm::Sha512) => Other::Sha512(Sha512::new()),
        };
        Self { sha256: Sha256::new(), other }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        match &mut self.other {
            Other::None => {}
            Other::Sha384(hasher) => hasher.update(bytes),
            Other::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The SHA-256, and the other digest if one was asked for.
    pub(super) fn finish(self) -> ([u8; 32], Option<Vec<u8>>) {
        let other = match self.other {
            Other::None => None,
            Other::Sha384(hasher) => Some(hasher.finalize().to_vec()),
            Other::Sha512(hasher) => Some(hasher.finalize().to_vec()),
        };
        (self.sha256.finalize().into(), other)
    }
}
