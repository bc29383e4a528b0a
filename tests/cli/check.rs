//! `virtpy check`: unmet, conflicting, dangling, foreign, modified.

use crate::support::{Index, TestContext, WheelBuilder};

fn scene() -> (TestContext, Index) {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").requires("helper>=2").file("single_module.py", "a = 1\n").build(),
        WheelBuilder::new("helper", "1.0").build(),
        WheelBuilder::new("helper", "2.0").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    (context, index)
}

/// Runs `check`, which must find something and name `words`.
#[track_caller]
fn finds(context: &TestContext, words: &[&str]) {
    let output = context.virtpy(["check"]).failure(1);
    let all = format!("{}{}", output.raw_stdout, output.raw_stderr);
    for word in words {
        assert!(all.contains(word), "{word} is missing\n{}", output.dump());
    }
    let value = context.virtpy(["check", "--json"]).failure(1).json().to_string();
    for word in words {
        assert!(value.contains(word), "{word} is missing in {value}");
    }
}

#[test]
fn a_sound_venv_passes() {
    let (context, index) = scene();
    context.virtpy(["check"]).success();
    context.add(&index, &["demo"]).success();
    context.virtpy(["check"]).success();
    context.virtpy(["check", "--json"]).success().json();
}

#[test]
fn a_requirement_that_is_not_met() {
    let (context, index) = scene();
    context.add(&index, &["--no-deps", "demo"]).success();
    finds(&context, &["demo", "helper"]);
}

#[test]
fn a_requirement_that_conflicts() {
    let (context, index) = scene();
    context.add(&index, &["--no-deps", "demo", "helper==1.0"]).success();
    finds(&context, &["demo", "helper", "1.0"]);
}

#[test]
fn requirements_behind_markers_and_extras_do_not_count() {
    let wheel =
        WheelBuilder::new("demo", "1.0").requires("absent ; python_version < '3'").extra("more", &["absent"]);
    let index = Index::start(&[wheel.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    context.virtpy(["check"]).success();
}

#[test]
fn a_link_that_leads_nowhere() {
    let (context, index) = scene();
    context.add(&index, &["demo"]).success();
    let link = context.path(&context.site_packages(".venv")).join("demo");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("/no/such/entry", &link).unwrap();
    finds(&context, &["demo"]);
}

#[test]
fn a_file_that_is_gone() {
    let (context, index) = scene();
    context.add(&index, &["demo"]).success();
    std::fs::remove_file(context.path(&context.site_packages(".venv")).join("single_module.py")).unwrap();
    finds(&context, &["single_module.py"]);
}

#[test]
fn a_link_that_someone_replaced_by_a_file() {
    let (context, index) = scene();
    context.add(&index, &["demo"]).success();
    let path = context.path(&context.site_packages(".venv")).join("single_module.py");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "a = 'patched'\n").unwrap();
    finds(&context, &["single_module.py"]);
}

#[test]
fn a_distribution_that_another_tool_installed() {
    let (context, index) = scene();
    context.add(&index, &["demo"]).success();
    let site = context.site_packages(".venv");
    let metadata = "Metadata-Version: 2.1\nName: foreign\nVersion: 3.0\n";
    context.write(&format!("{site}/foreign-3.0.dist-info/METADATA"), metadata);
    context.write(&format!("{site}/foreign-3.0.dist-info/RECORD"), "foreign-3.0.dist-info/METADATA,,\n");
    context.write(&format!("{site}/foreign-3.0.dist-info/INSTALLER"), "pip\n");
    let output = context.virtpy(["check"]);
    let all = format!("{}{}", output.raw_stdout, output.raw_stderr);
    assert!(all.contains("foreign"), "{}", output.dump());
}
