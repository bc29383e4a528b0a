//! Hashes of files and texts, and how they are written down.
//!
//! One implementation serves all: that of aws-lc, which TLS brings along anyway. On a processor that has no instructions
//! for SHA-256 it takes about half of the time of one in portable code, and hashing is a large part of an installation.

use std::fmt;

use aws_lc_rs::digest::{Algorithm, Context, SHA256, SHA384, SHA512, digest};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};

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
    pub fn digest_length(self) -> usize {
        self.implementation().output_len()
    }

    fn implementation(self) -> &'static Algorithm {
        match self {
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        }
    }
}

/// A digest of what passes by, with any of the algorithms.
pub struct Hasher(Context);

impl Hasher {
    /// Of nothing yet.
    pub fn new(algorithm: HashAlgorithm) -> Self {
        Self(Context::new(algorithm.implementation()))
    }

    /// Takes more bytes in.
    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes.as_ref());
    }

    /// The digest.
    pub fn finish(self) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

/// The SHA-256 of what passes by.
#[derive(Clone)]
pub struct Sha256(Context);

impl fmt::Debug for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sha256")
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Sha256 {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes more bytes in.
    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes.as_ref());
    }

    /// The digest.
    pub fn finish(self) -> [u8; 32] {
        sized(self.0.finish().as_ref())
    }
}

/// The SHA-256 of some bytes.
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    sized(digest(&SHA256, bytes.as_ref()).as_ref())
}

fn sized(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(bytes);
    digest
}

/// Lower-case hexadecimal digits of some bytes.
pub fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Some bytes as RECORD writes digests: base64, URL-safe, without padding (RFC 4648, section 5).
pub fn base64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// The bytes that such a text stands for, with or without the padding that some tools add; `None` where it is no such text, or
/// another spelling of one.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;

    #[test]
    fn another_implementation_agrees() {
        for length in [0, 1, 55, 56, 63, 64, 65, 1000, 100_000] {
            let bytes: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let expected = sha2::Sha256::digest(&bytes);
            assert_eq!(sha256(&bytes)[..], expected[..]);
            let mut piecewise = Sha256::new();
            bytes.chunks(37).for_each(|chunk| piecewise.update(chunk));
            assert_eq!(piecewise.finish()[..], expected[..]);
            for (algorithm, expected) in [
                (HashAlgorithm::Sha256, expected.to_vec()),
                (HashAlgorithm::Sha384, sha2::Sha384::digest(&bytes).to_vec()),
                (HashAlgorithm::Sha512, sha2::Sha512::digest(&bytes).to_vec()),
            ] {
                let mut hasher = Hasher::new(algorithm);
                bytes.chunks(113).for_each(|chunk| hasher.update(chunk));
                assert_eq!(hasher.finish(), expected);
                assert_eq!(algorithm.digest_length(), expected.len());
            }
        }
    }

    #[test]
    fn digits_are_lower_case() {
        assert_eq!(hex(&[0, 15, 0xAB]), "000fab");
    }

    #[test]
    fn base64_both_ways() {
        let cases: [(&[u8], &str); 7] = [
            (b"", ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg"),
            (b"fooba", "Zm9vYmE"),
            (b"\xfb\xff\xfe", "-__-"),
        ];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes), text);
            assert_eq!(from_base64(text).as_deref(), Some(bytes));
        }
        assert_eq!(from_base64("Zg=="), Some(b"f".to_vec()));
        for wrong in ["Z", "Zh", "Zm9", "Zm9v!", "+///", "Zg Zg"] {
            assert_eq!(from_base64(wrong), None, "{wrong}");
        }
    }
}
