//! What is deleted and what is kept: `--clear`, venvs that came with a repository or were written again by another tool, and
//! venvs of other users.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::{Index, TestContext, WheelBuilder};

const COLLECT: [&str; 5] = ["store", "gc", "--grace", "0s", "--remove"];

/// Puts something in place of a file.
type Plant = dyn Fn(&std::path::Path) -> std::io::Result<()>;

/// A text without the lines that begin with one of these.
fn lines_without(text: &str, beginnings: &[&str]) -> String {
    let is_kept = |line: &&str| !beginnings.iter().any(|beginning| line.starts_with(beginning));
    text.split_inclusive('\n').filter(is_kept).collect()
}

/// `cp -a` of a folder.
fn copy(context: &TestContext, from: &str, to: &str) {
    let status = Command::new("cp").args(["-a", from, to]).current_dir(context.path(".")).status();
    assert!(status.unwrap().success());
}

/// A venv in `project/.venv` with the package `alpha`.
fn scene() -> (TestContext, Index) {
    let index = Index::start(&[
        WheelBuilder::new("alpha", "1.0").file("alpha/code.py", "x = 1\n").build(),
        WheelBuilder::new("beta", "1.0").file("beta/code.py", "x = 2\n").build(),
    ]);
    let context = TestContext::new();
    context.new_named_venv("project/.venv");
    context.add(&index, &["--venv", "project/.venv", "alpha"]).success();
    (context, index)
}

fn works(context: &TestContext, venv: &str) {
    assert_eq!(context.eval(venv, "import alpha.code; print(alpha.code.x)"), "1");
}

#[test]
fn clear_refuses_the_store_links_and_other_peoples_work() {
    let (context, _index) = scene();
    let store = context.store().display().to_string();
    let entries = format!("{store}/w/x");
    for place in [store.as_str(), &entries] {
        context.virtpy(["new", "--clear", place]).one_error().stderr_has("the store");
    }
    std::fs::create_dir_all(context.path("repository")).unwrap();
    symlink(context.store(), context.path("repository/.venv")).unwrap();
    for place in ["repository/.venv", "repository/.venv/"] {
        context.virtpy(["new", "--clear", place]).one_error().stderr_has("is a link");
    }
    // A venv of another tool goes, but not with what lies beside it.
    context.write("work/pyvenv.cfg", "home = /usr/bin\n");
    context.write("work/bin/python", "");
    context.write("work/bin/activate", "");
    context.write("work/src/precious.py", "x");
    context.virtpy(["new", "--clear", "work"]).one_error().stderr_has("`src`");
    assert_eq!(context.read("work/src/precious.py"), "x");
    std::fs::remove_dir_all(context.path("work/src")).unwrap();
    context.virtpy(["new", "--clear", "work"]).success();
    // So does virtpy's own, but not a project in it.
    context.write("work/pyproject.toml", "");
    context.virtpy(["new", "--clear", "work"]).one_error().stderr_has("`pyproject.toml`");
    std::fs::remove_file(context.path("work/pyproject.toml")).unwrap();
    context.virtpy(["new", "--clear", "work"]).success();
    // What packages brought goes, what somebody put beside it does not.
    let data = WheelBuilder::new("data", "1.0").file("data-1.0.data/data/corpus/words", "x").build();
    context.add(&Index::start(&[data]), &["--venv", "work", "data"]).success();
    assert_eq!(context.read("work/corpus/words"), "x");
    context.write("work/notebooks/first", "x");
    context.virtpy(["new", "--clear", "work"]).one_error().stderr_has("`notebooks`");
    std::fs::remove_dir_all(context.path("work/notebooks")).unwrap();
    context.virtpy(["new", "--clear", "work"]).success();
    assert!(!context.path("work/corpus").exists());
    // An installation of Python is none, even with that file.
    context.write("python/pyvenv.cfg", "home = /usr/bin\n");
    context.write("python/bin/python3", "");
    context.write("python/bin/activate", "");
    context.write("python/lib/python3.11/os.py", "");
    context.virtpy(["new", "--clear", "python"]).one_error().stderr_has("does not look like a venv");
    works(&context, "project/.venv");
}

/// Needs root, to mount.
#[test]
fn what_is_mounted_in_a_venv_is_not_emptied() {
    let (context, _index) = scene();
    context.write("elsewhere/precious", "x");
    std::fs::create_dir_all(context.path("project/.venv/share/a b")).unwrap();
    let mount = |command: &[&str]| {
        let called = Command::new(command[0]).args(&command[1..]).current_dir(context.path(".")).output();
        called.is_ok_and(|output| output.status.success())
    };
    if !mount(&["mount", "--bind", "elsewhere", "project/.venv/share/a b"]) {
        return;
    }
    let cleared = context.virtpy(["new", "--clear", "project/.venv"]);
    assert!(mount(&["umount", "project/.venv/share/a b"]));
    cleared.one_error().stderr_has("is mounted at");
    assert_eq!(context.read("elsewhere/precious"), "x");
    context.virtpy(["new", "--clear", "project/.venv"]).success();
}

#[test]
fn clearing_a_copy_keeps_what_the_original_uses() {
    let (context, _index) = scene();
    copy(&context, "project", "clone");
    context.virtpy(["new", "--clear", "clone/.venv"]).success();
    context.virtpy(COLLECT).success();
    works(&context, "project/.venv");
}

#[test]
fn what_another_tool_leaves_of_pyvenv_cfg_is_enough() {
    let (context, index) = scene();
    let config = context.read("project/.venv/pyvenv.cfg");
    let plain = lines_without(&config, &["virtpy-"]);
    for left in [plain.as_str(), ""] {
        std::fs::write(context.path("project/.venv/pyvenv.cfg"), left).unwrap();
        context.virtpy(COLLECT).success();
        assert_eq!(context.virtpy(["list-all"]).success().stdout(), "[WORK]/project/.venv\n");
        context
            .virtpy(["list", "--venv", "project/.venv"])
            .success()
            .stdout_has("alpha")
            .stderr_has("put back");
        let silent = context.virtpy(["list", "--venv", "project/.venv"]).success();
        assert_eq!(silent.raw_stderr, "");
    }
    // Of a state that an earlier version wrote, the store's record tells.
    let state = context.path("project/.venv/.virtpy/state.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    json.as_object_mut().unwrap().remove("keys");
    std::fs::write(&state, json.to_string()).unwrap();
    std::fs::write(context.path("project/.venv/pyvenv.cfg"), &plain).unwrap();
    context.virtpy(COLLECT).success();
    context.add(&index, &["--venv", "project/.venv", "beta"]).success();
    context.virtpy(["check", "--venv", "project/.venv"]).success();
    works(&context, "project/.venv");
    // For another Python it is another venv.
    std::fs::write(context.path("project/.venv/pyvenv.cfg"), "home = /usr/bin\nversion = 3.2.1\n").unwrap();
    context.virtpy(["list", "--venv", "project/.venv"]).one_error().stderr_has("for Python 3.2");
}

#[test]
fn whatever_links_into_the_store_is_kept() {
    let wheels =
        ["one", "two"].map(|name| WheelBuilder::new(name, "1.0").file(&format!("ns/{name}.py"), "").build());
    let index = Index::start(&wheels);
    let context = TestContext::new();
    context.new_named_venv("other");
    context.new_named_venv("project/.venv");
    context.add(&index, &["--venv", "project/.venv", "one", "two"]).success();
    let venv = context.path("project/.venv");
    let collect = || {
        context.virtpy(COLLECT).success();
        assert_eq!(context.store_entries().len(), 2);
    };
    // The lines of another known venv, and no state.
    std::fs::copy(context.path("other/pyvenv.cfg"), venv.join("pyvenv.cfg")).unwrap();
    collect();
    std::fs::remove_dir_all(venv.join(".virtpy")).unwrap();
    collect();
    // Packages on another disk, and no distributions' own folders.
    let site = context.interpreter().site_packages();
    for name in ["one", "two"] {
        std::fs::remove_dir_all(venv.join(format!("{site}/{name}-1.0.dist-info"))).unwrap();
        std::fs::remove_file(venv.join(format!("{site}/{name}"))).unwrap();
    }
    collect();
    std::fs::rename(venv.join("lib"), context.path("lib")).unwrap();
    symlink(context.path("lib"), venv.join("lib")).unwrap();
    collect();
    std::fs::remove_dir_all(context.path("lib")).unwrap();
    context.virtpy(COLLECT).success();
    assert_eq!(context.store_entries().len(), 0);
}

#[test]
fn many_copies_and_clones_of_an_id_keep_what_each_uses() {
    let (context, index) = scene();
    let mut copies = Vec::new();
    for number in 0..14 {
        let name = format!("copy{number}");
        copy(&context, "project", &name);
        context.virtpy(["list", "--venv", &format!("{name}/.venv")]).success();
        copies.push(name);
    }
    std::fs::remove_dir_all(context.path("project")).unwrap();
    for name in &copies[1..] {
        std::fs::remove_dir_all(context.path(name)).unwrap();
    }
    context.virtpy(COLLECT).success();
    works(&context, "copy0/.venv");
    // An id that is known, in a venv that says nothing of its place: it does not take the other's place.
    context.new_named_venv("mine");
    context.add(&index, &["--venv", "mine", "alpha"]).success();
    let config = context.read("mine/pyvenv.cfg");
    let kept = lines_without(&config, &["virtpy-path", "virtpy-store"]);
    context.new_named_venv("theirs");
    std::fs::write(context.path("theirs/pyvenv.cfg"), kept).unwrap();
    context
        .add(&index, &["--venv", "theirs", "beta"])
        .failure(1)
        .one_error()
        .stderr_has("copy of the one at");
}

#[test]
fn pipes_and_devices_hold_nobody_up() {
    let (context, index) = scene();
    context.new_named_venv("gone/.venv");
    context.add(&index, &["--venv", "gone/.venv", "beta"]).success();
    std::fs::remove_dir_all(context.path("gone")).unwrap();
    std::fs::create_dir_all(context.path("neighbour/.venv")).unwrap();
    let config = context.path("neighbour/.venv/pyvenv.cfg");
    let sparse = |config: &std::path::Path| std::fs::File::create(config)?.set_len(1 << 40);
    let pipe = |config: &std::path::Path| Command::new("mkfifo").arg(config).status().map(drop);
    let device = |config: &std::path::Path| symlink("/dev/zero", config);
    let plants: [&Plant; 3] = [&sparse, &pipe, &device];
    for plant in plants {
        plant(&config).unwrap();
        context.virtpy(["list-all"]).success().stdout_has("gone");
        context.virtpy(["store", "gc", "--grace", "0s"]).success().stdout_has("beta");
        context.virtpy(["list", "--venv", "neighbour/.venv"]).one_error();
        std::fs::remove_file(&config).unwrap();
    }
    works(&context, "project/.venv");
}

#[test]
fn a_venv_whose_own_folders_are_links_is_not_touched() {
    let (context, index) = scene();
    let site = context.interpreter().site_packages();
    let inner = format!("project/.venv/{site}");
    context.write("victim/python", "precious");
    context.write("victim/state.json", "precious");
    for place in ["project/.venv/.virtpy", "project/.venv/bin", "project/.venv/include", inner.as_str()] {
        let aside = context.path("aside");
        let there = std::fs::rename(context.path(place), &aside).is_ok();
        symlink(context.path("victim"), context.path(place)).unwrap();
        for command in [&["add", "--no-index", "beta"][..], &["remove", "alpha"], &["relink"]] {
            let arguments = [command, &["--venv", "project/.venv"]].concat();
            context.virtpy(arguments).failure(1).one_error().stderr_has("not a real directory");
        }
        std::fs::remove_file(context.path(place)).unwrap();
        if there {
            std::fs::rename(&aside, context.path(place)).unwrap();
        }
    }
    // A folder that distributions share.
    let wheels =
        ["one", "two"].map(|name| WheelBuilder::new(name, "1.0").file(&format!("ns/{name}.py"), "").build());
    let index_of_two = Index::start(&wheels);
    context.add(&index_of_two, &["--venv", "project/.venv", "one", "two"]).success();
    std::fs::rename(context.path(&format!("{inner}/ns")), context.path("victim/ns")).unwrap();
    symlink(context.path("victim/ns"), context.path(&format!("{inner}/ns"))).unwrap();
    let before = std::fs::read_dir(context.path("victim/ns")).unwrap().count();
    context.virtpy(["remove", "--venv", "project/.venv", "one"]);
    assert_eq!(std::fs::read_dir(context.path("victim/ns")).unwrap().count(), before);
    assert_eq!(std::fs::read_dir(context.path("victim")).unwrap().count(), 3);
    drop(index);
}

#[test]
fn a_store_that_a_venv_names_is_used_only_if_it_is_known() {
    let (mut context, _index) = scene();
    std::fs::create_dir(context.path("victim")).unwrap();
    let config = context.read("project/.venv/pyvenv.cfg");
    let own = context.store();
    for named in [context.path("victim").display().to_string(), "store".to_owned()] {
        let lines =
            config.replace(&format!("virtpy-store = {}", own.display()), &format!("virtpy-store = {named}"));
        std::fs::write(context.path("project/.venv/pyvenv.cfg"), lines).unwrap();
        for command in ["download", "wheel"] {
            let output = context.virtpy(["pip", "--venv", "project/.venv", command, "alpha", "--no-index"]);
            output.failure(1).stderr_has("have not used before");
        }
        context.virtpy(["pip", "--venv", "project/.venv", "list"]);
        assert_eq!(std::fs::read_dir(context.path("victim")).unwrap().count(), 0);
        assert!(!context.path("project/.venv/store").exists() && !context.path("store").exists());
    }
    // One that was used before is believed also without configuration.
    std::fs::write(context.path("project/.venv/pyvenv.cfg"), &config).unwrap();
    context.set("VIRTPY_HOME", context.path("other-store"));
    context
        .virtpy(["pip", "--venv", "project/.venv", "list"])
        .success()
        .stdout_has("alpha")
        .stderr_lacks("not in");
}

#[test]
fn nothing_of_an_unknown_venv_is_run() {
    let (context, _index) = scene();
    // As a repository would ship it: nobody's id, a program for an interpreter, code that starts with Python.
    context.new_named_venv("clone/.venv");
    let config = context.read("clone/.venv/pyvenv.cfg");
    let lines: Vec<String> = config
        .lines()
        .map(|line| {
            if line.starts_with("virtpy-id") {
                "virtpy-id = 0123456789abcdef".to_owned()
            } else {
                line.to_owned()
            }
        })
        .collect();
    std::fs::write(context.path("clone/.venv/pyvenv.cfg"), lines.join("\n")).unwrap();
    std::fs::remove_dir_all(context.path("clone/.venv/.virtpy")).unwrap();
    let ran = context.path("ran").display().to_string();
    let site = context.interpreter().site_packages();
    context
        .write(&format!("clone/.venv/{site}/evil.pth"), &format!("import os; open({ran:?}, 'w').close()\n"));
    let output = context.virtpy(["pip", "--venv", "clone/.venv", "download", "alpha", "--no-index"]);
    output.failure(1).stderr_has("nothing in it was run");
    let python = context.path("clone/.venv/bin/python");
    std::fs::remove_file(&python).unwrap();
    context.write("clone/program", &format!("#!/bin/sh\ntouch {ran}\n"));
    std::fs::set_permissions(
        context.path("clone/program"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    symlink("../../program", &python).unwrap();
    context
        .virtpy(["add", "--venv", "clone/.venv", "--no-index", "alpha"])
        .failure(1)
        .stderr_has("was not run");
    assert!(!context.path("ran").exists());
}

/// Needs root, to give a file to somebody else.
#[test]
fn a_venv_that_another_user_planted_is_not_used() {
    let (context, _index) = scene();
    std::fs::create_dir_all(context.path("project/deep")).unwrap();
    if std::os::unix::fs::chown(context.path("project/.venv"), Some(1235), None).is_err() {
        return;
    }
    for command in [&["list"][..], &["check"], &["pip", "list"], &["run", "--offline", "python", "-c", "1"]] {
        let mut called = context.virtpy_command(command);
        called.current_dir(context.path("project/deep"));
        context.run(&mut called).failure(1).stderr_has("belongs to user 1235");
        called.env("VIRTPY_SAFE_DIRECTORIES", context.path("project"));
        context.run(&mut called).stderr_lacks("belongs to user 1235");
    }
    // One that is named is meant.
    context.virtpy(["list", "--venv", "project/.venv"]).success();
}
