//! Folders among what is asked for. What a build says of a folder is remembered by the time of its `pyproject.toml`, `setup.py` and
//! `setup.cfg`, but a build may read any other file. So folders that are installed are asked again, as they are built again, unless
//! the caller knows that nothing has changed.

use std::fmt;
use std::path::{Path, PathBuf};

use uv_distribution_types::{RequirementSource, UnresolvedRequirement};
use uv_pep508::VerbatimUrl;
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

/// A folder that a requirement names.
pub(crate) struct RequiredFolder<'a> {
    pub(crate) path: &'a Path,
    pub(crate) url: &'a VerbatimUrl,
    pub(crate) editable: bool,
    /// Whether groups of the project there are asked for as well.
    pub(crate) has_groups: bool,
}

/// The folder that a requirement names, if it names one.
pub(crate) fn required(requirement: &UnresolvedRequirement) -> Option<RequiredFolder<'_>> {
    match requirement {
        UnresolvedRequirement::Named(named) => match &named.source {
            RequirementSource::Directory { install_path: path, editable, url, .. } => {
                let (editable, has_groups) = (*editable == Some(true), !named.groups.is_empty());
                Some(RequiredFolder { path, url, editable, has_groups })
            }
            _ => None,
        },
        UnresolvedRequirement::Unnamed(unnamed) => match &unnamed.url.parsed_url {
            ParsedUrl::Directory(found) => Some(RequiredFolder {
                path: &found.install_path,
                url: &unnamed.url.verbatim,
                editable: found.editable == Some(true),
                has_groups: false,
            }),
            _ => None,
        },
    }
}

/// The folders that are named.
pub(crate) fn of_inputs(inputs: &RequirementsSpecification) -> Vec<Folder> {
    let folder = |path: &Path, editable: bool| Folder { path: path.into(), editable };
    let required = inputs.requirements.iter().filter_map(|entry| required(&entry.requirement));
    let required = required.map(|found| folder(found.path, found.editable));
    let of_projects = inputs.source_trees.iter().filter_map(|tree| match tree {
        SourceTree::PyProjectToml(file, _) | SourceTree::SetupPy(file) | SourceTree::SetupCfg(file) => {
            Some(folder(file.parent()?, false))
        }
    });
    required.chain(of_projects).collect()
}
