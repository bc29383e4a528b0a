//! The `pip` of a venv: what it consists of, and how it finds virtpy.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Index, TestContext, Tree, WheelBuilder};

const VERSION: &str = "26.3+virtpy";

pub(super) fn scene() -> TestContext {
    let mut context = TestContext::new();
    context.unset("VIRTPY_PIP_SHIM");
    context.new_venv();
    context
}

#[test]
fn every_way_to_call_it_gives_the_same_answer() {
    let mut context = scene();
    // Nothing that lies about may be taken for it.
    context.write("elsewhere/pip.py", "raise SystemExit('the wrong pip')\n");
    context.set("PYTHONPATH", context.path("elsewhere/absent"));
    let python = context.interpreter().short();
    let expected =
        format!("pip {VERSION} from [WORK]/{}/pip (python {python})\n", context.site_packages(".venv"));
    for script in ["pip", "pip3", &format!("pip{python}")] {
        let output = context.run(context.command(context.path(".venv/bin").join(script)).arg("--version"));
        assert_eq!(output.success().stdout(), expected, "{script}");
        let mut in_folder = context.command(context.path(".venv/bin").join(script));
        in_folder.arg("--version").current_dir(context.path("elsewhere"));
        assert_eq!(context.run(&mut in_folder).success().stdout(), expected, "{script} beside a pip.py");
    }
    for options in [&["-m", "pip"][..], &["-I", "-m", "pip"], &["-E", "-m", "pip"], &["-Im", "pip"]] {
        let mut command = context.command(context.path(".venv/bin/python"));
        command.args(options).arg("--version").current_dir(context.root());
        assert_eq!(context.run(&mut command).success().stdout(), expected, "{options:?}");
    }
}

#[test]
fn it_can_be_imported() {
    let context = scene();
    assert_eq!(context.eval(".venv", "import pip; print(pip.__version__)"), VERSION);
    let code = "import pip; print(pip.main(['list', '--format=freeze']), pip.main(['--nonsense']))";
    let output = context.python(".venv", code).success();
    assert_eq!(output.raw_stdout, format!("pip=={VERSION}\n0 2\n"));
    let code = "import runpy, sys; sys.argv = ['pip', 'freeze', '--all']; runpy.run_module('pip', run_name='__main__')";
    assert_eq!(context.eval(".venv", code), format!("pip=={VERSION}"));
    // What tools of old import comes from the pip that the interpreter carries, or is cleanly absent.
    let mut command = context.command(context.path(".venv/bin/python"));
    command.args(["-c", "import pip, pip._internal; print(pip.__version__)"]).env("PIP_NO_INDEX", "1");
    let output = context.run(&mut command);
    if output.code == Some(0) {
        output.stdout_is(&format!("{VERSION}\n"));
    } else {
        output.failure(1).stderr_has("ModuleNotFoundError");
    }
    assert_eq!(context.eval(".venv", "import importlib.metadata as m; print(m.version('pip'))"), VERSION);
}

#[test]
fn it_is_one_entry_for_all_venvs_and_an_ordinary_distribution() {
    let context = scene();
    context.new_named_venv("other");
    assert_eq!(context.store_entries().len(), 1);
    context.virtpy(["check"]).success();
    context.virtpy(["store", "verify"]).success();
    let listed = context.virtpy(["list", "--json"]).success().json();
    assert_eq!(listed, serde_json::json!([{"name": "pip", "version": VERSION}]));
    assert_eq!(context.virtpy(["freeze"]).success().raw_stdout, "");
    let link = std::fs::read_link(context.path(&context.site_packages(".venv")).join("pip")).unwrap();
    assert!(link.starts_with(context.store().join("w")), "{}", link.display());
    let code = "import importlib.metadata as m; print(all(f.locate().exists() for f in m.files('pip')))";
    assert_eq!(context.eval(".venv", code), "True");
    context.assert_no_leftovers();
}

#[test]
fn a_venv_may_be_without_it() {
    let mut context = TestContext::new();
    context.unset("VIRTPY_PIP_SHIM");
    context.virtpy(["new", "--no-pip-shim"]).success();
    assert!(!context.path(".venv/bin/pip").exists());
    assert_eq!(context.virtpy(["list", "--json"]).success().json(), serde_json::json!([]));
    context.set("VIRTPY_PIP_SHIM", "0");
    context.new_named_venv("other");
    assert!(!context.path("other/bin/pip").exists() && context.store_entries().is_empty());
}

#[test]
fn no_other_pip_takes_its_place_and_nothing_removes_it() {
    let mut context = scene();
    let index = Index::start(&[
        WheelBuilder::new("pip", "99.0").console_script("pip").build(),
        WheelBuilder::new("tool", "1.0").requires("pip>=22").build(),
        WheelBuilder::new("newer", "1.0").requires("pip>=100").build(),
    ]);
    context.set("PIP_INDEX_URL", index.url());
    let tree = || Tree::of(&context.path(".venv")).without(&[".virtpy"]);
    let before = tree();
    let pip = |arguments: &[&str]| context.script(".venv", "pip", arguments).success();
    pip(&["install", "-U", "pip"]).stdout_has("stays");
    pip(&["install", "pip==99.0"]).stdout_has("stays");
    pip(&["uninstall", "-y", "pip"]).stdout_has("stays");
    context.virtpy(["remove", "pip"]).success().stderr_has("stays");
    context.write("locked.txt", "pip==99.0\n");
    pip(&["install", "-r", "locked.txt"]).stderr_has("stays");
    context.virtpy(["add", "pip==99.0"]).success().stderr_has("stays");
    // Not even one that no index has.
    context.write("locked.txt", &format!("pip==24.0 --hash=sha256:{}\n", "0".repeat(64)));
    pip(&["install", "-r", "locked.txt"]);
    pip(&["install", "-U", "pip>=100"]).stdout_has("stays");
    before.assert_unchanged(&tree(), "the venv");
    pip(&["install", "tool"]).stdout_has("Successfully installed tool-1.0\n");
    pip(&["install", "--force-reinstall", "tool"]).stdout_has("Successfully installed tool-1.0\n");
    assert_eq!(pip(&["freeze", "--all"]).raw_stdout, format!("pip=={VERSION}\ntool==1.0\n"));
    pip(&["install", "newer"]).stdout_has("Successfully installed newer-1.0\n");
    assert_eq!(index.downloads("pip-99.0-py3-none-any.whl"), 0);
}

#[test]
fn a_program_that_moved_is_found_and_one_that_is_gone_is_named() {
    let context = scene();
    let link = context.store().join("program");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("/nowhere/virtpy", &link).unwrap();
    context.script(".venv", "pip", &["list"]).failure(1).stderr_has("is gone");
    let mut module = context.command(context.path(".venv/bin/python"));
    module.args(["-m", "pip", "list"]);
    context.run(&mut module).failure(1).stderr_has("is gone");
    // It is on PATH again.
    let program = context.root().join("bin/virtpy");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_virtpy"), &program).unwrap();
    context.script(".venv", "pip", &["list"]).success();
    context.run(&mut module).success();
    std::fs::remove_file(&program).unwrap();
    // Any command that changes something leads the link to its program.
    context.virtpy(["add", "pip"]).success();
    assert_eq!(std::fs::read_link(&link).unwrap(), std::path::Path::new(env!("CARGO_BIN_EXE_virtpy")));
    context.script(".venv", "pip", &["list"]).success();
}

#[test]
fn it_works_on_its_own_venv_and_store_whatever_is_active() {
    let mut context = scene();
    context.new_named_venv("other");
    context.set("VIRTUAL_ENV", context.path("other"));
    context.set("VIRTPY_HOME", context.root().join("another-store"));
    let wheel = WheelBuilder::new("demo", "1.0").build().write_to(&context.path("wheels"));
    let wheel = wheel.to_str().unwrap();
    context.script(".venv", "pip", &["install", "--no-deps", wheel]).success();
    context.eval(".venv", "import demo");
    context.python("other", "import demo").failure(1);
    assert!(!context.root().join("another-store").exists());
}

#[test]
fn odd_paths_are_no_matter() {
    let mut context = TestContext::new();
    context.unset("VIRTPY_PIP_SHIM");
    for name in ["it's \"here\" $HOME `x`", "ünï", "-dash"] {
        let path = context.path(name).join(".venv");
        context.run(context.virtpy_command(["new"]).arg(&path)).success();
        let output = context.run(context.command(path.join("bin/pip")).args(["list", "--format=freeze"]));
        assert_eq!(output.success().raw_stdout, format!("pip=={VERSION}\n"), "{name}");
    }
}

#[test]
fn a_moved_venv_gets_it_right_again_and_an_export_goes_without() {
    let context = scene();
    std::fs::rename(context.path(".venv"), context.path("moved")).unwrap();
    context.virtpy(["relink", "--venv", "moved"]).success();
    context.script("moved", "pip", &["list"]).success();
    context.virtpy(["check", "--venv", "moved"]).success();
    context.virtpy(["export", "--venv", "moved", "exported"]).success();
    assert!(!context.path("exported/bin/pip").exists());
    context.python("exported", "import pip").failure(1);
}

#[test]
fn damage_is_repaired_without_an_index() {
    let context = scene();
    let file = context.path(&context.site_packages(".venv")).join("pip/_handover.py");
    let real = file.canonicalize().unwrap();
    let folder = real.parent().unwrap();
    for (path, mode) in [(folder, 0o755), (real.as_path(), 0o644)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    std::fs::write(&real, "raise SystemExit('changed')\n").unwrap();
    context.virtpy(["store", "verify"]).failure(1);
    context.virtpy(["store", "repair"]).success();
    context.run(context.command(context.path(".venv/bin/python")).args(["-m", "pip", "list"])).success();
}
