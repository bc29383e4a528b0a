//! `direct_url.json` (PEP 610): where a distribution came from that did not come from an index.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{InvalidText, Sha256Digest};

/// Where a distribution came from that did not come from an index (PEP 610). Its text is JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written", from = "Written")]
pub struct DirectUrl {
    /// The URL, without credentials where virtpy wrote it.
    pub url: String,
    /// What is found there.
    pub source: DirectSource,
    /// The directory in it that has the project, if that is not the top.
    pub subdirectory: Option<String>,
}

/// What a URL of `direct_url.json` leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectSource {
    /// An archive, or a wheel.
    Archive(ArchiveHashes),
    /// A directory of this machine.
    Directory {
        /// Whether the project is used in place.
        editable: bool,
    },
    /// A repository.
    Repository(Revision),
}

/// The hashes of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveHashes {
    /// `sha256=...`: the form that older readers know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// Digests in hexadecimal, by algorithm.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    hashes: BTreeMap<String, String>,
}

/// What was taken from a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The version control system: `git`.
    pub vcs: String,
    /// The branch, tag or commit that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_revision: Option<String>,
    /// The commit that was taken; empty where nobody knows it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub commit_id: String,
}

impl ArchiveHashes {
    /// With the SHA-256 of the archive, in the present form and in the older one.
    pub fn of_sha256(sha256: Sha256Digest) -> Self {
        Self { hash: Some(format!("sha256={sha256}")), ..Self::of("sha256", &sha256.to_string()) }
    }

    /// With one digest, in the present form alone.
    pub fn of(algorithm: &str, digest: &str) -> Self {
        Self { hash: None, hashes: BTreeMap::from([(algorithm.to_owned(), digest.to_owned())]) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.hash.is_none() && self.hashes.is_empty()
    }

    /// One of them as the fragment of a URL: `sha256=...`.
    pub fn fragment(&self) -> Option<String> {
        self.hash.clone().or_else(|| Some(format!("sha256={}", self.hashes.get("sha256")?)))
    }
}

impl DirectUrl {
    /// An archive, with what is known of its hashes.
    pub fn archive(url: String, hashes: ArchiveHashes) -> Self {
        Self { url, source: DirectSource::Archive(hashes), subdirectory: None }
    }

    /// A directory of this machine.
    pub fn directory(url: String, editable: bool) -> Self {
        Self { url, source: DirectSource::Directory { editable }, subdirectory: None }
    }

    /// A commit of a git repository.
    pub fn git(url: String, commit_id: String, requested_revision: Option<String>) -> Self {
        let revision = Revision { vcs: "git".to_owned(), requested_revision, commit_id };
        Self { url, source: DirectSource::Repository(revision), subdirectory: None }
    }

    /// With the directory that has the project.
    #[must_use]
    pub fn in_subdirectory(self, subdirectory: Option<String>) -> Self {
        Self { subdirectory, ..self }
    }

    /// Whether the project is used in place.
    pub fn is_editable(&self) -> bool {
        self.source == DirectSource::Directory { editable: true }
    }

    /// Whether two name one source: the URL, the commit, the directory in it, and whether it is used in place. The hashes of an
    /// archive may be unknown to one of them.
    pub fn is_same_source(&self, other: &Self) -> bool {
        fn identity(one: &DirectUrl) -> (&str, &str, &str, bool) {
            let commit = match &one.source {
                DirectSource::Repository(revision) => revision.commit_id.as_str(),
                DirectSource::Archive(_) | DirectSource::Directory { .. } => "",
            };
            (&one.url, commit, one.subdirectory.as_deref().unwrap_or_default(), one.is_editable())
        }
        identity(self) == identity(other)
    }
}

impl FromStr for DirectUrl {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        serde_json::from_str(text)
            .map_err(|error| InvalidText::new(text, "a `direct_url.json` (PEP 610)", &error))
    }
}

impl fmt::Display for DirectUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// The file as it is written. Of the three kinds it has one; where it has none, which PEP 610 forbids, it is an archive.
#[derive(Serialize, Deserialize)]
struct Written {
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    archive_info: Option<ArchiveHashes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dir_info: Option<DirectoryFacts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vcs_info: Option<Revision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subdirectory: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct DirectoryFacts {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    editable: bool,
}

impl From<Written> for DirectUrl {
    fn from(written: Written) -> Self {
        let Written { url, archive_info, dir_info, vcs_info, subdirectory } = written;
        let source = match (vcs_info, dir_info) {
            (Some(revision), _) => DirectSource::Repository(revision),
            (None, Some(facts)) => DirectSource::Directory { editable: facts.editable },
            (None, None) => DirectSource::Archive(archive_info.unwrap_or_default()),
        };
        Self { url, source, subdirectory }
    }
}

impl From<DirectUrl> for Written {
    fn from(direct_url: DirectUrl) -> Self {
        let DirectUrl { url, source, subdirectory } = direct_url;
        let mut written = Self { url, archive_info: None, dir_info: None, vcs_info: None, subdirectory };
        match source {
            DirectSource::Archive(hashes) => written.archive_info = Some(hashes),
            DirectSource::Directory { editable } => written.dir_info = Some(DirectoryFacts { editable }),
            DirectSource::Repository(revision) => written.vcs_info = Some(revision),
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        let hash = "ab".repeat(32);
        let archive = r#"{"url":"https://example.com/a.zip","archive_info":{"hash":"sha256=@","hashes":{"sha256":"@"}},"subdirectory":"lib"}"#;
        for (direct_url, text) in [
            (
                DirectUrl::archive(
                    "https://example.com/a.zip".to_owned(),
                    ArchiveHashes::of_sha256([0xab; 32].into()),
                )
                .in_subdirectory(Some("lib".to_owned())),
                archive.replace('@', &hash).as_str(),
            ),
            (
                DirectUrl::directory("file:///x".to_owned(), true),
                r#"{"url":"file:///x","dir_info":{"editable":true}}"#,
            ),
            (DirectUrl::directory("file:///x".to_owned(), false), r#"{"url":"file:///x","dir_info":{}}"#),
            (
                DirectUrl::git("https://example.com/r".to_owned(), "c0".to_owned(), Some("main".to_owned())),
                r#"{"url":"https://example.com/r","vcs_info":{"vcs":"git","requested_revision":"main","commit_id":"c0"}}"#,
            ),
        ] {
            assert_eq!(direct_url.to_string(), text);
            assert_eq!(text.parse().as_ref(), Ok(&direct_url));
        }
        assert!("[]".parse::<DirectUrl>().is_err() && "{}".parse::<DirectUrl>().is_err());
    }

    #[test]
    fn hashes_do_not_tell_sources_apart_and_all_else_does() {
        let archive = |hashes| DirectUrl::archive("https://example.com/a.zip".to_owned(), hashes);
        let known = archive(ArchiveHashes::of_sha256([0xab; 32].into()));
        assert!(known.is_same_source(&archive(ArchiveHashes::default())));
        assert!(!known.is_same_source(&known.clone().in_subdirectory(Some("lib".to_owned()))));
        let folder = |editable| DirectUrl::directory("file:///x".to_owned(), editable);
        assert!(!folder(true).is_same_source(&folder(false)));
        let git = |commit: &str| DirectUrl::git("https://example.com/r".to_owned(), commit.to_owned(), None);
        assert!(!git("c0").is_same_source(&git("c1")));
    }

    #[test]
    fn older_hashes_are_understood() {
        let read = |info: &str| {
            let text = format!(r#"{{"url": "https://example.com/a.zip", "archive_info": {info}}}"#);
            match text.parse::<DirectUrl>().unwrap().source {
                DirectSource::Archive(hashes) => hashes.fragment(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(read(r#"{"hash": "md5=1"}"#).as_deref(), Some("md5=1"));
        assert_eq!(read(r#"{"hashes": {"sha256": "2"}}"#).as_deref(), Some("sha256=2"));
        assert_eq!(read("{}"), None);
    }
}
