//! What the members of a tar archive become below the destination.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use virtpy_files::{self as fs, PathError};

use crate::archive::zip_structure::lossy;
use crate::archive::{Error, Limits, NameProblem, Problem, case_collision, name};

/// A way through links that is longer leads in a circle, or wants to.
const MAX_STEPS: usize = 256;

/// What a member's name stands for, folders apart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    File,
    /// Another name of this file.
    HardLink(String),
    /// A symbolic link with this text.
    Link(String),
}

/// The members seen so far. Folders and files are made at once, links only at the end, so that nothing is ever
/// written through one.
pub(super) struct Tree<'a> {
    destination: &'a Path,
    limits: &'a Limits,
    folders: HashSet<String>,
    /// Folders that were members themselves.
    named: HashSet<String>,
    nodes: HashMap<String, Node>,
    /// The names of links, in the order of the archive.
    links: Vec<String>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(destination: &'a Path, limits: &'a Limits) -> Self {
        Self {
            destination,
            limits,
            folders: HashSet::new(),
            named: HashSet::new(),
            nodes: HashMap::new(),
            links: Vec::new(),
        }
    }

    /// Makes a folder and what is above it. The destination itself (`./`) may be named too.
    pub(super) fn folder(&mut self, raw: &[u8]) -> Result<(), Stop> {
        if matches!(raw, b"." | b"./") {
            return Ok(());
        }
        let name = checked(raw)?;
        if !self.named.insert(name.to_owned()) {
            return Err(Problem::Duplicate(name.to_owned()).into());
        }
        self.make_parents(name)?;
        self.make_folder(name)
    }

    /// Notes a regular file, makes the folders above it, and returns its checked name.
    pub(super) fn file(&mut self, raw: &[u8]) -> Result<String, Stop> {
        self.node(raw, Node::File)
    }

    /// Notes another name of a file that was a member before.
    pub(super) fn hard_link(&mut self, raw: &[u8], target: &[u8]) -> Result<(), Stop> {
        let refused = |reason| Problem::Link { name: lossy(raw), target: lossy_text(target), reason };
        let original = checked(target).map_err(|_| refused("is not the name of a member"))?;
        let original = match self.nodes.get(original) {
            Some(Node::File) => original.to_owned(),
            Some(Node::HardLink(first)) => first.clone(),
            Some(Node::Link(_)) | None => return Err(refused("is not a file that came before").into()),
        };
        let name = self.node(raw, Node::HardLink(original))?;
        self.links.push(name);
        Ok(())
    }

    /// Notes a symbolic link. Where it leads is checked when all members are known.
    pub(super) fn link(&mut self, raw: &[u8], target: &[u8]) -> Result<(), Stop> {
        let refused = |reason| Problem::Link { name: lossy(raw), target: lossy_text(target), reason };
        let text = std::str::from_utf8(target).map_err(|_| refused("is not valid UTF-8"))?;
        let drive = text.as_bytes().get(1) == Some(&b':')
            && text.starts_with(|first: char| first.is_ascii_alphabetic());
        let reason = if text.is_empty() {
            "is empty"
        } else if text.starts_with('/') || drive {
            "is absolute"
        } else if text.contains('\\') || text.chars().any(char::is_control) {
            "contains a backslash or a control character"
        } else if text.len() > name::MAX_LENGTH {
            "is too long"
        } else {
            let name = self.node(raw, Node::Link(text.to_owned()))?;
            self.links.push(name);
            return Ok(());
        };
        Err(refused(reason).into())
    }

    /// Makes the links: first the hard ones, while there is no other link to go through.
    pub(super) fn make_links(&self) -> Result<(), Stop> {
        for name in &self.links {
            if let Some(Node::Link(target)) = self.nodes.get(name) {
                self.resolve(name, target).map_err(|reason| Problem::Link {
                    name: name.clone(),
                    target: target.clone(),
                    reason,
                })?;
            }
        }
        for name in &self.links {
            if let Some(Node::HardLink(original)) = self.nodes.get(name) {
                let made = fs::hard_link(&self.destination.join(original), &self.destination.join(name));
                self.made(name, made)?;
            }
        }
        for name in &self.links {
            if let Some(Node::Link(target)) = self.nodes.get(name) {
                self.made(name, fs::symlink(Path::new(target), &self.destination.join(name)))?;
            }
        }
        Ok(())
    }

    /// How many members are no folders, and how many of these are links.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.nodes.len() as u64, self.links.len() as u64)
    }

    /// What to say when something could not be made: the file system may take two names for one.
    pub(super) fn failure(&self, name: &str, error: PathError) -> Stop {
        let others = self.nodes.keys().chain(&self.folders).map(String::as_str);
        match case_collision::find(self.destination, name, others).filter(|_| error.already_exists()) {
            Some(clash) => clash.into(),
            None => Stop::Other(error.into()),
        }
    }

    fn made(&self, name: &str, result: Result<(), PathError>) -> Result<(), Stop> {
        result.map_err(|error| self.failure(name, error))
    }

    fn node(&mut self, raw: &[u8], node: Node) -> Result<String, Stop> {
        if raw.ends_with(b"/") {
            return Err(Problem::Name { name: lossy_text(raw), problem: NameProblem::EmptyPart }.into());
        }
        let name = checked(raw)?;
        if self.folders.contains(name) {
            return Err(Problem::FileAndFolder(name.to_owned()).into());
        }
        if self.nodes.contains_key(name) {
            return Err(Problem::Duplicate(name.to_owned()).into());
        }
        self.make_parents(name)?;
        self.nodes.insert(name.to_owned(), node);
        Ok(name.to_owned())
    }

    fn make_parents(&mut self, name: &str) -> Result<(), Stop> {
        let missing: Vec<&str> =
            name::parents(name).take_while(|folder| !self.folders.contains(*folder)).collect();
        for folder in missing.into_iter().rev() {
            self.make_folder(folder)?;
        }
        Ok(())
    }

    /// Makes a folder whose parents are there, unless it is there too.
    fn make_folder(&mut self, name: &str) -> Result<(), Stop> {
        if self.nodes.contains_key(name) {
            return Err(Problem::FileAndFolder(name.to_owned()).into());
        }
        if self.folders.contains(name) {
            return Ok(());
        }
        if self.folders.len() as u64 >= self.limits.members {
            return Err(Problem::TooMany(self.limits.members).into());
        }
        self.made(name, fs::create_dir(&self.destination.join(name)))?;
        self.folders.insert(name.to_owned());
        Ok(())
    }

    /// Follows a link part by part, as the kernel will. What it leads to need not exist.
    fn resolve(&self, link: &str, target: &str) -> Result<(), &'static str> {
        let mut place: Vec<&str> = link.split('/').collect();
        place.pop();
        let mut ahead: Vec<&str> = target.split('/').rev().collect();
        let mut steps = 0;
        let mut is_folder = true;
        while let Some(part) = ahead.pop() {
            steps += 1;
            if steps > MAX_STEPS {
                return Err("leads in a circle");
            }
            match part {
                "" | "." => {}
                ".." => {
                    // A file system that ignores case may have a link here, and go up from where that leads.
                    if !is_folder {
                        return Err("goes up from what is not a folder of the archive");
                    }
                    if place.pop().is_none() {
                        return Err("leaves the folder");
                    }
                }
                name => {
                    place.push(name);
                    let path = place.join("/");
                    if let Some(Node::Link(inner)) = self.nodes.get(&path) {
                        place.pop();
                        ahead.extend(inner.split('/').rev());
                    } else {
                        is_folder = self.folders.contains(&path);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Why unpacking stops: the archive is refused, or something else went wrong.
pub(super) enum Stop {
    Refused(Problem),
    Other(Error),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// A member's name. Many archives are made of `.`, so that every name starts with `./`.
fn checked(raw: &[u8]) -> Result<&str, Problem> {
    let bare = raw.strip_prefix(b"./").unwrap_or(raw);
    name::check(bare).map_err(|problem| Problem::Name { name: lossy_text(raw), problem })
}

/// A text for a message that escapes it.
fn lossy_text(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).into_owned()
}
