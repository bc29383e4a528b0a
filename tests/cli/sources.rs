//! What can be added besides names: wheel files, source distributions, folders, addresses, git repositories, and
//! editable installs. All of them build with a backend that lies in the tree.

use std::process::Command;

use crate::support::{Index, SdistBuilder, TestContext, WheelBuilder, skip};

fn direct_url(context: &TestContext, dist_info: &str) -> serde_json::Value {
    let path = format!("{}/{dist_info}/direct_url.json", context.site_packages(".venv"));
    serde_json::from_str(&context.read(&path)).unwrap()
}

#[test]
fn a_wheel_file_by_path_and_by_direct_reference() {
    let context = TestContext::new();
    let one = WheelBuilder::new("one", "1.0").build().write_to(&context.path("wheels"));
    let two = WheelBuilder::new("two", "1.0").build().write_to(&context.path("wheels"));
    context.new_venv();
    let reference = format!("two @ file://{}", two.display());
    let output =
        context.virtpy(["add", "--no-index", "./wheels/one-1.0-py3-none-any.whl", &reference]).success();
    output.stdout_has(" + one 1.0").stdout_has(" + two 1.0");
    assert_eq!(context.eval(".venv", "import one, two; print(one.__version__, two.__version__)"), "1.0 1.0");
    let facts = direct_url(&context, "one-1.0.dist-info");
    assert_eq!(facts["url"], format!("file://{}", one.display()));
    assert!(facts["archive_info"].is_object(), "{facts}");
}

#[test]
fn a_wheel_by_address() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    let context = TestContext::new();
    context.new_venv();
    let address = index.file_url(&wheel.file_name);
    context.add(&index, &[&address]).success().stdout_has(" + demo 1.0");
    assert_eq!(direct_url(&context, "demo-1.0.dist-info")["url"], address);
    context.new_named_venv("second");
    let wrong = format!("{address}#sha256={}", "0".repeat(64));
    context.add(&index, &["--venv", "second", &format!("demo @ {wrong}")]).one_error();
}

#[test]
fn a_source_distribution_from_the_index_is_built_once() {
    let index = Index::start(&[
        SdistBuilder::new("demo", "1.0").requires("helper").build(),
        WheelBuilder::new("helper", "1.0").build(),
    ]);
    let context = TestContext::new();
    context.new_named_venv("one");
    context.new_named_venv("two");
    context.add(&index, &["--venv", "one", "demo"]).success().stdout_is(" + demo 1.0\n + helper 1.0\n");
    index.forget_requests();
    context.add(&index, &["--venv", "two", "demo"]).success().stdout_is(" + demo 1.0\n + helper 1.0\n");
    assert_eq!(index.all_downloads(), 0, "{:?}", index.requests());
    let place = "import os, demo; print(os.path.realpath(demo.__file__))";
    assert_eq!(context.eval("one", place), context.eval("two", place), "both venvs share the built wheel");
    context.assert_no_leftovers();
}

#[test]
fn a_source_distribution_by_path_and_by_address() {
    let sdist = SdistBuilder::new("demo", "1.0").build();
    let other = SdistBuilder::new("other", "2.0").build();
    let index = Index::start(std::slice::from_ref(&other));
    let context = TestContext::new();
    let path = sdist.write_to(&context.path("dist"));
    context.new_venv();
    let address = index.file_url(&other.file_name);
    context.add(&index, &[path.to_str().unwrap(), &format!("other @ {address}")]).success();
    assert_eq!(
        context.eval(".venv", "import demo, other; print(demo.__version__, other.__version__)"),
        "1.0 2.0"
    );
    assert!(direct_url(&context, "demo-1.0.dist-info")["archive_info"].is_object());
}

#[test]
fn a_source_folder_is_built_and_built_again_after_a_change() {
    let context = TestContext::new();
    let builder = SdistBuilder::new("demo", "1.0").source("state = 'before'\n");
    builder.write_folder(&context.path("project"));
    context.new_venv();
    context.virtpy(["add", "--no-index", "./project"]).success().stdout_has(" + demo 1.0");
    let code = "import demo; print(demo.state)";
    assert_eq!(context.eval(".venv", code), "before");
    SdistBuilder::new("demo", "1.1").source("state = 'after'\n").write_folder(&context.path("project"));
    context.virtpy(["add", "--no-index", "./project"]).success();
    assert_eq!(context.eval(".venv", code), "after");
    assert_eq!(direct_url(&context, "demo-1.1.dist-info")["dir_info"], serde_json::json!({}));
}

#[test]
fn an_editable_install_follows_the_source() {
    let index = Index::start(&[WheelBuilder::new("helper", "1.0").build()]);
    let context = TestContext::new();
    let builder = SdistBuilder::new("demo", "1.0").requires("helper").source("state = 'before'\n");
    builder.write_folder(&context.path("my project"));
    context.new_venv();
    context
        .add(&index, &["-e", "./my project"])
        .success()
        .stdout_has(" + demo 1.0")
        .stdout_has(" + helper 1.0\n");
    let code = "import demo; print(demo.state)";
    assert_eq!(context.eval(".venv", code), "before");
    context.write("my project/demo.py", "state = 'after it all'\n");
    assert_eq!(context.eval(".venv", code), "after it all");
    assert_eq!(direct_url(&context, "demo-1.0.dist-info")["dir_info"]["editable"], true);
    let frozen = context.virtpy(["freeze"]).success();
    context.write("pins.txt", &frozen.raw_stdout);
    context.new_named_venv("copy");
    context.add(&index, &["--venv", "copy", "-r", "pins.txt"]).success();
    assert_eq!(context.eval("copy", code), "after it all", "{}", frozen.dump());
    context.virtpy(["remove", "demo"]).success();
    context.python(".venv", "import demo").failure(1);
    assert!(context.path("my project/demo.py").exists(), "the source stays");
}

#[test]
fn a_failing_build_shows_the_backends_words_and_changes_nothing() {
    let index =
        Index::start(&[SdistBuilder::new("demo", "1.0").failing("the compiler is on holiday").build()]);
    let context = TestContext::new();
    context.new_venv();
    let (venv, store) = (context.venv_tree(".venv"), context.store_tree());
    let output = context.add(&index, &["demo"]).one_error();
    assert!(output.raw_stderr.contains("the compiler is on holiday"), "{}", output.dump());
    venv.assert_unchanged(&context.venv_tree(".venv"), "the venv");
    store.assert_unchanged(&context.store_tree(), "the store");
    context.assert_no_leftovers();
}

#[test]
fn nothing_of_a_build_is_left_among_the_temporary_files() {
    let mut context = TestContext::new();
    context.new_venv();
    let folder = SdistBuilder::new("demo", "1.0").write_folder(&context.path("project"));
    // The library that runs builds locks a tree for a backend of this name.
    let project = context.read("project/pyproject.toml").replace("\"backend\"", "\"setuptools.build_meta\"");
    context.write("project/pyproject.toml", &project);
    context.write("project/setuptools/__init__.py", "");
    context.write("project/setuptools/build_meta.py", "from backend import *\n");
    context.write("temporary/uv-setuptools-0123456789abcdef.lock", "");
    let earlier = std::fs::File::open(context.path("temporary/uv-setuptools-0123456789abcdef.lock")).unwrap();
    earlier.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    context.set("TMPDIR", context.path("temporary"));
    context.virtpy(["add", "--no-index", folder.to_str().unwrap()]).success().stdout_has(" + demo 1.0");
    let left: Vec<_> =
        context.path("temporary").read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["uv-setuptools-0123456789abcdef.lock"], "another program's stays");
}

#[test]
fn a_folder_that_is_no_project_is_one_error() {
    let context = TestContext::new();
    context.new_venv();
    context.write("empty/notes.txt", "nothing to build");
    for arguments in
        [vec!["./empty"], vec!["-e", "./empty"], vec!["./absent"], vec!["./absent-1.0-py3-none-any.whl"]]
    {
        let mut all = vec!["add", "--no-index"];
        all.extend(arguments);
        context.virtpy(all).one_error();
    }
}

fn git(context: &TestContext, arguments: &[&str]) -> String {
    let mut command = context.command("git");
    command.args(["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-C"]);
    command.arg(context.path("repository")).args(arguments);
    context.run(&mut command).success().raw_stdout.trim().to_owned()
}

#[test]
fn a_git_repository_at_a_branch_a_tag_and_a_commit() {
    if Command::new("git").arg("--version").output().is_err() {
        skip("this machine has no git");
        return;
    }
    let context = TestContext::new();
    SdistBuilder::new("demo", "1.0").write_folder(&context.path("repository"));
    git(&context, &["init", "--quiet", "--initial-branch=main"]);
    git(&context, &["add", "."]);
    git(&context, &["commit", "--quiet", "-m", "one"]);
    git(&context, &["tag", "v1"]);
    let commit = git(&context, &["rev-parse", "HEAD"]);
    SdistBuilder::new("demo", "2.0").write_folder(&context.path("repository"));
    git(&context, &["commit", "--quiet", "-a", "-m", "two"]);
    let address = format!("git+file://{}", context.path("repository").display());
    context.new_venv();
    context.virtpy(["add", "--no-index", &format!("demo @ {address}")]).success().stdout_has(" + demo 2.0");
    context
        .virtpy(["add", "--no-index", &format!("demo @ {address}@v1")])
        .success()
        .stdout_has(" + demo 1.0");
    let facts = direct_url(&context, "demo-1.0.dist-info");
    assert_eq!(facts["vcs_info"]["commit_id"], commit.as_str());
    assert_eq!(facts["vcs_info"]["vcs"], "git");
    context.virtpy(["add", "--no-index", &format!("demo @ {address}@{commit}")]).success();
    assert_eq!(context.eval(".venv", "import demo; print(demo.__version__)"), "1.0");
    context.virtpy(["add", "--no-index", &format!("demo @ {address}@absent")]).one_error();
}
