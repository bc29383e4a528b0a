//! What is found in the store that virtpy did not compile, or that was changed, and what becomes of it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{bytecode, context, demo, entry, files, force, set_mode};
use crate::support::{Index, TestContext, Tree, WheelBuilder};

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
    work_in_background(&context);
    let told = context.add(&index, &["other"]).success().raw_stderr;
    assert!(told.contains("part.f-1.py311.nbi") && !told.contains("cpython-399"), "{told}");
    context.virtpy(["store", "verify"]).success();
}

/// Has the process in the background work once, as after a change of the only venv.
fn work_in_background(context: &TestContext) {
    let id = std::fs::read_dir(context.store().join("roots")).unwrap().flatten().next().unwrap().file_name();
    std::fs::create_dir_all(context.store().join("compiling/requests")).unwrap();
    std::fs::write(context.store().join("compiling/requests").join(id), "").unwrap();
    let silent = context.virtpy(["store", "compile", "--background"]).success();
    assert_eq!((silent.raw_stdout.as_str(), silent.raw_stderr.as_str()), ("", ""));
}

#[test]
fn the_background_looks_at_the_store_once_a_day_and_the_next_command_tells() {
    let index = Index::start(&[demo().build(), WheelBuilder::new("other", "1.0").build()]);
    let context = context("off");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let site = entry(&context).join("site/demo");
    work_in_background(&context);
    let told = context.virtpy(["list"]).success().raw_stderr;
    assert!(!told.contains("warning"), "a sound store is no news: {told}");

    // What was looked at today is not looked at again; a day later it is.
    force(&site, "part.py", b"z = 66 # by an editor\n");
    std::fs::write(context.store().join("w/planted.py"), "").unwrap();
    let looked = context.store().join("cache/looked");
    let today = std::fs::read_dir(&looked).unwrap().flatten().next().unwrap().path();
    work_in_background(&context);
    let told = context.virtpy(["list"]).success().raw_stderr;
    assert!(!told.contains("demo 1.0") && told.contains("`w/planted.py`"), "{told}");
    std::fs::rename(&today, looked.join("1")).unwrap();
    work_in_background(&context);
    assert!(!looked.join("1").exists());
    // Whoever wants to hear of failures only, and those who ask for a path, leave it for the others.
    for silent in [["--quiet", "list"], ["path", "bin"]] {
        assert_eq!(context.virtpy(silent).success().raw_stderr, "");
    }
    let told = context.virtpy(["list"]).success().raw_stderr;
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("demo 1.0")).collect();
    assert_eq!(lines.len(), 1, "{told}");
    for part in ["warning: demo 1.0 is damaged in the store", "part.py", "`virtpy store repair`"] {
        assert!(lines[0].contains(part), "{told}");
    }
    assert!(!context.virtpy(["list"]).success().raw_stderr.contains("warning"), "told once");
    context.virtpy(["store", "repair", "--index-url", &index.url()]).success();
    context.virtpy(["store", "verify"]).success();
}

/// Makes a store and its venv what the version before wrote: the manifest's format, folders that Python could write, what it
/// and a library wrote there, notes of what was compiled at once, a line that let everything in `w` be imported, and a file of the
/// venv that is one of the store's.
fn make_older(context: &TestContext, entry: &Path) {
    let manifest = std::fs::read_to_string(entry.join("entry.json")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["format"], 4);
    manifest["format"] = 3.into();
    force(entry, "entry.json", manifest.to_string().as_bytes());
    let site = entry.join("site/demo");
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
    std::fs::write(note.join(entry.file_name().unwrap()), "").unwrap();
    let site_packages = context.path(&context.site_packages(".venv"));
    std::fs::write(site_packages.join("_virtpy.pth"), format!("{}\n", context.store().join("w").display()))
        .unwrap();
    let shared = site_packages.join("shared/demo.txt");
    std::fs::remove_file(&shared).unwrap();
    std::fs::hard_link(entry.join("site/shared/demo.txt"), &shared).unwrap();
}

#[test]
fn a_store_of_the_format_before_is_brought_over() {
    let other = WheelBuilder::new("other", "1.0").file("shared/other.txt", "other\n");
    let index = Index::start(&[demo().file("shared/demo.txt", "demo\n").build(), other.build()]);
    let mut context = context("off");
    context.set("PYTHONDONTWRITEBYTECODE", "1");
    context.new_venv();
    context.add(&index, &["demo", "other"]).success();
    let site_packages = context.path(&context.site_packages(".venv"));
    let entry = std::fs::canonicalize(site_packages.join("demo")).unwrap();
    let entry = entry.ancestors().nth(2).unwrap();
    let sound = without_manifests(&context);
    make_older(&context, entry);

    context.virtpy(["check"]).failure(1).stderr_has("format 3").stderr_has("virtpy store repair");
    context.virtpy(["store", "verify"]).failure(1).stdout_has("format 3");
    context.virtpy(["store", "repair"]).success();
    context.virtpy(["store", "verify"]).success();
    sound.assert_unchanged(&without_manifests(&context), "the store");
    assert_eq!(context.eval(".venv", "import demo.part; print(demo.part.z)"), "1");
    context.virtpy(["store", "gc", "--remove"]).success();
    assert!(!context.store().join("cache/compiled").exists());
    context.virtpy(["relink"]).success();
    let mark = std::fs::read_to_string(site_packages.join("_virtpy.pth")).unwrap();
    assert!(mark.starts_with("import sys; "), "no line that is a path: {mark}");
    let shared = site_packages.join("shared/demo.txt").metadata().unwrap();
    assert_eq!(shared.nlink(), 1, "no file of the store");
    assert_eq!(std::fs::read_to_string(site_packages.join("shared/demo.txt")).unwrap(), "demo\n");
    context.virtpy(["check"]).success();
}

/// The store's files without manifests, which tell when an entry was unpacked.
fn without_manifests(context: &TestContext) -> Tree {
    let mut tree = files(context);
    tree.0.retain(|path, _| !path.ends_with("/entry.json") && path != "digests");
    tree
}

#[test]
fn bytecode_that_nobody_recorded_goes_without_a_wheel_being_fetched() {
    let index = Index::start(&[demo().build()]);
    let context = context("off");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let sound = context.store_tree();
    let folder = entry(&context).join("site/demo/__pycache__");
    set_mode(&folder, 0o755);
    std::fs::write(folder.join("part.cpython-311.pyc"), "whatever").unwrap();
    let found = context.virtpy(["store", "verify"]).failure(1);
    found.stdout_has("can be written").stdout_has("does not belong there");
    context.virtpy(["store", "repair", "--offline"]).success();
    context.virtpy(["store", "verify"]).success();
    sound.assert_unchanged(&context.store_tree(), "the store");
}

#[test]
fn a_collection_and_the_statistics_know_bytecode() {
    let index = Index::start(&[demo().build()]);
    let context = context("eager");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let stats = context.virtpy(["store", "stats", "--json"]).success();
    let stats: serde_json::Value = serde_json::from_str(&stats.raw_stdout).unwrap();
    // Each file takes whole blocks.
    let on_disk: u64 = bytecode(&context)
        .iter()
        .map(|(path, _)| context.store().join("w").join(path).metadata().unwrap())
        .map(|facts| facts.len().next_multiple_of(facts.blksize()))
        .sum();
    assert_eq!(stats["bytecode_bytes"], on_disk);
    assert!(stats["bytes"].as_u64().unwrap() > on_disk);
    context.virtpy(["remove", "demo"]).success();
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    assert_eq!(context.store_entries(), Vec::<String>::new());
    context.assert_no_leftovers();
}

#[test]
fn a_folder_of_bytecode_that_was_removed_is_made_again() {
    let context = context("eager");
    let index = Index::start(&[demo().build()]);
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let compiled = bytecode(&context);
    let package = entry(&context).join("site/demo");
    for path in [package.join("__pycache__"), package.clone()] {
        set_mode(&path, 0o755);
    }
    std::fs::remove_dir_all(package.join("__pycache__")).unwrap();
    set_mode(&package, 0o555);
    context.virtpy(["check"]).success();
    context.virtpy(["store", "compile", "--wait"]).success();
    assert_eq!(bytecode(&context), compiled);
    context.virtpy(["store", "verify"]).success();
}
