//! Lock files and the places of this machine: a lock is the same in every checkout, and follows its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Index, Output, SdistBuilder, TestContext, WheelBuilder, skip};

/// A project that can be built, with a sibling and a folder of wheels beside it.
fn write_project(context: &TestContext, folder: &str) {
    let root = context.path(folder);
    SdistBuilder::new("shop", "1.0").write_folder(&root);
    let table = "[project]\nname = \"shop\"\nversion = \"1.0\"\ndependencies = [\"rich\"]\n";
    let path = format!("{folder}/pyproject.toml");
    context.write(&path, &(context.read(&path) + table));
    SdistBuilder::new("liba", "1.0").write_folder(&root.join("libs/liba"));
    WheelBuilder::new("rich", "14.0").build().write_to(&root.join("wheels"));
    WheelBuilder::new("local", "1.0").build().write_to(&root.join("wheels"));
}

fn lock_in(context: &TestContext, folder: &str, arguments: &[&str]) -> Output {
    let mut command = context.virtpy_command(["lock", "--no-index", "-f", "wheels"]);
    context.run(command.args(arguments).current_dir(context.path(folder)))
}

fn sync_in(context: &TestContext, folder: &str, arguments: &[&str]) -> Output {
    let mut command = context.virtpy_command(["sync", "--no-index"]);
    context.run(command.args(arguments).current_dir(context.path(folder)))
}

fn copy(context: &TestContext, from: &str, to: &str) {
    let target = context.path(to);
    std::fs::create_dir_all(target.parent().unwrap()).unwrap();
    let status = Command::new("cp").arg("-R").args([context.path(from), target]).status().unwrap();
    assert!(status.success());
}

/// All that is asked for in these tests.
const INPUTS: [&str; 3] = ["pyproject.toml", "./libs/liba", "./wheels/local-1.0-py3-none-any.whl"];

#[test]
fn a_lock_is_the_same_bytes_in_every_checkout_and_follows_its_own() {
    let context = TestContext::new();
    write_project(&context, "one");
    lock_in(&context, "one", &INPUTS).success();
    let text = context.read("one/pylock.toml");
    for place in
        ["path = \".\"", "path = \"libs/liba\"", "path = \"wheels/rich-14.0", "path = \"wheels/local-1.0"]
    {
        assert!(text.contains(place), "{place} is not in {text}");
    }
    assert!(!text.contains(context.path("").to_str().unwrap()) && !text.contains("hashes = {}"), "{text}");
    copy(&context, "one", "deep/er/two");
    std::fs::remove_file(context.path("deep/er/two/pylock.toml")).unwrap();
    lock_in(&context, "deep/er/two", &INPUTS).success();
    assert_eq!(context.read("deep/er/two/pylock.toml"), text);
    lock_in(&context, "deep/er/two", &[&["--check"], &INPUTS[..]].concat()).success();
    sync_in(&context, "deep/er/two", &[]).success();
    let origin = context.eval("deep/er/two/.venv", "import rich, liba, local, shop; print(shop.__file__)");
    assert!(Path::new(&origin).starts_with(context.path("deep/er/two").canonicalize().unwrap()), "{origin}");
}

#[test]
fn a_lock_in_another_directory_names_places_from_there() {
    let context = TestContext::new();
    write_project(&context, "one");
    std::fs::create_dir(context.path("one/sub")).unwrap();
    lock_in(&context, "one", &[&["-o", "sub/pylock.toml"], &INPUTS[..]].concat()).success();
    let text = context.read("one/sub/pylock.toml");
    assert!(text.contains("path = \"..\"") && text.contains("path = \"../wheels/rich-14.0"), "{text}");
    sync_in(&context, "one", &["sub/pylock.toml", "--venv", "env"]).success();
    context.eval("one/env", "import rich, liba, local, shop");
    // In requirements, places start where the command is run, as pip has it.
    lock_in(&context, "one", &["-o", "sub/requirements.txt", "pyproject.toml"]).success();
    let text = context.read("one/sub/requirements.txt");
    assert!(text.contains("\n-e .\n"), "{text}");
}

#[test]
fn another_checkout_is_never_installed() {
    let context = TestContext::new();
    write_project(&context, "old");
    lock_in(&context, "old", &[]).success();
    copy(&context, "old", "new");
    let old = context.path("old").canonicalize().unwrap();
    let text = context.read("new/pylock.toml");
    let absolute = |text: &str, place: &str| text.replace("path = \".\"", &format!("path = \"{place}\""));
    context.write("new/pylock.toml", &absolute(&text, old.to_str().unwrap()));
    sync_in(&context, "new", &[]).failure(1).one_error().stderr_has("another checkout than its own");
    assert!(!context.path("new/.venv").exists(), "nothing half-done");
    // Without the project nothing of it is wrong, and its own place may be told absolutely.
    sync_in(&context, "new", &["pylock.toml", "--no-install-project"]).success();
    let own = context.path("new").canonicalize().unwrap();
    context.write("new/pylock.toml", &absolute(&text, own.to_str().unwrap()));
    sync_in(&context, "new", &[]).success();
    context.eval("new/.venv", "import shop, rich");
    // What is not the project is told of.
    SdistBuilder::new("liba", "1.0").write_folder(&context.path("elsewhere/liba"));
    let liba = context.path("elsewhere/liba").canonicalize().unwrap();
    let package = format!("\n[[packages]]\nname = \"liba\"\ndirectory = {{ path = {liba:?} }}\n");
    context.write("new/pylock.toml", &(text + &package));
    sync_in(&context, "new", &[]).success().stderr_has("an absolute path");
}

#[test]
fn the_project_is_left_out_of_a_pylock() {
    let context = TestContext::new();
    write_project(&context, "one");
    lock_in(&context, "one", &[]).success();
    sync_in(&context, "one", &["pylock.toml", "--no-install-project"]).success();
    context.eval("one/.venv", "import rich");
    context.python("one/.venv", "import shop").failure(1);
    sync_in(&context, "one", &["pylock.toml"]).success().stdout_is(" + shop 1.0\n");
    sync_in(&context, "one", &["pylock.toml", "--no-install-project"]).success().stdout_is(" - shop 1.0\n");
}

#[test]
fn groups_alone_are_had_where_the_markers_tell_what_they_need() {
    let context = TestContext::new();
    let wheels = [
        WheelBuilder::new("app", "1.0"),
        WheelBuilder::new("both", "1.0"),
        WheelBuilder::new("check", "1.0"),
    ];
    let mut lock =
        "lock-version = \"1.0\"\ncreated-by = \"pdm\"\ndependency-groups = [\"default\", \"dev\"]\n\
                    default-groups = [\"default\"]\n"
            .to_owned();
    for (wheel, marker) in wheels.into_iter().zip([
        "'default' in dependency_groups",
        "'default' in dependency_groups or 'dev' in dependency_groups",
        "'dev' in dependency_groups",
    ]) {
        let wheel = wheel.build();
        wheel.write_to(&context.path("wheels"));
        write!(
            lock,
            "[[packages]]\nname = \"{}\"\nversion = \"1.0\"\nmarker = \"{marker}\"\nwheels = [{{path = \"wheels/{}\", \
             hashes = {{sha256 = \"{}\"}}}}]\n",
            wheel.project,
            wheel.file_name,
            wheel.sha256()
        )
        .unwrap();
    }
    context.write("pylock.toml", &lock);
    let modules =
        "import importlib.util as u; print([m for m in ('app', 'both', 'check') if u.find_spec(m)])";
    context.virtpy(["sync", "--only-group", "dev"]).success();
    assert_eq!(context.eval(".venv", modules), "['both', 'check']");
    context.virtpy(["sync"]).success();
    assert_eq!(context.eval(".venv", modules), "['app', 'both']");
    context
        .virtpy(["sync", "--only-group", "absent"])
        .failure(1)
        .one_error()
        .stderr_has("has no dependency group");
    // What is there in any case may be needed by the group or not.
    context.write("pylock.toml", &lock.replace("marker = \"'default' in dependency_groups\"\n", ""));
    context
        .virtpy(["sync", "--only-group", "dev"])
        .failure(1)
        .one_error()
        .stderr_has("does not tell which group needs `app`");
}

#[test]
fn a_version_that_the_code_tells_is_seen_again() {
    let context = TestContext::new();
    SdistBuilder::new("shop", "1.0").write_folder(&context.path("."));
    let dynamic = "[project]\nname = \"shop\"\ndynamic = [\"version\"]\n";
    let build = context.read("pyproject.toml");
    context.write("pyproject.toml", &(build.clone() + dynamic));
    context.write(
        "uv.lock",
        "version = 1\nrevision = 3\nrequires-python = \">=3.8\"\n\n[[package]]\nname = \"shop\"\nsource = { editable = \".\" }\n",
    );
    let version = |expected: &str| {
        let listed = context.virtpy(["list", "--json"]).success().json();
        assert_eq!(listed[0]["version"], expected, "{listed}");
    };
    context.virtpy(["sync", "uv.lock"]).success();
    version("1.0");
    context.virtpy(["sync", "uv.lock"]).success().stderr_has("Nothing to do");
    context.write("settings.txt", "name=shop\nversion=1.1\nmodule=shop\n");
    context.virtpy(["sync", "uv.lock"]).success().stdout_has(" + shop 1.1");
    version("1.1");
    // Another venv of the same lock gets the version of today, too.
    context.write("settings.txt", "name=shop\nversion=1.2\nmodule=shop\n");
    context.virtpy(["sync", "uv.lock", "--venv", "two"]).success().stdout_has(" + shop 1.2");
    context.virtpy(["sync", "uv.lock"]).success();
    version("1.2");
    // Where the project's file says all, edits of the code change nothing that is installed.
    context.write("pyproject.toml", &(build + "[project]\nname = \"shop\"\nversion = \"2.0\"\n"));
    context.write("settings.txt", "name=shop\nversion=2.0\nmodule=shop\n");
    context.virtpy(["sync", "uv.lock"]).success();
    version("2.0");
    context.write("shop.py", "x = 1\n");
    let requests = context.virtpy(["-v", "sync", "uv.lock"]).success();
    requests.stderr_has("Nothing to do").stderr_lacks("building");
}

#[test]
fn a_sibling_that_is_built_from_its_directory_is_looked_at_each_time() {
    let context = TestContext::new();
    let folder = SdistBuilder::new("liba", "1.0").write_folder(&context.path("libs/liba"));
    context.write(
        "pylock.toml",
        "lock-version = \"1.0\"\ncreated-by = \"test\"\n[[packages]]\nname = \"liba\"\ndirectory = { path = \"libs/liba\" }\n",
    );
    context.virtpy(["sync"]).success();
    context.virtpy(["sync"]).success().stderr_has("Nothing to do");
    std::fs::write(folder.join("liba.py"), "__version__ = 'edited'\n").unwrap();
    context.virtpy(["sync"]).success();
    assert_eq!(context.eval(".venv", "import liba; print(liba.__version__)"), "edited");
}

#[test]
fn a_pipfile_with_a_source_distribution_is_remembered() {
    let sdist = SdistBuilder::new("source", "2.0").build();
    let index = Index::start(std::slice::from_ref(&sdist));
    let context = TestContext::new();
    context.write(
        "Pipfile.lock",
        &format!(
            "{{\"_meta\": {{\"sources\": [{{\"name\": \"own\", \"url\": \"{}\", \"verify_ssl\": true}}]}}, \"default\": \
             {{\"source\": {{\"hashes\": [\"sha256:{}\"], \"version\": \"==2.0\"}}}}, \"develop\": {{}}}}",
            index.url(),
            sdist.sha256()
        ),
    );
    context.virtpy(["sync"]).success();
    index.forget_requests();
    context.virtpy(["sync", "--venv", "two"]).success().stderr_has("1 from the store");
    assert_eq!(index.requests(), Vec::<String>::new());
}

/// A lock of a wheel for one version of Python only.
fn lock_for(context: &TestContext, tag: &str) {
    let wheel = WheelBuilder::new("native", "1.0").tag(tag).build();
    wheel.write_to(&context.path("wheels"));
    context.write(
        "pylock.toml",
        &format!(
            "lock-version = \"1.0\"\ncreated-by = \"test\"\n[[packages]]\nname = \"native\"\nversion = \"1.0\"\nwheels = \
             [{{path = \"wheels/{}\", hashes = {{sha256 = \"{}\"}}}}]\n",
            wheel.file_name,
            wheel.sha256()
        ),
    );
}

#[test]
fn a_lock_for_another_python_says_so_and_leaves_nothing() {
    let context = TestContext::new();
    lock_for(&context, "cp39-cp39-win_amd64");
    let roots = || std::fs::read_dir(context.store().join("roots")).map_or(0, Iterator::count);
    context.virtpy(["sync"]).failure(1).one_error().stderr_has("native");
    assert!(!context.path(".venv").exists());
    assert_eq!(roots(), 0, "no record of a venv that is not there");
    context.virtpy(["new", "other", "--from", "pylock.toml"]).failure(1).one_error();
    assert!(!context.path("other").exists());
    assert_eq!(roots(), 0);
}

/// An interpreter of this machine of another minor version than the test's own, on PATH or of pyenv's.
fn other_python(context: &TestContext) -> Option<PathBuf> {
    let own = context.interpreter().short();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let pyenv = PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".pyenv/versions");
    let installed =
        std::fs::read_dir(pyenv).into_iter().flatten().flatten().map(|item| item.path().join("bin"));
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(installed).collect();
    let names = (8..16).map(|minor| format!("3.{minor}")).filter(|version| *version != own);
    let mut files =
        names.flat_map(|version| folders.iter().map(move |folder| folder.join(format!("python{version}"))));
    files.find(|file| {
        Command::new(file).args(["-c", "import venv"]).status().is_ok_and(|status| status.success())
    })
}

#[test]
fn the_interpreter_is_one_for_which_the_lock_has_wheels() {
    let context = TestContext::new();
    let Some(other) = other_python(&context) else {
        return skip("there is no second version of Python");
    };
    // It is the first that is found.
    let link = context.root().join("bin/python3");
    let short = context.interpreter().short();
    let own = link.with_file_name(format!("python{short}"));
    let _ = (std::fs::remove_file(&link), std::fs::remove_file(&own));
    std::os::unix::fs::symlink(&other, link).unwrap();
    std::os::unix::fs::symlink(&context.interpreter().path, own).unwrap();
    lock_for(&context, &format!("cp{}-none-any", short.replace('.', "")));
    context.virtpy(["sync"]).success().stderr_has(&format!("Taking Python {short}"));
    assert_eq!(context.eval(".venv", "import native; print(native.__version__)"), "1.0");
    context.virtpy(["new", "other", "--from", "pylock.toml"]).success();
    context.eval("other", "import native");
    context.virtpy(["sync", "--venv", "absent", "--dry-run"]).success().stdout_is(" + native 1.0\n");
    // Who names an interpreter gets that one, or is told.
    let named = other.to_str().unwrap();
    context.virtpy(["sync", "--venv", "named", "-p", named]).failure(1).one_error();
    assert!(!context.path("named").exists());
}

#[test]
fn a_hash_that_only_begins_like_a_stored_one_is_another_hash() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let forged = format!("{}{}", &wheel.sha256()[..16], "0".repeat(48));
    context.write("requirements.txt", &format!("demo==1.0 --hash=sha256:{forged}\n"));
    context.new_named_venv("two");
    context
        .add(&index, &["--venv", "two", "-r", "requirements.txt"])
        .failure(1)
        .one_error()
        .stderr_has("the hash of");
    let address = format!("demo @ {}#sha256={forged}", index.file_url(&wheel.file_name));
    context.add(&index, &["--venv", "two", &address]).failure(1).one_error().stderr_has("the hash of");
}

#[test]
fn nothing_in_the_stores_folder_of_entries_can_be_imported() {
    let context = TestContext::new();
    context.new_venv();
    std::fs::create_dir_all(context.store().join("w")).unwrap();
    std::fs::write(context.store().join("w/planted.py"), "print('PLANTED')\n").unwrap();
    context.python(".venv", "import planted").failure(1);
    context.python(".venv", "import importlib; importlib.invalidate_caches(); import planted").failure(1);
    // coverage looks for venvs on `sys.path`.
    let store = context.store().join("w");
    assert_eq!(context.eval(".venv", "import sys; print(sys.path[-1])"), store.to_str().unwrap());
    // Tools that pack venvs take a line with a path outside for a package in development.
    let mark = context.read(&format!("{}/_virtpy.pth", context.site_packages(".venv")));
    assert!(mark.lines().all(|line| line.starts_with("import ")), "{mark}");
}
