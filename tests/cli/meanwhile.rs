//! What others do while a command runs: files that are edited, and a venv that is made, replaced or removed.

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
