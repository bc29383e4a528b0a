//! `virtpy list`.

use crate::support::{Index, TestContext, WheelBuilder};

fn scene() -> (TestContext, Index) {
    let index = Index::start(&[
        WheelBuilder::new("Demo.Name", "1.0").requires("helper<2").build(),
        WheelBuilder::new("helper", "1.5").build(),
        WheelBuilder::new("helper", "2.5").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo-name"]).success();
    (context, index)
}

#[test]
fn names_and_versions_in_order() {
    let (context, _index) = scene();
    let output = context.virtpy(["list"]).success();
    let rows: Vec<Vec<&str>> = output.lines().iter().map(|line| line.split_whitespace().collect()).collect();
    let demo = rows
        .iter()
        .position(|row| row.starts_with(&["Demo.Name", "1.0"]) || row.starts_with(&["demo-name", "1.0"]));
    let helper = rows.iter().position(|row| row.starts_with(&["helper", "1.5"]));
    assert!(demo.is_some() && demo < helper, "{}", output.dump());
}

#[test]
fn json_for_programs() {
    let (context, _index) = scene();
    let value = context.virtpy(["list", "--json"]).success().json();
    let rows = value.as_array().unwrap_or_else(|| panic!("{value}"));
    assert_eq!(rows.len(), 2, "{value}");
    assert_eq!(rows[1]["name"], "helper");
    assert_eq!(rows[1]["version"], "1.5");
}

#[test]
fn an_empty_venv_has_an_empty_list() {
    let context = TestContext::new();
    context.new_venv();
    assert_eq!(context.virtpy(["list"]).success().raw_stdout, "");
    assert_eq!(context.virtpy(["list", "--json"]).success().json(), serde_json::json!([]));
}

#[test]
fn outdated_names_the_newer_version() {
    let (mut context, index) = scene();
    context.set("PIP_INDEX_URL", index.url());
    let output = context.virtpy(["list", "--outdated"]).success();
    assert!(output.raw_stdout.contains("helper") && output.raw_stdout.contains("2.5"), "{}", output.dump());
    assert!(!output.raw_stdout.to_lowercase().contains("demo"), "{}", output.dump());
}

#[test]
fn what_a_foreign_tool_installed_is_listed_too() {
    let (context, _index) = scene();
    let site = context.site_packages(".venv");
    context.write(
        &format!("{site}/foreign-3.0.dist-info/METADATA"),
        "Metadata-Version: 2.1\nName: foreign\nVersion: 3.0\n",
    );
    context.write(&format!("{site}/foreign-3.0.dist-info/RECORD"), "foreign-3.0.dist-info/METADATA,,\n");
    let output = context.virtpy(["list"]).success();
    assert!(output.raw_stdout.contains("foreign") && output.raw_stdout.contains("3.0"), "{}", output.dump());
}
