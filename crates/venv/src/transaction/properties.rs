//! What holds of every change of a venv, tried on real folders: that the difference of two plans makes the one of the other,
//! and that a change that is stopped anywhere is taken back.

mod emptied;

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::journal::{self, Left};
use crate::nodes::make;
use crate::testing::{self, LoadedSamples, Sample, modes, sets};
use crate::{LinkMode, Venv};

/// Fewer cases than of what is pure: each takes some milliseconds of a disk.
fn cases() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases / 10, ..usual }
}

/// An empty venv, and a store with the distributions of two sets.
struct Scene {
    _folder: tempfile::TempDir,
    venv: Venv,
    store: PathBuf,
}

impl Scene {
    fn new(samples: &[Sample]) -> Self {
        let folder = testing::folder();
        let (root, store) = (folder.path().join("v"), folder.path().join("s"));
        for path in ["lib/python3.12/site-packages", "bin", "include", ".virtpy"] {
            fs::create_dir_all(&root.join(path)).unwrap();
        }
        let config = "home = /usr/bin\nvirtpy-id = 0123456789abcdef\nvirtpy-library = python3.12\n";
        fs::write_new(&root.join("pyvenv.cfg"), config.as_bytes(), 0o644).unwrap();
        for sample in samples {
            sample.write(&store);
        }
        Self { venv: Venv::open(&root).unwrap(), _folder: folder, store }
    }

    /// The plan of some of the distributions; none where they do not fit together.
    fn plan(&self, samples: &[Sample], mode: LinkMode) -> Option<Plan> {
        Plan::of(&self.venv.layout, mode, &[], &LoadedSamples::of(samples, &self.store).members()).ok()
    }

    fn prepare<'a>(&'a self, old: &'a Plan, new: &'a Plan) -> Transaction<'a> {
        Transaction::prepare(&self.venv, old, new, &[], &BTreeSet::new()).unwrap()
    }

    fn change(&self, old: &Plan, new: &Plan) {
        let mut state = state("a change");
        let left_alone = self.prepare(old, new).run(&mut state).unwrap();
        assert_eq!(left_alone, Vec::<String>::new());
    }

    /// Does a part of a change, as a command that is killed has done. Returns what it made.
    fn begin<'a>(&'a self, old: &'a Plan, new: &'a Plan, part: f64) -> Vec<(&'a str, &'a Node)> {
        let mut transaction = self.prepare(old, new);
        transaction.journal.change = "another".to_owned();
        transaction.journal.write(&transaction.directory).unwrap();
        let all = transaction.journal.removed.len() + transaction.create.len();
        do_steps(&transaction, part_of(all, part))
    }

    /// All that is in the venv but for virtpy's own notes.
    fn tree(&self) -> BTreeMap<String, Seen> {
        let mut tree = BTreeMap::new();
        look(&self.venv.root, "", &mut tree);
        tree.retain(|path, _| !path.starts_with(".virtpy/"));
        tree
    }
}

/// The state that a change writes.
fn state(change: &str) -> State {
    let mut state = State::default();
    change.clone_into(&mut state.change);
    state
}

/// What is found at a path.
#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Folder,
    Link(PathBuf),
    File(Vec<u8>),
}

fn look(root: &Path, above: &str, tree: &mut BTreeMap<String, Seen>) {
    for (name, kind) in fs::read_dir_names(&root.join(above)).unwrap() {
        let name = name.to_str().unwrap();
        let path = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        let seen = match kind {
            FileKind::Folder => {
                look(root, &path, tree);
                Seen::Folder
            }
            FileKind::Link => Seen::Link(fs::read_link(&root.join(&path)).unwrap()),
            _ => Seen::File(fs::read(&root.join(&path)).unwrap()),
        };
        tree.insert(path, seen);
    }
}

/// The tree of a venv that is as planned and has nothing else.
fn planned(scene: &Scene, empty: &BTreeMap<String, Seen>, plan: &Plan) -> BTreeMap<String, Seen> {
    let mut tree = empty.clone();
    for (path, node) in &plan.nodes {
        let seen = match node {
            Node::Folder => Seen::Folder,
            Node::Link(target) => Seen::Link(target.clone()),
            Node::Text { content, .. } => Seen::File(content.clone()),
            Node::SharedText(content) => Seen::File(content.as_bytes().to_vec()),
            Node::Script(source) => {
                let content = fs::read(source).unwrap();
                Seen::File(
                    wheel::rewrite_python_shebang(&content, &scene.venv.layout.shebang).unwrap_or(content),
                )
            }
            Node::Hardlink(source) | Node::HardlinkOrCopy(source) | Node::Copy(source) => {
                Seen::File(fs::read(source).unwrap())
            }
        };
        tree.insert(path.clone(), seen);
    }
    tree.extend(plan.bytecode_folder.iter().map(|folder| (folder.clone(), Seen::Folder)));
    tree
}

/// Does so many steps of a change, as a command that is killed after them has done. Returns what it made.
fn do_steps<'a>(transaction: &Transaction<'a>, steps: usize) -> Vec<(&'a str, &'a Node)> {
    let venv = transaction.venv;
    let removed = &transaction.journal.removed;
    for removed in removed.iter().take(steps) {
        let path = venv.root.join(removed.path());
        match removed {
            Removed::Folder(_) => fs::remove_dir(&path).unwrap(),
            Removed::Link(..) => fs::remove_file(&path).unwrap(),
            Removed::File(_, slot) => fs::rename(&path, &venv.root.join(Journal::trash(*slot))).unwrap(),
        }
    }
    let mut created = creation::order(&transaction.create);
    created.truncate(steps.saturating_sub(removed.len()));
    for (path, node) in &created {
        make(&transaction.directory, &venv.layout, path, node).unwrap();
    }
    created
}

/// Two sets that have something in common: the second is the first without some, and with others, all of which have other names.
fn two_sets() -> impl Strategy<Value = (Vec<Sample>, Vec<Sample>)> {
    (sets(4), any::<u8>(), any::<u8>()).prop_map(|(all, first, second)| {
        let chosen = |bits: u8| {
            all.iter()
                .enumerate()
                .filter(|(at, _)| bits >> at & 1 == 1)
                .map(|(_, sample)| sample.clone())
                .collect()
        };
        (chosen(first), chosen(second))
    })
}

fn together(first: &[Sample], second: &[Sample]) -> Vec<Sample> {
    let is_new = |sample: &&Sample| first.iter().all(|other| other.name != sample.name);
    first.iter().chain(second.iter().filter(is_new)).cloned().collect()
}

proptest! {
    #![proptest_config(cases())]

    /// Whatever is installed when, the venv is as if its set had been installed at once, and when all is removed it is as new.
    #[test]
    fn a_difference_makes_one_plan_of_the_other((first, second) in two_sets(), mode in modes()) {
        let scene = Scene::new(&together(&first, &second));
        let (Some(one), Some(other)) = (scene.plan(&first, mode), scene.plan(&second, mode)) else { return Ok(()) };
        let (nothing, empty) = (Plan::default(), scene.tree());
        scene.change(&nothing, &one);
        prop_assert_eq!(&scene.tree(), &planned(&scene, &empty, &one));
        scene.change(&one, &other);
        prop_assert_eq!(&scene.tree(), &planned(&scene, &empty, &other));
        scene.change(&other, &one);
        prop_assert_eq!(&scene.tree(), &planned(&scene, &empty, &one));
        scene.change(&one, &nothing);
        prop_assert_eq!(&scene.tree(), &empty);
    }

    /// Whoever is killed after any step leaves enough to go back to exactly what was there.
    #[test]
    fn a_change_that_is_killed_is_taken_back((first, second) in two_sets(), mode in modes(), at in 0.0..1.0) {
        let scene = Scene::new(&together(&first, &second));
        let (Some(one), Some(other)) = (scene.plan(&first, mode), scene.plan(&second, mode)) else { return Ok(()) };
        scene.change(&Plan::default(), &one);
        let before = scene.tree();
        scene.begin(&one, &other, at);
        prop_assert_eq!(journal::recover(&scene.venv).unwrap(), Left::Settled);
        prop_assert_eq!(&scene.tree(), &before);
        prop_assert_eq!(journal::recover(&scene.venv).unwrap(), Left::Nothing);
        // And the same change can be made after it.
        scene.change(&one, &other);
    }

    /// What somebody puts in the way at the last moment stays, and everything else is as before.
    #[test]
    fn a_change_that_meets_something_is_taken_back((first, second) in two_sets(), mode in modes(), at in 0.0..1.0) {
        let scene = Scene::new(&together(&first, &second));
        let (Some(one), Some(other)) = (scene.plan(&first, mode), scene.plan(&second, mode)) else { return Ok(()) };
        scene.change(&Plan::default(), &one);
        let transaction = scene.prepare(&one, &other);
        let before = scene.tree();
        let free: Vec<String> = transaction
            .create
            .keys()
            .filter(|path| !before.contains_key(**path) && before.get(folder_of(path)) == Some(&Seen::Folder))
            .map(|path| (*path).to_owned())
            .collect();
        let Some(place) = free.get(part_of(free.len(), at)) else { return Ok(()) };
        fs::write_new(&scene.venv.root.join(place), b"somebody's", 0o644).unwrap();
        let before = scene.tree();
        let mut state = state("another");
        prop_assert!(transaction.run(&mut state).is_err(), "{place} was in the way");
        // Bytecode is not put back, and neither is an empty folder for it.
        let kept = |mut tree: BTreeMap<String, Seen>| {
            tree.retain(|path, seen| one.bytecode_folder.as_ref() != Some(path) || *seen != Seen::Folder);
            tree
        };
        prop_assert_eq!(kept(scene.tree()), kept(before));
    }
}

/// So much of a number: the fraction is below one.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "of small numbers"
)]
fn part_of(number: usize, fraction: f64) -> usize {
    (number as f64 * fraction) as usize
}
