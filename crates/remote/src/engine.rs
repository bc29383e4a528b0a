//! Requests to the storage: bounded, timed, and tried again where that may help.

use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientConfigKey, ClientOptions, GetOptions, GetRange, GetResult, ObjectStore,
    ObjectStoreExt as _, PutMode, PutPayload, RetryConfig, WriteMultipart,
};
use tokio::time::timeout;
use url::{Position, Url};
use virtpy_files as fs;
use virtpy_files::digest::Sha256;

use crate::address::{Scheme, is_loopback};
use crate::{Error, RemoteSettings};

mod folder;
mod seen;

pub(crate) use seen::Seen;

/// How the storage sees the program.
const USER_AGENT: &str = concat!("virtpy/", env!("CARGO_PKG_VERSION"));

/// How long a connection is waited for.
const CONNECTING: Duration = Duration::from_secs(2);

/// What is sent in one piece, and the size of the pieces of what is larger.
const PIECE: usize = 8 << 20;

/// How many pieces are under way at once.
const PIECES_AT_ONCE: usize = 2;

/// How long is waited for what is sent, and how many bytes a second have to go.
const SENDING: Duration = Duration::from_mins(1);
const SLOWEST: u64 = 10_000;

/// How long is waited, and how often something is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// A command asks that goes on without the remote.
    Short,
    /// The user asked for it.
    Long,
}

impl Patience {
    /// How long an answer may take to begin, and a transfer be silent.
    fn silence(self) -> Duration {
        match self {
            Self::Short => Duration::from_secs(3),
            Self::Long => Duration::from_secs(30),
        }
    }

    fn retries(self) -> RetryConfig {
        let (max_retries, seconds) = match self {
            Self::Short => (1, 2),
            Self::Long => (8, 60),
        };
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
            base: 2.0,
        };
        RetryConfig { backoff, max_retries, retry_timeout: Duration::from_secs(seconds) }
    }
}

/// Why a request has failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such object.
    Absent,
    /// It is there already.
    Present,
    /// This object is not what it should be; others may be.
    Refused(String),
    /// The storage does not answer, or refuses.
    Unavailable(String),
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Absent,
            object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. } => {
                Self::Present
            }
            other => Self::Unavailable(told(&other)),
        }
    }
}

/// The last of what caused an error, in one line: what stands before it is the library's own way.
fn told(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let text = last.to_string();
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    line.chars().take(300).collect()
}

/// What is put somewhere. A copy of it takes no room.
pub(crate) type Content = PutPayload;

/// An object while it comes.
pub(crate) type Pieces = BoxStream<'static, Result<Vec<u8>, object_store::Error>>;

/// How much has come of all that was asked for together. A storage may send a byte a second for ever.
#[derive(Debug)]
pub(crate) struct Meter {
    begun: Instant,
    bytes: AtomicU64,
}

/// After which time is looked at the speed, and how many bytes a second are enough.
const SPEED: (Duration, u64) = (Duration::from_secs(4), 50_000);

impl Default for Meter {
    fn default() -> Self {
        Self { begun: Instant::now(), bytes: AtomicU64::new(0) }
    }
}

impl Meter {
    fn count(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether less comes than is worth waiting for.
    pub(crate) fn is_slow(&self) -> bool {
        let (after, enough) = SPEED;
        let elapsed = self.begun.elapsed();
        elapsed > after && self.bytes.load(Ordering::Relaxed) < enough.saturating_mul(elapsed.as_secs())
    }
}

/// What is known of an object without reading it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was put there, in seconds since 1970.
    pub put_at: u64,
}

/// A storage.
#[derive(Debug)]
pub(crate) struct Engine {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    patience: Patience,
    /// Where it is, if it is a directory.
    folder: Option<PathBuf>,
}

impl Engine {
    pub(crate) fn new(settings: &RemoteSettings, patience: Patience) -> Result<Self, Error> {
        let address = &settings.address;
        let wrong = |error: &dyn std::error::Error| Error::Setting { name: "url", reason: told(error) };
        let place = Path::from_url_path(address.url.path()).map_err(|error| wrong(&error))?;
        let (store, prefix): (Arc<dyn ObjectStore>, Path) = match address.scheme {
            Scheme::File => (local(&address.url)?, Path::default()),
            Scheme::Http => (http(settings, patience).map_err(|error| wrong(&error))?, place),
            Scheme::S3 => (s3(settings, patience)?, place),
            Scheme::Gcs => (gcs(settings, patience)?, place),
            Scheme::Azure => (azure(settings, patience)?, place),
        };
        let folder = address.url.to_file_path().ok().filter(|_| address.scheme == Scheme::File);
        Ok(Self { store, prefix, patience, folder })
    }

    fn path(&self, name: &str) -> Path {
        self.prefix.parts().chain(Path::from(name).parts()).collect()
    }

    /// Waits for an answer, no longer than the patience.
    async fn answered<T>(
        &self,
        request: impl Future<Output = Result<T, object_store::Error>>,
    ) -> Result<T, Failure> {
        // It may be tried again within.
        let limit = self.patience.silence() + self.patience.retries().retry_timeout;
        match timeout(limit, request).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Failure::Unavailable(format!("no answer for {} seconds", limit.as_secs()))),
        }
    }

    /// Begins to read an object from some byte on. Returns the size of the whole as well.
    pub(crate) async fn read(&self, name: &str, from: u64) -> Result<(u64, Pieces), Failure> {
        let range = (from > 0).then_some(GetRange::Offset(from));
        let options = GetOptions { range, ..GetOptions::default() };
        let path = self.path(name);
        self.demand_file(&path)?;
        let answer: GetResult = self.answered(self.store.get_opts(&path, options)).await?;
        if answer.range.start != from {
            return Err(Failure::Refused("it came from its beginning again".to_owned()));
        }
        let size = answer.meta.size;
        Ok((size, answer.into_stream().map_ok(|piece| piece.to_vec()).boxed()))
    }

    /// The next piece of what is read, which has to come in time.
    pub(crate) async fn next(&self, stream: &mut Pieces, meter: &Meter) -> Result<Option<Vec<u8>>, Failure> {
        let silence = self.patience.silence();
        match timeout(silence, stream.next()).await {
            Ok(Some(piece)) => {
                let piece = piece?;
                meter.count(piece.len());
                if self.patience == Patience::Short && meter.is_slow() {
                    return Err(Failure::Unavailable("it is too slow".to_owned()));
                }
                Ok(Some(piece))
            }
            Ok(None) => Ok(None),
            Err(_) => Err(Failure::Unavailable(format!("nothing came for {} seconds", silence.as_secs()))),
        }
    }

    /// A whole object of at most `limit` bytes.
    pub(crate) async fn whole(&self, name: &str, limit: u64, meter: &Meter) -> Result<Vec<u8>, Failure> {
        let (size, mut stream) = self.read(name, 0).await?;
        let too_large = || Failure::Refused(format!("it has more than {limit} bytes"));
        if size > limit {
            return Err(too_large());
        }
        let mut content = Vec::new();
        while let Some(piece) = self.next(&mut stream, meter).await? {
            content.extend_from_slice(&piece);
            if content.len() as u64 > limit {
                return Err(too_large());
            }
        }
        Ok(content)
    }

    /// The size of an object.
    pub(crate) async fn size(&self, name: &str) -> Result<u64, Failure> {
        let path = self.path(name);
        self.demand_file(&path)?;
        Ok(self.answered(self.store.head(&path)).await?.size)
    }

    /// Puts an object where none is.
    pub(crate) async fn create(&self, name: &str, content: Content) -> Result<(), Failure> {
        self.put(name, content, PutMode::Create).await
    }

    /// Puts an object, whatever is there.
    pub(crate) async fn replace(&self, name: &str, content: Content) -> Result<(), Failure> {
        self.put(name, content, PutMode::Overwrite).await
    }

    async fn put(&self, name: &str, content: Content, mode: PutMode) -> Result<(), Failure> {
        let (path, size) = (self.path(name), content.content_length() as u64);
        sent(size, self.store.put_opts(&path, content, mode.into())).await?;
        Ok(())
    }

    /// Puts a file, whatever is there, in pieces: it appears when all of them have come and the SHA-256 of what was sent is
    /// approved.
    pub(crate) async fn put_file(
        &self,
        name: &str,
        file: &FilePath,
        size: u64,
        approve: &dyn Fn([u8; 32]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let upload = self.answered(self.store.put_multipart(&self.path(name))).await?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PIECE);
        let mut hash = Sha256::new();
        let mut read = Ok(());
        for range in pieces(size) {
            let piece = match read_piece(file, &range) {
                Ok(piece) => piece,
                Err(error) => {
                    read = Err(Failure::Refused(error.to_string()));
                    break;
                }
            };
            hash.update(&piece);
            sent(PIECE as u64 * PIECES_AT_ONCE as u64, upload.wait_for_capacity(PIECES_AT_ONCE)).await?;
            upload.write(&piece);
        }
        if let Err(failure) = read.and_then(|()| approve(hash.finish())) {
            let _ = upload.abort().await;
            return Err(failure);
        }
        sent(PIECE as u64 * PIECES_AT_ONCE as u64, upload.finish()).await?;
        Ok(())
    }

    /// Whether an object of this size is sent in one piece.
    pub(crate) fn is_small(size: u64) -> bool {
        size <= PIECE as u64
    }

    /// All objects below a folder, and what is there that cannot be one.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<Listed>, Failure> {
        let below = self.path(folder);
        let depth = self.prefix.parts().count();
        let mut stream = self.store.list(Some(&below));
        let mut found = self.special_files(folder);
        while let Some(object) = timeout(self.patience.silence() * 2, stream.next())
            .await
            .map_err(|_| Failure::Unavailable("the list of objects does not come".to_owned()))?
        {
            let object = object?;
            let name: Path = object.location.parts().skip(depth).collect();
            found.push(Listed {
                name: name.to_string(),
                size: object.size,
                put_at: u64::try_from(object.last_modified.timestamp()).unwrap_or(0),
            });
        }
        Ok(found)
    }

    /// Removes an object; one that is gone is fine.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Failure> {
        match self.answered(self.store.delete(&self.path(name))).await {
            Err(Failure::Absent) => Ok(()),
            other => other,
        }
    }
}

/// Waits until so many bytes are sent, as long as that may take on a slow line.
async fn sent<T>(
    bytes: u64,
    request: impl Future<Output = Result<T, object_store::Error>>,
) -> Result<T, Failure> {
    let limit = SENDING + Duration::from_secs(bytes / SLOWEST);
    match timeout(limit, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Unavailable(format!("it took nothing for {} seconds", limit.as_secs()))),
    }
}

/// The parts of a file that are sent one after the other.
fn pieces(size: u64) -> impl Iterator<Item = Range<u64>> {
    let piece = PIECE as u64;
    (0..size.div_ceil(piece)).map(move |index| index * piece..((index + 1) * piece).min(size))
}

fn read_piece(file: &FilePath, range: &Range<u64>) -> std::io::Result<Vec<u8>> {
    use fs::FileExt as _;
    let open = fs::open(file).map_err(|error| error.source)?;
    let length = usize::try_from(range.end - range.start).map_err(std::io::Error::other)?;
    let mut piece = vec![0; length];
    open.read_exact_at(&mut piece, range.start)?;
    Ok(piece)
}

fn client(allow_http: bool) -> ClientOptions {
    ClientOptions::new()
        .with_config(ClientConfigKey::UserAgent, USER_AGENT)
        .with_connect_timeout(CONNECTING)
        // How long is waited for what is read and written is decided here, for each of them.
        .with_read_timeout_disabled()
        .with_timeout_disabled()
        .with_allow_http(allow_http)
}

/// Whether requests without TLS are sent: to this machine, and where the settings say so.
fn allows_http(settings: &RemoteSettings, endpoint: Option<&str>) -> bool {
    let endpoint = endpoint.and_then(|endpoint| Url::parse(endpoint).ok());
    settings.allow_http || endpoint.as_ref().is_some_and(is_loopback)
}

/// What the settings or the environment call an endpoint.
fn endpoint(settings: &RemoteSettings, variables: &[&str]) -> Option<String> {
    let named =
        settings.options.iter().find(|(name, _)| name.ends_with("endpoint") || *name == "endpoint_url");
    let variable = || variables.iter().find_map(|name| std::env::var(name).ok());
    named.map(|(_, value)| value.clone()).or_else(variable)
}

fn unknown_option(name: &str) -> Error {
    Error::Setting { name: "options", reason: format!("`{name}` is nothing that this kind of storage knows") }
}

fn of_builder(error: &object_store::Error) -> Error {
    Error::Setting { name: "url", reason: told(error) }
}

fn local(url: &Url) -> Result<Arc<dyn ObjectStore>, Error> {
    let reason = || Error::Setting { name: "url", reason: format!("`{url}` names no directory") };
    let folder = url.to_file_path().map_err(|()| reason())?;
    let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| Error::Request {
        address: url.to_string(),
        what: "cannot be opened",
        reason: told(&error),
    })?;
    Ok(Arc::new(store))
}

fn http(settings: &RemoteSettings, patience: Patience) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let host = &settings.address.url[..Position::BeforePath];
    let store = HttpBuilder::new()
        .with_url(host)
        .with_retry(patience.retries())
        // The address was looked at when it was read.
        .with_client_options(client(true))
        .build()?;
    Ok(Arc::new(store))
}

fn s3(settings: &RemoteSettings, patience: Patience) -> Result<Arc<dyn ObjectStore>, Error> {
    let endpoint = endpoint(settings, &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]);
    let allow_http = allows_http(settings, endpoint.as_deref()) || says_yes("AWS_ALLOW_HTTP");
    let mut builder = AmazonS3Builder::from_env()
        .with_url(settings.address.url.as_str())
        .with_retry(patience.retries())
        .with_client_options(client(allow_http));
    for (name, value) in &settings.options {
        let key: AmazonS3ConfigKey = name.parse().map_err(|_| unknown_option(name))?;
        builder = builder.with_config(key, value);
    }
    Ok(Arc::new(builder.build().map_err(|error| of_builder(&error))?))
}

fn gcs(settings: &RemoteSettings, patience: Patience) -> Result<Arc<dyn ObjectStore>, Error> {
    let allow_http = allows_http(settings, endpoint(settings, &[]).as_deref());
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_url(settings.address.url.as_str())
        .with_retry(patience.retries())
        .with_client_options(client(allow_http));
    for (name, value) in &settings.options {
        let key: GoogleConfigKey = name.parse().map_err(|_| unknown_option(name))?;
        builder = builder.with_config(key, value);
    }
    Ok(Arc::new(builder.build().map_err(|error| of_builder(&error))?))
}

fn azure(settings: &RemoteSettings, patience: Patience) -> Result<Arc<dyn ObjectStore>, Error> {
    let endpoint = endpoint(settings, &["AZURE_ENDPOINT", "AZURE_STORAGE_ENDPOINT"]);
    let allow_http = allows_http(settings, endpoint.as_deref()) || says_yes("AZURE_ALLOW_HTTP");
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_url(settings.address.url.as_str())
        .with_retry(patience.retries())
        .with_client_options(client(allow_http));
    for (name, value) in &settings.options {
        let key: AzureConfigKey = name.parse().map_err(|_| unknown_option(name))?;
        builder = builder.with_config(key, value);
    }
    Ok(Arc::new(builder.build().map_err(|error| of_builder(&error))?))
}

fn says_yes(variable: &str) -> bool {
    std::env::var(variable)
        .is_ok_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on"))
}
