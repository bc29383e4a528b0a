//! Whether what is wanted is installed already, and whether what is installed has what it requires.

use std::path::Path;

use virtpy_pep::{Version, accepts_python};
use virtpy_resolver::InstalledDistribution;

use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::Interpreter;
use crate::settings::Settings;
use crate::store::Entry;
use crate::venv::{self, Arrival, Contents, Distribution, Owner, Problem, Venv};

/// Whether two versions are the same by PEP 440.
pub(super) fn same_version(one: &str, other: &str) -> bool {
    one == other
        || matches!((one.parse::<Version>(), other.parse::<Version>()), (Ok(one), Ok(other)) if one == other)
}

/// Whether `requires-python` (PEP 440 specifiers) admits an interpreter. What cannot be read admits all: whoever resolves
/// says what is wrong with it.
pub(super) fn admits(required: &str, interpreter: &Interpreter) -> bool {
    let version = interpreter.version.to_string().parse::<Version>();
    version.is_ok_and(|version| accepts_python(required, &version).unwrap_or(true))
}

/// Whether two texts of `direct_url.json` (PEP 610) name the same source: the URL, the commit, the folder, and whether it
/// is editable. Two absent ones do.
pub(super) fn same_source(one: Option<&str>, other: Option<&str>) -> bool {
    source(one) == source(other)
}

fn source(direct_url: Option<&str>) -> Option<(String, String, String, bool)> {
    let value: serde_json::Value = serde_json::from_str(direct_url?).ok()?;
    let text =
        |pointer: &str| value.pointer(pointer).and_then(|text| text.as_str()).unwrap_or_default().to_owned();
    let editable = value.pointer("/dir_info/editable").and_then(serde_json::Value::as_bool).unwrap_or(false);
    Some((text("/url"), text("/vcs_info/commit_id"), text("/subdirectory"), editable))
}

/// Whether this very wheel is installed by virtpy.
pub(super) fn is_the_same(entry: &Entry, contents: &Contents) -> bool {
    let found = contents.find(&entry.manifest.name);
    found.and_then(sha256_of) == Some(entry.manifest.sha256.as_str())
}

/// The SHA-256 of the wheel that a distribution of virtpy's is.
pub(super) fn sha256_of(distribution: &Distribution) -> Option<&str> {
    match &distribution.owner {
        Owner::Virtpy(installed) => Some(&installed.sha256),
        Owner::Foreign { .. } | Owner::System { .. } => None,
    }
}

/// Installed distributions as the resolver takes them, given the venv's folder of packages: all but virtpy's own pip, which
/// is no version of pip.
pub(super) fn candidates(
    distributions: &[&Distribution],
    site_packages: &Path,
) -> Vec<InstalledDistribution> {
    let candidate = |distribution: &&Distribution| InstalledDistribution {
        name: distribution.key.clone(),
        version: distribution.version.clone(),
        location: distribution.folder(site_packages),
        requires_dist: distribution.requires_dist().to_vec(),
        provides_extra: distribution.provides_extra().to_vec(),
    };
    distributions.iter().filter(|one| !one.is_pip_shim()).map(candidate).collect()
}

/// A distribution on its way into a venv, asked for by name or not, with the text of its `direct_url.json`. One that was a copy
/// stays one through upgrades, and the settings name others.
pub(super) fn arrival(
    settings: &Settings,
    contents: &Contents,
    entry: Entry,
    (requested, direct_url): (bool, Option<String>),
) -> Arrival {
    let name = &entry.manifest.name;
    let copied = contents.find(name).is_some_and(Distribution::is_copied) || settings.copies(name);
    Arrival { entry, requested, direct_url, copied }
}

/// Warns of requirements that what is installed does not meet.
///
/// # Errors
/// When the venv cannot be read.
pub(super) fn warn_of_unmet_requirements(
    context: &Context,
    venv: &Venv,
    interpreter: &Interpreter,
) -> Result<(), Failure> {
    let contents = super::installed(context, venv)?;
    let markers = Context::markers(interpreter)?;
    let output = context.output;
    for problem in venv::check_requirements(&contents, &markers, venv::Scope::Venv) {
        match problem {
            Problem::Unmet { distribution, requirement } => {
                output.warning(format_args!("{distribution} requires {requirement}, which is not installed"));
            }
            Problem::Conflicting { distribution, requirement, installed } => output
                .warning(format_args!("{distribution} requires {requirement}, but {installed} is installed")),
            _ => {}
        }
    }
    Ok(())
}
