//! What stands in a venv after a change that did not come to its end, and what of it that change has made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use virtpy_files::digest::sha256;
use virtpy_files::{self as fs, FileKind, MetadataExt as _};
use virtpy_wheel as wheel;

use crate::foreign::INSTALLER_FILES;
use crate::layout::{JOURNAL, PRIVATE_FOLDER};
use crate::node::Node;
use crate::nodes::script;
use crate::plan::{MARKER, Plan, folder_of, is_bytecode_folder};
use crate::{Layout, Venv, VenvError, rebuild};

/// What is known of a venv beside its plan.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The folders of entries that its links may lead into.
    pub(crate) stores: Vec<PathBuf>,
    /// The entries of the distributions that its state names.
    pub(crate) used: BTreeSet<PathBuf>,
    /// The dist-info folders of those.
    pub(crate) own: BTreeSet<String>,
    /// What is another installer's.
    pub(crate) claimed: BTreeSet<String>,
}

impl Known {
    /// The entry that a link leads into.
    pub(super) fn entry_of(&self, target: &Path) -> Option<PathBuf> {
        self.stores.iter().find_map(|entries| {
            let inside = target.strip_prefix(entries).ok()?;
            Some(entries.join(inside.components().next()?))
        })
    }

    /// The entry that a link leads into, if no distribution of the state is of it.
    fn unused_entry_of(&self, target: &Path) -> Option<PathBuf> {
        self.entry_of(target).filter(|entry| !self.used.contains(entry))
    }
}

/// What stands at a path.
#[derive(Debug)]
enum Standing {
    Folder,
    Link(PathBuf),
    File,
}

/// What stands in the real folders of a venv, by path.
pub(super) struct Remains<'a> {
    venv: &'a Venv,
    planned: &'a Plan,
    known: &'a Known,
    /// What the change may have made, with the entries that came with it.
    pub(super) arrivals: Vec<Plan>,
    /// The SHA-256 of each file that it has taken away.
    thrown: BTreeSet<[u8; 32]>,
    standing: BTreeMap<String, Standing>,
    /// Dist-info folders that virtpy began to make.
    half_made: BTreeSet<String>,
}

impl<'a> Remains<'a> {
    pub(super) fn look(
        venv: &'a Venv,
        planned: &'a Plan,
        known: &'a Known,
        thrown: BTreeSet<[u8; 32]>,
    ) -> Result<Self, VenvError> {
        let mut standing = BTreeMap::new();
        let mut walk = fs::walk(&venv.root);
        while let Some(found) = walk.next() {
            // What cannot be listed has nothing that could be taken back.
            let Ok(found) = found else { continue };
            let Some(path) = found.path.strip_prefix(&venv.root).ok().and_then(Path::to_str) else {
                continue;
            };
            if path == PRIVATE_FOLDER || is_bytecode_folder(path) {
                walk.skip_folder();
            }
            if path == PRIVATE_FOLDER {
                continue;
            }
            let seen = match found.kind {
                FileKind::Folder => Standing::Folder,
                FileKind::Link => Standing::Link(fs::read_link(&found.path)?),
                FileKind::File => Standing::File,
                FileKind::Other => continue,
            };
            standing.insert(path.to_owned(), seen);
        }
        let half_made = BTreeSet::new();
        let mut remains = Self { venv, planned, known, arrivals: Vec::new(), thrown, standing, half_made };
        remains.half_made =
            remains.standing.keys().filter(|path| remains.is_half_made(path)).cloned().collect();
        Ok(remains)
    }

    /// The entries that links lead into and no distribution of the state is of.
    pub(super) fn entries(&self) -> BTreeSet<PathBuf> {
        let targets = self.standing.values().filter_map(|standing| match standing {
            Standing::Link(target) => Some(target),
            _ => None,
        });
        targets.filter_map(|target| self.known.unused_entry_of(target)).collect()
    }

    /// What has to go for the venv to be as planned: what the change has made, and files that the cut has emptied. A
    /// folder is among it if it may go once it is empty.
    pub(super) fn made(&self) -> BTreeSet<String> {
        let mut made = BTreeSet::new();
        for (path, standing) in &self.standing {
            if self.known.claimed.contains(path) {
                continue;
            }
            if self.is_made(path, standing) {
                made.insert(path.clone());
            }
            if let (Some(Node::Link(target)), Standing::Folder) = (self.planned.nodes.get(path), standing) {
                made.extend(self.opened(path, target));
            }
        }
        made
    }

    fn is_made(&self, path: &str, standing: &Standing) -> bool {
        let wanted = self.planned.nodes.get(path);
        match (standing, wanted) {
            (Standing::Link(target), wanted) => match (self.known.entry_of(target), wanted) {
                (None, _) => false,
                (Some(entry), _) if !self.known.used.contains(&entry) => true,
                (_, Some(Node::Link(wanted))) => wanted != target,
                (_, wanted) => wanted.is_some(),
            },
            (Standing::File, None) => {
                self.is_own_file(path)
                    || self.is_of_arrival(path)
                    || self.is_marker(path)
                    || self.is_emptied_script(path)
            }
            (Standing::File, Some(Node::Folder)) => self.is_of_arrival(path),
            (Standing::File, Some(Node::Link(target))) => {
                self.is_copy_of(path, target) || self.is_of_arrival(path)
            }
            (Standing::File, Some(node)) => self.is_changed(path, node),
            (Standing::Folder, Some(Node::Folder | Node::Link(_))) => false,
            (Standing::Folder, _) => {
                let is_folder = |plan: &Plan| {
                    plan.nodes.get(path) == Some(&Node::Folder)
                        || plan.bytecode_folder.as_deref() == Some(path)
                            && self.planned.bytecode_folder.is_none()
                };
                self.half_made.contains(path) || self.arrivals.iter().any(is_folder)
            }
        }
    }

    /// What is in a real folder that was a link to this place before, with the folder itself; nothing if something is in it that
    /// the change has not made.
    fn opened(&self, folder: &str, target: &Path) -> Vec<String> {
        let inside = format!("{folder}/");
        if self.known.claimed.range(inside.clone()..).next().is_some_and(|path| path.starts_with(&inside)) {
            return Vec::new();
        }
        let below = self.standing.range(inside.clone()..).take_while(|(path, _)| path.starts_with(&inside));
        let mut found = vec![folder.to_owned()];
        for (path, standing) in below {
            let is_made = match standing {
                Standing::Folder => true,
                Standing::Link(target) => self.known.entry_of(target).is_some(),
                Standing::File => {
                    self.is_copy_of(path, &target.join(&path[inside.len()..]))
                        || self.is_of_arrival(path)
                        || self.is_marker(path)
                }
            };
            if !is_made {
                return Vec::new();
            }
            found.push(path.clone());
        }
        found
    }

    /// Whether a path is a dist-info folder that virtpy began to make and that no distribution of the state has. One without
    /// METADATA is nobody's distribution.
    fn is_half_made(&self, path: &str) -> bool {
        if !self.venv.layout.is_dist_info(path) || !matches!(self.standing.get(path), Some(Standing::Folder))
        {
            return false;
        }
        let inside = |name: &str| format!("{path}/{name}");
        match self.standing.get(&inside("METADATA")) {
            Some(Standing::Link(target)) => self.known.unused_entry_of(target).is_some(),
            Some(_) => false,
            None => {
                let name = path.rsplit('/').next().unwrap_or(path);
                let text = self.read(&inside("INSTALLER"));
                !self.known.own.contains(name)
                    && text
                        .is_some_and(|text| rebuild::is_emptied(&text) || text == wheel::INSTALLER.as_bytes())
            }
        }
    }

    fn is_own_file(&self, path: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        INSTALLER_FILES.contains(&name) && self.half_made.contains(folder)
    }

    /// Whether the change put a file there, of which the cut may have left nothing.
    fn is_of_arrival(&self, path: &str) -> bool {
        let wanted =
            self.arrivals.iter().filter_map(|plan| plan.nodes.get(path)).filter(|node| is_file(node));
        let wanted: Vec<&Node> = wanted.collect();
        let found = if wanted.is_empty() { None } else { self.read(path) };
        found.is_some_and(|found| {
            let is_same = |node: &&Node| content(&self.venv.layout, node).is_some_and(|text| text == found);
            rebuild::is_emptied(&found) || wanted.iter().any(is_same)
        })
    }

    /// Whether a file that is planned to be there was emptied, or is there in another form that the change gave it.
    fn is_changed(&self, path: &str, node: &Node) -> bool {
        let (Some(wanted), Some(found)) = (content(&self.venv.layout, node), self.read(path)) else {
            return false;
        };
        if found == wanted {
            return false;
        }
        if rebuild::is_emptied(&found) {
            // A copy is the venv's own, and its user may have emptied it, unless what was there waits in the trash.
            return !matches!(node, Node::Copy(_)) || self.thrown.contains(&sha256(&wanted));
        }
        // RECORD changes with the neighbours, too.
        self.venv.layout.is_record(path) || self.is_of_arrival(path)
    }

    /// Whether a file is what the store has at a place, or was emptied.
    fn is_copy_of(&self, path: &str, source: &Path) -> bool {
        let is_file = fs::metadata(source).is_ok_and(|found| found.is_file());
        is_file
            && self.read(path).is_some_and(|found| {
                rebuild::is_emptied(&found) || fs::read(source).is_ok_and(|wanted| wanted == found)
            })
    }

    /// Whether it is the empty file of a folder that distributions share.
    fn is_marker(&self, path: &str) -> bool {
        path.rsplit('/').next() == Some(MARKER) && self.read(path).is_some_and(|found| found.is_empty())
    }

    /// Whether it is an empty script that was made after the journal. Nobody knows whose it was, and nobody can use it.
    fn is_emptied_script(&self, path: &str) -> bool {
        let time = |path: &str| {
            fs::symlink_metadata(&self.venv.root.join(path)).map(|facts| (facts.mtime(), facts.mtime_nsec()))
        };
        folder_of(path) == self.venv.layout.scripts
            && !self.venv.layout.is_reserved(path)
            && self.read(path).is_some_and(|found| rebuild::is_emptied(&found))
            && matches!((time(path), time(JOURNAL)), (Ok(made), Ok(begun)) if made >= begun)
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.venv.directory.read(path).ok()
    }
}

fn is_file(node: &Node) -> bool {
    !matches!(node, Node::Folder | Node::Link(_))
}

/// What is in the file that a plan wants somewhere; `None` for what is none, and where the store has lost it.
pub(super) fn content(layout: &Layout, node: &Node) -> Option<Vec<u8>> {
    match node {
        Node::Folder | Node::Link(_) => None,
        Node::Text { content, .. } => Some(content.clone()),
        Node::SharedText(content) => Some(content.as_bytes().to_vec()),
        Node::Script(source) => script(layout, source).ok(),
        Node::Hardlink(source) | Node::HardlinkOrCopy(source) | Node::Copy(source) => fs::read(source).ok(),
    }
}
