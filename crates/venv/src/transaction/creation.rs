//! Making what is new in a venv, by several threads where there is much of it.
//!
//! Most of a venv's paths are in small folders of their own, the metadata of a distribution each. The kernel lets one thread at a time
//! into a folder, so what is in one folder is made by one thread, in one go with the folder itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use virtpy_files::{Directory, FileKind};

use crate::node::Node;
use crate::nodes::{make, put_shared};
use crate::plan::{folder_of, is_bytecode_folder};
use crate::{Venv, VenvError};

/// What is to be made in a venv.
pub(super) struct Creation<'a> {
    pub(super) venv: &'a Venv,
    /// The venv's folder.
    pub(super) directory: &'a Directory,
    /// What is to be there at which path.
    pub(super) create: &'a BTreeMap<&'a str, &'a Node>,
    /// Takes in where something stands that was not there when it was looked.
    pub(super) blocked: &'a Mutex<BTreeSet<String>>,
}

/// A path to be made, and what is to be there.
#[derive(Debug, Clone, Copy)]
struct Item<'a> {
    path: &'a str,
    node: &'a Node,
}

impl Creation<'_> {
    /// Makes everything: first the folders that hold others, then folder by folder what is in them.
    pub(super) fn carry_out(&self) -> Result<(), VenvError> {
        let work = Work::of(self.create);
        Maker::new(self).make_all(&work.branches)?;
        let threads = threads_for(self.create.len() - work.branches.len());
        let next = AtomicUsize::new(0);
        let make_groups = || {
            let mut maker = Maker::new(self);
            while let Some(group) = work.groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = maker.make_all(group) {
                    // Nobody begins another one.
                    next.store(work.groups.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
            Ok(())
        };
        if threads == 1 {
            return make_groups();
        }
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(make_groups)).collect();
            let own = make_groups();
            let results =
                others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            // All have ended when the first error is told.
            std::iter::once(own).chain(results.collect::<Vec<_>>()).collect()
        })
    }
}

/// In which order paths are made, and what by one thread.
#[derive(Debug)]
struct Work<'a> {
    /// The folders that hold other new folders, outer ones first.
    branches: Vec<Item<'a>>,
    /// Folder by folder what is in it, the folder itself first if it is none of those; the largest first, so that no thread is left
    /// with much when the others are done.
    groups: Vec<Vec<Item<'a>>>,
}

impl<'a> Work<'a> {
    fn of(create: &BTreeMap<&'a str, &'a Node>) -> Self {
        let folders = create.iter().filter(|(_, node)| matches!(node, Node::Folder));
        let parents: HashSet<&str> = folders.map(|(path, _)| folder_of(path)).collect();
        let mut branches = Vec::new();
        let mut groups: HashMap<&str, Vec<Item<'a>>> = HashMap::new();
        for (&path, &node) in create {
            let item = Item { path, node };
            match node {
                Node::Folder if parents.contains(path) => branches.push(item),
                Node::Folder => groups.entry(path).or_default().push(item),
                _ => groups.entry(folder_of(path)).or_default().push(item),
            }
        }
        let mut groups: Vec<Vec<Item<'a>>> = groups.into_values().collect();
        groups.sort_unstable_by_key(|group| (std::cmp::Reverse(group.len()), group[0].path));
        Self { branches, groups }
    }
}

/// What is made, in the order in which one thread makes it.
#[cfg(test)]
pub(super) fn order<'a>(create: &BTreeMap<&'a str, &'a Node>) -> Vec<(&'a str, &'a Node)> {
    let work = Work::of(create);
    let items = work.branches.into_iter().chain(work.groups.into_iter().flatten());
    items.map(|item| (item.path, item.node)).collect()
}

/// One thread at work.
struct Maker<'a> {
    creation: &'a Creation<'a>,
    /// With folders that only this thread keeps open.
    directory: Directory,
    /// Where this thread has written a text that several files share.
    firsts: BTreeMap<&'static str, String>,
}

impl<'a> Maker<'a> {
    fn new(creation: &'a Creation<'a>) -> Self {
        Self { creation, directory: creation.directory.for_many_changes(), firsts: BTreeMap::new() }
    }

    fn make_all(&mut self, items: &[Item<'_>]) -> Result<(), VenvError> {
        items.iter().try_for_each(|item| self.make(*item))
    }

    fn make(&mut self, Item { path, node }: Item<'_>) -> Result<(), VenvError> {
        if is_bytecode_folder(path) && self.directory.kind(path)? == Some(FileKind::Folder) {
            // Python made it in a folder that another installer left behind.
            self.directory.remove_tree(path)?;
        }
        let venv = self.creation.venv;
        let made = match node {
            Node::SharedText(content) => put_shared(&self.directory, path, content, &mut self.firsts),
            _ => make(&self.directory, &venv.layout, path, node),
        };
        made.map_err(|error| match error {
            VenvError::Path(error) if error.already_exists() => {
                let mut blocked = self.creation.blocked.lock().unwrap_or_else(PoisonError::into_inner);
                blocked.insert(path.to_owned());
                VenvError::InTheWay(venv.root.join(path))
            }
            other => other,
        })
    }
}

/// By how many threads so many paths are made: a thread costs as much as a few dozen of them.
fn threads_for(paths: usize) -> usize {
    let worthwhile = (paths / 100).clamp(1, 4);
    // Asking how many processors there are takes a dozen system calls.
    if worthwhile == 1 { 1 } else { worthwhile.min(virtpy_files::processors()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_one_folder_is_made_in_one_go_and_with_it_the_folder_unless_it_holds_others() {
        let file = &Node::SharedText("");
        let create: BTreeMap<&str, &Node> = [
            ("a", &Node::Folder),
            ("a/1", file),
            ("a/b", &Node::Folder),
            ("a/b/1", file),
            ("a/b/2", file),
            ("empty", &Node::Folder),
            ("old/1", file),
            ("top", file),
        ]
        .into();
        let work = Work::of(&create);
        let paths = |items: &[Item<'_>]| items.iter().map(|item| item.path.to_owned()).collect::<Vec<_>>();
        assert_eq!(paths(&work.branches), ["a"]);
        let groups: Vec<_> = work.groups.iter().map(|group| paths(group)).collect();
        let wanted = [&["a/b", "a/b/1", "a/b/2"][..], &["a/1"], &["empty"], &["old/1"], &["top"]];
        assert_eq!(groups, wanted);
    }

    #[test]
    fn little_is_made_by_one_thread() {
        assert_eq!(threads_for(0), 1);
        assert_eq!(threads_for(150), 1);
        assert!(threads_for(10_000) <= 4);
    }
}
