//! Plain transfers, which have nothing to do with packages: pages, indexes and archives of interpreters. They
//! go the same way as everything else, with the same certificates, proxies, credentials and retries.

use std::cell::Cell;
use std::io::Read;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::hashing::sha256_digest;
use futures::TryStreamExt as _;
use tokio::runtime::{Builder, Runtime as TokioRuntime};
use tokio::sync::mpsc;
use uv_cache::Cache;
use uv_client::RegistryClient;
use uv_configuration::min_stack_size;
use uv_distribution_types::{HashPolicy, IndexLocations};
use uv_preview::Preview;
use uv_redacted::DisplaySafeUrl;
use virtpy_pep::Sha256Digest;

use crate::client::{ClientFactory, prepare};
use crate::download::{self, Expected, Progress};
use crate::error::{Cause, Error};
use crate::public::public;
use crate::replies;
use crate::settings::IndexSettings;

/// How often a page is asked for again when its transfer breaks.
const RESTARTS: u32 = 3;

/// How long to wait before each of them.
const PAUSE: Duration = Duration::from_millis(300);

/// How many pieces of a body may wait for who reads it; one has at most 256 KiB, and mostly a few.
const WAITING: usize = 64;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// The SHA-256 of all bytes.
    pub sha256: Sha256Digest,
    /// How many there are.
    pub size: u64,
}

/// Fetches what is behind URLs. Costs nothing until it is used; several threads may use it at the same time.
pub struct Transfer {
    settings: IndexSettings,
    user_agent: String,
    connection: Mutex<Option<Connection>>,
}

/// What is made for the first request.
#[derive(Clone)]
struct Connection {
    runtime: Arc<TokioRuntime>,
    client: RegistryClient,
}

impl Transfer {
    /// Takes the settings over. The indexes among them are not asked; certificates, proxies, timeouts, retries
    /// and `offline` count. `user_agent` is how servers see the program.
    pub fn new(settings: &IndexSettings, user_agent: &str) -> Self {
        prepare();
        Self { settings: settings.clone(), user_agent: user_agent.to_owned(), connection: Mutex::new(None) }
    }

    /// The whole body behind a URL, if it has no more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Offline`], [`Error::Network`] for an answer that is none, and [`Error::Transfer`] for a body that
    /// does not come whole or is too large.
    pub fn text(&self, url: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let url = parse(url)?;
        self.run(async |client| {
            for _ in 0..RESTARTS {
                match body(client, &url, limit).await {
                    Err(Error::Transfer { .. }) => tokio::time::sleep(PAUSE).await,
                    settled => return settled,
                }
            }
            body(client, &url, limit).await
        })
    }

    /// Streams what is behind a URL into the file `target`, which is made or overwritten, and hashes it on the
    /// way. Begun again if the connection breaks. `progress` hears how many bytes are there, and how many there
    /// will be if the server says so.
    ///
    /// # Errors
    ///
    /// [`Error::Offline`], [`Error::Network`], [`Error::Transfer`], [`Error::Hash`] if its SHA-256 is not the
    /// expected one, and [`Error::File`].
    pub fn file(
        &self,
        url: &str,
        target: &Path,
        sha256: Option<Sha256Digest>,
        progress: &(dyn Fn(u64, Option<u64>) + Sync),
    ) -> Result<Transferred, Error> {
        let url = parse(url)?;
        let label = label(&url);
        let digests = sha256.map(sha256_digest).into_iter().collect::<Vec<_>>();
        self.run(async |client| {
            let demanded = if digests.is_empty() { HashPolicy::None } else { HashPolicy::All(&digests) };
            let expected = Expected { demanded, ..Expected::nothing(&label) };
            let report = report_to(progress);
            let fetched = download::fetch(client, &url, target, &expected, &report).await?;
            Ok(Transferred { sha256: fetched.sha256, size: fetched.size })
        })
    }

    /// Passes what is behind a URL on to `work` while it comes, and hashes it on the way. Begun again if the connection
    /// breaks, which `work` does not notice. What `work` read may be anything until this returns without an error: only
    /// then it was the whole file, with the expected SHA-256. If `work` stops reading, the rest is only hashed.
    ///
    /// # Errors
    ///
    /// [`Error::Offline`], [`Error::Network`], [`Error::Transfer`] and [`Error::Hash`]. For `work`, the bytes then just end.
    pub fn stream<T>(
        &self,
        url: &str,
        sha256: Sha256Digest,
        progress: &(dyn Fn(u64, Option<u64>) + Sync),
        work: impl FnOnce(&mut Body) -> T,
    ) -> Result<(T, Transferred), Error> {
        let url = parse(url)?;
        let label = label(&url);
        let digests = [sha256_digest(sha256)];
        let (sender, receiver) = mpsc::channel(WAITING);
        let task = async move |client: &RegistryClient| {
            let expected = Expected { demanded: HashPolicy::All(&digests), ..Expected::nothing(&label) };
            let report = report_to(progress);
            download::stream(client, &url, sender, &expected, &report).await
        };
        let mut body = Body { receiver, chunk: Vec::new(), position: 0 };
        let (fetched, done) = self.run_beside(task, move || work(&mut body))?;
        let fetched = fetched?;
        Ok((done, Transferred { sha256: fetched.sha256, size: fetched.size }))
    }

    /// Runs an asynchronous task to its end.
    fn run<T: Send>(
        &self,
        task: impl AsyncFnOnce(&RegistryClient) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        self.run_beside(task, || ())?.0
    }

    /// Runs an asynchronous task to its end, on a thread with a stack that is large enough for the libraries, while the
    /// present thread does something else.
    fn run_beside<T: Send, U>(
        &self,
        task: impl AsyncFnOnce(&RegistryClient) -> Result<T, Error> + Send,
        work: impl FnOnce() -> U,
    ) -> Result<(Result<T, Error>, U), Error> {
        let connection = self.connection()?;
        thread::scope(|scope| {
            let worker = thread::Builder::new()
                .name("transfer".to_owned())
                .stack_size(min_stack_size())
                .spawn_scoped(scope, || connection.runtime.block_on(Box::pin(task(&connection.client))))
                .map_err(|source| no_thread("a thread", source))?;
            let done = work();
            Ok((worker.join().unwrap_or_else(|panic| resume_unwind(panic)), done))
        })
    }

    fn connection(&self) -> Result<Connection, Error> {
        let mut slot = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = slot.as_ref() {
            return Ok(connection.clone());
        }
        // Fails if a session was first, which set the same.
        let _ = uv_preview::set(Preview::default());
        // Of the threads that wait for transfers, one serves the connections of all.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_stack_size(min_stack_size())
            .build()
            .map_err(|source| no_thread("what waits for the network", source))?;
        // What is fetched here is not cached, so the folder is never made.
        let cache = Cache::from_path("unused");
        let network = ClientFactory::new(&self.settings, &self.user_agent, cache)?;
        let client = network.registry(&IndexLocations::default())?;
        let connection = Connection { runtime: Arc::new(runtime), client };
        Ok(slot.insert(connection).clone())
    }
}

/// Tells of a transfer as the caller wants to hear it.
fn report_to(progress: &(dyn Fn(u64, Option<u64>) + Sync)) -> impl Fn(Progress) {
    let total = Cell::new(None);
    move |now| match now {
        Progress::Started(size) => {
            total.set(size);
            progress(0, size);
        }
        Progress::Bytes(count) => progress(count, total.get()),
    }
}

/// The bytes of a transfer, while they come.
pub struct Body {
    receiver: mpsc::Receiver<Vec<u8>>,
    chunk: Vec<u8>,
    position: usize,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.position == self.chunk.len() {
            self.position = 0;
            self.chunk = self.receiver.blocking_recv().unwrap_or_default();
        }
        let rest = &self.chunk[self.position..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count;
        Ok(count)
    }
}

async fn body(client: &RegistryClient, url: &DisplaySafeUrl, limit: u64) -> Result<Vec<u8>, Error> {
    let what = format!("`{}`", public(url));
    if client.connectivity().is_offline() {
        return Err(Error::Offline { what });
    }
    let failed = |status: Option<u16>, error: &(dyn std::error::Error + 'static)| Error::Network {
        what: what.clone(),
        status,
        cause: Some(Cause::from_error(error)),
    };
    let broken = |reason: String| Error::Transfer { package: label(url), reason };
    // As it comes, so that no more of it is read than there may be.
    let request = client.uncached_client(url).get(url.as_str()).header("accept-encoding", "identity");
    let sent = request.send().await;
    let response = sent.map_err(|error| failed(None, &error))?;
    if let Err(error) = response.error_for_status_ref() {
        return Err(failed(Some(response.status().as_u16()), &error));
    }
    let too_large =
        || failed(None, &Cause::new(format!("it has more than {limit} bytes, the most that can be")));
    let announced = replies::announced(&response);
    if announced.is_some_and(|size| size > limit) {
        return Err(too_large());
    }
    let mut stream = response.bytes_stream();
    let mut content = Vec::new();
    while let Some(chunk) = stream.try_next().await.map_err(|error| {
        let cause = Cause::from_error(&error);
        broken(format!("the connection broke after {} bytes: {cause}", content.len()))
    })? {
        if content.len() as u64 + chunk.len() as u64 > limit {
            return Err(too_large());
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

fn parse(url: &str) -> Result<DisplaySafeUrl, Error> {
    DisplaySafeUrl::parse(url).map_err(|error| Error::Network {
        what: format!("`{url}`"),
        status: None,
        cause: Some(Cause::from_error(&error)),
    })
}

/// The name of the file that a URL ends with, or the whole of it.
fn label(url: &DisplaySafeUrl) -> String {
    let last = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    if last.is_empty() { public(url) } else { last.replace("%2B", "+") }
}

fn no_thread(what: &'static str, source: std::io::Error) -> Error {
    Error::Start { what, source }
}
