//! `virtpy hook`: new worktrees of a repository get their venv, and nobody's hook is touched.

use std::process::{Child, Stdio};

use crate::support::{Artifact, Index, Output, TestContext, WheelBuilder};

fn git(context: &TestContext, words: &[&str]) -> Output {
    let mut command = context.command("git");
    command.args(["-c", "user.name=x", "-c", "user.email=x@h.example"]).args(words);
    context.run(&mut command)
}

/// A repository in `main` with a lock file that pins this wheel.
fn repository(context: &mut TestContext, index: &Index, wheel: &Artifact) {
    context.set("PIP_INDEX_URL", index.url());
    git(context, &["init", "--quiet", "main"]).success();
    let pin = format!("here==1.0 --hash=sha256:{}\n", wheel.sha256());
    context.write("main/requirements.txt", &pin);
    context.write("main/.gitignore", ".venv\n");
    git(context, &["-C", "main", "add", "."]).success();
    git(context, &["-C", "main", "commit", "--quiet", "-m", "first"]).success();
}

fn hook(context: &TestContext, words: &[&str], folder: &str) -> Output {
    let mut command = context.virtpy_command(["hook"].iter().chain(words));
    command.current_dir(context.path(folder));
    context.run(&mut command)
}

#[test]
fn a_new_worktree_has_what_its_lock_file_says() {
    let mut context = TestContext::new();
    let wheel = WheelBuilder::new("here", "1.0").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    repository(&mut context, &index, &wheel);
    context.write("main/inside/x", "");
    hook(&context, &["install"], "main/inside").success().stderr_has("now");
    hook(&context, &["install"], "main").success().stderr_has("already");
    assert_eq!(context.read("main/.git/hooks/post-checkout").lines().count(), 2);

    let made = git(&context, &["-C", "main", "worktree", "add", "--quiet", "../side"]).success();
    made.stderr_has("1 package in the venv as `requirements.txt` says");
    assert_eq!(context.eval("side/.venv", "import here; print(here.__name__)"), "here");
    // A checkout in it makes nothing new, nor does a worktree without a lock file.
    std::fs::remove_dir_all(context.path("side/.venv")).unwrap();
    git(&context, &["-C", "side", "checkout", "--quiet", "-b", "other"]).success();
    assert!(!context.path("side/.venv").exists());
    git(&context, &["-C", "main", "rm", "--quiet", "requirements.txt"]).success();
    git(&context, &["-C", "main", "commit", "--quiet", "-m", "second"]).success();
    git(&context, &["-C", "main", "worktree", "add", "--quiet", "../bare"]).success();
    assert!(!context.path("bare/.venv").exists());

    hook(&context, &["uninstall"], "side").success().stderr_has("Removed");
    assert!(!context.path("main/.git/hooks/post-checkout").exists());
    hook(&context, &["uninstall"], "main").success().stderr_has("There is no hook");
}

#[test]
fn what_fails_fails_no_checkout() {
    let mut context = TestContext::new();
    let wheel = WheelBuilder::new("here", "1.0").build();
    let index = Index::start(&[]);
    repository(&mut context, &index, &wheel);
    hook(&context, &["install"], "main").success();
    let made = git(&context, &["-C", "main", "worktree", "add", "--quiet", "../side"]).success();
    made.stderr_has("this worktree got no `.venv`");
    assert!(!context.path("side/.venv").exists() && context.path("side/requirements.txt").exists());
}

#[test]
fn nobodys_hook_is_replaced_or_removed() {
    let mut context = TestContext::new();
    let index = Index::start(&[]);
    repository(&mut context, &index, &WheelBuilder::new("here", "1.0").build());
    let mine = context.write("main/.git/hooks/post-checkout", "#!/bin/sh\necho mine\n");
    hook(&context, &["install"], "main")
        .failure(1)
        .stderr_has("not virtpy's")
        .stderr_has("hook run")
        .one_error();
    hook(&context, &["uninstall"], "main").failure(1).stderr_has("left as it is").one_error();
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "#!/bin/sh\necho mine\n");
    std::fs::remove_file(mine).unwrap();
    context.write("main/hooks/README", "");
    git(&context, &["-C", "main", "config", "core.hooksPath", "hooks"]).success();
    hook(&context, &["install"], "main").failure(1).stderr_has("`core.hooksPath`").one_error();
    assert!(!context.path("main/hooks/post-checkout").exists());
    context.write("plain/x", "");
    hook(&context, &["install"], "plain").failure(1).stderr_has("not a git repository").one_error();
}

#[test]
fn many_worktrees_at_once_are_right() {
    let mut context = TestContext::new();
    let wheel = WheelBuilder::new("here", "1.0").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    repository(&mut context, &index, &wheel);
    hook(&context, &["install"], "main").success();
    // git itself may fail where worktrees are made beside each other; the hook may not.
    for number in 0..20 {
        let path = format!("../w{number}");
        let words =
            ["-C", "main", "-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", &path];
        git(&context, &words).success();
    }
    let call = |number: usize| -> Child {
        let mut command = context.command(context.path("main/.git/hooks/post-checkout"));
        command.args([&"0".repeat(40), "1", "1"]).current_dir(context.path(&format!("w{number}")));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let children: Vec<Child> = (0..20).map(call).collect();
    assert!(children.into_iter().all(|mut child| child.wait().unwrap().success()));
    for number in 0..20 {
        context.virtpy(["check", "--venv", &format!("w{number}/.venv")]).success().stdout_is("");
        assert!(
            context.path(&format!("w{number}/.venv/{}/here", context.interpreter().site_packages())).exists()
        );
    }
    context.virtpy(["store", "verify"]).success();
    context.assert_no_leftovers();
}
