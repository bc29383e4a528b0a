//! Which venv a command means, and which file `sync` follows: a project's own, and never another's.

use std::path::Path;

use crate::support::{Index, TestContext, WheelBuilder};

fn shop() -> Index {
    Index::start(&[
        WheelBuilder::new("one", "1.0").build(),
        WheelBuilder::new("two", "1.0").requires("one").build(),
        WheelBuilder::new("two", "2.0").requires("one").build(),
    ])
}

/// The names of what is installed in a venv.
#[track_caller]
fn installed(context: &TestContext, venv: &str) -> Vec<String> {
    let list = context.virtpy(["list", "--json", "--venv", venv]).success().json();
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// Runs the program in a directory below the working one.
fn within(context: &TestContext, folder: &str, arguments: &[&str]) -> crate::support::Output {
    context.run(context.virtpy_command(arguments).current_dir(context.path(folder)))
}

fn roots(context: &TestContext) -> usize {
    std::fs::read_dir(context.store().join("roots")).map_or(0, Iterator::count)
}

#[test]
fn sync_leaves_the_active_venv_of_another_project_alone() {
    let (mut context, index) = (TestContext::new(), shop());
    context.new_named_venv("other/.venv");
    context.add(&index, &["--venv", "other/.venv", "two"]).success();
    context.write("mine/requirements.txt", "one==1.0\n");
    let active = context.path("other/.venv");
    context.set("VIRTUAL_ENV", &active);
    let url = index.url();
    let synced = within(&context, "mine", &["sync", "-i", &url]).success();
    synced.stderr_has("the active venv `[WORK]/other/.venv`").stderr_has("left aside");
    assert_eq!(installed(&context, "mine/.venv"), ["one"]);
    assert_eq!(installed(&context, "other/.venv"), ["one", "two"]);
    // Named, it is taken, and said.
    let named = within(&context, "mine", &["sync", "-i", &url, "--venv", "../other/.venv"]).success();
    named.stderr_has("Using the venv at `../other/.venv`");
    assert_eq!(installed(&context, "other/.venv"), ["one"]);
}

#[test]
fn no_command_walks_past_the_root_of_a_project() {
    let (context, index) = (TestContext::new(), shop());
    context.new_venv();
    context.add(&index, &["two"]).success();
    context
        .write("inner/pyproject.toml", "[project]\nname = 'inner'\nversion = '1'\ndependencies = ['one']\n");
    context.write("inner/src/module.py", "");
    context.write("docs/index.txt", "");
    let url = index.url();
    let add: [&str; 4] = ["add", "-i", &url, "one"];
    for arguments in [&add[..], &["list"], &["remove", "one"], &["check"], &["freeze"]] {
        let refused = within(&context, "inner/src", arguments).failure(1).one_error();
        refused.stderr_has("up to the project's root");
    }
    let code = "import sys; print(sys.prefix)";
    let shown = within(&context, "inner", &["run", "--no-sync", "python", "-c", code]).success();
    assert!(!shown.raw_stdout.contains("work/.venv"), "{}", shown.raw_stdout);
    within(&context, "inner", &["sync", "-i", &url]).success().stderr_has("Made `.venv`");
    let shown = within(&context, "inner", &["run", "python", "-c", code]).success();
    assert!(shown.raw_stdout.ends_with("inner/.venv\n"), "{}", shown.raw_stdout);
    assert_eq!(installed(&context, "inner/.venv"), ["one"]);
    assert_eq!(installed(&context, ".venv"), ["one", "two"]);
    // Where nothing begins, the venv above serves, and is named.
    within(&context, "docs", &["add", "-i", &url, "two==1.0"]).success().stderr_has("Using the venv at");
}

#[test]
fn a_workspace_has_one_venv_for_its_members() {
    let (context, index) = (TestContext::new(), shop());
    context.write("pyproject.toml", "[tool.uv.workspace]\nmembers = ['packages/*']\n");
    context.write("packages/a/pyproject.toml", "[project]\nname = 'a'\nversion = '1'\n");
    context.new_venv();
    let url = index.url();
    within(&context, "packages/a", &["add", "-i", &url, "one"]).success().stderr_has("[WORK]/.venv`");
    assert_eq!(installed(&context, ".venv"), ["one"]);
}

#[test]
fn a_project_s_venv_runs_though_another_is_active() {
    let (mut context, index) = (TestContext::new(), shop());
    context.write("pyproject.toml", "[project]\nname = 'x'\nversion = '1'\n");
    context.new_venv();
    context.new_named_venv("elsewhere/.venv");
    context.add(&index, &["one"]).success();
    context.set("VIRTUAL_ENV", context.path("elsewhere/.venv"));
    let code = "import one, sys; print(sys.prefix)";
    let ran = context.virtpy(["run", "python", "-c", code]).success();
    assert_eq!(ran.raw_stdout.trim(), context.path(".venv").display().to_string());
    ran.stderr_has("left aside");
}

#[test]
fn a_venv_with_another_python_is_refused_and_stays() {
    let (context, index) = (TestContext::new(), shop());
    context.write("requirements.txt", "one==1.0\n");
    context.new_venv();
    let url = index.url();
    let refused = context.virtpy(["sync", "-i", &url, "-p", "3.99"]).failure(1).one_error();
    refused.stderr_has("not 3.99; nothing was changed").stderr_has("virtpy new --keep -p 3.99");
    assert_eq!(installed(&context, ".venv"), Vec::<String>::new());
    let own = context.interpreter().path.display().to_string();
    context.virtpy(["sync", "-i", &url, "-p", &own]).success();
}

#[test]
fn a_dead_interpreter_is_told_and_no_other_is_taken() {
    let context = TestContext::new();
    context.new_venv();
    for name in ["python", "python3"] {
        let link = context.path(".venv/bin").join(name);
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("/nowhere/python", &link).unwrap();
    }
    for words in [&["python", "-V"][..], &["python3", "-V"], &["-m", "http"]] {
        let failed = context.virtpy([&["run"][..], words].concat()).failure(1).one_error();
        failed.stderr_has("the interpreter of the venv at").stderr_has("virtpy relink");
    }
}

#[test]
fn an_interpreter_that_the_venv_lacks_is_not_taken_from_path() {
    let context = TestContext::new();
    context.new_venv();
    std::os::unix::fs::symlink("/bin/echo", context.root().join("bin/python3.99")).unwrap();
    context
        .virtpy(["run", "python3.99", "outside"])
        .failure(1)
        .one_error()
        .stderr_has("there is no `python3.99`");
    context.virtpy(["run", "echo", "outside"]).success().stdout_has("outside");
}

#[test]
fn requirements_that_leave_something_open_are_no_lock() {
    let (context, index) = (TestContext::new(), shop());
    let url = index.url();
    let sync = |context: &TestContext| context.virtpy(["sync", "-i", &url]);
    for (text, why) in [
        ("one\ntwo==2.0\n", "does not pin `one`"),
        ("two==2.*\none==1.0\n", "does not pin `two"),
        ("two==2.0\n", "two 2.0 requires `one`, which it does not list"),
        ("# nothing\n", "it pins nothing"),
    ] {
        context.write("requirements.txt", text);
        for arguments in [vec!["sync", "-i", &url], vec!["sync", "-i", &url, "requirements.txt"]] {
            let refused = context.virtpy(arguments).failure(1).one_error();
            let refused = refused.stderr_has("`requirements.txt` is not a lock").stderr_has(why);
            refused
                .stderr_has("`virtpy add -r requirements.txt`")
                .stderr_has("`virtpy lock requirements.txt`");
            assert!(!context.path(".venv").exists());
            assert_eq!(roots(&context), 0, "{text}");
        }
    }
    // A constraint pins as well, and another file may be named in the first.
    context.write("limits.txt", "one==1.0\n");
    context.write("base.txt", "two==1.0\n");
    context.write("requirements.txt", "-r base.txt\n-c limits.txt\none\n");
    sync(&context).success();
    assert_eq!(installed(&context, ".venv"), ["one", "two"]);
    // The project's own file goes before requirements that only ask, and not one that only configures tools.
    context.write("requirements.txt", "two\n");
    context.write("pyproject.toml", "[tool.x]\n");
    sync(&context).failure(1).stderr_has("is not a lock");
    context.write("pyproject.toml", "[project]\nname = 'x'\nversion = '1'\ndependencies = ['one']\n");
    sync(&context).success().stderr_has("following `pyproject.toml`");
    assert_eq!(installed(&context, ".venv"), ["one"]);
}

#[test]
fn what_a_failed_sync_made_is_gone_with_its_record() {
    let context = TestContext::new();
    context.write("requirements.txt", "absent==1.0\n");
    context.virtpy(["sync", "--no-index"]).failure(1);
    assert!(!context.path(".venv").exists());
    assert_eq!(roots(&context), 0);
}

#[test]
fn what_the_store_lost_comes_back_or_the_command_fails() {
    let (context, index) = (TestContext::new(), shop());
    let url = index.url();
    context.write("requirements.txt", "one==1.0\ntwo==2.0\n");
    let sync = ["sync", "-i", &url];
    let commands: [&[&str]; 5] = [
        &sync,
        &["add", "-i", &url, "one"],
        &["remove", "two"],
        &["run", "-i", &url, "python", "-c", "import one, two"],
        &["add", "-i", &url, "-r", "requirements.txt"],
    ];
    context.virtpy(sync).success();
    for command in commands {
        context.virtpy(sync).success();
        wipe(&context.store().join("w"));
        let offline = [command, &["--no-index"]].concat();
        if command[0] == "sync" || command[0] == "add" {
            context.virtpy(offline).failure(1).one_error().stderr_has("could not be fetched again");
        }
        if command[0] == "remove" {
            context.virtpy(command).failure(1).one_error().stderr_has("the store lost");
            context.virtpy(sync).success();
        }
        context.virtpy(command).success();
        let left = if command[0] == "remove" { "import one" } else { "import one, two" };
        context.python(".venv", left).success();
    }
}

fn wipe(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let mut waiting = vec![entry.path()];
        while let Some(path) = waiting.pop() {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            waiting.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .flatten()
                    .map(|one| one.path())
                    .filter(|one| one.is_dir() && !one.is_symlink()),
            );
        }
        std::fs::remove_dir_all(entry.path()).unwrap();
    }
}

#[test]
fn edits_in_a_detached_package_are_not_lost_unasked() {
    let (context, index) = (TestContext::new(), shop());
    let url = index.url();
    let site = format!(".venv/{}", context.interpreter().site_packages());
    context.write("requirements.txt", "one==1.0\n");
    for name in ["two/__init__.py", "two/added.py"] {
        context.new_venv();
        context.add(&index, &["two==1.0"]).success();
        context.virtpy(["detach", "two"]).success();
        let edited = context.write(&format!("{site}/{name}"), "mine = 1\n");
        let commands: [&[&str]; 4] = [
            &["remove", "two"],
            &["sync", "-i", &url],
            &["add", "-i", &url, "-U", "two"],
            &["detach", "--undo", "two"],
        ];
        for command in commands {
            let refused = context.virtpy(command).failure(1).one_error();
            refused.stderr_has(&format!("`{name}`")).stderr_has("--force");
            assert_eq!(std::fs::read_to_string(&edited).unwrap(), "mine = 1\n", "{command:?}");
        }
        context.virtpy(["remove", "--force", "two"]).success();
        assert_eq!(installed(&context, ".venv"), ["one"]);
        std::fs::remove_dir_all(context.path(".venv")).unwrap();
    }
}

#[test]
fn what_the_store_lost_is_never_replaced_by_a_strangers_file() {
    let (context, index) = (TestContext::new(), shop());
    let strangers = Index::start(&[WheelBuilder::new("one", "1.0").file("one/evil.py", "").build()]);
    context.new_venv();
    context.add(&index, &["one"]).success();
    let commands: [&[&str]; 4] =
        [&["run", "python", "-c", "pass"], &["add", "two"], &["relink"], &["run", "--with", "two", "python"]];
    for command in commands {
        wipe(&context.store().join("w"));
        let (name, rest) = command.split_first().unwrap();
        let from = |index: &Index| {
            [&[*name, "-i", &index.url()], rest].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        context.virtpy(from(&strangers)).failure(1).one_error().stderr_has("one 1.0").stderr_has("hint: ");
        if *name == "relink" {
            context.virtpy(from(&index)).success();
        }
    }
    context.virtpy(["pip", "check"]).failure(1).stderr_has("no longer has one 1.0");
    context.virtpy(["relink", "-i", &index.url()]).success();
    context.virtpy(["pip", "check"]).success();
}

/// Another build of the same source has another hash, and is taken.
#[test]
fn what_was_built_is_built_again() {
    let context = TestContext::new();
    let index = Index::start(&[crate::support::SdistBuilder::new("source", "1.0").build()]);
    context.new_venv();
    context.add(&index, &["source"]).success();
    wipe(&context.store().join("w"));
    std::fs::remove_dir_all(context.store().join("cache")).unwrap();
    context.virtpy(["relink", "-i", &index.url()]).success();
    context.virtpy(["check"]).success();
    assert_eq!(installed(&context, ".venv"), ["source"]);
}
