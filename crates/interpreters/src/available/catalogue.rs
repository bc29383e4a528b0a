//! All that can be installed, from all sources, and the choice among it.

use std::cmp::Reverse;
use std::path::PathBuf;
use std::sync::OnceLock;

use virtpy_pep::Version;

use super::custom::Distributions;
use super::index::Index;
use super::remembered::{Remembered, lifetime};
use super::{AvailableError, Build, BuildSource, Environment, Fetch, builtin, location, triple};
use crate::{PythonRequest, PythonVersion, VersionRequest};

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

    /// Gets the index again that the user names. Returns its address without credentials, and how many builds it has
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
    let (entries, are) = if *count == 1 { ("entry that makes", "is") } else { ("entries that make", "are") };
    Some(format!("the index of interpreters has {count} {entries} no sense and {are} left out: {first}"))
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

#[cfg(test)]
mod tests {
    use super::super::testing::Server;
    use super::*;

    const INDEX: &str = "https://index.example/index.json";

    /// A catalogue for Linux with these variables, and with an index that has these builds.
    struct World {
        folder: tempfile::TempDir,
        server: Server,
        variables: Vec<(String, String)>,
    }

    impl World {
        fn new(index: &[&str]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let mut world = Self { folder, server: Server::default(), variables: Vec::new() };
            world.set("VIRTPY_PYTHON_ARCH", "x86_64-unknown-linux-gnu");
            if !index.is_empty() {
                let entries: Vec<String> =
                    index.iter().map(|name| format!("\"{name}\": \"{name}.tar.gz\"")).collect();
                world.server.serve(INDEX, &format!("{{{}}}", entries.join(",")));
                world.set("VIRTPY_PYTHON_INDEX_URL", INDEX);
            }
            world
        }

        fn set(&mut self, name: &str, value: &str) {
            self.variables.push((name.to_owned(), value.to_owned()));
        }

        fn custom(&mut self, ending: &str, version: &str) {
            self.set(&format!("HATCH_PYTHON_CUSTOM_SOURCE_{ending}"), "/srv/custom.tar.gz");
            self.set(&format!("HATCH_PYTHON_CUSTOM_PATH_{ending}"), "bin/python");
            self.set(&format!("HATCH_PYTHON_CUSTOM_VERSION_{ending}"), version);
        }

        fn open(&self) -> Catalogue<'_> {
            let variables = self.variables.iter().map(|(name, value)| (name.into(), value.into()));
            let cache = self.folder.path().to_path_buf();
            Catalogue::open(Environment::read(variables), cache, &self.server).unwrap()
        }

        fn find(&self, request: &str) -> String {
            match self.open().find(request) {
                Ok(build) => format!("{} {}", build.name, described(&build.source)),
                Err(error) => error.to_string(),
            }
        }
    }

    fn described(source: &BuildSource) -> &str {
        match source {
            BuildSource::Custom => "custom",
            BuildSource::Index(address) => {
                assert_eq!(address, INDEX);
                "index"
            }
            BuildSource::BuiltIn => "built-in",
        }
    }

    #[test]
    fn what_is_typed_is_understood() {
        let world = World::new(&[]);
        for (request, name) in [
            ("3.12.11", "3.12.11"),
            ("cpython-3.12.11", "3.12.11"),
            ("cpython@3.12.11", "3.12.11"),
            ("python3.12.11", "3.12.11"),
            (" 3.13.12t ", "3.13.12t"),
            ("3.13.12+freethreaded", "3.13.12t"),
            ("3.14.0rc2", "3.14.0rc2"),
            ("3.14rc2", "3.14.0rc2"),
            ("3.8", "3.8.20"),
            (">=3.9,<3.10", "3.9.25"),
        ] {
            assert_eq!(world.find(request), format!("{name} built-in"), "{request}");
        }
        for request in ["3", "python", "", "cpython", "3.15"] {
            let build = world.open().find(request).unwrap();
            let version = python_version(&build).unwrap();
            assert!(
                !version.is_prerelease() && !build.free_threaded && version.minor >= 15,
                "{request}: {build:?}"
            );
        }
        for request in ["pypy3.10", "3.7", "3.12.99", "3.12t", "../x", "myco", "/usr/bin/python3", ">=4"] {
            let error = world.open().find(request).unwrap_err();
            assert!(matches!(error, AvailableError::NotFound { .. }), "{request}: {error}");
        }
    }

    #[test]
    fn final_releases_come_before_candidates() {
        let world = World::new(&["3.30.0rc2", "3.30.0rc1", "3.31.0rc1", "3.31.0a1", "3.30.0", "3.30.1t"]);
        assert_eq!(world.find("3.30"), "3.30.0 index");
        assert_eq!(world.find("3.31"), "3.31.0rc1 index");
        assert_eq!(world.find("3"), "3.30.0 index");
        assert_eq!(world.find("3.30t"), "3.30.1t index");
    }

    #[test]
    fn the_better_source_decides() {
        let mut world = World::new(&["3.12.3", "3.12.4"]);
        assert_eq!(world.find("3.12"), "3.12.4 index");
        assert_eq!(world.find("3.12.11"), "3.12.11 built-in");
        assert_eq!(world.find("3.11.9"), "3.11.9 built-in");
        world.custom("3_12", "1.0");
        world.custom("PYPY3_10", "7.3.15");
        assert_eq!(world.find("3.12"), "3.12 custom");
        assert_eq!(world.find("3.12.3"), "3.12.3 index");
        assert_eq!(world.find("pypy3.10"), "pypy3.10 custom");
        let catalogue = world.open();
        let all: Vec<String> = catalogue.all().unwrap().iter().map(|build| build.name.clone()).collect();
        assert_eq!(all[..2], ["3.12", "pypy3.10"]);
        assert_eq!(all.iter().filter(|name| *name == "3.12.4").count(), 1);
        let place = |name: &str| all.iter().position(|other| other == name).unwrap();
        assert!(place("3.15.1") < place("3.15.1t") && place("3.15.1t") < place("3.15.0"), "{all:?}");
        assert!(place("3.15.0") < place("3.15.0rc1") && place("3.12.10") < place("3.12.9"), "{all:?}");
    }

    #[test]
    fn custom_distributions_need_no_index() {
        let mut world = World::new(&["3.12.3"]);
        world.server.remove(INDEX);
        world.custom("MYCO", "1.0");
        assert_eq!(world.find("myco"), "myco custom");
        assert_eq!(world.server.requests(), 0);
        assert!(world.find("3.12").contains("the test has nothing there"));
    }

    #[test]
    fn what_is_wrong_with_a_source_is_a_warning() {
        let mut world = World::new(&["3.12.3", "newest"]);
        world.set("HATCH_PYTHON_CUSTOM_SOURCE_MYCO", "/srv/custom.zip");
        let catalogue = world.open();
        assert!(catalogue.warnings().is_empty());
        catalogue.all().unwrap();
        let [custom, index] = catalogue.warnings() else { panic!("{:?}", catalogue.warnings()) };
        assert!(custom.contains("HATCH_PYTHON_CUSTOM_PATH_MYCO"), "{custom}");
        assert!(index.contains("1 entry that makes no sense") && index.contains("newest"), "{index}");
    }

    #[test]
    fn what_comes_near_is_named() {
        let mut world = World::new(&[]);
        world.custom("PYPY3_10", "7.3.15");
        let near = |request: &str| match world.open().find(request) {
            Err(AvailableError::NotFound { near, .. }) => near,
            other => panic!("{other:?}"),
        };
        assert!(near("3.12.99").iter().all(|name| name.starts_with("3.12.")));
        assert!(near("3.12t").contains(&"3.12.15".to_owned()));
        let minors = near("3.99");
        assert!(minors[0] == "pypy3.10" && minors.len() == NEAR && minors[1].starts_with("3."), "{minors:?}");
        assert_eq!(near("pypy"), minors);
    }

    #[test]
    fn newer_builds_replace_older_ones() {
        let mut world = World::new(&[]);
        world.custom("PYPY3_10", "7.3.15");
        world.custom("3_11", "3.11.9+myco.2");
        let update = |name: &str, version: &str, build: Option<&str>| {
            let found = world.open().update_for(name, version, build).unwrap();
            found.map(|build| format!("{} {}", build.name, build.version))
        };
        let newest = world.open().find("3.12").unwrap();
        let own = format!("{} {}", newest.name, newest.version);
        assert_eq!(update("3.12.3", "3.12.3", Some("20240415")), Some(own.clone()));
        assert_eq!(update(&newest.name, &newest.version, Some("20200101")), Some(own.clone()));
        assert_eq!(update(&newest.name, &newest.version, None), Some(own));
        assert_eq!(update(&newest.name, &newest.version, newest.build.as_deref()), None);
        assert_eq!(update("3.12.99", "3.12.99", None), None);
        assert!(update("3.13.12t", "3.13.12", Some("20260325")).unwrap().contains('t'));
        assert!(!update("3.14.0rc1", "3.14.0rc1", Some("20250808")).unwrap().contains("rc"));
        assert_eq!(update("pypy3.10", "7.3.14", None).as_deref(), Some("pypy3.10 7.3.15"));
        assert_eq!(update("pypy3.10", "7.3.15", None), None);
        assert_eq!(update("pypy3.10", "7.3.16", None), None);
        assert_eq!(update("3.11", "3.11.9+myco.1", None).as_deref(), Some("3.11 3.11.9+myco.2"));
        // Installed as a custom distribution that is no longer described.
        assert_eq!(update("myco", "3.12.1", None), None);
        assert_eq!(update("3.12", "3.12.1", None), None);
    }
}
