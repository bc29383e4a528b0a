//! Applications on PATH: installing, changing and removing them, and what must never happen on the way.

use std::path::{Path, PathBuf};

use crate::support::{Artifact, Index, Output, TestContext, WheelBuilder, python};

pub(crate) fn tool(version: &str) -> Artifact {
    WheelBuilder::new("demo", version)
        .console_script("demo")
        .console_script("demo-extra")
        .requires("helper")
        .data("data", "share/man/man1/demo.1", "page")
        .data("data", "share/bash-completion/completions/demo", "complete")
        .data("data", "share/doc/demo.txt", "text")
        .build()
}

pub(crate) fn helper(version: &str) -> Artifact {
    WheelBuilder::new("helper", version).console_script("helper").build()
}

pub(crate) fn index() -> Index {
    Index::start(&[tool("1.0"), helper("1.0"), WheelBuilder::new("plain", "1.0").build()])
}

pub(crate) fn install(context: &TestContext, index: &Index, arguments: &[&str]) -> Output {
    let url = index.url();
    context.virtpy(["install", "--index-url", &url].iter().copied().chain(arguments.iter().copied()))
}

pub(crate) fn command(context: &TestContext, name: &str) -> PathBuf {
    context.store().join("bin").join(name)
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|items| items.flatten().map(|item| item.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn an_application_has_commands_pages_and_completions_and_no_pip() {
    let (context, index) = (TestContext::knowing_nothing(python::default()), index());
    // It is made when it is needed.
    std::fs::remove_dir(context.store()).unwrap();
    context.write(".python-version", "2.7\n");
    install(&context, &index, &["demo"])
        .success()
        .stderr_has("Installed demo 1.0 with 2 commands")
        .stderr_has("is not on PATH; `virtpy ensure-path`");
    assert_eq!(names(&context.store().join("bin")), ["demo", "demo-extra"]);
    let run = context.run(context.command(command(&context, "demo")).args(["a", "b"])).success();
    assert!(run.raw_stdout.starts_with("ran ['a', 'b']"), "{}", run.raw_stdout);
    for page in ["share/man/man1/demo.1", "share/bash-completion/completions/demo"] {
        assert!(context.store().join(page).exists(), "{page}");
    }
    assert!(!context.store().join("share/doc").exists());
    let list = context.virtpy(["tool", "list"]).success();
    assert_eq!(list.lines(), ["demo 1.0", "    demo", "    demo-extra"]);
    let venv = context.store().join("tools/demo/current");
    assert!(!venv.join("bin/pip").exists(), "no tool needs a pip of its own");
    assert!(context.virtpy(["store", "verify"]).success().raw_stdout.is_empty());
}

#[test]
fn what_is_there_is_not_installed_again() {
    let (context, index) = (TestContext::new(), index());
    install(&context, &index, &["demo"]).success();
    index.forget_requests();
    install(&context, &index, &["demo"]).success().stderr_has("is installed already");
    install(&context, &index, &["demo>=1"]).success().stderr_has("is installed already");
    assert_eq!(index.requests(), Vec::<String>::new());
    install(&context, &index, &["--force", "demo"]).success().stderr_has("Installed demo 1.0");
    install(&context, &index, &["--include-deps", "demo"]).success();
    assert_eq!(names(&context.store().join("bin")), ["demo", "demo-extra", "helper"]);
}

#[test]
fn uninstalling_leaves_nothing() {
    let (context, index) = (TestContext::new(), index());
    install(&context, &index, &["demo", "helper"]).success();
    context.virtpy(["uninstall", "demo"]).success().stderr_has("Uninstalled demo and its 2 commands");
    assert_eq!(names(&context.store().join("bin")), ["helper"]);
    assert_eq!(names(&context.store().join("tools")), ["helper"]);
    assert_eq!(names(&context.store().join("share/man/man1")), Vec::<String>::new());
    context.virtpy(["uninstall", "--all"]).success();
    assert_eq!(names(&context.store().join("tools")), Vec::<String>::new());
    assert_eq!(names(&context.store().join("roots")), Vec::<String>::new());
    context.virtpy(["uninstall", "demo"]).failure(1).one_error().stderr_has("is not installed");
}

#[test]
fn a_file_of_somebody_else_is_neither_overwritten_nor_removed() {
    let (context, index) = (TestContext::new(), index());
    std::fs::create_dir_all(context.store().join("bin")).unwrap();
    std::fs::write(command(&context, "demo"), "mine").unwrap();
    install(&context, &index, &["demo"]).failure(1).one_error().stderr_has("is not virtpy's");
    assert_eq!(names(&context.store().join("bin")), ["demo"], "nothing half done");
    assert!(names(&context.store().join("tools")).is_empty());
    assert!(names(&context.store().join("roots")).is_empty());
    std::fs::remove_file(command(&context, "demo")).unwrap();
    install(&context, &index, &["demo"]).success();
    std::fs::remove_file(command(&context, "demo")).unwrap();
    std::fs::write(command(&context, "demo"), "mine").unwrap();
    context.virtpy(["uninstall", "demo"]).success();
    assert_eq!(std::fs::read_to_string(command(&context, "demo")).unwrap(), "mine");
}

#[test]
fn two_applications_do_not_take_each_others_commands() {
    let rival = WheelBuilder::new("rival", "1.0").console_script("demo").build();
    let (context, index) = (TestContext::new(), index());
    index.add(&rival);
    install(&context, &index, &["demo"]).success();
    install(&context, &index, &["rival"])
        .failure(1)
        .one_error()
        .stderr_has("the command `demo` belongs to the application `demo`")
        .stderr_has("--suffix");
    install(&context, &index, &["rival", "--suffix", "-2"]).success();
    assert_eq!(names(&context.store().join("bin")), ["demo", "demo-2", "demo-extra"]);
    let list = context.virtpy(["tool", "list", "--short"]).success();
    assert_eq!(list.lines(), ["demo 1.0", "rival-2 1.0"]);
    install(&context, &index, &["rival", "--suffix", "/../x"])
        .failure(1)
        .one_error()
        .stderr_has("cannot be a suffix");
}

#[test]
fn a_library_has_no_commands_and_is_not_installed() {
    let wrapper = WheelBuilder::new("wrapper", "1.0").requires("helper").build();
    let (context, index) = (TestContext::new(), index());
    index.add(&wrapper);
    install(&context, &index, &["plain"])
        .failure(1)
        .one_error()
        .stderr_has("has no commands")
        .stderr_has("virtpy add");
    install(&context, &index, &["wrapper"])
        .failure(1)
        .one_error()
        .stderr_has("virtpy add wrapper")
        .stderr_has("what it requires has some (helper): `--include-deps`");
    context
        .virtpy(["tool", "run", "--index-url", &index.url(), "wrapper"])
        .failure(1)
        .one_error()
        .stderr_has("tool run --from PACKAGE");
    assert!(names(&context.store().join("tools")).is_empty());
    install(&context, &index, &["wrapper", "--include-deps"]).success();
    assert_eq!(names(&context.store().join("bin")), ["helper"]);
}

#[test]
fn an_upgrade_keeps_what_was_asked_for() {
    let (context, index) = (TestContext::new(), index());
    let side = WheelBuilder::new("side", "1.0").console_script("side").build();
    index.add(&side);
    install(&context, &index, &["demo<3", "--with", "side", "--with-apps"]).success();
    assert_eq!(names(&context.store().join("bin")), ["demo", "demo-extra", "side"]);
    context.virtpy(["upgrade", "demo"]).success().stderr_has("demo 1.0 is up to date");
    index.add(&WheelBuilder::new("demo", "2.0").console_script("demo").console_script("demo-new").build());
    index.add(&tool("3.0"));
    context.virtpy(["pin", "demo"]).success();
    context.virtpy(["upgrade", "--all"]).success();
    context.virtpy(["upgrade", "demo"]).success().stderr_has("is pinned");
    context.virtpy(["unpin", "demo"]).success();
    // The index that it came from is asked again, whatever it said a moment ago.
    let outdated = context.virtpy(["tool", "list", "--outdated"]).success();
    assert!(outdated.raw_stdout.contains("demo 1.0 (newest: 3.0)"), "{}", outdated.raw_stdout);
    context.virtpy(["upgrade", "--all"]).success().stderr_has("Upgraded 1.0 to demo 2.0");
    assert_eq!(names(&context.store().join("bin")), ["demo", "demo-new", "side"]);
    assert_eq!(names(&context.store().join("tools/demo")), ["2", "current"], "the old generation is gone");
    let list = context.virtpy(["tool", "list", "--json"]).success().json();
    assert_eq!(list[0]["request"], "demo<3");
    assert_eq!(list[0]["with"][0], "side");
    context.virtpy(["reinstall", "demo"]).success().stderr_has("Installed demo 2.0");
    let report = context.virtpy(["upgrade", "--all", "--json"]).success().json();
    assert_eq!((&report[0]["version"], &report[0]["changed"]), (&"2.0".into(), &false.into()));
    let report = context.virtpy(["reinstall", "demo", "--json"]).success().json();
    assert_eq!(report[0]["commands"], serde_json::json!(["demo", "demo-new", "side"]));
}

#[test]
fn a_failed_upgrade_leaves_the_old_version() {
    let (context, index) = (TestContext::new(), index());
    install(&context, &index, &["demo"]).success();
    let broken = WheelBuilder::new("demo", "2.0").console_script("demo").requires("nowhere").build();
    index.add(&broken);
    context.virtpy(["upgrade", "demo", "--no-index", "--find-links", "/nonexistent"]).failure(1);
    index.add(&WheelBuilder::new("demo", "3.0").build());
    context.virtpy(["upgrade", "demo"]).failure(1).one_error().stderr_has("has no commands");
    context.run(&mut context.command(command(&context, "demo"))).success();
    assert_eq!(context.virtpy(["tool", "list", "--short"]).success().lines(), ["demo 1.0"]);
    assert_eq!(names(&context.store().join("tools/demo")), ["1", "current"]);
}

#[test]
fn packages_are_injected_and_taken_out_again() {
    let (context, index) = (TestContext::new(), index());
    index.add(&WheelBuilder::new("side", "1.0").console_script("side").build());
    install(&context, &index, &["demo"]).success();
    index.add(&helper("2.0"));
    context
        .virtpy(["inject", "demo", "side", "--with-apps"])
        .success()
        .stderr_has("Injected side into demo 1.0");
    assert_eq!(names(&context.store().join("bin")), ["demo", "demo-extra", "side"]);
    let venv = context.store().join("tools/demo/current");
    let venv = venv.to_str().unwrap();
    let frozen = context.virtpy(["freeze", "--venv", venv]).success().raw_stdout;
    assert!(frozen.contains("helper==1.0"), "what is there stays: {frozen}");
    context.virtpy(["inject", "demo", "side"]).success().stderr_has("has it already");
    context.virtpy(["uninject", "demo", "side"]).success();
    assert_eq!(names(&context.store().join("bin")), ["demo", "demo-extra"]);
    context.virtpy(["uninject", "demo", "side"]).failure(1).one_error().stderr_has("was not injected");
}

#[test]
fn folders_wheels_and_editables_are_installed() {
    let context = TestContext::new();
    let index = index();
    let wheel = helper("1.0").write_to(&context.path("wheels"));
    let relative = format!("./wheels/{}", wheel.file_name().unwrap().to_str().unwrap());
    install(&context, &index, &[&relative]).success().stderr_has("Installed helper 1.0");
    let list = context.virtpy(["tool", "list", "--json"]).success().json();
    assert_eq!(list[0]["request"], wheel.to_str().unwrap(), "paths are kept absolute");
    context.virtpy(["reinstall", "helper"]).success();
}

#[test]
fn leftovers_of_an_interrupted_change_are_swept() {
    let (context, index) = (TestContext::new(), index());
    install(&context, &index, &["demo"]).success();
    let folder = context.store().join("tools/demo");
    // A generation that never came into use, and a name that no generation has.
    std::fs::create_dir_all(folder.join("2/bin")).unwrap();
    std::os::unix::fs::symlink(folder.join("current/bin/gone"), command(&context, "gone")).unwrap();
    std::fs::remove_file(command(&context, "demo-extra")).unwrap();
    install(&context, &index, &["--force", "demo"]).success();
    assert_eq!(names(&context.store().join("bin")), ["demo", "demo-extra"]);
    assert_eq!(names(&folder), ["2", "current"]);
    // One that was being uninstalled.
    std::fs::remove_file(folder.join("current")).unwrap();
    assert!(context.virtpy(["tool", "list"]).success().raw_stdout.is_empty());
    install(&context, &index, &["demo"]).success();
    context.run(&mut context.command(command(&context, "demo"))).success();
}

#[test]
fn a_lost_interpreter_is_told_and_mended() {
    let (context, index) = (TestContext::new(), index());
    install(&context, &index, &["demo"]).success();
    index.add(&tool("2.0"));
    let python = context.store().join("tools/demo/current/bin/python");
    std::fs::remove_file(&python).unwrap();
    std::os::unix::fs::symlink("/nonexistent/python", &python).unwrap();
    context
        .virtpy(["tool", "list"])
        .success()
        .stdout_has("broken: its interpreter")
        .stdout_has("virtpy tool repair demo");
    context.virtpy(["tool", "repair"]).success().stderr_has("Repaired demo 1.0");
    context.run(&mut context.command(command(&context, "demo"))).success();
    context.virtpy(["tool", "repair"]).success().stderr_has("no application is broken");
}

#[test]
fn what_the_store_lost_of_an_application_is_named() {
    let (context, index) = (TestContext::new(), index());
    install(&context, &index, &["demo"]).success();
    for (number, entry) in names(&context.store().join("w")).iter().enumerate() {
        let aside = context.path(&format!("aside{number}"));
        std::fs::rename(context.store().join("w").join(entry), aside).unwrap();
    }
    let list = context.virtpy(["tool", "list"]).success();
    let broken = list.stdout_has("broken: the store no longer has demo 1.0 and 1 more");
    broken.stdout_has("; `virtpy tool repair demo` repairs it");
    context.virtpy(["tool", "repair"]).success().stderr_has("Repaired demo 1.0");
    context.run(&mut context.command(command(&context, "demo"))).success();
}

#[test]
fn an_application_runs_without_being_installed() {
    let (context, index) = (TestContext::new(), index());
    let url = index.url();
    let run = |arguments: &[&str]| {
        context.virtpy(["tool", "run", "--index-url", &url].iter().copied().chain(arguments.iter().copied()))
    };
    let first = run(&["demo", "--flag", "-x", "--help", "--with", "-q"]).success();
    let told = "ran ['--flag', '-x', '--help', '--with', '-q']";
    assert!(first.raw_stdout.starts_with(told), "{}", first.raw_stdout);
    assert!(names(&context.store().join("bin")).is_empty());
    index.forget_requests();
    index.add(&tool("2.0"));
    run(&["demo"]).success();
    assert!(index.requests().is_empty(), "the second time nothing is asked");
    run(&["--from", "demo==1.0", "demo-extra"]).success();
    run(&["--refresh", "demo==2.0"]).success();
    run(&["--from", "demo", "nothing"]).failure(1).one_error().stderr_has("it has demo, demo-extra");
    assert!(context.virtpy(["tool", "list"]).success().raw_stdout.is_empty());
    let link = context.virtpy(["path", "virtpyx"]).success().raw_stdout;
    let run = context.run(context.command(link.trim()).args(["--index-url", &url, "demo", "-x"])).success();
    assert!(run.raw_stdout.starts_with("ran ['-x']"), "{}", run.raw_stdout);
}

#[test]
fn an_interpreter_is_chosen_that_the_application_works_with() {
    let pythons = crate::support::python::all();
    let [oldest, .., newest] = pythons else {
        crate::support::skip("there is only one Python");
        return;
    };
    let mut context = TestContext::with_python(oldest);
    let needy = WheelBuilder::new("needy", "1.0")
        .console_script("needy")
        .requires_python(&format!(">={}", newest.short()))
        .build();
    let index = Index::start(&[needy]);
    let nothing = context.write("nothing.json", "{}");
    context.set("VIRTPY_PYTHON_INDEX_URL", &nothing);
    install(&context, &index, &["needy", "--no-python-downloads"])
        .failure(1)
        .one_error()
        .stderr_has("--python");
    assert!(names(&context.store().join("tools")).is_empty());
    let folder = newest.path.parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", context.root().join("bin").display(), folder.display());
    context.set("PATH", path);
    install(&context, &index, &["needy"])
        .success()
        .stderr_has(&format!("needy runs with Python {}", newest.full_version));
}

#[test]
fn applications_are_carried_to_another_machine() {
    let (context, index) = (TestContext::new(), index());
    install(&context, &index, &["demo>=1", "--with", "plain"]).success();
    let file = context.path("tools.toml");
    context.virtpy(["tool", "export", "tools.toml"]).success();
    let text = context.read("tools.toml");
    assert!(text.contains("\"demo==1.0\"") && text.contains("\"helper==1.0\""), "{text}");
    let other = TestContext::new();
    index.add(&tool("2.0"));
    index.add(&helper("2.0"));
    other.virtpy(["tool", "sync", file.to_str().unwrap()]).success().stderr_has("Installed demo 1.0");
    let venv = other.store().join("tools/demo/current");
    let frozen = other.virtpy(["freeze", "--venv", venv.to_str().unwrap()]).success().raw_stdout;
    assert!(frozen.contains("helper==1.0") && frozen.contains("plain==1.0"), "{frozen}");
    install(&other, &index, &["helper"]).success();
    other.virtpy(["tool", "sync", "--exact", file.to_str().unwrap()]).success().stderr_has("is up to date");
    assert_eq!(other.virtpy(["tool", "list", "--short"]).success().lines(), ["demo 1.0"]);
    other.write("bad.toml", "format = 9\n");
    other
        .virtpy(["tool", "sync", "bad.toml"])
        .failure(1)
        .one_error()
        .stderr_has("is not a list of applications");
}

#[test]
fn what_pipx_installed_is_reproduced() {
    let (mut context, index) = (TestContext::new(), index());
    let home = context.path("pipx");
    context.set("PIPX_HOME", &home);
    context.write(
        "pipx/venvs/demo/pipx_metadata.json",
        r#"{"main_package": {"package": "demo", "package_or_url": "demo==1.0", "pip_args": [], "include_dependencies": false},
            "injected_packages": {"helper": {"package": "helper", "package_or_url": "helper", "include_apps": true}},
            "python_version": null, "pipx_metadata_version": "0.5"}"#,
    );
    context.write("pipx/venvs/broken/pipx_metadata.json", "{");
    context.virtpy(["tool", "import-pipx", "--dry-run"]).success().stdout_has("demo (demo==1.0)");
    context
        .virtpy(["tool", "import-pipx", "--index-url", &index.url()])
        .success()
        .stderr_has("`broken`")
        .stderr_has("Installed demo 1.0");
    assert_eq!(names(&context.store().join("bin")), ["demo", "demo-extra", "helper"]);
    context
        .virtpy(["tool", "import-pipx", "nothing"])
        .failure(1)
        .one_error()
        .stderr_has("pipx has no `nothing`");
}

#[test]
fn the_folder_of_commands_comes_onto_path_once() {
    let mut context = TestContext::new();
    context.set("SHELL", "/bin/bash");
    let startup = context.home().join(".bashrc");
    std::fs::write(&startup, "alias a=b").unwrap();
    context.virtpy(["ensure-path", "--dry-run"]).success().stderr_has("Would add");
    assert_eq!(std::fs::read_to_string(&startup).unwrap(), "alias a=b");
    context.virtpy(["ensure-path"]).success().stderr_has("export PATH=");
    let text = std::fs::read_to_string(&startup).unwrap();
    assert!(text.starts_with("alias a=b\n"), "{text}");
    context.virtpy(["ensure-path"]).success().stderr_has("has it already");
    assert_eq!(std::fs::read_to_string(&startup).unwrap(), text);
    let shell = context.run(context.command("bash").args(["-ic", "echo $PATH"])).success();
    assert!(
        shell.raw_stdout.starts_with(&format!("{}:", context.store().join("bin").display())),
        "{}",
        shell.raw_stdout
    );
    for (shell, file) in
        [("zsh", ".zshrc"), ("fish", ".config/fish/conf.d/virtpy.fish"), ("nu", ".config/nushell/env.nu")]
    {
        context.virtpy(["ensure-path", "--shell", shell]).success();
        assert!(context.home().join(file).exists(), "{file}");
    }
    context.virtpy(["ensure-path", "--shell", "cmd"]).failure(2);
}

#[test]
fn passwords_are_not_kept() {
    let (context, index) = (TestContext::new(), index());
    index.require_credentials("user:secret");
    let url = index.url_with_credentials("user:secret");
    context.virtpy(["install", "--index-url", &url, "demo"]).success().stderr_lacks("secret");
    let known =
        std::fs::read_to_string(context.store().join("tools/demo/current/.virtpy/tool.json")).unwrap();
    assert!(!known.contains("secret"), "{known}");
    assert!(known.contains(index.url().trim_end_matches('/')), "{known}");
    let file = context.virtpy(["tool", "export"]).success();
    assert!(!file.raw_stdout.contains("secret"));
}
