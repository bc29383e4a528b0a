//! Requirements files as plain data: what they ask for, in their order and with the places where it stands.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use virtpy_pep::{NamedVersion, PackageName, Requirement};

use super::logical_lines::{LogicalLine, logical_lines};
use super::statement::{self, Statement};
use crate::package_choices::PackageChoice;

/// Requirements files, with all that they include.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RequirementsFiles {
    /// The files, in the order in which they were read, each once.
    pub texts: Vec<RequirementsText>,
    /// What is asked for, and what only limits it.
    pub entries: Vec<RequirementsEntry>,
    /// What they say about everything.
    pub options: RequirementsOptions,
    /// Projects whose dependencies are wanted: `pyproject.toml`, `setup.py`, `setup.cfg`.
    pub projects: Vec<PathBuf>,
    /// Lock files (`pylock.toml`) among those that are named, as places in `texts`.
    pub locks: Vec<usize>,
    /// What whoever wrote the files should know.
    pub warnings: Vec<String>,
}

/// One file's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequirementsText {
    /// The file as messages name it: its path as it was given, its URL without credentials, or `the standard input`.
    pub name: String,
    /// Its path; none for a URL and the standard input.
    pub path: Option<PathBuf>,
    /// What is in it.
    pub text: String,
}

impl RequirementsText {
    /// Its lines, those that go on in the next one put together.
    pub fn lines(&self) -> Vec<LogicalLine<'_>> {
        logical_lines(&self.text)
    }
}

/// What an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum EntryKind {
    /// A requirement.
    Requirement,
    /// A folder that is to be used in place.
    Editable,
    /// A limit to what is asked for elsewhere.
    Constraint,
}

/// A requirement in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequirementsEntry {
    /// What it is for.
    pub kind: EntryKind,
    /// The requirement, path or URL.
    pub text: String,
    /// The hashes that are admitted: `sha256:…`.
    pub hashes: Vec<String>,
    /// Settings for its build backend: `KEY=VALUE`.
    pub build_settings: Vec<String>,
    /// Where it stands.
    pub place: Place,
}

impl RequirementsEntry {
    /// The requirement, if it is one by name (PEP 508).
    pub fn requirement(&self) -> Option<Requirement> {
        self.text.parse().ok()
    }

    /// Whether it admits one version only: `==` with a whole version, `===`, or a URL.
    pub fn is_pinned(&self) -> bool {
        let Some(requirement) = self.requirement() else {
            // A path or a URL is one thing.
            return true;
        };
        requirement.url().is_some() || requirement.pinned_version().is_some()
    }
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file as [`RequirementsText::name`] has it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {} of `{}`", self.line, self.file)
    }
}

/// What requirements files say about everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RequirementsOptions {
    /// The index, and where it is named.
    pub index_url: Option<(String, Place)>,
    /// Other indexes.
    pub extra_index_urls: Vec<String>,
    /// Folders and pages; a path that exists beside its file is absolute.
    pub find_links: Vec<String>,
    /// Ask no index.
    pub no_index: bool,
    /// Refuse files whose hash is not given.
    pub require_hashes: bool,
    /// What is said of the files and versions of packages, in its order.
    pub choices: Vec<PackageChoice>,
    /// Hosts whose certificates are not checked.
    pub trusted_hosts: Vec<String>,
}

impl RequirementsFiles {
    /// Whether they ask for anything.
    pub fn asks_for_something(&self) -> bool {
        let asks = |entry: &RequirementsEntry| entry.kind != EntryKind::Constraint;
        self.entries.iter().any(asks) || !self.projects.is_empty() || !self.locks.is_empty()
    }

    /// What to say where nothing else is asked for, and these files ask for nothing either.
    pub fn remark_on_nothing(&self) -> Option<String> {
        let first = self.texts.first().filter(|_| !self.asks_for_something())?;
        let more = self.texts.len() - 1;
        Some(match more {
            0 => format!("`{}` asks for nothing", first.name),
            _ => format!("`{}` asks for nothing, nor does what was read with it", first.name),
        })
    }

    /// Limits what is asked for by these requirements as well, which stand in `file`.
    pub fn constrain(&mut self, requirements: &[String], file: &str) {
        for (index, text) in requirements.iter().enumerate() {
            self.entries.push(constraint(text.clone(), Vec::new(), file, index + 1));
        }
    }

    /// Takes this version of a package only, and of its files only those with one of these hashes. `who` says so, for messages.
    pub fn demand_files(&mut self, name: &str, version: &str, sha256: &[String], who: &str) {
        let line = self.entries.len() + 1;
        self.entries.push(constraint(
            format!("{name}=={version}"),
            sha256.iter().map(|hash| format!("sha256:{hash}")).collect(),
            who,
            line,
        ));
    }

    /// Whether they name one version or one source of everything that they ask for, as a lock file does.
    pub fn pins(&self) -> Pins {
        let constraints = self.entries.iter().filter(|entry| entry.kind == EntryKind::Constraint);
        let limited: BTreeSet<PackageName> = constraints
            .filter(|entry| entry.is_pinned())
            .filter_map(|entry| Some(entry.requirement()?.name().clone()))
            .collect();
        let mut pins = Pins::default();
        for entry in self.entries.iter().filter(|entry| entry.kind != EntryKind::Constraint) {
            match entry.requirement() {
                Some(named) if named.url().is_none() && entry.kind == EntryKind::Requirement => {
                    if entry.is_pinned() || limited.contains(named.name()) {
                        pins.pinned += 1;
                    } else {
                        pins.open.push(entry.text.clone());
                    }
                }
                _ => pins.sources += 1,
            }
        }
        // The dependencies of a project that a file names (`-r pyproject.toml`).
        pins.open.extend(self.projects.iter().map(|path| path.display().to_string()));
        pins
    }
}

fn constraint(text: String, hashes: Vec<String>, file: &str, line: usize) -> RequirementsEntry {
    let place = Place { file: file.to_owned(), line };
    RequirementsEntry { kind: EntryKind::Constraint, text, hashes, build_settings: Vec::new(), place }
}

/// What requirements leave open, and what they do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    /// How many of them name one version.
    pub pinned: usize,
    /// How many of them name a file, a directory, a URL or a repository.
    pub sources: usize,
    /// Those that leave the version open, as they are written.
    pub open: Vec<String>,
}

/// What a requirements file's text pins.
pub(crate) fn pins(text: &str) -> Vec<NamedVersion> {
    let pin = |line: LogicalLine<'_>| match statement::parse(&line.text).ok()? {
        Statement::Requirement(wanted) => {
            let requirement: Requirement = wanted.text.parse().ok()?;
            let version = requirement.pinned_version()?.to_string();
            Some(NamedVersion::new(requirement.name().as_str(), version))
        }
        _ => None,
    };
    logical_lines(text).into_iter().filter(|line| !line.text.is_empty()).filter_map(pin).collect()
}
