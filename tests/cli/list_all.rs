//! `virtpy list-all`: every venv that the store knows.

use crate::support::{Index, TestContext, WheelBuilder};

#[test]
fn every_venv_is_listed_until_it_is_gone() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    let context = TestContext::new();
    assert_eq!(context.virtpy(["list-all"]).success().raw_stdout, "");
    for venv in ["one", "two"] {
        context.new_named_venv(venv);
        context.add(&index, &["--venv", venv, "demo"]).success();
    }
    context.virtpy(["list-all"]).success().stdout_has("[WORK]/one").stdout_has("[WORK]/two");
    let value = context.virtpy(["list-all", "--json"]).success().json();
    assert_eq!(value.as_array().map(Vec::len), Some(2), "{value}");
    std::fs::remove_dir_all(context.path("two")).unwrap();
    let output = context.virtpy(["list-all"]).success();
    assert!(output.stdout().contains("[WORK]/one"), "{}", output.dump());
}

#[test]
fn a_venv_made_anew_is_listed_once() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    context.virtpy(["new", "--clear"]).success();
    context.add(&index, &["demo"]).success();
    let output = context.virtpy(["list-all"]).success();
    assert_eq!(output.raw_stdout.matches(".venv").count(), 1, "{}", output.dump());
}

#[test]
fn a_venv_that_lost_its_id_and_was_made_anew_is_listed_once() {
    let context = TestContext::new();
    context.new_venv();
    context.write(".venv/pyvenv.cfg", "home = /usr/bin\n");
    context.virtpy(["new", "--clear"]).success();
    let output = context.virtpy(["list-all"]).success();
    assert_eq!(output.raw_stdout.lines().count(), 1, "{}", output.dump());
    let value = context.virtpy(["list-all", "--json"]).success().json();
    assert_eq!(value[0]["state"], "present", "{value}");
}
