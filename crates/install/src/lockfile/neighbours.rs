//! The projects on this machine that a lock may have beside the one that it is made for. They are looked at before anything is
//! resolved: what is edited while that lasts must not pass for what was locked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::Value;
use virtpy_resolver::{members_of, normalized_path, read_project, workspace_of};

use super::asked::{asked_by, at};

/// What projects on this machine asked for when they were first looked at.
#[derive(Debug, Default)]
pub struct Neighbours {
    /// By their files; nothing where one could not be read.
    asked: BTreeMap<PathBuf, Option<String>>,
}

impl Neighbours {
    /// Looks at the projects in these directories. Says whether there was one that had not been looked at.
    pub fn look_at(&mut self, directories: impl IntoIterator<Item = PathBuf>) -> bool {
        let before = self.asked.len();
        for directory in directories {
            let file = project_in(&directory);
            self.asked.entry(file).or_insert_with_key(|file| asked_by(file));
        }
        self.asked.len() > before
    }

    /// Looks at all that a project's files name: the members of its workspace, and the directories among its sources and theirs.
    pub fn look_around(&mut self, project: &Path) {
        let mut found = BTreeSet::new();
        let mut left = vec![normalized_path(project)];
        while let Some(directory) = left.pop() {
            if !found.insert(directory.clone()) {
                continue;
            }
            left.extend(sources_of(&directory));
            match workspace_of(&directory) {
                Some(root) => left.push(normalized_path(&root)),
                None => left.extend(members_of(&directory).into_iter().map(|(member, _)| member)),
            }
        }
        self.look_at(found);
    }

    /// The files of all that were looked at.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.asked.keys().map(PathBuf::as_path)
    }

    /// What the project of this file asked for; nothing if it could not be read.
    pub(super) fn asked_by(&self, file: &Path) -> Option<String> {
        self.asked.get(file).cloned().flatten()
    }
}

/// The file of the project in a directory, by one name whatever way leads there.
pub(super) fn project_in(directory: &Path) -> PathBuf {
    normalized_path(directory).join("pyproject.toml")
}

/// The directories that a project names as sources of what it requires.
fn sources_of(directory: &Path) -> Vec<PathBuf> {
    let Some(project) = read_project(directory) else { return Vec::new() };
    let sources = at(&project, &["tool", "uv", "sources"]).and_then(Value::as_table);
    // One of them may have several, for different platforms.
    let each = sources
        .into_iter()
        .flat_map(toml::Table::values)
        .flat_map(|source| std::iter::once(source).chain(source.as_array().into_iter().flatten()));
    let paths = each.filter_map(|source| source.get("path")?.as_str());
    paths.map(|path| normalized_path(&directory.join(path))).collect()
}
