//! Folders among what is asked for. What a build says of a folder is remembered by the time of its `pyproject.toml`, `setup.py` and
//! `setup.cfg`, but a build may read any other file. So folders that are installed are asked again, as they are built again, unless
//! the caller knows that nothing has changed.

use std::fmt;
use std::path::{Path, PathBuf};

use uv_distribution_types::{RequirementSource, UnresolvedRequirement};
use uv_pypi_types::ParsedUrl;
use uv_requirements::{RequirementsSpecification, SourceTree};

/// Who knows of directories.
pub trait KnownDirectories: fmt::Debug + Send + Sync {
    /// Whether nothing that a build reads has changed since the builds of a directory were asked for metadata the last time. Where
    /// this says no, they are about to be asked again.
    fn is_unchanged(&self, directory: &Path, editable: bool) -> bool;

    /// The `METADATA` of the wheel that a directory gives, if its contents are those of another one that was built, and nobody has
    /// asked about this one.
    fn metadata(&self, directory: &Path) -> Option<PathBuf>;
}

/// A folder among what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder {
    pub(crate) path: Box<Path>,
    pub(crate) editable: bool,
}

/// The folders that are named.
pub(crate) fn of_inputs(inputs: &RequirementsSpecification) -> Vec<Folder> {
    let folder =
        |path: &Path, editable: Option<bool>| Folder { path: path.into(), editable: editable == Some(true) };
    let required = inputs.requirements.iter().filter_map(|entry| match &entry.requirement {
        UnresolvedRequirement::Named(named) => match &named.source {
            RequirementSource::Directory { install_path, editable, .. } => {
                Some(folder(install_path, *editable))
            }
            _ => None,
        },
        UnresolvedRequirement::Unnamed(unnamed) => match &unnamed.url.parsed_url {
            ParsedUrl::Directory(found) => Some(folder(&found.install_path, found.editable)),
            _ => None,
        },
    });
    let of_projects = inputs.source_trees.iter().filter_map(|tree| match tree {
        SourceTree::PyProjectToml(file, _) | SourceTree::SetupPy(file) | SourceTree::SetupCfg(file) => {
            Some(folder(file.parent()?, None))
        }
    });
    required.chain(of_projects).collect()
}
