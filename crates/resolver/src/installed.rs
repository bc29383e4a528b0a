//! What is installed already, as candidates of the solver: it stays wherever it satisfies what is asked for, whether or
//! not an index has it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use uv_configuration::{Reinstall, Upgrade};
use uv_distribution::ArchiveMetadata;
use uv_distribution_types::{
    InstalledDist, InstalledDistKind, InstalledEggInfoFile, Name as _, Node, Resolution as SolvedGraph,
    ResolvedDist, VersionId,
};
use uv_normalize::{ExtraName, PackageName};
use uv_pep508::{Requirement, VersionOrUrl};
use uv_pypi_types::{LenientRequirement, ResolutionMetadata, VerbatimParsedUrl};
use uv_resolver::{Exclusions, UpgradePackages};
use uv_types::{HashStrategy, InstalledPackagesProvider};
use virtpy_pep::limits;

use crate::request::{InstalledDistribution, Kept, Options, Request};

/// The installed distributions that may be kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Installed(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    distributions: BTreeMap<PackageName, Candidate>,
    /// Requirements that could not be read.
    unreadable: Mutex<BTreeSet<String>>,
    /// Why pages of these distributions could not be had.
    failures: Mutex<Vec<uv_client::Error>>,
}

#[derive(Debug)]
struct Candidate {
    dist: InstalledDist,
    /// Whether an index has nothing better to offer: no newer version of it is asked for.
    stays: bool,
    source: InstalledDistribution,
}

impl Installed {
    /// The candidates of a request. One whose name or version nothing can be compared with is left out.
    pub(crate) fn of(request: &Request) -> Self {
        let upgraded = upgraded(&request.options);
        let candidate = |source: &InstalledDistribution| {
            let name = PackageName::from_str(&source.name).ok()?;
            let version = uv_pep440::Version::from_str(&source.version).ok()?;
            // Of the kinds that there are, this one has nothing that would be looked up on the disk.
            let kind = InstalledDistKind::EggInfoFile(InstalledEggInfoFile {
                name: name.clone(),
                version,
                path: source.location.clone().into_boxed_path(),
            });
            let stays = !request.options.upgrade && !upgraded.contains(&name);
            Some((name, Candidate { dist: kind.into(), stays, source: source.clone() }))
        };
        let considered = if request.options.reinstall { &[][..] } else { &request.installed[..] };
        let distributions = considered.iter().filter_map(candidate).collect();
        Self(Arc::new(Known { distributions, ..Known::default() }))
    }

    /// The metadata of a candidate.
    pub(crate) fn metadata(&self, dist: &InstalledDist) -> Option<ArchiveMetadata> {
        let Candidate { source, .. } = self.0.distributions.get(dist.name())?;
        let requires_dist = source.requires_dist.iter().filter_map(|text| self.requirement(source, text));
        let extras = source.provides_extra.iter().filter_map(|extra| ExtraName::from_str(extra).ok());
        Some(ArchiveMetadata::from_metadata23(ResolutionMetadata {
            name: dist.name().clone(),
            version: dist.version().clone(),
            requires_dist: requires_dist.collect(),
            // It is there, whatever Python it was made for.
            requires_python: None,
            provides_extra: extras.collect(),
            dynamic: false,
        }))
    }

    /// One requirement of an installed distribution. A URL in it says where to install from, which has happened, if
    /// the package is there.
    fn requirement(
        &self,
        source: &InstalledDistribution,
        text: &str,
    ) -> Option<Requirement<VerbatimParsedUrl>> {
        let readable = limits::check_requirement(text)
            .ok()
            .and_then(|()| LenientRequirement::<VerbatimParsedUrl>::from_str(text).ok());
        let Some(requirement) = readable else {
            let complaint = format!(
                "the installed {} {} has a requirement that cannot be read and was passed over: `{}`",
                source.name,
                source.version,
                limits::beginning(text)
            );
            self.0.unreadable.lock().unwrap_or_else(PoisonError::into_inner).insert(complaint);
            return None;
        };
        let mut requirement = Requirement::from(requirement);
        let is_url = matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_)));
        if is_url && self.0.distributions.contains_key(&requirement.name) {
            requirement.version_or_url = None;
        }
        Some(requirement)
    }

    /// Whether an installed distribution does for a package, unless its version is not admitted: then an index that does
    /// not answer is not needed.
    pub(crate) fn stays(&self, name: &PackageName) -> bool {
        self.0.distributions.get(name).is_some_and(|candidate| candidate.stays)
    }

    /// The hashes that are demanded, where every package has to have one: of what is installed none is, since nothing of it is
    /// fetched. Only for the solver's own question whether a package may be taken.
    pub(crate) fn excepted_from(&self, demanded: &HashStrategy) -> HashStrategy {
        let HashStrategy::Require(hashes) = demanded else { return demanded.clone() };
        let mut hashes = hashes.as_ref().clone();
        for (name, candidate) in &self.0.distributions {
            let version = candidate.dist.version().clone();
            hashes.entry(VersionId::from_registry(name.clone(), version)).or_default();
        }
        HashStrategy::Require(Arc::new(hashes))
    }

    /// Notes why an index could not be asked for a distribution that [`Self::stays`].
    pub(crate) fn note_failure(&self, error: uv_client::Error) {
        self.0.failures.lock().unwrap_or_else(PoisonError::into_inner).push(error);
    }

    /// One of the noted failures.
    pub(crate) fn failure(&self) -> Option<uv_client::Error> {
        self.0.failures.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// What the user should know.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.0.unreadable.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl InstalledPackagesProvider for Installed {
    fn iter(&self) -> impl Iterator<Item = &InstalledDist> {
        self.0.distributions.values().map(|candidate| &candidate.dist)
    }

    fn get_packages(&self, name: &PackageName) -> Vec<&InstalledDist> {
        self.0.distributions.get(name).map(|candidate| &candidate.dist).into_iter().collect()
    }
}

fn upgraded(options: &Options) -> BTreeSet<PackageName> {
    options.upgrade_packages.iter().filter_map(|name| name.parse().ok()).collect()
}

/// Of which packages an index may replace what is installed, though it satisfies.
pub(crate) fn exclusions(options: &Options) -> Exclusions {
    let all = || Upgrade::from_args(Some(true), Vec::new(), Vec::new());
    let upgrade = if options.upgrade { all() } else { Some(Upgrade::from_packages(upgraded(options))) };
    Exclusions::new(Reinstall::None, UpgradePackages::for_non_project(&upgrade.unwrap_or_default()))
}

/// What of a solution is installed already, sorted by name.
pub(crate) fn kept(solved: &SolvedGraph, is_requested: impl Fn(&PackageName) -> bool) -> Vec<Kept> {
    let graph = solved.graph();
    let mut kept: Vec<Kept> = graph
        .node_weights()
        .filter_map(|node| match node {
            Node::Dist { dist: ResolvedDist::Installed { dist }, install: true, .. } => Some(Kept {
                name: dist.name().into(),
                version: dist.version().to_string(),
                requested: is_requested(dist.name()),
            }),
            _ => None,
        })
        .collect();
    kept.sort_by(|one, other| one.name.cmp(&other.name));
    kept
}
