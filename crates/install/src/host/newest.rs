//! The newest versions that indexes have of what is installed.

use std::collections::BTreeMap;
use std::path::Path;

use virtpy_pep::{PackageName, Requirement, Version};
use virtpy_resolver::{LatestVersion, Sought};

use crate::resolve::ResolveError;
use crate::{Host, IndexOptions, Result};
use virtpy_interpreters::Interpreter;
use virtpy_venv::Distribution;

/// The newest versions of packages, by name.
#[derive(Debug, Default)]
pub struct NewestVersions(BTreeMap<PackageName, LatestVersion>);

/// What is to be looked up of an installed distribution.
pub fn sought(distribution: &Distribution) -> Sought {
    Sought { package: distribution.package.clone(), installed: distribution.version.parse().ok() }
}

impl NewestVersions {
    /// The newest version of a package, if it is newer than this one.
    pub fn beyond(&self, name: &PackageName, version: &str) -> Option<&LatestVersion> {
        let version = version.parse::<Version>().ok()?;
        self.0.get(name).filter(|newest| newest.version > version)
    }

    /// The newest version of a package that all of these requirements accept; what is installed counts as one.
    pub fn allowed(&self, name: &PackageName, installed: &str, limits: &[Requirement]) -> Option<Version> {
        let installed = installed.parse::<Version>().ok()?;
        let usable = self.0.get(name).map(|newest| newest.usable.as_slice()).unwrap_or_default();
        let accepted = |version: &&Version| limits.iter().all(|limit| limit.accepts(version));
        let best = usable.iter().take_while(|version| **version > installed).find(accepted);
        Some(best.cloned().unwrap_or(installed))
    }

    /// Whether an index knows a package.
    pub fn has(&self, name: &PackageName) -> bool {
        self.0.contains_key(name)
    }

    /// Adds others.
    pub fn add(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }
}

impl Host {
    /// Asks the indexes, also those of the project in a directory, for the newest versions for an interpreter, whatever they said a few
    /// minutes ago.
    ///
    /// # Errors
    /// When an index does not answer, or the configuration makes no sense.
    pub fn newest(
        &self,
        interpreter: &Interpreter,
        index: &IndexOptions,
        packages: &[Sought],
        prereleases: bool,
        project: Option<&Path>,
    ) -> Result<NewestVersions> {
        let session = self.session(interpreter, self.index_settings(index)?);
        Ok(NewestVersions(
            session.latest_versions(packages, prereleases, project).map_err(ResolveError::from)?,
        ))
    }
}
