//! Wheels that the caller has, as candidates of the solver where no index may be asked.
//!
//! Without the network an index is what the cache has of its pages. Where that has no page of a name, the caller's wheels of the
//! name stand in for it, but only those of which it is known that the index of this request would have given them: a wheel that
//! came from elsewhere must not take the place of another project's of the same name. A hash that is demanded tells the wheel by
//! itself, wherever it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use uv_distribution::ArchiveMetadata;
use uv_distribution_types::{BuiltDist, Dist};
use uv_normalize::PackageName;
use uv_pypi_types::{HashAlgorithm, ResolutionMetadata};
use virtpy_pep::WheelHash;

use crate::error::{Error, again_with_network};

/// Of so many wheels that were not taken a message says why.
const MOST_TOLD: usize = 3;

/// A wheel that the caller has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalWheel {
    /// The name of its distribution; any spelling will do.
    pub name: String,
    /// Its file name (PEP 427).
    pub filename: String,
    /// Its SHA-256.
    pub sha256: WheelHash,
    /// Where its bytes came from: a URL without credentials, or a path.
    pub origin: String,
    /// The [`Package::indexes`](crate::Package::indexes) that it was resolved with.
    pub indexes: Vec<String>,
    /// Where its METADATA lies.
    pub metadata: PathBuf,
}

/// Who has wheels. Asked once, and only if the network is not to be used and the cache has no answer.
pub trait LocalWheels: fmt::Debug + Send + Sync {
    /// All wheels that there are.
    fn list(&self) -> Vec<LocalWheel>;
}

/// The caller's wheels for one request; none where the network may be used.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// Who has wheels, whether or not they count for the request.
    caller: Option<Arc<dyn LocalWheels>>,
    source: Option<Arc<dyn LocalWheels>>,
    known: OnceLock<BTreeMap<PackageName, Vec<LocalWheel>>>,
    pub(crate) outcome: Mutex<Outcome>,
}

/// What became of the names that the cache has no page of.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Those that the caller's wheels stood in for.
    pub(crate) taken: BTreeSet<PackageName>,
    /// The wheels that were not taken, and why.
    pub(crate) withheld: BTreeMap<String, &'static str>,
}

impl Candidates {
    /// Those of a caller; they count where the network is not to be used.
    pub(crate) fn new(caller: Option<Arc<dyn LocalWheels>>, offline: bool) -> Self {
        let source = caller.clone().filter(|_| offline);
        Self { caller, source, ..Self::default() }
    }

    /// The names of all wheels that the caller has.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let wheels = self.caller.as_ref().map(|caller| caller.list()).unwrap_or_default();
        let name = |wheel: LocalWheel| PackageName::from_str(&wheel.name).ok().map(|name| name.to_string());
        wheels.into_iter().filter_map(name).collect()
    }

    pub(crate) fn of_name(&self, name: &PackageName) -> &[LocalWheel] {
        let Some(source) = &self.source else { return &[] };
        let known = self.known.get_or_init(|| {
            let mut known: BTreeMap<PackageName, Vec<LocalWheel>> = BTreeMap::new();
            for wheel in source.list() {
                if let Ok(name) = PackageName::from_str(&wheel.name) {
                    known.entry(name).or_default().push(wheel);
                }
            }
            known
        });
        known.get(name).map_or(&[], Vec::as_slice)
    }

    /// The metadata of a wheel on an index, if the caller has the very file.
    pub(crate) fn metadata(&self, dist: &Dist) -> Option<ArchiveMetadata> {
        let Dist::Built(BuiltDist::Registry(registry)) = dist else { return None };
        let wheel = registry.best_wheel();
        let name = &wheel.filename.name;
        let is_it =
            |one: &&LocalWheel| {
                wheel.file.hashes.iter().any(|hash| {
                    hash.algorithm == HashAlgorithm::Sha256 && hash.digest.parse() == Ok(one.sha256)
                })
            };
        let content = read(&self.of_name(name).iter().find(is_it)?.metadata)?;
        let metadata = ResolutionMetadata::parse_metadata(&content).ok()?;
        let is_own = metadata.name == *name && metadata.version == wheel.filename.version;
        is_own.then(|| ArchiveMetadata::from_metadata23(metadata))
    }

    /// Whether wheels stood in for pages.
    pub(crate) fn were_taken(&self) -> bool {
        !self.outcome.lock().unwrap_or_else(PoisonError::into_inner).taken.is_empty()
    }

    /// Says of a request without a solution which part the caller's wheels have in that.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let mut error = error;
        if let (Some(_), Error::NoSolution { hints, absent, .. }) = (&self.source, &mut error) {
            let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
            let is_about_network = |hint: &String| hint.ends_with(again_with_network());
            if absent.is_some() || !outcome.taken.is_empty() || hints.iter().any(is_about_network) {
                hints.retain(|hint| !is_about_network(hint));
                let withheld = outcome.withheld.iter().take(MOST_TOLD);
                hints.extend(withheld.map(|(file, reason)| format!("the store has `{file}`, but {reason}")));
                if outcome.withheld.len() > MOST_TOLD {
                    hints.push(format!("so it is with {} more wheels", outcome.withheld.len() - MOST_TOLD));
                }
                hints.push(format!(
                    "only what is cached and what the store has was looked at: {}",
                    again_with_network()
                ));
            }
        }
        error
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    // Reading only: the ban is on writing past the one module that does.
    #[expect(clippy::disallowed_methods)]
    std::fs::read(path).ok()
}
