//! The hashes that a request demands of files.
//!
//! As pip has it, hashes belong to a name: they count for whatever the package is taken from, a URL of another requirement
//! included, and where several requirements and constraints give some, a file has to be in all of their lists. The
//! libraries underneath know hashes by name and version, or by URL, so what belongs to a name is put together here.

use std::collections::BTreeMap;
use std::str::FromStr;

use uv_configuration::HashCheckingMode;
use uv_distribution_types::{
    Dist, HashPolicy, Name as _, Requirement, RequirementSource, UnresolvedRequirement,
};
use uv_normalize::PackageName;
use uv_pypi_types::{HashDigest, HashDigests, ResolverMarkerEnvironment};
use uv_requirements::RequirementsSpecification;
use uv_types::HashStrategy;

use crate::error::Error;
use crate::failure::requirements as unusable;

/// The hashes that are demanded by the names of the packages.
#[derive(Default)]
pub(crate) struct NamedHashes(BTreeMap<PackageName, Vec<HashDigest>>);

impl NamedHashes {
    /// What all that is said of each name has in common.
    ///
    /// # Errors
    ///
    /// [`Error::Hash`] when that is nothing.
    pub(crate) fn of(
        inputs: &RequirementsSpecification,
        environment: &ResolverMarkerEnvironment,
    ) -> Result<Self, Error> {
        let mut named = Self::default();
        for (requirement, hashes) in entries(inputs) {
            if requirement.evaluate_markers(Some(environment.markers()), &[]) {
                named.add(requirement, hashes)?;
            }
        }
        Ok(named)
    }

    fn add(&mut self, requirement: &Requirement, hashes: &[String]) -> Result<(), Error> {
        // What is no digest is told where these are read one by one.
        let mut own: Vec<HashDigest> =
            hashes.iter().filter_map(|hash| HashDigest::from_str(hash).ok()).collect();
        if own.is_empty() {
            own.extend(
                requirement.hashes().map(HashDigests::from).iter().flat_map(HashDigests::iter).cloned(),
            );
        }
        if own.is_empty() {
            return Ok(());
        }
        let Some(others) = self.0.get_mut(&requirement.name) else {
            self.0.insert(requirement.name.clone(), own);
            return Ok(());
        };
        if !others.iter().any(|hash| own.contains(hash)) {
            let join = |hashes: &[HashDigest]| {
                hashes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
            };
            return Err(Error::Hash {
                package: requirement.name.to_string(),
                expected: join(others),
                computed: format!("{} in another place of the requirements", join(&own)),
            });
        }
        others.retain(|hash| own.contains(hash));
        Ok(())
    }

    /// The hashes in the form of the libraries underneath.
    ///
    /// # Errors
    ///
    /// [`Error::Requirements`] when all have to have hashes and one has none, or what is given is no digest.
    pub(crate) fn strategy(
        &self,
        inputs: &RequirementsSpecification,
        environment: &ResolverMarkerEnvironment,
        required: bool,
    ) -> Result<HashStrategy, Error> {
        let requirements: Vec<Vec<String>> = inputs
            .requirements
            .iter()
            .map(|entry| self.given(named(&entry.requirement), &entry.hashes))
            .collect();
        let constraints: Vec<Vec<String>> = inputs
            .constraints
            .iter()
            .map(|entry| self.given(Some(&entry.requirement), &entry.hashes))
            .collect();
        HashStrategy::from_requirements(
            inputs
                .requirements
                .iter()
                .zip(&requirements)
                .map(|(entry, hashes)| (&entry.requirement, &hashes[..])),
            inputs
                .constraints
                .iter()
                .zip(&constraints)
                .map(|(entry, hashes)| (&entry.requirement, &hashes[..])),
            Some(environment),
            if required { HashCheckingMode::Require } else { HashCheckingMode::Verify },
        )
        .map_err(|error| unusable(&error, "with `--require-hashes`, write `NAME==VERSION --hash=sha256:...`"))
    }

    /// The hashes of one entry, as far as they agree with those of its name. A URL stands for one file, all of whose hashes
    /// the libraries expect to match: of several that may be meant they are told none.
    fn given(&self, requirement: Option<&Requirement>, own: &[String]) -> Vec<String> {
        let common = requirement.and_then(|requirement| self.0.get(&requirement.name));
        let (Some(requirement), Some(common)) = (requirement, common) else { return own.to_vec() };
        let is_registry = matches!(requirement.source, RequirementSource::Registry { .. });
        if (is_registry && !own.is_empty()) || (!is_registry && common.len() == 1) {
            return common.iter().map(ToString::to_string).collect();
        }
        if is_registry { Vec::new() } else { own.to_vec() }
    }

    /// What is demanded of a file: by what the libraries know, or else by its package's name.
    pub(crate) fn policy<'a>(&'a self, strategy: &'a HashStrategy, dist: &Dist) -> HashPolicy<'a> {
        self.or_by_name(strategy.get(dist), dist.name())
    }

    /// A policy of the libraries, or else what is demanded by the name of the package.
    pub(crate) fn or_by_name<'a>(&'a self, policy: HashPolicy<'a>, name: &PackageName) -> HashPolicy<'a> {
        match self.0.get(name) {
            Some(hashes) if policy.digests().is_empty() => HashPolicy::Any(hashes),
            _ => policy,
        }
    }
}

/// All that has a name, with the hashes that are given for it.
fn entries(inputs: &RequirementsSpecification) -> impl Iterator<Item = (&Requirement, &[String])> {
    let wanted = inputs.requirements.iter();
    let wanted = wanted.filter_map(|entry| Some((named(&entry.requirement)?, entry.hashes.as_slice())));
    let limits = inputs.constraints.iter().map(|entry| (&entry.requirement, entry.hashes.as_slice()));
    wanted.chain(limits)
}

fn named(requirement: &UnresolvedRequirement) -> Option<&Requirement> {
    match requirement {
        UnresolvedRequirement::Named(requirement) => Some(requirement),
        UnresolvedRequirement::Unnamed(_) => None,
    }
}
