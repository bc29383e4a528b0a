//! A change of which a power cut left no journal is taken back all the same.

use super::*;
use crate::interrupted::{Known, Trash, take_back};
use crate::layout::JOURNAL;

/// The plans of what came with a change, by the entries that links lead into.
struct Coming<'a> {
    scene: &'a Scene,
    mode: LinkMode,
    first: &'a [Sample],
    second: &'a [Sample],
}

impl Coming<'_> {
    fn plans(&self, entries: &BTreeSet<PathBuf>) -> Vec<Plan> {
        let is_coming = |sample: &&Sample| entries.contains(&sample.entry(&self.scene.store));
        let coming: Vec<Sample> = self.second.iter().filter(is_coming).cloned().collect();
        let alone = self.first.iter().chain(&coming).map(std::slice::from_ref);
        let mut plans: Vec<Plan> = alone.filter_map(|one| self.scene.plan(one, self.mode)).collect();
        plans.extend(self.scene.plan(&together(self.first, &coming), self.mode));
        plans
    }

    fn known(&self) -> Known {
        Known {
            stores: vec![self.scene.store.clone()],
            used: self.first.iter().map(|sample| sample.entry(&self.scene.store)).collect(),
            own: self.first.iter().map(Sample::dist_info).collect(),
            claimed: BTreeSet::new(),
        }
    }
}

/// Two sets, and whether what a change from the one to the other wrote is emptied. What comes with the second is linked: what a copy was
/// of nobody knows. Neither do they of a script that is whole, if no link of the same distribution was made before it.
fn sets_and_fate() -> impl Strategy<Value = (Vec<Sample>, Vec<Sample>, bool)> {
    (two_sets(), any::<bool>()).prop_map(|((first, mut second), is_all_emptied)| {
        let is_new = |sample: &&mut Sample| first.iter().all(|other| other.name != sample.name);
        for sample in second.iter_mut().filter(is_new) {
            sample.copied = false;
            if !is_all_emptied {
                sample.scripts.clear();
                sample.commands.clear();
            }
        }
        (first, second, is_all_emptied)
    })
}

/// Empties a file, and none of its other names.
fn empty(scene: &Scene, path: &str) {
    scene.venv.directory.remove_file(path).unwrap();
    scene.venv.directory.write_new(path, b"", 0o755).unwrap();
}

/// Without folders in which nothing is and of which nobody knows who made them.
fn without_new_empty_folders(
    mut tree: BTreeMap<String, Seen>,
    before: &BTreeMap<String, Seen>,
) -> BTreeMap<String, Seen> {
    let full: BTreeSet<String> = tree
        .iter()
        .filter(|(_, seen)| **seen != Seen::Folder)
        .flat_map(|(path, _)| Path::new(path).ancestors().map(|above| above.to_str().unwrap().to_owned()))
        .collect();
    tree.retain(|path, seen| *seen != Seen::Folder || before.contains_key(path) || full.contains(path));
    tree
}

proptest! {
    #![proptest_config(cases())]

    /// A power cut may leave no more of the journal than its name, and nothing in the files that were written after it. All that
    /// is known then is what the state names, and where the links lead.
    #[test]
    fn a_change_whose_journal_was_emptied_is_taken_back(
        (first, second, is_all_emptied) in sets_and_fate(),
        mode in prop_oneof![Just(LinkMode::Auto), Just(LinkMode::Symlink)],
        at in 0.0..1.0,
    ) {
        let scene = Scene::new(&together(&first, &second));
        let (Some(one), Some(other)) = (scene.plan(&first, mode), scene.plan(&second, mode)) else { return Ok(()) };
        scene.change(&Plan::default(), &one);
        let before = scene.tree();
        let made = scene.begin(&one, &other, at);
        let files = made.iter().filter(|(_, node)| is_all_emptied && node.kind() == FileKind::File);
        files.for_each(|(path, _)| empty(&scene, path));
        empty(&scene, JOURNAL);
        prop_assert_eq!(journal::recover(&scene.venv).unwrap(), Left::Emptied);
        let coming = Coming { scene: &scene, mode, first: &first, second: &second };
        let directory = scene.venv.directory.for_many_changes();
        let mut trash = Trash::open(&directory).unwrap();
        let plans = |entries: &BTreeSet<PathBuf>| coming.plans(entries);
        let kept = take_back(&scene.venv, one.clone(), &coming.known(), &plans, &mut trash).unwrap();
        prop_assert_eq!(kept, None);
        let after = without_new_empty_folders(scene.tree(), &before);
        let is_same = |path: &&String| after.get(*path) == before.get(*path);
        let differing: BTreeSet<&String> = before.keys().chain(after.keys()).filter(|path| !is_same(path)).collect();
        prop_assert!(differing.is_empty(), "{differing:?}");
        prop_assert_eq!(journal::recover(&scene.venv).unwrap(), Left::Nothing);
        // And the same change can be made after it.
        scene.change(&one, &other);
    }
}
