//! A session: the settings of one command, and the thread on which the library works.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Once;

use uv_configuration::min_stack_size;
use uv_preview::Preview;

use crate::{Error, IndexSettings, ObtainedWheel, Request, Resolution, Version, latest, obtain, resolve};

/// What a session is made of.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Where answers of indexes and build environments are kept; may be deleted at any time.
    pub cache_dir: PathBuf,
    /// The interpreter to resolve for: a base interpreter, so that its facts are cached once for all venvs.
    pub python: PathBuf,
    /// Where packages come from.
    pub settings: IndexSettings,
    /// How virtpy presents itself to indexes.
    pub user_agent: String,
}

/// A connection to the indexes. Making one costs nothing: clients and certificates are set up when a request
/// needs them.
#[derive(Debug)]
pub struct Session {
    pub(crate) options: SessionOptions,
}

/// The newest version that an index has.
#[derive(Debug, Clone)]
pub struct LatestVersion {
    /// The version.
    pub version: Version,
    /// `wheel` or `sdist`.
    pub kind: String,
}

/// Hears of what [`Session::obtain`] does.
pub trait Receiver: Sync {
    /// A download begins; `bytes` is its size, where known.
    fn started(&self, index: usize, bytes: Option<u64>);
    /// So many bytes of it have come in all.
    fn progress(&self, index: usize, bytes: u64);
    /// A package is being built.
    fn building(&self, index: usize);
    /// A package's wheel is there.
    ///
    /// # Errors
    /// Whatever keeps the receiver from using it; everything stops then.
    fn finished(
        &self,
        index: usize,
        wheel: ObtainedWheel,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

impl Session {
    /// A session that is not connected yet.
    pub fn new(options: SessionOptions) -> Self {
        Self { options }
    }

    /// Finds a set of packages that meets a request.
    ///
    /// # Errors
    /// When there is none, or an index does not answer.
    pub fn resolve(&self, request: &Request) -> Result<Resolution, Error> {
        run(|| resolve::resolve(&self.options, request))
    }

    /// Downloads or builds the wheels of the packages at `wanted`, into `folder`, several at once. Each is
    /// hashed while it comes in and compared with what was promised.
    ///
    /// # Errors
    /// When one cannot be had; what came before that was handed over.
    pub fn obtain(
        &self,
        resolution: &Resolution,
        wanted: &[usize],
        folder: &Path,
        receiver: &dyn Receiver,
    ) -> Result<(), Error> {
        run(|| obtain::obtain(&self.options, resolution, wanted, folder, receiver))
    }

    /// Asks the indexes for the newest version of each distribution that this interpreter can use.
    ///
    /// # Errors
    /// When an index does not answer. A distribution that no index has is left out.
    pub fn latest_versions(
        &self,
        names: &[String],
        prerelease: bool,
    ) -> Result<BTreeMap<String, LatestVersion>, Error> {
        run(|| latest::latest_versions(&self.options, names, prerelease))
    }
}

/// Runs the library's futures, which want much stack and stay on the thread that made them: so they are made on
/// a thread of their own.
fn run<T, F>(work: impl FnOnce() -> F + Send) -> Result<T, Error>
where
    T: Send,
    F: Future<Output = Result<T, Error>>,
{
    static PREVIEW: Once = Once::new();
    PREVIEW.call_once(|| {
        // Fails only where it was set already.
        let _ = uv_preview::set(Preview::default());
    });
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_stack_size(min_stack_size())
            .build()
            .map_err(|error| Error::File(format!("the resolver could not be started: {error}")))?;
        let result = runtime.block_on(Box::pin(work()));
        runtime.shutdown_background();
        result
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("resolver".to_owned())
            .stack_size(min_stack_size())
            .spawn_scoped(scope, work)
            .map_err(|error| Error::File(format!("the resolver could not be started: {error}")))?;
        thread.join().unwrap_or_else(|_| Err(Error::File("the resolver stopped unexpectedly".to_owned())))
    })
}
