//! Feeds the fuzzers' seeds to the parsers, with what must hold of them (`fuzz/src/oracles.rs`): what a fuzzer once found
//! is thereby tried with every other test.

#![allow(
    unreachable_pub,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "the fuzzers' crate shares the oracles"
)]

use std::path::Path;

use virtpy_files as fs;

#[path = "../../../fuzz/src/oracles.rs"]
mod oracles;

fn feed(target: &str, oracle: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let names = fs::names(&folder).unwrap();
    assert!(!names.is_empty(), "{target} has no seeds");
    for name in names {
        oracle(&fs::read(&folder.join(name)).unwrap());
    }
}

#[test]
fn every_seed_passes() {
    feed("record", oracles::record);
    feed("metadata", oracles::metadata);
    feed("entry_points", oracles::entry_points);
    feed("wheel_name", oracles::wheel_name);
    feed("pyvenv_cfg", oracles::pyvenv_cfg);
    feed("zip", oracles::zip);
    feed("tar", |data| drop(oracles::tar(data)));
}
