//! Lock files of every origin: how each is recognised, which one of a folder is meant, and the form of those that the
//! facade and Poetry's module do not read (`Pipfile.lock`).

mod asked;
mod error;
mod locked_files;
mod neighbours;
mod origin;
mod pipfile;
mod project;
mod staleness;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::scripts;
use virtpy_files as fs;

pub use error::LockFileError;
pub use locked_files::LockedFiles;
pub use neighbours::Neighbours;
pub use origin::{LockedFrom, Origin, directories_in};
pub use pipfile::Pipfile;
pub use project::{
    lock_of_other_tool, member_in_lock, project_of_file, project_root, python_project, within_project,
};
pub use virtpy_resolver::workspace_of;

/// The form of a file that says what a venv is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LockKind {
    /// `pylock.toml`, `pylock.NAME.toml` (PEP 751).
    Pylock,
    /// `uv.lock`, and `SCRIPT.py.lock` as uv writes it.
    Uv,
    /// `poetry.lock`.
    Poetry,
    /// `Pipfile.lock` of pipenv.
    Pipfile,
    /// Requirements in pip's format.
    Requirements,
    /// A project's `pyproject.toml`, which is not locked at all.
    Project,
}

/// The files that are looked for in a folder, in this order. A standard goes before a tool's own form, and what locks
/// before what only asks. Requirements count only if they pin everything, which their reader tells.
const IN_ORDER: [(&str, LockKind); 6] = [
    ("pylock.toml", LockKind::Pylock),
    ("uv.lock", LockKind::Uv),
    ("poetry.lock", LockKind::Poetry),
    ("Pipfile.lock", LockKind::Pipfile),
    ("requirements.txt", LockKind::Requirements),
    ("pyproject.toml", LockKind::Project),
];

impl LockKind {
    /// The form of a file, told by its name. What has no other form is taken for requirements, as pip does.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some((_, kind)) = IN_ORDER.iter().find(|(known, _)| *known == name) {
            return *kind;
        }
        if is_named_pylock(&name) {
            Self::Pylock
        } else if name.ends_with(".py.lock") {
            Self::Uv
        } else {
            Self::Requirements
        }
    }

    /// The versions of Python that a file is for, as far as it says so in a place of its own.
    pub fn requires_python(self, text: &str) -> Option<String> {
        let table: toml::Table = match self {
            Self::Pylock | Self::Uv | Self::Project => text.parse().ok()?,
            Self::Poetry | Self::Pipfile | Self::Requirements => return None,
        };
        let place = if self == Self::Project { table.get("project")?.as_table()? } else { &table };
        place.get("requires-python")?.as_str().map(str::to_owned)
    }
}

/// Whether a file's name is that of a lock file with a name of its own: `pylock.NAME.toml`, the NAME without a dot (PEP 751).
fn is_named_pylock(name: &str) -> bool {
    let middle = name.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix(".toml"));
    middle.is_some_and(|middle| !middle.is_empty() && !middle.contains('.'))
}

/// The lock file of the nearest folder of the project, from this one upwards, that has one: the first of `pylock.toml`,
/// `uv.lock`, `poetry.lock`, `Pipfile.lock`, `requirements.txt` and `pyproject.toml`. A member of a workspace that has no lock
/// of its own is locked by the workspace's: by `pylock.toml` if that has it, or by `uv.lock`.
pub fn find(folder: &Path) -> Option<PathBuf> {
    let found = within_project(folder).find_map(|folder| {
        let paths = IN_ORDER.iter().map(|(name, _)| folder.join(name));
        let mut present = paths.filter(|path| is_file(path));
        present.next()
    })?;
    let folder = found.parent().unwrap_or(folder);
    if matches!(LockKind::of(&found), LockKind::Requirements | LockKind::Project)
        && let Some(workspace) = workspace_of(folder)
    {
        let own = workspace.join("pylock.toml");
        let text = if is_file(&own) { fs::read_to_string(&own).ok() } else { None };
        if text.is_some_and(|text| project::lists_directory(&text, &workspace, folder)) {
            return Some(own);
        }
        let lock = workspace.join("uv.lock");
        if is_file(&lock) {
            return Some(lock);
        }
    }
    Some(found)
}

/// The workspace's lock that a member has none beside, if virtpy made it of the workspace's root and it has the member; none for the
/// root itself.
pub fn lock_of_workspace(member: &Path) -> Option<PathBuf> {
    let found = find(member).filter(|found| LockKind::of(found) == LockKind::Pylock)?;
    let root = found.parent()?;
    if root == member || workspace_of(member).is_none_or(|workspace| workspace != root) {
        return None;
    }
    let origin = Origin::read(&fs::read_to_string(&found).ok()?)?;
    origin.is_of_project_alone().then_some(found)
}

/// The project's file of the nearest folder, from this one upwards.
pub fn find_project(folder: &Path) -> Option<PathBuf> {
    let mut paths = within_project(folder).map(|folder| folder.join("pyproject.toml"));
    paths.find(|path| is_file(path))
}

/// The files that ask for something else now than when a lock file in `folder` with this text was made. Poetry's own lock says
/// it itself.
pub fn changed_since(kind: LockKind, text: &str, folder: &Path) -> Vec<String> {
    match kind {
        LockKind::Pylock => Origin::read(text).map(|origin| origin.changed(folder)).unwrap_or_default(),
        LockKind::Uv => text.parse().map(|lock| staleness::changed(&lock, folder)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Whether a script requires something else than uv's lock file with this text was made for. What cannot be told is no difference.
pub fn is_of_another_script(text: &str, script: &Path) -> bool {
    let metadata = fs::read(script).ok().and_then(|source| scripts::block(&source).ok().flatten());
    let metadata = metadata.and_then(|block| block.text.parse().ok());
    match (text.parse(), metadata) {
        (Ok(lock), Some(metadata)) => staleness::script_differs(&lock, &metadata),
        _ => false,
    }
}

/// Whether a `pyproject.toml` is of a project, and does not only configure tools.
pub fn is_project(path: &Path) -> bool {
    let text = if is_file(path) { fs::read_to_string(path).ok() } else { None };
    let table: Option<toml::Table> = text.and_then(|text| text.parse().ok());
    table.is_some_and(|table| table.contains_key("project"))
}

fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_told_by_the_name() {
        let kind = |name: &str| LockKind::of(Path::new(name));
        assert_eq!(kind("a/pylock.toml"), LockKind::Pylock);
        assert_eq!(kind("pylock.dev.toml"), LockKind::Pylock);
        assert_eq!(kind("pylock.a.b.toml"), LockKind::Requirements);
        assert_eq!(kind("uv.lock"), LockKind::Uv);
        assert_eq!(kind("task.py.lock"), LockKind::Uv);
        assert_eq!(kind("Pipfile.lock"), LockKind::Pipfile);
        assert_eq!(kind("dev-requirements.txt"), LockKind::Requirements);
    }

    #[test]
    fn the_python_is_read_where_the_form_has_it() {
        let text = "requires-python = '>=3.9'\n[project]\nrequires-python = '>=3.10'";
        assert_eq!(LockKind::Pylock.requires_python(text).as_deref(), Some(">=3.9"));
        assert_eq!(LockKind::Project.requires_python(text).as_deref(), Some(">=3.10"));
        assert_eq!(LockKind::Requirements.requires_python(text), None);
    }
}
