//! `virtpy remove`.

use crate::support::{Index, TestContext, Tree, WheelBuilder};

fn scene() -> (TestContext, Index) {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").requires("helper").console_script("demo-tool").build(),
        WheelBuilder::new("helper", "2.0").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    (context, index)
}

#[test]
fn what_was_added_goes_away() {
    let (context, index) = scene();
    context.virtpy(["remove", "demo"]).success().stdout_is(" - demo 1.0\n");
    context.python(".venv", "import demo").failure(1);
    context.eval(".venv", "import helper");
    assert!(!context.path(".venv/bin/demo-tool").exists());
    assert_eq!(context.store_entries().len(), 2, "the store keeps its entries");
    index.forget_requests();
    context.add(&index, &["demo"]).success();
    assert_eq!(index.all_downloads(), 0);
}

#[test]
fn all_or_nothing_if_a_name_is_not_installed() {
    let (context, _index) = scene();
    let before = Tree::of(&context.path(".venv"));
    context.virtpy(["remove", "demo", "absent"]).one_error().stderr_has("absent");
    before.assert_unchanged(&Tree::of(&context.path(".venv")), "the venv");
}

#[test]
fn dry_run_only_tells() {
    let (context, _index) = scene();
    let before = Tree::of(&context.path(".venv"));
    context.virtpy(["remove", "--dry-run", "demo"]).success().stdout_is(" - demo 1.0\n");
    before.assert_unchanged(&Tree::of(&context.path(".venv")), "the venv");
}

#[test]
fn several_at_once_and_json() {
    let (context, _index) = scene();
    let value = context.virtpy(["remove", "--json", "demo", "HELPER"]).success().json().to_string();
    assert!(value.contains("demo") && value.contains("helper") && value.contains("2.0"), "{value}");
    assert_eq!(context.virtpy(["freeze"]).success().raw_stdout, "");
}

#[test]
fn the_users_own_files_stay() {
    let (context, _index) = scene();
    let site = context.site_packages(".venv");
    context.write(&format!("{site}/mine.py"), "mine = True\n");
    context.virtpy(["remove", "demo", "helper"]).success();
    assert_eq!(context.eval(".venv", "import mine; print(mine.mine)"), "True");
}

#[test]
fn the_store_is_never_touched() {
    let (context, _index) = scene();
    let before = context.store_tree().without(&["roots", "places"]);
    context.virtpy(["remove", "demo", "helper"]).success();
    before.assert_unchanged(&context.store_tree().without(&["roots", "places"]), "the store");
}

/// What another tool or the user put in the place of a shared folder's file is kept, and so is its folder.
#[test]
fn a_file_in_place_of_a_link_stays_in_a_shared_folder() {
    let wheel = |name: &str| {
        let wheel = WheelBuilder::empty(name, "1.0").file(&format!("common/{name}.py"), "x = 1\n");
        if name == "one" { wheel.file("common/__init__.py", "").build() } else { wheel.build() }
    };
    let index = Index::start(&[wheel("one"), wheel("two"), WheelBuilder::new("other", "1.0").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one", "two"]).success();
    let common = format!("{}/common", context.site_packages(".venv"));
    std::fs::remove_file(context.path(&format!("{common}/two.py"))).unwrap();
    context.write(&format!("{common}/two.py"), "x = 2\n");
    let told = context.virtpy(["remove", "two"]).success();
    assert!(told.raw_stderr.contains("common/two.py` was changed"), "{}", told.dump());
    assert_eq!(context.eval(".venv", "import common.one, common.two as two; print(two.x)"), "2");
    std::fs::remove_file(context.path(&format!("{common}/two.py"))).unwrap();
    let _ = std::fs::remove_dir_all(context.path(&format!("{common}/__pycache__")));
    context.add(&index, &["other"]).success();
    assert!(context.path(&common).is_symlink(), "folded again when nobody else has anything there");
}
