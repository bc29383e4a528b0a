//! Where archives and indexes are: behind an `http(s)` URL, behind a `file` URL, or at a plain path. What
//! needs the network goes through [`Fetch`]; the rest is read here.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use url::Url;
use virtpy_files::digest::Sha256;
use virtpy_files::{self as fs, IoResultExt as _};
use virtpy_pep::Sha256Digest;

use super::AvailableError;

/// How much of a file is copied at once.
const BUFFER: usize = 1 << 20;

/// Hears how many bytes are there, and how many there will be if that is known.
pub type Progress<'a> = &'a (dyn Fn(u64, Option<u64>) + Sync);

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// The SHA-256 of all bytes.
    pub sha256: Sha256Digest,
    /// How many there are.
    pub size: u64,
}

/// The way to the network.
pub trait Fetch: Sync {
    /// The whole body behind an `http(s)` URL.
    ///
    /// # Errors
    /// When it does not come, or has more than `limit` bytes.
    fn text(&self, url: &str, limit: u64) -> Result<Vec<u8>, AvailableError>;

    /// Downloads what is behind an `http(s)` URL into the file `target`, and compares its SHA-256 if one is
    /// expected.
    ///
    /// # Errors
    /// When it does not come whole, or is another file.
    fn file(
        &self,
        url: &str,
        target: &Path,
        sha256: Option<Sha256Digest>,
        progress: Progress<'_>,
    ) -> Result<Transferred, AvailableError>;

    /// Calls `work` once with what is behind an `http(s)` URL, while that comes. What `work` read may be anything until
    /// this returns without an error: only then it was the whole file, with this SHA-256.
    ///
    /// # Errors
    /// When it does not come whole, or is another file. For `work`, it then just ends.
    fn stream(
        &self,
        url: &str,
        sha256: Sha256Digest,
        progress: Progress<'_>,
        work: &mut dyn FnMut(&mut (dyn Read + Send)),
    ) -> Result<Transferred, AvailableError>;
}

/// What is at a location, wherever that is.
///
/// # Errors
/// When it cannot be read, does not come, or has more than `limit` bytes.
pub fn text(fetch: &dyn Fetch, location: &str, limit: u64) -> Result<Vec<u8>, AvailableError> {
    let Some(path) = local_path(location)? else { return fetch.text(location, limit) };
    let mut content = Vec::new();
    fs::open(&path)?.take(limit + 1).read_to_end(&mut content).at("read", &path)?;
    if content.len() as u64 > limit {
        return Err(AvailableError::Location {
            location: location.to_owned(),
            reason: format!("it has more than {limit} bytes, the most that can be"),
        });
    }
    Ok(content)
}

/// Brings what is at a location into the new file `target`, hashes it on the way, and compares its SHA-256 if one is
/// expected. What is on this machine already can also be read where it is, see [`local_path`] and [`hash`].
///
/// # Errors
/// When it does not come whole, is another file, or cannot be written.
pub fn file(
    fetch: &dyn Fetch,
    location: &str,
    target: &Path,
    sha256: Option<Sha256Digest>,
    progress: Progress<'_>,
) -> Result<Transferred, AvailableError> {
    let Some(path) = local_path(location)? else { return fetch.file(location, target, sha256, progress) };
    let mut copy = fs::create_new(target, 0o644)?;
    let copied = read_through(&path, progress, |bytes| Ok(copy.write_all(bytes).at("write", target)?))?;
    expect(copied, &path, sha256)
}

/// Hashes a file of this machine, and compares its SHA-256 if one is expected.
///
/// # Errors
/// When it cannot be read, or is another file.
pub fn hash(
    path: &Path,
    sha256: Option<Sha256Digest>,
    progress: Progress<'_>,
) -> Result<Transferred, AvailableError> {
    expect(read_through(path, progress, |_| Ok(()))?, path, sha256)
}

fn read_through(
    path: &Path,
    progress: Progress<'_>,
    mut receive: impl FnMut(&[u8]) -> Result<(), AvailableError>,
) -> Result<Transferred, AvailableError> {
    let mut file = fs::open(path)?;
    let total = file.metadata().at("read", path)?.len();
    progress(0, Some(total));
    let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
    loop {
        let count = match file.read(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other.at("read", path)?,
        };
        if count == 0 {
            return Ok(Transferred { sha256: hasher.finish().into(), size });
        }
        hasher.update(&buffer[..count]);
        receive(&buffer[..count])?;
        size += count as u64;
        progress(size, Some(total));
    }
}

fn expect(
    found: Transferred,
    path: &Path,
    sha256: Option<Sha256Digest>,
) -> Result<Transferred, AvailableError> {
    match sha256.filter(|expected| *expected != found.sha256) {
        None => Ok(found),
        Some(expected) => {
            Err(AvailableError::Hash { path: path.to_path_buf(), expected, computed: found.sha256 })
        }
    }
}

/// A location as it may be shown and kept: without credentials.
pub fn public(location: &str) -> String {
    let Ok(mut url) = Url::parse(location) else { return location.to_owned() };
    // Fails for URLs that cannot have any.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.as_str().len() == location.len() { location.to_owned() } else { url.into() }
}

/// The path that a location means, if it is on this machine. Relative ones begin at the present folder.
///
/// # Errors
/// When it is a URL that is neither `http(s)` nor a `file` URL of this machine.
pub fn local_path(location: &str) -> Result<Option<PathBuf>, AvailableError> {
    let refused =
        |reason: &str| AvailableError::Location { location: location.to_owned(), reason: reason.to_owned() };
    let Some((scheme, _)) = location.split_once("://") else {
        return if location.is_empty() {
            Err(refused("it is empty"))
        } else {
            Ok(Some(PathBuf::from(location)))
        };
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => Ok(None),
        "file" => {
            let url = Url::parse(location).map_err(|error| refused(&error.to_string()))?;
            url.to_file_path().map(Some).map_err(|()| refused("it is not a file of this machine"))
        }
        _ => Err(refused("only http, https and file URLs can be")),
    }
}

/// Takes the hash from a location that ends with `#sha256=` and 64 hexadecimal digits. Returns what is wrong with
/// another fragment.
pub(super) fn split_hash(location: &str) -> Result<(String, Option<Sha256Digest>), String> {
    let Some((rest, fragment)) = location.split_once('#') else { return Ok((location.to_owned(), None)) };
    let hash = fragment.strip_prefix("sha256=").and_then(|hash| hash.parse().ok());
    let hash =
        hash.ok_or_else(|| format!("after `#` there is no `sha256=` with 64 digits in `{location}`"))?;
    Ok((rest.to_owned(), Some(hash)))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::testing::Server;
    use super::*;

    #[test]
    fn locations_are_told_apart() {
        let path = |location: &str| local_path(location).unwrap();
        assert_eq!(path("https://x.example/a"), None);
        assert_eq!(path("HTTP://x.example/a"), None);
        assert_eq!(path("file:///srv/a%2Bb%20c"), Some(PathBuf::from("/srv/a+b c")));
        assert_eq!(path("/srv/a%2Bb"), Some(PathBuf::from("/srv/a%2Bb")));
        assert_eq!(path("./a"), Some(PathBuf::from("./a")));
        for wrong in ["", "ftp://x.example/a", "file://elsewhere/a", "://a"] {
            assert!(matches!(local_path(wrong), Err(AvailableError::Location { .. })), "{wrong}");
        }
    }

    #[test]
    fn files_are_copied_hashed_and_compared() {
        let folder = tempfile::tempdir().unwrap();
        let (origin, target) = (folder.path().join("a+b"), folder.path().join("target"));
        fs::write_new(&origin, b"abc", 0o644).unwrap();
        let known: Sha256Digest =
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse().unwrap();
        let url = format!("file://{}/a%2Bb", folder.path().display());
        let seen = Mutex::new(Vec::new());
        let progress = |count, total| seen.lock().unwrap().push((count, total));
        let copied = file(&Server::default(), &url, &target, Some(known), &progress).unwrap();
        assert_eq!(copied, Transferred { sha256: known, size: 3 });
        assert_eq!(fs::read(&target).unwrap(), b"abc");
        assert_eq!(*seen.lock().unwrap(), [(0, Some(3)), (3, Some(3))]);
        assert_eq!(hash(&origin, None, &progress).unwrap(), copied);
        let error = hash(&origin, Some([0; 32].into()), &progress).unwrap_err();
        assert!(error.to_string().ends_with(&format!("but got sha256:{known}")), "{error}");
        // What stands there already is somebody else's.
        assert!(file(&Server::default(), &url, &target, None, &progress).is_err());
        assert!(text(&Server::default(), &url, 3).is_ok() && text(&Server::default(), &url, 2).is_err());
    }

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(public("https://me:secret@x.example/a"), "https://x.example/a");
        assert_eq!(public("https://x.example/a?b"), "https://x.example/a?b");
        assert_eq!(public("/srv/a b"), "/srv/a b");
    }
}
