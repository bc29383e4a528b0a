//! Every Python from 3.8 to 3.13 that the machine has works as a venv's interpreter.

use std::path::Path;

use crate::support::{Index, SdistBuilder, TestContext, WheelBuilder, python, skip};

fn exercise(python: &python::Python) {
    let context = TestContext::with_python(python);
    let native = format!("cp{}{}-none-any", python.version.0, python.version.1);
    let index = Index::start(&[
        WheelBuilder::new("pure", "1.0").requires("native").console_script("pure-tool").build(),
        WheelBuilder::new("native", "1.0").tag("cp27-cp27m-any").build(),
        WheelBuilder::new("native", "0.9").tag(&native).platlib().build(),
        SdistBuilder::new("fromsource", "1.0").build(),
    ]);
    context.new_venv();
    context.add(&index, &["pure", "fromsource"]).success();
    let code = "import pure, native, fromsource; print(pure.__version__, native.__version__, fromsource.__version__)";
    assert_eq!(context.eval(".venv", code), "1.0 0.9 1.0", "{}", python.full_version);
    let tool = context.script(".venv", "pure-tool", &["one"]).success();
    assert!(tool.raw_stdout.starts_with("ran ['one']"), "{}", tool.dump());
    context.virtpy(["check"]).success();
    let read_metadata = "import sys; \
        md = __import__('importlib.metadata' if sys.version_info >= (3, 8) else 'importlib_metadata').metadata; \
        files = md.files('pure'); print(all(f.locate().exists() for f in files), len(files) > 5)";
    assert_eq!(context.eval(".venv", read_metadata), "True True", "{}", python.full_version);
    context.virtpy(["remove", "pure", "native", "fromsource"]).success();
    assert!(!context.python(".venv", "import pure").raw_stderr.is_empty());
}

fn exercise_minor(minor: u32) {
    match python::all().iter().find(|python| python.version == (3, minor)) {
        Some(python) => exercise(python),
        None => skip(&format!("this machine has no Python 3.{minor}")),
    }
}

#[test]
fn python_3_8() {
    exercise_minor(8);
}

#[test]
fn python_3_9() {
    exercise_minor(9);
}

#[test]
fn python_3_10() {
    exercise_minor(10);
}

#[test]
fn python_3_11() {
    exercise_minor(11);
}

#[test]
fn python_3_12() {
    exercise_minor(12);
}

#[test]
fn python_3_13() {
    exercise_minor(13);
}

/// Linux distributions patch their interpreter's install schemes.
#[test]
fn the_systems_own_python() {
    match python::examine(Path::new("/usr/bin/python3")) {
        Some(python) if python.version >= (3, 8) => exercise(&python),
        _ => skip("this system has no Python of its own that is new enough"),
    }
}

#[test]
fn a_version_is_found_where_pyenv_puts_it() {
    let mut context = TestContext::new();
    let python = context.interpreter().clone();
    let root = context.home().join("pyenv-root");
    let bin = root.join("versions").join(&python.full_version).join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(&python.path, bin.join(format!("python{}", python.short()))).unwrap();
    std::os::unix::fs::symlink(&python.path, bin.join("python3")).unwrap();
    std::os::unix::fs::symlink(&python.path, bin.join("python")).unwrap();
    context.set("PYENV_ROOT", &root);
    context.set("PATH", "/nonexistent");
    context.virtpy(["new", "-p", &python.full_version]).success();
    let version = context.eval(".venv", "import sys; print('%d.%d.%d' % sys.version_info[:3])");
    assert_eq!(version, python.full_version);
}

#[test]
fn a_shim_that_fails_is_passed_over() {
    let mut context = TestContext::new();
    let shims = context.root().join("shims");
    std::fs::create_dir(&shims).unwrap();
    for name in ["python3", "python"] {
        let shim = shims.join(name);
        std::fs::write(&shim, "#!/bin/sh\necho 'no version is set' >&2\nexit 127\n").unwrap();
        std::fs::set_permissions(&shim, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}:/usr/bin:/bin", shims.display(), context.root().join("bin").display());
    context.set("PATH", path);
    context.virtpy(["new"]).success();
    assert_eq!(context.eval(".venv", "print('works')"), "works");
}
