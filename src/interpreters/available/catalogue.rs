//! All that can be installed, from all sources, and the choice among it.

use std::cmp::Reverse;
use std::path::PathBuf;
use std::sync::OnceLock;

use virtpy_resolver::Version;

use super::custom::Distributions;
use super::index::Index;
use super::remembered::{Remembered, lifetime};
use super::{AvailableError, Build, BuildSource, Environment, Fetch, builtin, location, triple};
use crate::interpreters::{PythonRequest, PythonVersion, VersionRequest};

/// How many builds that come near are named when there is none that fits.
const NEAR: usize = 6;

/// All that can be installed, best source first. What the environment describes is read at once, an index when
/// something is asked that custom distributions do not answer.
pub struct Catalogue<'a> {
    environment: Environment,
    custom: Distributions,
    triple: String,
    cache: PathBuf,
    fetch: &'a dyn Fetch,
    loaded: OnceLock<Loaded>,
}

/// What was read from all sources.
#[derive(Debug, Default)]
struct Loaded {
    builds: Vec<Build>,
    warnings: Vec<String>,
}

impl<'a> Catalogue<'a> {
    /// Reads the environment. Copies of indexes are kept in the folder `cache`, and `fetch` gets what is not
    /// on this machine.
    ///
    /// # Errors
    /// When the wanted target triple is none.
    pub fn open(
        environment: Environment,
        cache: PathBuf,
        fetch: &'a dyn Fetch,
    ) -> Result<Self, AvailableError> {
        let wanted = environment.triple.as_ref();
        let triple = triple::choose(wanted.map(|wish| (wish.name.as_str(), wish.value.as_str())))?;
        let custom = Distributions::new(&environment.custom);
        Ok(Self { environment, custom, triple, cache, fetch, loaded: OnceLock::new() })
    }

    /// The target triple that builds are chosen by.
    pub fn triple(&self) -> &str {
        &self.triple
    }

    /// The best build for what a user typed: the name of a custom distribution, or `3`, `3.12`, `3.12.11`,
    /// `3.13t`, `3.13+freethreaded`, `3.14.0rc2`, `cpython-3.12`, `>=3.11,<3.13`. A better source is asked before
    /// a lesser one; final releases come before pre-releases.
    ///
    /// # Errors
    /// When no source has it, the variables of the custom distribution of that name are not complete, or an index
    /// cannot be used.
    pub fn find(&self, request: &str) -> Result<Build, AvailableError> {
        let request = request.trim();
        if let Some(build) = self.custom.find(request)? {
            return Ok(build);
        }
        let parsed: Option<PythonRequest> = request.parse().ok();
        let loaded = self.load()?;
        let fitting = parsed.as_ref().and_then(|parsed| best(&loaded.builds, parsed));
        fitting.cloned().ok_or_else(|| AvailableError::NotFound {
            request: request.to_owned(),
            triple: self.triple.clone(),
            near: near(&loaded.builds, parsed.as_ref()),
        })
    }

    /// Everything there is: custom distributions first, then `CPython`, the newest first. Where several sources
    /// have the same, the best one's is listed.
    ///
    /// # Errors
    /// When an index cannot be used.
    pub fn all(&self) -> Result<&[Build], AvailableError> {
        Ok(&self.load()?.builds)
    }

    /// What the user should know about the sources: an index that could not be refreshed, a custom distribution
    /// that cannot be used. Empty before a source was asked.
    pub fn warnings(&self) -> &[String] {
        self.loaded.get().map(|loaded| loaded.warnings.as_slice()).unwrap_or_default()
    }

    /// The build that replaces an installed one, of which name, version and date of build are given: a custom
    /// distribution whose version was raised, a newer patch release, or a newer build of the same.
    ///
    /// # Errors
    /// When an index cannot be used, or the variables of a custom distribution are not complete.
    pub fn update_for(
        &self,
        name: &str,
        version: &str,
        build: Option<&str>,
    ) -> Result<Option<Build>, AvailableError> {
        if let Some(custom) = self.custom.find(name)? {
            let (Ok(new), Ok(old)) = (custom.version.parse::<Version>(), version.parse::<Version>()) else {
                return Ok(None);
            };
            return Ok((new > old).then_some(custom));
        }
        let free_threaded = name.ends_with('t');
        let Ok(installed) = version.parse::<PythonVersion>() else { return Ok(None) };
        if name.trim_end_matches('t') != version {
            // A custom distribution that the environment no longer describes.
            return Ok(None);
        }
        let minor = PythonRequest::Version(VersionRequest {
            implementation: Some("cpython".to_owned()),
            release: vec![installed.major, installed.minor],
            suffix: String::new(),
            free_threaded,
        });
        let Some(newest) = best(&self.load()?.builds, &minor) else { return Ok(None) };
        let Some(offered) = python_version(newest) else { return Ok(None) };
        let is_newer = (offered, date(newest.build.as_deref())) > (installed, date(build));
        Ok(is_newer.then(|| newest.clone()))
    }

    /// Gets the index anew that the user names. Returns its address without credentials, and how many builds it has
    /// for this target; `None` where no index is named.
    ///
    /// # Errors
    /// When it cannot be had, or is none. The copy that is kept is then what it was.
    pub fn refresh(&self) -> Result<Option<(String, usize)>, AvailableError> {
        let Some(remembered) = self.remembered()? else { return Ok(None) };
        let index = remembered.refresh()?;
        Ok(Some((location::public(remembered.address), index.builds.len())))
    }

    fn remembered(&self) -> Result<Option<Remembered<'_>>, AvailableError> {
        let Some(address) = &self.environment.index else { return Ok(None) };
        Ok(Some(Remembered {
            address: &address.value,
            triple: &self.triple,
            cache: &self.cache,
            fetch: self.fetch,
            lifetime: lifetime(self.environment.lifetime.as_ref())?,
        }))
    }

    fn load(&self) -> Result<&Loaded, AvailableError> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let loaded = self.read()?;
        Ok(self.loaded.get_or_init(|| loaded))
    }

    fn read(&self) -> Result<Loaded, AvailableError> {
        let (mut builds, errors) = self.custom.all();
        let mut warnings: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let mut standalone = Vec::new();
        if let Some(remembered) = self.remembered()? {
            let (index, warning) = remembered.read()?;
            warnings.extend(warning);
            warnings.extend(complaint(&index));
            standalone = index.builds;
        }
        let mirror = self.environment.mirror.as_ref().map(|mirror| mirror.value.as_str());
        standalone.extend(builtin::builds(&self.triple, mirror));
        sort(&mut standalone);
        builds.append(&mut standalone);
        Ok(Loaded { builds, warnings })
    }
}

/// What is wrong with an index that can be used otherwise.
fn complaint(index: &Index) -> Option<String> {
    let (first, count) = index.nonsense.as_ref()?;
    Some(format!("the index of interpreters has {count} that make no sense and are left out: {first}"))
}

/// The newest first, the ordinary build of a version before the free-threaded one. Where several sources have the
/// same, the best one's stays.
fn sort(builds: &mut Vec<Build>) {
    builds.sort_by_cached_key(|build| {
        let age = build.build.as_ref().map(|date| (date.len(), date.clone()));
        (Reverse(python_version(build)), build.free_threaded, build.source.clone(), Reverse(age))
    });
    builds.dedup_by(|later, first| later.name == first.name);
}

fn python_version(build: &Build) -> Option<PythonVersion> {
    build.version.parse().ok()
}

/// The dates of builds as they follow each other; what has none is older than what has one.
fn date(build: Option<&str>) -> (usize, &str) {
    build.map_or((0, ""), |date| (date.len(), date))
}

/// The build of `CPython` that fits a request best.
fn best<'a>(builds: &'a [Build], request: &PythonRequest) -> Option<&'a Build> {
    let standalone = builds.iter().filter(|build| build.source != BuildSource::Custom);
    let known = standalone.filter_map(|build| Some((build, python_version(build)?)));
    let fitting = known.filter(|(build, version)| fits(request, build, version));
    let ordered = fitting.min_by_key(|(build, version)| {
        let stage = (build.source.clone(), version.is_prerelease());
        (stage, Reverse((version.clone(), date(build.build.as_deref()))))
    });
    ordered.map(|(build, _)| build)
}

/// Whether a build is what was asked for. Free-threaded ones have to be asked for.
fn fits(request: &PythonRequest, build: &Build, version: &PythonVersion) -> bool {
    match request {
        PythonRequest::Any => !build.free_threaded,
        PythonRequest::Range(range) => !build.free_threaded && range.contains(version),
        PythonRequest::Version(wanted) => {
            wanted.implementation.as_deref().is_none_or(|name| name == "cpython")
                && version.release().starts_with(&wanted.release)
                && (wanted.suffix.is_empty() || wanted.suffix == version.suffix)
                && wanted.free_threaded == build.free_threaded
        }
        PythonRequest::Path(_) | PythonRequest::Name(_) => false,
    }
}

/// The names of what comes near a request: the patch releases of the minor version if there are any, else the
/// newest of each minor version; custom distributions where no version was asked for.
fn near(builds: &[Build], request: Option<&PythonRequest>) -> Vec<String> {
    let known = || builds.iter().filter_map(|build| Some((build, python_version(build)?)));
    if let Some(PythonRequest::Version(wanted)) = request
        && wanted.implementation.as_deref().is_none_or(|name| name == "cpython")
    {
        let minor = &wanted.release[..wanted.release.len().min(2)];
        let same = known().filter(|(build, version)| {
            build.source != BuildSource::Custom && minor.len() == 2 && version.release().starts_with(minor)
        });
        let names: Vec<String> = same.map(|(build, _)| build.name.clone()).take(NEAR).collect();
        if !names.is_empty() {
            return names;
        }
    }
    let custom = builds.iter().filter(|build| build.source == BuildSource::Custom);
    let mut names: Vec<String> = custom.map(|build| build.name.clone()).take(NEAR).collect();
    let mut last = None;
    for (build, version) in known().filter(|(build, _)| build.source != BuildSource::Custom) {
        let minor = (version.major, version.minor);
        if !version.is_prerelease() && !build.free_threaded && last != Some(minor) && names.len() < NEAR {
            last = Some(minor);
            names.push(build.name.clone());
        }
    }
    names
}
