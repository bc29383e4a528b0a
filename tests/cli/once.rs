//! A wheel is unpacked once and a source is built once, whatever says where it is: a folder, a page without hashes, a path.

use std::path::Path;
use std::time::Duration;

use crate::support::{Index, SdistBuilder, TestContext, WheelBuilder};

/// Longer than the clock of a file system stands still: what was written before is remembered.
fn let_the_clock_tick() {
    std::thread::sleep(Duration::from_millis(200));
}

/// Adds to a new venv; returns how many came from the store and how many from elsewhere.
fn add(context: &TestContext, venv: &str, arguments: &[&str]) -> (u64, u64) {
    context.new_named_venv(venv);
    let words: Vec<&str> = ["add", "--json", "--venv", venv].iter().chain(arguments).copied().collect();
    let answer = context.virtpy(words).success().json();
    let count = |name: &str| answer[name].as_u64().unwrap_or_default();
    (count("from_store"), count("downloaded") + count("built"))
}

/// Where a module of a venv lies in the end.
fn real_path(context: &TestContext, venv: &str, module: &str) -> std::path::PathBuf {
    let path = context.path(&context.site_packages(venv)).join(module);
    std::fs::canonicalize(path).unwrap()
}

#[test]
fn a_wheel_from_a_folder_is_unpacked_once() {
    let context = TestContext::new();
    let path = WheelBuilder::new("demo", "1.0").build().write_to(&context.path("wheels"));
    let path = path.to_str().unwrap();
    let folder = ["--no-index", "--find-links", "wheels", "demo"];
    // Too young to be remembered, it is hashed each time.
    assert_eq!(add(&context, "one", &folder), (0, 1));
    assert_eq!(add(&context, "two", &folder), (1, 0));
    let_the_clock_tick();
    for (venv, arguments) in [("three", &folder[..]), ("four", &folder), ("five", &["--no-index", path])] {
        assert_eq!(add(&context, venv, arguments), (1, 0), "{venv}");
        assert_eq!(real_path(&context, venv, "demo"), real_path(&context, "one", "demo"));
    }
    assert_eq!(context.store_entries().len(), 1);
    context.assert_no_leftovers();
}

#[test]
fn a_wheel_that_was_replaced_is_another_one_however_fast_that_was() {
    let context = TestContext::new();
    let wheel = |number: usize| {
        WheelBuilder::new("demo", "1.0").file("demo/number.py", &format!("number = {number}\n")).build()
    };
    // Wheels that are as large as each other.
    let size = wheel(100).bytes.len();
    let numbers: Vec<usize> =
        (100..1000).filter(|number| wheel(*number).bytes.len() == size).take(6).collect();
    let write = |number: usize| wheel(number).write_to(&context.path("wheels"));
    let path = write(numbers[0]);
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    for (round, &number) in numbers.iter().enumerate().skip(1) {
        if round == 3 {
            let_the_clock_tick();
        }
        let venv = format!("before-{number}");
        add(&context, &venv, &["--no-index", "--find-links", "wheels", "demo"]);
        write(number);
        let file = std::fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(modified).unwrap();
        assert_eq!(file.metadata().unwrap().len(), size as u64, "only the content tells");
        let venv = format!("after-{number}");
        add(&context, &venv, &["--no-index", "--find-links", "wheels", "demo"]);
        let text = std::fs::read_to_string(real_path(&context, &venv, "demo/number.py")).unwrap();
        assert_eq!(text, format!("number = {number}\n"));
    }
    context.virtpy(["store", "verify"]).success();
}

#[test]
fn a_hash_that_is_demanded_is_compared_with_a_file_that_is_known() {
    let context = TestContext::new();
    WheelBuilder::new("demo", "1.0").build().write_to(&context.path("wheels"));
    let_the_clock_tick();
    add(&context, "one", &["--no-index", "-f", "wheels", "demo"]);
    context.write("pins.txt", &format!("demo==1.0 --hash=sha512:{}\n", "0".repeat(128)));
    context.new_named_venv("two");
    context.virtpy(["add", "--venv", "two", "--no-index", "-f", "wheels", "-r", "pins.txt"]).one_error();
}

#[test]
fn a_download_whose_hash_nobody_told_is_hashed_before_it_is_unpacked() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    index.state_sha256(&wheel.file_name, None);
    let context = TestContext::new();
    let url = index.url();
    assert_eq!(add(&context, "one", &["--index-url", &url, "demo"]), (0, 1));
    assert_eq!(add(&context, "two", &["--index-url", &url, "demo"]), (1, 0));
    assert_eq!(context.store_entries().len(), 1);
    context.assert_no_leftovers();
}

/// A project that says in `builds` each time that it is built.
fn project(context: &TestContext) {
    let folder = SdistBuilder::new("demo", "1.0").write_folder(&context.path("project"));
    let backend = folder.join("backend.py");
    let log = context.path("builds").display().to_string();
    let code = format!(
        "\n_quiet = _pack\n\n\ndef _pack(*arguments):\n    open({log:?}, 'a').write('x')\n    return _quiet(*arguments)\n"
    );
    append(&backend, &code);
    let_the_clock_tick();
}

fn append(file: &Path, text: &str) {
    let before = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, before + text).unwrap();
}

fn builds(context: &TestContext) -> usize {
    std::fs::read_to_string(context.path("builds")).unwrap_or_default().len()
}

#[test]
fn a_directory_is_built_again_only_when_something_in_it_changed() {
    for spec in [&["./project"][..], &["-e", "./project"]] {
        let context = TestContext::new();
        project(&context);
        let arguments: Vec<&str> = ["--no-index"].iter().chain(spec).copied().collect();
        let built = |venv: &str| {
            let before = builds(&context);
            add(&context, venv, &arguments);
            builds(&context) > before
        };
        assert!(built("one"));
        assert!(!built("two") && !built("three"), "{spec:?}: nothing has changed");
        // As large as before, and with the time of before.
        let module = context.path("project/demo.py");
        let before = std::fs::metadata(&module).unwrap();
        std::fs::write(&module, "__version__ = \"2.0\"\n").unwrap();
        let file = std::fs::File::options().append(true).open(&module).unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
        assert_eq!(file.metadata().unwrap().len(), before.len());
        assert!(built("four"), "{spec:?}: a file has changed");
        let text = std::fs::read_to_string(context.path("project/demo.py")).unwrap();
        assert_eq!(context.eval("four", "import demo; print(demo.__version__)"), "2.0", "{text}");
        let_the_clock_tick();
        built("five");
        assert!(!built("six"), "{spec:?}: the changed one is known by now");
        std::fs::rename(context.path("project/PKG-INFO"), context.path("project/other")).unwrap();
        assert!(built("seven"), "{spec:?}: a file has another name");
    }
}

#[test]
fn what_a_project_names_as_its_inputs_counts_too() {
    let context = TestContext::new();
    project(&context);
    let manifest = context.path("project/pyproject.toml");
    append(&manifest, "\n[tool.uv]\ncache-keys = [{ file = '../shared.txt' }, { env = 'DEMO_FLAVOUR' }]\n");
    context.write("shared.txt", "one");
    let_the_clock_tick();
    let mut context = context;
    let built = |context: &TestContext, venv: &str| {
        let before = builds(context);
        add(context, venv, &["--no-index", "./project"]);
        builds(context) > before
    };
    assert!(built(&context, "one"));
    assert!(!built(&context, "two"));
    context.write("shared.txt", "two");
    assert!(built(&context, "three"));
    context.set("DEMO_FLAVOUR", "sour");
    assert!(built(&context, "four"));
    context.set("CFLAGS", "-O0");
    assert!(built(&context, "five"), "builders listen to it");
}

#[test]
fn another_setting_of_a_variable_has_its_own_metadata() {
    let mut context = TestContext::new();
    project(&context);
    let backend = context.path("project/backend.py");
    append(
        &backend,
        "\n_said = _settings\n\n\ndef _settings():\n    return dict(_said(), version=[os.environ.get('HATCH_DEMO', '1.0')])\n",
    );
    let_the_clock_tick();
    for (venv, version) in [("one", "1.0"), ("two", "2.0"), ("three", "1.0"), ("four", "2.0")] {
        context.set("HATCH_DEMO", version);
        add(&context, venv, &["--no-index", "./project"]);
        context.virtpy(["list", "--venv", venv]).success().stdout_has(&format!("demo    {version}"));
        let code = "import importlib.metadata; print(importlib.metadata.version('demo'))";
        assert_eq!(context.eval(venv, code), version);
    }
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_fresh_copy_of_a_repository_is_not_built_again() {
    let context = TestContext::new();
    project(&context);
    let git = |project: &str, commit: char| {
        context.write(&format!("{project}/.git/HEAD"), "ref: refs/heads/main\n");
        context.write(
            &format!("{project}/.git/refs/heads/main"),
            &format!("{}\n", String::from(commit).repeat(40)),
        );
    };
    git("project", 'a');
    let fresh = |name: &str| copy(&context.path("project"), &context.path(name));
    for name in ["same", "edited", "committed", "tagged", "shallow"] {
        fresh(name);
    }
    append(&context.path("edited/demo.py"), "edited = True\n");
    git("committed", 'b');
    context.write("tagged/.git/refs/tags/v1", &"a".repeat(40));
    context.write("shallow/.git/shallow", &"a".repeat(40));
    fresh("no-repository");
    std::fs::remove_dir_all(context.path("no-repository/.git")).unwrap();
    // One that belongs to a repository around it may read what stands there.
    fresh("around/inner");
    std::fs::rename(context.path("around/inner/.git"), context.path("around/.git")).unwrap();
    let_the_clock_tick();
    let runs_of = |project: &str| {
        let before = builds(&context);
        let path = format!("./{project}");
        add(&context, &format!("venv-{}", project.replace('/', "-")), &["--no-index", &path]);
        builds(&context) - before
    };
    assert!(runs_of("project") > 0);
    assert_eq!(runs_of("same"), 0, "neither for its metadata nor for a wheel");
    for project in ["edited", "committed", "tagged", "shallow", "no-repository", "around/inner"] {
        assert!(runs_of(project) > 0, "{project}");
    }
    let url = context.site_packages("venv-same") + "/demo-1.0.dist-info/direct_url.json";
    let url = std::fs::read_to_string(context.path(&url)).unwrap();
    assert!(url.contains("/same"), "{url}");
    let code = "import demo; print(demo.edited)";
    assert_eq!(context.eval("venv-edited", code), "True");
    // What was built for good does not stand in for what is used in place.
    let before = builds(&context);
    fresh("in-place");
    let_the_clock_tick();
    add(&context, "editable", &["--no-index", "-e", "./in-place"]);
    assert!(builds(&context) > before);
}

#[test]
fn whoever_empties_the_cache_has_directories_built_again() {
    let context = TestContext::new();
    project(&context);
    add(&context, "one", &["--no-index", "./project"]);
    let before = builds(&context);
    context.virtpy(["cache", "clean"]).success();
    add(&context, "two", &["--no-index", "./project"]);
    assert!(builds(&context) > before);
}
