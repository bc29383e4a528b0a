//! `virtpy freeze`.

use crate::support::{Index, TestContext, WheelBuilder};

#[test]
fn pins_that_add_takes_back() {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").requires("helper").build(),
        WheelBuilder::new("helper", "1.0").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let frozen = context.virtpy(["freeze"]).success();
    assert_eq!(frozen.raw_stdout, "demo==1.0\nhelper==1.0\n");
    context.write("pins.txt", &frozen.raw_stdout);
    context.new_named_venv("copy");
    context.add(&index, &["--venv", "copy", "--offline", "-r", "pins.txt"]).success();
    assert_eq!(context.virtpy(["freeze", "--venv", "copy"]).success().raw_stdout, frozen.raw_stdout);
    let same = context.venv_content(".venv");
    let requested = format!("{}/helper-1.0.dist-info/REQUESTED", context.interpreter().site_packages());
    assert!(same.node(&requested).is_none());
}

#[test]
fn direct_references_keep_their_address() {
    let context = TestContext::new();
    let archive = WheelBuilder::new("demo", "1.0").build();
    let wheel = archive.write_to(&context.path("wheels"));
    context.new_venv();
    context.virtpy(["add", "--no-index", wheel.to_str().unwrap()]).success();
    let frozen = context.virtpy(["freeze"]).success();
    let expected = format!("demo @ file://{}#sha256={}", wheel.display(), archive.sha256());
    assert_eq!(frozen.raw_stdout.trim(), expected);
    // Taken back, it is compared.
    context.write("pins.txt", &frozen.raw_stdout);
    context.new_named_venv("copy");
    context.virtpy(["add", "--no-index", "--venv", "copy", "-r", "pins.txt"]).success();
    let other = "0".repeat(64);
    context.write("pins.txt", &frozen.raw_stdout.replace(&archive.sha256(), &other));
    context.new_named_venv("other");
    let refused = context.virtpy(["add", "--no-index", "--venv", "other", "-r", "pins.txt"]);
    refused.failure(1).stderr_has(&other);
}
