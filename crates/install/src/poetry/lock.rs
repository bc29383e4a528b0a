//! Reading `poetry.lock`: the forms 1.x, 2.0 and 2.1.
//!
//! From 2.1 on, each package says for which groups and in which environments it is needed. Before, that follows from
//! the project's dependencies and from what each package requires.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::PoetryError;
use virtpy_files as fs;

/// The newest form of the file that is known.
const KNOWN_FORM: (u32, u32) = (2, 1);

/// A lock file.
#[derive(Debug, Clone)]
pub struct LockFile {
    /// Its packages, in the file's order.
    pub packages: Vec<LockedPackage>,
    /// Which packages an extra of the project brings, directly.
    pub extras: BTreeMap<String, Vec<String>>,
    /// The digest of what it was made for.
    pub content_hash: Option<String>,
    /// Its form, such as 2.1.
    pub form: (u32, u32),
    /// The version of Poetry that wrote it, if it says so.
    pub written_by: Option<(u32, u32)>,
}

/// A package with its version.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct LockedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether only extras bring it.
    pub optional: bool,
    /// Whether its source is used in place.
    pub develop: bool,
    /// For which groups it is needed (form 2.1).
    pub groups: Vec<String>,
    /// Where it is needed (form 2.1).
    pub markers: Option<LockedMarkers>,
    /// Its files.
    pub files: Vec<LockedFile>,
    /// What it requires.
    pub dependencies: BTreeMap<String, OneOrMany>,
    /// Its own extras, each a list of requirements.
    pub extras: BTreeMap<String, Vec<String>>,
    /// Where it comes from, if not from the default index.
    pub source: Option<Source>,
    /// The group of forms before 1.2.
    pub category: Option<String>,
}

/// Where a package is needed.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum LockedMarkers {
    /// One marker for every group.
    Everywhere(String),
    /// By group.
    ByGroup(BTreeMap<String, String>),
}

/// A file of a package, with its hash.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct LockedFile {
    /// Its name.
    pub file: String,
    /// Such as `sha256:…`.
    pub hash: String,
}

/// A dependency that is different in different environments has several forms.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One form.
    One(LockedDependency),
    /// Several.
    Many(Vec<LockedDependency>),
}

/// What a package, or a project, requires of another.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum LockedDependency {
    /// Only a constraint.
    Constraint(String),
    /// With conditions.
    Detailed(DetailedDependency),
}

/// A dependency with conditions.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct DetailedDependency {
    /// Which versions.
    pub version: Option<String>,
    /// A marker (PEP 508).
    pub markers: Option<String>,
    /// Which versions of Python.
    pub python: Option<String>,
    /// Which `sys.platform`.
    pub platform: Option<String>,
    /// With which of its extras.
    pub extras: Vec<String>,
    /// Whether only an extra brings it.
    pub optional: bool,
}

/// Where a package comes from.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Source {
    /// `legacy` (an index), `git`, `url`, `file` or `directory`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The index, the repository, the file.
    pub url: String,
    /// What was asked for of a repository; the name of an index.
    pub reference: Option<String>,
    /// The commit.
    pub resolved_reference: Option<String>,
    /// The folder in a repository.
    pub subdirectory: Option<String>,
}

impl OneOrMany {
    /// The forms.
    pub fn forms(&self) -> &[LockedDependency] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl LockedDependency {
    /// The dependency with its conditions.
    pub fn detailed(&self) -> DetailedDependency {
        match self {
            Self::Constraint(version) => {
                DetailedDependency { version: Some(version.clone()), ..DetailedDependency::default() }
            }
            Self::Detailed(detailed) => detailed.clone(),
        }
    }
}

/// The file as it is written.
#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    package: Vec<LockedPackage>,
    #[serde(default)]
    extras: BTreeMap<String, Vec<String>>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    lock_version: Option<String>,
    content_hash: Option<String>,
    /// Where forms before 2.0 have the files of all packages.
    #[serde(default)]
    files: BTreeMap<String, Vec<LockedFile>>,
}

impl LockFile {
    /// Reads a lock file.
    ///
    /// # Errors
    /// When there is none, or it is of a form that nobody knows.
    pub fn read(path: &Path) -> Result<Self, PoetryError> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.is_not_found() => return Err(PoetryError::NotLocked(path.to_path_buf())),
            other => other?,
        };
        Self::parse(&text).map_err(|reason| PoetryError::Unusable { path: path.to_path_buf(), reason })
    }

    /// Reads the text of a lock file.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let metadata = written.metadata.ok_or("it has no `metadata`")?;
        let form = metadata.lock_version.as_deref().and_then(numbers).ok_or("it does not name its form")?;
        if form.0 == 0 || form.0 > KNOWN_FORM.0 {
            return Err(format!("it is of form {}.{}, and 1 and 2 are known", form.0, form.1));
        }
        let mut packages = written.package;
        for package in &mut packages {
            if package.files.is_empty()
                && let Some(files) = metadata.files.get(&package.name)
            {
                package.files.clone_from(files);
            }
        }
        let first = text.lines().next().unwrap_or_default();
        let written_by = first.split_once("by Poetry ").and_then(|(_, rest)| numbers(rest));
        let content_hash = metadata.content_hash;
        Ok(Self { packages, extras: written.extras, content_hash, form, written_by })
    }

    /// Whether its packages say themselves for which groups and where they are needed.
    pub fn names_groups(&self) -> bool {
        self.form >= (2, 1)
    }
}

/// The first two numbers of a version.
fn numbers(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(|letter: char| !letter.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM_2_1: &str = r#"# This file is automatically @generated by Poetry 2.5.1 and should not be changed by hand.
[[package]]
name = "rich"
version = "13.0"
optional = false
groups = ["main", "dev"]
markers = {main = "python_version < \"4\"", dev = "extra == \"x\""}
files = [{file = "rich-13.0-py3-none-any.whl", hash = "sha256:aa"}]
[package.dependencies]
idna = ">=2"
colorama = [{version = "*", markers = "os_name == 'nt'"}, {version = ">=1", python = ">=3"}]
[metadata]
lock-version = "2.1"
content-hash = "ff"
"#;

    #[test]
    fn reads_the_newest_form() {
        let lock = LockFile::parse(FORM_2_1).unwrap();
        assert!(lock.names_groups());
        assert_eq!(lock.written_by, Some((2, 5)));
        let rich = &lock.packages[0];
        assert_eq!(rich.files[0].hash, "sha256:aa");
        assert!(matches!(&rich.markers, Some(LockedMarkers::ByGroup(groups)) if groups.len() == 2));
        assert_eq!(rich.dependencies["colorama"].forms().len(), 2);
        assert_eq!(rich.dependencies["idna"].forms()[0].detailed().version.as_deref(), Some(">=2"));
    }

    #[test]
    fn reads_files_from_the_metadata_of_older_forms() {
        let text = "[[package]]\nname = \"a\"\nversion = \"1\"\ncategory = \"main\"\noptional = false\n\
                    [metadata]\nlock-version = \"1.1\"\ncontent-hash = \"0\"\n[metadata.files]\n\
                    a = [{file = \"a-1.tar.gz\", hash = \"sha256:00\"}]\n";
        let lock = LockFile::parse(text).unwrap();
        assert!(!lock.names_groups());
        assert_eq!(lock.packages[0].files[0].file, "a-1.tar.gz");
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (text, reason) in [
            ("", "no `metadata`"),
            ("[metadata]\n", "form"),
            ("[metadata]\nlock-version = \"3.0\"\n", "form 3.0"),
            ("package = 1\n", "expected"),
        ] {
            let found = LockFile::parse(text).unwrap_err();
            assert!(found.contains(reason), "{text:?}: {found}");
        }
    }
}
