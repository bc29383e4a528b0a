//! Folders among what is asked for. What a build says of a folder is remembered by the time of its `pyproject.toml`, `setup.py` and
//! `setup.cfg`, but a build may read any other file. So folders that are installed are asked again, as they are built again.

use std::path::Path;

use uv_distribution_types::{RequirementSource, UnresolvedRequirement};
use uv_pypi_types::ParsedUrl;
use uv_requirements::{RequirementsSpecification, SourceTree};

/// The folders that are named.
pub(crate) fn of_inputs(inputs: &RequirementsSpecification) -> Vec<Box<Path>> {
    let required = inputs.requirements.iter().filter_map(|entry| match &entry.requirement {
        UnresolvedRequirement::Named(named) => match &named.source {
            RequirementSource::Directory { install_path, .. } => Some(install_path.clone()),
            _ => None,
        },
        UnresolvedRequirement::Unnamed(unnamed) => match &unnamed.url.parsed_url {
            ParsedUrl::Directory(folder) => Some(folder.install_path.clone()),
            _ => None,
        },
    });
    let of_projects = inputs.source_trees.iter().filter_map(|tree| match tree {
        SourceTree::PyProjectToml(file, _) | SourceTree::SetupPy(file) | SourceTree::SetupCfg(file) => {
            file.parent().map(Box::from)
        }
    });
    required.chain(of_projects).collect()
}
