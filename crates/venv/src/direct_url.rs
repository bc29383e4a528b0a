//! Reading `direct_url.json` (PEP 610): where a distribution came from that did not come from an index.

use virtpy_pep::{DirectSource, DirectUrl, Revision, Version, public_url};

use super::Distribution;

/// The folder of an editable distribution, from the text of its `direct_url.json`.
pub fn editable_location(text: &str) -> Option<String> {
    let direct_url: DirectUrl = text.parse().ok()?;
    direct_url.is_editable().then(|| path_of(&direct_url.url))
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
    let Some(direct_url) = distribution.direct_url().and_then(|text| text.parse::<DirectUrl>().ok()) else {
        // What PEP 440 does not know is asked for letter by letter.
        let operator = if version.parse::<Version>().is_ok() { "==" } else { "===" };
        return format!("{name}{operator}{version}");
    };
    // Other installers keep what proved to the server who asked.
    let url = public_url(&direct_url.url);
    let (hash, place) = match &direct_url.source {
        DirectSource::Directory { editable: true } => {
            return format!("# Editable install of {name}=={version}\n-e {url}");
        }
        DirectSource::Directory { editable: false } => (None, url),
        DirectSource::Archive(hashes) => (hashes.fragment(), url),
        DirectSource::Repository(Revision { vcs, commit_id, .. }) => {
            (None, format!("{vcs}+{url}@{commit_id}"))
        }
    };
    let folder = direct_url.subdirectory.map(|folder| format!("subdirectory={folder}"));
    let parts: Vec<String> = hash.into_iter().chain(folder).collect();
    let fragment = if parts.is_empty() { String::new() } else { format!("#{}", parts.join("&")) };
    format!("{name} @ {place}{fragment}")
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
