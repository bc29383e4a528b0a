//! What is known of directories without asking a build: a fresh copy of a source whose wheel is there says what that wheel says.

use std::path::Path;
use std::sync::Arc;

use uv_configuration::BuildOptions;
use uv_distribution::ArchiveMetadata;
use uv_distribution_types::{
    Identifier as _, RequirementSource, UnresolvedRequirement, UnresolvedRequirementSpecification,
};
use uv_pep508::VerbatimUrl;
use uv_pypi_types::{ParsedUrl, ResolutionMetadata};
use uv_resolver::MetadataResponse;

use crate::context::Context;
use crate::folders::KnownDirectories;

/// Notes it for all that a context asks later. Where a build is not made as usual, or may not be made, nothing is known.
pub(crate) fn note(
    context: &Context,
    directories: &dyn KnownDirectories,
    inputs: &[UnresolvedRequirementSpecification],
) {
    if !context.choices.build_as_usual() || context.choices.build_options != BuildOptions::default() {
        return;
    }
    let directories_asked = inputs.iter().filter_map(directory);
    // What cannot be hashed is refused where hashes are demanded.
    for (directory, url) in directories_asked.filter(|(_, url)| context.hasher.get_url(url).is_none()) {
        if let Some(metadata) = directories.metadata(directory).as_deref().and_then(read) {
            let response = Arc::new(MetadataResponse::Found(metadata));
            context.state.index().distributions().done(url.distribution_id(), response);
        }
    }
}

/// The directory that is asked for, and its URL, if it is one that gives a wheel.
fn directory(input: &UnresolvedRequirementSpecification) -> Option<(&Path, &VerbatimUrl)> {
    match &input.requirement {
        UnresolvedRequirement::Named(named) => match &named.source {
            RequirementSource::Directory { install_path, editable, url, .. } => {
                let is_plain = *editable != Some(true) && named.groups.is_empty();
                is_plain.then_some((install_path, url))
            }
            _ => None,
        },
        UnresolvedRequirement::Unnamed(unnamed) => match &unnamed.url.parsed_url {
            ParsedUrl::Directory(found) if found.editable != Some(true) => {
                Some((&found.install_path, &unnamed.url.verbatim))
            }
            _ => None,
        },
    }
}

fn read(path: &Path) -> Option<ArchiveMetadata> {
    // Reading only: the ban is on writing past the one module that does.
    #[expect(clippy::disallowed_methods)]
    let content = std::fs::read(path).ok()?;
    Some(ArchiveMetadata::from_metadata23(ResolutionMetadata::parse_metadata(&content).ok()?))
}
