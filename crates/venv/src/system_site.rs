//! The packages of the base interpreter that a venv sees (`include-system-site-packages`): they count as installed, and are
//! never changed. What lies there is input like any other: it is read bounded, and what is broken is passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind};

use super::contents::{self, Distribution, Owner};
use super::{Venv, installed_metadata};

/// The most folders that are looked into.
const MOST_FOLDERS: usize = 500;
/// The most bytes that a path configuration file may have.
const LARGEST_PATH_FILE: u64 = 1024 * 1024;

impl Venv {
    /// Whether the packages of the base interpreter are seen here.
    pub fn sees_system_site(&self) -> bool {
        self.config.sees_system_site()
    }
}

/// The distributions in folders of packages, and in those that path files (`*.pth`) in them name, sorted by name. Of
/// those with one name the first is imported and counts. A folder that is not there has none.
pub fn distributions_in(folders: &[PathBuf]) -> Vec<Distribution> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<PathBuf> = folders.iter().rev().cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(folder) = waiting.pop() {
        if seen.len() >= MOST_FOLDERS || !seen.insert(folder.clone()) {
            continue;
        }
        let mut names: Vec<String> = fs::names(&folder)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .collect();
        names.sort();
        for name in &names {
            if let Some(one) = distribution(&folder, name) {
                found.entry(one.package.clone()).or_insert(one);
            }
        }
        if folders.contains(&folder) {
            let path_files =
                names.iter().filter(|name| Path::new(name).extension().is_some_and(|end| end == "pth"));
            let more: Vec<PathBuf> = path_files.flat_map(|name| named_in(&folder, name)).collect();
            waiting.extend(more.into_iter().rev());
        }
    }
    found.into_values().collect()
}

/// The distribution that something in a folder of packages describes.
fn distribution(packages: &Path, name: &str) -> Option<Distribution> {
    let is_named_so = [".dist-info", ".egg-info", ".egg-link"].iter().any(|end| name.ends_with(end));
    // Systems' own packages have links here and there.
    let facts = if is_named_so { fs::metadata(&packages.join(name)).ok()? } else { return None };
    if !installed_metadata::is_metadata(name, FileKind::from(facts.file_type())) {
        return None;
    }
    let owner = |described| Owner::System { packages: packages.to_path_buf(), described };
    contents::read(packages, name.to_owned(), owner)
}

/// The folders that a path file names.
fn named_in(folder: &Path, name: &str) -> Vec<PathBuf> {
    let content = fs::read_bounded(&folder.join(name), LARGEST_PATH_FILE).unwrap_or_default();
    let content = String::from_utf8_lossy(&content).into_owned();
    let is_path = |line: &&str| {
        !line.trim().is_empty()
            && !line.starts_with('#')
            && !line.starts_with("import ")
            && !line.starts_with("import\t")
    };
    content
        .lines()
        .filter(is_path)
        .map(|line| folder.join(line.trim_end()))
        .filter(|path| path.is_dir())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::put;

    fn headers(name: &str, version: &str) -> String {
        format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    }

    #[test]
    fn the_first_of_a_name_counts_and_broken_ones_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let (user, base, project) =
            (folder.path().join("user"), folder.path().join("base"), folder.path().join("project"));
        put(&user, "six-2.dist-info/METADATA", &headers("six", "2"));
        put(&base, "six-1.dist-info/METADATA", &headers("six", "1"));
        put(&base, "old-3.egg-info", &headers("old", "3"));
        put(&base, "broken-1.dist-info/METADATA", "nothing");
        put(&base, "paths.pth", &format!("# none\nimport os\n{}\nabsent\n", project.display()));
        put(&project, "mine.egg-info/PKG-INFO", &headers("Mine", "0.1"));
        // Only path files of the folders themselves are read.
        put(&project, "more.pth", "../user2\n");
        put(&folder.path().join("user2"), "hidden-1.dist-info/METADATA", &headers("hidden", "1"));
        fs::symlink(Path::new("old-3.egg-info"), &base.join("again-3.egg-info")).unwrap();
        let found = distributions_in(&[user.clone(), base, folder.path().join("absent")]);
        let labels: Vec<String> =
            found.iter().map(|one| format!("{} {}", one.package, one.version)).collect();
        assert_eq!(labels, ["mine 0.1", "old 3", "six 2"]);
        assert_eq!(found[2].folder(Path::new("/elsewhere")), user.join("six-2.dist-info"));
    }
}
