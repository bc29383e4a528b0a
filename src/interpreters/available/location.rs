//! Where archives and indexes are: behind an `http(s)` URL, behind a `file` URL, or at a plain path. What
//! needs the network goes through [`Fetch`]; the rest is read here.

use std::path::{Path, PathBuf};

use super::AvailableError;

/// Hears how many bytes are there, and how many there will be if that is known.
pub type Progress<'a> = &'a (dyn Fn(u64, Option<u64>) + Sync);

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// The SHA-256 of all bytes, in hexadecimal digits.
    pub sha256: String,
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
        sha256: Option<&str>,
        progress: Progress<'_>,
    ) -> Result<Transferred, AvailableError>;
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
            let url = url::Url::parse(location).map_err(|error| refused(&error.to_string()))?;
            url.to_file_path().map(Some).map_err(|()| refused("it is not a file of this machine"))
        }
        _ => Err(refused("only http, https and file URLs can be")),
    }
}

/// Takes the hash from a location that ends with `#sha256=` and 64 hexadecimal digits. Returns what is wrong with
/// another fragment.
pub(super) fn split_hash(location: &str) -> Result<(String, Option<String>), String> {
    let Some((rest, fragment)) = location.split_once('#') else { return Ok((location.to_owned(), None)) };
    let hash = fragment.strip_prefix("sha256=").filter(|hash| is_sha256(hash));
    let hash =
        hash.ok_or_else(|| format!("after `#` there is no `sha256=` with 64 digits in `{location}`"))?;
    Ok((rest.to_owned(), Some(hash.to_ascii_lowercase())))
}

/// Whether a text is a SHA-256 in hexadecimal digits.
pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
