//! What is written down about an installed interpreter, and which are installed.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtpy_files::{self as fs, FileKind};
use virtpy_pep::Sha256Digest;

use super::ManagedError;
use crate::PythonVersion;
use crate::available::{Build, BuildSource};

/// The file in the folder of an interpreter. Where it is, everything else is.
pub(super) const FILE: &str = "virtpy.json";

/// What is known of an installed interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What it is asked for by: `3.12.11`, `3.13.2t`, `pypy3.10`.
    pub name: String,
    /// `CPython`'s version, or the one that a custom distribution had when it was installed.
    pub version: String,
    /// The date of the build of a standalone distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The target triple, where it is not a custom distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triple: Option<String>,
    /// Where virtpy had learned of it: `custom`, `built-in`, or the address of an index.
    pub source: String,
    /// Where the archive came from, without credentials.
    pub location: String,
    /// The archive's SHA-256.
    pub sha256: Sha256Digest,
    /// Whether that was known before, and so verified.
    pub verified: bool,
    /// The interpreter, relative to this folder.
    pub executable: PathBuf,
    /// When it was installed, in seconds since 1970.
    pub installed_at: u64,
}

/// How a record names the source of custom distributions.
const CUSTOM: &str = "custom";

impl Record {
    /// The record of a build that was just unpacked.
    pub(super) fn of(build: &Build, sha256: Sha256Digest, executable: PathBuf) -> Self {
        let source = match &build.source {
            BuildSource::Custom => CUSTOM.to_owned(),
            BuildSource::Index(address) => without_credentials(address),
            BuildSource::BuiltIn => "built-in".to_owned(),
        };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self {
            name: build.name.clone(),
            version: build.version.clone(),
            build: build.build.clone(),
            triple: build.triple.clone(),
            source,
            location: without_credentials(&build.location),
            sha256,
            verified: build.sha256.is_some(),
            executable,
            installed_at: now.map_or(0, |now| now.as_secs()),
        }
    }

    /// Whether it is a custom distribution.
    pub fn is_custom(&self) -> bool {
        self.source == CUSTOM
    }

    /// The version of `CPython`; none for custom distributions, whose versions are their publishers' own.
    pub fn python_version(&self) -> Option<PythonVersion> {
        if self.is_custom() { None } else { self.version.parse().ok() }
    }

    /// How the link is called that leads to the newest patch release of this one's minor version: `3.12`, `3.13t`. It
    /// ends like the key.
    pub(super) fn minor(&self, key: &str) -> Option<String> {
        let version = self.python_version()?;
        let ending = key.strip_prefix(&self.name)?;
        let threading = if self.name.ends_with('t') { "t" } else { "" };
        Some(format!("{}.{}{threading}{ending}", version.major, version.minor))
    }
}

/// An installed interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The name of its folder.
    pub folder_name: String,
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// What is known of it.
    pub record: Record,
}

impl Installed {
    /// Reads what stands in a folder below `pythons`; `None` where virtpy did not install it, or did not finish.
    pub(super) fn read(pythons: &Path, key: &str) -> Option<Self> {
        let folder = pythons.join(key);
        if fs::kind(&folder).ok()? != Some(FileKind::Folder) {
            return None;
        }
        let content = fs::read_own(&folder.join(FILE), 1024).ok()?;
        let record: Record = serde_json::from_slice(&content).ok()?;
        let is_inside = record.executable.components().all(|part| matches!(part, Component::Normal(_)));
        is_inside.then(|| Self { folder_name: key.to_owned(), folder, record })
    }

    /// The interpreter itself.
    pub fn executable(&self) -> PathBuf {
        self.folder.join(&self.record.executable)
    }

    /// How preferable it is among those that are installed: custom distributions first, final releases before
    /// pre-releases, then the newest.
    pub fn preference(&self) -> impl Ord + use<> {
        let version = self.record.python_version();
        let is_final = version.as_ref().is_none_or(|version| !version.is_prerelease());
        (
            self.record.is_custom(),
            !self.record.name.ends_with('t'),
            is_final,
            version,
            self.folder_name.clone(),
        )
    }
}

/// The interpreters that are installed in the folder `pythons`, the most preferable first.
pub fn installed(pythons: &Path) -> Vec<Installed> {
    let names = fs::names(pythons).unwrap_or_default();
    let keys = names.into_iter().filter_map(|name: OsString| name.into_string().ok());
    let mut found: Vec<Installed> = keys.filter_map(|key| Installed::read(pythons, &key)).collect();
    found.sort_by_cached_key(|one| std::cmp::Reverse(one.preference()));
    found
}

/// The name of the folder for a build. `machine` is the target triple of this machine: builds for it need not name it.
///
/// # Errors
/// When the build's name cannot be one.
pub(super) fn key(build: &Build, machine: &str) -> Result<String, ManagedError> {
    let is_plain = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte)) && name.len() <= 100
    };
    if build.name.is_empty() || build.name.starts_with(['.', '-']) || !is_plain(&build.name) {
        return Err(ManagedError::Name(build.name.clone()));
    }
    Ok(match &build.triple {
        // A name of its own, so that it cannot be that of another build or of a link.
        _ if build.source == BuildSource::Custom => format!("custom-{}", build.name),
        Some(triple) if triple != machine && is_plain(triple) => format!("{}-{triple}", build.name),
        _ => build.name.clone(),
    })
}

/// A location without the user and the password that a URL may have.
fn without_credentials(location: &str) -> String {
    let Some((scheme, rest)) = location.split_once("://") else { return location.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.rsplit('@').next().unwrap_or(host);
    // What follows a `?` may be a token.
    let path = path.split('?').next().unwrap_or(path);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
pub(super) fn build(name: &str, source: BuildSource) -> Build {
    Build {
        name: name.to_owned(),
        version: name.trim_end_matches('t').to_owned(),
        build: None,
        free_threaded: name.ends_with('t'),
        triple: (source != BuildSource::Custom).then(|| "x86_64-unknown-linux-gnu".to_owned()),
        location: "https://me:secret@host/a.tar.gz?token=x".to_owned(),
        sha256: None,
        executable: None,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_builds_never_clash() {
        let machine = "x86_64-unknown-linux-gnu";
        assert_eq!(key(&build("3.12.11", BuildSource::BuiltIn), machine).unwrap(), "3.12.11");
        assert_eq!(key(&build("3.12", BuildSource::Custom), machine).unwrap(), "custom-3.12");
        let other = key(&build("3.13.2t", BuildSource::BuiltIn), "aarch64-apple-darwin").unwrap();
        assert_eq!(other, "3.13.2t-x86_64-unknown-linux-gnu");
        let record =
            Record::of(&build("3.13.2t", BuildSource::BuiltIn), [0; 32].into(), PathBuf::from("bin/python3"));
        assert_eq!(record.minor(&other).unwrap(), "3.13t-x86_64-unknown-linux-gnu");
        assert_eq!(record.minor("3.13.2t").unwrap(), "3.13t");
        for name in ["", ".", "..", "a/b", "-x", "a b", "\u{e9}"] {
            assert!(key(&build(name, BuildSource::Custom), machine).is_err(), "{name}");
        }
    }

    #[test]
    fn a_record_keeps_no_secret() {
        let record =
            Record::of(&build("x", BuildSource::Custom), [0; 32].into(), PathBuf::from("bin/python3"));
        assert_eq!(record.location, "https://host/a.tar.gz");
        assert_eq!(without_credentials("/a@b/c?d"), "/a@b/c?d");
    }

    #[test]
    fn only_finished_installations_count() {
        let pythons = tempfile::tempdir().unwrap();
        let write = |key: &str, text: &str| {
            fs::create_dir(&pythons.path().join(key)).unwrap();
            fs::write_new(&pythons.path().join(key).join(FILE), text.as_bytes(), 0o644).unwrap();
        };
        for name in ["3.12.9", "3.12.10", "3.13.0rc1", "3.11.2t"] {
            let record =
                Record::of(&build(name, BuildSource::BuiltIn), [0; 32].into(), PathBuf::from("bin/python3"));
            write(name, &serde_json::to_string(&record).unwrap());
        }
        let outside = Record::of(&build("x", BuildSource::Custom), [0; 32].into(), PathBuf::from("../x"));
        write("custom-x", &serde_json::to_string(&outside).unwrap());
        write("3.9.1", "{");
        fs::create_dir(&pythons.path().join("3.8.1")).unwrap();
        fs::symlink(Path::new("3.12.10"), &pythons.path().join("3.12")).unwrap();
        let keys: Vec<String> = installed(pythons.path()).into_iter().map(|one| one.folder_name).collect();
        assert_eq!(keys, ["3.12.10", "3.12.9", "3.13.0rc1", "3.11.2t"]);
    }
}
