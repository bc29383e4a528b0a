//! The store's bytecode: virtpy compiles it, for all venvs, and nobody else's is kept.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{TestContext, Tree, WheelBuilder, write_later};

mod care;
mod compiling;
mod protection;
mod strangers;

/// A context in which Python writes bytecode where it can, and virtpy compiles as `mode` says.
fn context(mode: &str) -> TestContext {
    let mut context = TestContext::new();
    context.unset("PYTHONDONTWRITEBYTECODE");
    context.set("VIRTPY_BYTECODE", mode);
    context
}

fn demo() -> WheelBuilder {
    WheelBuilder::new("demo", "1.0").file("demo/part.py", "z = 1\n").file("demo/deep/x.py", "y = 2\n")
}

/// The files in the store's bytecode folders, with the times of their last writing.
fn bytecode(context: &TestContext) -> Vec<(String, std::time::SystemTime)> {
    let tree = Tree::of(&context.store().join("w"));
    let paths = tree.0.into_keys().filter(|path| path.contains("/__pycache__/"));
    let time = |path: &String| context.store().join("w").join(path).metadata().unwrap().modified().unwrap();
    paths.map(|path| (path.clone(), time(&path))).collect()
}

/// The folder of the only entry.
fn entry(context: &TestContext) -> PathBuf {
    let entries = context.store_entries();
    assert_eq!(entries.len(), 1, "{entries:?}");
    context.store().join("w").join(&entries[0])
}

fn is_root(context: &TestContext) -> bool {
    context.run(context.command("id").arg("-u")).raw_stdout.trim() == "0"
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Puts a file into a read-only folder, as root can and the owner who changes its mode first.
fn force(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    set_mode(folder, 0o755);
    let path = folder.join(name);
    if path.exists() {
        set_mode(&path, 0o644);
    }
    write_later(&path, content);
    set_mode(&path, 0o444);
    set_mode(folder, 0o555);
    path
}

/// The store's tree without bytecode and its records: compiled again, it may differ in what means nothing.
fn files(context: &TestContext) -> Tree {
    let mut tree = context.store_tree().without_components(&["__pycache__"]);
    tree.0.retain(|path, _| !path.contains("/bytecode."));
    tree
}

/// Waits until something holds.
#[track_caller]
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_mins(2), "{what}: not within two minutes");
        std::thread::sleep(Duration::from_millis(20));
    }
}
