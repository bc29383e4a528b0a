//! Builds wheels from sources (PEP 517, PEP 660), each in an environment of its own.
//!
//! Archives are fetched and unpacked first, repositories are checked out, folders are built where they are.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use tokio::fs::File;
use uv_configuration::{BuildKind, BuildOutput, NoSources};
use uv_dispatch::BuildDispatch;
use uv_distribution_filename::{DistFilename, SourceDistExtension, WheelFilename};
use uv_distribution_types::{Name, SourceDist};
use uv_git_types::GitUrl;
use uv_pypi_types::HashDigest;
use uv_redacted::DisplaySafeUrl;
use uv_types::{BuildContext, BuildKey, BuildStack, SourceBuildTrait};
use virtpy_pep::Sha256Digest;

use crate::archives::Unpacked;
use crate::context::Context;
use crate::download::{self, Expected, Progress};
use crate::error::{Cause, Error};
use crate::failure::{build_of, from_distribution};
use crate::public::public;
use crate::request::{ObtainedWheel, Receiver};
use crate::solution::Chosen;
use crate::url::{bad_url, local_path};

/// One package to be built.
pub(crate) struct Job<'a> {
    pub(crate) index: usize,
    pub(crate) chosen: &'a Chosen,
    /// Where files are put.
    pub(crate) folder: &'a Path,
    pub(crate) receiver: &'a dyn Receiver,
}

/// Builds the wheel of a source, in a folder of its own inside the job's.
///
/// # Errors
///
/// [`Error::Build`] if the build fails; otherwise those of fetching the source.
pub(crate) async fn build(
    context: &Context,
    source: &SourceDist,
    job: &Job<'_>,
) -> Result<ObtainedWheel, Error> {
    // The lifetime of an unpacked archive: it goes when the tree does.
    let tree = tree_of(context, source, job).await?;
    job.receiver.building(job.index);
    let output = job.folder.join(format!("{}-built", job.index));
    tokio::fs::create_dir_all(&output).await.map_err(|source| Error::File {
        action: "create the folder",
        path: output.clone(),
        source,
    })?;
    let filename = run(context, source, job, &tree, &output).await?;
    check_name(source, job, &filename)?;
    let path = output.join(&filename);
    let built = download::check_local(&path, &Expected::nothing(&job.chosen.label)).await?;
    Ok(ObtainedWheel {
        path,
        filename,
        sha256: built.sha256.into(),
        size: built.size,
        origin: tree.origin.clone(),
        temporary: true,
        archive_sha256: tree.archive_sha256,
    })
}

/// A source that can be built.
struct Tree {
    root: PathBuf,
    subdirectory: Option<PathBuf>,
    editable: bool,
    /// Where it came from, as it may be shown.
    origin: String,
    /// The SHA-256 of the archive that it was unpacked from.
    archive_sha256: Option<Sha256Digest>,
    /// Removes an unpacked archive in the end.
    _unpacked: Option<Box<dyn std::any::Any>>,
}

async fn tree_of(context: &Context, source: &SourceDist, job: &Job<'_>) -> Result<Tree, Error> {
    let label = &job.chosen.label;
    match source {
        SourceDist::Registry(registry) => {
            let url = registry.file.url.to_url().map_err(|error| bad_url(label, &error))?;
            let listed = registry.file.hashes.as_slice();
            let archive = Archive { url: &url, ext: registry.ext, listed, size: registry.file.size };
            archive.unpack(context, job, None).await
        }
        SourceDist::DirectUrl(direct) => {
            let archive = Archive { url: &direct.location, ext: direct.ext, listed: &[], size: direct.size };
            archive.unpack(context, job, direct.subdirectory.as_deref()).await
        }
        SourceDist::Path(path) => {
            let origin = path.install_path.display().to_string();
            let sha256 = Some(check(context, job, &path.install_path, &[]).await?);
            let layout = Layout { ext: path.ext, subdirectory: None, origin, sha256 };
            unpack(context, job, &path.install_path, layout).await
        }
        SourceDist::GitDirectory(git) => Ok(Tree {
            root: checkout(context, &git.git, label).await?,
            subdirectory: git.subdirectory.as_deref().map(Path::to_owned),
            editable: false,
            origin: public(&git.url.to_url()),
            archive_sha256: None,
            _unpacked: None,
        }),
        SourceDist::GitPath(git) => {
            let file = checkout(context, &git.git, label).await?.join(&git.install_path);
            let origin = public(&git.url.to_url());
            unpack(context, job, &file, Layout { ext: git.ext, subdirectory: None, origin, sha256: None })
                .await
        }
        SourceDist::Directory(folder) => {
            let archive = context.archive_of(&folder.install_path);
            let origin = || folder.install_path.display().to_string();
            Ok(Tree {
                root: folder.install_path.to_path_buf(),
                subdirectory: None,
                editable: folder.editable.unwrap_or(false),
                origin: archive.map_or_else(origin, Unpacked::description),
                archive_sha256: archive.map(|archive| archive.sha256),
                _unpacked: None,
            })
        }
    }
}

/// Checks a repository out, at the commit that the resolution found.
///
/// # Errors
///
/// [`Error::Network`] or [`Error::Offline`] when it cannot be fetched.
pub(crate) async fn checkout(context: &Context, git: &GitUrl, label: &str) -> Result<PathBuf, Error> {
    let cache = context.cache.bucket(uv_cache::CacheBucket::Git);
    let settings = context.client.git_http_settings(git.url());
    let fetched = context.state.git().fetch(git, settings, cache, None).await;
    let fetched = fetched.map_err(|error| from_git(context, label, error))?;
    Ok(fetched.path().to_owned())
}

/// An archive behind a URL.
struct Archive<'a> {
    url: &'a DisplaySafeUrl,
    ext: SourceDistExtension,
    listed: &'a [HashDigest],
    size: Option<u64>,
}

impl Archive<'_> {
    async fn unpack(
        &self,
        context: &Context,
        job: &Job<'_>,
        subdirectory: Option<&Path>,
    ) -> Result<Tree, Error> {
        let layout = |origin, sha256| Layout {
            ext: self.ext,
            subdirectory: subdirectory.map(Path::to_owned),
            origin,
            sha256: Some(sha256),
        };
        if let Some(path) = local_path(self.url) {
            let sha256 = check(context, job, &path, self.listed).await?;
            return unpack(context, job, &path, layout(path.display().to_string(), sha256)).await;
        }
        let file = job.folder.join(format!("{}-source", job.index));
        let expected = Expected {
            label: &job.chosen.label,
            listed: self.listed,
            demanded: context.demanded(job.chosen.dist.as_ref()),
            size: self.size,
        };
        let progress = |progress| report(job.receiver, job.index, &progress);
        let fetched = download::fetch(&context.client, self.url, &file, &expected, &progress).await?;
        let tree = unpack(context, job, &file, layout(public(self.url), fetched.sha256)).await;
        // If it stays, it goes with the folder.
        let _ = tokio::fs::remove_file(&file).await;
        tree
    }
}

/// Compares an archive of this machine with what is expected; gives its SHA-256.
async fn check(
    context: &Context,
    job: &Job<'_>,
    path: &Path,
    listed: &[HashDigest],
) -> Result<Sha256Digest, Error> {
    let demanded = context.demanded(job.chosen.dist.as_ref());
    let expected = Expected { label: &job.chosen.label, listed, demanded, size: None };
    job.receiver.started(job.index, None);
    Ok(download::check_local(path, &expected).await?.sha256)
}

/// How the archive of a source is laid out.
struct Layout {
    ext: SourceDistExtension,
    subdirectory: Option<PathBuf>,
    origin: String,
    sha256: Option<Sha256Digest>,
}

async fn unpack(context: &Context, job: &Job<'_>, archive: &Path, layout: Layout) -> Result<Tree, Error> {
    let unusable =
        |cause| Error::Distribution { what: format!("the source of `{}`", job.chosen.label), cause };
    let in_cache = |source| Error::File { action: "write", path: context.cache.root().to_owned(), source };
    let folder = context.cache.build_dir().map_err(in_cache)?;
    let file = File::open(archive).await.map_err(|source| Error::File {
        action: "read",
        path: archive.to_owned(),
        source,
    })?;
    uv_extract::stream::archive(file, layout.ext, folder.path())
        .await
        .map_err(|error| unusable(Cause::from_error(&error)))?;
    let root = match uv_extract::strip_component(folder.path()) {
        Ok(root) => root,
        // An archive without the one folder at its top: take it as it is.
        Err(uv_extract::Error::NonSingularArchive(_)) => folder.path().to_owned(),
        Err(error) => return Err(unusable(Cause::from_error(&error))),
    };
    if let Some(missing) = layout.subdirectory.as_ref().filter(|inner| !root.join(inner).is_dir()) {
        return Err(unusable(Cause::new(format!("it has no folder `{}`", missing.display()))));
    }
    Ok(Tree {
        root,
        subdirectory: layout.subdirectory,
        editable: false,
        origin: layout.origin,
        archive_sha256: layout.sha256,
        _unpacked: Some(Box::new(folder)),
    })
}

/// Runs the build backend; gives the file name of the wheel.
async fn run(
    context: &Context,
    source: &SourceDist,
    job: &Job<'_>,
    tree: &Tree,
    output: &Path,
) -> Result<String, Error> {
    let label = job.chosen.label.as_str();
    let kind = if tree.editable { BuildKind::Editable } else { BuildKind::Wheel };
    let subdirectory = tree.subdirectory.as_deref();
    let dispatch = context.dispatch();
    let direct = dispatch
        .direct_build(&tree.root, subdirectory, output, NoSources::All, kind, Some(label))
        .await
        .map_err(|error| build_of(label, &error))?;
    if let Some(DistFilename::WheelFilename(wheel)) = direct {
        return Ok(wheel.to_string());
    }
    if let Some(builder) = environment_of_metadata(context, &dispatch, tree, kind) {
        return builder.wheel(output).await.map_err(|error| build_of(label, &error));
    }
    let builder = dispatch
        .setup_build(
            &tree.root,
            subdirectory,
            &tree.root,
            None,
            Some(label),
            Some(source),
            &NoSources::All,
            kind,
            BuildOutput::Debug,
            BuildStack::default(),
        )
        .await
        .map_err(|error| build_of(label, &error))?;
    builder.wheel(output).await.map_err(|error| build_of(label, &error))
}

/// The environment in which the metadata of a source was asked for a moment ago: the wheel is built there as well, and no second
/// one is made.
fn environment_of_metadata<'d>(
    context: &Context,
    dispatch: &'d BuildDispatch<'_>,
    tree: &Tree,
    build_kind: BuildKind,
) -> Option<Arc<<BuildDispatch<'d> as BuildContext>::SourceDistBuilder>> {
    // Settings of single packages are known only when all packages have names, which some metadata was asked for.
    if context.choices.package_settings.is_some() {
        return None;
    }
    dispatch.build_arena().remove(&BuildKey {
        base_python: context.interpreter.find_base_python().ok()?.into_boxed_path(),
        source_root: tree.root.clone().into_boxed_path(),
        subdirectory: tree.subdirectory.as_deref().map(Box::from),
        no_sources: NoSources::All,
        build_kind,
    })
}

/// A backend may say anything: what it built has to be a wheel of this package, in the output folder.
fn check_name(source: &SourceDist, job: &Job<'_>, filename: &str) -> Result<(), Error> {
    let unusable =
        |cause| Error::Distribution { what: format!("the wheel built for `{}`", job.chosen.label), cause };
    let wheel = WheelFilename::from_str(filename).map_err(|error| unusable(Cause::from_error(&error)))?;
    if wheel.name != *source.name() {
        return Err(unusable(Cause::new(format!("it is one of `{}`", wheel.name))));
    }
    Ok(())
}

/// A failed fetch of a repository.
pub(crate) fn from_git(context: &Context, label: &str, error: uv_git::GitResolverError) -> Error {
    if context.client.connectivity().is_offline() {
        return Error::Offline { what: format!("the repository of `{label}`") };
    }
    from_distribution(label, &uv_distribution::Error::Git(error))
}

/// Hands the progress of a transfer on.
pub(crate) fn report(receiver: &dyn Receiver, index: usize, progress: &Progress) {
    match progress {
        Progress::Started(bytes) => receiver.started(index, *bytes),
        Progress::Bytes(bytes) => receiver.progress(index, *bytes),
    }
}
