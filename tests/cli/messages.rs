//! What people are told: what failed, why, and what to do, in words of theirs.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::tools::{index, install, tool};
use crate::support::{Index, TestContext, WheelBuilder};

#[test]
fn a_program_that_is_no_python_is_called_that() {
    let context = TestContext::new();
    for program in ["/bin/ls", "/bin/cat", "/bin/true"] {
        let output = context.virtpy(["new", "-p", program]).failure(1).one_error();
        output.stderr_has("is not a Python interpreter").stderr_lacks("\"\"\"");
    }
    context.virtpy(["new", "-p", "python3.7"]).failure(1).one_error().stderr_has("Python 3.7 is too old");
    let missing = context.virtpy(["new", "-p", "3.99"]).failure(1).one_error();
    missing.stderr_has("no Python 3.99 found\n").stderr_has("virtpy python install 3.99");
}

#[test]
fn a_command_that_is_mistyped_gets_the_best_suggestion_first() {
    let context = TestContext::new();
    let output = context.virtpy(["instal", "black"]).failure(2);
    let told = output.stderr();
    assert!(told.contains("exist: 'install', '") && !told.contains("internal-store"), "{told}");
    context.virtpy(["store", "verfy"]).failure(2).stderr_has("'verify'");
}

#[test]
fn what_is_not_there_is_said_to_be_so() {
    let mut context = TestContext::new();
    context.new_venv();
    context.virtpy(["sync", "requirements.txt"]).failure(1).one_error().stderr_has("there is no file `");
    context
        .virtpy(["poetry", "enable", "poetry"])
        .failure(1)
        .one_error()
        .stderr_has("no command `poetry` on PATH");
    context.virtpy(["poetry", "enable", "./poetry"]).failure(1).one_error().stderr_has("./poetry");
    context.set("VIRTUAL_ENV", "/nonexist");
    let output = context.virtpy(["list"]).failure(1).one_error();
    output.stderr_has("there is no venv at `/nonexist`, which `VIRTUAL_ENV` names");
    context.virtpy(["list", "--venv", "absent"]).failure(1).one_error().stderr_lacks("VIRTUAL_ENV");
}

#[test]
fn a_package_of_the_venv_is_not_looked_for_among_the_applications() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    context.virtpy(["uninstall", "demo"]).failure(1).one_error().stderr_has("`virtpy remove demo`");
    context.virtpy(["uninstall", "other"]).failure(1).one_error().stderr_lacks("virtpy remove");
}

#[test]
fn a_missing_store_is_one_problem() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    let mut context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let store = context.store();
    let other = context.path("other-store");
    context.set("VIRTPY_HOME", other.to_str().unwrap());
    let output = context.virtpy(["check"]).failure(1).one_error();
    output.stderr_has("the packages of this venv are in the store at").stderr_lacks("another installer");
    std::fs::rename(&store, context.path("moved-store")).unwrap();
    let output = context.virtpy(["check"]).failure(1).one_error();
    output.stderr_has("is missing").stderr_has("virtpy relink").stderr_lacks("another installer");
    std::fs::rename(context.path("moved-store"), &store).unwrap();
}

#[test]
fn what_a_collection_keeps_is_kept_for_a_reason() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    context.virtpy(["remove", "demo"]).success();
    context
        .virtpy(["store", "gc"])
        .success()
        .stderr_has("added within the last hour; `--grace 0` removes them too");
    context
        .virtpy(["store", "gc", "--grace", "0", "--keep-last", "3"])
        .success()
        .stderr_has("`--keep-last`")
        .stderr_lacks("--grace");
    context.virtpy(["store", "stats"]).success().stdout_has("1 wheel of 1 package");
}

#[test]
fn an_export_says_that_it_stands_there_already() {
    let context = TestContext::new();
    context.new_venv();
    context.virtpy(["export", "out"]).success();
    let output = context.virtpy(["export", "out"]).failure(1).one_error();
    output.stderr_has("it is an earlier export").stderr_lacks("not a venv");
    context.write("full/file", "");
    context.virtpy(["export", "full"]).failure(1).one_error().stderr_has("exists already\n");
}

#[test]
fn a_pin_holds_an_application_and_says_so() {
    let (context, index) = (TestContext::new(), index());
    install(&context, &index, &["demo"]).success();
    context.virtpy(["pin", "demo"]).success();
    index.add(&tool("2.0"));
    for arguments in [&["upgrade", "demo"][..], &["upgrade", "--all"]] {
        context.virtpy(arguments).success().stderr_has("demo is pinned at 1.0").stderr_lacks("up to date");
    }
    install(&context, &index, &["demo>=2"]).failure(1).one_error().stderr_has("demo is pinned at 1.0");
    context.virtpy(["reinstall", "demo"]).success().stderr_has("demo 1.0");
    // What the index said a moment ago is believed; this asks it again.
    context.virtpy(["tool", "list", "--outdated"]).success();
    install(&context, &index, &["--force", "demo>=2"]).success();
    // A version in the request holds it as well.
    install(&context, &index, &["--force", "demo==1.0"]).success();
    let output = context.virtpy(["upgrade", "demo"]).success();
    output.stderr_has("it was installed as `demo==1.0`").stderr_lacks("up to date");
    install(&context, &index, &["--force", "demo<2"]).success();
    context.virtpy(["upgrade", "demo"]).success().stderr_has("the newest that `demo<2` admits");
}

#[test]
fn root_is_warned_before_it_writes_into_a_users_store() {
    if !rustix::process::geteuid().is_root() {
        return crate::support::skip("only root can give a store to somebody else");
    }
    let context = TestContext::new();
    context.virtpy(["new"]).success().stderr_lacks("belongs to user");
    std::os::unix::fs::chown(context.store(), Some(1234), Some(1234)).unwrap();
    let output = context.virtpy(["new", "two"]).success();
    output.stderr_has("belongs to user 1234, and what root adds to it will be root's");
}

#[test]
fn what_cannot_be_read_is_not_gone() {
    if rustix::process::geteuid().is_root() {
        // Root reads everything; a name that is too long is an error of another kind that root has as well.
        let context = TestContext::new();
        context.new_venv();
        let python = context.path(".venv/bin/python");
        std::fs::remove_file(&python).unwrap();
        std::os::unix::fs::symlink("x".repeat(300), &python).unwrap();
        let output = context.virtpy(["check"]).failure(1).one_error();
        output.stderr_has("cannot be read").stderr_lacks("is gone");
        return;
    }
    let context = TestContext::new();
    let folder = context.path("pythons/bin");
    std::fs::create_dir_all(&folder).unwrap();
    let link = folder.join("python3");
    std::os::unix::fs::symlink(&context.interpreter().path, &link).unwrap();
    context.new_venv();
    let python = context.path(".venv/bin/python");
    std::fs::remove_file(&python).unwrap();
    std::os::unix::fs::symlink(&link, &python).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o000)).unwrap();
    let output = context.virtpy(["check"]);
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    output.failure(1).one_error().stderr_has("cannot be read").stderr_lacks("is gone");
}

#[test]
fn a_store_that_cannot_be_written_is_not_another_process() {
    let context = TestContext::new();
    std::fs::create_dir_all(context.store()).unwrap();
    std::fs::write(context.store().join("locks"), "in the way").unwrap();
    let output = context.virtpy(["install", "demo"]).failure(1).one_error();
    output.stderr_lacks("other process").stderr_lacks("other command");
}

#[test]
fn a_script_from_a_pipe_is_read_once() {
    let context = TestContext::new();
    let program = env!("CARGO_BIN_EXE_virtpy");
    let script = "import sys; print('ran', sys.argv[1:], sys.stdin.read())";
    let line = format!("echo asked | {program} run <(echo \"{script}\") one");
    let mut shell: Command = context.command("bash");
    let output = context.run(shell.args(["-c", &line])).success();
    assert_eq!(output.raw_stdout.trim(), "ran ['one'] asked");
    let line = format!("echo 'print(1)' | {program} run /dev/stdin");
    let mut shell: Command = context.command("bash");
    assert_eq!(context.run(shell.args(["-c", &line])).success().raw_stdout.trim(), "1");
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let mut context = TestContext::new();
    context.new_venv();
    let hint = |context: &TestContext, arguments: &[&str], message: &str, hint: &str| {
        context.virtpy(arguments).failure(1).one_error().stderr_has(message).stderr_has(hint);
    };
    let nowhere = ["add", "--no-index", "--find-links", ".", "absent"];
    hint(&context, &nowhere, "absent", "leave `--no-index` out");
    hint(&context, &["add", "--no-index", "demo@1.0"], "`demo@1.0` is not", "`demo==1.0`");
    hint(
        &context,
        &["add", "--index-url", "ftp://h.example/simple", "demo"],
        "https, http and file",
        "hint: ",
    );
    hint(&context, &["sync", "absent.toml"], "there is no file `absent.toml`", "hint: ");
    context.write("demo-1.0-py3-none-any.whl", "no archive");
    hint(&context, &["add", "--no-index", "./demo-1.0-py3-none-any.whl"], "cannot use", "it is damaged");
    std::os::unix::fs::symlink("nowhere", context.path("link")).unwrap();
    hint(&context, &["new", "link"], "what it names is not there", "make the directory");
    let file = context.write("file", "");
    context.set("VIRTUAL_ENV", &file);
    hint(&context, &["list"], "which `VIRTUAL_ENV` names, is not a venv", "deactivate");
    context.unset("VIRTUAL_ENV");
    context.set("VIRTPY_HOME", &file);
    hint(&context, &["new", "other"], "could not create the lock", "a part of that path is a file");
}

#[test]
fn an_extra_is_missed_in_what_is_installed_as_well() {
    let (context, index) = (TestContext::new(), Index::start(&[WheelBuilder::new("demo", "1.0").build()]));
    context.new_venv();
    let warning = "demo 1.0 does not provide the extra 'absent'";
    context.add(&index, &["demo"]).success().stderr_lacks("warning");
    context.add(&index, &["demo[absent]"]).success().stderr_has(warning).stderr_has("Nothing to do");
    context.virtpy(["pip", "install", "--no-index", "demo[absent]"]).success().stderr_has(warning);
}

#[test]
fn a_place_of_a_package_that_is_not_there_is_named() {
    let context = TestContext::new();
    context.write(
        "pyproject.toml",
        "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.8'\ndependencies = ['near']\n\
         [tool.uv.sources]\nnear = { path = 'near' }\n",
    );
    for command in [&["lock", "--no-index"][..], &["sync", "--no-index"]] {
        context
            .virtpy(command)
            .failure(1)
            .stderr_has("`[tool.uv.sources]` gives a place for `near` that is not there");
    }
}
