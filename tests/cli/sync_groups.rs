//! Which groups `sync` brings unasked: `dev` of the present project, and of a file that is named only what that says.

use crate::support::{Index, TestContext, WheelBuilder};

fn context() -> TestContext {
    let wheels = ["base", "tool", "lint"].map(|name| WheelBuilder::new(name, "1.0").build());
    let index = Index::start(&wheels);
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    context
}

fn project(more: &str) -> String {
    format!(
        "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [\"base\"]\n\
         [dependency-groups]\ndev = [\"tool\"]\nlint = [\"lint\"]\n{more}"
    )
}

fn synced(context: &TestContext, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["sync"];
    all.extend(arguments);
    context.virtpy(all).success();
    let listed = context.virtpy(["list", "--json", "--venv", ".venv"]).success().json();
    listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_group_dev_of_the_present_project_comes_unasked() {
    let context = context();
    context.write("pyproject.toml", &project(""));
    // What is not locked is no more than it asks for.
    assert_eq!(synced(&context, &[]), ["base"]);
    assert_eq!(synced(&context, &["--group", "dev", "--no-dev"]), ["base"]);
    context.virtpy(["lock"]).success();
    assert_eq!(synced(&context, &[]), ["base", "tool"]);
    // `run` has nothing to do then.
    context.virtpy(["run", "true"]).success().stderr_lacks("packages");
    assert_eq!(synced(&context, &["--no-dev"]), ["base"]);
    assert_eq!(synced(&context, &["--group", "lint"]), ["base", "lint", "tool"]);
    assert_eq!(synced(&context, &["--group", "lint", "--no-dev"]), ["base", "lint"]);
    assert_eq!(synced(&context, &["--no-default-groups"]), ["base"]);
    assert_eq!(synced(&context, &["--all-groups", "--no-dev"]), ["base", "lint"]);
    assert_eq!(synced(&context, &["--project"]), ["base"]);
    // What is added brings the venv to the same state.
    context.virtpy(["add", "--save", "lint"]).success();
    assert_eq!(synced(&context, &["--no-group", "dev"]), ["base", "lint"]);
}

#[test]
fn the_project_or_the_lock_may_say_which_groups_come_unasked() {
    let context = context();
    context.write("pyproject.toml", &project("[tool.uv]\ndefault-groups = [\"lint\"]\n"));
    context.virtpy(["lock"]).success();
    assert_eq!(synced(&context, &[]), ["base", "lint"]);
    context.write("pyproject.toml", &project("[tool.uv]\ndefault-groups = []\n"));
    context.virtpy(["sync", "--locked"]).failure(1).one_error();
    context.virtpy(["lock"]).success();
    assert_eq!(synced(&context, &[]), ["base"]);
}

#[test]
fn a_file_that_is_named_brings_what_it_says() {
    let context = context();
    context.write("pyproject.toml", &project(""));
    context.virtpy(["lock"]).success();
    assert_eq!(synced(&context, &["pylock.toml"]), ["base"]);
    assert_eq!(synced(&context, &["pylock.toml", "--group", "dev"]), ["base", "tool"]);
    assert_eq!(synced(&context, &["pyproject.toml"]), ["base"]);
    context.virtpy(["lock", "--no-group", "dev", "--no-group", "lint", "-o", "requirements.txt"]).success();
    assert_eq!(synced(&context, &["requirements.txt"]), ["base"]);
    // There need be no such group.
    context.write("pyproject.toml", &project("").replace("dev", "work"));
    context.virtpy(["lock"]).success();
    assert_eq!(synced(&context, &["--no-dev"]), ["base"]);
}
