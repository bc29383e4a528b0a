//! What the solver asks for: passed on to the indexes and noted, beside what is installed and the caller's wheels.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use uv_cache::{CacheBucket, WheelCache};
use uv_distribution::Reporter;
use uv_distribution_types::{Dist, IndexMetadata, IndexUrl, InstalledDist, Name};
use uv_normalize::PackageName;
use uv_resolver::{
    MetadataResponse, PackageVersionsResult, ResolverProvider, VersionsResponse, WheelMetadataResult,
};

use crate::context::Context;
use crate::installed::Installed;
use crate::local_grounds::Terms;
use crate::local_wheels::Candidates;
use crate::pages::{ConsultedPages, PageFreshness, Pages};

/// Passes on what the resolver asks for, and notes it. What is installed is known without asking.
pub(crate) struct RecordingProvider<'a, P> {
    pub(crate) provider: P,
    pub(crate) consulted: &'a Mutex<ConsultedPages>,
    pub(crate) installed: &'a Installed,
    /// What the caller has of wheels, and what decides about them.
    pub(crate) local: (&'a Candidates, Terms<'a>),
    pub(crate) settled: Option<SettledProvider<'a, P>>,
}

/// The packages of which the cache's pages will do, however old they are, and what looks only there.
pub(crate) struct SettledProvider<'a, P> {
    pub(crate) names: &'a BTreeSet<PackageName>,
    pub(crate) provider: P,
}

impl<P: ResolverProvider> SettledProvider<'_, P> {
    /// What the cache has of a package, if that will do.
    async fn versions(&self, name: &PackageName, index: Option<&IndexMetadata>) -> Option<VersionsResponse> {
        if !self.names.contains(name) {
            return None;
        }
        let found = self.provider.get_package_versions(name, index).await.ok();
        found.filter(|found| matches!(found, VersionsResponse::Found(_)))
    }

    /// The same of a wheel's metadata. What is built has to be looked at by whoever may ask for what that needs.
    async fn metadata(&self, dist: &Dist) -> Option<MetadataResponse> {
        if !matches!(dist, Dist::Built(_)) || !self.names.contains(dist.name()) {
            return None;
        }
        let found = self.provider.get_or_build_wheel_metadata(dist).await.ok();
        found.filter(|found| matches!(found, MetadataResponse::Found(_)))
    }
}

impl<P: ResolverProvider> ResolverProvider for RecordingProvider<'_, P> {
    fn get_package_versions<'io>(
        &'io self,
        package_name: &'io PackageName,
        index: Option<&'io IndexMetadata>,
    ) -> impl Future<Output = PackageVersionsResult> + 'io {
        {
            let mut consulted = self.consulted.lock().unwrap_or_else(PoisonError::into_inner);
            consulted.names.insert(package_name.clone());
            consulted.has_other_index |= index.is_some();
        }
        let (local, terms) = self.local;
        async move {
            if let Some(settled) = &self.settled
                && let Some(found) = settled.versions(package_name, index).await
            {
                return Ok(found);
            }
            match self.provider.get_package_versions(package_name, index).await {
                // It is seen in the end whether anything else than what is installed was needed.
                Err(error) if self.installed.stays(package_name) => {
                    self.installed.note_failure(error);
                    Ok(VersionsResponse::NotFound)
                }
                // Who asks for a certain index gets what is cached of it.
                other if index.is_some() => other,
                Ok(VersionsResponse::Offline) => {
                    let versions = local.in_place_of_pages(package_name, terms);
                    Ok(versions.map_or(VersionsResponse::Offline, |one| VersionsResponse::Found(vec![one])))
                }
                Ok(VersionsResponse::Found(mut versions)) => {
                    versions.extend(local.demanded(package_name, terms));
                    Ok(VersionsResponse::Found(versions))
                }
                other => other,
            }
        }
    }

    async fn get_or_build_wheel_metadata<'io>(&'io self, dist: &'io Dist) -> WheelMetadataResult {
        if let Some(metadata) = self.local.0.metadata(dist) {
            return Ok(MetadataResponse::Found(metadata));
        }
        if let Some(settled) = &self.settled
            && let Some(found) = settled.metadata(dist).await
        {
            return Ok(found);
        }
        self.provider.get_or_build_wheel_metadata(dist).await
    }

    async fn get_installed_metadata<'io>(&'io self, dist: &'io InstalledDist) -> WheelMetadataResult {
        match self.installed.metadata(dist) {
            Some(metadata) => Ok(MetadataResponse::Found(metadata)),
            None => self.provider.get_installed_metadata(dist).await,
        }
    }

    fn with_reporter(self, reporter: Arc<dyn Reporter>) -> Self {
        Self { provider: self.provider.with_reporter(reporter), ..self }
    }
}

/// The pages that a solved request depends on. `None` where it depends on more than the pages of one index and on folders, or
/// where some of the pages were in the cache already: how long those may be believed was said to somebody else.
pub(crate) fn pages(context: &Context, arrivals: &PageFreshness) -> Option<Pages> {
    let consulted = context.consulted.lock().unwrap_or_else(PoisonError::into_inner);
    let mut indexes = context.indexes.fetch_indexes();
    let (Some(index), None) = (indexes.next(), indexes.next()) else { return None };
    if consulted.has_other_index || matches!(index.url(), IndexUrl::Path(_)) {
        return None;
    }
    let until = consulted.names.iter().map(|name| arrivals.get(name)).collect::<Option<Vec<_>>>()?;
    let until = until.into_iter().min()?;
    let folder = WheelCache::Index(index.url()).root();
    let file = |name| context.cache.entry(CacheBucket::Simple, &folder, format!("{name}.rkyv"));
    let mut files: Vec<PathBuf> = consulted.names.iter().map(|name| file(name).into_path_buf()).collect();
    for links in context.indexes.flat_indexes() {
        let IndexUrl::Path(url) = links.url() else { return None };
        files.push(url.to_file_path().ok()?);
    }
    Some(Pages { files, until })
}
