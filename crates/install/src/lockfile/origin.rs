//! What a lock file of virtpy's was made from, which it says in a table of its own (`[tool.virtpy]`, as PEP 751 provides for):
//! so that no other request replaces it unasked, and that `sync` can tell when a file has changed since.

use std::path::{Path, PathBuf};

use toml::{Table, Value};
use virtpy_pep::public_requirement;
use virtpy_resolver::relative_to;

use super::asked::{asked_by, asked_in, digest_of};
use super::neighbours::{Neighbours, project_in};
use crate::words::masked;
use virtpy_files as fs;

/// The table's name below `[tool]`.
const KEY: &str = "virtpy";

/// What stands for the digest of something that is not known to be what was locked: it is never that of anything.
const UNKNOWN: &str = "unknown";

/// How the table begins.
const HEADER: &str = "\n[tool.virtpy]\n";

/// What is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedFrom {
    /// A requirement.
    Requirement(String),
    /// A project, a script or a requirements file.
    File(PathBuf),
    /// A file that was read already, and what it said.
    Read(PathBuf, String),
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
            LockedFrom::File(path) | LockedFrom::Read(path, _) => relative_to(path, folder),
        });
        let texts = asked.iter().filter_map(|one| match one {
            LockedFrom::Requirement(_) => None,
            LockedFrom::File(path) => Some(asked_by(path)),
            LockedFrom::Read(path, text) => Some(Some(asked_in(path, text.clone()))),
        });
        Self {
            inputs: inputs.collect(),
            digest: digest_of(texts),
            directories: Vec::new(),
            directories_digest: None,
        }
    }

    /// The same with the projects on this machine that a lock in `folder` has, as they were when they were looked at.
    #[must_use]
    pub fn with_directories_of(mut self, lock: &str, folder: &Path, neighbours: &Neighbours) -> Self {
        self.directories = directories_in(lock);
        self.directories_digest = digest_of(self.projects(folder).map(|path| neighbours.asked_by(&path)));
        // One that appeared meanwhile may be locked as it was or as it is.
        if self.directories_digest.is_none()
            && digest_of(self.projects(folder).map(|path| asked_by(&path))).is_some()
        {
            self.directories_digest = Some(UNKNOWN.to_owned());
        }
        self
    }

    /// The files of the projects on this machine, for a lock in `folder`.
    fn projects(&self, folder: &Path) -> impl Iterator<Item = PathBuf> {
        self.directories.iter().map(move |path| project_in(&folder.join(path)))
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

    /// Whether it is its directory's `pyproject.toml`, and nothing else.
    pub fn is_of_project_alone(&self) -> bool {
        self.inputs == ["pyproject.toml"]
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
        let now = digest_of(paths.iter().map(|path| asked_by(path)));
        let is_told = self.digest.is_some() && now.is_some();
        let mut changed: Vec<String> =
            if is_told && now != self.digest { files.into_iter().cloned().collect() } else { Vec::new() };
        let now = digest_of(self.projects(folder).map(|path| asked_by(&path)));
        if self.directories_digest.is_some() && now.is_some() && now != self.directories_digest {
            changed.extend(self.directories.iter().map(|path| format!("{path}/pyproject.toml")));
        }
        changed
    }
}

/// The projects on this machine that a lock has beside the one that it is made for (PEP 751, `packages.directory`).
pub fn directories_in(lock: &str) -> Vec<String> {
    let lock: Table = lock.parse().unwrap_or_default();
    let packages = lock.get("packages").and_then(Value::as_array).into_iter().flatten();
    let paths = packages.filter_map(|package| package.get("directory")?.get("path")?.as_str());
    paths.filter(|path| *path != ".").map(str::to_owned).collect()
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

    /// Writes a file, and the folders above it.
    fn write_below(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write_atomic(&path, text.as_bytes()).unwrap();
    }

    #[test]
    fn projects_beside_it_and_files_that_a_backend_reads_count() {
        let holder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(holder.path()).unwrap();
        let write = |name: &str, text: &str| write_below(&folder, name, text);
        let own = "[project]\nname = 'x'\ndynamic = ['dependencies']\n\
                   [tool.setuptools.dynamic]\ndependencies = { file = ['wanted.txt'] }\n";
        write("pyproject.toml", own);
        write("wanted.txt", "a\n");
        write("near/pyproject.toml", "[project]\nname = 'near'\n");
        let lock = "[[packages]]\nname = 'x'\ndirectory = { path = '.' }\n[[packages]]\nname = 'near'\n\
                    [packages.directory]\npath = 'near'\n";
        let asked = [LockedFrom::File(folder.join("pyproject.toml"))];
        let mut neighbours = Neighbours::default();
        assert!(neighbours.look_at([folder.join("near")]));
        assert!(!neighbours.look_at([folder.join("near")]), "the first look counts");
        let origin = Origin::of(&asked, &folder).with_directories_of(lock, &folder, &neighbours);
        assert_eq!(Origin::read(&origin.table()), Some(origin.clone()));
        assert_eq!(origin.changed(&folder), Vec::<String>::new());
        write("near/pyproject.toml", "[project]\nname = 'near'\ndependencies = ['b']\n");
        assert_eq!(origin.changed(&folder), ["near/pyproject.toml"]);
        // It changed after it was looked at, or was not there then.
        for neighbours in [neighbours, Neighbours::default()] {
            let origin = Origin::of(&asked, &folder).with_directories_of(lock, &folder, &neighbours);
            assert_eq!(origin.changed(&folder), ["near/pyproject.toml"]);
        }
        write("wanted.txt", "a\nb\n");
        assert_eq!(origin.changed(&folder), ["pyproject.toml", "near/pyproject.toml"]);
    }

    #[test]
    fn files_of_hooks_and_the_sources_of_a_workspaces_root_count() {
        let holder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(holder.path()).unwrap();
        let write = |name: &str, text: &str| write_below(&folder, name, text);
        let member = "[project]\nname = 'x'\ndynamic = ['dependencies']\n\
                      [tool.hatch.metadata.hooks.requirements_txt]\nfiles = ['parts/wanted.txt']\n";
        let root = "[tool.uv.workspace]\nmembers = ['x']\n[tool.uv.sources]\nnear = { path = 'a' }\n";
        write("x/pyproject.toml", member);
        write("x/parts/wanted.txt", "a\n");
        write("pyproject.toml", root);
        let origin = Origin::of(&[LockedFrom::File(folder.join("x/pyproject.toml"))], &folder.join("x"));
        let changed = || origin.changed(&folder.join("x"));
        assert_eq!(changed(), Vec::<String>::new());
        for (name, before, after) in [
            ("x/parts/wanted.txt", "a\n", "a\nb\n"),
            ("x/pyproject.toml", member, &member.replace("files", "filename")),
            ("pyproject.toml", root, &root.replace("'a'", "'b'")),
        ] {
            write(name, after);
            assert_eq!(changed(), ["pyproject.toml"], "{name}");
            write(name, before);
            assert_eq!(changed(), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn what_requirements_include_is_read_where_it_is_a_file() {
        let holder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(holder.path()).unwrap();
        let write = |name: &str, text: &str| write_below(&folder, name, text);
        write("wanted.in", "-r more.txt\n");
        write("more.txt", "a\n");
        let origin = Origin::of(&[LockedFrom::File(folder.join("wanted.in"))], &folder);
        assert_eq!(origin.changed(&folder), Vec::<String>::new());
        write("more.txt", "b\n");
        assert_eq!(origin.changed(&folder), ["wanted.in"]);
        // Nobody would ever write into this one.
        fs::remove_file(&folder.join("more.txt")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.join("more.txt")).status();
        assert!(made.unwrap().success());
        assert_eq!(origin.changed(&folder), ["wanted.in"]);
    }
}
