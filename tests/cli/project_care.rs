//! A project whose venv, Python or file is not as it should be: what is put right, and what is said.

use std::fs;

use crate::support::{Index, SdistBuilder, TestContext, Tree, WheelBuilder};

fn context() -> TestContext {
    let wheels = ["one", "two"].map(|name| WheelBuilder::new(name, "1.0").file("single.py", "").build());
    let folder = WheelBuilder::new("three", "1.0").file("three/data.txt", "x").build();
    let index = Index::start(&[&wheels[..1], &[folder]].concat());
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    context
}

fn project(name: &str, dependencies: &str, more: &str) -> String {
    format!(
        "[project]\nname = \"{name}\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [{dependencies}]\n{more}"
    )
}

#[test]
fn what_was_deleted_is_put_back() {
    let context = context();
    context.write("pyproject.toml", &project("app", "\"one\", \"three\"", ""));
    context.virtpy(["lock"]).success();
    context.virtpy(["sync"]).success();
    let site = context.site_packages(".venv");
    let before = context.venv_tree(".venv");
    for deleted in ["single.py", "three", "one"] {
        let path = context.path(&format!("{site}/{deleted}"));
        assert!(fs::symlink_metadata(&path).is_ok(), "{}", path.display());
        fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)).unwrap();
        context.virtpy(["sync", "--dry-run"]).success().stderr_has("would be put back");
        assert!(fs::symlink_metadata(&path).is_err());
        let output = context.virtpy(["sync"]).success();
        output.stderr_has(deleted).stderr_has("is put back").stderr_lacks("Nothing to do");
        assert!(fs::symlink_metadata(&path).is_ok());
        context.virtpy(["sync"]).success().stderr_has("Nothing to do").stderr_lacks("put back");
    }
    let paths = |tree: &Tree| tree.0.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&context.venv_tree(".venv")), paths(&before));
    fs::remove_file(context.path(&format!("{site}/single.py"))).unwrap();
    context.virtpy(["run", "python", "-c", "import single, three"]).success().stderr_has("is put back");
    context.virtpy(["check", "--venv", ".venv"]).success();
    // Somebody's own file is nobody else's business, and one in place of a link stays.
    context.write(&format!("{site}/own.py"), "mine");
    fs::remove_file(context.path(&format!("{site}/single.py"))).unwrap();
    context.write(&format!("{site}/single.py"), "mine");
    context.virtpy(["sync"]).success().stderr_has("Nothing to do");
    assert_eq!(context.read(&format!("{site}/single.py")), "mine");
    assert_eq!(context.read(&format!("{site}/own.py")), "mine");
}

#[test]
fn another_python_than_the_project_chooses_is_told() {
    let context = context();
    context.write("pyproject.toml", &project("app", "", ""));
    context.virtpy(["run", "true"]).success().stderr_lacks("warning");
    context.write(".python-version", "3.99\n");
    context
        .virtpy(["run", "true"])
        .success()
        .stderr_has("`.python-version` chooses Python 3.99, and `.venv` has 3.");
    context.write(".python-version", "3\n");
    context.virtpy(["run", "true"]).success().stderr_lacks("warning");
    // One above the project is not the project's.
    fs::remove_file(context.path(".python-version")).unwrap();
    context.write("../.python-version", "3.99\n");
    context.virtpy(["run", "true"]).success().stderr_lacks("warning");
}

#[test]
fn a_member_that_a_workspaces_lock_has_runs_by_that() {
    let context = context();
    let root =
        "[tool.uv.workspace]\nmembers = [\"packages/*\"]\n[tool.uv.sources]\nnear = { workspace = true }\n";
    context.write("pyproject.toml", &project("app", "\"near\"", root));
    SdistBuilder::new("near", "1.0").requires("one").write_folder(&context.path("packages/near"));
    let build = context.read("packages/near/pyproject.toml");
    context.write("packages/near/pyproject.toml", &format!("{}{build}", project("near", "\"one\"", "")));
    context.write("packages/far/pyproject.toml", &project("far", "\"three\"", ""));
    context.virtpy(["lock"]).success();
    let run = |member: &str, arguments: &[&str]| {
        context.run(context.virtpy_command(arguments).current_dir(context.path(member)))
    };
    run("packages/near", &["run", "--locked", "python", "-c", "import near, one"]).success();
    for made in ["pylock.toml", ".venv"] {
        assert!(!context.path(&format!("packages/near/{made}")).exists());
        assert!(context.path(made).exists());
    }
    // What changes in the member is locked there.
    let text = context.read("packages/near/pyproject.toml").replace("\"one\"", "\"one\", \"three\"");
    context.write("packages/near/pyproject.toml", &text);
    run("packages/near", &["run", "--locked", "true"]).failure(1).stderr_has("packages/near/pyproject.toml");
    run("packages/near", &["run", "python", "-c", "import near, three"]).success();
    assert!(context.read("pylock.toml").contains("three"));
    // One that it does not have has a lock of its own.
    run("packages/far", &["run", "python", "-c", "import three"]).success();
    assert!(context.path("packages/far/pylock.toml").exists());
}

#[test]
fn errors_in_a_project_name_the_line() {
    let context = context();
    context.write("pyproject.toml", "[project]\nname = \"app\"\ndependencies = [\"one\"\nx = 1\n");
    context
        .virtpy(["run", "true"])
        .failure(1)
        .one_error()
        .stderr_has("`pyproject.toml` is not TOML: line 4: ");
    context.virtpy(["add", "--save", "one"]).failure(1).one_error().stderr_has("`pyproject.toml`: line 4: ");
    context.write("pyproject.toml", &project("My.App", "", ""));
    let before = context.read("pyproject.toml");
    let refused = context.virtpy(["add", "--save", "my-app"]).failure(1).one_error();
    refused.stderr_has("`my-app` is the project of `pyproject.toml` itself; nothing was changed");
    assert_eq!(context.read("pyproject.toml"), before);
    assert!(!context.path("pylock.toml").exists());
}
