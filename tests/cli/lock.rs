//! `virtpy lock`: one file for every platform, that `virtpy sync` and other tools follow.

use crate::support::{Index, TestContext, WheelBuilder};

fn index() -> Index {
    Index::start(&[
        WheelBuilder::new("rich", "13.0")
            .requires("pygments")
            .requires("colorama; sys_platform == 'win32'")
            .build(),
        WheelBuilder::new("rich", "14.0")
            .requires("pygments")
            .requires("colorama; sys_platform == 'win32'")
            .build(),
        WheelBuilder::new("pygments", "2.18").build(),
        WheelBuilder::new("pygments", "2.19").requires_python(">=3.10").build(),
        WheelBuilder::new("colorama", "0.4").build(),
        WheelBuilder::new("numpy", "2.0").tag("cp311-cp311-win_amd64").build(),
        WheelBuilder::new("numpy", "2.0").build(),
        WheelBuilder::new("pytest", "8.0").requires("pluggy").build(),
        WheelBuilder::new("pluggy", "1.5").build(),
    ])
}

fn lock(context: &TestContext, index: &Index, arguments: &[&str]) -> crate::support::Output {
    let url = index.url();
    context.virtpy(["lock", "-i", &url].into_iter().chain(arguments.iter().copied()))
}

#[test]
fn a_lock_is_for_every_platform_and_the_same_bytes_each_time() {
    let (index, context) = (index(), TestContext::new());
    context.write("requirements.in", "rich<14\n");
    lock(&context, &index, &["--requires-python", ">=3.9"]).success().stderr_has("Locked");
    let text = context.read("pylock.toml");
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["lock-version"].as_str(), Some("1.0"));
    assert_eq!(table["created-by"].as_str(), Some("virtpy"));
    assert_eq!(table["requires-python"].as_str(), Some(">=3.9"));
    let packages = table["packages"].as_array().unwrap();
    let marker = |name: &str, version: &str| {
        let found = packages
            .iter()
            .find(|one| one["name"].as_str() == Some(name) && one["version"].as_str() == Some(version));
        found
            .unwrap_or_else(|| panic!("{name} {version} is not in {text}"))
            .get("marker")
            .map(ToString::to_string)
    };
    assert_eq!(marker("rich", "13.0"), None);
    assert!(marker("colorama", "0.4").unwrap().contains("win32"));
    // One that every Python takes is enough, or there is one for each.
    assert!(packages.iter().any(|one| one["name"].as_str() == Some("pygments")));
    lock(&context, &index, &["--requires-python", ">=3.9"]).success().stderr_has("is up to date");
    assert_eq!(context.read("pylock.toml"), text);
    context.virtpy(["sync"]).success();
    assert_eq!(context.eval(".venv", "import rich; print(rich.__version__)"), "13.0");
}

#[test]
fn what_is_locked_stays_until_it_is_to_be_upgraded() {
    let (index, context) = (index(), TestContext::new());
    context.write("requirements.in", "rich\npytest\n");
    lock(&context, &index, &["rich==13.0", "pytest"]).success();
    lock(&context, &index, &["--force"]).success();
    assert!(context.read("pylock.toml").contains("13.0"));
    index.add(&WheelBuilder::new("pluggy", "1.6").build());
    lock(&context, &index, &["--check", "-P", "rich"]).failure(1).one_error().stderr_has("is out of date");
    assert!(context.read("pylock.toml").contains("13.0"), "a check writes nothing");
    lock(&context, &index, &["-P", "rich"]).success();
    let text = context.read("pylock.toml");
    assert!(text.contains("14.0") && text.contains("1.5") && !text.contains("1.6"), "{text}");
    lock(&context, &index, &["--upgrade"]).success();
    assert!(context.read("pylock.toml").contains("1.6"));
    lock(&context, &index, &["--check"]).success();
}

#[test]
fn a_projects_extras_and_groups_are_chosen_when_it_is_installed() {
    let (index, context) = (index(), TestContext::new());
    context.write(
        "pyproject.toml",
        "[project]\nname = \"shop\"\nversion = \"1.0\"\nrequires-python = \">=3.8\"\ndependencies = [\"rich\"]\n\
         [project.optional-dependencies]\nmath = [\"numpy\"]\nall = [\"shop[math]\"]\n\
         [dependency-groups]\ntest = [\"pytest\"]\ndev = [{include-group = \"test\"}]\ndocs = [\"pytest\"]\n",
    );
    lock(&context, &index, &["--no-group", "docs"]).success();
    let table: toml::Table = context.read("pylock.toml").parse().unwrap();
    let names = |key: &str| -> Vec<String> {
        table[key].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("extras"), ["all", "math"]);
    assert_eq!(names("dependency-groups"), ["dev", "test"]);
    let list = |arguments: &[&str]| {
        context.virtpy(["sync", "pylock.toml"].iter().chain(arguments)).success();
        let packages = context.virtpy(["list", "--json"]).success().json();
        let names = packages.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list(&[]), "pygments rich");
    assert_eq!(list(&["--extra", "all"]), "numpy pygments rich");
    assert_eq!(list(&["--group", "dev"]), "pluggy pygments pytest rich");
    assert_eq!(list(&["--all-extras", "--all-groups"]), "numpy pluggy pygments pytest rich");
    // Requirements cannot leave anything to be chosen.
    lock(&context, &index, &["-o", "requirements.txt"]).success();
    let text = context.read("requirements.txt");
    assert!(text.contains("rich==14.0") && !text.contains("pytest") && !text.contains("numpy"), "{text}");
}

#[test]
fn requirements_with_hashes_are_another_form() {
    let (index, context) = (index(), TestContext::new());
    lock(&context, &index, &["pytest", "-o", "requirements.txt"]).success();
    let text = context.read("requirements.txt");
    assert!(
        text.contains("pytest==8.0") && text.contains("--hash=sha256:") && !text.contains('\u{1b}'),
        "{text}"
    );
    let url = index.url();
    context.virtpy(["sync", "-i", &url, "--require-hashes"]).success();
    assert_eq!(context.eval(".venv", "import pytest; print(pytest.__version__)"), "8.0");
    lock(&context, &index, &["pytest", "-o", "plain.txt", "--no-hashes"]).success();
    assert!(!context.read("plain.txt").contains("--hash"));
    lock(&context, &index, &["pytest", "-o", "-"]).success().stdout_has("lock-version = \"1.0\"");
    lock(&context, &index, &["pytest", "-o", "lock.toml"]).failure(2).stderr_has("is not a lock file name");
}

#[test]
fn what_cannot_be_locked_leaves_the_old_file() {
    let (index, context) = (index(), TestContext::new());
    lock(&context, &index, &[]).failure(1).one_error().stderr_has("nothing to lock");
    context.write("pylock.toml", "old");
    let refused = lock(&context, &index, &["rich"]).failure(1).one_error();
    refused.stderr_has("does not say what it was made from").stderr_has("--force");
    lock(&context, &index, &["--force", "absent-package"]).failure(1).one_error();
    lock(&context, &index, &["--force", "rich>99"]).failure(1).one_error();
    lock(&context, &index, &["absent.in"]).failure(1).one_error();
    assert_eq!(context.read("pylock.toml"), "old");
}

#[test]
fn a_script_runs_with_what_is_locked_beside_it() {
    let (index, context) = (index(), TestContext::new());
    let script = "# /// script\n# requires-python = '>=3.8'\n# dependencies = ['rich', 'pytest']\n# ///\n\
                  import rich, pluggy\nprint(rich.__version__, pluggy.__version__)\n";
    context.write("tools/task.py", script);
    context.write("limits.txt", "rich<14\n");
    lock(&context, &index, &["tools/task.py", "-c", "limits.txt"]).success();
    let text = context.read("tools/pylock.task.toml");
    assert!(text.contains("13.0") && text.contains(">=3.8"), "{text}");
    index.add(&WheelBuilder::new("pluggy", "1.6").build());
    let url = index.url();
    let run = |more: &[&str]| {
        context.virtpy(["run", "-i", &url].iter().chain(more).chain(&["tools/task.py"])).success()
    };
    assert_eq!(run(&[]).stdout(), "13.0 1.5\n");
    // Another lock is another request.
    lock(&context, &index, &["tools/task.py", "--upgrade"]).success();
    assert_eq!(run(&[]).stdout(), "14.0 1.6\n");
    std::fs::write(context.path("tools/pylock.task.toml"), &text).unwrap();
    assert_eq!(run(&["--refresh"]).stdout(), "13.0 1.5\n");
    run(&["--with", "colorama"]).stderr_has("is left aside").stdout_has("14.0");
    lock(&context, &index, &["tools/absent.py"]).failure(1).one_error();
    context.write("plain.py", "print(1)\n");
    lock(&context, &index, &["plain.py"]).failure(1).one_error().stderr_has("does not say what it needs");
}

#[test]
fn a_lock_is_not_replaced_by_one_of_something_else() {
    let (index, context) = (index(), TestContext::new());
    context.write("pyproject.toml", "[project]\nname = 'x'\nversion = '1'\ndependencies = ['rich<14']\n");
    lock(&context, &index, &[]).success();
    let text = context.read("pylock.toml");
    let refused = lock(&context, &index, &["pygments"]).failure(1).one_error();
    refused
        .stderr_has("was made from `pyproject.toml`, not from `pygments`")
        .stderr_has("-o pylock.NAME.toml");
    assert_eq!(context.read("pylock.toml"), text);
    lock(&context, &index, &["pygments", "-o", "pylock.other.toml"]).success();
    lock(&context, &index, &["pygments", "-o", "-"]).success();
    lock(&context, &index, &[]).success().stderr_has("is up to date");
    lock(&context, &index, &["--force", "pygments"]).success();
    lock(&context, &index, &["pygments"]).success().stderr_has("is up to date");
}

#[test]
fn sync_says_that_the_project_changed_after_the_lock() {
    let (index, context) = (index(), TestContext::new());
    let project = |dependencies: &str| {
        format!(
            "[project]\nname = 'x'\nversion = '1'\ndependencies = [{dependencies}]\n[tool.uv]\npackage = false\n"
        )
    };
    context.write("pyproject.toml", &project("'rich<14'"));
    lock(&context, &index, &[]).success();
    let quiet = context.virtpy(["sync"]).success();
    assert!(!quiet.raw_stderr.contains("changed since"), "{}", quiet.raw_stderr);
    context.write("pyproject.toml", &project("'rich<14', 'pygments'"));
    context.virtpy(["sync"]).success().stderr_has("`pyproject.toml` changed since `pylock.toml` was made");
    let frozen = context.virtpy(["sync", "--frozen"]).success();
    assert!(!frozen.raw_stderr.contains("changed since"), "{}", frozen.raw_stderr);
    std::fs::remove_dir_all(context.path(".venv")).unwrap();
    context.virtpy(["sync", "--locked"]).failure(1).one_error().stderr_has("`virtpy lock`");
    assert!(!context.path(".venv").exists(), "nothing is made for a lock that is not followed");
    lock(&context, &index, &[]).success();
    context.virtpy(["sync", "--locked"]).success();
    let lock_of_uv = "version = 1\nrequires-python = '>=3.8'\n[[package]]\nname = 'x'\nversion = '1'\n\
                      source = { virtual = '.' }\n[package.metadata]\nrequires-dist = []\n";
    std::fs::remove_file(context.path("pylock.toml")).unwrap();
    context.write("uv.lock", lock_of_uv);
    context.virtpy(["sync"]).success().stderr_has("changed since `uv.lock` was made").stderr_has("`uv lock`");
}

/// What a shell passes on can be read once.
#[test]
fn requirements_from_a_pipe_are_locked() {
    let (index, context) = (index(), TestContext::new());
    for file in ["/dev/stdin", "-"] {
        let line = format!(
            "printf 'pygments\\n' | '{}' lock -i '{}' {file} -o pylock.toml",
            env!("CARGO_BIN_EXE_virtpy"),
            index.url()
        );
        context.run(context.command("sh").args(["-c", &line])).success().stderr_has("Locked 1 package");
        let text = context.read("pylock.toml");
        assert!(text.contains("name = \"pygments\"") && text.contains("inputs = [\"-\"]"), "{text}");
        std::fs::remove_file(context.path("pylock.toml")).unwrap();
    }
}
