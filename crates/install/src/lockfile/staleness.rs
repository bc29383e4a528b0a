//! Whether a `uv.lock` was made for a project, and the members of its workspace, as they are now. uv follows it all the same with `--frozen`, as virtpy does; but a
//! user should hear of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};
use virtpy_pep::{PackageName, Requirement};
use virtpy_resolver::{members_of, read_project, relative_to};

/// The kinds of sources that are directories on this machine.
const DIRECTORIES: [&str; 3] = ["editable", "virtual", "directory"];

/// What is required: names, each with its version specifiers, sorted. Those of a requirement with a source of its own (a URL, a
/// directory) are not in a lock, so they are left out.
type Specifiers = BTreeMap<PackageName, BTreeSet<String>>;

/// The projects that ask for something else than a lock in `folder` has for them: the root, the members of its workspace, and others on
/// this machine. A member that the lock does not know is one of them.
pub(super) fn changed(lock: &Table, folder: &Path) -> Vec<String> {
    let root = read_project(folder).unwrap_or_default();
    let inherited = sources(&root);
    let places = places(lock);
    let mut changed = Vec::new();
    for place in &places {
        let path = Path::new(place).join("pyproject.toml");
        let shown = if place == "." { "pyproject.toml".to_owned() } else { path.display().to_string() };
        // A member that is gone is no longer asked for; of any other directory nothing can be said.
        let Some(project) = read_project(&folder.join(place)) else { continue };
        if differs(lock, &project, &inherited) {
            changed.push(shown);
        }
    }
    let is_known = |member: &Path| places.iter().any(|place| folder.join(place) == member);
    let new = members_of(folder).into_iter().map(|(member, _)| member).filter(|member| !is_known(member));
    changed.extend(new.map(|member| relative_to(&member.join("pyproject.toml"), folder)));
    changed
}

/// Whether the requirements of a script differ from those that its lock has.
pub(super) fn script_differs(lock: &Table, metadata: &Table) -> bool {
    let sources = sources(metadata);
    let mut texts = Vec::new();
    collect(metadata.get("dependencies"), &mut texts);
    // Where nothing is required, there is no such table.
    let locked = lock.get("manifest").and_then(|manifest| manifest.get("requirements"));
    asked(&texts, &sources) != locked_requirements(locked, &sources)
}

/// The directories that a lock has packages in.
fn places(lock: &Table) -> BTreeSet<String> {
    let packages = lock.get("package").and_then(Value::as_array).into_iter().flatten();
    let place = |package: &Value| {
        let source = package.get("source")?;
        DIRECTORIES.iter().find_map(|kind| source.get(kind)?.as_str()).map(str::to_owned)
    };
    packages.filter_map(place).collect()
}

/// The packages that a project gives a place for.
fn sources(project: &Table) -> BTreeSet<PackageName> {
    let sources = project.get("tool").and_then(|tool| tool.get("uv")?.get("sources")?.as_table());
    sources.into_iter().flatten().filter_map(|(name, _)| name.parse::<PackageName>().ok()).collect()
}

/// Whether the requirements of a project differ from those that a lock has for it. The places that its workspace gives count as well.
/// What cannot be told is no difference.
fn differs(lock: &Table, project: &Table, inherited: &BTreeSet<PackageName>) -> bool {
    let Some(package) = package(lock, project) else { return false };
    // Where nothing is required, there is no such table.
    let nothing = Value::Table(Table::new());
    let locked = package.get("metadata").unwrap_or(&nothing);
    let is_dynamic = |key: &str| {
        let dynamic = project.get("project").and_then(|table| table.get("dynamic")).and_then(Value::as_array);
        dynamic.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(key)))
    };
    if is_dynamic("dependencies") || is_dynamic("optional-dependencies") {
        return false;
    }
    let sources: BTreeSet<PackageName> = sources(project).union(inherited).cloned().collect();
    let mut texts = Vec::new();
    let own = project.get("project");
    collect(own.and_then(|table| table.get("dependencies")), &mut texts);
    for extra in own.and_then(|table| table.get("optional-dependencies")?.as_table()).into_iter().flatten() {
        collect(Some(extra.1), &mut texts);
    }
    asked(&texts, &sources) != locked_requirements(locked.get("requires-dist"), &sources)
        || groups_differ(locked, project, &sources)
}

/// The project's own package in a lock.
fn package<'a>(lock: &'a Table, project: &Table) -> Option<&'a Value> {
    let name = project.get("project")?.get("name")?.as_str()?.parse::<PackageName>().ok()?;
    let packages = lock.get("package")?.as_array()?;
    packages.iter().find(|package| {
        let source = package.get("source");
        let is_own = DIRECTORIES.iter().any(|kind| source.is_some_and(|one| one.get(kind).is_some()));
        is_own && package.get("name").and_then(Value::as_str) == Some(name.as_str())
    })
}

fn groups_differ(locked: &Value, project: &Table, sources: &BTreeSet<PackageName>) -> bool {
    let groups = project.get("dependency-groups").and_then(Value::as_table);
    let mut names: BTreeSet<PackageName> = BTreeSet::new();
    for (name, requirements) in groups.into_iter().flatten() {
        // What a group includes stands in the lock under its own name as well.
        let includes =
            requirements.as_array().is_some_and(|all| all.iter().any(|one| one.as_str().is_none()));
        let Ok(name) = name.parse::<PackageName>() else { return false };
        let mut texts = Vec::new();
        collect(Some(requirements), &mut texts);
        let group = locked.get("requires-dev").and_then(|all| all.get(name.as_str()));
        if !includes && asked(&texts, sources) != locked_requirements(group, sources) {
            return true;
        }
        names.insert(name);
    }
    // `[tool.uv] dev-dependencies` is a group `dev` as well.
    let known = locked.get("requires-dev").and_then(Value::as_table);
    known.into_iter().flatten().any(|(name, _)| name != "dev" && !names.contains(name.as_str()))
}

fn collect<'a>(requirements: Option<&'a Value>, texts: &mut Vec<&'a str>) {
    texts.extend(requirements.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str));
}

fn asked(texts: &[&str], sources: &BTreeSet<PackageName>) -> Specifiers {
    let mut asked = Specifiers::new();
    for text in texts {
        let Ok(requirement) = text.parse::<Requirement>() else { continue };
        let specifiers = asked.entry(requirement.name().clone()).or_default();
        if requirement.url().is_none() && !sources.contains(requirement.name()) {
            // The marker stands behind a semicolon, the extras in brackets.
            let rest = text.split(';').next().unwrap_or_default();
            let rest = rest.rsplit_once(']').map_or(rest, |(_, rest)| rest);
            let start = rest.find(['<', '>', '=', '!', '~']).unwrap_or(rest.len());
            specifiers.extend(parts(&rest[start..]));
        }
    }
    asked
}

fn locked_requirements(locked: Option<&Value>, sources: &BTreeSet<PackageName>) -> Specifiers {
    let mut asked = Specifiers::new();
    for one in locked.and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = one.get("name").and_then(|name| name.as_str()?.parse::<PackageName>().ok()) else {
            continue;
        };
        let specifiers = asked.entry(name.clone()).or_default();
        if !sources.contains(&name) {
            specifiers.extend(parts(one.get("specifier").and_then(Value::as_str).unwrap_or_default()));
        }
    }
    asked
}

/// The specifiers of a list, without spaces and brackets.
fn parts(text: &str) -> impl Iterator<Item = String> {
    let tidy = |part: &str| {
        part.chars().filter(|letter| !letter.is_whitespace() && !"()".contains(*letter)).collect()
    };
    text.split(',').map(tidy).filter(|part: &String| !part.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
mod tests {
    use super::*;

    const LOCK: &str = "[[package]]\nname = 'my-x'\nsource = { virtual = '.' }\n[package.metadata]\n\
        requires-dist = [{ name = 'rich', specifier = '>=13,<15' }, { name = 'near', editable = 'near' }, \
        { name = 'attrs', extras = ['a'], marker = \"extra == 'more'\", specifier = '>=1' }]\n\
        provides-extras = ['more']\n[package.metadata.requires-dev]\ndev = [{ name = 'pytest' }]\n";

    fn differs_from(dependencies: &str, dev: &str) -> bool {
        let text = format!(
            "[project]\nname = 'My.X'\ndependencies = {dependencies}\noptional-dependencies = {{ more = ['attrs[a] >= 1'] }}\n\
             [dependency-groups]\ndev = {dev}\n[tool.uv.sources]\nnear = {{ path = 'near' }}\n"
        );
        differs(&LOCK.parse().unwrap(), &text.parse().unwrap(), &BTreeSet::new())
    }

    #[test]
    fn a_script_is_compared_with_what_its_lock_was_made_for() {
        let lock = "[manifest]\nrequirements = [{ name = 'rich', specifier = '>=13' }]\n".parse().unwrap();
        let differs = |metadata: &str| script_differs(&lock, &metadata.parse().unwrap());
        assert!(!differs("dependencies = ['Rich >= 13']"));
        assert!(differs("dependencies = ['rich>=14']"));
        assert!(differs("dependencies = ['rich>=13', 'attrs']"));
        assert!(!script_differs(&"version = 1".parse().unwrap(), &"dependencies = []".parse().unwrap()));
    }

    #[test]
    fn requirements_are_compared_as_they_are_meant() {
        assert!(!differs_from("['near>=2', 'Rich <15, >=13']", "['pytest']"));
        assert!(differs_from("['near', 'rich>=13']", "['pytest']"));
        assert!(differs_from("['near', 'rich>=13,<15', 'new']", "['pytest']"));
        assert!(differs_from("['rich>=13,<15']", "['pytest']"));
        assert!(differs_from("['near', 'rich>=13,<15']", "['pytest>8']"));
        assert!(!differs_from("['near', 'rich>=13,<15']", "[{ include-group = 'x' }]"));
    }
}
