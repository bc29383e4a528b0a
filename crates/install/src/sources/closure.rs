//! Whether requirements that are followed as a lock are whole: they list all that their packages require.

use std::collections::BTreeSet;

use virtpy_pep::Requirement;
use virtpy_resolver::{Package, Resolution};

use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::host::markers;
use crate::resolve::Obtained;

/// What lockers leave out of requirements files, since a venv used to bring it.
const LEFT_TO_THE_VENV: [&str; 3] = ["pip", "setuptools", "distribute"];

/// Requirements that lack what their packages require are no lock.
pub(super) struct Closure {
    /// What names what is missing.
    pub(super) source: String,
    /// The first file, for the hint.
    pub(super) first: String,
    /// Whether what else is installed counts as well.
    pub(super) with_installed: bool,
}

impl Closure {
    /// Looks whether everything that is required is listed, or there.
    pub(super) fn check(
        &self,
        environment: &Environment<'_>,
        resolution: &Resolution,
        obtained: &[Obtained],
    ) -> Result<()> {
        let contents = &environment.contents;
        let markers = markers(environment.interpreter()?)?;
        let mut known: BTreeSet<&str> = resolution.packages.iter().map(|one| one.name.as_str()).collect();
        known.extend(LEFT_TO_THE_VENV);
        if self.with_installed {
            known.extend(contents.distributions.iter().map(|one| one.package.as_str()));
        }
        for (place, package) in resolution.packages.iter().enumerate() {
            let arrived = obtained.iter().find(|one| one.package == place);
            let required = match (arrived, contents.find(&package.name)) {
                (Some(one), _) => one.entry.manifest.requires_dist.as_slice(),
                (None, Some(installed)) => installed.requires_dist(),
                (None, None) => &[],
            };
            for text in required {
                let Ok(requirement) = text.parse::<Requirement>() else { continue };
                if requirement.applies(&markers, &package.extras)
                    && !known.contains(requirement.name().as_str())
                {
                    let Package { name, version, .. } = package;
                    let why = format!("{name} {version} requires `{text}`, which it does not list");
                    return Err(self.refusal(&why));
                }
            }
        }
        Ok(())
    }

    /// What is said of requirements that cannot be followed.
    pub(super) fn refusal(&self, why: &str) -> Error {
        let Self { source, first, .. } = self;
        Error::new(format!("`{source}` is not a lock: {why}; nothing was changed")).hinted(format!(
            "`virtpy add -r {first}` installs what it asks for and all that this requires; `virtpy lock {first}` makes a lock"
        ))
    }
}
