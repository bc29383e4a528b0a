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

#[test]
fn groups_alone_bring_what_they_need_and_nothing_of_the_project() {
    let index = Index::start(&[
        WheelBuilder::new("base", "1.0")
            .requires("shared")
            .requires("pathy; sys_platform != 'win32'")
            .build(),
        WheelBuilder::new("tool", "1.0")
            .requires("shared")
            .requires("pathy; sys_platform == 'win32'")
            .build(),
        WheelBuilder::new("shared", "1.0").requires("deep").build(),
        WheelBuilder::new("deep", "1.0").build(),
        WheelBuilder::new("pathy", "1.0").build(),
        WheelBuilder::new("lint", "1.0").build(),
    ]);
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    context.write("pyproject.toml", &project("[project.optional-dependencies]\nmore = [\"lint\"]\n"));
    context.virtpy(["lock"]).success();
    assert_eq!(synced(&context, &["--only-group", "dev"]), ["deep", "shared", "tool"]);
    assert_eq!(synced(&context, &["--only-group", "lint"]), ["lint"]);
    assert_eq!(synced(&context, &["--only-group", "lint,dev"]), ["deep", "lint", "shared", "tool"]);
    assert_eq!(synced(&context, &["--only-dev"]), ["deep", "shared", "tool"]);
    assert_eq!(synced(&context, &["--no-dev"]), ["base", "deep", "pathy", "shared"]);
    // The markers that every installer reads are as if nothing had been told apart.
    let lock = context.read("pylock.toml");
    let table =
        "\n[tool.virtpy.needed-by-groups]\ndeep = \"'dev' in dependency_groups\"\nlint = \"'lint' in ";
    assert!(lock.contains(table), "{lock}");
    assert!(!lock.contains("virtpy-base"), "{lock}");
    context.virtpy(["run", "--only-group", "dev", "python", "-c", "import tool, shared"]).success();
    context.virtpy(["run", "--only-dev", "python", "-c", "import base"]).failure(1);
    context
        .virtpy(["sync", "--only-dev", "--extra", "more"])
        .failure(1)
        .stderr_has("`--only-group` leaves out");
    context.virtpy(["sync", "--only-group", "nope"]).failure(1).stderr_has("no dependency group `nope`");
    context.virtpy(["lock", "--check"]).success();
    // A lock of before does not tell.
    context.write("pylock.toml", &lock.replace("needed-by-groups", "other"));
    context
        .virtpy(["sync", "--only-dev"])
        .failure(1)
        .one_error()
        .stderr_has("`virtpy lock` makes locks that tell");
}

#[test]
fn a_failure_speaks_of_what_was_asked_for() {
    let context = context();
    context.write("pyproject.toml", &project("").replace("[\"lint\"]", "[\"base>=2\"]"));
    let told = context.virtpy(["lock"]).failure(1).one_error();
    assert!(!told.raw_stderr.contains("virtpy-base"), "{}", told.raw_stderr);
    told.stderr_has("base>=2 (group `lint`)");
}

#[test]
fn where_nothing_can_be_written_nothing_to_do_is_no_error() {
    let context = context();
    context.write("pyproject.toml", &project(""));
    context.virtpy(["lock"]).success();
    assert_eq!(synced(&context, &["--group", "lint"]), ["base", "lint", "tool"]);
    // Files may have no byte then, as on a full disk.
    let without_room = |arguments: &[&str]| {
        let mut command = context.command("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"]);
        command.arg(context.virtpy_command([""; 0]).get_program()).args(arguments);
        context.run(&mut command)
    };
    // It holds all groups already; that it was asked for in other words is only noted.
    without_room(&["sync", "--all-groups"]).success().stderr_has("Nothing to do");
    without_room(&["sync", "--no-default-groups"]).failure(1).one_error();
    assert_eq!(synced(&context, &["--all-groups"]), ["base", "lint", "tool"]);
}
