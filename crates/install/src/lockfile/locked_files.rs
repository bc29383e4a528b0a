//! Which files a project's lock has of each version, by their hashes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use virtpy_files as fs;
use virtpy_pep::{NamedVersion, PackageName};

use super::{LockKind, find};

/// The files of a lock.
#[derive(Debug, Default)]
pub struct LockedFiles {
    /// Where the lock is.
    pub path: PathBuf,
    /// The SHA-256 of the wheels and the source distribution of each version that comes from an index.
    hashes: BTreeMap<(PackageName, String), Vec<String>>,
}

impl LockedFiles {
    /// Those of the `pylock.toml` or `uv.lock` of the project in a directory. Of one that makes no sense, or of another kind, none:
    /// whoever installs from it says what is wrong.
    pub fn of_project(folder: &Path) -> Self {
        let Some(path) = find(folder) else { return Self::default() };
        let packages = match LockKind::of(&path) {
            LockKind::Pylock => "packages",
            LockKind::Uv => "package",
            _ => return Self::default(),
        };
        let table: Option<Table> = fs::read_to_string(&path).ok().and_then(|text| text.parse().ok());
        let packages = table.as_ref().and_then(|table| table.get(packages)?.as_array());
        let hashes = packages.into_iter().flatten().filter_map(files).collect();
        Self { path, hashes }
    }

    /// The SHA-256 of its files of a version; none where it does not have that, or no hashes of it.
    pub fn of(&self, name: &PackageName, version: &str) -> &[String] {
        self.hashes.get(&(name.clone(), version.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// The versions that it has.
    pub fn versions(&self) -> Vec<NamedVersion> {
        self.hashes.keys().map(|(name, version)| NamedVersion::new(name.as_str(), version)).collect()
    }
}

/// The version and the hashes of one package.
fn files(package: &Value) -> Option<((PackageName, String), Vec<String>)> {
    let name = package.get("name")?.as_str()?.parse().ok()?;
    let version = package.get("version")?.as_str()?.to_owned();
    let wheels = package.get("wheels").and_then(Value::as_array).into_iter().flatten();
    let hashes: Vec<String> = wheels.chain(package.get("sdist")).filter_map(sha256).collect();
    (!hashes.is_empty()).then_some(((name, version), hashes))
}

/// A file's SHA-256: in a table of hashes, or as uv writes it.
fn sha256(file: &Value) -> Option<String> {
    let in_table = file.get("hashes").and_then(|hashes| hashes.get("sha256")?.as_str());
    let of_uv = || file.get("hash")?.as_str()?.strip_prefix("sha256:");
    in_table.or_else(of_uv).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read_and_what_makes_no_sense_has_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let read = |file: &str, text: &str| {
            let path = folder.path().join(file);
            fs::write_atomic(&path, text.as_bytes()).unwrap();
            let files = LockedFiles::of_project(folder.path());
            assert_eq!(files.path, path);
            fs::remove_file(&path).unwrap();
            files
        };
        let name: PackageName = "one".parse().unwrap();
        let pylock = read(
            "pylock.toml",
            "[[packages]]\nname = 'one'\nversion = '1.0'\nsdist = { hashes = { sha256 = 'cc' } }\n\
             wheels = [{ hashes = { sha256 = 'aa' } }, { hashes = { md5 = 'x' } }]\n\
             [[packages]]\nname = 'here'\ndirectory = { path = '.' }\n",
        );
        assert_eq!(pylock.of(&name, "1.0"), ["aa", "cc"]);
        assert!(pylock.of(&name, "2.0").is_empty());
        assert_eq!(pylock.versions(), [NamedVersion::new("one", "1.0")]);
        let uv = read(
            "uv.lock",
            "[[package]]\nname = 'one'\nversion = '1.0'\nwheels = [{ url = 'x', hash = 'sha256:bb' }]\n",
        );
        assert_eq!(uv.of(&name, "1.0"), ["bb"]);
        assert!(read("pylock.toml", "packages = 3\n").versions().is_empty());
    }
}
