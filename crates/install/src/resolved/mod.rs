//! One question to the resolver, and the entries of its answer. Whatever an operation asks for, it asks here, so that what the
//! resolver has to tell is always told.

pub(crate) mod interrupt;
mod key;
mod supply;

pub(crate) use key::RequestKey;
pub(crate) use supply::{Check, ResolvedSupply};

use std::time::SystemTime;

use virtpy_resolver::{Artifact, IndexSettings, LockedRequest, Request, Resolution, Session};

use crate::resolve::{
    self, BuildTarget, FetchContext, Obtained, Origin, RemoteSupply, ResolveError, build_key,
};
use crate::{Host, Progress, Result};
use virtpy_interpreters::Interpreter;
use virtpy_remote::Remote;
use virtpy_store::Entry;

/// What there is of what is wanted, as far as neither an index is asked nor anything is built.
#[derive(Debug, Default)]
pub struct AtHand {
    /// The entries.
    pub entries: Vec<Entry>,
    /// How many of them came just now.
    pub fetched: usize,
    /// The other packages, with their versions.
    pub lacking: Vec<String>,
}

/// What the resolver is asked.
pub(crate) enum ResolveRequest {
    /// What a lock file holds.
    Locked(Box<LockedRequest>),
    /// What satisfies requirements.
    Request(Box<Request>),
}

/// The resolver's answer, from which wheels can be fetched.
pub(crate) struct Resolved {
    host: Host,
    session: Session,
    build_key: String,
    /// For whom is built, if there is a remote that may know of it.
    target: Option<BuildTarget>,
    /// The most bytes of a wheel.
    limit: u64,
    /// When the resolver was asked.
    since: SystemTime,
    progress: Box<dyn Progress>,
    /// The packages.
    pub(crate) resolution: Resolution,
}

impl Resolved {
    /// Asks, and tells what the resolver has to tell.
    pub(crate) fn of(
        host: &Host,
        interpreter: &Interpreter,
        settings: IndexSettings,
        asked: &ResolveRequest,
    ) -> Result<Self> {
        let since = SystemTime::now();
        interrupt::watch(host);
        let (is_offline, limit) = (settings.offline, settings.max_file_size);
        let session = host.session(interpreter, settings);
        let progress = host.progress("resolving");
        let resolution = match asked {
            ResolveRequest::Locked(request) => session.resolve_locked(request),
            ResolveRequest::Request(request) => session.resolve(request),
        };
        let resolution = resolution.map_err(ResolveError::from)?;
        for note in &resolution.notes {
            host.detail(note);
        }
        for warning in &resolution.warnings {
            host.warning(warning);
        }
        for package in &resolution.packages {
            let (origin, why) =
                (package.file.origin(), if package.requested { "asked for" } else { "required" });
            host.detail(format_args!("chose {} {} ({why}) from `{origin}`", package.name, package.version));
        }
        for kept in &resolution.kept {
            host.detail(format_args!("kept {}, which is installed and satisfies the request", kept.name));
        }
        let build_key = build_key(interpreter);
        let target = host.remote()?.filter(|_| !is_offline).map(|_| BuildTarget::of(interpreter));
        Ok(Self { host: host.clone(), session, build_key, target, limit, since, progress, resolution })
    }

    /// Fetches or builds the packages at these places, as far as the store lacks them.
    pub(crate) fn fetch(&self, places: &[usize]) -> Result<Vec<Obtained>> {
        let remote = self.target.as_ref().zip(self.host.remote()?);
        self.obtain(places, Some(&self.session), remote)
    }

    /// What the store has of the packages at these places, and what a remote has, if one is asked. What was made of a directory is
    /// nobody else's.
    pub(crate) fn at_hand(
        &self,
        places: &[usize],
        interpreter: &Interpreter,
        remote: Option<&Remote>,
    ) -> Result<AtHand> {
        let packages = &self.resolution.packages;
        let is_shared =
            |place: &usize| !matches!(packages[*place].file, Artifact::Source { directory: Some(_), .. });
        let places: Vec<usize> = places.iter().copied().filter(is_shared).collect();
        let target = BuildTarget::of(interpreter);
        let obtained = self.obtain(&places, None, remote.map(|remote| (&target, remote)))?;
        let lacks = |place: &&usize| obtained.iter().all(|one| one.package != **place);
        let label = |place: &usize| format!("{} {}", packages[*place].name, packages[*place].version);
        Ok(AtHand {
            lacking: places.iter().filter(lacks).map(label).collect(),
            fetched: obtained.iter().filter(|one| one.origin != Origin::Store).count(),
            entries: obtained.into_iter().map(|one| one.entry).collect(),
        })
    }

    fn obtain(
        &self,
        places: &[usize],
        session: Option<&Session>,
        remote: Option<(&BuildTarget, &Remote)>,
    ) -> Result<Vec<Obtained>> {
        self.progress.stage("fetching");
        let supply = FetchContext {
            store: &self.host.store,
            session,
            interpreter: &self.build_key,
            since: self.since,
            reporter: self.progress.as_ref(),
            remote: remote.map(|(target, remote)| RemoteSupply { remote, target, limit: self.limit }),
        };
        Ok(resolve::obtain(&supply, &self.resolution, places, &mut self.host.announce())?)
    }

    /// Fetches or builds all of them.
    pub(crate) fn fetch_all(&self) -> Result<Vec<Obtained>> {
        self.fetch(&(0..self.resolution.packages.len()).collect::<Vec<_>>())
    }
}
