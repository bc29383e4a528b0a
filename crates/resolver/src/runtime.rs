//! What all that a session does stands on: the runtime, the cache and the interpreter.

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Runtime as TokioRuntime};
use uv_cache::{Cache, Refresh};
use uv_cache_info::Timestamp;
use uv_preview::Preview;
use uv_python::Interpreter;
use virtpy_pep::InterpreterTags;
use virtpy_pep::limits;

use crate::build_locks::BuildLocks;
use crate::error::{Cause, Error};
use crate::folders::{Folder, KnownDirectories};
use crate::local_wheels::LocalWheels;
use crate::request::Request;
use crate::settings::IndexSettings;

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
    /// Who knows whether directories have changed.
    pub directories: Option<Arc<dyn KnownDirectories>>,
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

fn runtime() -> Result<TokioRuntime, Error> {
    Builder::new_current_thread()
        .enable_all()
        .thread_stack_size(limits::STACK)
        .build()
        .map_err(|source| Error::Start { what: "what waits for the network", source })
}

/// The runtime, the cache and the interpreter of a session.
#[derive(Clone)]
pub(crate) struct Runtime {
    executor: Arc<BackgroundRuntime>,
    pub(crate) cache: Cache,
    pub(crate) interpreter: Interpreter,
    pub(crate) tags: InterpreterTags,
    pub(crate) local_wheels: Option<Arc<dyn LocalWheels>>,
    directories: Option<Arc<dyn KnownDirectories>>,
}

impl Runtime {
    pub(crate) fn new(options: &SessionOptions) -> Result<Self, Error> {
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
        let executor = Arc::new(BackgroundRuntime(Some(runtime)));
        let local_wheels = options.local_wheels.clone();
        let (tags, directories) = (options.tags.clone(), options.directories.clone());
        Ok(Self { executor, cache, interpreter, tags, local_wheels, directories })
    }

    /// Itself, with a cache that asks again what a request wants to know again.
    pub(crate) fn refreshed(&self, request: &Request) -> Self {
        refresh(request).map_or_else(|| self.clone(), |refresh| self.asking_again(refresh))
    }

    /// Itself, with a cache that asks again for these pages.
    pub(crate) fn asking_again(&self, refresh: Refresh) -> Self {
        Self { cache: self.cache.clone().with_refresh(refresh), ..self.clone() }
    }

    /// Who knows of directories, if that is to count for a request.
    pub(crate) fn known_directories(&self, request: &Request) -> Option<&dyn KnownDirectories> {
        self.directories.as_deref().filter(|_| !request.options.reinstall)
    }

    /// Itself, with a cache that besides forgets what builds said of some folders before a time, if these may have changed since.
    pub(crate) fn refreshed_folders(&self, request: &Request, folders: &[Folder], since: Timestamp) -> Self {
        let names = match refresh(request) {
            Some(Refresh::All(_)) => return self.clone(),
            Some(Refresh::Packages(names, ..)) => names,
            Some(Refresh::None(_)) | None => Vec::new(),
        };
        let is_unchanged = |folder: &&Folder| {
            let knows = self.known_directories(request);
            knows.is_some_and(|knows| knows.is_unchanged(&folder.path, folder.editable))
        };
        let changed = folders.iter().filter(|folder| !is_unchanged(folder));
        let changed: Vec<Box<Path>> = changed.map(|folder| folder.path.clone()).collect();
        if changed.is_empty() {
            return self.clone();
        }
        self.asking_again(Refresh::Packages(names, changed, since))
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
                .spawn_scoped(scope, || self.executor.block_on(task()))
                .map_err(|source| Error::Start { what: "a thread", source })?;
            worker.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}

/// A runtime that does not wait for lookups under way when it is dropped.
struct BackgroundRuntime(Option<TokioRuntime>);

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
