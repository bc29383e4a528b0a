//! `virtpy adopt`: venvs that real pip filled, taken over with their packages.

use std::path::Path;

use crate::support::{Artifact, Index, Output, TestContext, Tree, WheelBuilder, skip};

const TOOL: &str = "#!python\nimport sys, demo\nprint('tool', demo.__version__, sys.prefix)\n";

/// Wheels with everything that an installer knows: packages, modules, data, headers, scripts, namespaces.
fn wheels() -> Vec<Artifact> {
    vec![
        WheelBuilder::new("demo", "1.0")
            .file("demo/part/__init__.py", "value = 'part'\n")
            .file("demo/part/deep.py", "value = 'deep'\n")
            .file("single.py", "value = 'single'\n")
            .executable("demo/run.sh", "#!/bin/sh\necho run\n")
            .data("data", "share/demo/data.txt", "data\n")
            .data("data", "etc/demo.ini", "ini\n")
            .data("headers", "demo.h", "int demo;\n")
            .executable("demo-1.0.data/scripts/plain.sh", "#!/bin/sh\necho plain\n")
            .executable("demo-1.0.data/scripts/tool", TOOL)
            .console_script("demo-run")
            .build(),
        WheelBuilder::empty("ns-one", "1.0")
            .file("ns/one/__init__.py", "value = 1\n")
            .data("data", "share/demo/one.txt", "one\n")
            .build(),
        WheelBuilder::empty("ns-two", "2.0")
            .file("ns/two/__init__.py", "value = 2\n")
            .requires("ns-one")
            .build(),
    ]
}

const IMPORTS: &str = "import demo.part.deep, single, ns.one, ns.two, importlib.metadata as m; \
    print(demo.part.deep.value, single.value, ns.one.value, ns.two.value, m.version('demo'), \
    sorted(str(f) for f in m.files('demo') if f.locate().is_file() and 'dist-info' not in str(f) \
    and '__pycache__' not in str(f) and f.name != '.virtpy'), \
    all(f.locate().exists() for f in m.files('demo') if '__pycache__' not in str(f)))";

/// A venv of Python's own `venv` module, without pip; none if nothing can be installed into it.
fn foreign_venv(context: &TestContext, venv: &str) -> Option<()> {
    let python = &context.interpreter().path;
    context.run(context.command(python).args(["-m", "venv", "--without-pip", venv])).success();
    if pip(context, venv, &["list"]).code != Some(0) {
        skip("this machine's pip is absent or too old for `--python`");
        return None;
    }
    Some(())
}

fn pip(context: &TestContext, venv: &str, arguments: &[&str]) -> Output {
    let mut command = context.command(&context.interpreter().path);
    let python = context.path(venv).join("bin/python");
    command.args(["-m", "pip", "--disable-pip-version-check", "--python"]).arg(python).args(arguments);
    context.run(&mut command)
}

fn install(context: &TestContext, index: &Index, venv: &str, specs: &[&str]) {
    let url = index.url();
    pip(context, venv, &[["install", "--index-url", &url].as_slice(), specs].concat()).success();
}

/// A venv `venv` that pip filled with all wheels.
fn scene() -> Option<(TestContext, Index)> {
    let index = Index::start(&wheels());
    let context = TestContext::new();
    foreign_venv(&context, "venv")?;
    install(&context, &index, "venv", &["demo", "ns-two"]);
    Some((context, index))
}

fn append(path: &Path, text: &str) {
    let old = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, old + text).unwrap();
}

fn roots(context: &TestContext) -> usize {
    std::fs::read_dir(context.store().join("roots")).map_or(0, Iterator::count)
}

#[test]
fn the_venv_works_as_before_and_is_links() {
    let Some((context, _index)) = scene() else { return };
    let site = context.site_packages("venv");
    let before = (context.eval("venv", IMPORTS), pip(&context, "venv", &["freeze"]).success().raw_stdout);
    append(&context.path(&format!("{site}/demo-1.0.dist-info/RECORD")), "demo/part/deep.cpython-312.pyc,,\n");
    let config = context.read("venv/pyvenv.cfg");
    let scripts = [("demo-run", "a b"), ("tool", ""), ("plain.sh", "")];
    let run =
        || scripts.map(|(name, argument)| context.script("venv", name, &[argument]).success().raw_stdout);
    let ran = run();

    let adopted = context.virtpy(["adopt", "venv"]).success();
    adopted.stdout_is(" + demo 1.0\n + ns-one 1.0\n + ns-two 2.0\n");
    assert!(context.read("venv/pyvenv.cfg").starts_with(&config), "every line stays");
    let tree = context.venv_tree("venv");
    for link in ["demo", "single.py", "ns/one", "ns/two"] {
        assert!(tree.is_link(&format!("{}/{link}", context.interpreter().site_packages())), "{link}");
    }
    assert_eq!(context.eval("venv", IMPORTS), before.0);
    assert_eq!(run(), ran);
    assert_eq!(pip(&context, "venv", &["freeze"]).success().raw_stdout, before.1);
    assert_eq!(context.virtpy(["freeze", "--venv", "venv"]).success().raw_stdout, before.1);
    assert_eq!(context.read("venv/share/demo/data.txt"), "data\n");
    let header = format!("venv/include/site/python{}", context.interpreter().short());
    assert!(std::fs::read_dir(context.path(&header)).unwrap().count() > 0, "the headers");
    let run_sh = context.path(&format!("{site}/demo/run.sh"));
    assert_eq!(context.run(&mut context.command(run_sh)).success().raw_stdout, "run\n");
    context.virtpy(["check", "--venv", "venv"]).success().stdout_lacks_problems();
    context.virtpy(["store", "verify"]).success();
    let requested = |name: &str| context.path(&format!("{site}/{name}.dist-info/REQUESTED")).exists();
    assert!(requested("ns_two-2.0") && !requested("ns_one-1.0"), "who was asked for by name stays so");
    context.assert_no_leftovers();
}

impl Output {
    fn stdout_lacks_problems(&self) {
        assert!(!self.raw_stdout.contains("was installed by"), "{}", self.dump());
    }
}

#[test]
fn removing_everything_leaves_the_empty_venv() {
    let context = TestContext::new();
    if foreign_venv(&context, "venv").is_none() {
        return;
    }
    let empty = context.venv_content("venv");
    let index = Index::start(&wheels());
    install(&context, &index, "venv", &["demo", "ns-two"]);
    context.virtpy(["adopt", "venv"]).success();
    context.virtpy(["remove", "--venv", "venv", "demo", "ns-one", "ns-two"]).success();
    let mut left = context.venv_content("venv");
    let mark = format!("{}/_virtpy.pth", context.interpreter().site_packages());
    assert!(left.0.remove(&mark).is_some(), "the mark for coverage");
    empty.assert_unchanged(&left, "the empty venv");
}

#[test]
fn a_second_venv_and_one_of_virtpy_share_the_entries() {
    let Some((context, index)) = scene() else { return };
    context.virtpy(["adopt", "venv"]).success();
    let store = context.store_tree().without(&["roots", "places"]);
    foreign_venv(&context, "other").unwrap();
    install(&context, &index, "other", &["demo", "ns-two"]);
    let adopted = context.virtpy(["adopt", "other"]).success();
    assert!(adopted.raw_stderr.contains("3 in the store already, 0 moved there"), "{}", adopted.raw_stderr);
    store.assert_unchanged(&context.store_tree().without(&["roots", "places"]), "the store");
    assert_eq!(context.eval("other", IMPORTS), context.eval("venv", IMPORTS));
    assert_eq!(roots(&context), 2);

    // What the index's own wheel gave is preferred to a copy of it.
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo", "ns-two"]).success();
    let entries = context.store_entries();
    foreign_venv(&context, "venv").unwrap();
    install(&context, &index, "venv", &["demo", "ns-two"]);
    context.virtpy(["adopt", "venv"]).success();
    assert_eq!(context.store_entries(), entries);
    assert_eq!(context.eval("venv", IMPORTS), context.eval(".venv", IMPORTS));
}

#[test]
fn a_changed_package_is_left_alone_and_named() {
    let Some((context, _index)) = scene() else { return };
    let site = context.site_packages("venv");
    append(&context.path(&format!("{site}/demo/part/deep.py")), "value = 'mine'\n");
    std::fs::remove_file(context.path(&format!("{site}/single.py"))).unwrap();
    let adopted = context.virtpy(["adopt", "venv"]).success();
    let adopted = adopted.stdout_is(" + ns-one 1.0\n + ns-two 2.0\n");
    let stderr = &adopted.raw_stderr;
    assert!(
        stderr.contains("demo 1.0 was left alone") && stderr.contains("are changed or missing"),
        "{stderr}"
    );
    assert!(stderr.contains("demo/part/deep.py`") && stderr.contains("single.py`"), "{stderr}");
    assert_eq!(context.eval("venv", "import demo.part.deep as d, ns.two; print(d.value)"), "mine");
    context.script("venv", "tool", &[]).success();
    // It is another installer's still, and one that can be removed.
    context.virtpy(["remove", "--venv", "venv", "demo"]).success();
    context.python("venv", "import demo").failure(1);
    context.virtpy(["check", "--venv", "venv"]).success();
}

#[test]
fn files_that_nobody_owns_stay_through_later_changes() {
    let Some((context, index)) = scene() else { return };
    let site = context.site_packages("venv");
    context.write(&format!("{site}/demo/part/mine.py"), "value = 'mine'\n");
    context.write(&format!("{site}/loose.py"), "value = 'loose'\n");
    context.write("venv/share/demo/mine.txt", "mine\n");
    let code = "import demo.part.mine as m, loose; print(m.value, loose.value)";
    context.virtpy(["adopt", "venv"]).success();
    assert_eq!(context.eval("venv", code), "mine loose");
    let tree = context.venv_tree("venv");
    assert!(tree.is_folder(&format!("{}/demo/part", context.interpreter().site_packages())));
    context.virtpy(["check", "--venv", "venv"]).success();
    let more = Index::start(&[WheelBuilder::new("more", "1.0").build()]);
    context.virtpy(["add", "--venv", "venv", "--index-url", &more.url(), "more"]).success();
    assert_eq!(context.eval("venv", code), "mine loose");
    context.virtpy(["remove", "--venv", "venv", "demo"]).success();
    assert_eq!(context.read(&format!("{site}/demo/part/mine.py")), "value = 'mine'\n");
    assert_eq!(context.read("venv/share/demo/mine.txt"), "mine\n");
    context.python("venv", "import single").failure(1);
    context.virtpy(["add", "--venv", "venv", "--index-url", &index.url(), "demo"]).success();
    assert_eq!(context.eval("venv", code), "mine loose");
    std::fs::remove_file(context.path(&format!("{site}/demo/part/mine.py"))).unwrap();
    std::fs::remove_file(context.path("venv/share/demo/mine.txt")).unwrap();
    context.virtpy(["remove", "--venv", "venv", "more"]).success();
    let tree = context.venv_tree("venv");
    assert!(tree.is_link(&format!("{}/demo", context.interpreter().site_packages())), "it folds again");
    context.virtpy(["check", "--venv", "venv"]).success();
    context.virtpy(["store", "verify"]).success();
}

#[test]
fn what_was_not_installed_from_a_wheel_is_left_alone() {
    let Some((context, _index)) = scene() else { return };
    let site = context.site_packages("venv");
    let dist_info = |name: &str| format!("{site}/{name}-1.0.dist-info");
    for name in ["edit", "bare", "unhashed"] {
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n");
        context.write(&format!("{}/METADATA", dist_info(name)), &metadata);
        context.write(&format!("{}/WHEEL", dist_info(name)), "Wheel-Version: 1.0\nTag: py3-none-any\n");
    }
    context.write(&format!("{}/RECORD", dist_info("edit")), "");
    let url = r#"{"url": "file:///p", "dir_info": {"editable": true}}"#;
    context.write(&format!("{}/direct_url.json", dist_info("edit")), url);
    context.write(&format!("{}/RECORD", dist_info("unhashed")), "unhashed.py,,\n");
    context.write(&format!("{site}/unhashed.py"), "");
    context.write(&format!("{site}/old-0.1-py3.12.egg-info"), "Name: old\n");
    context.write(&format!("{site}/project.egg-link"), "/somewhere\n");
    let adopted = context.virtpy(["adopt", "venv", "--json"]).success().json();
    let left: Vec<(String, String)> = adopted[0]["left_alone"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| (left["name"].as_str().unwrap().into(), left["reason"].as_str().unwrap().into()))
        .collect();
    let expected = [
        ("bare", "it has no readable RECORD"),
        ("edit", "it is editable"),
        ("old", "it was not installed from a wheel"),
        ("project", "it is editable"),
        ("unhashed", "its RECORD has no SHA-256 of `unhashed.py`"),
    ];
    assert_eq!(left, expected.map(|(name, reason)| (name.to_owned(), reason.to_owned())));
    assert_eq!(adopted[0]["adopted"].as_array().unwrap().len(), 3);
    assert!(context.path(&format!("{site}/project.egg-link")).exists());
    let _ = context.eval("venv", IMPORTS);
    // One without RECORD does not keep other changes from being made.
    context.virtpy(["remove", "--venv", "venv", "ns-two"]).success();
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let Some((context, _index)) = scene() else { return };
    let venv = Tree::of(&context.path("venv"));
    let said = context.virtpy(["adopt", "--dry-run", "--json", "venv"]).success().json();
    venv.assert_unchanged(&Tree::of(&context.path("venv")), "the venv");
    assert!(context.store_tree().0.is_empty(), "{:?}", context.store_tree().0.keys());
    let done = context.virtpy(["adopt", "--json", "venv"]).success().json();
    for key in ["adopted", "left_alone", "venv_saves", "store_grows"] {
        assert_eq!(said[0][key], done[0][key], "{key}");
    }
    assert!(said[0]["venv_saves"]["files"].as_u64().unwrap() > 30);
    assert_eq!((&said[0]["dry_run"], &done[0]["dry_run"]), (&true.into(), &false.into()));
}

#[test]
fn a_failure_leaves_that_venv_as_it_was_and_the_others_are_adopted() {
    let Some((context, index)) = scene() else { return };
    // Where two distributions have files, virtpy puts one of its own.
    let obstacle = context.write(&format!("{}/ns/.virtpy", context.site_packages("venv")), "mine\n");
    foreign_venv(&context, "other").unwrap();
    install(&context, &index, "other", &["ns-one"]);
    let before = Tree::of(&context.path("venv")).without_components(&["__pycache__"]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    let failed = context.virtpy(["adopt", "venv", "other", "missing"]);
    assert_eq!(failed.code, Some(1), "{}", failed.dump());
    assert!(failed.raw_stderr.contains("`venv` was not adopted"), "{}", failed.dump());
    assert!(failed.raw_stderr.contains("`missing` was not adopted"), "{}", failed.dump());
    before.assert_unchanged(&context.venv_tree("venv"), "the venv");
    assert_eq!(roots(&context), 1, "only the other venv is registered");
    assert_eq!(context.virtpy(["freeze", "--venv", "other"]).success().raw_stdout, "ns-one==1.0\n");
    let _ = context.eval("venv", IMPORTS);
    std::fs::remove_file(obstacle).unwrap();
    context.virtpy(["adopt", "venv"]).success();
    let _ = context.eval("venv", IMPORTS);
}

#[test]
fn a_record_that_lies_harms_nobody() {
    let Some((context, _index)) = scene() else { return };
    let site = context.site_packages("venv");
    let outside = context.write("outside.txt", "outside\n");
    let record = |name: &str| context.path(&format!("{site}/{name}.dist-info/RECORD"));
    let hash = "sha256=5Wgc7nJw5GU-RbhKdvDBd90SUwZVCTK5q7LTCF3YGPg,8\n";
    for row in [
        format!("../../../../outside.txt,{hash}"),
        format!("{},{hash}", outside.display()),
        format!("../../../pyvenv.cfg,{hash}"),
        format!("../../../bin/python,{hash}"),
        format!("demo-1.0.dist-info/METADATA,{hash}"),
        format!("demo/__init__.py,{hash}"),
    ] {
        let before = std::fs::read_to_string(record("ns_one-1.0")).unwrap();
        append(&record("ns_one-1.0"), &row);
        let said = context.virtpy(["adopt", "--dry-run", "venv"]).success();
        assert!(said.raw_stderr.contains("ns-one 1.0 was left alone"), "{row}\n{}", said.raw_stderr);
        std::fs::write(record("ns_one-1.0"), before).unwrap();
    }
    // The true row of another's file: both have it then, and it is there until the last of them goes.
    let demo = std::fs::read_to_string(record("demo-1.0")).unwrap();
    let rows = demo.lines().filter(|row| row.starts_with("demo/__init__.py"));
    let rows = rows.flat_map(|row| [row, "\n"]).collect::<String>();
    append(&record("ns_one-1.0"), &rows);
    // And a false one of another that stays as it is.
    append(&record("ns_two-2.0"), &format!("single.py,{hash}"));
    context.virtpy(["adopt", "venv"]).success().stdout_is(" + demo 1.0\n + ns-one 1.0\n");
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "outside\n");
    let _ = context.eval("venv", IMPORTS);
    context.virtpy(["remove", "--venv", "venv", "ns-one"]).success();
    assert_eq!(context.eval("venv", "import demo, single; print(demo.__version__)"), "1.0");
    context.virtpy(["store", "verify"]).success();
}

#[test]
fn what_pip_installed_into_a_venv_of_virtpy_is_adopted() {
    let index = Index::start(&wheels());
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["ns-one"]).success();
    if pip(&context, ".venv", &["list"]).code != Some(0) {
        return skip("this machine's pip is absent or too old for `--python`");
    }
    install(&context, &index, ".venv", &["demo", "ns-two"]);
    let config = context.read(".venv/pyvenv.cfg");
    let before = context.eval(".venv", IMPORTS);
    context.virtpy(["adopt", ".venv"]).success().stdout_is(" + demo 1.0\n + ns-two 2.0\n");
    assert_eq!(context.read(".venv/pyvenv.cfg"), config);
    assert_eq!(context.eval(".venv", IMPORTS), before);
    let checked = context.virtpy(["check"]).success();
    checked.stdout_lacks_problems();
    let again = context.virtpy(["adopt", ".venv"]).success();
    assert!(again.raw_stderr.contains("Adopted 0 packages"), "{}", again.raw_stderr);
}

#[test]
fn an_empty_venv_becomes_one_of_virtpy_and_two_adoptions_at_once_are_one() {
    let Some((context, index)) = scene() else { return };
    let running: Vec<_> = (0..3).map(|_| context.spawn(["adopt", "venv"])).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(roots(&context), 1);
    assert_eq!(context.read("venv/pyvenv.cfg").matches("virtpy-id").count(), 1);
    let _ = context.eval("venv", IMPORTS);
    foreign_venv(&context, "empty").unwrap();
    let refused = context.virtpy(["add", "--venv", "empty", "--index-url", &index.url(), "demo"]).failure(1);
    assert!(refused.raw_stderr.contains("virtpy adopt"), "{}", refused.raw_stderr);
    context.virtpy(["adopt", "empty"]).success();
    context.virtpy(["add", "--venv", "empty", "--index-url", &index.url(), "demo"]).success();
    assert_eq!(context.eval("empty", "import demo; print(demo.__version__)"), "1.0");
}

#[test]
fn a_damaged_entry_is_said_to_have_no_origin_and_another_venv_restores_it() {
    let Some((context, index)) = scene() else { return };
    context.virtpy(["adopt", "venv"]).success();
    let module = context.path(&format!("{}/demo/part/deep.py", context.site_packages("venv")));
    let module = std::fs::canonicalize(module).unwrap();
    std::fs::remove_file(&module)
        .or_else(|_| make_writable(&module).and_then(|()| std::fs::remove_file(&module)))
        .unwrap();
    context.virtpy(["store", "verify"]).failure(1);
    let asked = index.requests().len();
    let repaired = context.virtpy(["store", "repair", "--index-url", &index.url()]).failure(1);
    assert!(repaired.raw_stderr.contains("it was adopted from a venv"), "{}", repaired.raw_stderr);
    assert_eq!(index.requests().len(), asked, "nothing is fetched by a hash that no wheel has");
    // Nor is it a dead end: another installer's trace makes every command look at the entries.
    let more = Index::start(&[WheelBuilder::new("more", "1.0").build()]);
    install(&context, &more, "venv", &["more"]);
    let removed = context.virtpy(["remove", "--venv", "venv", "more"]).success();
    assert!(removed.raw_stderr.contains("demo 1.0 stays damaged"), "{}", removed.raw_stderr);
    foreign_venv(&context, "other").unwrap();
    install(&context, &index, "other", &["demo", "ns-two"]);
    context.virtpy(["adopt", "other"]).success();
    context.virtpy(["store", "verify"]).success();
    assert_eq!(context.eval("venv", IMPORTS), context.eval("other", IMPORTS));
}

fn make_writable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path.parent().unwrap(), std::fs::Permissions::from_mode(0o755))
}
