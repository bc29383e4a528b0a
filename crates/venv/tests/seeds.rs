//! Feeds the fuzzers' seeds to the parsers, with what must hold of them (`fuzz/src/oracles.rs`): what a fuzzer once found
//! is thereby tried with every other test. So is text by the thousand that looks nearly right.

#![allow(
    unreachable_pub,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "the fuzzers' crate shares the oracles"
)]

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
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

/// So many lines of a form, as one text.
fn lines(form: &'static str) -> impl Strategy<Value = String> {
    vec(form, 0..6).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn nearly_right_tables_of_files_pass(text in lines("[a-c/\",.]{0,6},((sha256|md5)=[A-Za-z0-9_-]{0,44})?,[0-9]{0,2}[a,]?\r?")) {
        oracles::record(text.as_bytes());
    }

    #[test]
    fn nearly_right_entry_points_pass(
        text in lines("\\[ ?(console_scripts|gui_scripts|other) ?\\]|[a-zü./-]{0,6} ?= ?[a-zü._]{0,6}:[a-z.]{0,4}( \\[x\\])?|[ -~]{0,8}"),
    ) {
        oracles::entry_points(text.as_bytes());
    }

    #[test]
    fn nearly_right_metadata_pass(
        text in lines("(Name|Version|Summary|Requires-Dist|Wheel-Version|Root-Is-Purelib|Tag) ?: ?[ -~ü\u{1b}]{0,8}|\\s[a-z]{0,4}|"),
    ) {
        oracles::metadata(text.as_bytes());
    }

    #[test]
    fn nearly_right_names_of_wheels_pass(text in "[a-zA-Z0-9._]{1,4}(-[a-z0-9.+!_]{1,4}){2,6}\\.(whl|zip)") {
        oracles::wheel_name(text.as_bytes());
    }

    #[test]
    fn nearly_right_configurations_pass(text in lines("[A-Zü a-z-]{0,6} ?=? ?[ -~ü=]{0,8}\r?")) {
        oracles::pyvenv_cfg(text.as_bytes());
    }
}
