//! What a lock file of virtpy's was made from, which it says in a table of its own (`[tool.virtpy]`, as PEP 751 provides for):
//! so that no other request replaces it unasked, and that `sync` can tell when a file has changed since.

use std::path::{Path, PathBuf};

use toml::{Table, Value};
use virtpy_pep::public_requirement;
use virtpy_resolver::{LOCK_KEYS, relative_to, workspace_of};

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
    /// The projects on this machine among the packages, from the lock's directory on: what they ask for was locked as well.
    directories: Vec<String>,
    /// The digest of what they said. Nothing if there are none.
    directories_digest: Option<String>,
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
        Self {
            inputs: inputs.collect(),
            digest: digest(&files),
            directories: Vec::new(),
            directories_digest: None,
        }
    }

    /// The same with the projects on this machine that a lock in `folder` has (PEP 751, `packages.directory`).
    #[must_use]
    pub fn with_directories_of(mut self, lock: &str, folder: &Path) -> Self {
        let lock: Table = lock.parse().unwrap_or_default();
        let packages = lock.get("packages").and_then(Value::as_array).into_iter().flatten();
        let paths = packages.filter_map(|package| package.get("directory")?.get("path")?.as_str());
        self.directories = paths.filter(|path| *path != ".").map(str::to_owned).collect();
        self.directories_digest = of_directories(&self.directories, folder);
        self
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
        let texts = |texts: &[Value]| texts.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let directories = own.get("directories").and_then(Value::as_array);
        Some(Self {
            inputs: texts(inputs),
            digest,
            directories: directories.map(|directories| texts(directories)).unwrap_or_default(),
            directories_digest: own.get("directories-digest").and_then(Value::as_str).map(str::to_owned),
        })
    }

    /// The table that says it, for the end of a lock file.
    pub fn table(&self) -> String {
        let mut own = Table::new();
        own.insert("inputs".to_owned(), Value::from(self.inputs.clone()));
        if let Some(digest) = &self.digest {
            own.insert("inputs-digest".to_owned(), Value::from(digest.clone()));
        }
        if let Some(digest) = &self.directories_digest {
            own.insert("directories".to_owned(), Value::from(self.directories.clone()));
            own.insert("directories-digest".to_owned(), Value::from(digest.clone()));
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
        let mut changed: Vec<String> =
            if is_told && now != self.digest { files.into_iter().cloned().collect() } else { Vec::new() };
        let now = of_directories(&self.directories, folder);
        if self.directories_digest.is_some() && now.is_some() && now != self.directories_digest {
            changed.extend(self.directories.iter().map(|path| format!("{path}/pyproject.toml")));
        }
        changed
    }
}

/// The digest of what files ask for: of a project only what decides about that.
fn digest(files: &[&PathBuf]) -> Option<String> {
    let mut digest = Sha256::new();
    for file in files {
        let text = fs::read_to_string(file).ok()?;
        let asked = match text.parse::<Table>() {
            Ok(project) if file.file_name().is_some_and(|name| name == "pyproject.toml") => {
                let folder = file.parent().unwrap_or(Path::new("/"));
                of_project(&project) + &made_of(&project, folder) + &settings_of(&project, folder)
            }
            _ => text,
        };
        digest.update(asked.len().to_le_bytes());
        digest.update(asked.as_bytes());
    }
    (!files.is_empty()).then(|| format!("sha256:{}", hex(&digest.finish())))
}

/// The digest of what the projects in these directories ask for; nothing if one of them cannot be read.
fn of_directories(directories: &[String], folder: &Path) -> Option<String> {
    let files: Vec<PathBuf> =
        directories.iter().map(|path| folder.join(path).join("pyproject.toml")).collect();
    digest(&files.iter().collect::<Vec<_>>())
}

/// What else decides about the dependencies of a project that does not say them itself (`dynamic`): the files that setuptools makes
/// them of.
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
    let text = |name: &String| fs::read_to_string(&folder.join(name)).unwrap_or_default();
    let parts: Vec<String> = names.iter().flat_map(|name| [name.clone(), text(name)]).collect();
    parts.join("\n")
}

/// The settings in `[tool.uv]` that decide about a lock: the project's own, and those of its workspace's root.
fn settings_of(project: &Table, folder: &Path) -> String {
    let root = workspace_of(folder).and_then(|root| fs::read_to_string(&root.join("pyproject.toml")).ok());
    let root = root.and_then(|text| text.parse::<Table>().ok());
    let tables = [Some(project), root.as_ref()].into_iter().flatten();
    let of = |table| -> Vec<String> {
        let settings = at(table, &["tool", "uv"]).and_then(Value::as_table);
        let counting = settings.into_iter().flatten().filter(|(key, _)| LOCK_KEYS.contains(&key.as_str()));
        counting.map(|(key, value)| format!("{key} = {value}\n")).collect()
    };
    // A lock that was made without any is as current as before there was anything to look at.
    tables.flat_map(of).collect::<Vec<_>>().concat()
}

/// What stands under these keys, one in the table of the other.
fn at<'t>(table: &'t Table, keys: &[&str]) -> Option<&'t Value> {
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
        write("[project]\nname = 'x'\ndependencies = ['a']\n[tool.uv]\ncache-keys = []\n");
        assert_eq!(origin.changed(&folder), Vec::<String>::new());
        write("[project]\nname = 'x'\ndependencies = ['a']\n[tool.uv]\nresolution = 'lowest'\n");
        assert_eq!(origin.changed(&folder), ["pyproject.toml"]);
        fs::remove_file(&project).unwrap();
        assert_eq!(origin.changed(&folder), Vec::<String>::new());
        assert_eq!(Origin::read("lock-version = '1.0'"), None);
    }

    #[test]
    fn projects_beside_it_and_files_that_a_backend_reads_count() {
        let holder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(holder.path()).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write_atomic(&path, text.as_bytes()).unwrap();
        };
        let own = "[project]\nname = 'x'\ndynamic = ['dependencies']\n\
                   [tool.setuptools.dynamic]\ndependencies = { file = ['wanted.txt'] }\n";
        write("pyproject.toml", own);
        write("wanted.txt", "a\n");
        write("near/pyproject.toml", "[project]\nname = 'near'\n");
        let lock = "[[packages]]\nname = 'x'\ndirectory = { path = '.' }\n[[packages]]\nname = 'near'\n\
                    [packages.directory]\npath = 'near'\n";
        let asked = [LockedFrom::File(folder.join("pyproject.toml"))];
        let origin = Origin::of(&asked, &folder).with_directories_of(lock, &folder);
        assert_eq!(Origin::read(&origin.table()), Some(origin.clone()));
        assert_eq!(origin.changed(&folder), Vec::<String>::new());
        write("near/pyproject.toml", "[project]\nname = 'near'\ndependencies = ['b']\n");
        assert_eq!(origin.changed(&folder), ["near/pyproject.toml"]);
        write("wanted.txt", "a\nb\n");
        assert_eq!(origin.changed(&folder), ["pyproject.toml", "near/pyproject.toml"]);
    }
}
