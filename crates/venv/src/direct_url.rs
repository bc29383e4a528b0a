//! Reading `direct_url.json` (PEP 610): where a distribution came from that did not come from an index.

use std::collections::BTreeMap;

use serde::Deserialize;
use virtpy_pep::{Version, public_url};

use super::Distribution;

#[derive(Debug, Deserialize)]
struct DirectUrl {
    url: String,
    subdirectory: Option<String>,
    dir_info: Option<DirInfo>,
    vcs_info: Option<VcsInfo>,
    archive_info: Option<ArchiveInfo>,
}

#[derive(Debug, Default, Deserialize)]
struct ArchiveInfo {
    /// `sha256=...`, as it was written first.
    hash: Option<String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

impl ArchiveInfo {
    fn hash(self) -> Option<String> {
        self.hash.or_else(|| Some(format!("sha256={}", self.hashes.get("sha256")?)))
    }
}

#[derive(Debug, Deserialize)]
struct DirInfo {
    #[serde(default)]
    editable: bool,
}

#[derive(Debug, Deserialize)]
struct VcsInfo {
    vcs: String,
    commit_id: String,
}

/// The folder of an editable distribution, from the text of its `direct_url.json`.
pub fn editable_location(text: &str) -> Option<String> {
    let direct_url: DirectUrl = serde_json::from_str(text).ok()?;
    let is_editable = direct_url.dir_info.is_some_and(|info| info.editable);
    is_editable.then(|| path_of(&direct_url.url))
}

/// A `file://` URL as a path; any other as it is.
fn path_of(url: &str) -> String {
    let Some(path) = url.strip_prefix("file://") else {
        return url.to_owned();
    };
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digits = (byte == b'%').then(|| [ahead.next(), ahead.next()]);
        let decoded = digits.and_then(|pair| match pair {
            [Some(high), Some(low)] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                u8::try_from(digit(high)? * 16 + digit(low)?).ok()
            }
            _ => None,
        });
        if decoded.is_some() {
            rest = ahead;
        }
        bytes.push(decoded.unwrap_or(byte));
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

/// A distribution as a line of a requirements file, as pip's `freeze` writes it.
pub fn frozen(distribution: &Distribution) -> String {
    let (name, version) = (&distribution.name, &distribution.version);
    let Some(direct_url) = distribution.direct_url().and_then(|text| serde_json::from_str(text).ok()) else {
        // What PEP 440 does not know is asked for letter by letter.
        let operator = if version.parse::<Version>().is_ok() { "==" } else { "===" };
        return format!("{name}{operator}{version}");
    };
    let DirectUrl { url, subdirectory, dir_info, vcs_info, archive_info } = direct_url;
    // Other installers keep what proved to the server who asked.
    let url = public_url(&url);
    if dir_info.is_some_and(|info| info.editable) {
        return format!("# Editable install of {name}=={version}\n-e {url}");
    }
    let hash = archive_info.and_then(ArchiveInfo::hash);
    let folder = subdirectory.map(|folder| format!("subdirectory={folder}"));
    let parts: Vec<String> = hash.into_iter().chain(folder).collect();
    let fragment = if parts.is_empty() { String::new() } else { format!("#{}", parts.join("&")) };
    match vcs_info {
        Some(VcsInfo { vcs, commit_id }) => format!("{name} @ {vcs}+{url}@{commit_id}{fragment}"),
        None => format!("{name} @ {url}{fragment}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_an_editable_lies() {
        let text = r#"{"url": "file:///home/me/my%20project", "dir_info": {"editable": true}}"#;
        assert_eq!(editable_location(text).as_deref(), Some("/home/me/my project"));
        assert_eq!(editable_location(r#"{"url": "file:///x", "dir_info": {}}"#), None);
        assert_eq!(editable_location("not JSON"), None);
        assert_eq!(path_of("file:///100%"), "/100%");
    }
}
