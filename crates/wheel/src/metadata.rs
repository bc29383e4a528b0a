//! METADATA (core metadata) and WHEEL: files in the form of e-mail headers.

use virtpy_pep::{InvalidName, PackageName, check_requirement};

use super::Error;

/// The fields of a distribution's METADATA that virtpy uses or shows. Texts are free of control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `Name`, as it is spelled there.
    pub name: String,
    /// `Version`, as it is spelled there.
    pub version: String,
    /// `Summary`.
    pub summary: Option<String>,
    /// `License-Expression` (PEP 639), else `License`.
    pub license: Option<String>,
    /// `Author`, else `Author-email`.
    pub author: Option<String>,
    /// `Author-email`.
    pub author_email: Option<String>,
    /// `Home-page`.
    pub home_page: Option<String>,
    /// `Project-URL`, each a label, a comma and a URL.
    pub project_urls: Vec<String>,
    /// `Requires-Python`, a set of version specifiers.
    pub requires_python: Option<String>,
    /// `Requires-Dist`, each a PEP 508 requirement.
    pub requires_dist: Vec<String>,
    /// `Provides-Extra`.
    pub provides_extra: Vec<String>,
}

impl Metadata {
    /// The normalized name. METADATA that was read has one.
    ///
    /// # Errors
    /// When `name` is not the name of a package.
    pub fn package_name(&self) -> Result<PackageName, InvalidName> {
        self.name.parse()
    }

    /// Reads METADATA up to the description, which is not kept. Bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// When it has no name or version, an illegal name, or a metadata version of a future generation.
    pub fn parse(content: &[u8]) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Metadata { file: "METADATA", reason };
        let mut metadata = Self::default();
        let mut license_expression = None;
        for (field, value) in headers(content) {
            let known = || Some(value.clone()).filter(|value| !value.is_empty() && value != "UNKNOWN");
            match field.as_str() {
                "metadata-version" => {
                    let generation = value.split('.').next().unwrap_or_default();
                    if generation.parse::<u32>().is_ok_and(|generation| generation > 2) {
                        return Err(wrong(format!("has the unknown version {value}")));
                    }
                }
                "name" if metadata.name.is_empty() => metadata.name = value,
                "name" if metadata.name != value => return Err(wrong("has two names".to_owned())),
                "version" if metadata.version.is_empty() => metadata.version = value,
                "version" if metadata.version != value => return Err(wrong("has two versions".to_owned())),
                "summary" => metadata.summary = known(),
                "license" => metadata.license = known(),
                "license-expression" => license_expression = known(),
                "author" => metadata.author = known(),
                "author-email" => metadata.author_email = known(),
                "home-page" => metadata.home_page = known(),
                "project-url" => metadata.project_urls.push(value),
                "requires-python" => metadata.requires_python = known(),
                "requires-dist" => metadata.requires_dist.push(value),
                "provides-extra" => metadata.provides_extra.push(value),
                _ => {}
            }
        }
        metadata.license = license_expression.or(metadata.license);
        metadata.author = metadata.author.or_else(|| metadata.author_email.clone());
        for (field, value) in [("name", &metadata.name), ("version", &metadata.version)] {
            if value.is_empty() {
                return Err(wrong(format!("has no {field}")));
            }
        }
        if metadata.package_name().is_err() {
            return Err(wrong(format!("has the illegal name `{}`", metadata.name)));
        }
        Ok(metadata)
    }

    /// Checks what would stop every later command that reads the requirements: one that no parser should see.
    ///
    /// # Errors
    /// When a requirement is longer or deeper than any that is meant.
    pub(super) fn check_requirements(&self) -> Result<(), Error> {
        let reason = self.requires_dist.iter().find_map(|text| check_requirement(text).err());
        reason.map_or(Ok(()), |reason| {
            let reason = format!("has a requirement that cannot be read: {reason}");
            Err(Error::Metadata { file: "METADATA", reason })
        })
    }
}

/// The content of WHEEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelInfo {
    /// `Wheel-Version`: the major number is 0 or 1.
    pub wheel_version: (u32, u32),
    /// `Root-Is-Purelib`.
    pub root_is_purelib: bool,
    /// `Tag`, each `python-abi-platform`.
    pub tags: Vec<String>,
}

impl WheelInfo {
    /// Reads WHEEL.
    ///
    /// # Errors
    /// When it has no version, or one with a major number above 1.
    pub fn parse(content: &[u8]) -> Result<Self, Error> {
        let mut version = None;
        let mut info = Self { wheel_version: (1, 0), root_is_purelib: false, tags: Vec::new() };
        for (field, value) in headers(content) {
            match field.as_str() {
                "wheel-version" => version = Some(value),
                "root-is-purelib" => info.root_is_purelib = value.eq_ignore_ascii_case("true"),
                "tag" => info.tags.push(value),
                _ => {}
            }
        }
        let wrong = |reason: String| Error::Metadata { file: "WHEEL", reason };
        let version = version.ok_or_else(|| wrong("has no `Wheel-Version`".to_owned()))?;
        let number = |text: &str| text.parse::<u32>().ok();
        let parsed = match version.split_once('.') {
            Some((major, minor)) => number(major).zip(number(minor)),
            None => number(&version).map(|major| (major, 0)),
        };
        info.wheel_version = parsed.ok_or_else(|| wrong(format!("has the illegal version `{version}`")))?;
        // Drafts of the format called themselves 0.1, and say nothing that 1.0 does not.
        if info.wheel_version.0 > 1 {
            return Err(Error::WheelVersion(version));
        }
        Ok(info)
    }
}

/// The headers up to the first empty line: names in lower case, values on one line.
fn headers(content: &[u8]) -> impl Iterator<Item = (String, String)> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut lines = content
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .take_while(|line| !line.is_empty())
        .peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            let mut value = Vec::new();
            let name = match line.iter().position(|byte| *byte == b':') {
                Some(place) if !line.starts_with(b" ") && !line.starts_with(b"\t") => {
                    value.extend_from_slice(&line[place + 1..]);
                    String::from_utf8_lossy(&line[..place]).trim().to_ascii_lowercase()
                }
                // Not a header: tolerated, as the standard library's parser does.
                _ => continue,
            };
            let is_description = name == "description";
            while let Some(folded) = lines.next_if(|line| line.starts_with(b" ") || line.starts_with(b"\t")) {
                if !is_description {
                    value.push(b' ');
                    value.extend_from_slice(folded.trim_ascii());
                }
            }
            if !is_description {
                return Some((name, clean(&value)));
            }
        }
    })
}

/// The text of a value, without what could play tricks on a terminal.
fn clean(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let text = text.trim();
    text.replace(char::is_control, " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_blanks_and_leave_none_at_the_ends() {
        assert_eq!(clean(b" \x15\x1b[3mtext\x07 "), "[3mtext");
    }

    #[test]
    fn reads_core_metadata() {
        let text = b"Metadata-Version: 2.1\r\nName: Foo.Bar\r\nVERSION : 1.0\nSummary: one\n  and  two\n\tthree\n\
            Home-page: UNKNOWN\nLicense: long text\n        folded\nLicense-Expression: MIT\nAuthor: J\xe9r\xf4me \x1b[31m\n\
            Requires-Dist: idna (>=2)\nRequires-Dist: socks ; extra == 'proxy'\nProvides-Extra: proxy\n\
            Project-URL: Docs, https://example.org\nDescription: a\n        |b\n        Name: evil\nnonsense\n\
            Requires-Python: >=3.8\n\nName: body\nRequires-Dist: evil\n";
        let metadata = Metadata::parse(text).unwrap();
        assert_eq!(metadata.name, "Foo.Bar");
        assert_eq!(metadata.version, "1.0");
        assert_eq!(metadata.summary.as_deref(), Some("one and  two three"));
        assert_eq!(metadata.home_page, None);
        assert_eq!(metadata.license.as_deref(), Some("MIT"));
        assert_eq!(metadata.author.as_deref(), Some("J\u{fffd}r\u{fffd}me  [31m"));
        assert_eq!(metadata.requires_dist, ["idna (>=2)", "socks ; extra == 'proxy'"]);
        assert_eq!(metadata.provides_extra, ["proxy"]);
        assert_eq!(metadata.requires_python.as_deref(), Some(">=3.8"));
        assert_eq!(metadata.project_urls, ["Docs, https://example.org"]);
    }

    #[test]
    fn refuses_metadata_without_identity() {
        for (text, reason) in [
            ("Version: 1", "no name"),
            ("Name: a", "no version"),
            ("Name: ../a\nVersion: 1", "illegal name"),
            ("Name: a/b\nVersion: 1", "illegal name"),
            ("\nName: a\nVersion: 1", "no name"),
            ("Name: a\nVersion: 1\nName: b", "two names"),
            ("Name: a\nVersion: 1\nVersion: 2", "two versions"),
            ("Metadata-Version: 3.0\nName: a\nVersion: 1", "unknown version"),
        ] {
            let error = Metadata::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
        assert!(Metadata::parse(b"Metadata-Version: 2.9\nName: a\nVersion: 1").is_ok());
    }

    #[test]
    fn reads_wheel_info() {
        let info = WheelInfo::parse(
            b"Wheel-Version: 1.0\nRoot-Is-Purelib: True\nTag: py2-none-any\nTag: py3-none-any\n",
        );
        let expected = WheelInfo {
            wheel_version: (1, 0),
            root_is_purelib: true,
            tags: vec!["py2-none-any".to_owned(), "py3-none-any".to_owned()],
        };
        assert_eq!(info.unwrap(), expected);
        assert_eq!(WheelInfo::parse(b"Wheel-Version: 1.9").unwrap().wheel_version, (1, 9));
        assert!(matches!(WheelInfo::parse(b"Wheel-Version: 2.0"), Err(Error::WheelVersion(_))));
        assert_eq!(WheelInfo::parse(b"Wheel-Version: 0.1").unwrap().wheel_version, (0, 1));
        assert!(matches!(WheelInfo::parse(b"Wheel-Version: one"), Err(Error::Metadata { .. })));
        assert!(matches!(WheelInfo::parse(b"Tag: py3-none-any"), Err(Error::Metadata { .. })));
    }
}
