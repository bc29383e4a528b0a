//! The link plan: what stands at every path of a venv that its packages are responsible for.
//!
//! A folder that one distribution alone wants is folded into a single link; where two meet, the folder is made
//! real and only what collides again is opened further. The rule is collision, never a missing `__init__.py`:
//! real packages share folders that have one. The result depends on nothing but the members and their order, and
//! computing it writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use virtpy_store::{Manifest, is_pip_shim};
use virtpy_wheel::{self as wheel, RecordAdditions, Tree};

use super::candidates::{CandidateKind, Files, PathCandidate};
use super::node::{Clash, Node, PlannedDistribution};
use super::served::is_code;
use super::unfoldable::RealParts;
use super::{Layout, LinkMode, VenvError, record};
pub(crate) use markers::MARKER;
use markers::{Decision, Markers, Need};

mod markers;

/// A script of so few bytes is copied without asking what it looks for.
const SMALL_SCRIPT: u64 = 64 << 10;

/// Every path that packages are responsible for, and what was noticed on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Relative to the venv's root; a folder stands before what is in it.
    pub nodes: BTreeMap<String, Node>,
    /// Files that more than one distribution has.
    pub clashes: Vec<Clash>,
    /// Where earlier versions put a marker that nobody needs.
    pub(super) former_markers: Vec<String>,
    /// Where Python is to find a folder for the bytecode of modules at the top of `site-packages`. If it had to make that, the
    /// change of `site-packages` would look like somebody's installation.
    pub(super) bytecode_folder: Option<String>,
}

impl Plan {
    /// Plans a venv that holds these distributions. `shared_folders` are kept real because files of another
    /// installer are in them.
    ///
    /// # Errors
    /// When a distribution wants a path of the venv's own, or one's file is another's folder.
    pub fn of(
        layout: &Layout,
        mode: LinkMode,
        shared_folders: &[String],
        members: &[PlannedDistribution<'_>],
    ) -> Result<Self, VenvError> {
        let files: Vec<Files> = members.iter().map(|_| Files::default()).collect();
        let mut planner = Planner {
            layout,
            mode,
            shared_folders,
            members,
            real: RealParts::of(members, &files)?,
            files,
            joined: BTreeSet::new(),
            markers: Markers::default(),
            served: BTreeSet::new(),
            wanted: BTreeMap::new(),
            plan: Self::default(),
            footprints: vec![RecordAdditions::default(); members.len()],
        };
        planner.collect();
        // A folder sorts before what is in it, so each path is decided after all who want it are known.
        while let Some((path, candidates)) = planner.wanted.pop_first() {
            planner.decide(&path, &candidates)?;
        }
        planner.put_markers();
        planner.write_metadata()?;
        planner.plan.bytecode_folder = planner.bytecode_folder();
        Ok(planner.plan)
    }
}

struct Planner<'a> {
    layout: &'a Layout,
    mode: LinkMode,
    shared_folders: &'a [String],
    members: &'a [PlannedDistribution<'a>],
    real: Vec<RealParts>,
    files: Vec<Files>,
    /// Real folders that distributions share, or may share.
    joined: BTreeSet<String>,
    /// Those of them out of which real pip could take too much.
    markers: Markers,
    /// Folders of static files below real folders.
    served: BTreeSet<String>,
    wanted: BTreeMap<String, Vec<PathCandidate>>,
    plan: Plan,
    footprints: Vec<RecordAdditions>,
}

impl Planner<'_> {
    /// Notes what every member wants at the top of each scheme.
    fn collect(&mut self) {
        for (member, facts) in self.members.iter().enumerate() {
            let manifest = facts.manifest;
            let site = &self.layout.site_packages;
            for item in &manifest.top {
                let kind = tree_candidate(Tree::Site, item.name.clone(), item.folder);
                self.add_candidate(format!("{site}/{}", item.name), member, kind);
            }
            let dist_info = tree_candidate(Tree::Site, manifest.dist_info.clone(), true);
            self.add_candidate(format!("{site}/{}", manifest.dist_info), member, dist_info);
            for (index, script) in manifest.scripts.iter().enumerate() {
                let (name, folder) = first_component(&script.file.path);
                let kind = if folder {
                    CandidateKind::Folder(Tree::Scripts, name.to_owned())
                } else {
                    CandidateKind::Script(index)
                };
                self.add_candidate(format!("{}/{name}", self.layout.scripts), member, kind);
            }
            for (index, entry_point) in manifest.entry_points.iter().enumerate() {
                let path = format!("{}/{}", self.layout.scripts, entry_point.name);
                self.add_candidate(path, member, CandidateKind::EntryPoint(index));
                // pip's wheel cannot name the Python that it will be installed for; every installer adds this one.
                let versioned = format!("pip{}", self.layout.python_version());
                let is_there = || manifest.entry_points.iter().any(|other| other.name == versioned);
                if manifest.name == "pip" && entry_point.name == "pip3" && !is_there() {
                    let path = format!("{}/{versioned}", self.layout.scripts);
                    self.add_candidate(path, member, CandidateKind::EntryPoint(index));
                }
            }
            if !manifest.headers.is_empty() {
                let path = format!("{}/{}", self.layout.headers, manifest.name);
                self.add_candidate(path, member, CandidateKind::Folder(Tree::Headers, String::new()));
            }
            let mut data: Vec<_> = manifest.data.iter().map(|row| first_component(&row.path)).collect();
            data.dedup();
            for (name, folder) in data {
                // `lib64` is a link to `lib` in a venv: the same folder under two names.
                let place = if name == "lib64" { "lib" } else { name };
                self.add_candidate(
                    place.to_owned(),
                    member,
                    tree_candidate(Tree::Data, name.to_owned(), folder),
                );
            }
        }
    }

    fn add_candidate(&mut self, path: String, member: usize, kind: CandidateKind) {
        let candidates = self.wanted.entry(path).or_default();
        let candidate = PathCandidate { member, kind };
        if !candidates.contains(&candidate) {
            // Some come later than others of a later distribution: what `.data/data` has for `bin` or `lib` is opened after.
            let place = candidates.partition_point(|other| other.member <= member);
            candidates.insert(place, candidate);
        }
    }

    /// Decides what stands at a path.
    fn decide(&mut self, path: &str, candidates: &[PathCandidate]) -> Result<(), VenvError> {
        let Some(last) = candidates.last() else { return Ok(()) };
        if self.layout.is_reserved(path) {
            let distribution = self.name(last);
            return Err(VenvError::Reserved { distribution, path: path.to_owned() });
        }
        if let Some(other) = candidates.iter().find(|candidate| candidate.is_folder() != last.is_folder()) {
            let (first, second) = (self.name(other), self.name(last));
            return Err(VenvError::FileAgainstFolder { path: path.to_owned(), first, second });
        }
        if !last.is_folder() {
            if self.layout.is_always_real(path) {
                let distribution = self.name(last);
                return Err(VenvError::Reserved { distribution, path: path.to_owned() });
            }
            self.decide_file(path, candidates);
            return Ok(());
        }
        let always_real = self.layout.is_always_real(path);
        let is_shared = candidates.len() > 1 || self.shared_folders.iter().any(|shared| shared == path);
        // What is in a folder of scripts gets this venv's interpreter line.
        let is_of_scripts = matches!(last.kind, CandidateKind::Folder(Tree::Scripts, _));
        let has_real = self.real[last.member].has_folder(&last.place());
        let folds = self.mode(last).folds() && !is_of_scripts && !has_real;
        let may_be_joined = last.may_be_joined(self.members);
        let is_served = !is_shared && self.is_served(path, last)?;
        if is_served {
            self.served.insert(path.to_owned());
        }
        if folds && !is_shared && !always_real && !may_be_joined && !is_served {
            self.footprints[last.member].links.push(self.layout.in_record(path));
            self.insert(path, Node::Link(last.source(self.members)));
            return Ok(());
        }
        self.insert(path, Node::Folder);
        let is_marked = is_shared || (folds && may_be_joined);
        if is_marked {
            self.joined.insert(path.to_owned());
        }
        if self.mode.folds() && is_marked && !always_real && !path.ends_with(wheel::BYTECODE_FOLDER) {
            let owners = candidates.iter().map(|candidate| candidate.member).collect();
            self.markers.add_folder(path, owners, is_shared);
        }
        candidates.iter().try_for_each(|candidate| self.open(path, candidate))
    }

    /// Makes the children of a folder candidates of their own.
    fn open(&mut self, path: &str, candidate: &PathCandidate) -> Result<(), VenvError> {
        let CandidateKind::Folder(tree, folder) = &candidate.kind else {
            return Ok(());
        };
        let member = &self.members[candidate.member];
        for (name, is_folder) in self.files[candidate.member].children(member, *tree, folder)? {
            let is_bytecode = is_folder && name == wheel::BYTECODE_FOLDER;
            if is_bytecode
                && (!self.mode(candidate).folds()
                    || self.real[candidate.member].has_module_in(&candidate.place()))
            {
                continue;
            }
            let inside = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let script = || member.manifest.scripts.iter().position(|script| script.file.path == inside);
            let kind = match (*tree, is_folder) {
                (Tree::Scripts, false) => script().map(CandidateKind::Script),
                _ => Some(tree_candidate(*tree, inside, is_folder)),
            };
            if let Some(kind) = kind {
                self.add_candidate(format!("{path}/{name}"), candidate.member, kind);
            }
        }
        Ok(())
    }

    /// Puts the last comer's file at a path.
    fn decide_file(&mut self, path: &str, candidates: &[PathCandidate]) {
        let Some((winner, losers)) = candidates.split_last() else { return };
        for loser in losers.iter().filter(|loser| loser.member != winner.member) {
            let (winner, loser) = (self.name(winner), self.name(loser));
            self.plan.clashes.push(Clash { path: path.to_owned(), winner, loser });
        }
        for candidate in candidates {
            self.note_row(path, candidate);
        }
        if losers.is_empty() {
            self.markers.add_file(path, winner.member);
        }
        let source = winner.source(self.members);
        let manifest = self.members[winner.member].manifest;
        let node = match winner.kind {
            CandidateKind::EntryPoint(index) => {
                Node::Text { content: self.script(manifest, index).into_bytes(), executable: true }
            }
            CandidateKind::Script(index) if manifest.scripts[index].python => Node::Script(source),
            _ => match self.mode(winner) {
                LinkMode::Auto if self.is_real(path, winner) => Node::HardlinkOrCopy(source),
                LinkMode::Auto | LinkMode::Symlink => Node::Link(source),
                LinkMode::Hardlink => Node::Hardlink(source),
                LinkMode::Copy => Node::Copy(source),
            },
        };
        self.insert(path, node);
    }

    /// Notes a script for its owner's RECORD, without hash and size: the first line is the venv's own, and RECORD the same in
    /// all venvs.
    fn note_row(&mut self, path: &str, candidate: &PathCandidate) {
        let manifest = self.members[candidate.member].manifest;
        let is_written = match &candidate.kind {
            CandidateKind::EntryPoint(_) => true,
            CandidateKind::Script(index) => manifest.scripts[*index].python,
            _ => false,
        };
        if is_written {
            let row = wheel::record_row(&self.layout.in_record(path), None);
            self.footprints[candidate.member].rows.push_str(&row);
        }
    }

    /// The script of an entry point. Those of virtpy's own pip need no Python.
    fn script(&self, manifest: &Manifest, index: usize) -> String {
        if is_pip_shim(&manifest.name, &manifest.version) {
            return self.layout.handover.clone();
        }
        wheel::script(&manifest.entry_points[index], &self.layout.shebang)
    }

    /// Adds the marker of each folder that needs one.
    fn put_markers(&mut self) {
        for Decision { folder, need } in std::mem::take(&mut self.markers).decide() {
            let marker = format!("{folder}/{MARKER}");
            if let Need::OfOne(owner) = need {
                // It goes with its only owner, whoever uninstalls that.
                let row = wheel::record_row(&self.layout.in_record(&marker), Some(b""));
                self.footprints[owner].rows.push_str(&row);
            }
            if need == Need::None {
                self.plan.former_markers.push(marker);
            } else {
                self.insert(&marker, Node::SharedText(""));
            }
        }
    }

    /// Adds the files that virtpy itself writes into each dist-info folder.
    fn write_metadata(&mut self) -> Result<(), VenvError> {
        for (member, footprint) in self.members.iter().zip(std::mem::take(&mut self.footprints)) {
            let folder = format!("{}/{}", self.layout.site_packages, member.manifest.dist_info);
            let folds = self.mode == LinkMode::Auto && !member.copied;
            for (name, node) in record::own_files(self.layout, member, footprint, folds)? {
                self.plan.nodes.insert(format!("{folder}/{name}"), node);
            }
        }
        Ok(())
    }

    fn bytecode_folder(&self) -> Option<String> {
        let beginning = format!("{}/", self.layout.site_packages);
        let inside = self.plan.nodes.range(beginning.clone()..);
        let mut names = inside.map_while(|(path, _)| path.strip_prefix(&beginning));
        let is_module = |name: &str| name.strip_suffix(".py").is_some_and(|stem| !stem.contains('/'));
        let has_module = names.any(is_module);
        has_module.then(|| beginning + wheel::BYTECODE_FOLDER)
    }

    /// Puts a node at a path, and real folders above it where nobody wanted those by name.
    fn insert(&mut self, path: &str, node: Node) {
        let mut ancestor = path;
        while let Some((parent, _)) = ancestor.rsplit_once('/') {
            if self.layout.is_skeleton(parent) || self.plan.nodes.contains_key(parent) {
                break;
            }
            self.plan.nodes.insert(parent.to_owned(), Node::Folder);
            ancestor = parent;
        }
        if !(node == Node::Folder && self.layout.is_skeleton(path)) {
            self.plan.nodes.insert(path.to_owned(), node);
        }
    }

    /// Whether a file has to be a real one: it, or who uses it, resolves links before looking around.
    fn is_real(&self, path: &str, candidate: &PathCandidate) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let manifest = self.members[candidate.member].manifest;
        if let CandidateKind::Script(index) = candidate.kind {
            // A program or a shell script may look for its data beside itself (`readlink -f "$0"`).
            return !manifest.data.is_empty() || manifest.scripts[index].file.size <= SMALL_SCRIPT;
        }
        // So may one that comes by way of `.data/data/bin`. Servers of static files compare real paths, and serve
        // neither modules nor libraries.
        folder == self.layout.scripts
            || self.real[candidate.member].has_file(&candidate.place())
            || self.served.contains(folder)
            || self.may_be_served(folder, candidate) && !is_code(name)
    }

    /// Whether a folder is, or lies in, a tree of static files right below a real folder.
    fn is_served(&self, path: &str, candidate: &PathCandidate) -> Result<bool, VenvError> {
        let parent = folder_of(path);
        if self.mode(candidate) != LinkMode::Auto {
            return Ok(false);
        }
        if self.served.contains(parent) {
            return Ok(true);
        }
        Ok(self.may_be_served(parent, candidate)
            && self.files[candidate.member].is_served(&self.members[candidate.member], candidate)?)
    }

    /// Whether a folder is a real one out of which a server of static files may serve what a candidate puts there.
    fn may_be_served(&self, folder: &str, candidate: &PathCandidate) -> bool {
        self.joined.contains(folder) || self.real[candidate.member].opens_for_modules(&candidate.place())
    }

    /// How a candidate's distribution comes into the venv.
    fn mode(&self, candidate: &PathCandidate) -> LinkMode {
        if self.members[candidate.member].copied { LinkMode::Copy } else { self.mode }
    }

    fn name(&self, candidate: &PathCandidate) -> String {
        self.members[candidate.member].manifest.name.clone()
    }
}

fn tree_candidate(tree: Tree, path: String, folder: bool) -> CandidateKind {
    if folder { CandidateKind::Folder(tree, path) } else { CandidateKind::File(tree, path) }
}

/// The folder that a path is in; nothing for the venv's own.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a path is a folder of bytecode. Anybody may clear those, and Python makes them again.
pub(super) fn is_bytecode_folder(path: &str) -> bool {
    path.rsplit('/').next() == Some(wheel::BYTECODE_FOLDER)
}

fn first_component(path: &str) -> (&str, bool) {
    path.split_once('/').map_or((path, false), |(name, _)| (name, true))
}

#[cfg(test)]
mod properties;
