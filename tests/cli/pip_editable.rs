//! `pip install -e git+URL#egg=NAME`: a clone in the venv, installed in place.

use std::process::Command;

use crate::pip_shim::scene as empty_scene;
use crate::support::{Output, SdistBuilder, TestContext, Tree, skip};

/// A venv, and a repository with the versions 1.0 (tagged `v1`) and 2.0 of a project; `None` without git.
fn scene() -> Option<(TestContext, String)> {
    if Command::new("git").arg("--version").output().is_err() {
        skip("this machine has no git");
        return None;
    }
    let mut context = empty_scene();
    context.set("PIP_NO_INDEX", "1");
    let folder = context.path("repository");
    SdistBuilder::new("some-demo", "1.0").write_folder(&folder);
    git(&context, "repository", &["init", "--quiet", "--initial-branch=main"]);
    commit(&context);
    git(&context, "repository", &["tag", "v1"]);
    SdistBuilder::new("some-demo", "2.0").write_folder(&folder);
    commit(&context);
    let address = format!("git+file://{}", folder.display());
    Some((context, address))
}

fn git(context: &TestContext, folder: &str, arguments: &[&str]) -> String {
    let mut command = context.command("git");
    command.args(["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-C"]);
    command.arg(context.path(folder)).args(arguments);
    context.run(&mut command).success().raw_stdout.trim().to_owned()
}

fn commit(context: &TestContext) {
    git(context, "repository", &["add", "."]);
    git(context, "repository", &["commit", "--quiet", "-m", "a change"]);
}

fn install(context: &TestContext, arguments: &[&str]) -> Output {
    context.script(".venv", "pip", &[&["install", "--no-build-isolation"], arguments].concat())
}

fn version(context: &TestContext) -> String {
    // Bytecode of a file that changes within a second, and keeps its size, is not seen to be old.
    context.eval(".venv", "import sys; sys.dont_write_bytecode = True; import some_demo; print(some_demo.__version__, some_demo.__file__)")
}

#[test]
fn a_repository_is_cloned_and_brought_up_to_date() {
    let Some((context, address)) = scene() else { return };
    let clone = ".venv/src/some-demo";
    install(&context, &["-e", &format!("{address}@v1#egg=some-demo")])
        .success()
        .stdout_has("Successfully installed some-demo-1.0\n");
    assert_eq!(version(&context), format!("1.0 {}/some_demo.py", context.path(clone).display()));
    let tagged = git(&context, "repository", &["rev-parse", "v1"]);
    let frozen = context.script(".venv", "pip", &["freeze"]).success().raw_stdout;
    assert_eq!(frozen, format!("-e {address}@{tagged}#egg=some_demo\n"));
    // What was frozen gives the same again.
    context.write("frozen.txt", &frozen);
    context.script(".venv", "pip", &["uninstall", "-y", "some-demo"]).success();
    install(&context, &["-r", "frozen.txt"]).success();
    assert!(version(&context).starts_with("1.0 "));
    std::fs::rename(context.path(clone), context.path("aside")).unwrap();
    context.script(".venv", "pip", &["uninstall", "-y", "some-demo"]).success();
    install(&context, &["-r", "frozen.txt"]).success().stdout_has("Cloning ");
    assert!(version(&context).starts_with("1.0 "));
    // The newest, by another way to write it, and then a commit that came later.
    install(&context, &["-e", &format!("some-demo @ {address}@main")]).success();
    assert!(version(&context).starts_with("2.0 "));
    SdistBuilder::new("some-demo", "3.0").write_folder(&context.path("repository"));
    commit(&context);
    install(&context, &["-e", &format!("{address}@main#egg=some-demo")]).success();
    assert!(version(&context).starts_with("3.0 "));
    context.virtpy(["check"]).success();
    context.virtpy(["store", "verify"]).success();
}

#[test]
fn work_that_is_not_committed_is_kept() {
    let Some((context, address)) = scene() else { return };
    let spec = format!("{address}#egg=some-demo");
    install(&context, &["-e", &spec]).success();
    let file = context.path(".venv/src/some-demo/some_demo.py");
    std::fs::write(&file, "__version__ = 'mine'\n").unwrap();
    install(&context, &["-e", &spec]).failure(1).stderr_has("has changes that are not committed");
    assert!(version(&context).starts_with("mine "));
    // Another repository of that name does not take its place either.
    install(&context, &["-e", &format!("{address}/.git#egg=some-demo")])
        .failure(1)
        .stderr_has("is not a clone of this repository");
    install(&context, &["--src", "elsewhere", "-e", &spec]).success();
    assert!(version(&context).contains("/elsewhere/some-demo/"));
}

#[test]
fn a_clone_goes_nowhere_but_into_the_venv() {
    let Some((context, address)) = scene() else { return };
    let spec = format!("{address}#egg=some-demo");
    // A link in place of the folder, and one in place of the clone.
    context.write("elsewhere/precious", "x");
    std::os::unix::fs::symlink(context.path("elsewhere"), context.path(".venv/src")).unwrap();
    let before = Tree::of(&context.path("elsewhere"));
    install(&context, &["-e", &spec]).failure(1);
    std::fs::remove_file(context.path(".venv/src")).unwrap();
    install(&context, &["--src", "others", "-e", &spec]).success();
    std::fs::create_dir(context.path(".venv/src")).unwrap();
    std::os::unix::fs::symlink(context.path("others/some-demo"), context.path(".venv/src/some-demo"))
        .unwrap();
    let others = Tree::of(&context.path("others"));
    install(&context, &["-e", &spec]).failure(1);
    before.assert_unchanged(&Tree::of(&context.path("elsewhere")), "the folder behind the link");
    others.assert_unchanged(&Tree::of(&context.path("others")), "the clone behind the link");
    assert!(!context.store().join("tmp").read_dir().unwrap().any(|found| found.is_ok()), "no clone is left");
}

#[test]
fn what_is_said_of_a_clone_has_no_token() {
    let Some((context, address)) = scene() else { return };
    let absent = "git+http://user:T0KEN@127.0.0.1:9/x.git?private=T0KEN#egg=x";
    let output = install(&context, &["-e", absent]).failure(1);
    assert!(
        !(output.raw_stdout.contains("T0KEN") || output.raw_stderr.contains("T0KEN")),
        "{}",
        output.dump()
    );
    install(&context, &["-e", &format!("{address}#egg=some-demo")]).success();
    git(
        &context,
        ".venv/src/some-demo",
        &["remote", "set-url", "origin", "https://user:T0KEN@host.example/a.git"],
    );
    let frozen =
        context.script(".venv", "pip", &["freeze"]).success().stdout_has("https://host.example/a.git@");
    assert!(!frozen.raw_stdout.contains("T0KEN"), "{}", frozen.dump());
}

#[test]
fn a_clone_that_came_with_a_venv_is_not_run() {
    let Some((context, address)) = scene() else { return };
    let spec = format!("{address}#egg=some-demo");
    install(&context, &["-e", &spec]).success();
    git(&context, ".venv/src/some-demo", &["config", "core.fsmonitor", "touch ../../../ran; false"]);
    // As a repository ships it: the store has never seen it there.
    for root in std::fs::read_dir(context.store().join("roots")).unwrap() {
        std::fs::remove_file(root.unwrap().path()).unwrap();
    }
    install(&context, &["-e", &spec]).failure(1).stderr_has("came with the venv").stderr_has("--src");
    assert!(!context.path("ran").exists());
}

#[test]
fn what_fails_leaves_nothing_behind() {
    let Some((context, address)) = scene() else { return };
    install(&context, &["setuptools"]).failure(1);
    let before = Tree::of(&context.path(".venv"));
    for (spec, message) in [
        (format!("{address}@absent#egg=some-demo"), "has no revision `absent`"),
        (format!("{address}x#egg=some-demo"), "`git clone` failed"),
        (address.clone(), "Could not detect requirement name"),
        (format!("{address}#egg=some-demo&subdirectory=nowhere"), "has no directory"),
        (format!("{address}#egg=other-name"), "other-name"),
        ("hg+https://host.invalid/x#egg=x".to_owned(), "from git only"),
    ] {
        let output = install(&context, &["-e", &spec]).failure(1);
        assert!(output.raw_stderr.contains(message), "{spec}: {}", output.dump());
    }
    install(&context, &["--dry-run", "-e", &format!("{address}#egg=some-demo")])
        .success()
        .stdout_has("Would install some-demo-2.0\n");
    // Only the empty folder that clones are made in.
    std::fs::remove_dir(context.path(".venv/src")).unwrap();
    before.assert_unchanged(&Tree::of(&context.path(".venv")), "the venv");
}

#[test]
fn freeze_tells_a_clone_without_origin_from_a_folder() {
    let Some((context, _)) = scene() else { return };
    install(&context, &["-e", "./repository"]).success();
    assert_eq!(
        context.script(".venv", "pip", &["freeze"]).success().stdout(),
        "# Editable Git install with no remote (some-demo==2.0)\n-e [WORK]/repository\n"
    );
    git(&context, "repository", &["remote", "add", "origin", "git@host.example:a/b.git"]);
    let commit = git(&context, "repository", &["rev-parse", "HEAD"]);
    assert_eq!(
        context.script(".venv", "pip", &["freeze"]).success().stdout(),
        format!("-e git+ssh://git@host.example/a/b.git@{commit}#egg=some_demo\n")
    );
}
