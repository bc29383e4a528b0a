//! METADATA (core metadata) and WHEEL: headers in the form of an e-mail's.

use super::Error;

/// What virtpy needs of a METADATA file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The name, as spelled by its author.
    pub name: String,
    /// The version, as spelled by its author.
    pub version: String,
    /// The requirements, each a PEP 508 text.
    pub requires_dist: Vec<String>,
    /// The versions of Python it is for.
    pub requires_python: Option<String>,
    /// The extras it has.
    pub provides_extra: Vec<String>,
    /// One line of description.
    pub summary: Option<String>,
    /// The project's page.
    pub home_page: Option<String>,
    /// Its author.
    pub author: Option<String>,
    /// Its licence: the SPDX expression, or else the free text.
    pub license: Option<String>,
}

impl Metadata {
    /// Reads the headers; the description below them is not copied. Bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// When the name or the version is missing.
    pub fn parse(content: &[u8]) -> Result<Self, Error> {
        let mut metadata = Self::default();
        let mut expression = None;
        for (key, value) in headers(content) {
            let text = || Some(value.clone()).filter(|text| !text.is_empty() && text != "UNKNOWN");
            match key.as_str() {
                "name" if metadata.name.is_empty() => metadata.name.clone_from(&value),
                "version" if metadata.version.is_empty() => metadata.version.clone_from(&value),
                "requires-dist" => metadata.requires_dist.push(value.clone()),
                "requires-python" => metadata.requires_python = text(),
                "provides-extra" => metadata.provides_extra.push(value.clone()),
                "summary" => metadata.summary = text(),
                "home-page" => metadata.home_page = text(),
                "author" | "author-email" if metadata.author.is_none() => metadata.author = text(),
                "license" => metadata.license = text(),
                "license-expression" => expression = text(),
                _ => {}
            }
        }
        metadata.license = expression.or(metadata.license);
        let missing = |what: &str| Error::Metadata { file: "METADATA", reason: format!("it has no {what}") };
        if metadata.name.is_empty() {
            return Err(missing("Name"));
        }
        if metadata.version.is_empty() {
            return Err(missing("Version"));
        }
        Ok(metadata)
    }
}

/// What virtpy needs of a WHEEL file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct WheelFacts {
    pub(super) root_is_purelib: bool,
    pub(super) tags: Vec<String>,
}

impl WheelFacts {
    /// Reads a WHEEL file; a format with another major number than 1 is refused, as PEP 427 demands.
    pub(super) fn parse(content: &[u8]) -> Result<Self, Error> {
        let mut facts = Self::default();
        let mut format = None;
        for (key, value) in headers(content) {
            match key.as_str() {
                "wheel-version" => format = Some(value),
                "root-is-purelib" => facts.root_is_purelib = value.eq_ignore_ascii_case("true"),
                "tag" => facts.tags.push(value),
                _ => {}
            }
        }
        let format = format
            .ok_or_else(|| Error::Metadata { file: "WHEEL", reason: "it has no Wheel-Version".to_owned() })?;
        if format.split('.').next() != Some("1") {
            return Err(Error::Format(format));
        }
        Ok(facts)
    }
}

/// Header lines up to the first empty one: keys in lower case, folded lines joined by a blank.
fn headers(content: &[u8]) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in content.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(line);
        if text.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(text.trim());
            }
        } else if let Some((key, value)) = text.split_once(':') {
            headers.push((key.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_headers_and_stops_at_the_description() {
        let content = b"Metadata-Version: 2.1\r\nName: Foo\r\nVersion: 1.0\r\nRequires-Dist: a>1;\r\n  python_version>'3'\r\n\
            Provides-Extra: x\r\nLicense: MIT\r\nLicense-Expression: MIT OR X\r\nSummary: caf\xe9\r\n\r\nName: Bar\r\n";
        let metadata = Metadata::parse(content).unwrap();
        assert_eq!((metadata.name.as_str(), metadata.version.as_str()), ("Foo", "1.0"));
        assert_eq!(metadata.requires_dist, ["a>1; python_version>'3'"]);
        assert_eq!(metadata.license.as_deref(), Some("MIT OR X"));
        assert!(metadata.summary.unwrap().starts_with("caf"));
        assert!(Metadata::parse(b"Name: x\n").is_err());
    }

    #[test]
    fn knows_formats_of_the_first_generation_only() {
        let facts =
            WheelFacts::parse(b"Wheel-Version: 1.9\nRoot-Is-Purelib: TRUE\nTag: py3-none-any\n").unwrap();
        assert!(facts.root_is_purelib);
        assert_eq!(facts.tags, ["py3-none-any"]);
        assert!(matches!(WheelFacts::parse(b"Wheel-Version: 2.0\n"), Err(Error::Format(_))));
        assert!(WheelFacts::parse(b"").is_err());
    }
}
