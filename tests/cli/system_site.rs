//! `virtpy new --system-site-packages`: what the base interpreter has counts as installed, is shown, and is never changed.

use crate::support::{Index, Output, TestContext, WheelBuilder};

/// A venv `open` that sees the user's own packages, which belong to the base interpreter's: `ff` 1.0 and what an old tool
/// left of `oldegg`.
fn scene() -> (TestContext, Index, String) {
    let mut context = TestContext::new();
    context.unset("VIRTPY_PIP_SHIM");
    let python = context.interpreter().short();
    let site = format!("../home/.local/lib/python{python}/site-packages");
    context.write(&format!("{site}/ff/__init__.py"), "__version__ = '1.0'\n");
    put(&context, &site, "ff-1.0.dist-info/METADATA", "ff", "1.0");
    context
        .write(&format!("{site}/ff-1.0.dist-info/RECORD"), "ff/__init__.py,,\nff-1.0.dist-info/METADATA,,\n");
    put(&context, &site, "oldegg-3.0.egg-info", "oldegg", "3.0");
    context.write(&format!("{site}/broken-1.0.dist-info/METADATA"), "nothing\n");
    context.virtpy(["new", "open", "--system-site-packages"]).success();
    let index = Index::start(&[
        WheelBuilder::new("ff", "1.0").build(),
        WheelBuilder::new("ff", "2.0").build(),
        WheelBuilder::new("gg", "1.0").requires("ff").build(),
        WheelBuilder::new("hh", "1.0").requires("ff >= 2").build(),
    ]);
    (context, index, site)
}

fn put(context: &TestContext, site: &str, path: &str, name: &str, version: &str) {
    let text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: of the base\n");
    context.write(&format!("{site}/{path}"), &text);
}

fn add(context: &TestContext, index: &Index, arguments: &[&str]) -> Output {
    context.add(index, &[&["--venv", "open"], arguments].concat())
}

fn pip(context: &TestContext, arguments: &[&str]) -> Output {
    context.script("open", "pip", arguments)
}

/// What the base interpreter of the machine has besides is no concern of a test.
fn own_lines(output: &Output) -> Vec<&str> {
    let names = ["ff", "gg", "hh", "oldegg", "broken"];
    output.raw_stdout.lines().filter(|line| names.iter().any(|name| line.starts_with(name))).collect()
}

#[test]
fn what_the_base_has_satisfies() {
    let (context, index, _) = scene();
    for request in ["ff", "ff==1.0", "oldegg"] {
        add(&context, &index, &[request]).success().stdout_is("");
    }
    add(&context, &index, &["gg"]).success().stdout_is(" + gg 1.0\n");
    add(&context, &index, &["gg==1.0", "ff==1.0"]).success().stdout_is("");
    assert_eq!(context.eval("open", "import gg, ff; print(ff.__version__)"), "1.0");
    context.virtpy(["check", "--venv", "open"]).success();
    // A venv that does not see it needs it.
    context.new_venv();
    context.add(&index, &["gg"]).success().stdout_is(" + ff 2.0\n + gg 1.0\n");
}

#[test]
fn a_newer_one_goes_into_the_venv_and_covers_it() {
    let (context, index, site) = scene();
    add(&context, &index, &["hh"]).success().stdout_is(" + ff 2.0\n + hh 1.0\n");
    assert_eq!(context.eval("open", "import ff; print(ff.__version__)"), "2.0");
    let listed = context.virtpy(["freeze", "--venv", "open"]).success();
    assert_eq!(own_lines(&listed), ["ff==2.0", "hh==1.0", "oldegg==3.0"]);
    // Without it the base's is seen again.
    context.virtpy(["remove", "--venv", "open", "ff"]).success().stdout_is(" - ff 2.0\n");
    assert_eq!(context.eval("open", "import ff; print(ff.__version__)"), "1.0");
    context.virtpy(["check", "--venv", "open"]).failure(1).stdout_has("hh 1.0 requires ff");
    let url = index.url();
    pip(&context, &["install", "--index-url", &url, "-U", "ff"])
        .success()
        .stdout_has("Successfully installed ff-2.0\n");
    assert!(context.path(&format!("{site}/ff-1.0.dist-info/METADATA")).is_file());
}

#[test]
fn what_was_satisfied_by_the_base_is_asked_again_when_the_base_changes() {
    let (context, index, site) = scene();
    add(&context, &index, &["gg"]).success().stdout_is(" + gg 1.0\n");
    std::fs::remove_dir_all(context.path(&format!("{site}/ff-1.0.dist-info"))).unwrap();
    add(&context, &index, &["gg"]).success().stdout_is(" + ff 2.0\n");
}

#[test]
fn it_is_listed_and_shown() {
    let (context, _index, _) = scene();
    for command in ["list", "freeze"] {
        let seen = context.virtpy([command, "--venv", "open"]).success();
        assert_eq!(own_lines(&seen).len(), 2, "{}", seen.dump());
        assert_eq!(own_lines(&pip(&context, &[command]).success()).len(), 2);
        assert_eq!(own_lines(&pip(&context, &[command, "--local"]).success()), [""; 0]);
    }
    let listed = context.virtpy(["tree", "--venv", "open", "ff"]).success();
    assert_eq!(own_lines(&listed), ["ff 1.0"]);
    let inspected = pip(&context, &["inspect"]).success().json().to_string();
    assert!(inspected.contains("of the base"), "{inspected}");
    let inspected = pip(&context, &["inspect", "--local"]).success().json().to_string();
    assert!(!inspected.contains("of the base"), "{inspected}");
    for shown in [
        context.virtpy(["show", "--venv", "open", "ff", "oldegg", "--files"]).success(),
        pip(&context, &["show", "ff", "oldegg", "-v"]).success(),
    ] {
        shown.stdout_has("Version: 1.0\n").stdout_has("Version: 3.0\n").stdout_has("/.local/lib/python");
    }
}

#[test]
fn it_is_not_removed() {
    let (context, _index, site) = scene();
    let before = context.venv_tree("open");
    context
        .virtpy(["remove", "--venv", "open", "ff"])
        .failure(1)
        .one_error()
        .stderr_has("is the base interpreter's, outside this venv; nothing was removed");
    let root = context.path("open");
    pip(&context, &["uninstall", "-y", "ff"])
        .success()
        .stdout_has("Found existing installation: ff 1.0\nNot uninstalling ff at ")
        .stdout_has("/site-packages, outside environment [WORK]/open\n");
    assert!(root.is_dir());
    before.assert_unchanged(&context.venv_tree("open"), "the venv");
    assert!(context.path(&format!("{site}/ff/__init__.py")).is_file());
}

#[test]
fn conflicts_with_what_the_base_needs_are_told() {
    let (context, index, site) = scene();
    let text =
        "Metadata-Version: 2.1\nName: oldegg\nVersion: 3.0\nRequires-Dist: ff<2\nRequires-Dist: absent\n";
    context.write(&format!("{site}/oldegg-3.0.egg-info"), text);
    // What the base itself lacks is not the venv's fault; pip tells of it all the same.
    context.virtpy(["check", "--venv", "open"]).success();
    pip(&context, &["check"]).failure(1).stdout_has("oldegg 3.0 requires absent, which is not installed.\n");
    add(&context, &index, &["ff>=2"]).success();
    context
        .virtpy(["check", "--venv", "open"])
        .failure(1)
        .stdout_has("oldegg 3.0 requires ff<2, but 2.0 is installed");
}

#[test]
fn programs_see_it_too() {
    let (mut context, index, _) = scene();
    context.set("PIP_INDEX_URL", index.url());
    context.set("VIRTUAL_ENV", context.path("open"));
    let ran = context.virtpy(["run", "--with", "gg", "python", "-c", "import gg, ff; print(ff.__version__)"]);
    assert_eq!(ran.success().raw_stdout, "1.0\n");
}
