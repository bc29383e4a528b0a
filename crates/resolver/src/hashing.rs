//! The hashes of a file that comes.
//!
//! SHA-256, which every file is asked for, and its longer relatives are computed by aws-lc, which is here for TLS and takes
//! half of the time of what the libraries of uv use. That serves for the others, which only old indexes list.

use std::fmt::Write as _;

use aws_lc_rs::digest::{Context, SHA256, SHA384, SHA512};
use uv_extract::hash::{HashReader, Hasher};
use uv_pypi_types::{HashAlgorithm, HashDigest};

/// Computes several digests of what passes by.
pub(crate) struct Hashing {
    usual: Vec<(HashAlgorithm, Context)>,
    others: Vec<Hasher>,
}

impl Hashing {
    /// Of nothing yet.
    pub(crate) fn new(algorithms: impl IntoIterator<Item = HashAlgorithm>) -> Self {
        let mut hashing = Self { usual: Vec::new(), others: Vec::new() };
        for algorithm in algorithms {
            let implementation = match algorithm {
                HashAlgorithm::Sha256 => &SHA256,
                HashAlgorithm::Sha384 => &SHA384,
                HashAlgorithm::Sha512 => &SHA512,
                HashAlgorithm::Md5 | HashAlgorithm::Blake2b => {
                    hashing.others.push(Hasher::from(algorithm));
                    continue;
                }
            };
            hashing.usual.push((algorithm, Context::new(implementation)));
        }
        hashing
    }

    /// Takes more bytes in.
    ///
    /// # Errors
    ///
    /// None: the bytes are there.
    pub(crate) async fn update(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        for (_, context) in &mut self.usual {
            context.update(bytes);
        }
        if self.others.is_empty() {
            return Ok(());
        }
        // They can only be fed by a reader.
        HashReader::new(bytes, &mut self.others).finish().await
    }

    /// The digests.
    pub(crate) fn finish(self) -> Vec<HashDigest> {
        let usual = self.usual.into_iter().map(|(algorithm, context)| {
            let digest = context.finish();
            let mut digits = String::new();
            for byte in digest.as_ref() {
                // Writing to a text does not fail.
                let _ = write!(digits, "{byte:02x}");
            }
            HashDigest { algorithm, digest: digits.into() }
        });
        usual.chain(self.others.into_iter().map(HashDigest::from)).collect()
    }
}
