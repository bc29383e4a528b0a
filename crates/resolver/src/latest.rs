//! Looks up the newest versions of packages, without resolving anything.

use std::collections::BTreeMap;
use std::str::FromStr;

use futures::{StreamExt, TryStreamExt};
use uv_normalize::PackageName;
use uv_requirements::RequirementsSpecification;
use uv_types::HashStrategy;

use crate::client::ClientFactory;
use crate::context::Context;
use crate::error::{Cause, Error};
use crate::newest::{Choice, newest};
use crate::request::{LatestVersion, Options, Sought};
use crate::runtime::Runtime;
use crate::settings::IndexSettings;
use crate::tool_sources::ToolSources;
use crate::{indexes, resolve};

/// Which packages are looked up.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) packages: &'a [Sought],
    /// Whether pre-releases count.
    pub(crate) prerelease: bool,
    /// The indexes that alone are asked for some.
    pub(crate) sources: &'a ToolSources,
}

/// See [`Session::latest_versions`](crate::Session::latest_versions).
pub(crate) async fn latest_versions(
    runtime: &Runtime,
    network: &ClientFactory,
    settings: &IndexSettings,
    Wanted { packages, prerelease, sources }: Wanted<'_>,
) -> Result<BTreeMap<virtpy_pep::PackageName, LatestVersion>, Error> {
    let none = RequirementsSpecification::default();
    let options = Options {
        no_binary: settings.no_binary.clone(),
        only_binary: settings.only_binary.clone(),
        ..Options::default()
    };
    let indexes = indexes::locations(settings, &none, &options.folder(), &mut Vec::new())?;
    let choices = resolve::choices(settings, &options, &[])?;
    let context = Context::new(runtime, network, indexes, HashStrategy::None, choices).await?;
    let context = &context;
    let newest = futures::stream::iter(packages)
        .map(async |Sought { package: name, installed }| {
            let package = PackageName::from_str(name).map_err(|error| Error::Requirements {
                message: format!("`{name}` is not the name of a package"),
                hint: None,
                cause: Some(Cause::from_error(&error)),
            })?;
            let index = sources.index_of(&package, settings);
            let choice =
                Choice { prerelease: prerelease || settings.prerelease, installed: installed.as_ref() };
            let newest = newest(context, &package, choice, index).await?;
            Ok::<_, Error>(newest.map(|newest| (name.clone(), newest)))
        })
        .buffer_unordered(context.concurrency.downloads)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(newest.into_iter().flatten().collect())
}
