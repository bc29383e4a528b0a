//! The hashes of a file that comes.
//!
//! SHA-256, which every file is asked for, and its longer relatives are computed by aws-lc, which is here for TLS and takes
//! half of the time of what the libraries of uv use. That serves for the others, which only old indexes list.

use std::fmt::Write as _;

use aws_lc_rs::digest::{Context, SHA256, SHA384, SHA512};
use uv_extract::hash::{HashReader, Hasher};
use uv_pypi_types::{HashAlgorithm, HashDigest};
use virtpy_pep::Sha256Digest;

/// Computes several digests of what passes by.
pub(crate) struct Hashing {
    sha256: Context,
    longer: Vec<(HashAlgorithm, Context)>,
    others: Vec<Hasher>,
}

/// What came of it.
pub(crate) struct Digests {
    /// The SHA-256, whether or not it was asked for.
    pub(crate) sha256: Sha256Digest,
    /// All of them.
    pub(crate) all: Vec<HashDigest>,
}

impl Hashing {
    /// Of nothing yet.
    pub(crate) fn new(algorithms: impl IntoIterator<Item = HashAlgorithm>) -> Self {
        let (mut longer, mut others) = (Vec::new(), Vec::new());
        for algorithm in algorithms {
            match algorithm {
                HashAlgorithm::Sha256 => {}
                HashAlgorithm::Sha384 => longer.push((algorithm, Context::new(&SHA384))),
                HashAlgorithm::Sha512 => longer.push((algorithm, Context::new(&SHA512))),
                HashAlgorithm::Md5 | HashAlgorithm::Blake2b => others.push(Hasher::from(algorithm)),
            }
        }
        Self { sha256: Context::new(&SHA256), longer, others }
    }

    /// Takes more bytes in.
    ///
    /// # Errors
    ///
    /// None: the bytes are there.
    pub(crate) async fn update(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.sha256.update(bytes);
        for (_, context) in &mut self.longer {
            context.update(bytes);
        }
        if self.others.is_empty() {
            return Ok(());
        }
        // They can only be fed by a reader.
        HashReader::new(bytes, &mut self.others).finish().await
    }

    /// The digests.
    pub(crate) fn finish(self) -> Digests {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.sha256.finish().as_ref());
        let sha256 = Sha256Digest::from(bytes);
        let first = sha256_digest(sha256);
        let longer = self.longer.into_iter().map(|(algorithm, context)| {
            let mut digits = String::new();
            for byte in context.finish().as_ref() {
                // Writing to a text does not fail.
                let _ = write!(digits, "{byte:02x}");
            }
            HashDigest { algorithm, digest: digits.into() }
        });
        let others = self.others.into_iter().map(HashDigest::from);
        Digests { sha256, all: std::iter::once(first).chain(longer).chain(others).collect() }
    }
}

/// A SHA-256 as what lists and demands hashes has them.
pub(crate) fn sha256_digest(sha256: Sha256Digest) -> HashDigest {
    HashDigest { algorithm: HashAlgorithm::Sha256, digest: sha256.to_string().into() }
}
