//! Snapshots of folder trees, to show that a command changed nothing, or exactly what it should.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::archive;

/// What stands at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A folder with its permission bits.
    Folder(u32),
    /// A regular file with its permission bits and its content's SHA-256 in short.
    File(u32, String),
    /// A symbolic link with its target.
    Link(String),
}

/// All that lies under a folder, by relative path. Links are not followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(pub(crate) BTreeMap<String, Node>);

impl Tree {
    /// Reads the tree under `root`; a root that does not exist gives an empty tree.
    pub(crate) fn of(root: &Path) -> Self {
        let mut tree = Self::default();
        tree.read(root, "");
        tree
    }

    /// The same without everything under the top-level names `ignored`.
    pub(crate) fn without(mut self, ignored: &[&str]) -> Self {
        self.0.retain(|path, _| {
            let inside = |name: &&str| path == name || path.starts_with(&format!("{name}/"));
            !ignored.iter().any(inside)
        });
        self
    }

    /// The same without the paths that have one of these as a component.
    pub(crate) fn without_components(mut self, names: &[&str]) -> Self {
        self.0.retain(|path, _| !path.split('/').any(|component| names.contains(&component)));
        self
    }

    fn read(&mut self, root: &Path, relative: &str) {
        let Ok(entries) = std::fs::read_dir(root.join(relative)) else {
            return;
        };
        for entry in entries {
            let entry = entry.expect("the folder can be listed");
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if relative.is_empty() { name } else { format!("{relative}/{name}") };
            let facts = entry.path().symlink_metadata().expect("the entry can be examined");
            let mode = facts.permissions().mode() & 0o7777;
            let node = if facts.is_symlink() {
                let target = std::fs::read_link(entry.path()).expect("the link can be read");
                Node::Link(target.to_string_lossy().into_owned())
            } else if facts.is_dir() {
                self.read(root, &path);
                Node::Folder(mode)
            } else {
                let content = std::fs::read(entry.path()).unwrap_or_default();
                Node::File(mode, archive::hex(&archive::sha256(&content)[..6]))
            };
            self.0.insert(path, node);
        }
    }

    /// What stands at `path`.
    pub(crate) fn node(&self, path: &str) -> Option<&Node> {
        self.0.get(path)
    }

    /// Whether a symbolic link stands at `path`.
    pub(crate) fn is_link(&self, path: &str) -> bool {
        matches!(self.node(path), Some(Node::Link(_)))
    }

    /// Whether a real folder stands at `path`.
    pub(crate) fn is_folder(&self, path: &str) -> bool {
        matches!(self.node(path), Some(Node::Folder(_)))
    }

    /// The differences to a later tree, one a line; empty if there are none.
    pub(crate) fn differences(&self, later: &Self) -> String {
        let mut lines = Vec::new();
        for (path, node) in &self.0 {
            match later.0.get(path) {
                None => lines.push(format!("gone: {path} ({node})")),
                Some(other) if other != node => lines.push(format!("changed: {path} ({node} -> {other})")),
                Some(_) => {}
            }
        }
        let added = later.0.iter().filter(|(path, _)| !self.0.contains_key(*path));
        lines.extend(added.map(|(path, node)| format!("new: {path} ({node})")));
        lines.join("\n")
    }

    /// Panics with the differences if the tree under `root` is not this one.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self, later: &Self, what: &str) {
        let differences = self.differences(later);
        assert!(differences.is_empty(), "{what} changed:\n{differences}");
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(mode) => write!(formatter, "folder {mode:o}"),
            Self::File(mode, hash) => write!(formatter, "file {mode:o} {hash}"),
            Self::Link(target) => write!(formatter, "link to {target}"),
        }
    }
}
