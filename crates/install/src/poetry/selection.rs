//! Which packages of a lock file an environment needs: pure functions of the lock file, the project's groups and
//! extras, and the environment's markers.

use std::collections::{BTreeMap, BTreeSet};

use virtpy_pep::{MarkerEnvironment, Requirement};

use super::lock::{DetailedDependency, LockFile, LockedMarkers, LockedPackage};
use super::project::{Group, group_name};
use super::{PoetryError, constraint};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// The environment.
    pub markers: &'a MarkerEnvironment,
    /// The groups' normalized names.
    pub groups: &'a BTreeSet<String>,
    /// The extras' normalized names.
    pub extras: &'a [String],
}

/// The packages that are needed, each name once, sorted by name.
///
/// # Errors
/// When an extra is asked for that the lock file does not know.
pub fn select<'a>(
    lock: &'a LockFile,
    groups: &BTreeMap<String, Group>,
    selection: Selection<'_>,
) -> Result<Vec<&'a LockedPackage>, PoetryError> {
    let known: BTreeSet<String> = lock.extras.keys().map(|name| group_name(name)).collect();
    if let Some(unknown) = selection.extras.iter().find(|extra| !known.contains(*extra)) {
        return Err(PoetryError::NoSuch { kind: "extra", name: unknown.clone() });
    }
    let mut selected: Vec<&LockedPackage> = if lock.names_groups() {
        lock.packages.iter().filter(|package| is_named(package, selection)).collect()
    } else {
        Walk::new(lock, selection).run(groups)
    };
    selected.sort_by_key(|package| group_name(&package.name));
    selected.dedup_by_key(|package| group_name(&package.name));
    Ok(selected)
}

/// Whether a package says itself that it is needed.
fn is_named(package: &LockedPackage, selection: Selection<'_>) -> bool {
    package.groups.iter().filter(|group| selection.groups.contains(&group_name(group))).any(|group| {
        let marker = match &package.markers {
            None => None,
            Some(LockedMarkers::Everywhere(marker)) => Some(marker),
            Some(LockedMarkers::ByGroup(by_group)) => by_group.get(group),
        };
        marker.is_none_or(|marker| holds(marker, selection.markers, selection.extras))
    })
}

/// Whether a marker holds; one that is not understood does.
fn holds(marker: &str, environment: &MarkerEnvironment, extras: &[String]) -> bool {
    if matches!(marker.trim(), "" | "*") {
        return true;
    }
    let requirement = format!("x ; {marker}").parse::<Requirement>();
    requirement.is_ok_and(|requirement| requirement.applies(environment, extras))
}

/// The way from the project's dependencies through what each package requires.
struct Walk<'a, 'w> {
    selection: Selection<'w>,
    by_name: BTreeMap<String, Vec<&'a LockedPackage>>,
    /// What was found, with the extras that it was asked for with.
    found: BTreeMap<(String, String), BTreeSet<String>>,
    /// Which optional dependencies of the project its extras bring.
    brought: BTreeSet<String>,
}

impl<'a, 'w> Walk<'a, 'w> {
    fn new(lock: &'a LockFile, selection: Selection<'w>) -> Self {
        let mut by_name: BTreeMap<String, Vec<&LockedPackage>> = BTreeMap::new();
        for package in &lock.packages {
            by_name.entry(group_name(&package.name)).or_default().push(package);
        }
        let asked = lock.extras.iter().filter(|(name, _)| selection.extras.contains(&group_name(name)));
        let brought = asked.flat_map(|(_, names)| names).map(|text| group_name(name_of(text))).collect();
        Self { selection, by_name, found: BTreeMap::new(), brought }
    }

    fn run(mut self, groups: &BTreeMap<String, Group>) -> Vec<&'a LockedPackage> {
        for (_, group) in groups.iter().filter(|(name, _)| self.selection.groups.contains(*name)) {
            for (name, dependency) in &group.dependencies {
                if !dependency.optional || self.brought.contains(name) {
                    self.follow(name, dependency, self.selection.extras);
                }
            }
        }
        let is_found = |package: &&LockedPackage| {
            self.found.contains_key(&(group_name(&package.name), package.version.clone()))
        };
        self.by_name.values().flatten().copied().filter(is_found).collect()
    }

    fn follow(&mut self, name: &str, dependency: &DetailedDependency, extras: &[String]) {
        if !self.applies(dependency, extras) {
            return;
        }
        let Some(candidates) = self.by_name.get(name) else { return };
        let wanted = dependency.version.as_deref().unwrap_or("*");
        let admitted = candidates.iter().find(|package| constraint::admits(wanted, &package.version));
        let Some(package) = admitted.or_else(|| candidates.first()).copied() else { return };
        let asked: BTreeSet<String> = dependency.extras.iter().map(|extra| group_name(extra)).collect();
        let key = (name.to_owned(), package.version.clone());
        let is_new = !self.found.contains_key(&key);
        let known = self.found.entry(key).or_default();
        let before = known.len();
        known.extend(asked);
        if !is_new && known.len() == before {
            return;
        }
        let extras: Vec<String> = known.iter().cloned().collect();
        for (name, forms) in &package.dependencies {
            let key = group_name(name);
            for form in forms.forms().iter().map(super::lock::LockedDependency::detailed) {
                if !form.optional || is_brought(package, &key, &extras) {
                    self.follow(&key, &form, &extras);
                }
            }
        }
    }

    fn applies(&self, dependency: &DetailedDependency, extras: &[String]) -> bool {
        let python = dependency.python.as_deref().is_none_or(|python| {
            constraint::alternatives(python).is_none_or(|alternatives| {
                alternatives.iter().any(|specifiers| {
                    let marker = specifiers.split(',').filter(|part| !part.is_empty()).map(python_marker);
                    holds(&marker.collect::<Vec<_>>().join(" and "), self.selection.markers, &[])
                })
            })
        });
        let platform = dependency.platform.as_deref().is_none_or(|platform| {
            holds(&format!("sys_platform == '{platform}'"), self.selection.markers, &[])
        });
        let marker = dependency.markers.as_deref();
        python && platform && marker.is_none_or(|marker| holds(marker, self.selection.markers, extras))
    }
}

/// A specifier as a marker: `>=3.8` gives `python_full_version >= '3.8'`.
fn python_marker(specifier: &str) -> String {
    let version = specifier.trim_start_matches(['<', '>', '=', '!', '~']);
    let operator = &specifier[..specifier.len() - version.len()];
    format!("python_full_version {operator} '{version}'")
}

/// Whether one of a package's own extras brings an optional dependency.
fn is_brought(package: &LockedPackage, dependency: &str, extras: &[String]) -> bool {
    package.extras.iter().any(|(extra, requirements)| {
        extras.contains(&group_name(extra))
            && requirements.iter().any(|text| group_name(name_of(text)) == dependency)
    })
}

/// The name at the beginning of a requirement, such as `rich (>=13)`.
fn name_of(requirement: &str) -> &str {
    let is_name = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    requirement.split(|letter| !is_name(letter)).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(lock: &str, groups: &BTreeMap<String, Group>, wanted: &[&str], extras: &[&str]) -> String {
        let lock = LockFile::parse(lock).unwrap();
        let wanted = wanted.iter().map(|name| (*name).to_owned()).collect();
        let extras: Vec<String> = extras.iter().map(|name| (*name).to_owned()).collect();
        let selection =
            Selection { markers: &MarkerEnvironment::example(), groups: &wanted, extras: &extras };
        let packages = select(&lock, groups, selection).unwrap();
        let labels = packages.iter().map(|package| format!("{}={}", package.name, package.version));
        labels.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn packages_of_the_newest_form_name_their_groups() {
        let package = |name: &str, rest: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"1\"\noptional = false\n{rest}\n")
        };
        let lock = [
            package("a", "groups = [\"main\"]"),
            package("b", "groups = [\"dev\"]\nmarkers = \"sys_platform == 'win32'\""),
            package("c", "groups = [\"main\", \"dev\"]\nmarkers = {main = \"os_name == 'nt'\"}"),
            package("d", "groups = [\"main\"]\nmarkers = \"extra == 'x'\""),
            "[extras]\nX = [\"d\"]\n[metadata]\nlock-version = \"2.1\"\n".to_owned(),
        ]
        .concat();
        let none = BTreeMap::new();
        assert_eq!(selected(&lock, &none, &["main", "dev"], &[]), "a=1 c=1");
        assert_eq!(selected(&lock, &none, &["main"], &["x"]), "a=1 d=1");
    }

    #[test]
    fn older_forms_are_walked_through() {
        let lock = r#"
[[package]]
name = "app"
version = "1"
[package.dependencies]
Deep = {version = ">=1", extras = ["more"]}
windows = {version = "*", markers = "os_name == 'nt'"}
old = {version = "*", python = "<3.8"}
[[package]]
name = "deep"
version = "2"
[package.dependencies]
extra-of-deep = {version = "*", optional = true}
other = {version = "*", optional = true}
[package.extras]
more = ["extra-of-deep (>=1)"]
[[package]]
name = "extra-of-deep"
version = "1"
[[package]]
name = "other"
version = "1"
[[package]]
name = "twice"
version = "1"
[[package]]
name = "twice"
version = "2"
[[package]]
name = "windows"
version = "1"
[[package]]
name = "old"
version = "1"
[[package]]
name = "optional"
version = "1"
[extras]
x = ["optional"]
[metadata]
lock-version = "2.0"
"#;
        let dependency = |version: &str, markers: Option<&str>, optional: bool| DetailedDependency {
            version: Some(version.to_owned()),
            markers: markers.map(ToOwned::to_owned),
            optional,
            ..DetailedDependency::default()
        };
        let main = Group {
            optional: false,
            dependencies: vec![
                ("app".to_owned(), dependency("*", None, false)),
                ("twice".to_owned(), dependency("^1", Some("os_name == 'nt'"), false)),
                ("twice".to_owned(), dependency("^2", Some("os_name != 'nt'"), false)),
                ("optional".to_owned(), dependency("*", None, true)),
            ],
        };
        let groups = BTreeMap::from([("main".to_owned(), main)]);
        assert_eq!(selected(lock, &groups, &["main"], &[]), "app=1 deep=2 extra-of-deep=1 twice=2");
        assert_eq!(
            selected(lock, &groups, &["main"], &["x"]),
            "app=1 deep=2 extra-of-deep=1 optional=1 twice=2"
        );
    }
}
