//! Fetches one file: streamed to disk and hashed on the way, with an end to how much may come, and begun
//! again if the connection breaks.

use std::path::Path;
use std::time::Duration;

use futures::TryStreamExt;
use reqwest::Response;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::sync::mpsc::Sender;
use tokio_util::io::StreamReader;
use uv_client::RegistryClient;
use uv_distribution_types::HashPolicy;
use uv_pypi_types::HashDigest;
use uv_redacted::DisplaySafeUrl;
use virtpy_pep::Sha256Digest;

use crate::error::{Cause, Error};
use crate::hashing::{Digests, Hashing};
use crate::public::public;
use crate::replies::{self, BadReply};

/// How often a file is begun again when its transfer breaks.
const RESTARTS: u32 = 3;

/// How often if the server is silent or too slow: each time that takes as long as is waited for it.
const RESTARTS_OF_SLOW: u32 = 1;

/// How long to wait before the first of them; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// How much is read at once, and written at once.
const BUFFER: usize = 256 * 1024;

/// What a file has to be.
pub(crate) struct Expected<'a> {
    /// The package, for messages.
    pub(crate) label: &'a str,
    /// Hashes that all have to match: those that the index gives.
    pub(crate) listed: &'a [HashDigest],
    /// Hashes that the user demands.
    pub(crate) demanded: HashPolicy<'a>,
    /// The size in bytes that the index gives.
    pub(crate) size: Option<u64>,
}

/// A file that is complete.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub(crate) sha256: Sha256Digest,
    pub(crate) size: u64,
}

impl<'a> Expected<'a> {
    /// For a file of which nothing is known.
    pub(crate) fn nothing(label: &'a str) -> Self {
        Self { label, listed: &[], demanded: HashPolicy::None, size: None }
    }

    fn hashing(&self) -> Hashing {
        let mut algorithms = self.demanded.algorithms();
        algorithms.extend(self.listed.iter().map(HashDigest::algorithm));
        algorithms.sort();
        algorithms.dedup();
        Hashing::new(algorithms)
    }

    /// Compares what came with what was expected.
    fn check(&self, hashing: Hashing, size: u64) -> Result<Fetched, Error> {
        let Digests { sha256, all: computed } = hashing.finish();
        let same = |hash: &HashDigest| {
            computed
                .iter()
                .any(|own| own.algorithm == hash.algorithm && own.digest.eq_ignore_ascii_case(&hash.digest))
        };
        let demanded = self.demanded.digests();
        let satisfied = match self.demanded {
            HashPolicy::None | HashPolicy::Generate(_) => true,
            HashPolicy::Any(_) => demanded.iter().any(same),
            HashPolicy::All(_) => !demanded.is_empty() && demanded.iter().all(same),
        };
        if !satisfied || !self.listed.iter().all(same) {
            let wrong: Vec<&HashDigest> =
                if satisfied { self.listed.iter().collect() } else { demanded.iter().collect() };
            let relevant =
                computed.iter().filter(|own| wrong.iter().any(|hash| hash.algorithm == own.algorithm));
            return Err(Error::Hash {
                package: self.label.to_owned(),
                expected: join(wrong.iter().copied(), " or "),
                computed: join(relevant, ", "),
            });
        }
        Ok(Fetched { sha256, size })
    }
}

fn join<'a>(hashes: impl Iterator<Item = &'a HashDigest>, separator: &str) -> String {
    hashes.map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

/// Fetches `url` into the file `target`, which is made or overwritten. `progress` hears how many bytes are
/// there.
///
/// # Errors
///
/// [`Error::Offline`], [`Error::Network`], [`Error::Transfer`], [`Error::Hash`], and [`Error::File`].
pub(crate) async fn fetch(
    client: &RegistryClient,
    url: &DisplaySafeUrl,
    target: &Path,
    expected: &Expected<'_>,
    progress: &dyn Fn(Progress),
) -> Result<Fetched, Error> {
    persistently(expected.label, async || attempt(client, url, target, expected, progress).await).await
}

/// Fetches `url` and passes its bytes on while they come: each once and in order, also where the connection breaks and
/// the transfer begins again. Only what this returns tells whether they are those of one file, the expected one. Who does
/// not want any more drops the other end; the rest is then only hashed.
///
/// # Errors
///
/// [`Error::Offline`], [`Error::Network`], [`Error::Transfer`] and [`Error::Hash`].
pub(crate) async fn stream(
    client: &RegistryClient,
    url: &DisplaySafeUrl,
    receiver: Sender<Vec<u8>>,
    expected: &Expected<'_>,
    progress: &dyn Fn(Progress),
) -> Result<Fetched, Error> {
    let mut passed = Passed { receiver, hashing: expected.hashing(), size: 0 };
    persistently(expected.label, async || passed.attempt(client, url, expected, progress).await).await?;
    expected.check(passed.hashing, passed.size)
}

/// Tries something again if the connection breaks.
async fn persistently<T>(
    label: &str,
    mut attempt: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<T, Error> {
    let mut pause = FIRST_PAUSE;
    let (mut restarts, mut of_slow) = (0, 0);
    loop {
        let failure = match attempt().await {
            Err(failure) => failure,
            Ok(done) => return Ok(done),
        };
        let reason = match failure {
            Failure::Final(error) => return Err(error),
            Failure::Refused(reason) => {
                return Err(Error::Transfer { package: label.to_owned(), reason });
            }
            Failure::Broken(reason) => reason,
            Failure::Slow(reason) => {
                of_slow += 1;
                reason
            }
        };
        if restarts == RESTARTS || of_slow > RESTARTS_OF_SLOW {
            return Err(Error::Transfer { package: label.to_owned(), reason });
        }
        restarts += 1;
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

/// How far a transfer is.
pub(crate) enum Progress {
    /// It begins; the size is known or not.
    Started(Option<u64>),
    /// So many bytes are there.
    Bytes(u64),
}

/// Why an attempt ended.
enum Failure {
    /// The connection broke; another attempt may go better.
    Broken(String),
    /// The server was silent for too long, or too slow.
    Slow(String),
    /// It is nothing that is taken; another attempt would go no better.
    Refused(String),
    /// Another attempt would go no better.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

async fn attempt(
    client: &RegistryClient,
    url: &DisplaySafeUrl,
    target: &Path,
    expected: &Expected<'_>,
    progress: &dyn Fn(Progress),
) -> Result<Fetched, Failure> {
    let (response, limit) = request(client, url, expected, progress).await?;
    let file = File::create(target).await.map_err(|source| unwritable(target, source))?;
    let mut body = StreamReader::new(response.bytes_stream().map_err(std::io::Error::other));
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    let mut hashing = expected.hashing();
    let size = copy(&mut body, &mut writer, &mut hashing, limit, target, progress).await?;
    complete(size, limit)?;
    Ok(expected.check(hashing, size)?)
}

/// Asks for a file. Returns the answer, and how many bytes its body may have if that is known.
async fn request(
    client: &RegistryClient,
    url: &DisplaySafeUrl,
    expected: &Expected<'_>,
    progress: &dyn Fn(Progress),
) -> Result<(Response, Option<u64>), Failure> {
    if client.connectivity().is_offline() {
        return Err(Error::Offline { what: expected.label.to_owned() }.into());
    }
    // A compressed transfer would give other bytes than those that were hashed.
    let response = client
        .uncached_client(url)
        .get(url.as_str())
        .header("accept-encoding", "identity")
        .send()
        .await
        .map_err(|error| failed_request(url, None, &error))?;
    if let Err(error) = response.error_for_status_ref() {
        return Err(failed_request(url, Some(response.status().as_u16()), &error).into());
    }
    let announced = replies::announced(&response);
    if let (Some(announced), Some(size)) = (announced, expected.size)
        && announced != size
    {
        let reason = format!(
            "it is another one: the server sends {announced} bytes, but the file whose hash the index lists has \
             {size} bytes"
        );
        return Err(Error::Transfer { package: expected.label.to_owned(), reason }.into());
    }
    let limit = expected.size.or(announced);
    progress(Progress::Started(limit));
    Ok((response, limit))
}

/// What was passed on so far.
struct Passed {
    receiver: Sender<Vec<u8>>,
    /// Of all bytes that were passed on, whatever attempt they came with.
    hashing: Hashing,
    size: u64,
}

impl Passed {
    /// Passes on what was not passed on yet.
    async fn attempt(
        &mut self,
        client: &RegistryClient,
        url: &DisplaySafeUrl,
        expected: &Expected<'_>,
        progress: &dyn Fn(Progress),
    ) -> Result<(), Failure> {
        let (response, limit) = request(client, url, expected, progress).await?;
        let mut body = StreamReader::new(response.bytes_stream().map_err(std::io::Error::other));
        let known = self.size;
        let skipped = tokio::io::copy(&mut (&mut body).take(known), &mut tokio::io::sink()).await;
        let skipped = skipped.map_err(|error| broken(0, &error))?;
        complete(skipped, Some(known))?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = body.read(&mut buffer).await.map_err(|error| broken(self.size, &error))?;
            if count == 0 {
                return complete(self.size, limit);
            }
            self.size += count as u64;
            within(self.size, limit)?;
            // Fails when nobody wants it.
            let _ = self.receiver.send(buffer[..count].to_vec()).await;
            self.hashing.update(&buffer[..count]).await.map_err(|error| broken(self.size, &error))?;
            progress(Progress::Bytes(self.size));
        }
    }
}

/// Whether everything came that should.
fn complete(size: u64, announced: Option<u64>) -> Result<(), Failure> {
    match announced.filter(|announced| size < *announced) {
        Some(announced) => Err(Failure::Broken(format!("it ended after {size} of {announced} bytes"))),
        None => Ok(()),
    }
}

/// Whether no more came than should.
fn within(size: u64, announced: Option<u64>) -> Result<(), Failure> {
    match announced.filter(|announced| size > *announced) {
        Some(announced) => Err(Failure::Broken(format!("more came than the {announced} bytes announced"))),
        None => Ok(()),
    }
}

/// Copies a body up to its end, or up to the limit beyond which it must not go.
async fn copy<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    mut reader: R,
    writer: &mut W,
    hashing: &mut Hashing,
    limit: Option<u64>,
    target: &Path,
    progress: &dyn Fn(Progress),
) -> Result<u64, Failure> {
    let mut buffer = vec![0; BUFFER];
    let mut size = 0_u64;
    loop {
        let count = reader.read(&mut buffer).await.map_err(|error| broken(size, &error))?;
        if count == 0 {
            break;
        }
        size += count as u64;
        within(size, limit)?;
        hashing.update(&buffer[..count]).await.map_err(|error| broken(size, &error))?;
        writer.write_all(&buffer[..count]).await.map_err(|source| unwritable(target, source))?;
        progress(Progress::Bytes(size));
    }
    writer.shutdown().await.map_err(|source| unwritable(target, source))?;
    Ok(size)
}

/// Hashes a file of this machine, and compares.
///
/// # Errors
///
/// [`Error::File`] if it cannot be read, [`Error::Hash`] if it is another file.
pub(crate) async fn check_local(path: &Path, expected: &Expected<'_>) -> Result<Fetched, Error> {
    let unreadable = |source| Error::File { action: "read", path: path.to_owned(), source };
    let mut file = File::open(path).await.map_err(unreadable)?;
    let mut hashing = expected.hashing();
    let mut size = 0_u64;
    let mut buffer = vec![0; 4 * BUFFER];
    loop {
        let count = file.read(&mut buffer).await.map_err(unreadable)?;
        if count == 0 {
            return expected.check(hashing, size);
        }
        hashing.update(&buffer[..count]).await.map_err(unreadable)?;
        size += count as u64;
    }
}

fn failed_request(
    url: &DisplaySafeUrl,
    status: Option<u16>,
    error: &(dyn std::error::Error + 'static),
) -> Error {
    Error::Network { what: format!("`{}`", public(url)), status, cause: Some(Cause::from_error(error)) }
}

fn unwritable(target: &Path, source: std::io::Error) -> Failure {
    Failure::Final(Error::File { action: "write", path: target.to_owned(), source })
}

fn broken(size: u64, error: &std::io::Error) -> Failure {
    let bad = BadReply::among(error);
    let mut reason = bad.map_or_else(|| error.to_string(), ToString::to_string);
    let mut is_timeout = false;
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        is_timeout |= error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout);
        if bad.is_none() {
            reason = error.to_string();
        }
        next = error.source();
    }
    match bad {
        Some(bad) if bad.is_passing() => Failure::Slow(reason),
        Some(_) => Failure::Refused(reason),
        None if is_timeout => Failure::Slow(format!("nothing came any more after {size} bytes: {reason}")),
        None => Failure::Broken(format!("the connection broke after {size} bytes: {reason}")),
    }
}
