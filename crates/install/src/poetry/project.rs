//! Reading a project of Poetry's: `pyproject.toml` with `[project]`, `[dependency-groups]` and `[tool.poetry]`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::{Table, Value};
use virtpy_pep::{PackageName, Requirement};

use super::PoetryError;
use super::constraint;
use super::content_hash::content_hash;
use super::lock::{DetailedDependency, LockFile, OneOrMany};
use virtpy_files as fs;

/// The group of what the project itself requires.
pub const MAIN: &str = "main";

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its folder, absolute.
    pub root: PathBuf,
    /// The whole of its `pyproject.toml`.
    pub table: Table,
}

/// A group of dependencies.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Whether it is only installed if somebody asks for it.
    pub optional: bool,
    /// What it requires: names, and what of them.
    pub dependencies: Vec<(String, DetailedDependency)>,
}

/// The groups that somebody asks for.
#[derive(Debug, Clone, Default)]
pub struct GroupChoice {
    /// Only these.
    pub only: Vec<String>,
    /// These too, though they are optional.
    pub with: Vec<String>,
    /// Not these.
    pub without: Vec<String>,
}

impl Project {
    /// Reads the project in a folder.
    ///
    /// # Errors
    /// When there is none, or its `pyproject.toml` cannot be read.
    pub fn read(root: &Path) -> Result<Self, PoetryError> {
        let path = root.join("pyproject.toml");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.is_not_found() => return Err(PoetryError::NoProject(root.to_path_buf())),
            other => other?,
        };
        let table = toml::from_str(&text)
            .map_err(|error| PoetryError::Unusable { path, reason: error.message().to_owned() })?;
        Ok(Self { root: root.to_path_buf(), table })
    }

    fn lookup(&self, path: &[&str]) -> Option<&Value> {
        let (last, folders) = path.split_last()?;
        let table = folders.iter().try_fold(&self.table, |table, key| table.get(*key)?.as_table())?;
        table.get(*last)
    }

    fn table_at(&self, path: &[&str]) -> impl Iterator<Item = (&String, &Value)> {
        self.lookup(path).and_then(Value::as_table).into_iter().flatten()
    }

    /// A text of `[project]`, or else of `[tool.poetry]`.
    pub fn text(&self, key: &str) -> Option<&str> {
        let own = self.lookup(&["project", key]).or_else(|| self.lookup(&["tool", "poetry", key]));
        own.and_then(Value::as_str)
    }

    /// A value of `[tool.poetry]`.
    pub fn poetry(&self, key: &str) -> Option<&Value> {
        self.lookup(&["tool", "poetry", key])
    }

    /// Whether the project is a package itself, and not only a list of dependencies.
    pub fn is_package(&self) -> bool {
        self.poetry("package-mode").and_then(Value::as_bool).unwrap_or(true)
    }

    /// The program that builds the project (PEP 517), and whether Poetry's own runs a script for it.
    pub fn is_built_by_poetry_alone(&self) -> bool {
        let backend = self.lookup(&["build-system", "build-backend"]).and_then(Value::as_str);
        let is_own = backend.is_none_or(|backend| backend == "poetry.core.masonry.api");
        is_own && self.poetry("build").is_none()
    }

    /// Which versions of Python the project is for, as specifiers of PEP 440.
    pub fn requires_python(&self) -> Option<String> {
        let own = self.lookup(&["project", "requires-python"]).and_then(Value::as_str);
        let text = own.or_else(|| self.lookup(&["tool", "poetry", "dependencies", "python"])?.as_str())?;
        constraint::alternatives(text)?.into_iter().next().filter(|specifiers| !specifiers.is_empty())
    }

    /// Whether a lock file was made for the project as it is.
    pub fn is_locked_by(&self, lock: &LockFile) -> bool {
        let Some(expected) = &lock.content_hash else { return false };
        let is_old = lock.written_by.is_some_and(|version| version < (2, 3));
        content_hash(&self.table, true) == *expected
            || is_old && content_hash(&self.table, false) == *expected
    }

    /// Its groups by their normalized names, `main` among them.
    pub fn groups(&self) -> BTreeMap<String, Group> {
        let mut groups = BTreeMap::from([(MAIN.to_owned(), self.main_group())]);
        for name in self.table_at(&["dependency-groups"]).map(|(name, _)| name) {
            let mut requirements = Vec::new();
            self.collect_requirements(name, &mut BTreeSet::new(), &mut requirements);
            let group: &mut Group = groups.entry(group_name(name)).or_default();
            group.dependencies.extend(requirements.iter().filter_map(|text| from_requirement(text)));
        }
        for (name, value) in self.table_at(&["tool", "poetry", "group"]) {
            let group: &mut Group = groups.entry(group_name(name)).or_default();
            let Some(table) = value.as_table() else { continue };
            group.optional = table.get("optional").and_then(Value::as_bool).unwrap_or(false);
            merge(group, table.get("dependencies").and_then(Value::as_table));
        }
        if let Some(dependencies) = self.poetry("dev-dependencies").and_then(Value::as_table) {
            merge(groups.entry("dev".to_owned()).or_default(), Some(dependencies));
        }
        // Groups may contain others (Poetry 2).
        let includes = self.table_at(&["tool", "poetry", "group"]).filter_map(|(name, value)| {
            let others = value.get("include-groups")?.as_array()?.iter().filter_map(Value::as_str);
            Some((group_name(name), others.map(group_name).collect::<Vec<_>>()))
        });
        for (name, others) in includes.collect::<Vec<_>>() {
            let more: Vec<_> = others
                .iter()
                .filter_map(|other| groups.get(other))
                .flat_map(|group| group.dependencies.clone())
                .collect();
            groups.entry(name).or_default().dependencies.extend(more);
        }
        groups
    }

    /// What the project itself requires, what its extras bring included.
    fn main_group(&self) -> Group {
        let mut group = Group::default();
        let listed = self.lookup(&["project", "dependencies"]).and_then(Value::as_array);
        let texts = listed.into_iter().flatten().filter_map(Value::as_str);
        group.dependencies.extend(texts.filter_map(from_requirement));
        for (_, requirements) in self.table_at(&["project", "optional-dependencies"]) {
            let texts = requirements.as_array().into_iter().flatten().filter_map(Value::as_str);
            let optional = texts
                .filter_map(from_requirement)
                .map(|(name, dependency)| (name, DetailedDependency { optional: true, ..dependency }));
            group.dependencies.extend(optional);
        }
        let own = self.lookup(&["tool", "poetry", "dependencies"]).and_then(Value::as_table);
        if group.dependencies.is_empty() {
            merge(&mut group, own);
        }
        group
    }

    /// The requirements of a group of PEP 735, with those of the groups that it includes.
    fn collect_requirements(&self, name: &str, seen: &mut BTreeSet<String>, found: &mut Vec<String>) {
        if !seen.insert(group_name(name)) {
            return;
        }
        let same = |(other, _): &(&String, &Value)| group_name(other) == group_name(name);
        let Some((_, items)) = self.table_at(&["dependency-groups"]).find(same) else { return };
        for item in items.as_array().into_iter().flatten() {
            match item {
                Value::String(text) => found.push(text.clone()),
                Value::Table(table) => {
                    if let Some(other) = table.get("include-group").and_then(Value::as_str) {
                        self.collect_requirements(other, seen, found);
                    }
                }
                _ => {}
            }
        }
    }

    /// The extras of the project and the normalized names of what each brings.
    pub fn extras(&self) -> BTreeMap<String, Vec<String>> {
        let modern = self.table_at(&["project", "optional-dependencies"]);
        let legacy = self.table_at(&["tool", "poetry", "extras"]);
        modern
            .chain(legacy)
            .map(|(name, items)| {
                let texts = items.as_array().into_iter().flatten().filter_map(Value::as_str);
                (group_name(name), texts.filter_map(|text| Some(from_requirement(text)?.0)).collect())
            })
            .collect()
    }

    /// The names of the groups that a choice means.
    ///
    /// # Errors
    /// When it names a group that the project does not have.
    pub fn choose(&self, choice: &GroupChoice) -> Result<BTreeSet<String>, PoetryError> {
        let groups = self.groups();
        let normalized =
            |names: &[String]| names.iter().map(|name| group_name(name)).collect::<BTreeSet<_>>();
        let (only, with, without) =
            (normalized(&choice.only), normalized(&choice.with), normalized(&choice.without));
        if let Some(unknown) =
            only.iter().chain(&with).chain(&without).find(|name| !groups.contains_key(*name))
        {
            return Err(PoetryError::NoSuch { kind: "group", name: unknown.clone() });
        }
        if !only.is_empty() {
            return Ok(only);
        }
        let usual = groups.iter().filter(|(_, group)| !group.optional).map(|(name, _)| name.clone());
        Ok(usual.chain(with).filter(|name| !without.contains(name)).collect())
    }
}

/// The normalized name of a group or an extra, which has the form of a package's (PEP 685, PEP 735); what is not a name stays as
/// it is.
pub fn group_name(name: &str) -> String {
    name.parse::<PackageName>().map_or_else(|_| name.to_owned(), String::from)
}

/// A requirement of PEP 508 in Poetry's terms.
fn from_requirement(text: &str) -> Option<(String, DetailedDependency)> {
    let requirement: Requirement = text.parse().ok()?;
    let markers = text.split_once(';').map(|(_, marker)| marker.trim().to_owned());
    let version = requirement.specifiers();
    let dependency = DetailedDependency {
        version: (!version.is_empty()).then_some(version),
        markers: markers.filter(|marker| !marker.is_empty()),
        extras: requirement.extras(),
        ..DetailedDependency::default()
    };
    Some((requirement.name().to_string(), dependency))
}

fn merge(group: &mut Group, dependencies: Option<&Table>) {
    for (name, value) in dependencies.into_iter().flatten().filter(|(name, _)| *name != "python") {
        let Ok(forms) = OneOrMany::deserialize(value.clone()) else { continue };
        let name = group_name(name);
        group.dependencies.extend(forms.forms().iter().map(|form| (name.clone(), form.detailed())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> Project {
        Project { root: PathBuf::from("/p"), table: toml::from_str(text).unwrap() }
    }

    const PROJECT: &str = r#"
[tool.poetry]
name = "shop"
[tool.poetry.dependencies]
python = "^3.9"
rich = "^13"
idna = [{version = "1", markers = "os_name == 'nt'"}, {version = "2"}]
black = {version = "*", optional = true, extras = ["d"]}
[tool.poetry.extras]
Fmt = ["black"]
[tool.poetry.group.dev.dependencies]
pytest = "*"
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
sphinx = "*"
"#;

    #[test]
    fn reads_groups_and_extras() {
        let project = project(PROJECT);
        let groups = project.groups();
        assert_eq!(groups.keys().collect::<Vec<_>>(), ["dev", "docs", "main"]);
        assert!(groups["docs"].optional);
        let mut names: Vec<_> = groups["main"].dependencies.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["black", "idna", "idna", "rich"]);
        assert_eq!(project.extras()["fmt"], ["black"]);
        assert_eq!(project.requires_python().as_deref(), Some(">=3.9,<4"));
        assert!(project.is_package());
    }

    #[test]
    fn reads_groups_of_pep_735() {
        let project = project(
            "[project]\nname = \"a\"\ndependencies = [\"rich>=1 ; os_name == 'posix'\"]\n[dependency-groups]\n\
             test = [\"pytest\", {include-group = \"Lint\"}]\nlint = [\"ruff\"]\n",
        );
        let groups = project.groups();
        assert_eq!(groups["test"].dependencies.len(), 2);
        assert_eq!(groups["main"].dependencies[0].1.markers.as_deref(), Some("os_name == 'posix'"));
    }

    #[test]
    fn groups_are_chosen_as_with_poetry() {
        let project = project(PROJECT);
        let choose = |only: &[&str], with: &[&str], without: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let choice = GroupChoice { only: owned(only), with: owned(with), without: owned(without) };
            project.choose(&choice).map(|names| names.into_iter().collect::<Vec<_>>().join(","))
        };
        assert_eq!(choose(&[], &[], &[]).unwrap(), "dev,main");
        assert_eq!(choose(&[], &["docs"], &["dev"]).unwrap(), "docs,main");
        assert_eq!(choose(&["docs"], &["dev"], &[]).unwrap(), "docs");
        assert!(choose(&[], &["nothing"], &[]).is_err());
    }
}
