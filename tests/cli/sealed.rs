//! Stores that are made for others to read: filled from files, with bytecode and without a venv, and sealed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{Index, TestContext, WheelBuilder, skip};

/// A context whose store is the one to be filled, and an index.
fn scene() -> (TestContext, Index) {
    let wheels = ["demo", "other"].map(|name| WheelBuilder::new(name, "1.0").build());
    (TestContext::new(), Index::start(&wheels))
}

fn fill(context: &TestContext, index: &Index, file: &str, python: &str) -> crate::support::Output {
    let url = index.url();
    context.virtpy(["store", "fill", file, "--python", python, "--index-url", &url])
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

/// The entry of a package.
fn entry(context: &TestContext, name: &str) -> PathBuf {
    let entries = context.store().join("w");
    let is_it = |id: &String| entries.join(id).join("site").join(name).is_dir();
    entries.join(names(&entries).into_iter().find(is_it).expect("the store has the package"))
}

#[test]
fn what_files_ask_for_is_there_with_bytecode_and_no_venv_stays() {
    let (context, index) = scene();
    context.write("one.txt", "demo==1.0\n");
    context.write("two.txt", "other\n");
    let url = index.url();
    let python = context.interpreter().path.display().to_string();
    let filled = ["store", "fill", "one.txt", "two.txt", "--python", &python, "--index-url", &url];
    let filled = context.virtpy(filled).success();
    filled.stderr_has("`one.txt` for Python").stderr_has("1 package, 1 of them new");
    for name in ["demo", "other"] {
        let entry = entry(&context, name);
        assert!(names(&entry).iter().any(|name| name.starts_with("bytecode.")), "{:?}", names(&entry));
        assert_eq!(names(&entry.join(format!("site/{name}/__pycache__"))).len(), 1);
    }
    assert!(names(&context.store().join("roots")).is_empty());
    assert!(names(&context.store().join("tmp")).is_empty());
    assert!(names(&context.path(".")).iter().all(|name| !name.contains("venv")));
    // A second time there is nothing to fetch.
    fill(&context, &index, "one.txt", &python).success().stderr_has("0 of them new");
    // A file that is not there leaves everything as it is.
    fill(&context, &index, "three.txt", &python).one_error();
}

#[test]
fn a_sealed_store_serves_others_and_takes_nothing() {
    let (mut context, index) = scene();
    context.write("one.txt", "demo==1.0\n");
    let python = context.interpreter().path.display().to_string();
    fill(&context, &index, "one.txt", &python).success();
    std::fs::set_permissions(context.root(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let sealed = context.virtpy(["store", "seal"]).success();
    sealed.stderr_has("Sealed 2 packages").stderr_has("is closed to them");
    let lower = context.root().join("sealed");
    std::fs::rename(context.store(), &lower).unwrap();
    std::fs::create_dir(context.store()).unwrap();
    assert_eq!((mode(&lower.join("w")), mode(&lower)), (0o555, 0o755));
    context.set("VIRTPY_STORES", &lower);
    context.new_venv();
    context.add(&index, &["demo"]).success().stderr_has("1 from the store, 0 downloaded");
    let cached =
        context.eval(".venv", "import demo, os; print(os.path.exists(demo.__cached__), demo.__cached__)");
    assert!(cached.starts_with("True "), "{cached}");
    context.virtpy(["check"]).success();

    context.unset("VIRTPY_STORES");
    context.set("VIRTPY_HOME", &lower);
    let refused = fill(&context, &index, "one.txt", &python).one_error();
    refused.stderr_has("is sealed").stderr_has("store seal --undo");
    context.virtpy(["store", "seal", "--undo"]).success();
    context.write("one.txt", "demo==1.0\nother\n");
    fill(&context, &index, "one.txt", &python).success().stderr_has("1 of them new");
    assert_eq!(mode(&lower.join("w")), 0o755);
}

#[test]
fn no_command_changes_a_sealed_store() {
    let (context, index) = scene();
    context.write("one.txt", "demo==1.0\n");
    let python = context.interpreter().path.display().to_string();
    fill(&context, &index, "one.txt", &python).success();
    context.new_venv();
    context.virtpy(["store", "seal"]).success();
    let entries = || names(&context.store().join("w"));
    let before = entries();
    let url = index.url();
    let commands: [&[&str]; 9] = [
        &["store", "gc", "--remove", "--grace", "0s"],
        &["store", "repair"],
        &["store", "compile"],
        &["store", "protect", "--undo"],
        &["add", "demo", "--index-url", &url],
        &["tool", "install", "other", "--index-url", &url],
        &["sync", "one.txt", "--index-url", &url],
        &["relink"],
        &["venv", "second"],
    ];
    for command in commands {
        let refused = context.virtpy(command).one_error();
        refused.stderr_has("is sealed").stderr_has("`virtpy store seal --undo`");
        assert_eq!(entries(), before, "{command:?}");
    }
    assert!(!context.path("second").exists());
    // Who only reads it may.
    for command in [
        &["store", "gc"][..],
        &["store", "verify"],
        &["store", "stats"],
        &["store", "why", "demo"],
        &["check"],
    ] {
        context.virtpy(command).success();
    }
    context.virtpy(["store", "seal", "--undo"]).success();
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    assert_ne!(entries(), before);
}

#[test]
fn what_a_store_lacks_for_others_is_told() {
    let (context, index) = scene();
    context.new_venv();
    context.add(&index, &["other"]).success();
    context.virtpy(["store", "seal"]).success().stderr_has("there is no bytecode");
    context.virtpy(["store", "seal", "--undo"]).success();
    context.write("one.txt", "demo\n");
    let python = context.interpreter().path.display().to_string();
    fill(&context, &index, "one.txt", &python).success();
    let sealed = context.virtpy(["store", "seal"]).success();
    sealed.stderr_has("other 1.0 lack bytecode for cpython-");
    // One that is damaged is not sealed.
    context.virtpy(["store", "seal", "--undo"]).success();
    let module = entry(&context, "demo").join("site/demo/__init__.py");
    std::fs::set_permissions(&module, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(&module, "changed\n").unwrap();
    let refused = context.virtpy(["store", "seal"]).one_error();
    refused.stderr_has("demo 1.0").stderr_has("was not sealed").stderr_has("store repair");
}

#[test]
fn bytecode_that_a_package_cannot_have_is_not_missed() {
    let context = TestContext::new();
    let (major, minor) = context.interpreter().version;
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").build(),
        WheelBuilder::new("only", "1.0").tag(&format!("cp{major}{minor}-none-any")).build(),
        WheelBuilder::new("early", "1.0").requires_python("<3.90").build(),
        WheelBuilder::new("other", "1.0").build(),
    ]);
    context.write("one.txt", "demo\nonly\nearly\nother\n");
    let python = context.interpreter().path.display().to_string();
    fill(&context, &index, "one.txt", &python).success();
    // One has bytecode of another Python as well.
    let folder = entry(&context, "demo");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let record = names(&folder).into_iter().find(|name| name.starts_with("bytecode.")).unwrap();
    std::fs::copy(folder.join(&record), folder.join("bytecode.cpython-399")).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    let sealed = context.virtpy(["store", "seal"]).success();
    assert!(
        !sealed.raw_stderr.contains("only 1.0") && !sealed.raw_stderr.contains("early 1.0"),
        "{}",
        sealed.dump()
    );
    sealed.stderr_has("other 1.0").stderr_has("lack bytecode for cpython-399");
}

#[test]
fn what_is_editable_is_no_part_of_a_store_for_others() {
    let (context, index) = scene();
    let python = context.interpreter().path.display().to_string();
    context.write(
        "project/pyproject.toml",
        "[project]\nname = \"mine\"\nversion = \"1.0\"\ndependencies = [\"demo\"]\n",
    );
    context.write("project/mine.py", "x = 1\n");
    context.write("editable.txt", "other\n-e ./project\n");
    let refused = fill(&context, &index, "editable.txt", &python).one_error();
    refused.stderr_has("`editable.txt` asks for `mine` to be editable").stderr_has("without `-e`");
    assert!(
        names(&context.store().join("w")).iter().all(|id| !context
            .store()
            .join("w")
            .join(id)
            .join("site/other")
            .exists())
    );
}

#[test]
fn users_register_where_they_may_and_a_collection_keeps_what_they_use() {
    let (mut context, index) = scene();
    context.write("one.txt", "demo\nother\n");
    let python = context.interpreter().path.display().to_string();
    fill(&context, &index, "one.txt", &python).success();
    context.virtpy(["store", "seal", "--roots"]).success();
    let lower = context.root().join("sealed");
    std::fs::rename(context.store(), &lower).unwrap();
    assert_eq!(mode(&lower.join("roots")), 0o1777);
    let collect = |context: &mut TestContext| {
        context.set("VIRTPY_HOME", &lower);
        context.unset("VIRTPY_STORES");
        context.virtpy(["store", "seal", "--undo"]).success();
        context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
        context.set("VIRTPY_HOME", context.store());
        context.set("VIRTPY_STORES", &lower);
    };
    context.set("VIRTPY_STORES", &lower);
    context.new_venv();
    context.add(&index, &["demo"]).success().stderr_has("1 from the store");
    let roots = names(&lower.join("roots"));
    assert_eq!(roots.len(), 1, "{roots:?}");
    let root = std::fs::read_to_string(lower.join("roots").join(&roots[0])).unwrap();
    assert!(root.contains(r#""uses":[""#), "{root}");
    collect(&mut context);
    // What it uses is there, and nothing else.
    assert_eq!(names(&lower.join("w")).len(), 1);
    context.virtpy(["check"]).success();
    assert_eq!(context.eval(".venv", "import demo; print(demo.__version__)"), "1.0");
    // What is used no more is taken back.
    context.virtpy(["remove", "demo"]).success();
    assert!(names(&lower.join("roots")).is_empty());
    collect(&mut context);
    assert!(names(&lower.join("w")).is_empty());
}

#[test]
fn a_file_system_without_locks_is_refused_with_the_way_out() {
    if !Path::new("/usr/bin/strace").exists() {
        skip("there is no strace");
        return;
    }
    let (context, index) = scene();
    context.new_venv();
    let program = context.virtpy_command(["x"]).get_program().to_owned();
    for error in ["ENOLCK", "EOPNOTSUPP", "ENOSYS"] {
        let mut command = context.command("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e"]);
        command.arg(format!("inject=flock:error={error}")).arg(&program);
        let url = index.url();
        let refused = context.run(command.args(["add", "--index-url", &url, "demo"])).one_error();
        refused.stderr_has("could not lock").stderr_has("no locks that work").stderr_has("`stores`");
        assert!(!context.read(".venv/pyvenv.cfg").is_empty());
        assert!(names(&context.store().join("w")).is_empty());
    }
    context.add(&index, &["demo"]).success();
}
