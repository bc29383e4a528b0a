//! What the resolver has found as the supply of a plan: fetched, and remembered for the next request of the same kind.

use virtpy_pep::NamedVersion;
use virtpy_resolver::{Artifact, Package, Resolution};

use super::{AtHand, Resolved};
use crate::changelog::{ArrivingWheel, Changelog, Origins};
use crate::environment::Environment;
use crate::error::Result;
use crate::installed::package;
use crate::plan::{InstallOptions, Supply};
use crate::resolve::{self, Obtained, Origin, ResolutionCache};
use virtpy_remote::Remote;
use virtpy_venv::PackageToInstall;

/// Looks at what was fetched before anything is changed.
pub(crate) type Check = Box<dyn Fn(&Environment<'_>, &Resolution, &[Obtained]) -> Result<()>>;

/// What the resolver has found, and what is to be done with it.
pub(crate) struct ResolvedSupply {
    pub(crate) resolved: Resolved,
    /// Those of its packages that have to come.
    pub(crate) arriving: Vec<usize>,
    /// The key under which the answer is remembered for good.
    pub(crate) cache_key: Option<String>,
    /// The key under which it is remembered for as long as the indexes let it be believed.
    pub(crate) fresh_cache_key: Option<String>,
    pub(crate) check: Option<Check>,
}

impl Supply for ResolvedSupply {
    fn is_empty(&self) -> bool {
        self.arriving.is_empty()
    }

    fn preview(&self, environment: &Environment<'_>, log: &mut Changelog) {
        let packages = &self.resolved.resolution.packages;
        log.arriving = self.arriving.iter().map(|place| packages[*place].clone()).collect();
        let store = &environment.host.store;
        let at_hand = log.arriving.iter().filter(|package| resolve::is_at_hand(store, package)).count();
        log.origins = Origins { from_store: at_hand, downloaded: log.arriving.len() - at_hand, built: 0 };
        log.summary.added =
            log.arriving.iter().map(|one| NamedVersion::new(one.name.as_str(), &one.version)).collect();
    }

    fn editable(&self) -> Option<String> {
        let packages = &self.resolved.resolution.packages;
        let is_editable =
            |package: &&Package| matches!(package.file, Artifact::Source { editable: true, .. });
        let arriving = self.arriving.iter().map(|place| &packages[*place]);
        arriving.into_iter().find(is_editable).map(|package| package.name.to_string())
    }

    fn at_hand(&self, environment: &Environment<'_>, remote: Option<&Remote>) -> Result<AtHand> {
        self.resolved.at_hand(&self.arriving, environment.interpreter()?, remote)
    }

    fn fetch(
        self: Box<Self>,
        environment: &Environment<'_>,
        options: InstallOptions,
        log: &mut Changelog,
    ) -> Result<Vec<PackageToInstall>> {
        let (host, resolution) = (environment.host, &self.resolved.resolution);
        let obtained = self.resolved.fetch(&self.arriving)?;
        if let Some(check) = &self.check {
            check(environment, resolution, &obtained)?;
        }
        let cache = ResolutionCache::new(&host.store);
        if let Some(key) = &self.cache_key {
            cache.put(key, resolution, &obtained);
        }
        if let (Some(key), Some(pages)) = (&self.fresh_cache_key, &resolution.pages) {
            cache.put_fresh(key, resolution, &obtained, pages);
        }
        log.origins = Origins::of(obtained.iter().map(|one| one.origin));
        let of = |one: &Obtained| resolution.packages[one.package].clone();
        log.arriving = obtained.iter().map(of).collect();
        let built = obtained.iter().filter(|one| one.origin == Origin::Built);
        log.built = built.map(|one| one.entry.manifest.name.clone()).collect();
        if options.with_wheels {
            let wheel = |one: &Obtained| ArrivingWheel { package: of(one), entry: one.entry.clone() };
            log.wheels = obtained.iter().map(wheel).collect();
        }
        let requested = |one: &Obtained| resolution.packages[one.package].requested;
        obtained
            .into_iter()
            .map(|one| {
                let requested = requested(&one);
                package(host, &environment.contents, one.entry, requested, one.direct_url)
            })
            .collect()
    }
}
