//! Which versions pyenv would choose, told from its files: its shims are shell scripts that take 50 ms.

use std::path::{Path, PathBuf};

use virtpy_files as fs;

use super::hint::NameHint;
use super::sources::Sources;

/// The `bin` folders of the versions that pyenv would choose here, best first. `system` stands for the rest
/// of `PATH`, which is searched anyway.
pub(super) fn selected_folders(root: &Path, sources: &Sources) -> Vec<PathBuf> {
    let versions = root.join("versions");
    let text = match &sources.pyenv_version {
        Some(value) => value.to_string_lossy().replace(':', "\n"),
        None => version_file(root, sources.working_directory).unwrap_or_default(),
    };
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let words = lines.flat_map(str::split_whitespace);
    words
        .filter_map(|version| installed_version(&versions, version))
        .map(|version| version.join("bin"))
        .collect()
}

/// The text of the nearest `.python-version`, else of pyenv's global choice.
fn version_file(root: &Path, working_directory: &Path) -> Option<String> {
    let local = working_directory.ancestors().map(|folder| folder.join(".python-version"));
    local.chain([root.join("version")]).find_map(|file| fs::read_to_string(&file).ok())
}

/// The folder of a version that pyenv installed. A version may be given as `python-3.12.1`, and as `3.12` for
/// the newest of its patch releases.
fn installed_version(versions: &Path, version: &str) -> Option<PathBuf> {
    let version = version.strip_prefix("python-").unwrap_or(version);
    // A folder name; anything else would leave the folder of versions.
    if version.contains('/') || version.starts_with('.') {
        return None;
    }
    let exact = versions.join(version);
    if exact.is_dir() {
        return Some(exact);
    }
    let prefix = format!("{version}.");
    let names = fs::names(versions).ok()?.into_iter();
    let newest = names
        .filter(|name| name.to_str().is_some_and(|name| name.starts_with(&prefix)))
        .max_by_key(|name| NameHint::of(name).preference())?;
    Some(versions.join(newest))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::super::testing::Fakes;
    use super::*;

    /// pyenv with three versions and shims that fail when they are started.
    fn with_pyenv(fakes: &Fakes) -> Sources<'_> {
        for version in ["3.11.7", "3.12.1", "3.12.10"] {
            fakes.python(&format!("pyenv/versions/{version}/bin/python3"), version);
        }
        fakes.script("pyenv/shims/python3", &format!("{}\nexit 1", fakes.note()));
        fakes.python("usr/bin/python3", "3.9.2");
        let mut sources = fakes.sources();
        sources.pyenv_root = Some(fakes.root.join("pyenv"));
        sources.path = Some(fakes.path(&["pyenv/shims", "usr/bin"]));
        sources
    }

    #[test]
    fn pyenvs_choice_is_read_without_its_shims() {
        let fakes = Fakes::new();
        let project = fakes.root.join("project/sub");
        fakes.file("project/sub/file", "");
        let mut sources = with_pyenv(&fakes);
        sources.working_directory = &project;
        let found = |sources: &Sources| fakes.find("", sources).unwrap();
        assert_eq!(found(&sources), "usr/bin/python3");
        fakes.file("pyenv/version", "3.11.7\n");
        assert_eq!(found(&sources), "pyenv/versions/3.11.7/bin/python3");
        fakes.file("project/.python-version", "# ours\nnot-installed\n3.12 # newest\n3.11.7\n");
        assert_eq!(found(&sources), "pyenv/versions/3.12.10/bin/python3");
        assert_eq!(fakes.find("3.11", &sources).unwrap(), "pyenv/versions/3.11.7/bin/python3");
        sources.pyenv_version = Some(OsString::from("python-3.12.1:3.11.7"));
        assert_eq!(found(&sources), "pyenv/versions/3.12.1/bin/python3");
        for elsewhere in ["system", "../../usr", "/usr", ".", ""] {
            sources.pyenv_version = Some(OsString::from(elsewhere));
            assert_eq!(found(&sources), "usr/bin/python3", "{elsewhere}");
        }
        assert!(fakes.starts().iter().all(|path| !path.contains("shims")));
    }
}
