//! From a source to a wheel: an sdist, a git commit or a folder, built by its own backend (PEP 517, PEP 660) in
//! an isolated environment.

use std::path::{Path, PathBuf};

use uv_configuration::{BuildKind, BuildOutput, NoSources};
use uv_distribution_filename::SourceDistExtension;
use uv_distribution_types::{BuiltDist, Dist, SourceDist};
use uv_git_types::GitUrl;
use uv_redacted::DisplaySafeUrl;
use uv_types::{BuildContext as _, BuildStack, SourceBuildTrait as _};

use crate::download::{Download, hash_file};
use crate::error::Story;
use crate::materials::Materials;
use crate::obtain::{ObtainedWheel, Wanted, file_error};
use crate::package::{file_url, public};
use crate::{Error, obtain};

/// A source that is ready to be built.
struct Tree {
    root: PathBuf,
    subdirectory: Option<PathBuf>,
    kind: BuildKind,
    origin: String,
}

pub(crate) async fn build(
    materials: &Materials,
    wanted: &Wanted<'_>,
    folder: &Path,
) -> Result<ObtainedWheel, Error> {
    let source = match wanted.dist {
        Dist::Source(source) => source,
        Dist::Built(BuiltDist::GitPath(wheel)) => {
            let checkout = check_out(materials, &wheel.git, wanted).await?;
            return finish(checkout.join(&wheel.install_path), public(wheel.git.url()), false).await;
        }
        Dist::Built(_) => return Err(Error::File(format!("`{}` needs no build", wanted.label))),
    };
    let tree = prepare(materials, wanted, source, folder).await?;
    let out = folder.join(format!("{}-built", wanted.index));
    create_folder(&out)?;
    let failed = |story: Story| Error::Build { package: wanted.label.clone(), source: story };
    let dispatch = materials.dispatch();
    let backend = dispatch
        .setup_build(
            &tree.root,
            tree.subdirectory.as_deref(),
            &tree.root,
            None,
            Some(&wanted.label),
            Some(source),
            &NoSources::All,
            tree.kind,
            BuildOutput::Debug,
            BuildStack::default(),
        )
        .await
        .map_err(|error| failed(Story::of(&error)))?;
    let name = backend.wheel(&out).await.map_err(|error| failed(Story::of(&error)))?;
    finish(out.join(name), tree.origin, true).await
}

async fn finish(path: PathBuf, origin: String, temporary: bool) -> Result<ObtainedWheel, Error> {
    let hashed = hash_file(&path, &[]).await.map_err(|error| file_error("read", &path, &error))?;
    let filename = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(ObtainedWheel { filename, sha256: hashed.sha256, size: hashed.size, origin, path, temporary })
}

/// Brings the source into a folder.
async fn prepare(
    materials: &Materials,
    wanted: &Wanted<'_>,
    source: &SourceDist,
    folder: &Path,
) -> Result<Tree, Error> {
    let kind = BuildKind::Wheel;
    match source {
        SourceDist::Registry(source) => {
            let url = file_url(&source.file)?;
            let root = fetch(materials, wanted, &url, source.file.size, source.ext, folder).await?;
            Ok(Tree { root, subdirectory: None, kind, origin: public(&url) })
        }
        SourceDist::DirectUrl(source) => {
            let root = fetch(materials, wanted, &source.location, source.size, source.ext, folder).await?;
            let subdirectory = source.subdirectory.as_deref().map(Path::to_path_buf);
            Ok(Tree { root, subdirectory, kind, origin: public(&source.location) })
        }
        SourceDist::Path(source) => {
            let hashed = hash_file(&source.install_path, wanted.expected)
                .await
                .map_err(|error| file_error("read", &source.install_path, &error))?;
            hashed.check(&wanted.label, wanted.expected)?;
            let root = unpack(&source.install_path, source.ext, wanted, folder).await?;
            Ok(Tree { root, subdirectory: None, kind, origin: source.install_path.display().to_string() })
        }
        SourceDist::GitDirectory(source) => {
            let root = check_out(materials, &source.git, wanted).await?;
            let subdirectory = source.subdirectory.as_deref().map(Path::to_path_buf);
            Ok(Tree { root, subdirectory, kind, origin: public(source.git.url()) })
        }
        SourceDist::GitPath(source) => {
            let checkout = check_out(materials, &source.git, wanted).await?;
            let root = unpack(&checkout.join(&source.install_path), source.ext, wanted, folder).await?;
            Ok(Tree { root, subdirectory: None, kind, origin: public(source.git.url()) })
        }
        SourceDist::Directory(source) => {
            let kind = if source.editable.unwrap_or(false) { BuildKind::Editable } else { kind };
            let root = source.install_path.to_path_buf();
            Ok(Tree { origin: root.display().to_string(), root, subdirectory: None, kind })
        }
    }
}

/// Downloads an archive, or takes it from where it lies, and unpacks it.
async fn fetch(
    materials: &Materials,
    wanted: &Wanted<'_>,
    url: &DisplaySafeUrl,
    size: Option<u64>,
    extension: SourceDistExtension,
    folder: &Path,
) -> Result<PathBuf, Error> {
    if let ("file", Ok(path)) = (url.scheme(), url.to_file_path()) {
        let hashed =
            hash_file(&path, wanted.expected).await.map_err(|error| file_error("read", &path, &error))?;
        hashed.check(&wanted.label, wanted.expected)?;
        return unpack(&path, extension, wanted, folder).await;
    }
    let path = folder.join(format!("{}-source", wanted.index));
    let download = Download { client: &materials.client, url, path: &path, size, label: &wanted.label };
    let hashed = download.run(wanted.expected, &|_| {}).await?;
    hashed.check(&wanted.label, wanted.expected)?;
    unpack(&path, extension, wanted, folder).await
}

async fn unpack(
    archive: &Path,
    extension: SourceDistExtension,
    wanted: &Wanted<'_>,
    folder: &Path,
) -> Result<PathBuf, Error> {
    let target = folder.join(format!("{}-tree", wanted.index));
    create_folder(&target)?;
    let failed = |error: &(dyn std::error::Error + 'static)| Error::Build {
        package: wanted.label.clone(),
        source: Story::of(error),
    };
    let file = tokio::fs::File::open(archive).await.map_err(|error| file_error("open", archive, &error))?;
    let reader = tokio::io::BufReader::with_capacity(1 << 18, file);
    uv_extract::stream::archive(reader, extension, &target).await.map_err(|error| failed(&error))?;
    match uv_extract::strip_component(&target) {
        Ok(root) => Ok(root),
        // Some archives have no folder around their content.
        Err(uv_extract::Error::NonSingularArchive(_)) => Ok(target),
        Err(error) => Err(failed(&error)),
    }
}

async fn check_out(materials: &Materials, url: &GitUrl, wanted: &Wanted<'_>) -> Result<PathBuf, Error> {
    let settings = materials.client.git_http_settings(url.url());
    let cache = materials.cache.bucket(uv_cache::CacheBucket::Git);
    let fetch = materials.state.git().fetch(url, settings, cache, None).await.map_err(|error| {
        Error::Network { message: format!("could not fetch `{}`", wanted.label), source: Story::of(&error) }
    })?;
    Ok(fetch.path().to_path_buf())
}

fn create_folder(path: &Path) -> Result<(), Error> {
    #[expect(clippy::disallowed_methods, reason = "a folder inside the one that the caller gave for it")]
    std::fs::create_dir_all(path).map_err(|error| obtain::file_error("create", path, &error))
}
