//! `virtpy detach`, and packages that the settings copy always.

use crate::support::{Index, Node, TestContext, WheelBuilder};

/// A venv with `demo` and `other` from an index that also has `demo` 2.0.
fn scene() -> (TestContext, Index) {
    let context = TestContext::new();
    let demo = |version| {
        WheelBuilder::new("demo", version)
            .file("demo/deep/down.py", "x = 1\n")
            .console_script("demo-tool")
            .build()
    };
    let index = Index::start(&[demo("1.0"), demo("2.0"), WheelBuilder::new("other", "1.0").build()]);
    context.new_venv();
    context.add(&index, &["demo==1.0", "other"]).success();
    (context, index)
}

#[test]
fn a_detached_package_can_be_edited_and_the_store_stays() {
    let (context, _index) = scene();
    let store = context.store_tree();
    context.virtpy(["detach", "demo"]).success();
    let site = context.interpreter().site_packages();
    let tree = context.venv_tree(".venv");
    let node = tree.node(&format!("{site}/demo/deep/down.py"));
    assert!(matches!(node, Some(Node::File(0o644, _))), "{node:?}");
    assert!(tree.is_link(&format!("{site}/other")));
    context.write(&format!(".venv/{site}/demo/deep/down.py"), "x = 'edited'\n");
    assert_eq!(context.eval(".venv", "import demo.deep.down as d; print(d.x)"), "edited");
    store.assert_unchanged(&context.store_tree(), "the store");
    let checked = context.virtpy(["check"]).success();
    assert!(checked.raw_stdout.contains("with changes in `demo/deep/down.py`"), "{}", checked.raw_stdout);
}

#[test]
fn undoing_links_again_but_loses_no_edits_unasked() {
    let (context, _index) = scene();
    let linked = context.venv_content(".venv");
    context.virtpy(["detach", "demo"]).success();
    context.virtpy(["detach", "--undo", "demo"]).success();
    linked.assert_unchanged(&context.venv_content(".venv"), "the venv after detaching and undoing");
    context.virtpy(["detach", "demo"]).success();
    let edited = format!(".venv/{}/demo/__init__.py", context.interpreter().site_packages());
    context.write(&edited, "mine = True\n");
    let refused = context.virtpy(["detach", "--undo", "demo"]).failure(1);
    assert!(refused.raw_stderr.contains("demo/__init__.py"), "{}", refused.raw_stderr);
    assert_eq!(context.read(&edited), "mine = True\n");
    context.virtpy(["detach", "--undo", "--force", "demo"]).success();
    linked.assert_unchanged(&context.venv_content(".venv"), "the venv after undoing by force");
    context.virtpy(["detach", "nothing"]).failure(1);
}

#[test]
fn an_upgrade_keeps_a_package_detached_and_removal_is_complete() {
    let (context, index) = scene();
    context.virtpy(["detach", "demo"]).success();
    context.add(&index, &["--upgrade", "demo"]).success();
    let site = context.interpreter().site_packages();
    assert!(context.venv_tree(".venv").is_folder(&format!("{site}/demo")), "still a copy");
    assert_eq!(context.eval(".venv", "import demo; print(demo.__version__)"), "2.0");
    context.virtpy(["remove", "demo"]).success();
    let left: Vec<String> =
        context.venv_tree(".venv").0.into_keys().filter(|path| path.contains("demo")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_settings_copy_a_package_in_every_venv() {
    let (mut context, index) = scene();
    context.write("config.toml", "always-copy = [\"Demo\"]\nlink-mode = \"hardlink\"\n");
    context.set("VIRTPY_CONFIG_FILE", context.path("config.toml"));
    let site = context.interpreter().site_packages();
    context.virtpy(["new", "--link-mode", "auto", "copying"]).success();
    context.add(&index, &["--venv", "copying", "demo", "other"]).success();
    let tree = context.venv_tree("copying");
    assert!(tree.is_folder(&format!("{site}/demo")) && tree.is_link(&format!("{site}/other")));
    context.virtpy(["new", "hard"]).success();
    assert!(context.read("hard/pyvenv.cfg").contains("virtpy-link-mode = hardlink"));

    context.write("config.toml", "copy-always = []\n");
    let refused = context.virtpy(["new", "third"]).failure(1);
    assert!(refused.raw_stderr.contains("copy-always"), "{}", refused.raw_stderr);
}

#[test]
fn bytecode_that_somebody_cleared_is_in_nobody_s_way() {
    let mut context = TestContext::new();
    context.unset("PYTHONDONTWRITEBYTECODE");
    let wheel = |name: &str| WheelBuilder::empty(name, "1.0").file(&format!("ns/{name}.py"), "x = 1\n");
    let data = WheelBuilder::empty("data", "1.0").file("ns/data.txt", "1\n");
    let index = Index::start(&[wheel("one").build(), wheel("two").build(), data.build()]);
    context.new_venv();
    context.add(&index, &["one", "data"]).success();
    let bytecode = context.path(&format!(".venv/{}/ns/__pycache__", context.interpreter().site_packages()));
    assert!(bytecode.is_symlink(), "one alone has code there");
    std::fs::remove_file(&bytecode).unwrap();
    assert_eq!(context.eval(".venv", "import ns.one; print(ns.one.x)"), "1");
    assert!(bytecode.is_dir() && !bytecode.is_symlink(), "Python made a folder of its own");
    context.virtpy(["check"]).success();
    context.add(&index, &["two"]).success();
    context.virtpy(["remove", "one"]).success();
    assert_eq!(context.eval(".venv", "import ns.two; print(ns.two.x)"), "1");
    context.virtpy(["check"]).success();
}

#[test]
fn edited_files_outside_the_packages_are_not_lost_either() {
    let context = TestContext::new();
    let demo = |version| WheelBuilder::new("demo", version).data("data", "etc/demo.conf", "a = 1\n").build();
    let index = Index::start(&[demo("1.0"), demo("2.0")]);
    context.new_venv();
    context.add(&index, &["demo==1.0"]).success();
    context.virtpy(["detach", "demo"]).success();
    context.write(".venv/etc/demo.conf", "a = 2\n");
    for arguments in [["remove", "demo"].as_slice(), &["detach", "--undo", "demo"]] {
        context.virtpy(arguments).one_error().stderr_has("was edited: `etc/demo.conf`; nothing was changed");
    }
    context.add(&index, &["demo==2.0"]).one_error().stderr_has("etc/demo.conf");
    assert_eq!(context.read(".venv/etc/demo.conf"), "a = 2\n");
    context.virtpy(["remove", "--force", "demo"]).success();
    assert!(!context.path(".venv/etc/demo.conf").exists());
}
