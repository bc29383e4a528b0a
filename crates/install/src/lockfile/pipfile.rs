//! `Pipfile.lock`, pipenv's lock file: JSON with two sections of pinned packages, `default` and `develop`. Its packages are
//! put into the form of a requirements file, which the facade reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use super::LockFileError;

/// A `Pipfile.lock`, read.
#[derive(Debug, Deserialize)]
pub struct Pipfile {
    #[serde(rename = "_meta", default)]
    meta: Meta,
    #[serde(flatten)]
    sections: BTreeMap<String, BTreeMap<String, Package>>,
}

#[derive(Debug, Default, Deserialize)]
struct Meta {
    #[serde(default)]
    sources: Vec<Source>,
    #[serde(default)]
    requires: Requires,
}

#[derive(Debug, Default, Deserialize)]
struct Requires {
    python_full_version: Option<String>,
    python_version: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Source {
    url: String,
}

#[derive(Debug, Deserialize)]
struct Package {
    version: Option<String>,
    #[serde(default)]
    hashes: Vec<String>,
    markers: Option<String>,
    #[serde(default)]
    extras: Vec<String>,
    git: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    subdirectory: Option<String>,
    #[serde(alias = "url")]
    file: Option<String>,
    path: Option<String>,
    #[serde(default)]
    editable: bool,
}

impl Pipfile {
    /// Reads one. `path` is for messages.
    ///
    /// # Errors
    /// When it is no JSON or has packages of another form.
    pub fn parse(path: &Path, text: &str) -> Result<Self, LockFileError> {
        serde_json::from_str(text)
            .map_err(|error| LockFileError::Unusable { path: path.to_path_buf(), reason: error.to_string() })
    }

    /// The version of Python that it was made for.
    pub fn python(&self) -> Option<&str> {
        let Requires { python_full_version, python_version } = &self.meta.requires;
        python_full_version.as_deref().or(python_version.as_deref())
    }

    /// The names of its sections beside `default`: `develop`, and those that newer pipenvs name freely.
    pub fn categories(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str).filter(|name| *name != "default")
    }

    /// The packages of some sections as a requirements file. Its package indexes come first if `with_indexes`. `variable` answers for the `${NAME}` in their URLs.
    pub fn requirements(
        &self,
        sections: &[String],
        with_indexes: bool,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> String {
        let mut text = String::new();
        if with_indexes {
            for (position, source) in self.meta.sources.iter().enumerate() {
                let option = if position == 0 { "--index-url" } else { "--extra-index-url" };
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{option} {}", expanded(&source.url, variable));
            }
        }
        let mut packages: BTreeMap<&str, &Package> = BTreeMap::new();
        for (_, section) in self.sections.iter().filter(|(name, _)| sections.contains(name)) {
            packages.extend(section.iter().map(|(name, package)| (name.as_str(), package)));
        }
        for (name, package) in packages {
            let _ = writeln!(text, "{}", package.line(name));
        }
        text
    }
}

impl Package {
    fn line(&self, name: &str) -> String {
        let extras =
            if self.extras.is_empty() { String::new() } else { format!("[{}]", self.extras.join(",")) };
        let marker = self.markers.as_ref().map(|marker| format!(" ; {marker}")).unwrap_or_default();
        let local = self.path.as_ref().or(self.file.as_ref());
        if let Some(repository) = &self.git {
            let prefix = if repository.starts_with("git+") { "" } else { "git+" };
            let reference = self.reference.as_ref().map(|text| format!("@{text}")).unwrap_or_default();
            let folder =
                self.subdirectory.as_ref().map(|text| format!("#subdirectory={text}")).unwrap_or_default();
            return format!("{name}{extras} @ {prefix}{repository}{reference}{folder}{marker}");
        }
        if let Some(local) = local {
            return if self.editable {
                format!("-e {local}{extras}")
            } else {
                format!("{name}{extras} @ {local}{marker}")
            };
        }
        let version = self.version.as_deref().unwrap_or_default();
        let version = if version == "*" { "" } else { version };
        let mut line = format!("{name}{extras}{version}{marker}");
        for hash in &self.hashes {
            let _ = write!(line, " --hash={hash}");
        }
        line
    }
}

/// A text with its `${NAME}` and `$NAME` replaced, as pipenv does; an unknown one stays.
fn expanded(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(position) = rest.find('$') {
        result.push_str(&rest[..position]);
        let after = &rest[position + 1..];
        let braced = after.strip_prefix('{').and_then(|inner| Some((inner, inner.find('}')?)));
        let (name, length) = if let Some((inner, end)) = braced {
            (&inner[..end], end + 2)
        } else {
            let end = after.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let end = end.unwrap_or(after.len());
            (&after[..end], end)
        };
        match variable(name) {
            Some(value) => result.push_str(&value),
            None => result.push_str(&rest[position..=position + length]),
        }
        rest = &after[length..];
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
        "_meta": {"hash": {"sha256": "00"}, "pipfile-spec": 6, "requires": {"python_version": "3.11"},
                  "sources": [{"name": "main", "url": "https://${USER_NAME}:$KEY@index.invalid/simple", "verify_ssl": true},
                              {"name": "second", "url": "https://second.invalid/simple", "verify_ssl": true}]},
        "default": {
            "requests": {"extras": ["socks"], "hashes": ["sha256:aa", "sha256:bb"], "index": "main",
                         "markers": "python_version >= '3.8'", "version": "==2.32.0"},
            "tool": {"git": "https://git.invalid/tool.git", "ref": "0123", "subdirectory": "py"},
            "here": {"editable": true, "path": "."},
            "archive": {"file": "https://files.invalid/archive-1.0.tar.gz"}
        },
        "develop": {"pytest": {"hashes": [], "version": "==8.0"}, "requests": {"version": "==2.32.0"}}
    }"#;

    fn read() -> Pipfile {
        Pipfile::parse(Path::new("Pipfile.lock"), TEXT).unwrap()
    }

    #[test]
    fn packages_become_requirements() {
        let nothing = |_: &str| None;
        let text = read().requirements(&["default".to_owned()], false, &nothing);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "archive @ https://files.invalid/archive-1.0.tar.gz",
                "-e .",
                "requests[socks]==2.32.0 ; python_version >= '3.8' --hash=sha256:aa --hash=sha256:bb",
                "tool @ git+https://git.invalid/tool.git@0123#subdirectory=py",
            ]
        );
        let both = ["default".to_owned(), "develop".to_owned()];
        let develop = ["develop".to_owned()];
        assert!(read().requirements(&both, false, &nothing).contains("pytest==8.0\n"));
        assert_eq!(read().requirements(&develop, false, &nothing).lines().count(), 2);
    }

    #[test]
    fn indexes_come_with_what_the_environment_knows() {
        let variable = |name: &str| (name == "USER_NAME").then(|| "me".to_owned());
        let text = read().requirements(&[], true, &variable);
        assert_eq!(
            text,
            "--index-url https://me:$KEY@index.invalid/simple\n--extra-index-url https://second.invalid/simple\n"
        );
        assert_eq!(read().python(), Some("3.11"));
    }

    #[test]
    fn what_is_no_lock_is_refused() {
        let refused = Pipfile::parse(Path::new("Pipfile.lock"), "{\"default\": [1]}").unwrap_err();
        assert!(refused.to_string().contains("cannot be used"), "{refused}");
    }
}
