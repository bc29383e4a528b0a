//! The newest version of one package that an interpreter can use.

use rkyv::{deserialize, rancor};
use uv_client::{
    ErrorKind, FlatIndexEntry, MetadataFormat, OwnedArchive, SimpleDetailMetadata, VersionFiles,
};
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

impl Candidate {
    /// A file's, if the interpreter can use it.
    fn of(context: &Context, filename: &DistFilename, file: &File) -> Result<Option<Self>, Error> {
        let kind = usable(context, filename, file)?;
        Ok(kind.map(|kind| Self { version: filename.version().clone(), kind }))
    }

    fn is_final(&self) -> bool {
        !self.version.any_prerelease()
    }
}

/// Which versions count.
#[derive(Clone, Copy)]
pub(crate) struct Choice<'a> {
    /// Whether pre-releases count like others.
    pub(crate) prerelease: bool,
    /// What is installed: older versions are looked at only where there is nothing newer.
    pub(crate) installed: Option<&'a virtpy_pep::Version>,
}

impl Choice<'_> {
    /// Nothing is installed.
    pub(crate) fn among_all(prerelease: bool) -> Self {
        Self { prerelease, installed: None }
    }
}

/// The newest version of a package that the context's interpreter can use, of all indexes or of one.
///
/// # Errors
///
/// When an index does not answer.
pub(crate) async fn newest(
    context: &Context,
    name: &PackageName,
    choice: Choice<'_>,
    index: Option<IndexMetadata>,
) -> Result<Option<LatestVersion>, Error> {
    let mut candidates = candidates(context, name, choice, index.as_ref()).await?;
    // Pre-releases count if they are wanted, or if there is nothing else.
    let only_final = !choice.prerelease && candidates.iter().any(Candidate::is_final);
    candidates.retain(|candidate| !only_final || candidate.is_final());
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

/// What the indexes and the `--find-links` locations have of a package for the interpreter.
async fn candidates(
    context: &Context,
    name: &PackageName,
    choice: Choice<'_>,
    index: Option<&IndexMetadata>,
) -> Result<Vec<Candidate>, Error> {
    let client = &context.client;
    let what = format!("the versions of `{name}`");
    let permits = &context.concurrency.downloads_semaphore;
    let capabilities = IndexCapabilities::default();
    let mut candidates = Vec::new();
    match client.simple_detail(name, index.map(IndexMetadataRef::from), &capabilities, permits).await {
        Ok(found) => {
            for (_, metadata) in found {
                match metadata {
                    MetadataFormat::Simple(page) => candidates.extend(of_page(context, name, choice, &page)?),
                    MetadataFormat::Flat(entries) => candidates.extend(of_list(context, entries)?),
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
    if index.is_none() {
        let linked = client.find_links_entries(name, permits).await;
        candidates.extend(of_list(context, linked.map_err(|error| from_client(&what, &error))?)?);
    }
    Ok(candidates)
}

/// The candidates on a page of an index, the newest first, as far down as the choice needs them. A page may have thousands of
/// files, and of most packages the newest version is installed.
fn of_page(
    context: &Context,
    name: &PackageName,
    choice: Choice<'_>,
    page: &OwnedArchive<SimpleDetailMetadata>,
) -> Result<Vec<Candidate>, Error> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for version in page.iter().rev() {
        let is_newer = |installed: &virtpy_pep::Version| {
            deserialize::<Version, rancor::Error>(&version.version)
                .is_ok_and(|version| virtpy_pep::Version::from(version) > *installed)
        };
        let is_known = candidates.iter().any(|one| choice.prerelease || one.is_final());
        if is_known && choice.installed.is_some_and(|installed| !is_newer(installed)) {
            break;
        }
        // The client has looked at the bytes, so they can be read.
        let Ok(files) = deserialize::<VersionFiles, rancor::Error>(&version.files) else { continue };
        for (filename, file) in files.all(name) {
            candidates.extend(Candidate::of(context, &filename, &file)?);
        }
    }
    Ok(candidates)
}

/// The candidates among files that a folder or a page of links has.
fn of_list(context: &Context, entries: Vec<FlatIndexEntry>) -> Result<Vec<Candidate>, Error> {
    let mut candidates = Vec::new();
    for entry in entries {
        let (filename, file, _) = entry.into_parts();
        candidates.extend(Candidate::of(context, &filename, &file)?);
    }
    Ok(candidates)
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
