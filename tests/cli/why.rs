//! `virtpy why` and `virtpy outdated`: what brings a package into a venv, and which versions it may have.

use crate::support::{Index, TestContext, WheelBuilder};

const PROJECT: &str = "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [\"demo\"]\n\
     [project.optional-dependencies]\nmore = [\"absent\"]\n\
     [dependency-groups]\ndev = [\"tester>=1\", {include-group = \"lint\"}]\nlint = [\"leaf<3\"]\n";

fn index() -> Index {
    Index::start(&[
        WheelBuilder::new("demo", "1.0").requires("middle").build(),
        WheelBuilder::new("middle", "1.0").requires("leaf>=1").requires("far").build(),
        WheelBuilder::new("tester", "1.0").requires("middle").build(),
        WheelBuilder::new("far", "1.0").requires("middle").build(),
        WheelBuilder::new("leaf", "1.0").build(),
        WheelBuilder::new("own", "1.0").requires("leaf").build(),
    ])
}

#[test]
fn each_thing_that_was_asked_for_has_its_way() {
    let (index, mut context) = (index(), TestContext::new());
    context.set("PIP_INDEX_URL", index.url());
    context.write("pyproject.toml", PROJECT);
    context.virtpy(["lock", "--no-group", "dev"]).failure(1).stderr_has("absent");
    context.write("pyproject.toml", &PROJECT.replace("\"absent\"", ""));
    context.virtpy(["run", "python", "-c", ""]).success();
    context.virtpy(["add", "own"]).success();
    let expected = "leaf 1.0\n\
         \x20 the dependencies of `pyproject.toml` → demo 1.0 (demo) → middle 1.0 (middle) → leaf 1.0 (leaf>=1)\n\
         \x20 the group `dev` of `pyproject.toml` → tester 1.0 (tester>=1) → middle 1.0 (middle) → leaf 1.0 (leaf>=1)\n\
         \x20 the group `lint` of `pyproject.toml` → leaf 1.0 (leaf<3)\n\
         \x20 asked for by name → own 1.0 → leaf 1.0 (leaf)\n";
    context.virtpy(["why", "Leaf"]).success().stdout_is(expected);
    context.virtpy(["why", "own"]).success().stdout_is("own 1.0\n  asked for by name\n");
    let answers = context.virtpy(["why", "far", "demo", "--json"]).success().json();
    assert_eq!(answers[0]["ways"].as_array().unwrap().len(), 2, "{answers}");
    assert_eq!(answers[0]["ways"][1]["list"], "dev");
    assert_eq!(answers[1]["ways"][0]["asked_by"], "dependencies");
    assert_eq!(answers[1]["ways"][0]["steps"][0]["requirement"], "demo");
    context.virtpy(["why", "absent"]).failure(1).one_error().stderr_has("`virtpy store why`");

    // What nothing requires any more is told as well.
    context.virtpy(["remove", "demo", "tester", "own"]).success();
    let left = context.virtpy(["why", "middle"]).success();
    left.stdout_has("nothing requires it → far 1.0 → middle 1.0 (middle)");
}

#[test]
fn what_is_outdated_has_a_newest_version_and_one_that_is_allowed() {
    let (index, mut context) = (index(), TestContext::new());
    context.set("PIP_INDEX_URL", index.url());
    context.write("pyproject.toml", &PROJECT.replace("\"absent\"", ""));
    context.virtpy(["run", "python", "-c", ""]).success();
    context.virtpy(["outdated"]).success().stdout_is("");
    for (name, version) in [("leaf", "2.5"), ("leaf", "3.0"), ("demo", "1.1"), ("leaf", "4.0a1")] {
        index.add(&WheelBuilder::new(name, version).build());
    }
    let listed = context.virtpy(["outdated"]).success();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> = listed.raw_stdout.lines().map(words).collect();
    assert_eq!(lines[0], ["Package", "Version", "Allowed", "Latest", "Type"], "{}", listed.dump());
    assert_eq!(lines[2], ["demo", "1.0", "1.1", "1.1", "wheel"]);
    assert_eq!(lines[3], ["leaf", "1.0", "2.5", "3.0", "wheel"]);
    assert_eq!(lines.len(), 4);
    let listed = context.virtpy(["outdated", "--pre", "--json"]).success().json();
    assert_eq!(listed[1]["latest_version"], "4.0a1");
    assert_eq!(listed[1]["allowed_version"], "2.5");
    context.virtpy(["list", "--outdated"]).success().stdout_has("Allowed");
    context.virtpy(["outdated", "--offline"]).success();
    // The lock goes just as far.
    context.virtpy(["lock", "--upgrade"]).success();
    context.virtpy(["run", "python", "-c", ""]).success();
    context.virtpy(["outdated", "--json"]).success().stdout_has("\"allowed_version\": \"2.5\"");
}

#[test]
fn extras_that_a_project_asks_for_and_members_of_a_workspace_are_reasons() {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").extra("fast", &["speedup<2"]).build(),
        WheelBuilder::new("speedup", "1.0").build(),
        WheelBuilder::new("leaf", "1.0").build(),
    ]);
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    let root = "dependencies = [\"demo[fast]\", \"one\"]\n[tool.uv.workspace]\nmembers = [\"one\", \"two\"]\n\
                [tool.uv.sources]\none = { workspace = true }\n";
    let project = "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\n";
    context.write("pyproject.toml", &format!("{project}{root}"));
    super::lock_sources::folder(&context, "one", &["leaf<2"], "");
    context.virtpy(["sync"]).success();
    context
        .virtpy(["why", "speedup"])
        .success()
        .stdout_is("speedup 1.0\n  the dependencies of `pyproject.toml` → demo 1.0 (demo[fast]) → speedup 1.0 (speedup<2)\n");
    context.virtpy(["tree", "demo"]).success().stdout_has("└── speedup 1.0 [required: speedup<2]");
    let leaf = context.virtpy(["why", "leaf"]).success();
    leaf.stdout_has("the dependencies of `one/pyproject.toml` → leaf 1.0 (leaf<2)");
    index.add(&WheelBuilder::new("leaf", "2.0").build());
    index.add(&WheelBuilder::new("speedup", "2.0").build());
    let outdated = context.virtpy(["outdated", "--json"]).success().json();
    let allowed: Vec<&str> =
        outdated.as_array().unwrap().iter().filter_map(|one| one["allowed_version"].as_str()).collect();
    assert_eq!(allowed, ["1.0", "1.0"], "{outdated}");
}

#[test]
fn the_tables_of_uv_and_poetry_are_reasons() {
    let index = index();
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    context.new_venv();
    context.virtpy(["add", "demo"]).success();
    context.write(
        "pyproject.toml",
        "[tool.poetry]\nname = \"app\"\n[tool.poetry.dependencies]\npython = \"^3.8\"\nmiddle = \"^1\"\n\
         [tool.poetry.group.lint.dependencies]\nleaf = \"<2\"\n[tool.uv]\ndev-dependencies = [\"far>=1\"]\n",
    );
    context
        .virtpy(["why", "leaf"])
        .success()
        .stdout_has("the dependencies of `pyproject.toml` → middle 1.0 (middle>=1,<2) → leaf 1.0 (leaf>=1)")
        .stdout_has("the group `lint` of `pyproject.toml` → leaf 1.0 (leaf<2)");
    context
        .virtpy(["why", "far"])
        .success()
        .stdout_has("the group `dev` of `pyproject.toml` → far 1.0 (far>=1)");
    index.add(&WheelBuilder::new("leaf", "2.0").build());
    let outdated = context.virtpy(["outdated", "--json"]).success().json();
    assert_eq!(outdated[0]["allowed_version"], "1.0", "{outdated}");
}
