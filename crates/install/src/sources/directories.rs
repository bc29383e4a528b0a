//! The directories that a set of packages is built from, and how they are now: what was built from one counts only for as long
//! as the directory is as it was.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use virtpy_resolver::{Artifact, Package, normalized_path};

use super::lock_source::LockSource;
use crate::lockfile::LockKind;
use crate::poetry::file_url;
use crate::resolve::commit;
use crate::scripts;
use virtpy_files as fs;

/// Fields of `[project]` that come from files of the project if it calls them dynamic, and change what is installed.
const DECISIVE: [&str; 6] =
    ["version", "dependencies", "optional-dependencies", "scripts", "gui-scripts", "entry-points"];

/// The directories that packages are built from, by their `file:` URLs.
pub(super) struct Directories(BTreeMap<String, Directory>);

/// One directory.
struct Directory {
    /// Whether only its build files were looked at: enough for a package that is used in place and says all in them.
    in_place: bool,
    /// How it is now; none where that cannot be told quickly.
    state: Option<String>,
}

impl Directories {
    /// Those that a source names, and its own.
    pub(super) fn of(source: &LockSource) -> Self {
        let mut named = BTreeMap::from([(source.folder.clone(), true)]);
        if matches!(source.kind, LockKind::Pylock | LockKind::Uv) {
            for (path, in_place) in source.texts.iter().flat_map(|text| named_in(text)) {
                let path = normalized_path(&source.folder.join(path));
                // Used in place and built for good: then all of it counts.
                named.entry(path).and_modify(|known| *known &= in_place).or_insert(in_place);
            }
        }
        Self(
            named
                .into_iter()
                .map(|(path, in_place)| (file_url(&path), Directory::of(&path, in_place)))
                .collect(),
        )
    }

    /// How they are, by their URLs.
    pub(super) fn states(&self) -> BTreeMap<&str, Option<&str>> {
        self.0.iter().map(|(url, directory)| (url.as_str(), directory.state.as_deref())).collect()
    }

    /// Whether a package is the same as long as neither the request nor these directories change.
    pub(super) fn tell(&self, package: &Package) -> bool {
        let editable = match &package.file {
            Artifact::Wheel { sha256, local, .. } => {
                return sha256.is_some() || local.is_none() || package.direct_url.is_none();
            }
            Artifact::Source { key: Some(_), .. } => return true,
            Artifact::Source { editable, .. } => *editable,
        };
        let url = package.direct_url.as_ref().map(|direct| direct.url.as_str());
        let known = url.and_then(|url| self.0.get(url.trim_end_matches('/')));
        known.is_some_and(|known| known.state.is_some() && (editable || !known.in_place))
    }
}

impl Directory {
    fn of(path: &Path, in_place: bool) -> Self {
        let in_place = in_place && says_all(path);
        let state = scripts::watch(path, in_place).and_then(|watched| {
            let commit = if in_place { String::new() } else { commit(path)? };
            serde_json::to_string(&(watched, commit)).ok()
        });
        Self { in_place, state }
    }
}

/// The directories that a lock file's text names, and whether each is surely used in place. It is looked through line by line,
/// since parsing it would take longer than all the rest; that more is found than there is does no harm.
fn named_in(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.lines().flat_map(|line| {
        let value = |key: &str| {
            let rest = line.split_once(key)?.1.trim_start().strip_prefix('=')?.trim_start();
            let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            rest[1..].split_once(quote).map(|(value, _)| value)
        };
        let in_place = line.contains("editable = true");
        [
            value("path").map(|path| (path, in_place)),
            value("editable").map(|path| (path, true)),
            value("directory").map(|path| (path, false)),
        ]
        .into_iter()
        .flatten()
    })
}

/// Whether a project's `pyproject.toml` says itself what is installed of it in place: its version, what it requires and which
/// commands it has.
fn says_all(folder: &Path) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct File {
        project: Option<Project>,
        tool: Tool,
    }
    #[derive(Deserialize)]
    struct Project {
        #[serde(default)]
        dynamic: Vec<String>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "kebab-case")]
    struct Tool {
        poetry: Option<toml::Table>,
        poetry_dynamic_versioning: Option<toml::Table>,
    }
    let text = fs::read_to_string(&folder.join("pyproject.toml")).unwrap_or_default();
    let file: File = toml::from_str(&text).unwrap_or_default();
    match file.project {
        Some(project) => !project.dynamic.iter().any(|field| DECISIVE.contains(&field.as_str())),
        None => file.tool.poetry.is_some() && file.tool.poetry_dynamic_versioning.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locks_directories_are_found_in_its_text() {
        let text = "source = { editable = \".\" }\nsource = { directory = \"vendor/a\" }\n\
                    directory = { path = \"libs/b\", editable = true }\n[packages.directory]\npath = 'libs/c'\n\
                    editable = true\nsource = { registry = \"https://host.invalid/simple\" }\n";
        let found: Vec<(&str, bool)> = named_in(text).collect();
        assert_eq!(found, [(".", true), ("vendor/a", false), ("libs/b", true), ("libs/c", false)]);
    }

    #[test]
    fn a_version_that_is_made_elsewhere_is_looked_for_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |name: &str, text: &str| {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write_atomic(&root.join(name), text.as_bytes()).unwrap();
        };
        let state = || Directory::of(root, true).state.unwrap();
        write("pyproject.toml", "[project]\nname = 'p'\nversion = '1'\n");
        write("p.py", "__version__ = '1'\n");
        write(".git/HEAD", "ref: refs/heads/main\n");
        write(".git/refs/heads/main", "1\n");
        let before = state();
        write("p.py", "__version__ = '1.1'\n");
        assert_eq!(state(), before, "all is said in one file");
        write("pyproject.toml", "[project]\nname = 'p'\ndynamic = ['version']\n");
        let before = state();
        write("p.py", "__version__ = '1.1.1'\n");
        let code = state();
        assert_ne!(code, before);
        write(".git/refs/heads/main", "12\n");
        let branch = state();
        assert_ne!(branch, code);
        write(".git/refs/tags/v2", "12\n");
        assert_ne!(state(), branch);
    }
}
