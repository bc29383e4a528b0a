//! What is known of directories without asking a build: a fresh copy of a source whose wheel is there says what that wheel says.

use std::path::Path;
use std::sync::Arc;

use uv_configuration::BuildOptions;
use uv_distribution::ArchiveMetadata;
use uv_distribution_types::{Identifier as _, UnresolvedRequirementSpecification};
use uv_pypi_types::ResolutionMetadata;
use uv_resolver::MetadataResponse;

use crate::context::Context;
use crate::folders::{self, KnownDirectories, RequiredFolder};

/// Notes it for all that a context asks later. Where a build is not made as usual, or may not be made, nothing is known.
pub(crate) fn note(
    context: &Context,
    directories: &dyn KnownDirectories,
    inputs: &[UnresolvedRequirementSpecification],
) {
    if !context.choices.build_as_usual() || context.choices.build_options != BuildOptions::default() {
        return;
    }
    // What is used in place is built where it lies, a wheel says nothing of groups, and what cannot be hashed is refused where
    // hashes are demanded.
    let may_be_known = |one: &RequiredFolder<'_>| {
        !one.editable && !one.has_groups && context.hasher.get_url(one.url).is_none()
    };
    let asked = inputs.iter().filter_map(|input| folders::required(&input.requirement));
    for one in asked.filter(may_be_known) {
        if let Some(metadata) = directories.metadata(one.path).as_deref().and_then(read) {
            let response = Arc::new(MetadataResponse::Found(metadata));
            context.state.index().distributions().done(one.url.distribution_id(), response);
        }
    }
}

fn read(path: &Path) -> Option<ArchiveMetadata> {
    // Reading only: the ban is on writing past the one module that does.
    #[expect(clippy::disallowed_methods)]
    let content = std::fs::read(path).ok()?;
    Some(ArchiveMetadata::from_metadata23(ResolutionMetadata::parse_metadata(&content).ok()?))
}
