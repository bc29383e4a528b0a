//! The store's bytecode: virtpy compiles it, for all venvs, and nobody else's is kept.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{Index, TestContext, Tree, WheelBuilder};

/// A context in which Python writes bytecode where it can, and virtpy compiles as `mode` says.
fn context(mode: &str) -> TestContext {
    let mut context = TestContext::new();
    context.unset("PYTHONDONTWRITEBYTECODE");
    context.set("VIRTPY_BYTECODE", mode);
    context
}

fn demo() -> WheelBuilder {
    WheelBuilder::new("demo", "1.0").file("demo/part.py", "z = 1\n").file("demo/deep/x.py", "y = 2\n")
}

/// The files in the store's bytecode folders, with the times of their last writing.
fn bytecode(context: &TestContext) -> Vec<(String, std::time::SystemTime)> {
    let tree = Tree::of(&context.store().join("w"));
    let paths = tree.0.into_keys().filter(|path| path.contains("/__pycache__/"));
    let time = |path: &String| context.store().join("w").join(path).metadata().unwrap().modified().unwrap();
    paths.map(|path| (path.clone(), time(&path))).collect()
}

/// The folder of the only entry.
fn entry(context: &TestContext) -> PathBuf {
    let entries = context.store_entries();
    assert_eq!(entries.len(), 1, "{entries:?}");
    context.store().join("w").join(&entries[0])
}

fn is_root(context: &TestContext) -> bool {
    context.run(context.command("id").arg("-u")).raw_stdout.trim() == "0"
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Puts a file into a read-only folder, as root can and the owner who changes its mode first.
fn force(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    set_mode(folder, 0o755);
    let path = folder.join(name);
    if path.exists() {
        set_mode(&path, 0o644);
    }
    std::fs::write(&path, content).unwrap();
    set_mode(&path, 0o444);
    set_mode(folder, 0o555);
    path
}

/// The store's tree without bytecode and its records: compiled again, it may differ in what means nothing.
fn files(context: &TestContext) -> Tree {
    let mut tree = context.store_tree().without_components(&["__pycache__"]);
    tree.0.retain(|path, _| !path.contains("/bytecode."));
    tree
}

/// Waits until something holds.
#[track_caller]
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_mins(2), "{what}: not within two minutes");
        std::thread::sleep(Duration::from_millis(20));
    }
}

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
fn what_nobody_recorded_is_found_named_and_removed() {
    let index = Index::start(&[demo().build()]);
    let mut context = context("eager");
    context.set("PYTHONDONTWRITEBYTECODE", "1");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let sound = files(&context);
    let folder = entry(&context).join("site/demo/__pycache__");
    let name = |module: &str| {
        context.eval(
            ".venv",
            &format!("import importlib.util as u; print(u.cache_from_source('{module}.py').split('/')[-1])"),
        )
    };
    let part = name("part");
    let original = std::fs::read(folder.join(&part)).unwrap();
    let poison =
        "import marshal, sys; sys.stdout.buffer.write(marshal.dumps(compile('z = 66', 'x', 'exec')))";
    let code =
        context.command(context.path(".venv/bin/python")).args(["-c", poison]).output().unwrap().stdout;
    let poisoned = [&original[..16], &code].concat();
    let broken = original[..original.len() - 10].to_vec();
    let mut same_size = original.clone();
    same_size[original.len() - 3] ^= 0xff;
    let findings = [
        (part.as_str(), poisoned, "is not the bytecode that virtpy compiled"),
        (part.as_str(), broken, "is not the bytecode that virtpy compiled"),
        (part.as_str(), same_size, "is not the bytecode that virtpy compiled"),
        ("part.f-1.py311.nbi", b"machine code".to_vec(), "does not belong there"),
    ];
    for (file, content, finding) in &findings {
        for cure in [["store", "repair"].as_slice(), &["check"], &["store", "compile"]] {
            force(&folder, file, content);
            context.virtpy(["store", "verify"]).failure(1).stdout_has(finding).stdout_has(file);
            let cured = context.virtpy(cure).success();
            assert!(
                format!("{}{}", cured.raw_stdout, cured.raw_stderr).contains("demo 1.0"),
                "{cure:?} names it"
            );
            assert_eq!(
                context.eval(".venv", "import demo.part; print(demo.part.z)"),
                "1",
                "{file} after {cure:?}"
            );
            context.virtpy(["store", "compile"]).success();
            context.virtpy(["store", "verify"]).success();
            sound.assert_unchanged(&files(&context), "the store");
        }
    }
    // A record that makes no sense vouches for nothing.
    let record = format!("bytecode.{}", part.split('.').nth(1).unwrap());
    force(&entry(&context), &record, b"{}");
    context.virtpy(["store", "verify"]).failure(1).stdout_has("does not belong there");
    context.virtpy(["store", "repair"]).success();
    context.virtpy(["store", "compile"]).success();
    sound.assert_unchanged(&files(&context), "the store");
}

#[test]
fn the_next_command_tells_what_the_background_removed() {
    let index = Index::start(&[demo().build(), WheelBuilder::new("other", "1.0").build()]);
    let context = context("off");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let folder = entry(&context).join("site/demo/__pycache__");
    force(&folder, "part.f-1.py311.nbi", b"machine code");
    // What Python writes when root runs it is replaced by the same, and is no news.
    force(&folder, "part.cpython-399.pyc", b"bytecode");
    let id = std::fs::read_dir(context.store().join("roots")).unwrap().flatten().next().unwrap().file_name();
    std::fs::create_dir_all(context.store().join("compiling/requests")).unwrap();
    std::fs::write(context.store().join("compiling/requests").join(id), "").unwrap();
    context.virtpy(["store", "compile", "--background"]).success();
    let told = context.add(&index, &["other"]).success().raw_stderr;
    assert!(told.contains("part.f-1.py311.nbi") && !told.contains("cpython-399"), "{told}");
    context.virtpy(["store", "verify"]).success();
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

#[test]
fn what_lies_among_the_entries_is_run_by_nobody_and_found() {
    let index = Index::start(&[demo().build()]);
    let context = context("off");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let planted = "import os; os.write(1, b'PLANTED')\n";
    for name in ["sitecustomize.py", "simplejson.py"] {
        std::fs::write(context.store().join("w").join(name), planted).unwrap();
    }
    std::fs::create_dir_all(context.store().join("w/folder")).unwrap();
    let code = "import importlib, importlib.util as u; importlib.invalidate_caches(); \
                print(u.find_spec('simplejson'), u.find_spec('folder'))";
    assert_eq!(context.eval(".venv", code), "None None");
    let path = "import sys; print(sys.path[-1])";
    assert_eq!(
        context.eval(".venv", path),
        context.store().join("w").display().to_string(),
        "coverage looks for it"
    );
    let found = context.virtpy(["store", "verify"]).failure(1);
    for name in ["sitecustomize.py", "simplejson.py", "folder"] {
        assert!(
            found.raw_stdout.contains(&format!("`{name}` does not belong there")),
            "{}",
            found.raw_stdout
        );
    }
    context.virtpy(["store", "repair"]).success().stdout_has("sitecustomize.py");
    context.virtpy(["store", "verify"]).success();
    context.eval(".venv", "import demo.part");
}

#[test]
fn a_store_of_the_format_before_is_brought_over() {
    let index = Index::start(&[demo().build()]);
    let context = context("off");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let sound = context.store_tree();
    // As it was laid out then: folders that Python could write, what it wrote, notes of what was compiled at once, and a
    // line that let everything in `w` be imported.
    let site = entry(&context).join("site/demo");
    for folder in [site.join("__pycache__"), site.join("deep/__pycache__")] {
        set_mode(&folder, 0o755);
    }
    for name in
        ["part.cpython-311.pyc", "part.cpython-312.opt-1.pyc", "__init__.cpython-311.pyc", "part.f-1.nbc"]
    {
        std::fs::write(site.join("__pycache__").join(name), "whatever").unwrap();
    }
    let note = context.store().join("cache/compiled/cpython-3.11");
    std::fs::create_dir_all(&note).unwrap();
    std::fs::write(note.join(entry(&context).file_name().unwrap()), "").unwrap();
    let mark = context.path(&context.site_packages(".venv")).join("_virtpy.pth");
    std::fs::write(&mark, format!("{}\n", context.store().join("w").display())).unwrap();

    context
        .virtpy(["store", "verify"])
        .failure(1)
        .stdout_has("can be written")
        .stdout_has("does not belong there");
    context.virtpy(["store", "repair"]).success();
    context.virtpy(["store", "verify"]).success();
    sound.assert_unchanged(&context.store_tree(), "the store");
    assert_eq!(
        context.eval(
            ".venv",
            "import sys; sys.dont_write_bytecode = True; import demo.part; print(demo.part.z)"
        ),
        "1"
    );
    context.virtpy(["store", "gc", "--remove"]).success();
    assert!(!context.store().join("cache/compiled").exists());
    context.virtpy(["relink"]).success();
    assert!(std::fs::read_to_string(&mark).unwrap().starts_with("import sys; "), "no line that is a path");
    context.virtpy(["check"]).success();
}

#[test]
fn a_collection_and_the_statistics_know_bytecode() {
    let index = Index::start(&[demo().build()]);
    let context = context("eager");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let stats = context.virtpy(["store", "stats", "--json"]).success();
    let stats: serde_json::Value = serde_json::from_str(&stats.raw_stdout).unwrap();
    let on_disk: u64 = bytecode(&context)
        .iter()
        .map(|(path, _)| context.store().join("w").join(path).metadata().unwrap().len())
        .sum();
    assert_eq!(stats["bytecode_bytes"], on_disk);
    assert!(stats["bytes"].as_u64().unwrap() > on_disk);
    context.virtpy(["remove", "demo"]).success();
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    assert_eq!(context.store_entries(), Vec::<String>::new());
    context.assert_no_leftovers();
}

#[test]
fn protected_packages_keep_root_out_and_everything_goes_on() {
    let index = Index::start(&[demo().build(), WheelBuilder::new("other", "1.0").build()]);
    let mut context = context("eager");
    context.new_venv();
    context.set("VIRTPY_IMMUTABLE", "1");
    let flag = context.root().join("flag");
    std::fs::write(&flag, "").unwrap();
    let chattr = |option: &str| {
        let output = context.command("chattr").arg(option).arg(&flag).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !(is_root(&context) && chattr("+i") && chattr("-i")) {
        // Refused before anything is changed.
        let refused = context.add(&index, &["demo"]).failure(1);
        assert!(
            refused.raw_stderr.contains("the setting `immutable` cannot be kept here"),
            "{}",
            refused.raw_stderr
        );
        assert_eq!(context.store_entries(), Vec::<String>::new());
        return;
    }
    context.add(&index, &["demo"]).success();
    let folder = entry(&context).join("site/demo");
    assert!(std::fs::write(folder.join("part.py"), "z = 2\n").is_err(), "no file can be changed");
    assert!(std::fs::write(folder.join("__pycache__/new.nbi"), "").is_err(), "and none be made");
    assert!(std::fs::remove_file(folder.join("part.py")).is_err());
    context.eval(".venv", "import sys; sys.flags; import demo.part");
    context.virtpy(["store", "verify"]).success();
    // Bytecode of another Python comes all the same, and is protected as well.
    let count = bytecode(&context).len();
    let pythons = crate::support::python::all();
    if let Some(other) = pythons.iter().find(|python| *python != context.interpreter()) {
        context.virtpy(["new", "-p", &other.path.to_string_lossy(), "other"]).success();
        context.add(&index, &["--venv", "other", "demo"]).success();
        assert_eq!(bytecode(&context).len(), 2 * count);
        let (path, _) = bytecode(&context).pop().unwrap();
        assert!(std::fs::write(context.store().join("w").join(path), "").is_err());
        context.virtpy(["store", "verify"]).success();
        std::fs::remove_dir_all(context.path("other")).unwrap();
    }
    // What is damaged all the same is repaired, and protected again.
    context.virtpy(["store", "protect", "--undo"]).success().stderr_has("1 package");
    force(&folder, "part.py", b"z = 2\n");
    context.virtpy(["store", "protect"]).success();
    context.virtpy(["store", "repair", "--index-url", &index.url()]).success();
    assert!(std::fs::write(folder.join("part.py"), "z = 2\n").is_err());
    context.virtpy(["store", "verify"]).success();
    context.add(&index, &["other"]).success();
    context.virtpy(["remove", "demo", "other"]).success();
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    assert_eq!(context.store_entries(), Vec::<String>::new());
    context.assert_no_leftovers();
}
