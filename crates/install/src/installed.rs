//! What is installed in a venv, how it compares with what is wanted, and whether it has what it requires.

use std::path::Path;

use virtpy_pep::{DirectUrl, PackageName, Version, WheelHash};
use virtpy_resolver::InstalledDistribution;

use crate::host::markers;
use crate::{Host, Result};
use virtpy_interpreters::Interpreter;
use virtpy_store::Entry;
use virtpy_venv::{self as venv, Contents, Distribution, Owner, PackageToInstall, Problem, Venv};

/// Reads what is installed in a venv, and what it sees of the base interpreter's packages.
///
/// # Errors
/// When the venv cannot be read.
pub fn contents(host: &Host, venv: &Venv) -> Result<Contents> {
    Ok(with_system(host, venv, Contents::read(venv, &host.store)?))
}

/// Finishes or takes back what a killed command or a power cut left in a venv, whose lock the caller holds. Returns whether there was
/// something.
///
/// # Errors
/// When the venv cannot be put back.
pub fn recover(host: &Host, venv: &Venv) -> Result<bool> {
    let recovery = venv.recover(&host.store)?;
    if let Some(kept) = &recovery.kept {
        host.warning(format_args!(
            "a power cut interrupted a change of this venv, and it is not known where some of the files had been that the \
             change took away: `{}` has them; take what you need, then delete it",
            kept.display()
        ));
    }
    Ok(recovery.happened)
}

/// What is installed in a venv, with what it sees of the base interpreter's packages.
pub(super) fn with_system(host: &Host, venv: &Venv, mut contents: Contents) -> Contents {
    if venv.sees_system_site() {
        contents.see(venv::distributions_in(&host.system_site(venv)));
    }
    contents
}

/// Reads the same as far as it is told to people, with a few system calls however much is installed.
///
/// # Errors
/// When the venv cannot be read.
pub fn overview(host: &Host, venv: &Venv) -> Result<Contents> {
    Ok(with_system(host, venv, Contents::glance(venv, &host.store)?))
}

/// Whether two versions are the same by PEP 440.
pub(super) fn same_version(one: &str, other: &str) -> bool {
    one == other
        || matches!((one.parse::<Version>(), other.parse::<Version>()), (Ok(one), Ok(other)) if one == other)
}

/// Whether two texts of `direct_url.json` name the same source. Two absent ones do.
fn same_source(one: Option<&str>, other: Option<&str>) -> bool {
    let read = |text: Option<&str>| text.and_then(|text| text.parse::<DirectUrl>().ok());
    match (read(one), read(other)) {
        (Some(one), Some(other)) => one.is_same_source(&other),
        (one, other) => one == other,
    }
}

/// Whether this version from this source is installed.
pub(super) fn is_installed(
    distribution: Option<&Distribution>,
    version: &str,
    direct_url: Option<&str>,
) -> bool {
    distribution
        .is_some_and(|one| same_version(&one.version, version) && same_source(one.direct_url(), direct_url))
}

/// Whether what would come is there already, from the same source.
pub(super) fn is_unchanged(contents: &Contents, package: &PackageToInstall) -> bool {
    contents.find(&package.entry.package).is_some_and(|found| {
        sha256_of(found) == Some(package.entry.manifest.sha256)
            && same_source(found.direct_url(), package.direct_url.as_deref())
    })
}

/// The SHA-256 of the wheel that a distribution of virtpy's is.
pub(super) fn sha256_of(distribution: &Distribution) -> Option<WheelHash> {
    match &distribution.owner {
        Owner::Virtpy(installed) => Some(installed.sha256),
        Owner::Foreign(_) | Owner::System { .. } => None,
    }
}

/// virtpy's own pip, if it is there: whoever asks for pip has it.
pub(super) fn own_pip(contents: &Contents) -> Vec<PackageName> {
    contents.distributions.iter().filter(|one| one.is_pip_shim()).map(|one| one.package.clone()).collect()
}

/// Installed distributions as the resolver takes them, given the venv's folder of packages: all but virtpy's own pip, which
/// is no version of pip.
pub(super) fn candidates(
    distributions: &[&Distribution],
    site_packages: &Path,
) -> Vec<InstalledDistribution> {
    let candidate = |distribution: &&Distribution| InstalledDistribution {
        name: distribution.package.clone(),
        version: distribution.version.clone(),
        location: distribution.folder(site_packages),
        requires_dist: distribution.requires_dist().to_vec(),
        provides_extra: distribution.provides_extra().to_vec(),
    };
    distributions.iter().filter(|one| !one.is_pip_shim()).map(candidate).collect()
}

/// A distribution on its way into a venv with these contents. One that was a copy stays one through upgrades, and the user's
/// preferences name others.
pub(super) fn package(
    host: &Host,
    contents: &Contents,
    entry: Entry,
    requested: bool,
    direct_url: Option<String>,
) -> Result<PackageToInstall> {
    let was_copied = contents.find(&entry.package).is_some_and(Distribution::is_copied);
    let copied = was_copied || host.preferences()?.copies(&entry.package);
    Ok(PackageToInstall { entry, requested, direct_url, copied })
}

/// The requirements that what is installed does not meet, as sentences.
pub(super) fn unmet(host: &Host, venv: &Venv, interpreter: &Interpreter) -> Result<Vec<String>> {
    let problems =
        venv::check_requirements(&contents(host, venv)?, &markers(interpreter)?, venv::Scope::Venv);
    let is_unmet =
        |problem: &&Problem| matches!(problem, Problem::Unmet { .. } | Problem::Conflicting { .. });
    Ok(problems.iter().filter(is_unmet).map(ToString::to_string).collect())
}
