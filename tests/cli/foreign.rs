//! Real pip at work in a virtpy venv: it uninstalls and upgrades cleanly, and never writes into the store.

use crate::support::{Index, Output, TestContext, WheelBuilder, skip};

fn pip(context: &TestContext, arguments: &[&str]) -> Output {
    let mut command = context.command(&context.interpreter().path);
    let python = context.path(".venv/bin/python");
    command.args(["-m", "pip", "--disable-pip-version-check", "--python"]).arg(python).args(arguments);
    context.run(&mut command)
}

/// A venv with folded, unfolded and single-file distributions; none if the base interpreter has no pip that can work
/// on another environment.
fn scene() -> Option<(TestContext, Index)> {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0")
            .file("demo/part.py", "version = 1\n")
            .file("single.py", "version = 1\n")
            .data("data", "share/demo/data.txt", "one\n")
            .console_script("demo-tool")
            .build(),
        WheelBuilder::new("demo", "2.0")
            .file("demo/part.py", "version = 2\n")
            .file("single.py", "version = 2\n")
            .build(),
        WheelBuilder::empty("ns-first", "1.0").file("ns/first/__init__.py", "version = 1\n").build(),
        WheelBuilder::empty("ns-second", "1.0").file("ns/second/__init__.py", "version = 1\n").build(),
        WheelBuilder::empty("ns-second", "2.0").file("ns/second/__init__.py", "version = 2\n").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo==1.0", "ns-first", "ns-second==1.0"]).success();
    if pip(&context, &["list"]).code != Some(0) {
        skip("this machine's pip is absent or too old for `--python`");
        return None;
    }
    Some((context, index))
}

#[test]
fn real_pip_lists_and_checks_the_venv() {
    let Some((context, _index)) = scene() else { return };
    let listed = pip(&context, &["freeze"]).success();
    assert_eq!(listed.raw_stdout, "demo==1.0\nns-first==1.0\nns-second==1.0\n");
    pip(&context, &["check"]).success();
}

#[test]
fn real_pip_uninstalls_and_leaves_the_store_alone() {
    let Some((context, index)) = scene() else { return };
    let store = context.store_tree();
    pip(&context, &["uninstall", "--yes", "demo", "ns-second"]).success();
    store.assert_unchanged(&context.store_tree(), "the store");
    for module in ["demo", "single", "ns.second"] {
        context.python(".venv", &format!("import {module}")).failure(1);
    }
    assert!(!context.path(".venv/bin/demo-tool").exists() && !context.path(".venv/share/demo").exists());
    assert_eq!(context.eval(".venv", "import ns.first; print(ns.first.version)"), "1");
    assert_eq!(context.virtpy(["freeze"]).success().raw_stdout, "ns-first==1.0\n");
    context.add(&index, &["demo==1.0", "ns-second==1.0"]).success();
    assert_eq!(context.eval(".venv", "import demo.part, ns.second; print(demo.part.version)"), "1");
    context.virtpy(["check"]).success();
}

#[test]
fn real_pip_upgrades_and_leaves_the_store_alone() {
    let Some((context, index)) = scene() else { return };
    let store = context.store_tree();
    pip(&context, &["install", "--index-url", &index.url(), "--upgrade", "demo", "ns-second"]).success();
    store.assert_unchanged(&context.store_tree(), "the store");
    let code = "import demo.part, single, ns.first, ns.second; \
                print(demo.part.version, single.version, ns.first.version, ns.second.version)";
    assert_eq!(context.eval(".venv", code), "2 2 1 2");
    let frozen = context.virtpy(["freeze"]).success();
    assert_eq!(frozen.raw_stdout, "demo==2.0\nns-first==1.0\nns-second==2.0\n");
    context.add(&index, &["demo==1.0"]).success();
    assert_eq!(context.eval(".venv", "import demo.part; print(demo.part.version)"), "1");
    store.assert_unchanged(&context.store_tree(), "the store");
    context.virtpy(["remove", "demo", "ns-first", "ns-second"]).success();
    assert_eq!(context.virtpy(["freeze"]).success().raw_stdout, "");
    context.python(".venv", "import demo").failure(1);
}
