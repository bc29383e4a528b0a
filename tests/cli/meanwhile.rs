//! What others do while a command runs: files that are edited, and a venv that is made, replaced or removed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Child;
use std::time::{Duration, Instant};

use super::run::{context, index};
use crate::support::{Fault, Index, TestContext};

/// Waits until something is so.
#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what} was waited for in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends well.
#[track_caller]
fn ended(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// Locks while the index is slow, and edits a file when the resolution is under way.
fn lock_and_edit(context: &TestContext, index: &Index, file: &str, text: &str) {
    index.page_fault("helper", Fault::Slow(Duration::from_millis(200)));
    index.forget_requests();
    let locking = context.spawn(["lock", "--refresh"]);
    wait_until("a page", || index.requests().iter().any(|one| one.contains("/simple/helper/")));
    context.write(file, text);
    ended(locking);
}

fn project(name: &str, rest: &str) -> String {
    format!("[project]\nname = \"{name}\"\nversion = \"1\"\nrequires-python = \">=3.8\"\n{rest}\n")
}

const WORKSPACE: &str = "dependencies = [\"helper\", \"mem\"]\n[tool.uv.workspace]\nmembers = [\"m*\"]\n\
     [tool.uv.sources]\nmem = { workspace = true }";

#[test]
fn a_lock_is_out_of_date_where_a_file_was_edited_while_it_was_made() {
    let index = index();
    index.pages_kept_for(0);
    let context = context(&index);
    let (root, plain) = (project("app", WORKSPACE), project("mem", "dependencies = []"));
    let edited = project("mem", "dependencies = [\"other\"]");
    let files = [
        ("mem/pyproject.toml", &plain, &edited),
        ("pyproject.toml", &root, &root.replace("helper", "other")),
    ];
    for (file, before, after) in files {
        context.write("pyproject.toml", &root);
        context.write("mem/pyproject.toml", &plain);
        lock_and_edit(&context, &index, file, after);
        assert!(!context.read("pylock.toml").contains("name = \"other\""), "it was read before");
        context
            .virtpy(["sync", "--locked"])
            .failure(1)
            .one_error()
            .stderr_has(&format!("`{file}` changed since"));
        context.virtpy(["lock", "--check"]).failure(1).one_error();
        context.virtpy(["lock"]).success();
        context.virtpy(["lock", "--check"]).success();
        assert!(context.read("pylock.toml").contains("name = \"other\""));
        context.write(file, before);
    }
}

#[test]
fn a_project_that_only_the_lock_tells_of_is_read_again() {
    let index = index();
    index.pages_kept_for(0);
    let context = context(&index);
    let near = format!("dependencies = [\"helper\", \"near @ file://{}\"]", context.path("near").display());
    context.write("pyproject.toml", &project("app", &near));
    context.write("near/pyproject.toml", &project("near", "dependencies = []"));
    lock_and_edit(&context, &index, "near/pyproject.toml", &project("near", "dependencies = [\"other\"]"));
    assert!(context.read("pylock.toml").contains("name = \"other\""));
    context.virtpy(["lock", "--check"]).success();
}

#[test]
fn whoever_comes_second_to_a_project_uses_the_venv_that_the_first_made() {
    let index = index();
    let context = context(&index);
    context.write("pyproject.toml", &project("app", "dependencies = [\"helper\", \"other\"]"));
    context.virtpy(["lock"]).success();
    for _ in 0..4 {
        let run = ["run", "python", "-c", "import helper, other"];
        let children: Vec<_> =
            (0..3).map(|_| context.spawn(run)).chain((0..2).map(|_| context.spawn(["sync"]))).collect();
        let said: Vec<_> = children.into_iter().map(ended).collect();
        assert_eq!(said.iter().filter(|said| said.contains("Made `.venv`")).count(), 1, "{said:?}");
        context.assert_no_leftovers();
        std::fs::remove_dir_all(context.path(".venv")).unwrap();
    }
}

/// Holds the lock of the venv there as a command does that changes it.
fn hold(context: &TestContext) -> virtpy_files::Lock {
    let config = context.read(".venv/pyvenv.cfg");
    let id = config.lines().find_map(|line| line.strip_prefix("virtpy-id = ")).unwrap();
    let path = context.store().join(format!("locks/venv-{id}"));
    virtpy_files::Lock::try_now(&path, virtpy_files::LockMode::Exclusive).unwrap().unwrap()
}

/// Starts a command that waits for the venv's lock, replaces the venv or removes it, and lets the command go on.
fn wait_while(context: &TestContext, arguments: &[&str], act: impl FnOnce()) -> (bool, String) {
    let held = hold(context);
    let mut child = context.spawn(arguments);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("waiting for") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
    }
    act();
    drop(held);
    stderr.read_to_string(&mut said).unwrap();
    (child.wait().unwrap().success(), said)
}

#[test]
fn a_venv_that_is_replaced_while_it_is_waited_for_is_looked_at_again() {
    let index = index();
    let context = context(&index);
    context.write("pyproject.toml", &project("app", "dependencies = [\"helper\"]"));
    context.virtpy(["lock"]).success();
    context.new_venv();
    let replace = || {
        context.virtpy(["new", "--clear"]).success();
    };
    let remove = || std::fs::remove_dir_all(context.path(".venv")).unwrap();
    let import = ["run", "python", "-c", "import helper"];
    for arguments in [&["sync"][..], &import] {
        let (is_well, said) = wait_while(&context, arguments, replace);
        assert!(is_well, "{said}");
        context.virtpy(["run", "--no-sync", "python", "-c", "import helper"]).success();
        replace();
        let (is_well, said) = wait_while(&context, arguments, remove);
        assert!(is_well && said.contains("Made `.venv`"), "{said}");
        replace();
    }
    // Who names packages is told of it: the venv that was meant is gone.
    for arguments in [&["add", "other"][..], &["check"], &["remove", "helper"]] {
        let (is_well, said) = wait_while(&context, arguments, replace);
        assert!(!is_well && said.contains("was replaced or removed meanwhile"), "{said}");
        assert!(said.contains("run the command again"), "{said}");
    }
}
