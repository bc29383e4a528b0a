//! A session: one interpreter, one cache, one set of index settings, and all that is asked of them.
//!
//! The libraries underneath are asynchronous, keep values that must not change threads, and need a large
//! stack. So each call runs on a thread of its own that drives the session's runtime; connections stay
//! open from one call to the next. Everything is made when it is first needed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use uv_cache::Refresh;
use virtpy_pep::PackageName;

use crate::client::ClientFactory;
use crate::error::Error;
use crate::locked::{self, LockedRequest};
use crate::locking::{self, Lock, LockRequest};
use crate::request::{KnownWheel, LatestVersion, ObtainedWheel, Receiver, Request, Sought};
use crate::rules::Rules;
use crate::runtime::{Runtime, SessionOptions};
use crate::settings::IndexSettings;
use crate::solution::Resolution;
use crate::tool_sources::ToolSources;
use crate::{fetch, latest, obtain, resolve};

/// Resolves requirements and obtains wheels. Costs nothing until it is used.
pub struct Session {
    options: SessionOptions,
    runtime: Mutex<Option<Arc<Runtime>>>,
}

impl Session {
    /// Makes a session. Nothing is read, written or started yet.
    pub fn new(options: SessionOptions) -> Self {
        Self { options, runtime: Mutex::new(None) }
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
        let runtime = self.runtime()?.refreshed(request);
        let rules = Rules::of(request, &self.options.settings)?;
        let network = self.network_for(&runtime, request, &rules.settings)?;
        let resolved = runtime.run(|| resolve::resolve(&runtime, &network, &rules, request));
        let notes = network.replies.notes.take();
        match resolved {
            Ok(resolution) => Ok(Resolution { notes, ..resolution }),
            Err(error) => Err(error.with_notes(notes).with_notes(rules.warnings)),
        }
    }

    /// Resolves a request and writes down the result as a lock file's text.
    ///
    /// # Errors
    ///
    /// As those of [`Session::resolve`], and [`Error::Requirements`] for what a lock file cannot hold.
    pub fn lock(&self, request: &LockRequest) -> Result<Lock, Error> {
        let runtime = self.runtime()?;
        let runtime = if request.asks_all {
            runtime.asking_again(Refresh::from_args(Some(true), Vec::new()))
        } else {
            runtime.refreshed(&request.request)
        };
        let rules = Rules::of(&request.request, &self.options.settings)?;
        let network = self.network_for(&runtime, &request.request, &rules.settings)?;
        runtime
            .run(|| locking::lock(&runtime, &network, &rules, request))
            .map_err(|error| error.with_notes(rules.warnings))
    }

    /// Finds what a lock file holds for the session's interpreter; no index is asked.
    ///
    /// # Errors
    ///
    /// [`Error::Requirements`] if the file makes no sense, is for other interpreters, or has nothing that
    /// suits this one.
    pub fn resolve_locked(&self, request: &LockedRequest) -> Result<Resolution, Error> {
        let runtime = self.runtime()?;
        let network = self.network(&runtime)?;
        let settings = &self.options.settings;
        runtime.run(|| locked::resolve(&runtime, &network, settings, request))
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
        let runtime = self.runtime()?;
        obtain::obtain(&runtime, resolution, wanted, folder, receiver)
    }

    /// Fetches a wheel again whose origin and hash are known, into `folder`. Returns `None` where the origin is
    /// no wheel: what was built from source cannot be fetched.
    ///
    /// # Errors
    ///
    /// [`Error::Hash`] if the file is another one now, [`Error::Transfer`], [`Error::Network`] and
    /// [`Error::Offline`] if it does not arrive.
    pub fn fetch(&self, wheel: &KnownWheel, folder: &Path) -> Result<Option<ObtainedWheel>, Error> {
        let runtime = self.runtime()?;
        let network = self.network(&runtime)?;
        let settings = &self.options.settings;
        runtime.run(|| fetch::fetch(&runtime, &network, settings, wheel, folder))
    }

    /// The newest versions that the indexes have of some packages for this interpreter: the user's, and those of the project in a
    /// directory. Names that no index knows are left out. The indexes are asked, whatever they said a few minutes ago.
    ///
    /// # Errors
    ///
    /// [`Error::Network`] if an index does not answer; those of reading the project's settings.
    pub fn latest_versions(
        &self,
        packages: &[Sought],
        prerelease: bool,
        project: Option<&Path>,
    ) -> Result<BTreeMap<PackageName, LatestVersion>, Error> {
        if packages.is_empty() {
            return Ok(BTreeMap::new());
        }
        let runtime = self.runtime()?;
        let runtime = runtime.asking_again(Refresh::from_args(Some(true), Vec::new()));
        let settings = self.options.settings.clone();
        let settings = match project {
            Some(folder) => Rules::of_project(folder, &settings)?.settings,
            None => settings,
        };
        let network = ClientFactory::new(&settings, &self.options.user_agent, runtime.cache.clone())?;
        let sources = project.map(ToolSources::of).unwrap_or_default();
        let wanted = latest::Wanted { packages, prerelease, sources: &sources };
        runtime.run(|| latest::latest_versions(&runtime, &network, &settings, wanted))
    }

    fn network(&self, runtime: &Runtime) -> Result<ClientFactory, Error> {
        ClientFactory::new(&self.options.settings, &self.options.user_agent, runtime.cache.clone())
    }

    /// The network as a request's files want it.
    fn network_for(
        &self,
        runtime: &Runtime,
        request: &Request,
        settings: &IndexSettings,
    ) -> Result<ClientFactory, Error> {
        let mut settings = settings.clone();
        settings.trusted_hosts.extend(request.files.options.trusted_hosts.iter().cloned());
        ClientFactory::new(&settings, &self.options.user_agent, runtime.cache.clone())
    }

    fn runtime(&self) -> Result<Arc<Runtime>, Error> {
        let mut slot = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = slot.as_ref() {
            return Ok(runtime.clone());
        }
        let runtime = Arc::new(Runtime::new(&self.options)?);
        Ok(slot.insert(runtime).clone())
    }
}
