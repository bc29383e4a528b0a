//! Looking at venvs that other tools made, and lists for programs. Nothing is written to what is another tool's.

use crate::support::{Index, TestContext, Tree, WheelBuilder};

/// A venv of Python's own `venv` module, with distributions as another installer leaves them.
fn foreign_venv(context: &TestContext, venv: &str) {
    let python = &context.interpreter().path;
    context.run(context.command(python).args(["-m", "venv", "--without-pip", venv])).success();
    let packages = context.site_packages(venv);
    for (name, version, more) in [("demo", "1.0", "Requires-Dist: leaf>=2\n"), ("leaf", "2.1", "")] {
        let folder = format!("{packages}/{name}-{version}.dist-info");
        let metadata =
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: It is {name}\n{more}");
        context.write(&format!("{folder}/METADATA"), &metadata);
        context.write(&format!("{folder}/INSTALLER"), "pip\n");
        let record = format!(
            "{name}.py,,\n{name}-{version}.dist-info/METADATA,,\n{name}-{version}.dist-info/INSTALLER,,\n\
             {name}-{version}.dist-info/RECORD,,\n"
        );
        context.write(&format!("{folder}/RECORD"), &record);
        context.write(&format!("{packages}/{name}.py"), "value = 1\n");
    }
}

#[test]
fn a_venv_of_another_tool_is_looked_at_and_left_as_it_is() {
    let context = TestContext::new();
    foreign_venv(&context, "theirs");
    let before = Tree::of(&context.path("theirs"));
    context.virtpy(["list", "--venv", "theirs"]).success().stdout_has("demo").stdout_has("2.1");
    context.virtpy(["freeze", "--venv", "theirs"]).success().stdout_is("demo==1.0\nleaf==2.1\n");
    context.virtpy(["show", "--venv", "theirs", "demo"]).success().stdout_has("Summary: It is demo");
    context.virtpy(["tree", "--venv", "theirs"]).success().stdout_has("└── leaf 2.1 [required: leaf>=2]");
    context.virtpy(["check", "--venv", "theirs"]).success().stderr_has("Checked 2 packages");
    context.virtpy(["export", "--venv", "theirs", "out"]).success().stderr_has("2 packages");
    before.assert_unchanged(&Tree::of(&context.path("theirs")), "the venv");
    assert_eq!(context.eval("out", "import demo, leaf; print(demo.value)"), "1");
    // Nothing of it is known to the store.
    assert_eq!(context.virtpy(["list-all"]).success().stdout(), "");
    for command in [&["add", "--venv", "theirs", "x"][..], &["remove", "--venv", "theirs", "demo"]] {
        context.virtpy(command).failure(1).one_error().stderr_has("virtpy adopt");
    }
}

#[test]
fn what_is_missing_in_a_venv_of_another_tool_is_told() {
    let context = TestContext::new();
    foreign_venv(&context, "theirs");
    let packages = context.path(&context.site_packages("theirs"));
    std::fs::remove_dir_all(packages.join("leaf-2.1.dist-info")).unwrap();
    context.virtpy(["check", "--venv", "theirs"]).failure(1).stdout_has("leaf");
}

#[test]
fn lists_are_there_for_programs() {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").requires("leaf>=2").build(),
        WheelBuilder::new("leaf", "2.1").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let frozen = context.virtpy(["freeze", "--json"]).success().json();
    assert_eq!(frozen[0]["requirement"], "demo==1.0");
    assert_eq!((&frozen[1]["name"], &frozen[1]["version"]), (&"leaf".into(), &"2.1".into()));
    let tree = context.virtpy(["tree", "--json"]).success().json();
    assert_eq!(tree["roots"], serde_json::json!(["demo"]));
    assert_eq!(
        tree["packages"][0]["leads_to"],
        serde_json::json!([{ "key": "leaf", "requirement": "leaf>=2", "installed": true }])
    );
    let inverted = context.virtpy(["tree", "--json", "--invert", "leaf"]).success().json();
    assert_eq!(inverted["roots"], serde_json::json!(["leaf"]));
    assert_eq!(inverted["packages"].as_array().unwrap().len(), 2);
}
