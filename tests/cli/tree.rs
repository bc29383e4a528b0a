//! `virtpy tree`.

use crate::support::{Index, TestContext, WheelBuilder};

#[test]
fn dependencies_stand_below_what_needs_them() {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").requires("middle").requires("leaf").build(),
        WheelBuilder::new("middle", "1.0").requires("leaf>=1").build(),
        WheelBuilder::new("leaf", "1.0").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let output = context.virtpy(["tree"]).success();
    let lines = output.lines();
    assert!(lines[0].starts_with("demo"), "{}", output.dump());
    let indent = |name: &str| {
        let line =
            lines.iter().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{}", output.dump()));
        line.find(name).unwrap()
    };
    assert!(indent("middle") > 0, "{}", output.dump());
    assert!(lines.iter().filter(|line| line.contains("leaf")).count() >= 2, "{}", output.dump());
}

#[test]
fn a_circle_ends() {
    let index = Index::start(&[
        WheelBuilder::new("hen", "1.0").requires("egg").build(),
        WheelBuilder::new("egg", "1.0").requires("hen").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["hen"]).success();
    let output = context.virtpy(["tree"]).success();
    assert!(output.lines().len() < 10 && output.raw_stdout.contains("egg"), "{}", output.dump());
}

#[test]
fn an_unmet_requirement_is_marked_and_no_failure() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").requires("absent").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["--no-deps", "demo"]).success();
    context.virtpy(["tree"]).success().stdout_has("absent");
}

/// Each level requires both members of the next, so that the paths double from level to level.
#[test]
fn shared_dependencies_do_not_blow_the_tree_up() {
    let mut wheels = Vec::new();
    for level in 0..16 {
        for side in ["left", "right"] {
            let mut wheel = WheelBuilder::new(&format!("{side}{level}"), "1.0");
            if level < 15 {
                wheel =
                    wheel.requires(&format!("left{}", level + 1)).requires(&format!("right{}", level + 1));
            }
            wheels.push(wheel.build());
        }
    }
    let index = Index::start(&wheels);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["left0", "right0"]).success();
    let lines = context.virtpy(["tree"]).success().lines().len();
    assert!(lines < 500, "{lines} lines for 32 packages");
}

#[test]
fn a_tree_is_drawn_as_deep_as_it_is_asked_for() {
    let index = Index::start(&[
        WheelBuilder::new("top", "1.0").requires("middle").requires("leaf").build(),
        WheelBuilder::new("middle", "1.0").requires("leaf").build(),
        WheelBuilder::new("leaf", "1.0").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["top"]).success();
    context.virtpy(["tree", "--depth", "0"]).success().stdout_is("top 1.0\n");
    context
        .virtpy(["tree", "-d", "1"])
        .success()
        .stdout_is("top 1.0\n├── leaf 1.0 [required: leaf]\n└── middle 1.0 [required: middle]\n");
    context
        .virtpy(["tree", "--invert", "--depth", "1", "leaf"])
        .success()
        .stdout_is("leaf 1.0\n├── middle 1.0 [required: leaf]\n└── top 1.0 [required: leaf]\n");
    let whole = context.virtpy(["tree"]).success().raw_stdout;
    assert_eq!(context.virtpy(["tree", "--depth", "2"]).success().raw_stdout, whole);
}
