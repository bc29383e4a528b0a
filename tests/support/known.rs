//! What virtpy has found out about the tests' interpreter, so that not every test has to start it twice for that.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{TestContext, python};

/// Where the answers are kept, below `$VIRTPY_HOME`: virtpy's own, and the resolver's.
const PLACES: [&str; 2] = ["cache/interpreters", "cache/resolver/interpreter-v4"];

/// A file, with its path below `$VIRTPY_HOME`.
struct Known {
    path: PathBuf,
    content: Vec<u8>,
}

/// Puts what is known into a store, as a first command there would have left it.
pub(super) fn put(store: &Path) {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    for Known { path, content } in KNOWN.get_or_init(find_out) {
        let path = store.join(path);
        std::fs::create_dir_all(path.parent().expect("the path has a parent")).expect("a folder can be made");
        std::fs::write(path, content).expect("the file can be written");
    }
}

/// Has a command ask the interpreter, and reads what it remembers.
fn find_out() -> Vec<Known> {
    let context = TestContext::knowing_nothing(python::default());
    context.virtpy(["new"]).success();
    context.virtpy(["add", "--no-index", "a-package-that-is-nowhere"]).failure(1);
    let mut known = Vec::new();
    for place in PLACES {
        read(&context.store(), Path::new(place), &mut known);
    }
    assert!(known.len() >= PLACES.len(), "nothing is remembered about the interpreter");
    known
}

fn read(store: &Path, folder: &Path, known: &mut Vec<Known>) {
    for entry in std::fs::read_dir(store.join(folder)).expect("the folder can be read").flatten() {
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() {
            read(store, &path, known);
        } else {
            known.push(Known { content: std::fs::read(entry.path()).expect("the file can be read"), path });
        }
    }
}
