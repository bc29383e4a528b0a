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

#[test]
fn what_real_pip_reinstalled_can_be_removed_and_its_neighbour_stays() {
    let Some((context, index)) = scene() else { return };
    let arguments =
        ["install", "--index-url", &index.url(), "--force-reinstall", "--no-deps", "ns-second==1.0"];
    pip(&context, &arguments).success();
    let checked = context.virtpy(["check"]).success();
    assert!(checked.raw_stdout.contains("ns-second 1.0 was installed by pip"), "{}", checked.raw_stdout);
    context.virtpy(["remove", "ns-second"]).success();
    assert_eq!(context.eval(".venv", "import ns.first; print(ns.first.version)"), "1");
    context.python(".venv", "import ns.second").failure(1);
    context.virtpy(["check"]).success();
}

#[test]
fn a_namespace_and_the_folders_of_data_can_be_joined() {
    let joining = WheelBuilder::empty("ns-third", "1.0")
        .file("ns/third.py", "version = 3\n")
        .data("data", "share/demo/third.txt", "three\n")
        .data("data", "etc/third.ini", "three\n");
    let alone = WheelBuilder::empty("ns-alone", "1.0")
        .file("ns/alone/__init__.py", "version = 1\n")
        .data("data", "share/demo/alone.txt", "one\n")
        .data("data", "etc/alone.ini", "one\n");
    let index = Index::start(&[joining.build(), alone.build()]);
    let context = TestContext::new();
    context.new_venv();
    let empty = context.venv_content(".venv");
    context.add(&index, &["ns-alone"]).success();
    let before = context.venv_content(".venv");
    let store = context.store_tree();
    if pip(&context, &["list"]).code != Some(0) {
        return skip("this machine's pip is absent or too old for `--python`");
    }
    pip(&context, &["install", "--index-url", &index.url(), "ns-third"]).success();
    store.assert_unchanged(&context.store_tree(), "the store");
    assert_eq!(context.eval(".venv", "import ns.alone, ns.third; print(ns.third.version)"), "3");
    pip(&context, &["uninstall", "--yes", "ns-third"]).success();
    before.assert_unchanged(&context.venv_content(".venv"), "the venv after pip came and went");
    pip(&context, &["uninstall", "--yes", "ns-alone"]).success();
    empty.assert_unchanged(&context.venv_content(".venv"), "the venv after pip uninstalled all");
}

#[test]
fn what_root_s_pip_adds_to_a_folded_package_is_brought_back_into_the_venv() {
    let joining = WheelBuilder::empty("shared-more", "1.0").file("shared/more.py", "version = 2\n");
    let alone = WheelBuilder::empty("shared-base", "1.0").file("shared/__init__.py", "version = 1\n");
    let other = WheelBuilder::new("other", "1.0");
    let index = Index::start(&[joining.build(), alone.build(), other.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["shared-base"]).success();
    let store = context.store_tree();
    let joined = pip(&context, &["install", "--index-url", &index.url(), "shared-more"]);
    if joined.code != Some(0) {
        // No pip, or an ordinary user: the store is read-only.
        store.assert_unchanged(&context.store_tree(), "the store");
        return skip("only root writes to read-only folders");
    }
    let added = context.add(&index, &["other"]).success();
    assert!(added.raw_stderr.contains("changed shared-base 1.0 in the store"), "{}", added.raw_stderr);
    context.virtpy(["store", "verify"]).success();
    let code = "import shared, shared.more; print(shared.more.version, shared.version)";
    assert_eq!(context.eval(".venv", code), "2 1");
    context.virtpy(["check"]).success();
    context.virtpy(["remove", "shared-more"]).success();
    context.virtpy(["check"]).success();
    assert_eq!(context.eval(".venv", "import shared; print(shared.version)"), "1");
}

#[test]
fn a_refused_change_leaves_the_file_that_is_in_its_way() {
    let wheel = WheelBuilder::new("demo", "1.0").file("demo/a.py", "").console_script("demo-tool");
    let index = Index::start(&[wheel.build()]);
    for mode in ["auto", "hardlink", "copy"] {
        let context = TestContext::new();
        context.virtpy(["new", "--link-mode", mode]).success();
        let site = format!(".venv/{}", context.interpreter().site_packages());
        for path in [format!("{site}/demo/a.py"), ".venv/bin/demo-tool".to_owned()] {
            context.write(&path, "mine\n");
            let before = context.venv_content(".venv");
            std::thread::sleep(std::time::Duration::from_millis(20));
            let refused = context.add(&index, &["demo"]).failure(1);
            assert!(refused.raw_stderr.contains("in the way"), "{}", refused.raw_stderr);
            before.assert_unchanged(&context.venv_content(".venv"), &format!("the venv ({mode}, {path})"));
            std::fs::remove_file(context.path(&path)).unwrap();
        }
    }
}
