//! The workspace (uv) that a project is a member of, and what stands in the files of both.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::portable::normalized_path;

/// The root of the workspace (uv) that a project is a member of; none for the root itself.
pub fn workspace_of(project: &Path) -> Option<PathBuf> {
    if workspace(&read_project(project)?).is_some() {
        return None;
    }
    // The nearest one decides, as in uv.
    let above = project.ancestors().skip(1);
    let (root, table) = above
        .filter_map(|above| Some((above, read_project(above)?)))
        .find(|(_, table)| workspace(table).is_some())?;
    let path = project.strip_prefix(root).ok()?;
    let names = |key: &str| {
        let patterns = workspace(&table)?.get(key)?.as_array()?;
        let matches = |text: &str| {
            let options =
                glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
            let pattern = glob::Pattern::new(text.trim_start_matches("./").trim_end_matches('/'));
            pattern.is_ok_and(|pattern| pattern.matches_path_with(path, options))
        };
        Some(patterns.iter().filter_map(Value::as_str).any(matches))
    };
    (names("members") == Some(true) && names("exclude") != Some(true)).then(|| root.to_path_buf())
}

/// The members of a workspace, as its root's file tells them: each directory, and the name of its project.
pub fn members_of(root: &Path) -> Vec<(PathBuf, String)> {
    let Some(table) = read_project(root) else { return Vec::new() };
    let patterns = |key: &str| {
        let listed = workspace(&table).and_then(|workspace| workspace.get(key)?.as_array());
        listed.into_iter().flatten().filter_map(Value::as_str)
    };
    let escaped = glob::Pattern::escape(&root.to_string_lossy());
    let found = |pattern: &str| glob::glob(&format!("{escaped}/{pattern}")).into_iter().flatten().flatten();
    let excluded: Vec<PathBuf> = patterns("exclude").flat_map(found).collect();
    let mut members: Vec<(PathBuf, String)> = (patterns("members").flat_map(found))
        .filter(|folder| !excluded.contains(folder))
        .filter_map(|folder| {
            let name = at(&read_project(&folder)?, &["project", "name"])?.as_str()?.to_owned();
            Some((normalized_path(&folder), name))
        })
        .collect();
    members.sort();
    members.dedup();
    members
}

/// The table of a workspace in its root's file.
pub(crate) fn workspace(project: &Table) -> Option<&Table> {
    at(project, &["tool", "uv", "workspace"])?.as_table()
}

/// What stands under these keys, one in the table of the other.
pub(crate) fn at<'t>(file: &'t Table, keys: &[&str]) -> Option<&'t Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(file.get(*first)?, |value, key| value.get(key))
}

/// A directory's `pyproject.toml`, if it is one. Whoever made it: it is read for every command, so nothing is waited for.
#[expect(
    clippy::disallowed_methods,
    reason = "reading only: the ban is on writing past the one module that does"
)]
pub fn read_project(folder: &Path) -> Option<Table> {
    let path = folder.join("pyproject.toml");
    std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
    std::fs::read_to_string(&path).ok()?.parse().ok()
}
