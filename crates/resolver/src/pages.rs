//! Which pages of an index an answer depends on, and until when the index lets them be believed.
//!
//! What an index says of a package may be kept for some minutes (RFC 9111). A resolution that was made of such pages is the
//! same as long as all of them may be believed and none was fetched again, so a caller that remembers it need not ask for it
//! once more. The cache underneath does not tell for how long a page is good: that is seen when the page comes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AGE, CACHE_CONTROL, HeaderMap};
use reqwest::{Request, Response, StatusCode};
use uv_cache::{CacheBucket, WheelCache};
use uv_distribution::Reporter;
use uv_distribution_types::{Dist, IndexMetadata, IndexUrl, InstalledDist};
use uv_normalize::PackageName;
use uv_resolver::{
    MetadataResponse, PackageVersionsResult, ResolverProvider, VersionsResponse, WheelMetadataResult,
};

use crate::context::Context;
use crate::installed::Installed;
use crate::local_wheels::{Candidates, Terms};

/// The pages that a resolution depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// The files in the session's cache that hold them, and the folders in which wheels were looked for. What one of them
    /// that changes says may be something else.
    pub files: Vec<PathBuf>,
    /// The moment at which the first of them may no longer be believed.
    pub until: SystemTime,
}

/// Until when the pages that came may be believed, by the last part of their addresses, which is a package's name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals(Arc<Mutex<BTreeMap<String, SystemTime>>>);

impl Arrivals {
    /// Notes an answer, if it is a page.
    pub(crate) fn note(&self, request: &Request, response: &Response, asked_at: SystemTime) {
        let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
        let is_page = accept.is_some_and(|accept| accept.contains("application/vnd.pypi.simple"));
        if !is_page || !matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED) {
            return;
        }
        let mut parts = request.url().path_segments().into_iter().flatten();
        let name = parts.rfind(|part| !part.is_empty());
        let until = lifetime(response.headers()).and_then(|lifetime| asked_at.checked_add(lifetime));
        if let (Some(name), Some(until)) = (name, until) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), until);
        }
    }

    fn get(&self, name: &PackageName) -> Option<SystemTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name.as_str()).copied()
    }
}

/// The longest time that is believed, in seconds: what RFC 9111 makes of numbers that are too large.
const LONGEST: u64 = 1 << 31;

/// For how long an answer may be believed, from when it was asked for; `None` if the index does not say.
fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    let text = |value: &reqwest::header::HeaderValue| value.to_str().map(str::to_ascii_lowercase).ok();
    let mut seconds = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in text(value)?.split(',').map(str::trim) {
            match directive.split_once('=').map_or((directive, ""), |(name, value)| (name, value)) {
                ("no-cache" | "no-store", _) => return None,
                ("max-age", value) => seconds = Some(value.trim_matches('"').parse::<u64>().ok()?),
                _ => {}
            }
        }
    }
    let age = headers.get(AGE).map_or(Some(0), |value| text(value)?.parse::<u64>().ok())?;
    Some(Duration::from_secs(seconds?.min(LONGEST).checked_sub(age)?))
}

/// The packages whose pages a resolution looked at.
#[derive(Debug, Default)]
pub(crate) struct Consulted {
    names: BTreeSet<PackageName>,
    /// Whether one of them has an index of its own.
    has_other_index: bool,
}

/// Passes on what the resolver asks for, and notes it. What is installed is known without asking.
pub(crate) struct Watched<'a, P> {
    pub(crate) provider: P,
    pub(crate) consulted: &'a Mutex<Consulted>,
    pub(crate) installed: &'a Installed,
    /// What the caller has of wheels, and what decides about them.
    pub(crate) local: (&'a Candidates, Terms<'a>),
}

impl<P: ResolverProvider> ResolverProvider for Watched<'_, P> {
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
        match self.local.0.metadata(dist) {
            Some(metadata) => Ok(MetadataResponse::Found(metadata)),
            None => self.provider.get_or_build_wheel_metadata(dist).await,
        }
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
pub(crate) fn of(context: &Context, arrivals: &Arrivals) -> Option<Pages> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_what_the_index_says() {
        let lifetime_of = |pairs: &[(reqwest::header::HeaderName, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(name, reqwest::header::HeaderValue::from_static(value));
            }
            lifetime(&headers).map(|lifetime| lifetime.as_secs())
        };
        for (control, expected) in [
            ("max-age=600", Some(600)),
            ("public, Max-Age=600, immutable", Some(600)),
            ("max-age=\"30\"", Some(30)),
            ("max-age=0", Some(0)),
            ("no-cache, max-age=600", None),
            ("max-age=600, no-store", None),
            ("max-age=soon", None),
            ("max-age=18446744073709551615", Some(LONGEST)),
            ("public", None),
        ] {
            assert_eq!(lifetime_of(&[(CACHE_CONTROL, control)]), expected, "{control}");
        }
        assert_eq!(lifetime_of(&[]), None);
        assert_eq!(lifetime_of(&[(CACHE_CONTROL, "max-age=600"), (AGE, "250")]), Some(350));
        assert_eq!(lifetime_of(&[(CACHE_CONTROL, "max-age=600"), (AGE, "700")]), None);
        assert_eq!(lifetime_of(&[(CACHE_CONTROL, "max-age=600"), (CACHE_CONTROL, "no-cache")]), None);
    }
}
