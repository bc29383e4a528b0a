//! Where a project begins: the directory that no search goes past, and the workspace that a project is a member of.

use std::path::{Path, PathBuf};

use toml::Table;

use virtpy_files as fs;
use virtpy_resolver::{normalized_path, workspace_of};

/// The files of a Python project. Requirements files are none of them: many projects keep one in `docs/` or `tests/`.
const FILES: [&str; 9] = [
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "pylock.toml",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile",
    "Pipfile.lock",
];

/// What the top of a working copy has.
const REPOSITORIES: [&str; 3] = [".git", ".hg", ".jj"];

/// The lock files of other tools, and the tools that record requirements in their projects.
const OTHER_TOOLS: [(&str, &str); 4] =
    [("poetry.lock", "poetry"), ("uv.lock", "uv"), ("pdm.lock", "pdm"), ("Pipfile.lock", "pipenv")];

fn has_any(folder: &Path, names: &[&str]) -> bool {
    names.iter().any(|name| matches!(fs::kind(&folder.join(name)), Ok(Some(_))))
}

/// The directories that belong to the project that a directory is in, from this one upwards. The last one is the project's
/// root: it has a file of a Python project, or is the top of a working copy. A member of a workspace (uv) belongs to that.
/// Where there is no project, these are all directories above.
///
/// Whether one is the root is found out when the next one is asked for: most of what is looked for is in the first.
pub fn within_project(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let mut above = folder.ancestors();
    let mut root: Option<PathBuf> = None;
    let mut last: Option<&Path> = None;
    std::iter::from_fn(move || {
        if let (Some(last), None) = (last, &root) {
            root = if has_any(last, &FILES) {
                Some(workspace_of(last).unwrap_or_else(|| last.to_path_buf()))
            } else {
                has_any(last, &REPOSITORIES).then(|| last.to_path_buf())
            };
        }
        last = above.next().filter(|next| root.as_ref().is_none_or(|root| next.starts_with(root)));
        last.map(Path::to_path_buf)
    })
    .fuse()
}

/// The root of the project that a directory is in; none if it is in no project.
pub fn project_root(folder: &Path) -> Option<PathBuf> {
    let root = within_project(folder).last()?;
    (has_any(&root, &FILES) || has_any(&root, &REPOSITORIES)).then_some(root)
}

/// The root of the Python project that a directory is in: like [`project_root`], without working copies that are no Python
/// project.
pub fn python_project(folder: &Path) -> Option<PathBuf> {
    project_root(folder).filter(|root| has_any(root, &FILES))
}

/// The lock file of another tool that locks the project in a directory, and that tool.
pub fn lock_of_other_tool(project: &Path) -> Option<(&'static str, &'static str)> {
    let workspace = workspace_of(project);
    let folders = [Some(project), workspace.as_deref()].into_iter().flatten();
    let is_there = |folder: &Path, name: &str| fs::metadata(&folder.join(name)).is_ok();
    OTHER_TOOLS.into_iter().find(|(lock, _)| folders.clone().any(|folder| is_there(folder, lock)))
}

/// The project of a file in `folder` that somebody names who is in `present`: that of the file, but never one above
/// `present`, if the file is below that; or else the one that `present` is in.
pub fn project_of_file(folder: &Path, present: &Path) -> PathBuf {
    for above in folder.ancestors() {
        if has_any(above, &FILES) {
            return python_project(above).unwrap_or_else(|| above.to_path_buf());
        }
        if above == present {
            return present.to_path_buf();
        }
    }
    python_project(present).unwrap_or_else(|| present.to_path_buf())
}

/// Whether a `pylock.toml` in `root` with this text has the project in `folder`.
pub(super) fn lists_directory(text: &str, root: &Path, folder: &Path) -> bool {
    let lock: Table = text.parse().unwrap_or_default();
    let packages = lock.get("packages").and_then(toml::Value::as_array).into_iter().flatten();
    let mut places = packages.filter_map(|package| package.get("directory")?.get("path")?.as_str());
    places.any(|place| normalized_path(&root.join(place)) == *folder)
}

/// The name of the member whose project is in `folder`, if a `uv.lock` in `root` with this text has it.
pub fn member_in_lock(text: &str, root: &Path, folder: &Path) -> Option<String> {
    let lock: Table = text.parse().ok()?;
    let is_it = |package: &&toml::Value| {
        let places = ["editable", "virtual", "directory"].into_iter();
        let mut places = places.filter_map(|kind| package.get("source")?.get(kind)?.as_str());
        places.any(|place| place != "." && root.join(place) == folder)
    };
    let member = lock.get("package")?.as_array()?.iter().find(is_it)?;
    member.get("name")?.as_str().map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let holder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(holder.path()).unwrap();
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write_atomic(&path, text.as_bytes()).unwrap();
        }
        (holder, root)
    }

    #[test]
    fn a_project_ends_at_its_root() {
        let (_holder, root) = tree(&[
            ("a/pyproject.toml", ""),
            ("a/docs/requirements.txt", ""),
            ("a/lib/setup.py", ""),
            ("b/.git/HEAD", ""),
            ("b/x/y", ""),
        ]);
        assert_eq!(project_root(&root.join("a/docs")), Some(root.join("a")));
        assert_eq!(project_root(&root.join("a/lib")), Some(root.join("a/lib")));
        assert_eq!(project_root(&root.join("b/x")), Some(root.join("b")));
        assert_eq!(python_project(&root.join("b/x")), None);
    }

    #[test]
    fn members_belong_to_their_workspace() {
        let workspace = "[tool.uv.workspace]\nmembers = ['packages/*']\nexclude = ['packages/old']";
        let (_holder, root) = tree(&[
            ("pyproject.toml", workspace),
            ("packages/one/pyproject.toml", "[project]\nname = 'one'"),
            ("packages/old/pyproject.toml", ""),
            ("packages/one/deep/pyproject.toml", ""),
        ]);
        assert_eq!(workspace_of(&root.join("packages/one")), Some(root.clone()));
        assert_eq!(workspace_of(&root.join("packages/old")), None);
        assert_eq!(workspace_of(&root.join("packages/one/deep")), None);
        let all = ["packages/one", "packages", ""].map(|part| root.join(part));
        assert!(within_project(&root.join("packages/one")).eq(all));
    }

    #[test]
    fn a_named_file_belongs_to_a_project() {
        let (_holder, root) =
            tree(&[("a/pyproject.toml", ""), ("a/reqs/dev.txt", ""), ("loose/reqs/dev.txt", "")]);
        let of = |file: &str, present: &str| project_of_file(&root.join(file), &root.join(present));
        assert_eq!(of("a/reqs", "a"), root.join("a"));
        assert_eq!(of("a/reqs", "a/reqs"), root.join("a/reqs"));
        assert_eq!(of("loose/reqs", "loose"), root.join("loose"));
        assert_eq!(of("loose/reqs", "a/reqs"), root.join("a"));
        assert_eq!(of("a/reqs", "loose"), root.join("a"));
    }

    #[test]
    fn a_lock_tells_its_members() {
        let lock = "[[package]]\nname = 'root'\nsource = { editable = '.' }\n\
                    [[package]]\nname = 'one'\nsource = { virtual = 'packages/one' }\n";
        let member = |folder: &str| member_in_lock(lock, Path::new("/ws"), Path::new(folder));
        assert_eq!(member("/ws/packages/one").as_deref(), Some("one"));
        assert_eq!(member("/ws/packages"), None);
        assert_eq!(member("/ws"), None);
    }
}
