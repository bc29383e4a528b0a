//! Carrying out the difference between two plans: journal, take away, put, and then the new state.

mod creation;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use virtpy_files::{self as fs, Directory, FileKind};
use virtpy_wheel as wheel;

use self::creation::Creation;
use super::journal::{Journal, Removed};
use super::node::Node;
use super::plan::{Plan, folder_of, is_bytecode_folder};
use super::{Distribution, Phase, State, Venv, VenvError, foreign};

/// A folder is listed if so many paths in it are to be made: a listing takes four system calls.
const LISTED: usize = 8;

/// The difference between two plans, ready to be carried out.
pub(super) struct Transaction<'a> {
    venv: &'a Venv,
    /// The venv's folder, in which all of it is done.
    directory: Directory,
    new: &'a Plan,
    journal: Journal,
    create: BTreeMap<&'a str, &'a Node>,
    left_alone: Vec<String>,
    slots: usize,
    /// Where something stood in the way when it was to be made.
    blocked: Mutex<BTreeSet<String>>,
}

impl<'a> Transaction<'a> {
    /// Notes what goes: foreign distributions with the folders that they have alone, then what only the old plan has.
    pub(super) fn prepare(
        venv: &'a Venv,
        old: &'a Plan,
        new: &'a Plan,
        foreign_leaving: &[Distribution],
        claimed: &BTreeSet<String>,
    ) -> Result<Self, VenvError> {
        let create: BTreeMap<&str, &Node> = new
            .nodes
            .iter()
            .filter(|(path, node)| old.nodes.get(*path) != Some(*node))
            .map(|(path, node)| (path.as_str(), node))
            .collect();
        let mut transaction = Self {
            venv,
            directory: venv.directory.for_many_changes(),
            new,
            journal: Journal::default(),
            create,
            left_alone: Vec::new(),
            slots: 0,
            blocked: Mutex::default(),
        };
        if let Some(folder) = &new.bytecode_folder
            && transaction.directory.kind(folder)?.is_none()
        {
            transaction.create.insert(folder, &Node::Folder);
        }
        let mut folders = BTreeSet::new();
        for distribution in foreign_leaving {
            transaction.remove_foreign(distribution, claimed, &mut folders)?;
        }
        // Those that the old plan has too are decided by the new one.
        let own = folders.into_iter().rev().filter(|folder| !old.nodes.contains_key(folder));
        transaction.journal.removed.extend(own.map(Removed::Folder));
        for (path, node) in old.nodes.iter().rev() {
            if new.nodes.get(path) != Some(node) {
                transaction.remove(path, node)?;
            }
        }
        transaction.look_ahead()?;
        Ok(transaction)
    }

    /// Notes what will be made, and looks whether anything is in the way: whoever has to go back must know what was
    /// there before, and no clock tells that reliably.
    fn look_ahead(&mut self) -> Result<(), VenvError> {
        let leaving: BTreeSet<&str> = self.journal.removed.iter().map(Removed::path).collect();
        let mut standing = BTreeSet::new();
        let mut created = Vec::with_capacity(self.create.len());
        let crowded = self.crowded();
        for (path, node) in &self.create {
            let parent = folder_of(path);
            let is_in_new_folder = self.create.contains_key(parent) && !standing.contains(parent);
            if !is_in_new_folder && !leaving.contains(path) {
                let absolute = self.venv.root.join(path);
                if let Some(link) = self.directory.first_unreal(parent)? {
                    return Err(VenvError::InTheWay(self.venv.root.join(link)));
                }
                let found = match crowded.get(parent) {
                    Some(names) if !names.contains(&path[parent.len() + 1..]) => None,
                    _ => self.directory.kind(path)?,
                };
                match (node, found) {
                    (_, None) => {}
                    (Node::Folder, Some(FileKind::Folder)) => {
                        standing.insert(*path);
                        continue;
                    }
                    (_, Some(FileKind::Folder)) if is_bytecode_folder(path) => {}
                    (_, Some(_)) => return Err(VenvError::InTheWay(absolute)),
                }
            }
            created.push((*path).to_owned());
        }
        self.journal.created = created;
        Ok(())
    }

    /// The names in the folders that so much comes into that listing them is cheaper than looking for each name.
    fn crowded(&self) -> BTreeMap<&'a str, HashSet<String>> {
        let mut coming: BTreeMap<&'a str, usize> = BTreeMap::new();
        for path in self.create.keys() {
            *coming.entry(folder_of(path)).or_default() += 1;
        }
        let mut crowded = BTreeMap::new();
        for (folder, count) in coming {
            let is_new = self.create.contains_key(folder);
            if count < LISTED || folder.is_empty() || is_new {
                continue;
            }
            if let Ok(names) = self.directory.names(folder) {
                crowded
                    .insert(folder, names.into_iter().filter_map(|name| name.into_string().ok()).collect());
            }
        }
        crowded
    }

    /// Notes that a path goes, if what stands there is what the plan put there.
    fn remove(&mut self, path: &str, node: &Node) -> Result<(), VenvError> {
        let absolute = self.venv.root.join(path);
        if let Some(folder) = self.directory.first_unreal(folder_of(path))? {
            // What is behind a link is not the venv's. Where the link goes, all in it is made again.
            if self.create.contains_key(path) && !self.create.contains_key(folder) {
                return Err(VenvError::InTheWay(self.venv.root.join(folder)));
            }
            if !self.create.contains_key(path) && fs::kind(&absolute)?.is_some() {
                self.left_alone.push(path.to_owned());
            }
        } else if stands(&self.directory, path, node)? {
            match node {
                Node::Folder => self.journal.removed.push(Removed::Folder(path.to_owned())),
                Node::Link(target) => {
                    self.journal.removed.push(Removed::Link(path.to_owned(), target.clone()));
                }
                _ => self.remove_file(path),
            }
        } else if is_bytecode_folder(path) && self.directory.kind(path)? == Some(FileKind::Folder) {
            // Somebody cleared the bytecode, and Python made a folder of its own.
            self.journal.removed.push(Removed::Folder(path.to_owned()));
        } else if self.directory.kind(path)?.is_some() {
            if self.create.contains_key(path) {
                return Err(VenvError::InTheWay(absolute));
            }
            self.left_alone.push(path.to_owned());
        }
        Ok(())
    }

    fn remove_file(&mut self, path: &str) {
        self.journal.removed.push(Removed::File(path.to_owned(), self.slots));
        self.slots += 1;
    }

    /// Notes that the files of a foreign distribution go, and which folders they were in. What one that stays has too
    /// stays with it.
    fn remove_foreign(
        &mut self,
        distribution: &Distribution,
        claimed: &BTreeSet<String>,
        folders: &mut BTreeSet<String>,
    ) -> Result<(), VenvError> {
        for path in foreign::files(self.venv, distribution)?.difference(claimed) {
            let mut inner = path.as_str();
            while let Some((parent, _)) = inner.rsplit_once('/') {
                if self.venv.layout.is_skeleton(parent) || !folders.insert(parent.to_owned()) {
                    break;
                }
                inner = parent;
            }
            self.remove_file(path);
        }
        Ok(())
    }

    /// Carries the change out; on any failure everything is put back. Returns what was left alone.
    pub(super) fn run(mut self, state: &mut State) -> Result<Vec<String>, VenvError> {
        self.journal.change.clone_from(&state.change);
        let before = Phase::current();
        Phase::UnderWay.enter();
        self.journal.write(&self.directory)?;
        let done = self
            .take_away()
            .and_then(|()| self.put())
            .and_then(|()| state.write_in(self.venv, &self.directory));
        if let Err(error) = done {
            // Somebody put these there just now.
            let blocked = self.blocked.get_mut().unwrap_or_else(PoisonError::into_inner);
            self.journal.created.retain(|created| !blocked.contains(created));
            self.journal.roll_back(self.venv)?;
            before.enter();
            return Err(error);
        }
        let has_trash = self.journal.removed.iter().any(|removed| matches!(removed, Removed::File(..)));
        Phase::Changed.enter();
        // The change has happened: what cannot be taken away now is by the next command.
        let _ = Journal::discard(&self.directory, has_trash);
        Ok(self.left_alone)
    }

    fn take_away(&self) -> Result<(), VenvError> {
        for removed in &self.journal.removed {
            match removed {
                Removed::Folder(path) => self.take_folder(path)?,
                Removed::Link(path, _) => {
                    self.directory.remove_file(path)?;
                    self.remove_bytecode_of(path)?;
                }
                Removed::File(path, slot) => {
                    match self.directory.rename(path, Journal::trash(*slot)) {
                        // Bytecode that another tool's RECORD lists went with its source.
                        Err(error) if error.is_not_found() && self.directory.kind(path)?.is_none() => {}
                        other => other?,
                    }
                    self.remove_bytecode_of(path)?;
                }
            }
        }
        Ok(())
    }

    /// Removes a folder with its bytecode. One in which others have files stays, unless a link or a file is to
    /// take its place.
    fn take_folder(&self, path: &str) -> Result<(), VenvError> {
        let directory = &self.directory;
        let bytecode = format!("{path}/{}", wheel::BYTECODE_FOLDER);
        if directory.kind(&bytecode)? == Some(FileKind::Folder) {
            directory.remove_tree(&bytecode)?;
        }
        if is_bytecode_folder(path) {
            return Ok(directory.remove_tree(path)?);
        }
        let Err(error) = directory.remove_dir(path) else { return Ok(()) };
        if error.is_failing_disk() {
            return Err(error.into());
        }
        let is_replaced = self.create.get(path).is_some_and(|node| **node != Node::Folder);
        if is_replaced && directory.kind(path)?.is_some() {
            return Err(VenvError::InTheWay(self.venv.root.join(path)));
        }
        Ok(())
    }

    /// Removes what Python compiled of a module that goes: `__pycache__/six.cpython-312.pyc` of `six.py`; and the
    /// folder if nothing is left in it, unless the new plan has it.
    fn remove_bytecode_of(&self, path: &str) -> Result<(), VenvError> {
        let folder = folder_of(path);
        let name = path.rsplit('/').next().unwrap_or(path);
        let Some(stem) = name.strip_suffix(".py").filter(|stem| !stem.is_empty()) else { return Ok(()) };
        let bytecode = format!("{folder}/{}", wheel::BYTECODE_FOLDER);
        if self.directory.kind(&bytecode)? != Some(FileKind::Folder) {
            return Ok(());
        }
        let prefix = format!("{stem}.");
        for name in self.directory.names(&bytecode)? {
            let text = name.to_string_lossy();
            if text.starts_with(&prefix) && text.ends_with(".pyc") {
                self.directory.remove_file(Path::new(&bytecode).join(&name))?;
            }
        }
        if !self.new.nodes.contains_key(&bytecode) && self.new.bytecode_folder.as_ref() != Some(&bytecode) {
            let _ = self.directory.remove_dir(&bytecode);
        }
        Ok(())
    }

    /// Makes what is new.
    fn put(&self) -> Result<(), VenvError> {
        Creation { venv: self.venv, directory: &self.directory, create: &self.create, blocked: &self.blocked }
            .carry_out()
    }
}

/// Whether what a plan wants at a path of the venv's folder is what is there.
pub(super) fn stands(directory: &Directory, path: &str, node: &Node) -> Result<bool, VenvError> {
    Ok(match (node, directory.kind(path)?) {
        (Node::Folder, Some(FileKind::Folder)) => true,
        (Node::Link(target), Some(FileKind::Link)) => directory.read_link(path)? == *target,
        (Node::Folder | Node::Link(_), _) => false,
        (_, found) => found == Some(FileKind::File),
    })
}

#[cfg(test)]
mod properties;
