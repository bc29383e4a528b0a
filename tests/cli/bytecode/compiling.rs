//! Compiling: at once, in the background, for each kind of Python, and what is not compiled.

use std::os::unix::fs::PermissionsExt as _;

use super::{bytecode, context, demo, entry, force, is_root, set_mode, wait_until};
use crate::support::{Index, TestContext, WheelBuilder};

#[test]
fn nobody_but_virtpy_writes_bytecode_into_the_store() {
    let index = Index::start(&[demo().build()]);
    let context = context("off");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    for folder in ["site/demo/__pycache__", "site/demo/deep/__pycache__"] {
        let mode = entry(&context).join(folder).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o555, "{folder}");
    }
    context.eval(".venv", "import demo.part, demo.deep.x");
    if !is_root(&context) {
        assert_eq!(bytecode(&context), [], "Python compiles in memory");
        context.virtpy(["store", "verify"]).success();
    }
}

#[test]
fn eager_bytecode_is_there_when_the_command_ends_for_all_venvs() {
    let index = Index::start(&[demo().file("demo/old.py", "print 1\n").build()]);
    let context = context("eager");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let compiled = bytecode(&context);
    assert_eq!(compiled.len(), 3, "what does not compile has none: {compiled:?}");
    for (path, _) in &compiled {
        let path = context.store().join("w").join(path);
        assert_eq!(
            std::fs::read(&path).unwrap()[4..8],
            [1, 0, 0, 0],
            "never compared with the source (PEP 552)"
        );
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o444);
    }
    context.virtpy(["store", "verify"]).success();
    // It is used, and tracebacks name the venv.
    let code = "import sys, demo.deep.x as m; c = m.__loader__.get_code('demo.deep.x'); \
                print(m.__cached__ is not None, m.__spec__.loader.path_stats, c.co_filename)";
    let shown = context.eval(".venv", code);
    assert!(
        shown.ends_with(
            &context
                .path(".venv")
                .join(format!("{}/demo/deep/x.py", context.interpreter().site_packages()))
                .display()
                .to_string()
        ),
        "{shown}"
    );
    let verbose =
        context.run(context.command(context.path(".venv/bin/python")).args(["-v", "-c", "import demo.part"]));
    assert!(
        verbose.raw_stderr.contains("part.cpython-") && verbose.raw_stderr.contains("matches"),
        "{}",
        verbose.raw_stderr
    );
    // The second venv has nothing to compile, nor has the first one again; what failed is not tried again.
    context.new_named_venv("second");
    context.add(&index, &["--venv", "second", "demo"]).success();
    context.virtpy(["store", "compile"]).success().stderr_has("Compiled 0 modules");
    assert_eq!(bytecode(&context), compiled);
    // Nobody's own files are touched.
    context.virtpy(["new", "--link-mode", "copy", "copied"]).success();
    context.add(&index, &["--venv", "copied", "demo"]).success();
    assert_eq!(bytecode(&context), compiled);
    let code = "import importlib.util as u; print(open(u.find_spec('demo').cached, 'rb').read()[4:8])";
    assert_eq!(context.eval("copied", code), r"b'\x00\x00\x00\x00'", "a copy may be edited: stamped by time");
    context.virtpy(["detach", "demo"]).success();
    context.virtpy(["store", "verify"]).success();
}

#[test]
fn the_older_setting_and_the_option_compile_at_once() {
    let index = Index::start(&[demo().build()]);
    for (variable, option) in [(Some("1"), None), (None, Some("--compile-bytecode"))] {
        let mut context = TestContext::new();
        context.unset("VIRTPY_BYTECODE");
        if let Some(value) = variable {
            context.set("VIRTPY_COMPILE_BYTECODE", value);
        } else {
            context.set("VIRTPY_BYTECODE", "off");
        }
        context.new_venv();
        context.add(&index, &option.into_iter().chain(["demo"]).collect::<Vec<_>>()).success();
        assert_eq!(bytecode(&context).len(), 3);
    }
    let mut context = TestContext::new();
    context.set("VIRTPY_BYTECODE", "sometimes");
    context.virtpy(["new"]).failure(1).stderr_has("`sometimes` is none of");
}

#[test]
fn each_kind_of_python_has_bytecode_of_its_own() {
    let index = Index::start(&[demo().build()]);
    let context = context("eager");
    let mut before = Vec::new();
    for (number, python) in crate::support::python::all().iter().enumerate() {
        let venv = format!("venv-{number}");
        context.virtpy(["new", "-p", &python.path.to_string_lossy(), &venv]).success();
        context.add(&index, &["--venv", &venv, "demo"]).success();
        let after = bytecode(&context);
        assert_eq!(after.len(), before.len() + 3, "{python:?}: {after:?}");
        assert!(before.iter().all(|file| after.contains(file)), "{python:?} touches no other's");
        context.eval(&venv, "import demo.part, demo.deep.x");
        // Optimised bytecode is not shared, and needs none of this.
        if !is_root(&context) {
            let mut optimised = context.command(context.path(&venv).join("bin/python"));
            context.run(optimised.args(["-OO", "-c", "import demo.part"])).success();
        }
        assert_eq!(bytecode(&context), after);
        before = after;
    }
    context.virtpy(["store", "verify"]).success();
}

#[test]
fn the_background_compiles_and_nobody_waits_for_it() {
    // One that takes seconds to compile.
    let numbers = (0..150_000).map(|number| format!("'{number}'")).collect::<Vec<_>>().join(",");
    let slow = WheelBuilder::new("slow", "1.0").file("slow/big.py", &format!("x = [{numbers}]\n"));
    let index = Index::start(&[slow.build()]);
    let context = context("background");
    context.new_venv();
    // Its pipes are at their end when the command is: a pipeline goes on.
    let added = context.add(&index, &["slow"]).success();
    assert!(!added.raw_stderr.contains("bytecode"), "{}", added.raw_stderr);
    let complete = || {
        let names = std::fs::read_dir(entry(&context)).unwrap().flatten();
        let record = names.map(|name| name.path()).find(|path| path.to_string_lossy().contains("bytecode."));
        record.is_some_and(|record| {
            std::fs::read_to_string(record).is_ok_and(|text| text.contains("\"complete\":true"))
        })
    };
    assert!(!complete(), "the command has waited for it");
    // While it works there is no second one.
    let second = context.virtpy(["store", "compile"]).success();
    assert!(complete() || second.raw_stderr.contains("Another process compiles"), "{}", second.raw_stderr);
    context.virtpy(["store", "compile", "--wait"]).success();
    assert!(complete());
    context.virtpy(["store", "verify"]).success();
    // It ends by itself, and leaves nothing.
    wait_until("the process ends", || {
        let held = std::fs::File::open(context.store().join("locks/compile")).unwrap();
        held.try_lock().is_ok()
    });
    let requests = context.store().join("compiling/requests");
    wait_until("no request is left", || std::fs::read_dir(&requests).unwrap().count() == 0);
}

#[test]
fn what_a_killed_process_did_not_do_the_next_one_does() {
    let index = Index::start(&[demo().build()]);
    let mut context = context("off");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let id = std::fs::read_dir(context.store().join("roots")).unwrap().flatten().next().unwrap().file_name();
    let requests = context.store().join("compiling/requests");
    std::fs::create_dir_all(&requests).unwrap();
    std::fs::write(requests.join(format!("taken-{}", id.to_string_lossy())), "").unwrap();
    std::fs::write(requests.join("taken-0123456789abcdef"), "").unwrap();
    // What was being written, and folders that were open at that moment.
    let folder = entry(&context).join("site/demo/__pycache__");
    std::fs::create_dir_all(context.store().join("compiling/staged")).unwrap();
    std::fs::write(context.store().join("compiling/staged/1"), "half").unwrap();
    set_mode(&folder, 0o755);
    set_mode(&entry(&context), 0o755);
    std::fs::write(entry(&context).join(".virtpy-abc"), "half").unwrap();
    let silent = context.virtpy(["store", "compile", "--background"]).success();
    assert_eq!((silent.raw_stdout.as_str(), silent.raw_stderr.as_str()), ("", ""));
    assert_eq!(bytecode(&context).len(), 3);
    assert_eq!(std::fs::read_dir(&requests).unwrap().count(), 0);
    context.virtpy(["store", "verify"]).success();
    // The next change leaves a request again.
    context.set("VIRTPY_BYTECODE", "background");
    let other = Index::start(&[WheelBuilder::new("other", "1.0").build()]);
    context.add(&other, &["other"]).success();
    wait_until("the other one is compiled", || bytecode(&context).len() == 4);
    context.virtpy(["store", "compile", "--wait"]).success();
}

#[test]
fn a_changed_source_is_not_compiled() {
    let index = Index::start(&[demo().build()]);
    let context = context("off");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    force(&entry(&context).join("site/demo"), "part.py", b"z = 66\n");
    context.virtpy(["store", "compile"]).success().stderr_has("Compiled 2 modules");
    let files = bytecode(&context);
    assert!(files.len() == 2 && !files.iter().any(|(path, _)| path.contains("part")), "{files:?}");
}

#[test]
fn a_module_that_ends_the_interpreter_is_left_out() {
    // CPython gives up on what is nested too deep, or crashes; either is no failure.
    let deep = format!("x = {}{}\n", "(".repeat(200_000), ")".repeat(200_000));
    let index = Index::start(&[demo().file("demo/hostile.py", &deep).build()]);
    let context = context("eager");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    assert_eq!(bytecode(&context).len(), 3);
    context.virtpy(["store", "verify"]).success();
}
