//! Living with installed interpreters: venvs on them, updates, removal, lists, and handing them to other tools.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::python_install::{Mirror, installed};
use crate::support::{TestContext, pythons};

/// Offers a whole interpreter, one that venvs work on, and installs it. Returns its version.
fn install_whole(context: &TestContext, mirror: &mut Mirror) -> String {
    let python = context.interpreter().clone();
    let bytes = std::fs::read(pythons::whole(&python)).unwrap();
    mirror.offer(&python.full_version, "/whole.tar.gz", bytes);
    context.virtpy(["python", "install", &python.full_version]).success();
    python.full_version
}

#[test]
fn venvs_live_through_updates_and_keep_their_interpreter() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = install_whole(&context, &mut mirror);
    let short = context.interpreter().short();
    let pythons = context.store().join("pythons");
    context.virtpy(["new", "-p", &short]).success();
    context.virtpy(["new", "-p", &version, "exact"]).success();
    let home = |venv: &str| {
        let text = context.read(&format!("{venv}/pyvenv.cfg"));
        text.lines().find_map(|line| line.strip_prefix("home = ")).unwrap().to_owned()
    };
    assert_eq!(home(".venv"), pythons.join(&short).join("bin").display().to_string());
    assert_eq!(home("exact"), pythons.join(&version).join("bin").display().to_string());
    let code = "import sys; print(sys.prefix, sys.base_prefix)";
    let expected = format!("{} {}", context.path(".venv").display(), pythons.join(&short).display());
    assert_eq!(context.eval(".venv", code), expected);
    context.virtpy(["check"]).success();
    context.virtpy(["relink"]).success();
    assert_eq!(home(".venv"), pythons.join(&short).join("bin").display().to_string());

    // The venv that goes through the minor version lives on with another patch release.
    context.virtpy(["python", "uninstall", &version]).failure(1).one_error().stderr_has("2 venvs live on");
    let newer = mirror.offer_pretender(&context, 99);
    context
        .virtpy(["python", "update", &short])
        .success()
        .stderr_has(&format!("{version} of 20261021 → {newer}"));
    assert_eq!(installed(&context), [short.clone(), version.clone(), newer.clone()]);
    context.virtpy(["python", "update", "--all"]).success().stderr_has("Everything is up to date");
    assert_eq!(
        context.path(".venv/bin/python").canonicalize().unwrap(),
        pythons.join(&newer).join(format!("bin/python{short}")).canonicalize().unwrap()
    );
    let refused = context.virtpy(["python", "uninstall", &version]).failure(1).one_error();
    let (exact, other) = (context.path("exact"), context.path(".venv"));
    assert!(refused.raw_stderr.contains(&format!("a venv lives on `{version}`: `{}`", exact.display())));
    assert!(!refused.raw_stderr.contains(&format!("`{}`", other.display())), "{}", refused.dump());
    std::fs::remove_dir_all(&exact).unwrap();
    context.virtpy(["python", "uninstall", &version]).success();
    context.virtpy(["python", "uninstall", &newer]).failure(1).one_error();
    context.virtpy(["python", "uninstall", "--force", &newer]).success().stderr_has("has no interpreter now");
    assert_eq!(installed(&context), Vec::<String>::new());
    context.assert_no_leftovers();
    let mend = format!("`virtpy python install {short}` brings it back");
    context.virtpy(["check"]).failure(1).one_error().stderr_has(&mend);
    context.virtpy(["list-all"]).success().stdout_has(&mend);
    mirror.offer(&version, "/whole.tar.gz", std::fs::read(pythons::whole(context.interpreter())).unwrap());
    context.virtpy(["python", "install", &version]).success();
    assert_eq!(context.eval(".venv", "print(1)"), "1");
}

#[test]
fn commands_run_the_interpreter_and_never_take_the_store_for_a_venv() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = install_whole(&context, &mut mirror);
    let short = context.interpreter().short();
    context.virtpy(["new", "-p", &short]).success();
    assert!(context.store().join("pyvenv.cfg").is_file(), "the store is marked");
    let command = context.store().join(format!("bin/python{short}"));
    let code = "import sys; print(sys.prefix == sys.base_prefix, sys.prefix)";
    let run =
        |path: &std::path::Path| context.run(context.command(path).args(["-c", code])).success().raw_stdout;
    let prefix = context.store().join("pythons").join(&short);
    assert_eq!(run(&command), format!("True {}\n", prefix.display()));
    assert!(!context.store().join("bin/python3").exists());
    context.virtpy(["python", "install", "--default", &version]).success();
    for name in ["python", "python3"] {
        assert_eq!(run(&context.store().join("bin").join(name)), format!("True {}\n", prefix.display()));
    }
    // A venv from a command is one of the interpreter.
    let found = context.virtpy(["python", "find", command.to_str().unwrap()]).success();
    assert!(found.raw_stdout.trim().starts_with(context.store().join("pythons").to_str().unwrap()));
    std::fs::write(context.store().join("bin/python3"), "#!/bin/sh\n").unwrap();
    context.virtpy(["python", "install", "--default", &version]).success().stderr_has("is another program's");
    context.virtpy(["python", "uninstall", "--force", &version]).success();
    let mut left: Vec<_> = std::fs::read_dir(context.store().join("bin")).unwrap().flatten().collect();
    assert_eq!(left.pop().unwrap().file_name(), "python3");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn lists_say_what_is_there_and_what_can_be() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let old = mirror.offer_pretender(&context, 90);
    context.virtpy(["python", "install", &old]).success();
    let new = mirror.offer_pretender(&context, 91);
    let rows = context.virtpy(["python", "list", "--json"]).success().json();
    let find = |name: &str| rows.as_array().unwrap().iter().find(|row| row["name"] == name).cloned();
    assert_eq!(find(&old).unwrap()["origin"], json!("virtpy"));
    assert_eq!(find(&new).unwrap()["origin"], json!("available"));
    let own = context.interpreter().full_version.clone();
    assert!(find(&own).is_some(), "{rows}");
    let text = context.virtpy(["python", "list", "--only-installed"]).success();
    assert!(text.raw_stdout.contains(&old) && !text.raw_stdout.contains(&new), "{}", text.dump());
    context.virtpy(["python", "list", "--all"]).success().stdout_has(&new);
    let shown = context.virtpy(["python", "show", "--json"]).success().json();
    assert_eq!(shown["installed"][0]["name"], json!(old));
    assert_eq!(shown["installed"][0]["update"], json!(format!("{new} of 20261021")));
    context.virtpy(["python", "show"]).success().stdout_has("update available");
    let dir = context.virtpy(["python", "dir"]).success();
    assert_eq!(dir.raw_stdout.trim(), context.store().join("pythons").to_str().unwrap());
    context.virtpy(["python", "uninstall", "9.9.9"]).failure(1).one_error().stderr_has(&old);
}

#[test]
fn a_raised_version_of_a_custom_distribution_is_an_update() {
    let mut context = TestContext::new();
    let path = context.path("it.tar.gz");
    let python = context.interpreter().clone();
    let members = pythons::standalone(&python, &format!("{}.77", python.short()), "it");
    std::fs::write(&path, pythons::pack(&members, "tar.gz")).unwrap();
    context.set("HATCH_PYTHON_CUSTOM_SOURCE_MYCO", path);
    context.set("HATCH_PYTHON_CUSTOM_PATH_MYCO", "it/bin/python3");
    context.set("HATCH_PYTHON_CUSTOM_VERSION_MYCO", "1.0");
    context.virtpy(["python", "install", "myco"]).success();
    let update = |context: &TestContext| -> Value {
        context.virtpy(["python", "show", "--json"]).success().json()["installed"][0]["update"].clone()
    };
    assert_eq!(update(&context), Value::Null);
    context.set("HATCH_PYTHON_CUSTOM_VERSION_MYCO", "1.1");
    assert_eq!(update(&context), json!("1.1"));
    context
        .virtpy(["python", "install", "myco"])
        .success()
        .stderr_has("`virtpy python update myco` brings it");
    context.virtpy(["python", "update", "myco"]).success().stderr_has("1.0 → 1.1");
    assert_eq!(update(&context), Value::Null);
    assert_eq!(installed(&context), ["custom-myco"]);
    context.assert_no_leftovers();
}

#[test]
fn a_pin_chooses_the_interpreter_of_a_folder() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = mirror.offer_pretender(&context, 90);
    context.virtpy(["python", "pin"]).failure(1).one_error();
    context.virtpy(["python", "pin", &version]).success().stderr_has("virtpy python install");
    assert_eq!(context.read(".python-version"), format!("{version}\n"));
    context.virtpy(["new"]).failure(1).one_error().stderr_has(&format!("virtpy python install {version}"));
    context.virtpy(["python", "install", &version]).success();
    context.virtpy(["new"]).success();
    assert!(context.read(".venv/pyvenv.cfg").contains(&format!("version = {version}\n")));
    context.virtpy(["python", "pin"]).success().stdout_is(&format!("{version}\n"));
    context.virtpy(["python", "pin", "some-venv"]).failure(2).stderr_has("is not a version");
    context.write(".python-version", "some-venv\nsystem\n");
    context.virtpy(["new", "other"]).success();
}

/// Puts a program on PATH that notes its arguments.
fn fake_poetry(context: &TestContext) {
    let path = context.root().join("bin/poetry");
    std::fs::write(&path, "#!/bin/sh\necho \"$@\"\nexit 7\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_interpreter_is_handed_to_poetry() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = mirror.offer_pretender(&context, 90);
    let short = context.interpreter().short();
    let path = context.store().join("pythons").join(&short).join(format!("bin/python{short}"));
    context.virtpy(["python", "install", &short]).success();
    let printed = context.virtpy(["python", "use", "--print", &short]).success();
    assert_eq!(printed.raw_stdout.trim(), path.to_str().unwrap());
    context.virtpy(["python", "use", &short]).failure(1).one_error().stderr_has("install Poetry");
    fake_poetry(&context);
    let output = context.virtpy(["python", "use", &short]).failure(7);
    assert_eq!(output.raw_stdout, format!("env use {}\n", path.display()));
    let exact = context.virtpy(["python", "use", "--print", &version]).success();
    assert!(exact.raw_stdout.contains(&format!("/pythons/{version}/bin/")), "{}", exact.dump());
    assert_eq!(mirror.site.count(&format!("/{version}.tar.gz")), 1);
}

#[test]
fn under_the_name_of_isopy_it_is_isopy() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = mirror.offer_pretender(&context, 90);
    let short = context.interpreter().short();
    let isopy = context.virtpy(["path", "isopy"]).success().raw_stdout.trim().to_owned();
    let isopy = |arguments: &[&str]| context.run(context.command(&isopy).args(arguments));
    for wrong in ["3", "3.12.1.1", "latest", "3.x", "3.", ""] {
        isopy(&["install", wrong]).failure(1).one_error().stderr_has("Version must be X.Y or X.Y.Z");
    }
    let path = context.home().join(".isopy").join(&version).join("bin/python");
    let output = isopy(&["install", &short]).success();
    assert_eq!(output.raw_stdout.trim(), path.to_str().unwrap());
    assert!(path.canonicalize().unwrap().starts_with(context.store().join("pythons")));
    isopy(&["install", &version]).success();
    assert_eq!(mirror.site.count(&format!("/{version}.tar.gz")), 1);
    isopy(&["list"]).success().stdout_is(&format!("{version} → [HOME]/.isopy/{version}/bin/python\n"));
    fake_poetry(&context);
    let used = isopy(&["use", &short]).failure(7);
    assert!(used.raw_stdout.contains(&format!("env use {}", path.display())), "{}", used.dump());
    isopy(&["update-index"]).success();
    isopy(&["add", "rich"]).failure(2);
}

#[test]
fn an_interpreter_of_another_tool_is_used_and_nothing_downloaded() {
    let mut context = TestContext::new();
    let mirror = Mirror::new(&mut context);
    let version = mirror.version(77);
    let bin = context.home().join(".pyenv/versions/mine/bin");
    std::fs::create_dir_all(&bin).unwrap();
    let python = bin.join("python3");
    std::fs::write(&python, pythons::pretender(context.interpreter(), &version)).unwrap();
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
    let used = context.virtpy(["python", "use", "--print", &version]).success();
    assert!(used.raw_stdout.contains(".pyenv/versions"), "{}", used.dump());
    assert_eq!(installed(&context), Vec::<String>::new());
}

#[test]
fn isopy_finds_the_installation_wherever_it_is_in_its_archive() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = mirror.version(91);
    let members = pythons::standalone(context.interpreter(), &version, "python/install");
    mirror.offer(&version, "/nested.tar.gz", pythons::pack(&members, "tar.gz"));
    let isopy = context.virtpy(["path", "isopy"]).success().raw_stdout.trim().to_owned();
    let output = context.run(context.command(&isopy).args(["install", &version])).success();
    let python = std::path::PathBuf::from(output.raw_stdout.trim());
    assert!(python.is_file(), "{}", output.dump());
    fake_poetry(&context);
    let used = context.run(context.command(&isopy).args(["use", &version])).failure(7);
    assert!(used.raw_stdout.contains(&format!("env use {}", python.display())), "{}", used.dump());
}
