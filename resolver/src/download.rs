//! One file from a server to the disk, hashed on the way.

use std::io::Write as _;
use std::path::Path;

use futures::StreamExt as _;
use reqwest::header::ACCEPT_ENCODING;
use sha2::{Digest as _, Sha256};
use uv_client::RegistryClient;
use uv_extract::hash::{HashReader, Hasher};
use uv_pypi_types::{HashAlgorithm, HashDigest};
use uv_redacted::DisplaySafeUrl;

use crate::Error;
use crate::error::Story;
use crate::obtain::file_error;

/// How often a download that broke off is begun again.
const ATTEMPTS: u32 = 3;

/// The largest file that is taken, whatever a server promises: 64 GiB.
const LARGEST: u64 = 64 << 30;

/// A file to be downloaded.
pub(crate) struct Download<'a> {
    pub(crate) client: &'a RegistryClient,
    pub(crate) url: &'a DisplaySafeUrl,
    pub(crate) path: &'a Path,
    pub(crate) size: Option<u64>,
    pub(crate) label: &'a str,
}

/// A file's hashes and size.
#[derive(Debug)]
pub(crate) struct Hashed {
    pub(crate) sha256: String,
    pub(crate) size: u64,
    /// In other algorithms, where they were asked for.
    others: Vec<HashDigest>,
}

impl Hashed {
    /// Compares with the hashes of which one has to fit.
    pub(crate) fn check(&self, label: &str, expected: &[HashDigest]) -> Result<(), Error> {
        let fits = |digest: &HashDigest| match digest.algorithm {
            HashAlgorithm::Sha256 => digest.digest.eq_ignore_ascii_case(&self.sha256),
            _ => self.others.contains(digest),
        };
        if expected.is_empty() || expected.iter().any(fits) {
            return Ok(());
        }
        let wanted: Vec<String> = expected.iter().map(ToString::to_string).collect();
        let story = format!("expected {}\ngot sha256:{}", wanted.join(" or "), self.sha256);
        Err(Error::Hash { package: label.to_owned(), source: Story(story) })
    }
}

/// Why an attempt failed, and whether another may go better.
struct Failed {
    error: Error,
    again: bool,
}

impl Download<'_> {
    /// Downloads the file; begins again when the connection breaks.
    pub(crate) async fn run(&self, expected: &[HashDigest], progress: &dyn Fn(u64)) -> Result<Hashed, Error> {
        let mut attempt = 1;
        loop {
            match self.once(progress).await {
                Ok((sha256, size)) => {
                    let others = other_hashes(self.path, expected)
                        .await
                        .map_err(|error| file_error("read", self.path, &error))?;
                    return Ok(Hashed { sha256, size, others });
                }
                Err(failed) if failed.again && attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(std::time::Duration::from_millis(200 * u64::from(attempt))).await;
                }
                Err(failed) => return Err(failed.error),
            }
        }
    }

    fn network(&self, source: &(dyn std::error::Error + 'static), again: bool) -> Failed {
        let message = format!("could not download `{}`", self.label);
        Failed { error: Error::Network { message, source: Story::of(source) }, again }
    }

    fn broken(&self, reason: String, again: bool) -> Failed {
        let message = format!("could not download `{}`", self.label);
        Failed { error: Error::Network { message, source: Story(reason) }, again }
    }

    async fn once(&self, progress: &dyn Fn(u64)) -> Result<(String, u64), Failed> {
        let response = self
            .client
            .uncached_client(self.url)
            .get(url::Url::from(self.url.clone()))
            // The hash is of the file, not of a compressed transfer of it.
            .header(ACCEPT_ENCODING, "identity")
            .send()
            .await
            .map_err(|error| self.network(&error, false))?;
        let response = response.error_for_status().map_err(|error| self.network(&error, false))?;
        let promised = response.content_length().or(self.size);
        let limit = promised.unwrap_or(LARGEST).min(LARGEST);
        let local =
            |error: &std::io::Error| Failed { error: file_error("write", self.path, error), again: false };
        let mut file = std::fs::File::create(self.path).map_err(|error| local(&error))?;
        let mut hasher = Sha256::new();
        let mut size: u64 = 0;
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| self.network(&error, true))?;
            size += chunk.len() as u64;
            if size > limit {
                return Err(
                    self.broken(format!("the server sends more than the {limit} bytes it promised"), false)
                );
            }
            hasher.update(&chunk);
            file.write_all(&chunk).map_err(|error| local(&error))?;
            progress(size);
        }
        if promised.is_some_and(|promised| promised != size) {
            return Err(self.broken(format!("the connection ended after {size} of {limit} bytes"), true));
        }
        Ok((hex(&hasher.finalize()), size))
    }
}

/// Hashes a file of this machine.
pub(crate) async fn hash_file(path: &Path, expected: &[HashDigest]) -> std::io::Result<Hashed> {
    let sha256 = HashDigest { algorithm: HashAlgorithm::Sha256, digest: "".into() };
    let asked: Vec<HashDigest> = expected.iter().cloned().chain([sha256]).collect();
    let digests = digests(path, &asked).await?;
    let size = tokio::fs::metadata(path).await?.len();
    let sha256 = digests.iter().find(|digest| digest.algorithm == HashAlgorithm::Sha256);
    let sha256 = sha256.map(|digest| digest.digest.to_string()).unwrap_or_default();
    Ok(Hashed { sha256, size, others: digests })
}

/// The file's hashes in the expected algorithms other than SHA-256.
async fn other_hashes(path: &Path, expected: &[HashDigest]) -> std::io::Result<Vec<HashDigest>> {
    let asked: Vec<HashDigest> =
        expected.iter().filter(|digest| digest.algorithm != HashAlgorithm::Sha256).cloned().collect();
    if asked.is_empty() { Ok(Vec::new()) } else { digests(path, &asked).await }
}

async fn digests(path: &Path, asked: &[HashDigest]) -> std::io::Result<Vec<HashDigest>> {
    let mut algorithms: Vec<HashAlgorithm> = asked.iter().map(|digest| digest.algorithm).collect();
    algorithms.sort();
    algorithms.dedup();
    let mut hashers: Vec<Hasher> = algorithms.into_iter().map(Hasher::from).collect();
    let file = tokio::fs::File::open(path).await?;
    HashReader::new(file, &mut hashers).finish().await?;
    Ok(hashers.into_iter().map(HashDigest::from).collect())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
