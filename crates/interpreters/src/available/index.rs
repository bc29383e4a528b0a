//! Indexes of interpreters, in two forms: the flat one of isopy, `{"3.12.11": "URL"}`, and the richer one that
//! `virtpy python build-index` writes, with a target, a variant and a SHA-256 for each build.
//!
//! What an index says is not trusted further than it has to be. The name of an archive tells better what is in it
//! than the key it stands under: flat indexes are known that have release candidates and free-threaded builds under
//! the names of final, ordinary ones.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use virtpy_pep::Sha256Digest;

use super::asset::{self, Asset};
use super::location::{local_path, split_hash};
use super::{AvailableError, Build, BuildSource};
use crate::PythonVersion;

/// No real index is larger, in bytes.
pub(super) const LARGEST: u64 = 32 << 20;
/// No real URL is longer, in bytes.
const LONGEST_LOCATION: usize = 4096;

/// A build as an index names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `CPython`'s version, such as `3.12.11`.
    pub version: String,
    /// The date of the build, such as `20261021`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The target triple.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triple: Option<String>,
    /// `default` or `freethreaded`.
    #[serde(default = "ordinary")]
    pub variant: String,
    /// Where the archive is, relative to the index or absolute.
    pub url: String,
    /// Its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
}

/// What the ordinary variant is called.
pub(super) const ORDINARY: &str = "default";
/// What the variant without the global interpreter lock is called.
pub(super) const FREE_THREADED: &str = "freethreaded";

fn ordinary() -> String {
    ORDINARY.to_owned()
}

/// What an index says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// The builds for the wanted triple.
    pub(super) builds: Vec<Build>,
    /// What was left out because it makes no sense: the first of them, and how many there are.
    pub(super) nonsense: Option<(String, usize)>,
}

impl Index {
    /// Reads the index that was found at an address, as far as it is about a target triple.
    ///
    /// # Errors
    /// When it is neither form.
    pub(super) fn parse(content: &[u8], address: &str, triple: &str) -> Result<Self, AvailableError> {
        let wrong = |reason: String| AvailableError::Index { address: address.to_owned(), reason };
        let document =
            serde_json::from_slice(content).map_err(|error| wrong(format!("it is no JSON: {error}")))?;
        let mut index = Self::default();
        let list = |value: Option<Value>| match value {
            Some(Value::Array(entries)) => Some(entries),
            _ => None,
        };
        let found: Vec<Result<Option<Build>, String>> = match document {
            Value::Array(entries) => entries.into_iter().map(|entry| rich(entry, address, triple)).collect(),
            Value::Object(mut fields) => match list(fields.get_mut("builds").map(Value::take)) {
                Some(entries) => entries.into_iter().map(|entry| rich(entry, address, triple)).collect(),
                None => fields.into_iter().map(|(key, value)| flat(&key, value, address, triple)).collect(),
            },
            _ => return Err(wrong("it is neither an object nor a list".to_owned())),
        };
        let count = found.len();
        for one in found {
            match one {
                Ok(build) => index.builds.extend(build),
                Err(reason) => index.nonsense.get_or_insert((reason, 0)).1 += 1,
            }
        }
        if count == 0 {
            return Err(wrong("it names no build".to_owned()));
        }
        match &index.nonsense {
            Some((first, failed)) if *failed == count => {
                Err(wrong(format!("nothing in it makes sense: {first}")))
            }
            _ => Ok(index),
        }
    }
}

fn rich(entry: Value, address: &str, triple: &str) -> Result<Option<Build>, String> {
    let entry: Entry = serde_json::from_value(entry).map_err(|error| error.to_string())?;
    let free_threaded = match entry.variant.as_str() {
        ORDINARY | "" => false,
        FREE_THREADED => true,
        // Builds for debugging and the like, which are not asked for by a version.
        _ => return Ok(None),
    };
    if entry.triple.as_deref().is_some_and(|own| own != triple) {
        return Ok(None);
    }
    let build = entry.build.filter(|date| is_date(date));
    described(&entry.version, free_threaded, &entry.url, address, triple).map(|found| {
        found.map(|found| Build {
            sha256: entry.sha256.or(found.sha256),
            build: build.or(found.build),
            ..found
        })
    })
}

fn flat(key: &str, value: Value, address: &str, triple: &str) -> Result<Option<Build>, String> {
    let Value::String(url) = value else { return Err(format!("what stands at `{key}` is no URL")) };
    let version = key.strip_suffix("+freethreaded").or_else(|| key.strip_suffix('t'));
    let (version, free_threaded) = (version.unwrap_or(key), version.is_some());
    version.parse::<PythonVersion>().map_err(|_| format!("`{key}` is not a version"))?;
    described(version, free_threaded, &url, address, triple)
}

/// A build as it is described, except where the archive's name knows better. `None` if that is of another target, or
/// not for general use.
fn described(
    version: &str,
    free_threaded: bool,
    url: &str,
    address: &str,
    triple: &str,
) -> Result<Option<Build>, String> {
    let stated: PythonVersion = version.parse().map_err(|_| format!("`{version}` is not a version"))?;
    let (location, sha256) = split_hash(&absolute(url, address)?)?;
    let asset = Asset::of(&location);
    if asset.as_ref().is_some_and(|asset| asset.triple != triple || !asset.is_ordinary) {
        return Ok(None);
    }
    if let Some(asset) = asset.as_ref().filter(|asset| asset.version.release() != stated.release()) {
        return Err(format!("`{version}` is said to be in an archive of {}", asset.version));
    }
    let version = asset.as_ref().map_or(stated, |asset| asset.version.clone());
    let free_threaded = asset.as_ref().map_or(free_threaded, |asset| asset.free_threaded);
    Ok(Some(Build {
        name: asset::name(&version, free_threaded),
        version: version.to_string(),
        build: asset.map(|asset| asset.build),
        free_threaded,
        triple: Some(triple.to_owned()),
        location,
        sha256,
        executable: None,
        source: BuildSource::Index(address.to_owned()),
    }))
}

/// Where an archive is that an index names. An index from the network cannot name files of this machine.
fn absolute(url: &str, address: &str) -> Result<String, String> {
    if url.len() > LONGEST_LOCATION || url.is_empty() || url.chars().any(char::is_control) {
        return Err("one of its URLs is none".to_owned());
    }
    let is_remote = matches!(local_path(address), Ok(None));
    if is_remote {
        let joined = Url::parse(address)
            .and_then(|base| base.join(url))
            .map_err(|error| format!("`{url}`: {error}"))?;
        return match joined.scheme() {
            "http" | "https" if joined.has_host() => Ok(joined.into()),
            _ => Err(format!("`{url}` is not on the network, as the index is")),
        };
    }
    if url.contains("://") {
        return local_path(url).map(|_| url.to_owned()).map_err(|error| error.to_string());
    }
    let folder = local_path(address).ok().flatten().and_then(|file| Some(file.parent()?.to_path_buf()));
    let path = folder.unwrap_or_default().join(url);
    path.into_os_string().into_string().map_err(|_| format!("`{url}` is not a path"))
}

fn is_date(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GNU: &str = "x86_64-unknown-linux-gnu";
    const REMOTE: &str = "https://index.example/python/index.json";

    fn parse(document: &Value, address: &str) -> Result<Index, AvailableError> {
        Index::parse(document.to_string().as_bytes(), address, GNU)
    }

    /// Names and locations.
    fn listed(document: &Value, address: &str) -> Vec<(String, String)> {
        let index = parse(document, address).unwrap();
        index.builds.into_iter().map(|build| (build.name, build.location)).collect()
    }

    fn archive(version: &str, rest: &str) -> String {
        format!("https://x.example/20250808/cpython-{version}%2B20250808-{rest}.tar.gz")
    }

    #[test]
    fn a_flat_index_is_corrected_by_the_names_of_its_archives() {
        let plain = format!("{GNU}-install_only");
        let names = |key: &str, url: &str| {
            let found = listed(&json!({"3.8.1": archive("3.8.1", &plain), key: url}), REMOTE);
            found.into_iter().map(|(name, _)| name).filter(|name| name != "3.8.1").collect::<Vec<_>>()
        };
        assert_eq!(names("3.12.11", &archive("3.12.11", &plain)), ["3.12.11"]);
        assert_eq!(names("3.14.0", &archive("3.14.0rc1", &plain)), ["3.14.0rc1"]);
        let threaded = archive("3.13.2", &format!("{GNU}-freethreaded-install_only"));
        assert_eq!(names("3.13.2", &threaded), ["3.13.2t"]);
        assert_eq!(names("3.13.2t", &archive("3.13.2", &plain)), ["3.13.2"]);
        assert_eq!(names("3.12.1", &archive("3.12.1", "aarch64-apple-darwin-install_only")), [] as [&str; 0]);
        assert_eq!(
            names("3.12.1", &archive("3.12.1", "x86_64_v3-unknown-linux-gnu-install_only")),
            [] as [&str; 0]
        );
        // A name that tells nothing is believed.
        assert_eq!(names("3.12.1", "https://x.example/python.tar.gz"), ["3.12.1"]);
        assert_eq!(names("3.13.1t", "https://x.example/python.tar.gz"), ["3.13.1t"]);
        assert_eq!(names("3.13.1+freethreaded", "https://x.example/python.tar.gz"), ["3.13.1t"]);
    }

    #[test]
    fn a_rich_index_gives_the_builds_of_the_target() {
        let hash = "AB".repeat(32);
        let url = archive("3.12.11", &format!("{GNU}-install_only_stripped"));
        let entry = json!({"version": "3.12.11", "build": "20250808", "triple": GNU, "variant": "default",
                           "flavor": "install_only_stripped", "url": url, "sha256": hash});
        let mut others = Vec::new();
        for (field, value) in
            [("triple", json!("aarch64-apple-darwin")), ("variant", json!("debug")), ("sha256", json!(7))]
        {
            let mut other = entry.clone();
            other[field] = value;
            others.push(other);
        }
        others.push(entry);
        for document in [json!({"source": "x", "builds": others}), json!(others)] {
            let index = parse(&document, REMOTE).unwrap();
            let [build] = &index.builds[..] else { panic!("{index:?}") };
            assert_eq!(build.sha256, Some([0xab; 32].into()));
            assert_eq!((build.build.as_deref(), build.location.as_str()), (Some("20250808"), url.as_str()));
            assert_eq!(build.source, BuildSource::Index(REMOTE.to_owned()));
            let (reason, count) = index.nonsense.unwrap();
            assert!(reason.contains("invalid type") && count == 1, "{reason}");
        }
    }

    #[test]
    fn addresses_are_relative_to_the_index() {
        let index =
            json!({"3.12.1": "a.tar.gz", "3.12.2": "/b.tar.gz", "3.12.3": "https://y.example/c.tar.gz"});
        let remote: Vec<_> = listed(&index, REMOTE).into_iter().map(|(_, location)| location).collect();
        assert_eq!(
            remote,
            [
                "https://index.example/python/a.tar.gz",
                "https://index.example/b.tar.gz",
                "https://y.example/c.tar.gz"
            ]
        );
        for address in ["/srv/index.json", "file:///srv/index.json"] {
            let local: Vec<_> = listed(&index, address).into_iter().map(|(_, location)| location).collect();
            assert_eq!(local, ["/srv/a.tar.gz", "/b.tar.gz", "https://y.example/c.tar.gz"]);
        }
    }

    #[test]
    fn nonsense_is_left_out_and_counted() {
        let good = ("3.12.1".to_owned(), "https://index.example/a.tar.gz".to_owned());
        let cases = [
            ("newest", json!("https://x.example/a.tar.gz"), "`newest` is not a version"),
            ("3.12.2", json!(["x"]), "what stands at `3.12.2` is no URL"),
            ("3.12.2", json!("file:///etc/passwd"), "is not on the network"),
            ("3.12.2", json!("ftp://x.example/a.tar.gz"), "is not on the network"),
            ("3.12.2", json!("https://x.example/a\nb"), "one of its URLs is none"),
            ("3.12.2", json!("x".repeat(5000)), "one of its URLs is none"),
            ("3.12.2", json!("https://x.example/a#sha256=1"), "there is no `sha256=` with 64 digits"),
            ("3.12.2", json!(archive("3.11.1", &format!("{GNU}-install_only"))), "in an archive of 3.11.1"),
        ];
        for (key, value, expected) in cases {
            let document = json!({"3.12.1": "/a.tar.gz", key: value});
            let index = parse(&document, REMOTE).unwrap();
            let (reason, count) = index.nonsense.unwrap();
            assert!(reason.contains(expected) && count == 1, "{reason}");
            assert_eq!(listed(&document, REMOTE), std::slice::from_ref(&good));
        }
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for (content, expected) in [
            ("<html>", "it is no JSON"),
            ("", "it is no JSON"),
            ("7", "it is neither an object nor a list"),
            ("{\"message\": \"not found\"}", "nothing in it makes sense: `message` is not a version"),
            ("[[[[", "it is no JSON"),
            ("{}", "it names no build"),
            ("[]", "it names no build"),
            ("[{}]", "nothing in it makes sense: missing field"),
        ] {
            let error = Index::parse(content.as_bytes(), REMOTE, GNU).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(REMOTE), "{error}");
        }
        let deep = "[".repeat(100_000);
        assert!(Index::parse(deep.as_bytes(), REMOTE, GNU).is_err());
    }
}
