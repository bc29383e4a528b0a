//! What a lock file of virtpy's was made from, which it says in a table of its own (`[tool.virtpy]`, as PEP 751 provides for):
//! so that no other request replaces it unasked, and that `sync` can tell when a file has changed since.

use std::path::{Path, PathBuf};

use toml::{Table, Value};
use virtpy_pep::public_requirement;
use virtpy_resolver::relative_to;

use crate::words::masked;
use virtpy_files as fs;
use virtpy_files::digest::{Sha256, hex};

/// The table's name below `[tool]`.
const KEY: &str = "virtpy";

/// How the table begins.
const HEADER: &str = "\n[tool.virtpy]\n";

/// What is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedFrom {
    /// A requirement.
    Requirement(String),
    /// A project, a script or a requirements file.
    File(PathBuf),
}

/// What a lock file was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Requirements as they were typed, without secrets, and files from the lock's directory on.
    pub inputs: Vec<String>,
    /// The digest of what the files said. Nothing if there are none.
    digest: Option<String>,
}

impl Origin {
    /// What is asked for now, for a lock file in `folder`. Files that cannot be read say nothing.
    pub fn of(asked: &[LockedFrom], folder: &Path) -> Self {
        let inputs = asked.iter().map(|one| match one {
            LockedFrom::Requirement(text) => public_requirement(&masked(text)),
            LockedFrom::File(path) => relative_to(path, folder),
        });
        let files: Vec<&PathBuf> = asked
            .iter()
            .filter_map(|one| if let LockedFrom::File(path) = one { Some(path) } else { None })
            .collect();
        Self { inputs: inputs.collect(), digest: digest(&files) }
    }

    /// What a lock file's text says of it.
    pub fn read(text: &str) -> Option<Self> {
        if !text.contains(KEY) {
            return None;
        }
        // It stands at the end, as [`Self::table`] makes it: parsing all the rest would take longer than what asks for it.
        let end = text.rfind(HEADER).map_or("", |start| &text[start..]);
        let lock: Table =
            end.parse().ok().filter(|end: &Table| !end.is_empty()).or_else(|| text.parse().ok())?;
        let own = lock.get("tool")?.get(KEY)?;
        let inputs = own.get("inputs")?.as_array()?;
        let digest = own.get("inputs-digest").and_then(Value::as_str).map(str::to_owned);
        Some(Self { inputs: inputs.iter().filter_map(Value::as_str).map(str::to_owned).collect(), digest })
    }

    /// The table that says it, for the end of a lock file.
    pub fn table(&self) -> String {
        let mut own = Table::new();
        own.insert("inputs".to_owned(), Value::from(self.inputs.clone()));
        if let Some(digest) = &self.digest {
            own.insert("inputs-digest".to_owned(), Value::from(digest.clone()));
        }
        format!("{HEADER}{own}")
    }

    /// The files that changed since a lock file in `folder` was made from them; none if they are as they were, or gone.
    pub fn changed(&self, folder: &Path) -> Vec<String> {
        let is_file = |input: &&String| fs::metadata(&folder.join(input)).is_ok_and(|found| found.is_file());
        let has_ending = |input: &String| {
            let ending = Path::new(input).extension().and_then(|ending| ending.to_str());
            matches!(ending, Some("toml" | "txt" | "in" | "cfg" | "py"))
        };
        // Of several files' digest nothing can be said without one of them.
        if self.inputs.iter().any(|input| has_ending(input) && !is_file(&input)) {
            return Vec::new();
        }
        let files: Vec<&String> = self.inputs.iter().filter(is_file).collect();
        let paths: Vec<PathBuf> = files.iter().map(|name| folder.join(name)).collect();
        let now = digest(&paths.iter().collect::<Vec<_>>());
        let is_told = self.digest.is_some() && now.is_some();
        if is_told && now != self.digest { files.into_iter().cloned().collect() } else { Vec::new() }
    }
}

/// The digest of what files ask for: of a project only what decides about that.
fn digest(files: &[&PathBuf]) -> Option<String> {
    let mut digest = Sha256::new();
    for file in files {
        let text = fs::read_to_string(file).ok()?;
        let asked = match text.parse::<Table>() {
            Ok(project) if file.file_name().is_some_and(|name| name == "pyproject.toml") => {
                of_project(&project)
            }
            _ => text,
        };
        digest.update(asked.len().to_le_bytes());
        digest.update(asked.as_bytes());
    }
    (!files.is_empty()).then(|| format!("sha256:{}", hex(&digest.finish())))
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
    let asked = places.iter().map(|place| {
        let (first, rest) = place.split_first()?;
        rest.iter().try_fold(project.get(*first)?, |value, key| value.get(key))
    });
    asked.map(|value| value.map(ToString::to_string).unwrap_or_default() + "\n").collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn a_lock_says_what_it_was_made_from_and_what_changed() {
        let holder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(holder.path()).unwrap();
        let project = folder.join("pyproject.toml");
        let write = |text: &str| fs::write_atomic(&project, text.as_bytes()).unwrap();
        write("[project]\nname = 'x'\ndependencies = ['a']\n");
        let asked = [LockedFrom::File(project.clone()), LockedFrom::Requirement("rich>=13".to_owned())];
        let origin = Origin::of(&asked, &folder);
        let text = format!("lock-version = '1.0'\n[[packages]]\nname = 'a'\n{}", origin.table());
        assert_eq!(Origin::read(&text), Some(origin.clone()));
        assert_eq!(origin.inputs, ["pyproject.toml", "rich>=13"]);
        write("[tool.x]\ny = 1\n[project]\ndependencies = ['a']\nname = 'x'\n");
        assert_eq!(origin.changed(&folder), Vec::<String>::new());
        write("[project]\nname = 'x'\ndependencies = ['a', 'b']\n");
        assert_eq!(origin.changed(&folder), ["pyproject.toml"]);
        fs::remove_file(&project).unwrap();
        assert_eq!(origin.changed(&folder), Vec::<String>::new());
        assert_eq!(Origin::read("lock-version = '1.0'"), None);
    }
}
