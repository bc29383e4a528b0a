//! Whether requirements name one version or one source of everything that they ask for, as a lock file does.

use uv_client::BaseClientBuilder;
use uv_distribution_types::{Requirement, RequirementSource, UnresolvedRequirement};
use uv_pep440::Operator;
use uv_requirements::SourceTree;

use crate::error::Error;
use crate::request::Request;
use crate::requirements;

/// What requirements ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    /// How many of them name one version.
    pub pinned: usize,
    /// How many of them name a file, a folder, a URL or a repository.
    pub sources: usize,
    /// Those that leave the version open, as they are written.
    pub open: Vec<String>,
}

/// Reads a request's inputs; nothing is resolved.
///
/// # Errors
///
/// Those of reading requirements.
pub(crate) async fn read(request: &Request, client: &BaseClientBuilder<'static>) -> Result<Pins, Error> {
    let all = requirements::read(request, client).await?;
    let constraints: Vec<&Requirement> = all.constraints.iter().map(|entry| &entry.requirement).collect();
    let mut pins = Pins::default();
    for entry in &all.requirements {
        let UnresolvedRequirement::Named(requirement) = &entry.requirement else {
            pins.sources += 1;
            continue;
        };
        let is_limited =
            || constraints.iter().any(|other| other.name == requirement.name && is_pinned(other));
        if !matches!(requirement.source, RequirementSource::Registry { .. }) {
            pins.sources += 1;
        } else if is_pinned(requirement) || is_limited() {
            pins.pinned += 1;
        } else {
            pins.open.push(requirement.to_string());
        }
    }
    // The dependencies of a project that a file names (`-r pyproject.toml`).
    pins.open.extend(all.source_trees.iter().map(|tree| match tree {
        SourceTree::PyProjectToml(path, _) | SourceTree::SetupPy(path) | SourceTree::SetupCfg(path) => {
            path.display().to_string()
        }
    }));
    Ok(pins)
}

/// Whether a requirement admits one version only.
fn is_pinned(requirement: &Requirement) -> bool {
    let RequirementSource::Registry { specifier, .. } = &requirement.source else { return true };
    specifier.iter().any(|one| matches!(one.operator(), Operator::Equal | Operator::ExactEqual))
}
