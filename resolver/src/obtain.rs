//! From a resolution to wheel files: downloads, several at once, and builds, one after the other.

use std::path::{Path, PathBuf};

use futures::{StreamExt as _, TryStreamExt as _};
use uv_distribution_types::{BuiltDist, Dist, ResolvedDist};
use uv_pypi_types::HashDigest;
use uv_redacted::DisplaySafeUrl;

use crate::download::{Download, hash_file};
use crate::error::Story;
use crate::materials::{FileSettings, Materials, client_builder};
use crate::package::{file_url, public};
use crate::{Error, Receiver, Resolution, SessionOptions, build};

/// How many downloads run at once: enough to fill a connection, few enough to be polite.
const DOWNLOADS: usize = 12;

/// A wheel on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObtainedWheel {
    /// Where it lies.
    pub path: PathBuf,
    /// Its file name, which carries its tags.
    pub filename: String,
    /// Its SHA-256, computed from its bytes: 64 hexadecimal digits.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Where the bytes came from: a URL without credentials, or a path.
    pub origin: String,
    /// Whether it was made for this call and may be removed.
    pub temporary: bool,
}

/// What is to be had, sorted by how.
enum Way {
    Local { path: PathBuf },
    Remote { url: DisplaySafeUrl, size: Option<u64> },
    Build,
}

/// One package to be had.
pub(crate) struct Wanted<'a> {
    pub(crate) index: usize,
    pub(crate) label: String,
    pub(crate) dist: &'a Dist,
    pub(crate) expected: &'a [HashDigest],
}

pub(crate) async fn obtain(
    session: &SessionOptions,
    resolution: &Resolution,
    wanted: &[usize],
    folder: &Path,
    receiver: &dyn Receiver,
) -> Result<(), Error> {
    let wanted: Vec<Wanted<'_>> = wanted.iter().filter_map(|index| wanted_of(resolution, *index)).collect();
    let mut local = Vec::new();
    let mut remote = Vec::new();
    let mut builds = Vec::new();
    for one in &wanted {
        match way(one.dist)? {
            Way::Local { path } => local.push((one, path)),
            Way::Remote { url, size } => remote.push((one, url, size)),
            Way::Build => builds.push(one),
        }
    }
    if session.settings.offline
        && let Some((one, ..)) = remote.first()
    {
        let message = format!("`{}` is not on this machine, and no connection may be made", one.label);
        return Err(Error::Offline { message });
    }
    for (one, path) in local {
        let wheel = take_local(one, path).await?;
        hand_over(receiver, one, wheel)?;
    }
    if remote.is_empty() && builds.is_empty() {
        return Ok(());
    }
    let builder = client_builder(session)?;
    let materials =
        Materials::gather(session, &builder, &resolution.options, FileSettings::default()).await?;
    futures::stream::iter(remote)
        .map(|(one, url, size)| fetch(&materials, one, url, size, folder, receiver))
        .buffer_unordered(DOWNLOADS)
        .try_collect::<Vec<()>>()
        .await?;
    for one in builds {
        receiver.building(one.index);
        let wheel = build::build(&materials, one, folder).await?;
        hand_over(receiver, one, wheel)?;
    }
    Ok(())
}

fn wanted_of(resolution: &Resolution, index: usize) -> Option<Wanted<'_>> {
    let package = resolution.packages.get(index)?;
    let (ResolvedDist::Installable { dist, .. }, expected) = resolution.distributions.get(index)? else {
        return None;
    };
    let label = format!("{} {}", package.name, package.version);
    Some(Wanted { index, label, dist: dist.as_ref(), expected })
}

fn way(dist: &Dist) -> Result<Way, Error> {
    Ok(match dist {
        Dist::Built(BuiltDist::Registry(wheel)) => {
            let wheel = wheel.best_wheel();
            of_url(file_url(&wheel.file)?, wheel.file.size)
        }
        Dist::Built(BuiltDist::DirectUrl(wheel)) => of_url((*wheel.location).clone(), wheel.size),
        Dist::Built(BuiltDist::Path(wheel)) => Way::Local { path: wheel.install_path.to_path_buf() },
        Dist::Built(BuiltDist::GitPath(_)) | Dist::Source(_) => Way::Build,
    })
}

fn of_url(url: DisplaySafeUrl, size: Option<u64>) -> Way {
    match (url.scheme(), url.to_file_path()) {
        ("file", Ok(path)) => Way::Local { path },
        _ => Way::Remote { url, size },
    }
}

fn hand_over(receiver: &dyn Receiver, wanted: &Wanted<'_>, wheel: ObtainedWheel) -> Result<(), Error> {
    receiver
        .finished(wanted.index, wheel)
        .map_err(|source| Error::Receiver { package: wanted.label.clone(), source })
}

/// The name under which a wheel was published; the resolver's own rendering would lose its spelling.
fn filename(wanted: &Wanted<'_>) -> String {
    match wanted.dist {
        Dist::Built(BuiltDist::Registry(wheel)) => wheel.best_wheel().file.filename.to_string(),
        Dist::Built(BuiltDist::DirectUrl(wheel)) => wheel.filename.to_string(),
        Dist::Built(BuiltDist::Path(wheel)) => {
            let name = wheel.install_path.file_name().map(|name| name.to_string_lossy().into_owned());
            name.unwrap_or_else(|| wheel.filename.to_string())
        }
        Dist::Built(BuiltDist::GitPath(_)) | Dist::Source(_) => String::new(),
    }
}

async fn take_local(wanted: &Wanted<'_>, path: PathBuf) -> Result<ObtainedWheel, Error> {
    let hashed = hash_file(&path, wanted.expected)
        .await
        .map_err(|error| Error::File(format!("`{}` cannot be read: {error}", path.display())))?;
    hashed.check(&wanted.label, wanted.expected)?;
    Ok(ObtainedWheel {
        filename: filename(wanted),
        sha256: hashed.sha256,
        size: hashed.size,
        origin: path.display().to_string(),
        path,
        temporary: false,
    })
}

async fn fetch(
    materials: &Materials,
    wanted: &Wanted<'_>,
    url: DisplaySafeUrl,
    size: Option<u64>,
    folder: &Path,
    receiver: &dyn Receiver,
) -> Result<(), Error> {
    receiver.started(wanted.index, size);
    let filename = filename(wanted);
    let path = folder.join(format!("{}.whl", wanted.index));
    let progress = |bytes| receiver.progress(wanted.index, bytes);
    let download = Download { client: &materials.client, url: &url, path: &path, size, label: &wanted.label };
    let hashed = download.run(wanted.expected, &progress).await?;
    hashed.check(&wanted.label, wanted.expected)?;
    let wheel = ObtainedWheel {
        path,
        filename,
        sha256: hashed.sha256,
        size: hashed.size,
        origin: public(&url),
        temporary: true,
    };
    hand_over(receiver, wanted, wheel)
}

/// An I/O failure in words.
pub(crate) fn file_error(action: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::File(format!("could not {action} `{}`: {}", path.display(), Story::of(error)))
}
