//! What was believed of a wheel before anybody saw it, compared with what it says itself.
//!
//! An index may give a wheel's metadata alone (PEP 658), and the versions of everything are chosen by that. If it is not the
//! wheel's own, packages were added that nobody needs, or others are missing.

use std::collections::BTreeSet;

use uv_distribution::Metadata;
use uv_distribution_types::{BuiltDist, Dist, Identifier, Requirement};
use uv_pep440::VersionSpecifiers;
use uv_pypi_types::ResolutionMetadata;
use uv_resolver::MetadataResponse;

use virtpy_pep::Sha256Digest;
use virtpy_pep::index_page::metadata_sha256;

use crate::error::{Cause, Error};
use crate::solution::Resolution;
use crate::url::file_url;

impl Resolution {
    /// The SHA-256 that the METADATA of the wheel at an index has to have to be what the package was chosen by. `None`
    /// where that is not known; then [`Self::check_metadata`] tells.
    pub fn metadata_sha256(&self, index: usize) -> Option<Sha256Digest> {
        let chosen = self.plan.chosen.get(index)?;
        let Dist::Built(BuiltDist::Registry(registry)) = chosen.dist.as_ref() else { return None };
        let url = file_url(registry.best_wheel(), &chosen.label).ok()?;
        metadata_sha256(&url)
    }

    /// Compares the METADATA of the wheel at an index with what the package was chosen by. Spelling does not count, and
    /// where nothing was claimed (a lock file tells only hashes) nothing is compared.
    ///
    /// # Errors
    ///
    /// [`Error::Distribution`] when they differ, or when it cannot be read.
    pub fn check_metadata(&self, index: usize, content: &[u8]) -> Result<(), Error> {
        let Some(chosen) = self.plan.chosen.get(index) else { return Ok(()) };
        if !matches!(chosen.dist.as_ref(), Dist::Built(_)) {
            return Ok(());
        }
        let known = self.plan.context.state.index().distributions().get(&chosen.dist.distribution_id());
        let Some(MetadataResponse::Found(claimed)) = known.as_deref() else { return Ok(()) };
        let what = || format!("`{}`", chosen.label);
        let own = ResolutionMetadata::parse_metadata(content)
            .map_err(|error| Error::Distribution { what: what(), cause: Cause::from_error(&error) })?;
        match difference(&claimed.metadata, own) {
            None => Ok(()),
            Some(difference) => Err(Error::Distribution {
                what: what(),
                cause: Cause::new(format!(
                    "the metadata that the index gives for it is not that of the wheel: {difference}"
                )),
            }),
        }
    }
}

/// How the metadata of a wheel differs from what was claimed.
fn difference(claimed: &Metadata, own: ResolutionMetadata) -> Option<String> {
    if claimed.name != own.name || claimed.version != own.version {
        return Some(format!(
            "it says {} {}, the wheel {} {}",
            claimed.name, claimed.version, own.name, own.version
        ));
    }
    let claimed_python = specifiers(claimed.requires_python.as_ref());
    let own_python = specifiers(own.requires_python.as_ref());
    if claimed_python != own_python {
        let told = |all: &BTreeSet<String>| {
            if all.is_empty() {
                "any Python".to_owned()
            } else {
                format!("Python {}", all.iter().map(String::as_str).collect::<Vec<_>>().join(","))
            }
        };
        return Some(format!("it asks for {}, the wheel for {}", told(&claimed_python), told(&own_python)));
    }
    let claimed: BTreeSet<String> = claimed.requires_dist.iter().map(ToString::to_string).collect();
    let own = Box::into_iter(own.requires_dist).map(|requirement| Requirement::from(requirement).to_string());
    let own: BTreeSet<String> = own.collect();
    let list = |left: &BTreeSet<String>, right: &BTreeSet<String>| {
        left.difference(right).map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
    };
    let (added, missing) = (list(&claimed, &own), list(&own, &claimed));
    match (added.is_empty(), missing.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("it requires {added}, which the wheel does not")),
        (true, false) => Some(format!("it leaves out {missing}, which the wheel requires")),
        (false, false) => Some(format!("it requires {added}, the wheel {missing}")),
    }
}

fn specifiers(all: Option<&VersionSpecifiers>) -> BTreeSet<String> {
    all.into_iter().flat_map(|all| all.iter()).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(headers: &str) -> ResolutionMetadata {
        let text = format!("Metadata-Version: 2.1\nName: lib\nVersion: 1.0\n{headers}\n");
        ResolutionMetadata::parse_metadata(text.as_bytes()).unwrap()
    }

    fn differ(claimed: &str, own: &str) -> Option<String> {
        let claimed = metadata(claimed);
        let claimed = Metadata {
            name: claimed.name,
            version: claimed.version,
            requires_dist: Box::into_iter(claimed.requires_dist).map(Requirement::from).collect(),
            requires_python: claimed.requires_python,
            provides_extra: claimed.provides_extra,
            dependency_groups: std::collections::BTreeMap::new(),
            dynamic: false,
        };
        difference(&claimed, metadata(own))
    }

    #[test]
    fn another_spelling_is_no_difference() {
        let one = "Requires-Python: >=3.8,<4\nRequires-Dist: A_b (>=1)\nRequires-Dist: c; extra == 'x'";
        let other = "Requires-Dist: c ; extra==\"x\"\nRequires-Dist: a-B>=1\nRequires-Python: <4, >=3.8";
        assert_eq!(differ(one, other), None);
    }

    #[test]
    fn every_difference_is_told() {
        assert_eq!(
            differ("Requires-Dist: evil", "").as_deref(),
            Some("it requires `evil`, which the wheel does not")
        );
        assert_eq!(
            differ("", "Requires-Dist: dep<2").as_deref(),
            Some("it leaves out `dep<2`, which the wheel requires")
        );
        assert_eq!(
            differ("Requires-Dist: a", "Requires-Dist: b").as_deref(),
            Some("it requires `a`, the wheel `b`")
        );
        assert_eq!(
            differ("Requires-Python: >=3.8", "").as_deref(),
            Some("it asks for Python >=3.8, the wheel for any Python")
        );
    }
}
