//! A power cut may empty the files that were written last. A venv's own do not wait for the disk, so commands have to do
//! without what they said.

use crate::support::{Index, TestContext, WheelBuilder};

fn emptied(context: &TestContext, file: &str, zeros: &[u8]) {
    std::fs::write(context.path(".venv/.virtpy").join(file), zeros).unwrap();
}

#[test]
fn a_state_that_was_emptied_is_found_out_anew() {
    let index = Index::start(&[
        WheelBuilder::new("one", "1.0").requires("two").build(),
        WheelBuilder::new("two", "1.0").console_script("two").build(),
        WheelBuilder::new("two", "2.0").console_script("two").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one", "two<2"]).success();
    let before = context.venv_tree(".venv").without(&[".virtpy/state.json"]);
    let frozen = context.virtpy(["freeze"]).success().stdout();
    for content in [&b""[..], &[0; 300]] {
        emptied(&context, "state.json", content);
        assert_eq!(context.virtpy(["freeze"]).success().stdout(), frozen);
        // Nobody knows what the venv uses until somebody found out, so nothing is collected.
        context.virtpy(["store", "gc", "--remove"]).one_error();
        context.virtpy(["check"]).success().stderr_has("`.virtpy/state.json` was empty");
        context.virtpy(["check"]).success().stderr_lacks("`.virtpy/state.json` was empty");
        context.virtpy(["store", "gc", "--remove"]).success();
        assert_eq!(context.venv_tree(".venv").without(&[".virtpy/state.json"]), before);
    }
    // A script, too, may have been the last that was written.
    std::fs::write(context.path(".venv/bin/two"), "").unwrap();
    context.virtpy(["relink"]).success();
    assert_eq!(context.venv_tree(".venv").without(&[".virtpy/state.json"]), before);
    emptied(&context, "state.json", b"");
    context.add(&index, &["-U", "two"]).success().stdout_is(" - two 1.0\n + two 2.0\n");
    context.virtpy(["check"]).success();
    emptied(&context, "state.json", b"");
    context.virtpy(["remove", "one", "two"]).success();
    assert_eq!(context.virtpy(["list"]).success().stdout(), "");
}

#[test]
fn a_journal_that_was_emptied_stops_nobody() {
    let index = Index::start(&[WheelBuilder::new("one", "1.0").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one"]).success();
    let before = context.venv_tree(".venv");
    emptied(&context, "journal.json", b"");
    context.virtpy(["check"]).success();
    assert_eq!(context.venv_tree(".venv"), before);
    emptied(&context, "journal.json", &[0; 100]);
    context.virtpy(["remove", "one"]).success();
    assert!(!context.path(".venv/.virtpy/journal.json").exists());
}
