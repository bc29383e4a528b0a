//! Archives of sources that the libraries underneath do not take: of which one folder is wanted while they lie on this machine
//! (`file:///…/lib.tar.gz#subdirectory=python`), and those that are compressed in older ways (`.tar.bz2`, `.tar.xz`).
//!
//! They are unpacked here, and asked for as folders; whoever describes the result puts the archive back in the folder's place.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use uv_cache::Cache;
use uv_client::RegistryClient;
use uv_distribution_filename::{DistExtension, LegacySourceDistExtension, SourceDistExtension};
use uv_distribution_types::{
    HashPolicy, IndexLocations, RequirementSource, UnresolvedRequirement, UnresolvedRequirementSpecification,
};
use uv_pep508::VerbatimUrl;
use uv_pypi_types::{HashDigest, ParsedDirectoryUrl, ParsedUrl};
use uv_redacted::DisplaySafeUrl;
use uv_requirements::RequirementsSpecification;
use virtpy_pep::Sha256Digest;

use crate::client::ClientFactory;
use crate::download::{self, Expected};
use crate::error::{Cause, Error};
use crate::public::public;
use crate::runtime::Runtime;
use crate::url::local_path;

/// The most bytes that an archive may be unpacked to before its members are.
const MOST_UNPACKED: u64 = 20_000_000_000;

/// An archive that lies unpacked in the cache as long as it is needed.
#[derive(Debug, Clone)]
pub(crate) struct Unpacked {
    /// The folder to build.
    pub(crate) folder: PathBuf,
    /// Where the archive is, without fragment.
    pub(crate) location: DisplaySafeUrl,
    pub(crate) sha256: Sha256Digest,
    pub(crate) subdirectory: Option<PathBuf>,
    _everything: Arc<TempDir>,
}

impl Unpacked {
    /// Where it is, as it may be shown.
    pub(crate) fn description(&self) -> String {
        local_path(&self.location).map_or_else(|| public(&self.location), |path| path.display().to_string())
    }
}

/// Unpacks the archives of a request that need it, and puts their folders in their places.
///
/// # Errors
///
/// Those of fetching; [`Error::Hash`], and [`Error::Distribution`] for an archive that cannot be unpacked or has no such folder.
pub(crate) async fn unpack(
    runtime: &Runtime,
    network: &ClientFactory,
    inputs: &mut RequirementsSpecification,
) -> Result<Vec<Unpacked>, Error> {
    let mut all = Vec::new();
    for entry in &mut inputs.requirements {
        let Some(wanted) = Wanted::of(entry)? else { continue };
        let client = network.registry(&IndexLocations::default())?;
        let unpacked = wanted.unpack(&runtime.cache, &client).await?;
        let (folder, url) = (unpacked.folder.clone().into_boxed_path(), wanted.url);
        match &mut entry.requirement {
            UnresolvedRequirement::Named(requirement) => {
                requirement.source = RequirementSource::Directory {
                    install_path: folder,
                    editable: Some(false),
                    r#virtual: Some(false),
                    url,
                };
            }
            UnresolvedRequirement::Unnamed(requirement) => {
                let parsed = ParsedDirectoryUrl::from_source(folder, Some(false), Some(false), url.to_url());
                requirement.url.parsed_url = ParsedUrl::Directory(parsed);
            }
        }
        // They are compared already, and folders have none.
        entry.hashes.clear();
        all.push(unpacked);
    }
    Ok(all)
}

/// An archive that is to be unpacked.
struct Wanted {
    label: String,
    url: VerbatimUrl,
    location: DisplaySafeUrl,
    ext: SourceDistExtension,
    subdirectory: Option<PathBuf>,
    hashes: Vec<HashDigest>,
}

impl Wanted {
    /// What an entry asks for, if it is such an archive.
    fn of(entry: &UnresolvedRequirementSpecification) -> Result<Option<Self>, Error> {
        let (url, location, ext) = match &entry.requirement {
            UnresolvedRequirement::Named(requirement) => match &requirement.source {
                RequirementSource::Path { install_path, ext, url } => {
                    (url, DisplaySafeUrl::from_file_path(install_path).ok(), *ext)
                }
                RequirementSource::Url { location, ext, url, .. } => (url, Some(location.clone()), *ext),
                _ => return Ok(None),
            },
            UnresolvedRequirement::Unnamed(requirement) => match &requirement.url.parsed_url {
                ParsedUrl::Path(path) => (
                    &requirement.url.verbatim,
                    DisplaySafeUrl::from_file_path(&path.install_path).ok(),
                    path.ext,
                ),
                ParsedUrl::Archive(archive) => {
                    (&requirement.url.verbatim, Some(archive.url.clone()), archive.ext)
                }
                _ => return Ok(None),
            },
        };
        let (Some(mut location), DistExtension::Source(ext)) = (location, ext) else { return Ok(None) };
        let parts = || url.fragment().into_iter().flat_map(|fragment| fragment.split('&'));
        let subdirectory = parts().find_map(|part| part.strip_prefix("subdirectory=")).map(PathBuf::from);
        let is_taken = ext.is_pep625_compliant() && (subdirectory.is_none() || location.scheme() != "file");
        if is_taken {
            return Ok(None);
        }
        let own = parts().filter_map(|part| part.replacen('=', ":", 1).parse::<HashDigest>().ok());
        let hashes = entry.hashes.iter().map(|hash| hash.parse::<HashDigest>());
        let hashes: Result<Vec<HashDigest>, _> = hashes.chain(own.map(Ok)).collect();
        let hashes = hashes.map_err(|error| crate::failure::requirements(&error, "look at the hash"))?;
        location.set_fragment(None);
        let label = entry.requirement.to_string();
        Ok(Some(Self { label, url: url.clone(), location, ext, subdirectory, hashes }))
    }

    fn unusable(&self, cause: Cause) -> Error {
        Error::Distribution { what: format!("`{}`", public(&self.location)), cause }
    }

    async fn unpack(&self, cache: &Cache, client: &RegistryClient) -> Result<Unpacked, Error> {
        let in_cache = |source| Error::File { action: "write", path: cache.root().to_owned(), source };
        let everything = cache.build_dir().map_err(in_cache)?;
        let demanded = if self.hashes.is_empty() { HashPolicy::None } else { HashPolicy::Any(&self.hashes) };
        let expected = Expected { demanded, ..Expected::nothing(&self.label) };
        let (archive, fetched) = if let Some(path) = local_path(&self.location) {
            let checked = download::check_local(&path, &expected).await?;
            (path, checked)
        } else {
            let path = everything.path().join("archive");
            let fetched = download::fetch(client, &self.location, &path, &expected, &|_| {}).await?;
            (path, fetched)
        };
        let (archive, ext) = match Compression::of(self.ext) {
            Some(compression) => {
                let plain = everything.path().join("archive.tar");
                let done = tokio::task::spawn_blocking({
                    let plain = plain.clone();
                    move || compression.undo(&archive, &plain)
                });
                let done = done.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
                done.map_err(|error| self.unusable(Cause::new(error.to_string())))?;
                (plain, SourceDistExtension::Legacy(LegacySourceDistExtension::Tar))
            }
            None => (archive, self.ext),
        };
        let target = everything.path().join("source");
        let open = tokio::fs::File::open(&archive).await;
        let file = open.map_err(|source| Error::File { action: "read", path: archive.clone(), source })?;
        tokio::fs::create_dir(&target).await.map_err(in_cache)?;
        let unpacked = uv_extract::stream::archive(file, ext, &target).await;
        unpacked.map_err(|error| self.unusable(Cause::from_error(&error)))?;
        let folder = self.folder(&target)?;
        Ok(Unpacked {
            folder,
            location: self.location.clone(),
            sha256: fetched.sha256,
            subdirectory: self.subdirectory.clone(),
            _everything: Arc::new(everything),
        })
    }

    /// The folder to build in what was unpacked.
    fn folder(&self, target: &Path) -> Result<PathBuf, Error> {
        let root = match uv_extract::strip_component(target) {
            Ok(root) => root,
            Err(uv_extract::Error::NonSingularArchive(_)) => target.to_owned(),
            Err(error) => return Err(self.unusable(Cause::from_error(&error))),
        };
        let Some(subdirectory) = &self.subdirectory else { return Ok(root) };
        let folder = root.join(subdirectory);
        let missing = || self.unusable(Cause::new(format!("it has no folder `{}`", subdirectory.display())));
        // It must not lead out of the archive, on whatever way.
        let (Ok(found), Ok(root)) = (folder.canonicalize(), root.canonicalize()) else {
            return Err(missing());
        };
        if found.is_dir() && found.starts_with(&root) { Ok(found) } else { Err(missing()) }
    }
}

/// What the libraries underneath cannot undo.
#[derive(Debug, Clone, Copy)]
enum Compression {
    Bzip2,
    Xz,
    Lzma,
}

impl Compression {
    fn of(ext: SourceDistExtension) -> Option<Self> {
        use LegacySourceDistExtension as Legacy;
        match ext {
            SourceDistExtension::Legacy(Legacy::TarBz2 | Legacy::Tbz) => Some(Self::Bzip2),
            SourceDistExtension::Legacy(Legacy::TarXz | Legacy::Txz) => Some(Self::Xz),
            // As Python's `tarfile` has it, `.tlz` is of this kind.
            SourceDistExtension::Legacy(Legacy::TarLzma | Legacy::Tlz) => Some(Self::Lzma),
            _ => None,
        }
    }

    /// Writes what is compressed in a file to another one.
    fn undo(self, archive: &Path, plain: &Path) -> std::io::Result<()> {
        let packed = std::io::BufReader::new(std::fs::File::open(archive)?);
        let reader: Box<dyn Read> = match self {
            Self::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(packed)),
            Self::Xz => Box::new(lzma_rust2::XzReader::new(packed, true)),
            Self::Lzma => Box::new(lzma_rust2::LzmaReader::new_mem_limit(packed, u32::MAX, None)?),
        };
        let mut file = std::fs::File::create(plain)?;
        let size = std::io::copy(&mut reader.take(MOST_UNPACKED + 1), &mut file)?;
        if size > MOST_UNPACKED {
            return Err(std::io::Error::other(format!("it has more than {MOST_UNPACKED} bytes unpacked")));
        }
        Ok(())
    }
}

/// Puts the archive back in the place of its folder, in a package of a lock file.
pub(crate) fn describe(archives: &[Unpacked], package: &mut toml_edit::Table, folder: &Path) {
    let path = package.get("directory").and_then(|directory| directory.get("path"));
    let Some(path) = path.and_then(toml_edit::Item::as_str).map(|path| folder.join(path)) else { return };
    let same = |archive: &&Unpacked| path.canonicalize().is_ok_and(|path| path == archive.folder);
    let Some(archive) = archives.iter().find(same) else { return };
    package.remove("directory");
    let mut table = toml_edit::InlineTable::new();
    table.insert("url", archive.location.as_str().into());
    if let Some(subdirectory) = &archive.subdirectory {
        table.insert("subdirectory", subdirectory.display().to_string().into());
    }
    let mut hashes = toml_edit::InlineTable::new();
    hashes.insert("sha256", archive.sha256.to_string().into());
    table.insert("hashes", hashes.into());
    package.insert("archive", toml_edit::value(table));
}

/// The text of a lock file with a URL for each archive of which one folder is wanted and that it names by a path: the libraries
/// underneath forget the folder otherwise.
pub(crate) fn named_by_url<'a>(text: &'a str, folder: &Path) -> Cow<'a, str> {
    if !text.contains("subdirectory") {
        return Cow::Borrowed(text);
    }
    // What cannot be read is told by whoever reads it for good.
    let Ok(mut document) = text.parse::<toml_edit::DocumentMut>() else { return Cow::Borrowed(text) };
    let packages = document.get_mut("packages").and_then(toml_edit::Item::as_array_of_tables_mut);
    for package in packages.into_iter().flat_map(toml_edit::ArrayOfTables::iter_mut) {
        let archive = package.get_mut("archive").and_then(toml_edit::Item::as_table_like_mut);
        let Some(archive) = archive.filter(|archive| archive.contains_key("subdirectory")) else { continue };
        let path = archive.get("path").and_then(toml_edit::Item::as_str).map(|path| folder.join(path));
        if let Some(url) = path.and_then(|path| DisplaySafeUrl::from_file_path(path).ok()) {
            archive.remove("path");
            archive.insert("url", toml_edit::value(url.as_str()));
        }
    }
    Cow::Owned(document.to_string())
}
