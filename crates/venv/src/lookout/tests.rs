//! Venvs are looked at in turn, as seen by changes that come one after the other, and nothing that another installer did escapes for
//! good.

use std::time::Duration;

use super::*;

/// A store, and what looks like venvs to it.
struct World {
    folder: tempfile::TempDir,
    store: Store,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("home"));
        fs::create_dir_all(&store.cache()).unwrap();
        Self { folder, store }
    }

    fn venv(&self, number: usize) -> VenvId {
        let id = VenvId::parse(&format!("{number:016x}")).unwrap();
        let root = self.folder.path().join(number.to_string());
        fs::create_dir_all(&self.packages(number)).unwrap();
        fs::set_back(&self.packages(number)).unwrap();
        fs::create_dir_all(&root.join(PRIVATE_FOLDER)).unwrap();
        let config = format!("home = /usr/bin\nvirtpy-id = {id}\nvirtpy-library = python3.12\n");
        fs::write_new(&root.join("pyvenv.cfg"), config.as_bytes(), 0o644).unwrap();
        fs::write_new(&root.join(PRIVATE_FOLDER).join("state.json"), b"{}", 0o644).unwrap();
        self.store.register(&id, &root).unwrap();
        id
    }

    fn packages(&self, number: usize) -> PathBuf {
        self.folder.path().join(number.to_string()).join("lib/python3.12/site-packages")
    }

    /// What one change sees, whose own venv is none of these.
    fn look(&self) -> Lookout {
        let lookout = Lookout::of(&self.store, None, LOOKS).unwrap();
        lookout.note(&self.store);
        lookout
    }

    fn known(&self) -> usize {
        queue(&self.store).unwrap().iter().filter(|line| line.known.is_some()).count()
    }
}

#[test]
fn a_change_looks_at_some_venvs_and_the_longest_unseen_come_first() {
    let world = World::new();
    let count = 250;
    for number in 0..count {
        world.venv(number);
    }
    std::thread::sleep(Duration::from_millis(150));
    let mut rounds = 0;
    while world.known() < count {
        let lookout = world.look();
        assert!(lookout.seen.len() <= LOOKS && lookout.changed.is_empty());
        assert_eq!(lookout.seen.len() + lookout.left.len(), count);
        rounds += 1;
        assert!(rounds < 100, "not every venv has its turn");
    }
    // From then on a look is one call, and nobody is looked at again before the others.
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let lookout = world.look();
        assert_eq!(lookout.seen.len(), LOOKS);
        seen.extend(lookout.seen.into_iter().map(|line| line.id));
    }
    assert_eq!(seen.len(), count);
}

#[test]
fn a_change_behind_virtpys_back_is_seen_when_its_turn_comes() {
    let world = World::new();
    let ids = [world.venv(1), world.venv(2)];
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(world.look().changed, []);
    assert_eq!(world.known(), 2);
    fs::write_new(&world.packages(2).join("foreign.py"), b"", 0o644).unwrap();
    // As one that unpacks a tar archive leaves it.
    fs::set_modified(&world.packages(2), 4_000_000_000).unwrap();
    for _ in 0..2 {
        let [changed] = world.look().changed.try_into().unwrap();
        assert_eq!(changed.id, ids[1]);
        assert_eq!(changed.trace, format!("{}@4000000000.0", ids[1]));
        assert_eq!(world.known(), 1, "it is looked at until virtpy has changed it itself");
    }
}

#[test]
fn what_changes_within_the_clocks_tick_is_looked_at_again() {
    let world = World::new();
    world.venv(1);
    world.look();
    assert_eq!(world.known(), 0, "it has just been made");
    std::thread::sleep(Duration::from_millis(150));
    world.look();
    assert_eq!(world.known(), 1);
}

#[test]
fn venvs_that_are_gone_keep_nobody_from_his_turn() {
    let world = World::new();
    for number in 0..40 {
        world.venv(number);
        fs::remove_tree(&world.folder.path().join(number.to_string())).unwrap();
    }
    let last = world.venv(40);
    std::thread::sleep(Duration::from_millis(150));
    let looked =
        (0..10).any(|_| world.look().seen.iter().any(|line| line.id == last && line.known.is_some()));
    assert!(looked);
    for number in 0..40 {
        world.store.forget(&VenvId::parse(&format!("{number:016x}")).unwrap()).unwrap();
    }
    world.look();
    assert_eq!(queue(&world.store).unwrap().len(), 1, "what the store has forgotten has no line");
}

#[test]
fn an_index_that_makes_no_sense_is_none() {
    let world = World::new();
    let id = world.venv(1);
    for text in [
        "",
        "x",
        "\0\u{fffd}\n\t\t\t\n",
        "0000000000000001\t1.2\trelative\tlib",
        "0000000000000001\t1.2\t/\t/etc",
    ] {
        world.store.note_venv_looks(text);
        let [line] = queue(&world.store).unwrap().try_into().unwrap();
        assert_eq!((line.id, line.place), (id.clone(), None), "{text}");
    }
    let line = Line { id, known: Some((7, 8)), place: Some((PathBuf::from("/a b/c"), "lib/x".to_owned())) };
    let mut text = String::new();
    line.write_to(&mut text);
    assert_eq!(Line::parse(text.trim_end_matches('\n')), Some(line.clone()));
    let odd = Line { place: Some((PathBuf::from("/a\tb"), "lib/x".to_owned())), ..line };
    text.clear();
    odd.write_to(&mut text);
    assert_eq!(Line::parse(text.trim_end_matches('\n')).unwrap().place, None);
}
