//! `virtpy run` in a project: its venv is brought to its lock first, and its lock to what it asks for.

use std::time::Duration;

use super::run::{context, environments, index};
use crate::support::{Output, TestContext, WheelBuilder};

const PROJECT: &str = "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [\"helper\"]\n\
     [project.optional-dependencies]\nmore = [\"other\"]\n\
     [dependency-groups]\ndev = [\"demo\"]\ntest = [\"other\"]\n";

const UV_LOCK: &str = "version = 1\nrequires-python = \">=3.8\"\n\
     [[package]]\nname = \"app\"\nversion = \"1\"\nsource = { virtual = \".\" }\n\
     [package.metadata]\nrequires-dist = []\n";

/// Which of the packages can be imported where something is run.
fn seen(context: &TestContext, options: &[&str]) -> Output {
    let code =
        "import importlib.util as u; print(*(n for n in ('demo', 'helper', 'other') if u.find_spec(n)))";
    context.virtpy([&["run"], options, &["python", "-c", code]].concat())
}

#[test]
fn the_lock_and_the_venv_are_made_and_nothing_is_asked_the_second_time() {
    let index = index();
    let context = context(&index);
    context.write("pyproject.toml", PROJECT);
    let first = seen(&context, &[]).success();
    first
        .stdout_is("demo helper\n")
        .stderr_has("Locked 3 packages in `pylock.toml`")
        .stderr_has("Made `.venv`");
    context.virtpy(["lock", "--check"]).success();
    index.forget_requests();
    let (lock, venv) = (context.read("pylock.toml"), context.venv_tree(".venv"));
    for options in [&[][..], &["--offline"], &["--locked"], &["--frozen"], &["--no-sync"]] {
        let again = seen(&context, options).success().stdout_is("demo helper\n");
        assert_eq!(again.raw_stderr, "");
    }
    assert_eq!(index.requests(), Vec::<String>::new());
    assert_eq!((context.read("pylock.toml"), context.venv_tree(".venv")), (lock, venv));
    context.assert_no_leftovers();
}

#[test]
fn what_the_project_asks_for_now_is_locked_and_installed_and_the_rest_stays() {
    let index = index();
    let context = context(&index);
    context.write("pyproject.toml", PROJECT);
    seen(&context, &[]).success();
    index.add(&WheelBuilder::new("own", "1.0").build());
    context.virtpy(["add", "own"]).success();
    let before = context.read("pylock.toml");

    context.write("pyproject.toml", &PROJECT.replace("[\"helper\"]", "[\"helper\", \"other\"]"));
    seen(&context, &["--locked"]).failure(1).one_error().stderr_has("`pyproject.toml` changed since");
    seen(&context, &["--frozen"]).success().stdout_is("demo helper\n");
    seen(&context, &["--no-sync"]).success().stdout_is("demo helper\n");
    assert_eq!(context.read("pylock.toml"), before);
    seen(&context, &[]).success().stdout_is("demo helper other\n").stderr_has("Locked 3 packages");
    context.virtpy(["lock", "--check"]).success();

    // Only `sync` is exact.
    context.write("pyproject.toml", PROJECT);
    seen(&context, &[]).success().stdout_is("demo helper other\n");
    context.virtpy(["show", "own"]).success();
    context.virtpy(["sync"]).success();
    context.virtpy(["show", "own"]).failure(1);
    // What `sync` left out comes again, and a lock that is gone is made again.
    std::fs::remove_file(context.path("pylock.toml")).unwrap();
    seen(&context, &["--locked"]).failure(1).stderr_has("there is no lock file `pylock.toml`");
    seen(&context, &[]).success().stdout_is("demo helper\n");
    context.virtpy(["lock", "--check"]).success();
}

#[test]
fn a_project_that_cannot_be_locked_is_left_as_it_is() {
    let index = index();
    let context = context(&index);
    context.write("pyproject.toml", PROJECT);
    seen(&context, &[]).success();
    let (lock, venv) = (context.read("pylock.toml"), context.venv_tree(".venv"));
    context.write("pyproject.toml", &PROJECT.replace("[\"helper\"]", "[\"helper\", \"nowhere\"]"));
    seen(&context, &[]).failure(1).one_error().stderr_has("nowhere");
    assert_eq!((context.read("pylock.toml"), context.venv_tree(".venv")), (lock, venv));
    seen(&context, &["--no-sync"]).success().stdout_is("demo helper\n");
    context.write("pyproject.toml", "[project\n");
    seen(&context, &[]).failure(1).one_error().stderr_has("`pyproject.toml` is not TOML");
}

#[test]
fn other_extras_and_groups_have_environments_of_their_own() {
    let index = index();
    let context = context(&index);
    context.write("pyproject.toml", PROJECT);
    seen(&context, &[]).success();
    let venv = context.venv_tree(".venv");
    for _ in 0..2 {
        seen(&context, &["--group", "test"]).success().stdout_is("demo helper other\n");
        seen(&context, &["--all-groups"]).success().stdout_is("demo helper other\n");
        seen(&context, &["--extra", "more", "--no-group", "dev"]).success().stdout_is("helper other\n");
        seen(&context, &["--no-group", "dev", "--with", "demo"]).success().stdout_is("demo helper\n");
        index.forget_requests();
    }
    seen(&context, &["--group", "test", "--offline"]).success();
    assert_eq!(index.requests(), Vec::<String>::new());
    assert_eq!(context.venv_tree(".venv"), venv);
    assert_eq!(environments(&context).len(), 5);
    seen(&context, &["--group", "tset"]).failure(1).one_error().stderr_has("tset");

    // Another lock is another environment.
    context.write("pyproject.toml", &PROJECT.replace("test = [\"other\"]", "test = []"));
    seen(&context, &["--group", "test"]).success().stdout_is("demo helper\n");

    // The venv does for its own Python; where there is none, no venv is made in the project.
    let minor = context.interpreter().short();
    seen(&context, &["-p", &minor]).success().stdout_is("demo helper\n");
    std::fs::remove_dir_all(context.path(".venv")).unwrap();
    seen(&context, &["-p", &minor]).success().stdout_is("demo helper\n");
    assert!(!context.path(".venv").exists());
    seen(&context, &["-p", "3.99", "--offline"]).failure(1).one_error();
    for option in ["--no-sync", "--isolated"] {
        seen(&context, &[option, "--group", "test"]).failure(2).stderr_has("are parts of a project");
    }
}

#[test]
fn locks_and_venvs_of_other_tools_are_never_written() {
    let index = index();
    let context = context(&index);
    context.write("pyproject.toml", PROJECT);
    context.write("uv.lock", UV_LOCK);
    // It locks nothing but the project, which asks for something else by now.
    seen(&context, &[]).success().stdout_is("\n").stderr_has("`uv.lock`");
    // Also where the venv is as that lock says.
    seen(&context, &[]).success().stderr_has("`pyproject.toml` changed since `uv.lock` was made");
    assert_eq!(seen(&context, &["--frozen"]).success().raw_stderr, "");
    assert_eq!(context.read("uv.lock"), UV_LOCK);
    assert!(!context.path("pylock.toml").exists());

    let other = TestContext::new();
    for lock in ["pdm.lock", "Pipfile.lock"] {
        other.write("pyproject.toml", PROJECT);
        other.write(lock, "{\"default\": {}}\n");
        other.virtpy(["run", "python", "-c", ""]).success();
        assert!(!other.path("pylock.toml").exists(), "{lock}");
        std::fs::remove_file(other.path(lock)).unwrap();
    }
    std::fs::remove_dir_all(other.path(".venv")).unwrap();
    let python = other.interpreter().path.clone();
    other.run(other.command(python).args(["-m", "venv", "--without-pip", ".venv"])).success();
    let run = other.virtpy(["run", "python", "-c", "import sys; print(sys.prefix)"]).success();
    run.stdout_is("[WORK]/.venv\n");
    assert!(!other.path("pylock.toml").exists());
    // A file that only configures tools is no project, nor is one of Poetry's that is not locked.
    for text in ["[tool.black]\n", "[project]\nname = \"a\"\n[tool.poetry.group.dev.dependencies]\n"] {
        let context = TestContext::new();
        context.write("pyproject.toml", text);
        context.virtpy(["run", "python", "-c", ""]).success();
        assert!(!context.path(".venv").exists() && !context.path("pylock.toml").exists());
    }
}

#[test]
fn it_is_the_project_that_counts_from_every_directory_of_it() {
    let index = index();
    let context = context(&index);
    context.write("pyproject.toml", PROJECT);
    context.write("docs/requirements.txt", "other==1.0\n");
    let below =
        |arguments: &[&str]| context.run(context.virtpy_command(arguments).current_dir(context.path("docs")));
    below(&["run", "python", "-c", "import demo, helper"]).success();
    assert!(context.path(".venv").exists() && context.path("pylock.toml").exists());
    let again = below(&["run", "python", "-c", "import demo, helper"]).success();
    assert_eq!(again.raw_stderr, "");
}

#[test]
fn killed_at_any_time_the_next_run_sets_it_right() {
    let index = index();
    let context = context(&index);
    let texts = [PROJECT.to_owned(), PROJECT.replace("[\"helper\"]", "[\"helper\", \"other\"]")];
    for step in 0..12 {
        let text = &texts[step % 2];
        context.write("pyproject.toml", text);
        if step == 6 {
            std::fs::remove_dir_all(context.path(".venv")).unwrap();
        }
        let mut child = context.spawn(["run", "python", "-c", "pass"]);
        std::thread::sleep(Duration::from_millis(step as u64 * 20));
        child.kill().unwrap();
        child.wait().unwrap();
        seen(&context, &[]).success().stdout_has("demo helper");
        context.virtpy(["run", "python", "-c", "import helper, demo"]).success();
        context.virtpy(["lock", "--check"]).success();
        context.virtpy(["check"]).success();
    }
}
