//! What a wheel would put at a path of the venv, before it is known who else wants that path.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use virtpy_store::{DIST_INFO_ALIAS, Manifest};
use virtpy_wheel::{self as wheel, Tree};

use super::VenvError;
use super::node::PlannedDistribution;
use super::served::is_served_tree;

/// Trees of data in which many distributions have files of their own, however deep (FHS, XDG).
const COMMON_DATA: [&str; 4] = ["share/icons/", "share/locale/", "share/man/", "share/themes/"];

/// A folder of data three levels deep is taken for one distribution's own if it has so many files.
const OWN_DATA: usize = 16;

/// A tree that branches into so many folders at once is not a place where others put one folder each.
const BRANCHES: usize = 3;

/// What one distribution contributes to one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathCandidate {
    /// The distribution, as an index into the plan's members.
    pub(super) member: usize,
    /// What it is.
    pub(super) kind: CandidateKind,
}

/// What a [`PathCandidate`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CandidateKind {
    /// A folder of an entry.
    Folder(Tree, String),
    /// A file of an entry.
    File(Tree, String),
    /// A script of the wheel, by its index in the manifest.
    Script(usize),
    /// A script to be generated, by the entry point's index in the manifest.
    EntryPoint(usize),
}

/// The paths of a member's trees, read from its manifest only when a folder has to be opened.
#[derive(Debug, Default)]
pub(super) struct Files {
    site: OnceCell<Vec<String>>,
}

impl Files {
    /// What lies directly in a folder of the member's tree: each name, and whether it is a folder.
    pub(super) fn children(
        &self,
        member: &PlannedDistribution<'_>,
        tree: Tree,
        folder: &str,
    ) -> Result<BTreeMap<String, bool>, VenvError> {
        let manifest = member.manifest;
        match tree {
            Tree::Site if folder == manifest.dist_info => {
                Ok(manifest.dist_info_items.iter().map(|item| (item.name.clone(), item.folder)).collect())
            }
            Tree::Site => {
                let paths = self.site(member)?.iter().map(String::as_str);
                let mut children = direct_children(paths, folder);
                let is_code =
                    |name: &str| Path::new(name).extension().is_some_and(|extension| extension == "py");
                let has_code = children.iter().any(|(name, is_folder)| !is_folder && is_code(name));
                if has_code && !folder.is_empty() {
                    children.insert(wheel::BYTECODE_FOLDER.to_owned(), true);
                }
                Ok(children)
            }
            Tree::Data => Ok(direct_children(manifest.data.iter().map(|row| row.path.as_str()), folder)),
            Tree::Headers => {
                Ok(direct_children(manifest.headers.iter().map(|row| row.path.as_str()), folder))
            }
            Tree::Scripts => {
                let paths = manifest.scripts.iter().map(|script| script.file.path.as_str());
                Ok(direct_children(paths, folder))
            }
        }
    }

    /// Whether a candidate is a folder of static files; those of other trees than `site-packages` and the venv's data are not served.
    pub(super) fn is_served(
        &self,
        member: &PlannedDistribution<'_>,
        candidate: &PathCandidate,
    ) -> Result<bool, VenvError> {
        Ok(match &candidate.kind {
            CandidateKind::Folder(Tree::Site, path) => {
                is_served_tree(self.site(member)?.iter().filter_map(|file| in_folder(file, path)))
            }
            CandidateKind::Folder(Tree::Data, path) => {
                is_served_tree(member.manifest.data.iter().filter_map(|row| in_folder(&row.path, path)))
            }
            _ => false,
        })
    }

    fn site(&self, member: &PlannedDistribution<'_>) -> Result<&Vec<String>, VenvError> {
        if let Some(paths) = self.site.get() {
            return Ok(paths);
        }
        let rows = member.manifest.rows()?;
        Ok(self.site.get_or_init(|| rows.into_iter().map(|row| row.path).collect()))
    }
}

/// The part of a path that is inside a folder.
fn in_folder<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'))
}

/// Whether a folder of data is clearly one distribution's own, and not of a common tree: deep, with files directly in it
/// (`share/jupyter/labextensions/plotly`, but not `etc/jupyter/jupyter_server_config.d`), or a tree of many files that
/// branches at once (`share/jupyter/lab`, whose parts `JupyterLab` serves by their real paths).
fn is_own_data(path: &str, manifest: &Manifest) -> bool {
    let files: Vec<&str> = manifest.data.iter().filter_map(|row| in_folder(&row.path, path)).collect();
    let children: BTreeSet<&str> = files.iter().filter_map(|file| file.split('/').next()).collect();
    let has_files = files.iter().any(|file| !file.contains('/'));
    let is_common = COMMON_DATA.iter().any(|tree| path.starts_with(tree));
    let is_own = match path.split('/').count() {
        ..3 => false,
        3 => files.len() >= OWN_DATA && (has_files || children.len() >= BRANCHES),
        4.. => has_files,
    };
    is_own && !is_common
}

fn direct_children<'a>(paths: impl Iterator<Item = &'a str>, folder: &str) -> BTreeMap<String, bool> {
    let mut children = BTreeMap::new();
    for path in paths {
        let inside = if folder.is_empty() { Some(path) } else { in_folder(path, folder) };
        if let Some(inside) = inside {
            let (name, is_folder) = inside.split_once('/').map_or((inside, false), |(name, _)| (name, true));
            children.insert(name.to_owned(), is_folder);
        }
    }
    children
}

impl PathCandidate {
    /// Whether it is a folder.
    pub(super) fn is_folder(&self) -> bool {
        matches!(self.kind, CandidateKind::Folder(..))
    }

    /// Whether it is a folder into which an installer that knows nothing of links may put another distribution's files:
    /// part of a namespace, or a folder of data that is not clearly one distribution's own.
    pub(super) fn may_be_joined(&self, members: &[PlannedDistribution<'_>]) -> bool {
        let manifest = members[self.member].manifest;
        match &self.kind {
            CandidateKind::Folder(Tree::Site, path) => manifest.namespaces.binary_search(path).is_ok(),
            CandidateKind::Folder(Tree::Data, path) => !is_own_data(path, manifest),
            _ => false,
        }
    }

    /// Its path in its entry, tree included, as the facts about shared libraries name it.
    pub(super) fn place(&self) -> String {
        match &self.kind {
            CandidateKind::Folder(tree, path) | CandidateKind::File(tree, path) if path.is_empty() => {
                tree.folder().to_owned()
            }
            CandidateKind::Folder(tree, path) | CandidateKind::File(tree, path) => {
                format!("{}/{path}", tree.folder())
            }
            CandidateKind::Script(_) | CandidateKind::EntryPoint(_) => String::new(),
        }
    }

    /// Where its bytes lie in the store, for all but generated scripts.
    pub(super) fn source(&self, members: &[PlannedDistribution<'_>]) -> PathBuf {
        let member = &members[self.member];
        match &self.kind {
            CandidateKind::Folder(tree, path) | CandidateKind::File(tree, path) if path.is_empty() => {
                member.entry.join(tree.folder())
            }
            CandidateKind::Folder(Tree::Site, path) | CandidateKind::File(Tree::Site, path)
                if in_folder(path, &member.manifest.dist_info).is_some() =>
            {
                let inside = in_folder(path, &member.manifest.dist_info).unwrap_or_default();
                member.entry.join(DIST_INFO_ALIAS).join(inside)
            }
            CandidateKind::Folder(tree, path) | CandidateKind::File(tree, path) => {
                member.entry.join(tree.folder()).join(path)
            }
            CandidateKind::Script(index) => {
                member.entry.join("scripts").join(&member.manifest.scripts[*index].file.path)
            }
            CandidateKind::EntryPoint(_) => member.entry.to_path_buf(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_a_folder_from_a_flat_list_of_paths() {
        let paths = ["a/b/c.py", "a/b.py", "ab/x", "a/d"];
        let children = direct_children(paths.into_iter(), "a");
        let expected = [("b", true), ("b.py", false), ("d", false)];
        assert_eq!(
            children.iter().map(|(name, folder)| (name.as_str(), *folder)).collect::<Vec<_>>(),
            expected
        );
        assert_eq!(direct_children(paths.into_iter(), "").len(), 2);
    }
}
