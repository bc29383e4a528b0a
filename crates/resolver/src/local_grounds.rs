//! Which of the caller's wheels may be taken for a request, and why.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::PoisonError;

use crate::hashing::sha256_digest;
use uv_distribution_filename::WheelFilename;
use uv_distribution_types::{
    BuiltDist, Dist, File, FileLocation, HashComparison, IncompatibleWheel, Index, IndexUrl, PrioritizedDist,
    RegistryBuiltWheel, UrlString, WheelCompatibility,
};
use uv_normalize::PackageName;
use uv_pep440::Version;
use uv_platform_tags::{TagCompatibility, Tags};
use uv_pypi_types::{HashDigest, HashDigests};
use uv_redacted::DisplaySafeUrl;
use uv_resolver::{ExcludeNewer, FlatDistributions, VersionMap};
use uv_types::HashStrategy;

use crate::context::Context;
use crate::local_wheels::{Candidates, LocalWheel};
use crate::public::public;

/// What decides about candidates.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) context: &'a Context,
    pub(crate) tags: Option<&'a Tags>,
    pub(crate) hasher: &'a HashStrategy,
}

impl Candidates {
    /// The versions that stand in for the pages of a name.
    pub(crate) fn in_place_of_pages(&self, name: &PackageName, terms: Terms<'_>) -> Option<VersionMap> {
        let wheels = self.of_name(name);
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let mut admitted = Vec::new();
        for wheel in wheels {
            match terms.grounds(name, wheel) {
                Ok(grounds) => admitted.push((grounds, wheel)),
                Err(reason) => drop(outcome.withheld.insert(wheel.filename.clone(), reason)),
            }
        }
        if terms.context.first_index_decides() {
            let first = admitted.iter().filter_map(|(grounds, _)| grounds.place()).min();
            admitted.retain(|(grounds, _)| grounds.place().is_none() || grounds.place() == first);
        }
        let versions = terms.versions(admitted.into_iter());
        if versions.is_some() {
            outcome.taken.insert(name.clone());
        }
        versions
    }

    /// The versions whose hashes are demanded, beside those of a cached page.
    pub(crate) fn demanded(&self, name: &PackageName, terms: Terms<'_>) -> Option<VersionMap> {
        let demanded = |wheel: &&LocalWheel| terms.grounds(name, wheel) == Ok(Grounds::Hash);
        terms.versions(self.of_name(name).iter().filter(demanded).map(|wheel| (Grounds::Hash, wheel)))
    }
}

/// Why a wheel may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grounds {
    /// Its hash is demanded.
    Hash,
    /// The index at this place among those of the request gave it, and those before it had nothing of its name.
    Index(usize),
}

impl Grounds {
    fn place(self) -> Option<usize> {
        match self {
            Self::Hash => None,
            Self::Index(place) => Some(place),
        }
    }
}

impl Terms<'_> {
    fn indexes(&self) -> impl Iterator<Item = &IndexUrl> {
        self.context.indexes.fetch_indexes().map(Index::url)
    }

    /// Why a wheel may be taken, or why not.
    fn grounds(&self, name: &PackageName, wheel: &LocalWheel) -> Result<Grounds, &'static str> {
        let filename =
            WheelFilename::from_str(&wheel.filename).ok().filter(|filename| filename.name == *name);
        let filename = filename.ok_or("its file name does not go with that")?;
        let policy = self.hasher.get_package(name, &filename.version);
        let policy = self.context.named_hashes.or_by_name(policy, name);
        if policy.requires_validation() {
            let is_demanded = policy.matches(&[digest(wheel)]);
            return is_demanded
                .then_some(Grounds::Hash)
                .ok_or("its hash is not one of those that are demanded");
        }
        if self.context.choices.exclude_newer != ExcludeNewer::default() {
            return Err("nothing says when it was uploaded, as `--exclude-newer` has to know");
        }
        let configured: Vec<String> = self.indexes().map(identity).collect();
        place(&wheel.indexes, &configured, self.context.first_index_decides()).map(Grounds::Index).ok_or(
            "nothing says that the configured indexes would give it; a `--hash` for it in a requirements file does",
        )
    }

    fn versions<'w>(&self, wheels: impl Iterator<Item = (Grounds, &'w LocalWheel)>) -> Option<VersionMap> {
        let mut versions: BTreeMap<Version, PrioritizedDist> = BTreeMap::new();
        for (grounds, wheel) in wheels {
            let Some(dist) = self.dist(grounds, wheel) else { continue };
            let (version, hashes) = (dist.filename.version.clone(), dist.file.hashes.to_vec());
            let compatibility = self.compatibility(&dist.filename);
            if let Some(known) = versions.get_mut(&version) {
                known.insert_built(dist, hashes, compatibility);
            } else {
                versions.insert(version, PrioritizedDist::from_built(dist, hashes, compatibility));
            }
        }
        (!versions.is_empty()).then(|| VersionMap::from(FlatDistributions::from(versions)))
    }

    /// The wheel as the index would list it.
    fn dist(&self, grounds: Grounds, wheel: &LocalWheel) -> Option<RegistryBuiltWheel> {
        let url = match DisplaySafeUrl::parse(&wheel.origin) {
            Ok(url) => url,
            Err(_) => DisplaySafeUrl::from_file_path(Path::new(&wheel.origin)).ok()?,
        };
        let file = File {
            dist_info_metadata: false,
            filename: wheel.filename.as_str().into(),
            hashes: HashDigests::from(digest(wheel)),
            requires_python: None,
            size: None,
            upload_time_utc_ms: None,
            url: FileLocation::AbsoluteUrl(UrlString::from(url)),
            yanked: None,
            zstd: None,
        };
        Some(RegistryBuiltWheel {
            filename: WheelFilename::from_str(&wheel.filename).ok()?,
            file: Box::new(file),
            index: self.indexes().nth(grounds.place().unwrap_or(0))?.clone(),
            size_is_authoritative: false,
        })
    }

    fn compatibility(&self, filename: &WheelFilename) -> WheelCompatibility {
        if self.context.choices.build_options.no_binary_package(&filename.name) {
            return WheelCompatibility::Incompatible(IncompatibleWheel::NoBinary);
        }
        let priority = match self.tags.map(|tags| filename.compatibility(tags)) {
            Some(TagCompatibility::Incompatible(tag)) => {
                return WheelCompatibility::Incompatible(IncompatibleWheel::Tag(tag));
            }
            Some(TagCompatibility::Compatible(priority)) => Some(priority),
            None => None,
        };
        // Wheels with other hashes than those that are demanded are no candidates.
        WheelCompatibility::Compatible(HashComparison::Matched, priority, filename.build_tag().cloned())
    }
}

/// The [`Package::indexes`](crate::Package::indexes) of what was chosen for a package.
pub(crate) fn indexes_of(context: &Context, dist: &Dist) -> Vec<String> {
    let Dist::Built(BuiltDist::Registry(registry)) = dist else { return Vec::new() };
    // Those of which the cache has no page were not asked then.
    if context.client.connectivity().is_offline() {
        return Vec::new();
    }
    let index = &registry.best_wheel().index;
    let asked: Vec<&IndexUrl> = context.indexes.fetch_indexes().map(Index::url).collect();
    let Some(place) = asked.iter().position(|one| *one == index) else { return Vec::new() };
    // If the best version of all counts, others may have the name as well.
    let first = if context.first_index_decides() { 0 } else { place };
    asked[first..=place].iter().map(|one| identity(one)).collect()
}

/// The place of the index that gave a wheel among those that are configured. If the first that has a name decides, all before
/// it have to be known to have nothing of it.
fn place(indexes: &[String], configured: &[String], first_decides: bool) -> Option<usize> {
    let (index, without) = indexes.split_last()?;
    let place = configured.iter().position(|one| one == index)?;
    let is_right = !first_decides || configured[..place].iter().all(|before| without.contains(before));
    is_right.then_some(place)
}

/// An index, as it is remembered.
fn identity(index: &IndexUrl) -> String {
    public(index.url()).trim_end_matches('/').to_owned()
}

fn digest(wheel: &LocalWheel) -> HashDigest {
    sha256_digest(wheel.sha256.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_counts_if_all_before_it_were_asked() {
        let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (indexes, configured, expected) in [
            ("public", "public", Some(0)),
            ("private public", "public", Some(0)),
            ("private public", "private public", Some(1)),
            ("public", "private public", None),
            ("other public", "private public", None),
            ("private", "public", None),
            ("private", "private public", Some(0)),
            ("", "public", None),
            ("public", "", None),
        ] {
            let place = |first_decides| place(&list(indexes), &list(configured), first_decides);
            assert_eq!(place(true), expected, "{indexes} / {configured}");
            if let Some(expected) = expected {
                assert_eq!(place(false), Some(expected), "{indexes} / {configured}");
            }
        }
    }
}
