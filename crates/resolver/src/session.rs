//! A session: one interpreter, one cache, one set of index settings, and all that is asked of them.
//!
//! The libraries underneath are asynchronous, keep values that must not change threads, and need a large
//! stack. So each call runs on a thread of its own that drives the session's runtime; connections stay
//! open from one call to the next. Everything is made when it is first needed.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Runtime};
use uv_cache::{Cache, Refresh};
use uv_cache_info::Timestamp;
use uv_preview::Preview;
use uv_python::Interpreter;
use virtpy_pep::InterpreterTags;
use virtpy_pep::limits;

use crate::build_locks::BuildLocks;
use crate::client::Network;
use crate::error::{Cause, Error};
use crate::local_wheels::LocalWheels;
use crate::locked::{self, LockedRequest};
use crate::locking::{self, Lock, LockRequest};
use crate::request::{KnownWheel, LatestVersion, ObtainedWheel, Receiver, Request};
use crate::resolve::{self, Resolution};
use crate::settings::IndexSettings;
use crate::{fetch, latest, obtain};

/// What a session works with.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// The folder for what indexes said, for metadata and for build environments. It may be removed at any
    /// time that no session is at work; several processes may share it.
    pub cache_dir: PathBuf,
    /// The executable of the interpreter that packages are wanted for, not one of a virtual environment.
    pub python: PathBuf,
    /// Which wheels that interpreter takes.
    pub tags: InterpreterTags,
    /// Which indexes are asked, and how.
    pub settings: IndexSettings,
    /// How the servers see the program, such as `virtpy/1.0`.
    pub user_agent: String,
    /// What there is of wheels already, in place of what indexes would say where the network is not to be used.
    pub local_wheels: Option<Arc<dyn LocalWheels>>,
}

/// Resolves requirements and obtains wheels. Costs nothing until it is used.
pub struct Session {
    options: SessionOptions,
    foundation: Mutex<Option<Arc<Foundation>>>,
}

impl Session {
    /// Makes a session. Nothing is read, written or started yet.
    pub fn new(options: SessionOptions) -> Self {
        Self { options, foundation: Mutex::new(None) }
    }

    /// Finds a set of packages that satisfies a request.
    ///
    /// Reads metadata from the cache and the indexes. Sources that do not state their metadata are built
    /// for it.
    ///
    /// # Errors
    ///
    /// [`Error::NoSolution`] if there is none; other variants for inputs that cannot be read, indexes that
    /// do not answer, and sources that cannot be built.
    pub fn resolve(&self, request: &Request) -> Result<Resolution, Error> {
        let foundation = self.foundation()?.refreshed(request);
        let network = self.network_for(&foundation, request)?;
        let settings = &self.options.settings;
        let resolved = foundation.run(|| resolve::resolve(&foundation, &network, settings, request));
        let notes = network.replies.notes.take();
        match resolved {
            Ok(resolution) => Ok(Resolution { notes, ..resolution }),
            Err(error) => Err(error.with_notes(notes)),
        }
    }

    /// Resolves a request and writes down the result as a lock file's text.
    ///
    /// # Errors
    ///
    /// As those of [`Session::resolve`], and [`Error::Requirements`] for what a lock file cannot hold.
    pub fn lock(&self, request: &LockRequest) -> Result<Lock, Error> {
        let foundation = self.foundation()?.refreshed(&request.request);
        let network = self.network_for(&foundation, &request.request)?;
        let settings = &self.options.settings;
        foundation.run(|| locking::lock(&foundation, &network, settings, request))
    }

    /// Finds what a lock file holds for the session's interpreter; no index is asked.
    ///
    /// # Errors
    ///
    /// [`Error::Requirements`] if the file makes no sense, is for other interpreters, or has nothing that
    /// suits this one.
    pub fn resolve_locked(&self, request: &LockedRequest) -> Result<Resolution, Error> {
        let foundation = self.foundation()?;
        let network = self.network(&foundation)?;
        let settings = &self.options.settings;
        foundation.run(|| locked::resolve(&foundation, &network, settings, request))
    }

    /// Fetches or builds the wheels of the packages at the indices `wanted` of a resolution of this
    /// session, several at a time, into `folder`, and hands each to `receiver` as soon as it is complete.
    ///
    /// Wheels that are on this machine are not copied. Files in `folder` begin with the package's index.
    ///
    /// # Errors
    ///
    /// [`Error::Hash`] for a file that is not the expected one, [`Error::Transfer`] and [`Error::Network`]
    /// if one does not arrive, [`Error::Build`], [`Error::Offline`], and [`Error::Receiver`] for what
    /// `receiver` says. The first error ends all transfers.
    pub fn obtain(
        &self,
        resolution: &Resolution,
        wanted: &[usize],
        folder: &Path,
        receiver: &dyn Receiver,
    ) -> Result<(), Error> {
        if wanted.is_empty() {
            return Ok(());
        }
        let foundation = self.foundation()?;
        obtain::obtain(&foundation, resolution, wanted, folder, receiver)
    }

    /// Fetches a wheel again whose origin and hash are known, into `folder`. Returns `None` where the origin is
    /// no wheel: what was built from source cannot be fetched.
    ///
    /// # Errors
    ///
    /// [`Error::Hash`] if the file is another one now, [`Error::Transfer`], [`Error::Network`] and
    /// [`Error::Offline`] if it does not arrive.
    pub fn fetch(&self, wheel: &KnownWheel, folder: &Path) -> Result<Option<ObtainedWheel>, Error> {
        let foundation = self.foundation()?;
        let network = self.network(&foundation)?;
        let settings = &self.options.settings;
        foundation.run(|| fetch::fetch(&foundation, &network, settings, wheel, folder))
    }

    /// The newest versions that the indexes have of some packages for this interpreter. Names that no
    /// index knows are left out. The indexes are asked, whatever they said a few minutes ago.
    ///
    /// # Errors
    ///
    /// [`Error::Network`] if an index does not answer; [`Error::Requirements`] for a name that is none.
    pub fn latest_versions(
        &self,
        names: &[String],
        prerelease: bool,
    ) -> Result<BTreeMap<String, LatestVersion>, Error> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let foundation = self.foundation()?;
        let cache = foundation.cache.clone().with_refresh(Refresh::from_args(Some(true), Vec::new()));
        let foundation = Foundation { cache, ..Foundation::clone(&foundation) };
        let network = self.network(&foundation)?;
        let settings = &self.options.settings;
        foundation.run(|| latest::latest_versions(&foundation, &network, settings, names, prerelease))
    }

    fn network(&self, foundation: &Foundation) -> Result<Network, Error> {
        Network::new(&self.options.settings, &self.options.user_agent, foundation.cache.clone())
    }

    /// The network as a request's files want it.
    fn network_for(&self, foundation: &Foundation, request: &Request) -> Result<Network, Error> {
        let mut settings = self.options.settings.clone();
        settings.trusted_hosts.extend(request.files.options.trusted_hosts.iter().cloned());
        Network::new(&settings, &self.options.user_agent, foundation.cache.clone())
    }

    fn foundation(&self) -> Result<Arc<Foundation>, Error> {
        let mut slot = self.foundation.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(foundation) = slot.as_ref() {
            return Ok(foundation.clone());
        }
        let foundation = Arc::new(Foundation::new(&self.options)?);
        Ok(slot.insert(foundation).clone())
    }
}

/// Which cached index pages have to be asked for again, however fresh they are: those of packages to be
/// upgraded.
fn refresh(request: &Request) -> Option<Refresh> {
    let names = &request.options.upgrade_packages;
    (request.options.upgrade || !names.is_empty()).then(|| {
        let names = names.iter().filter_map(|name| name.parse().ok()).collect();
        Refresh::from_args(request.options.upgrade.then_some(true), names)
    })
}

fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread()
        .enable_all()
        .thread_stack_size(limits::STACK)
        .build()
        .map_err(|source| Error::Start { what: "what waits for the network", source })
}

/// The runtime, the cache and the interpreter of a session.
#[derive(Clone)]
pub(crate) struct Foundation {
    runtime: Arc<BackgroundRuntime>,
    pub(crate) cache: Cache,
    pub(crate) interpreter: Interpreter,
    pub(crate) tags: InterpreterTags,
    pub(crate) local_wheels: Option<Arc<dyn LocalWheels>>,
}

impl Foundation {
    fn new(options: &SessionOptions) -> Result<Self, Error> {
        // Fails if another session was first, which set the same.
        let _ = uv_preview::set(Preview::default());
        let runtime = runtime()?;
        let cache_error = |cause| Error::Cache { folder: options.cache_dir.clone(), cause };
        let cache = Cache::from_path(&options.cache_dir);
        let cache = match cache.clone().init_no_wait() {
            Ok(Some(cache)) => cache,
            // Somebody is clearing it just now.
            Ok(None) => {
                runtime.block_on(cache.init()).map_err(|error| cache_error(Cause::from_error(&error)))?
            }
            Err(error) => return Err(cache_error(Cause::from_error(&error))),
        };
        let interpreter = Interpreter::query(&options.python, &cache).map_err(|error| Error::Python {
            python: options.python.clone(),
            cause: Cause::from_error(&error),
        })?;
        let runtime = Arc::new(BackgroundRuntime(Some(runtime)));
        let local_wheels = options.local_wheels.clone().filter(|_| options.settings.offline);
        Ok(Self { runtime, cache, interpreter, tags: options.tags.clone(), local_wheels })
    }

    /// Itself, with a cache that asks again what a request wants to know anew.
    fn refreshed(&self, request: &Request) -> Self {
        let cache = self.cache.clone();
        let cache = if let Some(refresh) = refresh(request) { cache.with_refresh(refresh) } else { cache };
        Self { cache, ..self.clone() }
    }

    /// Itself, with a cache that besides forgets what builds said of some folders before a time.
    pub(crate) fn refreshed_folders(
        &self,
        request: &Request,
        folders: &[Box<Path>],
        since: Timestamp,
    ) -> Self {
        let names = match refresh(request) {
            Some(Refresh::All(_)) => return self.clone(),
            Some(Refresh::Packages(names, ..)) => names,
            Some(Refresh::None(_)) | None => Vec::new(),
        };
        if folders.is_empty() {
            return self.clone();
        }
        let cache = self.cache.clone().with_refresh(Refresh::Packages(names, folders.to_vec(), since));
        Self { cache, ..self.clone() }
    }

    /// Runs an asynchronous task to its end, on a thread with a stack that is large enough.
    pub(crate) fn run<T, F>(&self, task: impl FnOnce() -> F + Send) -> Result<T, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>>,
    {
        let _locks = BuildLocks::watch();
        thread::scope(|scope| {
            let worker = thread::Builder::new()
                .name("resolver".to_owned())
                .stack_size(limits::STACK)
                .spawn_scoped(scope, || self.runtime.block_on(task()))
                .map_err(|source| Error::Start { what: "a thread", source })?;
            worker.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}

/// A runtime that does not wait for lookups under way when it is dropped.
struct BackgroundRuntime(Option<Runtime>);

impl BackgroundRuntime {
    fn block_on<T, F: Future<Output = Result<T, Error>>>(&self, task: F) -> Result<T, Error> {
        match &self.0 {
            Some(runtime) => runtime.block_on(Box::pin(task)),
            None => unreachable!("the runtime is taken out only when it is dropped"),
        }
    }
}

impl Drop for BackgroundRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
