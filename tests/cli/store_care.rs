//! `virtpy store verify` and `repair`, and what they find after a foreign installer wrote through a link.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::SystemTime;

use crate::support::{Index, TestContext, WheelBuilder, archive, skip, write_later};

/// A venv with `demo` and `other`.
fn scene() -> (TestContext, Index) {
    let context = TestContext::new();
    let demo = WheelBuilder::new("demo", "1.0").file("demo/a.py", "x = 1\n").file("demo/b.py", "y = 1\n");
    let others = ["other", "third"].map(|name| WheelBuilder::new(name, "1.0").build());
    let index = Index::start(&[[demo.build()].as_slice(), &others].concat());
    context.new_venv();
    context.add(&index, &["demo", "other"]).success();
    (context, index)
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The folder of `demo` in the store, as the venv's link leads to it.
fn demo(context: &TestContext) -> std::path::PathBuf {
    let link = context.path(&format!(".venv/{}/demo", context.interpreter().site_packages()));
    std::fs::canonicalize(link).unwrap()
}

/// Overwrites a file as root can through a link, and as an ordinary user cannot.
fn overwrite(path: &Path, text: &str) {
    set_mode(path, 0o644);
    write_later(path, text.as_bytes());
    set_mode(path, 0o444);
}

#[test]
fn everything_that_is_wrong_is_found_and_restored() {
    let (context, _index) = scene();
    let sound = without_time(&context);
    context.virtpy(["store", "verify"]).success();
    let folder = demo(&context);
    set_mode(&folder, 0o755);
    overwrite(&folder.join("a.py"), "x = 2\n");
    std::fs::remove_file(folder.join("b.py")).unwrap();
    std::fs::write(folder.join("new.py"), "").unwrap();
    set_mode(&folder.join("__init__.py"), 0o644);

    let found = context.virtpy(["store", "verify"]).failure(1).raw_stdout;
    for finding in [
        "`site/demo/a.py` has another content",
        "`site/demo/b.py` is missing",
        "`site/demo/new.py` does not belong there",
        "`site/demo/__init__.py` can be written",
        "`site/demo` can be written",
    ] {
        assert!(found.contains(finding), "{finding} is not in:\n{found}");
    }
    assert!(!found.contains("other 1.0"), "only demo is damaged:\n{found}");
    context.virtpy(["store", "verify", "other"]).success();
    context.virtpy(["internal-store", "verify", "demo"]).failure(1);
    context.virtpy(["store", "verify", "unknown-name"]).failure(1);

    context.virtpy(["store", "repair"]).success();
    context.virtpy(["store", "verify"]).success();
    sound.assert_unchanged(&without_time(&context), "the store after the repair");
    assert_eq!(context.eval(".venv", "import demo.a, demo.b; print(demo.a.x)"), "1");
    context.assert_no_leftovers();
}

#[test]
fn an_entry_that_is_gone_is_missed() {
    let (context, index) = scene();
    let url = index.url();
    let folder = demo(&context);
    context.virtpy(["store", "verify"]).success();
    let entry = folder.ancestors().nth(2).unwrap();
    let opened = std::process::Command::new("chmod").args(["-R", "u+w"]).arg(entry).status().unwrap();
    assert!(opened.success());
    std::fs::remove_dir_all(entry).unwrap();
    let found = context.virtpy(["store", "verify"]).failure(1);
    found
        .stdout_has("its directory is missing")
        .stderr_has("1 damaged; `virtpy relink` in the venv at `[WORK]/.venv`");
    let refused = context.virtpy(["store", "repair", "--index-url", &url]).one_error();
    refused.stderr_has("is missing").stderr_has("`virtpy relink` in the venv at");
    context.virtpy(["relink", "--index-url", &url]).success();
    context.virtpy(["store", "verify"]).success();
    assert_eq!(context.eval(".venv", "import demo; print(demo.__version__)"), "1.0");
}

/// The store's tree; `entry.json` tells when an entry was unpacked, so it is not compared, nor its digest.
fn without_time(context: &TestContext) -> crate::support::Tree {
    let mut tree = context.store_tree();
    for (path, node) in &mut tree.0 {
        if (path.ends_with("/entry.json") || path == "digests")
            && let crate::support::Node::File(_, hash) = node
        {
            hash.clear();
        }
    }
    tree
}

#[test]
fn check_names_what_was_added_to_a_package_in_the_store() {
    let (context, _index) = scene();
    let folder = demo(&context);
    for (name, is_folder) in [("new.py", false), ("more", true)] {
        set_mode(&folder, 0o755);
        let path = folder.join(name);
        if is_folder {
            std::fs::create_dir(&path).unwrap();
        } else {
            std::fs::write(&path, "").unwrap();
        }
        set_mode(&folder, 0o555);
        let finding = format!("`site/demo/{name}` does not belong there");
        context.virtpy(["check"]).failure(1).stdout_has(&finding);
        context.virtpy(["store", "repair"]).success();
        assert!(!path.exists());
        context.virtpy(["check"]).success();
    }
    set_mode(&folder, 0o755);
    context.virtpy(["check"]).failure(1).stdout_has("`site/demo` can be written");
    context.virtpy(["store", "repair"]).success();
    context.virtpy(["check"]).success();
}

#[test]
fn check_names_what_came_and_went_below_folders_that_nobody_changed() {
    let context = TestContext::new();
    let wheel = WheelBuilder::new("demo", "1.0").file("demo/one/two/a.py", "").file("demo/one/two/b.py", "");
    wheel.build().write_to(&context.path("wheels"));
    context.new_venv();
    let add = ["add", "--no-index", "--find-links", "wheels", "demo"];
    context.virtpy(add).success();
    let inner = demo(&context).join("one/two");
    let folder = inner.parent().unwrap().to_path_buf();
    let in_open = |folder: &Path, change: &dyn Fn()| {
        let time = std::fs::metadata(folder).unwrap().modified().unwrap();
        set_mode(folder, 0o755);
        change();
        // As tools do that copy with times.
        std::fs::File::open(folder).unwrap().set_modified(time).unwrap();
        set_mode(folder, 0o555);
    };
    let found = |finding: &str| {
        context.virtpy(["check"]).failure(1).stdout_has(finding);
        context.virtpy(["store", "repair", "--no-index", "--find-links", "wheels"]).success();
        context.virtpy(["check"]).success();
    };
    context.virtpy(["check"]).success();
    in_open(&inner, &|| std::fs::write(inner.join("new.py"), "").unwrap());
    found("`site/demo/one/two/new.py` does not belong there");
    in_open(&inner, &|| std::fs::remove_file(inner.join("b.py")).unwrap());
    found("two/b.py");
    // What stood there, at another place and behind a link.
    in_open(&folder, &|| {
        set_mode(&inner, 0o755);
        std::fs::rename(&inner, context.path("aside")).unwrap();
        set_mode(&context.path("aside"), 0o555);
        std::os::unix::fs::symlink(context.path("aside"), &inner).unwrap();
    });
    context.virtpy(["check"]).failure(1).stdout_has("`site/demo/one/two` does not belong there");
    set_mode(&context.path("aside"), 0o755);
}

#[test]
fn what_was_given_to_another_user_is_taken_back_in_place() {
    use std::os::unix::fs::{MetadataExt as _, lchown};
    if !rustix::process::geteuid().is_root() {
        skip("only root gives files away");
        return;
    }
    let (mut context, index) = scene();
    // Nothing can be fetched again.
    drop(index);
    context.set("PIP_NO_INDEX", "1");
    let folder = demo(&context);
    let entry = folder.ancestors().nth(2).unwrap().to_path_buf();
    for (path, shown) in [
        (folder.join("a.py"), "`site/demo/a.py` belongs"),
        (folder.clone(), "`site/demo` belongs"),
        (entry.join("entry.json"), "`entry.json` belongs"),
        (entry.clone(), "its folder belongs"),
    ] {
        let before = std::fs::metadata(&path).unwrap();
        lchown(&path, Some(1234), None).unwrap();
        context.virtpy(["store", "verify"]).failure(1).stdout_has(shown);
        context.virtpy(["check"]).failure(1);
        context.virtpy(["store", "repair"]).success();
        let after = std::fs::metadata(&path).unwrap();
        assert_eq!((after.uid(), after.mode()), (before.uid(), before.mode()), "{shown}");
        assert_eq!(after.modified().unwrap(), before.modified().unwrap(), "{shown}");
        assert!(path.is_dir() || after.ino() != before.ino(), "{shown}: who has it open still reaches it");
        context.virtpy(["store", "verify"]).success();
        context.virtpy(["check"]).success();
    }
    context.assert_no_leftovers();
}

#[test]
fn what_describes_an_entry_is_verified_too() {
    let (context, _index) = scene();
    let entry = demo(&context).ancestors().nth(2).unwrap().to_path_buf();
    for (name, text) in [("rows", "demo/a.py,,\n"), ("RECORD", "")] {
        overwrite(&entry.join(name), text);
        context.virtpy(["store", "verify"]).failure(1).stdout_has(&format!("`{name}` has another content"));
        context.virtpy(["store", "repair"]).success();
        context.virtpy(["store", "verify"]).success();
    }
    context.virtpy(["check"]).success();
}

#[test]
fn a_file_that_was_changed_together_with_its_row_and_the_manifest_is_found() {
    let (context, _index) = scene();
    let file = demo(&context).join("a.py");
    let entry = file.ancestors().nth(3).unwrap().to_path_buf();
    let digest = |text: &str| archive::base64(&archive::sha256(text.as_bytes()));
    let text_of = |name: &str| std::fs::read_to_string(entry.join(name)).unwrap();
    let rows = text_of("rows").replace(&digest("x = 1\n"), &digest("x = 2\n"));
    let manifest = text_of("entry.json").replace(&digest(&text_of("rows")), &digest(&rows));
    assert!(rows != text_of("rows") && manifest != text_of("entry.json"));
    overwrite(&file, "x = 2\n");
    overwrite(&entry.join("rows"), &rows);
    overwrite(&entry.join("entry.json"), &manifest);
    context.virtpy(["store", "verify", "demo"]).failure(1).stdout_has("`entry.json` has another content");
    context.virtpy(["store", "repair"]).success();
    context.virtpy(["store", "verify"]).success();
    assert_eq!(context.eval(".venv", "import demo.a; print(demo.a.x)"), "1");
    // A collection keeps the note of what stays; an entry of an earlier version has none.
    context.virtpy(["store", "gc", "--grace", "0s", "--remove"]).success();
    overwrite(&entry.join("entry.json"), &manifest);
    context.virtpy(["store", "verify", "demo"]).failure(1).stdout_has("`entry.json` has another content");
    context.virtpy(["store", "repair"]).success();
    std::fs::remove_file(context.store().join("digests")).unwrap();
    context.virtpy(["store", "verify"]).success();
}

#[test]
fn the_store_of_an_older_virtpy_is_told_and_renewed() {
    let (context, _index) = scene();
    let path = demo(&context).ancestors().nth(2).unwrap().join("entry.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut older: serde_json::Value = serde_json::from_str(&text).unwrap();
    older["format"] = 2.into();
    older.as_object_mut().unwrap().remove("texts");
    overwrite(&path, &older.to_string());
    context.virtpy(["check"]).failure(1).stderr_has("format 2").stderr_has("virtpy store repair");
    context.virtpy(["store", "repair"]).success();
    context.virtpy(["check"]).success();
    context.virtpy(["store", "verify"]).success();
}

#[test]
fn what_cannot_be_had_again_is_said_and_left() {
    let (context, _index) = scene();
    overwrite(&demo(&context).join("a.py"), "x = 2\n");
    let failed = context.virtpy(["store", "repair", "--offline"]).failure(1);
    assert!(failed.raw_stderr.contains("demo 1.0"), "{}", failed.raw_stderr);
    assert_eq!(context.eval(".venv", "import demo.a; print(demo.a.x)"), "2");
    // Modes alone can be set right without the wheel.
    set_mode(&demo(&context).join("b.py"), 0o644);
    overwrite(&demo(&context).join("a.py"), "x = 1\n");
    context.virtpy(["store", "repair", "--offline"]).success();
    context.virtpy(["store", "verify"]).success();
}

#[test]
fn damage_by_a_foreign_installer_is_found_by_the_next_command_in_that_venv() {
    let (context, index) = scene();
    overwrite(&demo(&context).join("a.py"), "x = 'overwritten'\n");
    leave_a_trace(&context);
    let added = context.add(&index, &["third"]).success();
    assert!(added.raw_stderr.contains("changed demo 1.0 in the store"), "{}", added.raw_stderr);
    context.virtpy(["store", "verify"]).success();
    assert_eq!(context.eval(".venv", "import demo.a; print(demo.a.x)"), "1");
}

#[test]
fn no_other_venv_gets_what_a_foreign_installer_damaged() {
    let (context, index) = scene();
    overwrite(&demo(&context).join("a.py"), "x = 'overwritten'\n");
    leave_a_trace(&context);
    within_the_same_tick(&context);
    context.new_named_venv("fresh");
    context.add(&index, &["--venv", "fresh", "demo"]).success();
    // Only root can do such damage, so only root looks for it in other venvs.
    let id = context.run(context.command("id").arg("-u"));
    let expected = if id.raw_stdout.trim() == "0" { "1" } else { "overwritten" };
    assert_eq!(context.eval("fresh", "import demo.a; print(demo.a.x)"), expected);
}

#[test]
fn what_was_uninstalled_in_the_moment_of_its_installation_is_installed_again() {
    let (context, index) = scene();
    context.add(&index, &["demo", "other"]).success().stderr_has("Nothing to do");
    let site = context.path(&format!(".venv/{}", context.interpreter().site_packages()));
    std::fs::remove_file(site.join("demo")).unwrap();
    std::fs::remove_dir_all(site.join("demo-1.0.dist-info")).unwrap();
    within_the_same_tick(&context);
    context.add(&index, &["demo", "other"]).success();
    assert_eq!(context.eval(".venv", "import demo.a; print(demo.a.x)"), "1");
}

#[test]
fn after_a_change_of_virtpy_s_own_the_state_is_the_newest() {
    let (context, index) = scene();
    let assert_newest = |what: &str| {
        let (packages, state) = times(&context);
        assert!(packages < state, "after {what}: {packages:?} and {state:?}");
    };
    assert_newest("add");
    context.add(&index, &["third"]).success();
    assert_newest("another add");
    context.virtpy(["remove", "third"]).success();
    assert_newest("remove");
    context.virtpy(["relink"]).success();
    assert_newest("relink");
    context.virtpy(["new", "--clear"]).success();
    assert_newest("new");
}

/// When the first venv's folder of packages and its state were changed.
fn times(context: &TestContext) -> (SystemTime, SystemTime) {
    let time = |path: &str| context.path(path).metadata().unwrap().modified().unwrap();
    let packages = format!(".venv/{}", context.interpreter().site_packages());
    (time(&packages), time(".venv/.virtpy/state.json"))
}

/// As if the last change were so soon after virtpy's that the kernel's clock for files stood still.
fn within_the_same_tick(context: &TestContext) {
    let packages = context.path(&format!(".venv/{}", context.interpreter().site_packages()));
    std::fs::File::open(packages).unwrap().set_modified(times(context).1).unwrap();
}

/// What an installer leaves that overwrote `demo` without uninstalling it.
fn leave_a_trace(context: &TestContext) {
    let site = context.interpreter().site_packages();
    let folder = format!(".venv/{site}/demo-1.1.dist-info");
    context.write(&format!("{folder}/METADATA"), "Metadata-Version: 2.1\nName: demo\nVersion: 1.1\n");
    context.write(&format!("{folder}/INSTALLER"), "pip\n");
    context.write(&format!("{folder}/RECORD"), "demo-1.1.dist-info/METADATA,,\n");
}
