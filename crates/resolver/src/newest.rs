//! The newest version of one package that an interpreter can use.

use uv_client::{ErrorKind, MetadataFormat, OwnedArchive};
use uv_distribution_filename::DistFilename;
use uv_distribution_types::{File, IndexCapabilities, IndexMetadata, IndexMetadataRef};
use uv_normalize::PackageName;
use uv_pep440::Version;
use uv_pypi_types::Yanked;

use crate::context::Context;
use crate::error::Error;
use crate::failure::from_client;
use crate::request::LatestVersion;

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

/// The newest version of a package that the context's interpreter can use, of all indexes or of one.
///
/// # Errors
///
/// When an index does not answer.
pub(crate) async fn newest(
    context: &Context,
    name: &PackageName,
    prerelease: bool,
    index: Option<IndexMetadata>,
) -> Result<Option<LatestVersion>, Error> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (filename, file) in files(context, name, index.as_ref()).await? {
        if let Some(kind) = usable(context, &filename, &file)? {
            candidates.push(Candidate { version: filename.version().clone(), kind });
        }
    }
    // Pre-releases count if they are wanted, or if there is nothing else.
    let only_final = !prerelease && candidates.iter().any(|candidate| !candidate.version.any_prerelease());
    candidates.retain(|candidate| !(only_final && candidate.version.any_prerelease()));
    candidates.sort_by(|one, other| other.version.cmp(&one.version).then(other.kind.cmp(&one.kind)));
    let Some(newest) = candidates.first() else { return Ok(None) };
    let kind = match newest.kind {
        FileKind::Wheel => "wheel".to_owned(),
        FileKind::Source => "sdist".to_owned(),
    };
    let mut usable: Vec<Version> = candidates.into_iter().map(|candidate| candidate.version).collect();
    usable.dedup();
    let usable: Vec<_> = usable.into_iter().map(virtpy_pep::Version::from).collect();
    Ok(usable.first().cloned().map(|version| LatestVersion { version, kind, usable }))
}

/// All files that the indexes and the `--find-links` locations have of a package.
async fn files(
    context: &Context,
    name: &PackageName,
    index: Option<&IndexMetadata>,
) -> Result<Vec<(DistFilename, File)>, Error> {
    let client = &context.client;
    let what = format!("the versions of `{name}`");
    let permits = &context.concurrency.downloads_semaphore;
    let capabilities = IndexCapabilities::default();
    let mut files = Vec::new();
    match client.simple_detail(name, index.map(IndexMetadataRef::from), &capabilities, permits).await {
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
    if index.is_some() {
        return Ok(files);
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
