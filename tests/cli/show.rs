//! `virtpy show`.

use crate::support::{Index, TestContext, WheelBuilder};

#[test]
fn the_facts_of_a_distribution() {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").requires("helper>=1").build(),
        WheelBuilder::new("helper", "1.0").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let output = context.virtpy(["show", "demo"]).success();
    for fact in ["demo", "1.0", "A distribution made for a test", "helper", "[WORK]/.venv/lib"] {
        assert!(output.stdout().contains(fact), "{fact} is missing\n{}", output.dump());
    }
    let both = context.virtpy(["show", "DEMO", "helper"]).success();
    assert!(both.raw_stdout.contains("demo") && both.raw_stdout.contains("helper"), "{}", both.dump());
}

#[test]
fn a_name_that_is_not_installed_is_one_error() {
    let context = TestContext::new();
    context.new_venv();
    context.virtpy(["show", "absent"]).one_error().stderr_has("absent");
}

#[test]
fn control_characters_of_the_metadata_do_not_reach_the_terminal() {
    let evil =
        WheelBuilder::new("demo", "1.0").metadata_line("Author: \u{1b}]0;owned\u{7}\u{1b}[31m").build();
    let index = Index::start(&[evil]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    for arguments in [["show", "demo"].as_slice(), &["list"], &["freeze"], &["tree"]] {
        let output = context.virtpy(arguments).success();
        assert!(!output.raw_stdout.contains('\u{1b}'), "{}", output.dump());
    }
}
