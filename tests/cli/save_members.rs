//! `add --save` and `remove --save` in a member of a workspace: the lock that has the member is the one that changes.

use crate::support::{Index, Output, SdistBuilder, TestContext, WheelBuilder};

/// A workspace whose root requires `near`, locked and synced.
fn workspace() -> (Index, TestContext) {
    let index = Index::start(&[
        WheelBuilder::new("one", "1.0").build(),
        WheelBuilder::new("two", "1.0").requires("deep").build(),
        WheelBuilder::new("two", "2.0").requires("deep").build(),
        WheelBuilder::new("deep", "1.0").build(),
        WheelBuilder::new("broken", "1.0").requires("absent>=9").build(),
    ]);
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    let project = |name: &str, dependencies: &str, more: &str| {
        format!(
            "[project]\nname = \"{name}\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [{dependencies}]\n{more}"
        )
    };
    let root = "[tool.uv]\nconstraint-dependencies = [\"two<2\"]\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n\
                [tool.uv.sources]\nnear = { workspace = true }\n";
    context.write("pyproject.toml", &project("app", "\"near\"", root));
    SdistBuilder::new("near", "1").write_folder(&context.path("packages/near"));
    let build = context.read("packages/near/pyproject.toml");
    let near = format!("{}\n{build}", project("near", "\"one\"", ""));
    context.write("packages/near/pyproject.toml", &near);
    context.write("packages/far/pyproject.toml", &project("far", "", ""));
    context.virtpy(["run", "true"]).success();
    (index, context)
}

fn run(context: &TestContext, member: &str, arguments: &[&str]) -> Output {
    context.run(context.virtpy_command(arguments).current_dir(context.path(member)))
}

fn installed(context: &TestContext) -> Vec<String> {
    let listed = context.virtpy(["freeze", "--venv", ".venv"]).success().stdout();
    let lines = listed.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| Some(line.split_once("==")?.0.to_owned()));
    names.collect()
}

fn state(context: &TestContext) -> (String, String, Vec<String>) {
    (context.read("packages/near/pyproject.toml"), context.read("pylock.toml"), installed(context))
}

#[test]
fn the_roots_lock_and_venv_follow_what_a_member_adds_and_removes() {
    let (_index, context) = workspace();
    let before = state(&context);
    run(&context, "packages/near", &["add", "two"])
        .success()
        .stderr_has("`virtpy add --save two` records it");
    run(&context, "packages/near", &["remove", "two", "deep"]).success();
    // The bound is of the version that suits the workspace.
    run(&context, "packages/near", &["add", "--save", "two"])
        .success()
        .stderr_has("Recorded `two>=1.0` in the dependencies");
    assert!(context.read("packages/near/pyproject.toml").contains("[\"one\", \"two>=1.0\"]"));
    assert!(context.read("pylock.toml").contains("name = \"deep\""));
    assert_eq!(installed(&context), ["deep", "one", "two"]);
    run(&context, "", &["lock", "--check"]).success();
    run(&context, "packages/near", &["lock", "--check"]).success();
    run(&context, "packages/near", &["run", "--locked", "true"])
        .success()
        .stderr_lacks("packages in the venv");
    run(&context, "packages/near", &["remove", "--save", "two"]).success();
    assert_eq!(state(&context), before);
    for made in ["pylock.toml", ".venv"] {
        assert!(!context.path(&format!("packages/near/{made}")).exists(), "{made}");
    }
}

#[test]
fn a_failure_leaves_the_member_the_lock_and_the_venv_as_they_were() {
    let (_index, context) = workspace();
    let before = state(&context);
    for arguments in [
        ["add", "--save", "broken"].as_slice(),
        &["add", "--save", "two>=2"],
        &["add", "--save", "--dev", "two"],
        &["remove", "--save", "two"],
    ] {
        run(&context, "packages/near", arguments).failure(1).one_error();
        assert_eq!(state(&context), before, "{arguments:?}");
    }
    run(&context, "packages/near", &["add", "--save", "--dev", "two"])
        .failure(1)
        .stderr_has("record it in the group of the root");
    run(&context, "packages/near", &["add", "--save", "--extra", "x", "two"])
        .success()
        .stderr_has("nothing in the workspace asks for the extra `x`");
    assert_eq!(installed(&context), before.2);
}

#[test]
fn a_member_with_a_lock_of_its_own_or_none_is_locked_by_itself() {
    let (_index, context) = workspace();
    let before = context.read("pylock.toml");
    run(&context, "packages/far", &["add", "--save", "one"]).success();
    assert!(context.path("packages/far/pylock.toml").exists());
    run(&context, "packages/near", &["lock", "pyproject.toml"]).success();
    run(&context, "packages/near", &["add", "--save", "--dev", "two"]).success();
    assert!(context.read("packages/near/pylock.toml").contains("name = \"deep\""));
    assert!(context.path("packages/near/.venv").exists());
    assert_eq!(context.read("pylock.toml"), before);
}
