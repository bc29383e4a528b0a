//! Looks up the newest versions of packages, without resolving anything.

use std::collections::BTreeMap;
use std::str::FromStr;

use futures::{StreamExt, TryStreamExt};
use uv_client::{ErrorKind, MetadataFormat, OwnedArchive};
use uv_distribution_filename::DistFilename;
use uv_distribution_types::{File, IndexCapabilities};
use uv_normalize::PackageName;
use uv_pep440::Version;
use uv_pypi_types::Yanked;
use uv_requirements::RequirementsSpecification;
use uv_types::HashStrategy;

use crate::client::ClientFactory;
use crate::context::Context;
use crate::error::{Cause, Error};
use crate::failure::from_client;
use crate::request::{LatestVersion, Options};
use crate::runtime::Runtime;
use crate::settings::IndexSettings;
use crate::{indexes, resolve};

/// How many packages are looked up at once.
const AT_ONCE: usize = 32;

/// See [`Session::latest_versions`](crate::Session::latest_versions).
pub(crate) async fn latest_versions(
    runtime: &Runtime,
    network: &ClientFactory,
    settings: &IndexSettings,
    names: &[virtpy_pep::PackageName],
    prerelease: bool,
) -> Result<BTreeMap<virtpy_pep::PackageName, LatestVersion>, Error> {
    let none = RequirementsSpecification::default();
    let options = Options {
        no_binary: settings.no_binary.clone(),
        only_binary: settings.only_binary.clone(),
        ..Options::default()
    };
    let indexes = indexes::locations(settings, &none, &options.folder(), &mut Vec::new())?;
    let choices = resolve::choices(network, settings, &options, &[])?;
    let context = Context::new(runtime, network, indexes, HashStrategy::None, choices).await?;
    let context = &context;
    let newest = futures::stream::iter(names)
        .map(async |name| {
            let package = PackageName::from_str(name).map_err(|error| Error::Requirements {
                message: format!("`{name}` is not the name of a package"),
                hint: None,
                cause: Some(Cause::from_error(&error)),
            })?;
            let newest = newest(context, &package, prerelease || settings.prerelease).await?;
            Ok::<_, Error>(newest.map(|newest| (name.clone(), newest)))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(newest.into_iter().flatten().collect())
}

/// The two kinds of files, the better one last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FileKind {
    Source,
    Wheel,
}

/// A version of which there is a file for this interpreter.
struct Candidate {
    version: Version,
    kind: FileKind,
}

async fn newest(
    context: &Context,
    name: &PackageName,
    prerelease: bool,
) -> Result<Option<LatestVersion>, Error> {
    let mut candidates = Vec::new();
    for (filename, file) in files(context, name).await? {
        if let Some(kind) = usable(context, &filename, &file)? {
            candidates.push(Candidate { version: filename.version().clone(), kind });
        }
    }
    // Pre-releases count if they are wanted, or if there is nothing else.
    let only_final = !prerelease && candidates.iter().any(|candidate| !candidate.version.any_prerelease());
    let newest = candidates
        .into_iter()
        .filter(|candidate| !(only_final && candidate.version.any_prerelease()))
        .max_by(|one, other| one.version.cmp(&other.version).then(one.kind.cmp(&other.kind)));
    Ok(newest.map(|newest| LatestVersion {
        version: virtpy_pep::Version::from(newest.version),
        kind: match newest.kind {
            FileKind::Wheel => "wheel".to_owned(),
            FileKind::Source => "sdist".to_owned(),
        },
    }))
}

/// All files that the indexes and the `--find-links` locations have of a package.
async fn files(context: &Context, name: &PackageName) -> Result<Vec<(DistFilename, File)>, Error> {
    let client = &context.client;
    let what = format!("the versions of `{name}`");
    let permits = &context.concurrency.downloads_semaphore;
    let capabilities = IndexCapabilities::default();
    let mut files = Vec::new();
    match client.simple_detail(name, None, &capabilities, permits).await {
        Ok(found) => {
            for (_, metadata) in found {
                match metadata {
                    MetadataFormat::Simple(archive) => {
                        let details = OwnedArchive::deserialize(&archive);
                        files.extend(details.into_iter().flat_map(|version| version.files.all(name)));
                    }
                    MetadataFormat::Flat(entries) => files.extend(entries.into_iter().map(|entry| {
                        let (filename, file, _) = entry.into_parts();
                        (filename, file)
                    })),
                }
            }
        }
        Err(error) => match error.kind() {
            ErrorKind::RemotePackageNotFound(_)
            | ErrorKind::LocalPackageNotFound(_)
            | ErrorKind::Offline(_)
            | ErrorKind::NoIndex(_) => {}
            _ => return Err(from_client(&what, &error)),
        },
    }
    let linked =
        client.find_links_entries(name, permits).await.map_err(|error| from_client(&what, &error))?;
    files.extend(linked.into_iter().map(|entry| {
        let (filename, file, _) = entry.into_parts();
        (filename, file)
    }));
    Ok(files)
}

/// The kind of a file, if the interpreter can use it and it is not withdrawn.
fn usable(context: &Context, filename: &DistFilename, file: &File) -> Result<Option<FileKind>, Error> {
    let python = context.interpreter.python_version().only_release();
    let yanked = file.yanked.as_deref().is_some_and(Yanked::is_yanked);
    let fits = file.requires_python.as_ref().is_none_or(|specifiers| specifiers.contains(&python));
    if yanked || !fits {
        return Ok(None);
    }
    let options = &context.choices.build_options;
    Ok(match filename {
        DistFilename::WheelFilename(wheel) => (wheel.is_compatible(context.tags()?)
            && !options.no_binary_package(&wheel.name))
        .then_some(FileKind::Wheel),
        DistFilename::SourceDistFilename(source) => {
            (!options.no_build_package(&source.name)).then_some(FileKind::Source)
        }
    })
}
