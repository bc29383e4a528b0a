//! A page of the simple repository API (PEP 503, 691): which files a project has.
//!
//! The libraries underneath give a whole page up for one value that they do not expect, and keep of a file's metadata (PEP 658,
//! PEP 714) only that it is there, not its hash. So every page is read here first, and written again for them: a file that makes
//! no sense is passed over, a value that nobody needs is left out, and the hash of the metadata is put behind the file's URL,
//! where it stays in the cache and comes back with the request for the metadata.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use url::Url;
use uv_normalize::PackageName;
use uv_pypi_types::{HashAlgorithm, HashDigest};

use uv_redacted::DisplaySafeUrl;

use super::loose::Loose;
use crate::{Sha256Digest, may_hold_secret};

/// What stands before the hashes of the metadata in the fragment of a file's URL.
const METADATA_MARK: &str = "metadata-file:";

/// A page that can be relied on.
#[derive(Debug, Default)]
pub struct Page<'a> {
    pub(super) status: Option<Status<'a>>,
    pub(super) files: Vec<File<'a>>,
    /// What was passed over, and why.
    pub notes: Vec<String>,
}

/// What a project says of itself as a whole (PEP 792).
#[derive(Debug, Serialize)]
pub(super) struct Status<'a> {
    status: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
}

impl<'a> Status<'a> {
    /// `None` for one that is not defined.
    pub(super) fn new(status: Cow<'a, str>, reason: Option<Cow<'a, str>>) -> Option<Self> {
        let known = matches!(status.as_ref(), "active" | "archived" | "quarantined" | "deprecated");
        known.then_some(Self { status, reason })
    }
}

/// One file as a page has it.
#[derive(Debug, Default)]
pub(super) struct Listed<'a> {
    pub(super) filename: Option<Cow<'a, str>>,
    pub(super) url: Option<Cow<'a, str>>,
    pub(super) hashes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) requires_python: Option<Loose<'a>>,
    pub(super) size: Option<u64>,
    pub(super) upload_time: Option<Cow<'a, str>>,
    pub(super) yanked: Option<Yanked<'a>>,
    pub(super) metadata: Option<Metadata<'a>>,
}

/// That nobody should take a file any more (PEP 592).
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Yanked<'a> {
    Yes(bool),
    Because(Cow<'a, str>),
}

/// That the metadata of a file can be had alone (PEP 658), with hashes or without.
#[derive(Debug)]
pub(super) struct Metadata<'a>(pub(super) Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// One file that can be relied on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct File<'a> {
    filename: Cow<'a, str>,
    url: String,
    #[serde(serialize_with = "by_algorithm")]
    hashes: Vec<HashDigest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yanked: Option<Yanked<'a>>,
    core_metadata: bool,
    /// Whether its URL proves something to a server.
    #[serde(skip)]
    may_hold_secret: bool,
}

impl<'a> Page<'a> {
    /// Takes a file in, or notes why not.
    pub(super) fn add(&mut self, listed: Listed<'a>, base: &Url) {
        let name = listed.filename.clone();
        match listed.checked(base) {
            Ok(file) => self.files.push(file),
            Err(reason) => {
                let name = name.unwrap_or(Cow::Borrowed("a file without a name"));
                self.notes.push(format!("passed over `{name}` of {base}: {reason}"));
            }
        }
    }

    /// Passes over the wheels of other projects than the page is of.
    pub fn keep_only(&mut self, project: &str, base: &Url) {
        let Ok(project) = PackageName::from_str(project) else { return };
        let Self { files, notes, .. } = self;
        files.retain(|file| {
            let first = file.filename.strip_suffix(".whl").and_then(|name| name.split('-').next());
            let other =
                first.and_then(|name| PackageName::from_str(name).ok()).filter(|name| *name != project);
            if let Some(other) = &other {
                notes.push(format!("passed over `{}` of {base}: it is one of `{other}`", file.filename));
            }
            other.is_none()
        });
    }

    /// Whether a link of it proves something to a server.
    pub fn may_hold_secret(&self) -> bool {
        self.files.iter().any(|file| file.may_hold_secret)
    }

    /// Written as PEP 691 has it.
    pub fn json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        #[serde(rename_all = "kebab-case")]
        struct Detail<'a> {
            files: &'a [File<'a>],
            #[serde(skip_serializing_if = "Option::is_none")]
            project_status: Option<&'a Status<'a>>,
        }
        // All keys are texts, so this does not fail.
        serde_json::to_vec(&Detail { files: &self.files, project_status: self.status.as_ref() })
            .unwrap_or_default()
    }

    /// Written as a page of links, without what is said of metadata: a link's fragment has no place for its hash, so it
    /// is taken from the files themselves.
    pub fn html(&self) -> Vec<u8> {
        let quoted = |text: &str| html_escape::encode_double_quoted_attribute(text).into_owned();
        let mut html = "<!DOCTYPE html><html><body>\n".to_owned();
        for file in &self.files {
            let plain = file.url.split('#').next().unwrap_or_default();
            let strongest = ["sha512", "sha384", "sha256", "blake2b", "md5"];
            let hash = strongest.iter().find_map(|name| {
                let hash = file.hashes.iter().find(|hash| algorithm(hash) == *name)?;
                Some((name, &hash.digest))
            });
            let fragment = hash.map(|(name, digest)| format!("#{name}={digest}")).unwrap_or_default();
            let mut attributes = String::new();
            let mut attribute = |name: &str, value: &str| {
                // Writing to a text does not fail.
                let _ = write!(attributes, " {name}=\"{}\"", quoted(value));
            };
            if let Some(python) = &file.requires_python {
                attribute("data-requires-python", python);
            }
            if let Some(time) = &file.upload_time {
                attribute("data-upload-time", time);
            }
            if let Some(size) = file.size {
                attribute("data-size", &size.to_string());
            }
            match &file.yanked {
                Some(Yanked::Because(reason)) => attribute("data-yanked", reason),
                Some(Yanked::Yes(true)) => attribute("data-yanked", ""),
                Some(Yanked::Yes(false)) | None => {}
            }
            let name = html_escape::encode_text(&file.filename);
            let _ = writeln!(html, "<a href=\"{}{fragment}\"{attributes}>{name}</a>", quoted(plain));
        }
        html.push_str("</body></html>\n");
        html.into_bytes()
    }
}

impl<'a> Listed<'a> {
    /// Checks what is needed, and leaves out what is not and makes no sense.
    fn checked(self, base: &Url) -> Result<File<'a>, String> {
        let filename = self.filename.filter(|name| !name.is_empty()).ok_or("it has no file name")?;
        let given = self.url.filter(|url| !url.is_empty()).ok_or("it has no URL")?;
        let mut url = base.join(&given).map_err(|error| format!("its URL `{given}` is none: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("a page of the network may not lead to `{}:`", url.scheme()));
        }
        url.set_fragment(None);
        let url = DisplaySafeUrl::from_url(url);
        let may_hold_secret = may_hold_secret(&url);
        let mut url = String::from(Url::from(url));
        let mut hashes = known(&self.hashes)?;
        // Of one that is given twice, the last counts.
        hashes.reverse();
        hashes.sort_by_key(algorithm);
        hashes.dedup_by_key(|hash| hash.algorithm);
        let announced = self.metadata.map(|Metadata(hashes)| known(&hashes)).transpose();
        // Metadata with a hash that is none cannot be relied on; the file has its own.
        let announced = announced.ok().flatten();
        if let Some(hashes) = announced.as_ref().filter(|hashes| !hashes.is_empty()) {
            let mut separator = "";
            let _ = write!(url, "#{METADATA_MARK}");
            for HashDigest { algorithm, digest } in hashes {
                // Writing to a text does not fail, and nothing in it has to be escaped.
                let _ = write!(url, "{separator}{algorithm}={digest}");
                separator = ",";
            }
        }
        let requires_python = match self.requires_python {
            None | Some(Loose::Nothing) => None,
            Some(Loose::Text(text)) => Some(text),
            Some(_) => return Err("its `requires-python` is not text".to_owned()),
        };
        Ok(File {
            may_hold_secret,
            filename,
            url,
            hashes,
            requires_python,
            size: self.size,
            upload_time: self.upload_time.and_then(|time| point_in_time(&time)),
            yanked: self.yanked,
            core_metadata: announced.is_some(),
        })
    }
}

/// Writes hashes as a map of the algorithms' names.
fn by_algorithm<S: Serializer>(hashes: &[HashDigest], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(hashes.iter().map(|hash| (algorithm(hash), &*hash.digest)))
}

/// The name of a hash's algorithm, as pages have it.
fn algorithm(hash: &HashDigest) -> &'static str {
    match hash.algorithm {
        HashAlgorithm::Md5 => "md5",
        HashAlgorithm::Sha256 => "sha256",
        HashAlgorithm::Sha384 => "sha384",
        HashAlgorithm::Sha512 => "sha512",
        HashAlgorithm::Blake2b => "blake2b",
    }
}

/// The hashes of algorithms that are known.
///
/// # Errors
///
/// When a value is no digest of its algorithm.
fn known(hashes: &[(Cow<'_, str>, Cow<'_, str>)]) -> Result<Vec<HashDigest>, String> {
    let digest = |(name, digest): &(Cow<'_, str>, Cow<'_, str>)| {
        let algorithm = HashAlgorithm::from_str(name).ok()?;
        let length = match algorithm {
            HashAlgorithm::Md5 => 32,
            HashAlgorithm::Sha256 | HashAlgorithm::Blake2b => 64,
            HashAlgorithm::Sha384 => 96,
            HashAlgorithm::Sha512 => 128,
        };
        let is_one = digest.len() == length && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(if is_one {
            Ok(HashDigest { algorithm, digest: digest.to_ascii_lowercase().into() })
        } else {
            Err(format!("`{name}={digest}` is not a hash"))
        })
    };
    hashes.iter().filter_map(digest).collect()
}

/// A time as the standard writes it. One without a zone is UTC (PEP 700); what is none is as good as none.
fn point_in_time(text: &str) -> Option<String> {
    let parses = |text: &str| is_ordinary_time(text) || text.parse::<jiff::Timestamp>().is_ok();
    if parses(text) {
        return Some(text.to_owned());
    }
    let zoned = format!("{text}Z");
    parses(&zoned).then_some(zoned)
}

/// Whether a text is a time of the form in which nearly all pages have it, such as `2024-05-06T07:08:09.123456Z`. There are
/// thousands of them on a page. Of what it does not accept, some is a time all the same.
fn is_ordinary_time(text: &str) -> bool {
    let Some((text, fraction)) = text.strip_suffix('Z').and_then(|text| text.split_at_checked(19)) else {
        return false;
    };
    let number = |from: usize| match text.as_bytes()[from..from + 2] {
        [ten @ b'0'..=b'9', one @ b'0'..=b'9'] => Some((ten - b'0') * 10 + (one - b'0')),
        _ => None,
    };
    let is_in =
        |from: usize, range: RangeInclusive<u8>| number(from).is_some_and(|value| range.contains(&value));
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let has_fraction =
        |digits: &str| (1..=9).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    separators.iter().all(|(place, separator)| text.as_bytes()[*place] == *separator)
        && [(0, 0..=99), (2, 0..=99), (5, 1..=12), (8, 1..=28), (11, 0..=23), (14, 0..=59), (17, 0..=59)]
            .into_iter()
            .all(|(from, range)| is_in(from, range))
        && (fraction.is_empty() || fraction.strip_prefix('.').is_some_and(has_fraction))
}

/// The hashes that the metadata behind a URL has to have, as the page of its index says: those that [`Page`] put there.
pub fn metadata_hashes(url: &Url) -> Vec<HashDigest> {
    let fragment = url.fragment().unwrap_or_default();
    let Some(hashes) = fragment.strip_prefix(METADATA_MARK) else { return Vec::new() };
    let pairs = hashes.split(',').filter_map(|pair| pair.split_once('='));
    let pairs: Vec<_> = pairs.map(|(name, digest)| (Cow::Borrowed(name), Cow::Borrowed(digest))).collect();
    known(&pairs).unwrap_or_default()
}

/// The SHA-256 that the metadata of a file has, if the page says it.
pub fn metadata_sha256(url: &Url) -> Option<Sha256Digest> {
    let hashes = metadata_hashes(url);
    let found = hashes.iter().find(|hash| hash.algorithm == HashAlgorithm::Sha256)?;
    found.digest.parse().ok()
}

/// Takes what [`Page`] put behind URLs out of a text that has such URLs.
pub fn without_marks(text: &str) -> String {
    let mark = format!("#{METADATA_MARK}");
    let mut parts = text.split(mark.as_str());
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_of_mark = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '=' | ',');
        plain.push_str(part.trim_start_matches(is_of_mark));
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_ordinary_time_is_one(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?Z?"
        ) {
            prop_assert!(!is_ordinary_time(&text) || text.parse::<jiff::Timestamp>().is_ok(), "{text}");
        }

        #[test]
        fn usual_times_are_ordinary(day in 1..=28, second in 0..60, fraction in "(\\.[0-9]{1,9})?") {
            let text = format!("2024-12-{day:02}T23:59:{second:02}{fraction}Z");
            prop_assert!(is_ordinary_time(&text), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_ordinary() {
        for text in [
            "",
            "Z",
            "2024-05-06",
            "2024-05-06T07:08:09",
            "2024-13-06T07:08:09Z",
            "2024-05-06T07:08:09.Z",
            "2024-05-06T07:08:0éZ",
        ] {
            assert!(!is_ordinary_time(text), "{text}");
        }
    }
}
