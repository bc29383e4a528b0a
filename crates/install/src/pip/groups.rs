//! The requirements of dependency groups (PEP 735), named as `pip install --group [PYPROJECT:]GROUP` names them. What is wrong is
//! told in pip's words.

use std::path::Path;

use toml::{Table, Value};
use virtpy_pep::PackageName;

use crate::{Error, Result};
use virtpy_files as fs;

/// The requirements of groups, in order. Paths start in `folder`.
///
/// # Errors
/// When a file cannot be read, or a group is not there or makes no sense.
pub fn group_requirements(folder: &Path, groups: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for group in groups {
        let (file, name) = group.rsplit_once(':').unwrap_or(("pyproject.toml", group));
        if Path::new(file).file_name().is_none_or(|name| name != "pyproject.toml") {
            return Err(Error::usage(format!(
                "--group: group paths use 'pyproject.toml' filenames, not '{file}'"
            )));
        }
        let table = table_of(folder, file)?;
        let told = |why: String| {
            Error::new(format!("[dependency-groups] resolution failed for '{name}' from '{file}': {why}"))
        };
        push(&table, name, &mut Vec::new(), &mut found).map_err(told)?;
    }
    Ok(found)
}

fn table_of(folder: &Path, file: &str) -> Result<Table> {
    let path = folder.join(file);
    if fs::kind(&path)?.is_none() {
        return Err(Error::new(format!("{file} not found. Cannot resolve '--group' option.")));
    }
    let text = fs::read_to_string(&path)?;
    let mut document: Table =
        toml::from_str(&text).map_err(|error| Error::new(format!("Error parsing {file}: {error}")))?;
    match document.remove("dependency-groups") {
        Some(Value::Table(table)) => Ok(table),
        Some(_) => Err(Error::new(format!(
            "[dependency-groups] table was malformed in {file}. Cannot resolve '--group' option."
        ))),
        None => Err(Error::new(format!(
            "[dependency-groups] table was missing from '{file}'. Cannot resolve '--group' option."
        ))),
    }
}

/// Adds the requirements of a group, and of those that it includes. `within` are the groups that include it.
fn push(table: &Table, group: &str, within: &mut Vec<String>, found: &mut Vec<String>) -> Result<(), String> {
    let key = |name: &str| name.parse::<PackageName>().map_err(|error| error.to_string());
    let wanted = key(group)?;
    if within.iter().any(|one| wanted == **one) {
        return Err(format!("the group includes itself: {} -> {wanted}", within.join(" -> ")));
    }
    let mut matching = table.iter().filter(|(name, _)| key(name).as_ref() == Ok(&wanted));
    let (_, items) = matching.next().ok_or_else(|| format!("Dependency group '{group}' not found"))?;
    if matching.next().is_some() {
        return Err(format!("there are two groups with the name '{wanted}'"));
    }
    let items = items.as_array().ok_or_else(|| format!("Dependency group '{group}' is not a list"))?;
    within.push(wanted.into());
    for item in items {
        match item {
            Value::String(requirement) => found.push(requirement.clone()),
            Value::Table(include) if include.len() == 1 => {
                let other = include.get("include-group").and_then(Value::as_str);
                push(
                    table,
                    other.ok_or_else(|| format!("Invalid dependency group item: {item}"))?,
                    within,
                    found,
                )?;
            }
            _ => return Err(format!("Invalid dependency group item: {item}")),
        }
    }
    within.pop();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, group: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write_new(&folder.path().join("pyproject.toml"), text.as_bytes(), 0o644).unwrap();
        group_requirements(folder.path(), &[group.to_owned()]).map_err(|failure| failure.to_string())
    }

    #[test]
    fn groups_include_others() {
        let text = "[dependency-groups]\nTest_One = [\"a>1\", {include-group = \"two\"}]\ntwo = [\"b\"]\n";
        assert_eq!(of(text, "test.one").unwrap(), ["a>1", "b"]);
        assert_eq!(of(text, "pyproject.toml:two").unwrap(), ["b"]);
        assert!(of(text, "three").unwrap_err().contains("'three' not found"));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (text, why) in [
            ("[project]\n", "table was missing"),
            ("dependency-groups = 1\n", "table was malformed"),
            ("[dependency-groups]\ng = 1\n", "is not a list"),
            ("[dependency-groups]\ng = [1]\n", "Invalid dependency group item"),
            ("[dependency-groups]\ng = [{include-group = \"g\"}]\n", "includes itself: g -> g"),
            ("[dependency-groups]\ng = []\nG = []\n", "two groups"),
        ] {
            let told = of(text, "g").unwrap_err();
            assert!(told.contains(why), "{told}");
        }
        assert!(of("", "other.toml:g").unwrap_err().contains("use 'pyproject.toml' filenames"));
        assert!(of("", "a/pyproject.toml:g").unwrap_err().contains("a/pyproject.toml not found"));
    }
}
