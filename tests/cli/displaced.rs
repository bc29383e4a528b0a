//! Venvs that were moved, copied, or lost their store or their interpreter; and `virtpy export`.

use std::process::Command;

use crate::support::{Index, TestContext, WheelBuilder};

/// A venv in `project/.venv` with a package, a script, a package that another one collides with, and data.
fn scene() -> (TestContext, Index) {
    let tool = WheelBuilder::new("tool", "1.0")
        .file("tool/cli.py", "def main():\n    import sys\n    print(sys.prefix)\n")
        .data("data", "share/tool/hello.txt", "hello\n")
        .entry_point("console_scripts", "tool = tool.cli:main");
    let one = WheelBuilder::new("one", "1.0").file("spaces/one.py", "x = 1\n");
    let two = WheelBuilder::new("two", "1.0").file("spaces/two.py", "x = 2\n");
    let index = Index::start(&[tool.build(), one.build(), two.build()]);
    let context = TestContext::new();
    context.new_named_venv("project/.venv");
    context.add(&index, &["--venv", "project/.venv", "tool", "one", "two"]).success();
    (context, index)
}

fn copy(context: &TestContext, options: &str, from: &str, to: &str) {
    let status = Command::new("cp").args([options, from, to]).current_dir(context.path(".")).status();
    assert!(status.unwrap().success());
}

/// What the script of a venv says its prefix is, relative to the test's folder.
fn prefix(context: &TestContext, venv: &str) -> String {
    let output = context.script(venv, "tool", &[]).success();
    output.stdout().trim().replace("[WORK]/", "")
}

/// Whether a venv is exactly as one that was made at that path at once.
fn assert_as_new(context: &TestContext, index: &Index, venv: &str) {
    let found = context.venv_content(venv);
    let aside = format!("{venv}-aside");
    std::fs::rename(context.path(venv), context.path(&aside)).unwrap();
    context.new_named_venv(venv);
    context.add(index, &["--venv", venv, "tool", "one", "two"]).success();
    found.assert_unchanged(&context.venv_content(venv), "a venv that was relinked, and one made at once");
    std::fs::remove_dir_all(context.path(venv)).unwrap();
    std::fs::rename(context.path(&aside), context.path(venv)).unwrap();
}

#[test]
fn a_moved_venv_is_named_and_mended() {
    let (context, index) = scene();
    std::fs::rename(context.path("project"), context.path("moved")).unwrap();
    context
        .virtpy(["list", "--venv", "moved/.venv"])
        .success()
        .stderr_has("was moved here from")
        .stdout_has("tool");
    context.virtpy(["check", "--venv", "moved/.venv"]).failure(1).stderr_has("`virtpy relink`");
    // It can be changed all the same.
    context.virtpy(["remove", "--venv", "moved/.venv", "two"]).success();
    context.add(&index, &["--venv", "moved/.venv", "two"]).success();
    context.virtpy(["relink", "--venv", "moved/.venv"]).success();
    context.virtpy(["check", "--venv", "moved/.venv"]).success();
    assert_eq!(prefix(&context, "moved/.venv"), "moved/.venv");
    let silent = context.virtpy(["list", "--venv", "moved/.venv"]).success();
    assert_eq!(silent.raw_stderr, "");
    assert_as_new(&context, &index, "moved/.venv");
    let activate = context.read("moved/.venv/bin/activate");
    assert!(activate.contains("/moved/.venv") && !activate.contains("/project/.venv"));
}

#[test]
fn a_copy_becomes_a_venv_of_its_own() {
    let (context, index) = scene();
    let original = context.venv_tree("project/.venv");
    copy(&context, "-a", "project", "copy");
    let refused = context.add(&index, &["--venv", "copy/.venv", "one"]).failure(1);
    refused.one_error().stderr_has("is a copy of the one at").stderr_has("virtpy relink");
    context.virtpy(["remove", "--venv", "copy/.venv", "one"]).failure(1);
    context.virtpy(["relink", "--venv", "copy/.venv"]).success();
    assert_eq!(prefix(&context, "copy/.venv"), "copy/.venv");
    assert_eq!(prefix(&context, "project/.venv"), "project/.venv");
    let rows = context.virtpy(["list-all", "--json"]).success().json();
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "{rows}");
    context.virtpy(["remove", "--venv", "copy/.venv", "one"]).success();
    original.assert_unchanged(&context.venv_tree("project/.venv"), "the original");
    context.add(&index, &["--venv", "copy/.venv", "one"]).success();
    context.virtpy(["check", "--venv", "copy/.venv"]).success();
}

#[test]
fn a_copy_that_followed_the_links_is_linked_again() {
    let (context, _index) = scene();
    copy(&context, "-rL", "project", "copy");
    context.virtpy(["relink", "--venv", "copy/.venv"]).success();
    context.virtpy(["check", "--venv", "copy/.venv"]).success();
    assert_eq!(prefix(&context, "copy/.venv"), "copy/.venv");
    let package = context.path(&format!("copy/.venv/{}/tool", context.interpreter().site_packages()));
    assert!(std::fs::symlink_metadata(package).unwrap().is_symlink());
}

#[test]
fn what_the_store_lost_is_fetched_again() {
    let (context, index) = scene();
    std::fs::create_dir(context.path("elsewhere")).unwrap();
    std::fs::rename(context.path("project"), context.path("elsewhere/project")).unwrap();
    context.virtpy(["store", "gc", "--grace", "0", "--remove"]).success();
    assert_eq!(context.store_entries().len(), 0);
    std::fs::rename(context.path("elsewhere/project"), context.path("project")).unwrap();
    let venv = ["--venv", "project/.venv"];
    context.virtpy([&["list"][..], &venv].concat()).success().stderr_has("the store no longer has");
    context
        .virtpy([&["check"][..], &venv].concat())
        .failure(1)
        .one_error()
        .stderr_has("has none of this venv's 3 packages");
    context.virtpy([&["relink", "--no-index"][..], &venv].concat()).failure(1);
    let url = index.url();
    context
        .virtpy([&["relink", "--index-url", url.as_str()][..], &venv].concat())
        .success()
        .stderr_has("3 fetched");
    context.virtpy([&["check"][..], &venv].concat()).success();
    assert_eq!(prefix(&context, "project/.venv"), "project/.venv");
}

#[test]
fn a_venv_of_another_store_is_not_changed_but_can_be_brought_over() {
    let (mut context, index) = scene();
    let old = context.store();
    context.set("VIRTPY_HOME", context.path("other-store"));
    let url = index.url();
    let refused = context.add(&index, &["--venv", "project/.venv", "one"]).failure(1).one_error();
    refused.stderr_has("are in the store at").stderr_has("set `VIRTPY_HOME`");
    let venv = ["--venv", "project/.venv"];
    let checked = context.virtpy([&["check"][..], &venv].concat()).failure(1).one_error();
    assert_eq!(checked.raw_stdout, "");
    checked.stderr_has("are in the store at");
    std::fs::rename(&old, context.path("old-store")).unwrap();
    let checked = context.virtpy([&["check"][..], &venv].concat()).failure(1).one_error();
    checked.stderr_has("of this venv is missing").stderr_has("`virtpy relink` restores the venv");
    std::fs::rename(context.path("old-store"), &old).unwrap();
    context.virtpy(["relink", "--venv", "project/.venv", "--index-url", &url]).success();
    std::fs::rename(&old, context.path("old-store")).unwrap();
    context.virtpy(["check", "--venv", "project/.venv"]).success();
    assert_eq!(prefix(&context, "project/.venv"), "project/.venv");
}

#[test]
fn a_venv_whose_interpreter_is_gone_gets_another_of_the_same_version() {
    let (context, _index) = scene();
    let python = context.path("project/.venv/bin/python");
    std::fs::remove_file(&python).unwrap();
    std::os::unix::fs::symlink("/nowhere/python", &python).unwrap();
    context.virtpy(["check", "--venv", "project/.venv"]).failure(1).stderr_has("virtpy relink");
    let own = context.interpreter().path.display().to_string();
    context.virtpy(["relink", "--venv", "project/.venv", "--python", &own]).success();
    context.virtpy(["check", "--venv", "project/.venv"]).success();
    assert_eq!(prefix(&context, "project/.venv"), "project/.venv");
}

#[test]
fn edited_copies_and_other_tools_packages_survive_a_relink() {
    let (context, _index) = scene();
    let venv = ["--venv", "moved/.venv"];
    std::fs::rename(context.path("project"), context.path("moved")).unwrap();
    context.virtpy([&["relink"][..], &venv].concat()).success();
    context.virtpy([&["detach", "tool"][..], &venv].concat()).success();
    let code = format!("moved/.venv/{}/tool/cli.py", context.interpreter().site_packages());
    std::fs::write(context.path(&code), "def main():\n    print('mine')\n").unwrap();
    context.virtpy([&["relink"][..], &venv].concat()).success();
    context.script("moved/.venv", "tool", &[]).success().stdout_has("mine");
}

/// Editors that replace a file by a new one put theirs in the place of a link into the store.
#[test]
fn what_somebody_put_in_a_links_place_is_not_taken_away_by_a_relink() {
    let (context, _index) = scene();
    let site = format!("project/.venv/{}", context.interpreter().site_packages());
    let venv = ["--venv", "project/.venv"];
    let package = format!("{site}/tool");
    assert!(context.path(&package).is_symlink());
    std::fs::remove_file(context.path(&package)).unwrap();
    context.write(&package, "mine\n");
    context.virtpy([&["check"][..], &venv].concat()).failure(1).stdout_has("stands in the place of a link");
    let refused = context.virtpy([&["relink"][..], &venv].concat()).failure(1).one_error();
    refused.stderr_has("is in the way").stderr_has("move it away");
    assert_eq!(context.read(&package), "mine\n");
    std::fs::rename(context.path(&package), context.path("aside")).unwrap();
    context.virtpy([&["relink"][..], &venv].concat()).success();
    context.script("project/.venv", "tool", &[]).success();
}

#[test]
fn an_export_needs_neither_the_store_nor_its_origin() {
    let (context, _index) = scene();
    let site = format!("project/.venv/{}", context.interpreter().site_packages());
    context.write(&format!("{site}/mine.py"), "x = 'mine'\n");
    context.virtpy(["export", "out", "--venv", "project/.venv"]).success();
    context.virtpy(["export", "out", "--venv", "project/.venv"]).failure(1).one_error();
    context.virtpy(["export", "image", "--at", "app/.venv", "--venv", "project/.venv"]).success();
    std::fs::rename(context.store(), context.path("store-aside")).unwrap();
    std::fs::rename(context.path("project"), context.path("project-aside")).unwrap();
    let links = Command::new("find").arg(context.path("out")).args(["-type", "l"]).output().unwrap();
    let links = String::from_utf8(links.stdout).unwrap();
    let names: Vec<&str> = links.lines().filter_map(|path| path.rsplit('/').next()).collect();
    assert!(names.iter().all(|name| name.starts_with("python") || *name == "lib64"), "{links}");
    let code = "import tool, spaces.one, spaces.two, mine; print(spaces.one.x + spaces.two.x, mine.x)";
    assert_eq!(context.eval("out", code), "3 mine");
    assert_eq!(prefix(&context, "out"), "out");
    assert_eq!(context.read("out/share/tool/hello.txt"), "hello\n");
    assert!(!context.read("out/pyvenv.cfg").contains("virtpy-id"));
    let files = "import importlib.metadata as m; print(all(f.locate().exists() for f in m.files('tool')))";
    assert_eq!(context.eval("out", files), "True");
    std::fs::create_dir(context.path("app")).unwrap();
    std::fs::rename(context.path("image"), context.path("app/.venv")).unwrap();
    assert_eq!(prefix(&context, "app/.venv"), "app/.venv");
}

#[test]
fn an_export_never_goes_into_what_is_exported() {
    let context = TestContext::new();
    context.new_venv();
    let before = context.venv_tree(".venv");
    for place in [".venv/out", ".venv/lib/out"] {
        context.virtpy(["export", place]).failure(1).one_error().stderr_has("in the venv that is exported");
    }
    let in_store = context.store().join("out");
    context.virtpy([std::ffi::OsStr::new("export"), in_store.as_os_str()]).failure(1).one_error();
    before.assert_unchanged(&context.venv_tree(".venv"), "the venv");
}

#[test]
fn what_is_run_in_a_moved_venv_is_not_run_by_the_one_in_its_old_place() {
    let (context, index) = scene();
    let run = || {
        let mut command = context.virtpy_command(["run", "tool"]);
        let output = context.run(command.current_dir(context.path("moved"))).success();
        output.stdout().trim().replace("[WORK]/", "")
    };
    std::fs::rename(context.path("project"), context.path("moved")).unwrap();
    assert_eq!(run(), "moved/.venv", "the interpreter that the script names is gone");
    context.new_named_venv("project/.venv");
    context.add(&index, &["--venv", "project/.venv", "tool"]).success();
    assert_eq!(run(), "moved/.venv");
    context.virtpy(["relink", "--venv", "moved/.venv"]).success();
    assert_eq!(run(), "moved/.venv");
}
