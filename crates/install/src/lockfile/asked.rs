//! What files ask for that a lock is made from, as a text, and the digest by which it is known again.

use std::path::Path;

use toml::{Table, Value};
use virtpy_resolver::{LOCK_KEYS, RequirementsFiles, Surroundings, relative_to, workspace_of};

use crate::scripts;
use virtpy_files as fs;
use virtpy_files::digest::{Sha256, hex};

/// What a file asks for; nothing if it cannot be read.
pub(super) fn asked_by(file: &Path) -> Option<String> {
    Some(asked_in(file, fs::read_to_string(file).ok()?))
}

/// What a file with this text asks for: of a project or a script only what decides about that, of requirements what they include
/// as well.
pub(super) fn asked_in(file: &Path, text: String) -> String {
    let folder = file.parent().unwrap_or(Path::new("/"));
    if file.file_name().is_some_and(|name| name == "pyproject.toml") {
        let Ok(project) = text.parse::<Table>() else { return text };
        return of_project(&project) + &made_of(&project, folder) + &settings_of(&project, folder);
    }
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("in" | "txt") => of_requirements(file, folder, text),
        Some("py" | "pyw") => match scripts::block(text.as_bytes()) {
            Ok(Some(block)) => block.text,
            _ => text,
        },
        _ => text,
    }
}

/// What requirements ask for, with the files and projects of this machine that they include. Nothing is fetched: what is behind a
/// URL counts by its address.
fn of_requirements(file: &Path, folder: &Path, text: String) -> String {
    let environment = |name: &str| std::env::var(name).ok();
    let fetch = |_: &str, _: u64| Ok(Vec::new());
    let from = Surroundings { folder, environment: &environment, fetch: &fetch, pipes: false };
    let Ok(found) = RequirementsFiles::of_text(file, text.clone(), from) else { return text };
    let included = found.texts.iter().filter_map(|one| Some((one.path.as_deref()?, one.text.clone())));
    let included = included.filter(|(path, _)| *path != file);
    let projects = found.projects.iter().filter_map(|path| Some((path.as_path(), asked_by(path)?)));
    // What includes nothing is no more than its text.
    let named = |(path, text): (&Path, String)| format!("\n{}\n{text}", relative_to(path, folder));
    text + &included.chain(projects).map(named).collect::<String>()
}

/// The digest of what files ask for. Nothing if there are none, or one of them could not be read.
pub(super) fn digest_of(asked: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let mut digest = Sha256::new();
    let mut is_empty = true;
    for asked in asked {
        let asked = asked?;
        digest.update(asked.len().to_le_bytes());
        digest.update(asked.as_bytes());
        is_empty = false;
    }
    (!is_empty).then(|| format!("sha256:{}", hex(&digest.finish())))
}

/// What else decides about the dependencies of a project that does not say them itself (`dynamic`): the files that setuptools and
/// hatchling's hooks make them of.
fn made_of(project: &Table, folder: &Path) -> String {
    let listed = |value: Option<&Value>| -> Vec<String> {
        let texts = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let dynamic = listed(at(project, &["project", "dynamic"]));
    if !dynamic.iter().any(|field| field.ends_with("dependencies")) {
        return String::new();
    }
    let table = at(project, &["tool", "setuptools", "dynamic"]);
    let fields = table.and_then(Value::as_table).into_iter().flatten();
    // Of extras there is one table more.
    let tables = fields.flat_map(|(_, field)| {
        std::iter::once(field).chain(field.as_table().into_iter().flat_map(Table::values))
    });
    let mut names = vec!["setup.py".to_owned(), "setup.cfg".to_owned()];
    for file in tables.filter_map(|table| table.get("file")) {
        names.extend(file.as_str().map(str::to_owned));
        names.extend(listed(Some(file)));
    }
    let hooks = at(project, &["tool", "hatch", "metadata", "hooks"]);
    // Each names files in its own way: whatever is a file of the project counts.
    let mut texts = Vec::new();
    if let Some(hooks) = hooks {
        texts_in(hooks, &mut texts);
    }
    let is_file = |name: &&str| fs::metadata(&folder.join(name)).is_ok_and(|found| found.is_file());
    names.extend(hooks.map(|_| "hatch_build.py".to_owned()));
    names.extend(texts.into_iter().filter(is_file).map(str::to_owned));
    let text = |name: &String| fs::read_to_string(&folder.join(name)).unwrap_or_default();
    let mut parts: Vec<String> = names.iter().flat_map(|name| [name.clone(), text(name)]).collect();
    parts.extend(hooks.map(ToString::to_string));
    parts.join("\n")
}

/// All texts in a value, but for keys.
fn texts_in<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(values) => values.iter().for_each(|value| texts_in(value, texts)),
        Value::Table(table) => table.values().for_each(|value| texts_in(value, texts)),
        _ => {}
    }
}

/// The settings in `[tool.uv]` that decide about a lock: the project's own, and those of its workspace's root.
fn settings_of(project: &Table, folder: &Path) -> String {
    let root = workspace_of(folder).and_then(|root| fs::read_to_string(&root.join("pyproject.toml")).ok());
    let root = root.and_then(|text| text.parse::<Table>().ok());
    let inherited = root.as_ref().and_then(|root| at(root, &["tool", "uv", "sources"]));
    let tables = [Some(project), root.as_ref()].into_iter().flatten();
    let of = |table| -> Vec<String> {
        let settings = at(table, &["tool", "uv"]).and_then(Value::as_table);
        let counting = settings.into_iter().flatten().filter(|(key, _)| LOCK_KEYS.contains(&key.as_str()));
        counting.map(|(key, value)| format!("{key} = {value}\n")).collect()
    };
    // A lock that was made without any is as current as before there was anything to look at.
    let inherited = inherited.map(|sources| format!("sources = {sources}\n"));
    tables.flat_map(of).chain(inherited).collect::<Vec<_>>().concat()
}

/// What stands under these keys, one in the table of the other.
pub(super) fn at<'t>(table: &'t Table, keys: &[&str]) -> Option<&'t Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(table.get(*first)?, |value, key| value.get(key))
}

/// What a project asks for. A table's keys come sorted, so their order in the file does not count.
fn of_project(project: &Table) -> String {
    let places: [&[&str]; 8] = [
        &["project", "name"],
        &["project", "dependencies"],
        &["project", "optional-dependencies"],
        &["project", "requires-python"],
        &["project", "dynamic"],
        &["dependency-groups"],
        &["build-system"],
        &["tool", "uv", "sources"],
    ];
    let asked = places.iter().map(|place| at(project, place));
    asked.map(|value| value.map(ToString::to_string).unwrap_or_default() + "\n").collect()
}
