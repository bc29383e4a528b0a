//! `[tool.uv.sources]` when a project is locked and synced, and what locking says of extras and groups at odds.

use std::path::Path;

use crate::support::{Index, SdistBuilder, TestContext, WheelBuilder};

/// An index where strangers have packages of the same names.
fn index() -> Index {
    let names = ["near", "far", "member", "helper", "marked"];
    let mut wheels: Vec<_> = names.iter().map(|name| WheelBuilder::new(name, "99").build()).collect();
    wheels.push(WheelBuilder::new("helper", "1.0").build());
    wheels.push(WheelBuilder::new("helper", "1.5").build());
    Index::start(&wheels)
}

fn context(index: &Index) -> TestContext {
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    context
}

/// A project that can be built, with more in its file.
pub(crate) fn folder(context: &TestContext, path: &str, requires: &[&str], more: &str) {
    let name = Path::new(path).file_name().unwrap().to_str().unwrap();
    let mut builder = SdistBuilder::new(name, "1.0");
    for one in requires {
        builder = builder.requires(one);
    }
    builder.write_folder(&context.path(path));
    let file = format!("{path}/pyproject.toml");
    let listed: Vec<String> = requires.iter().map(|one| format!("{one:?}")).collect();
    let project =
        format!("[project]\nname = {name:?}\nversion = \"1.0\"\ndependencies = [{}]\n", listed.join(", "));
    context.write(&file, &format!("{project}{}{more}", context.read(&file)));
}

fn versions(context: &TestContext) -> Vec<String> {
    let listed = context.virtpy(["list", "--json", "--venv", ".venv"]).success().json();
    let text = |one: &serde_json::Value| {
        let place = one["editable_project_location"].as_str().unwrap_or_default();
        let in_place = if place.is_empty() { "" } else { " in place" };
        format!("{} {}{in_place}", one["name"].as_str().unwrap(), one["version"].as_str().unwrap())
    };
    listed.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn packages_come_from_where_the_project_wants_them() {
    let index = index();
    let context = context(&index);
    folder(&context, "libs/far", &[], "");
    folder(&context, "libs/near", &["far"], "[tool.uv.sources]\nfar = { path = \"../far\" }\n");
    let project = |sources: &str| {
        format!(
            "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [\"near\", \"marked\"]\n\
             [dependency-groups]\ndev = [\"member\"]\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n\
             [tool.uv.sources]\n{sources}member = {{ workspace = true }}\n\
             marked = [{{ path = \"libs/near\", marker = \"sys_platform == 'plan9'\" }}]\n"
        )
    };
    context.write("pyproject.toml", &project("near = { path = \"libs/near\", editable = true }\n"));
    folder(&context, "packages/member", &[], "");
    context.virtpy(["run", "python", "-c", "import near, far, member, marked"]).success();
    assert_eq!(versions(&context), ["far 1.0", "marked 99", "member 1.0 in place", "near 1.0 in place"]);
    context.virtpy(["lock", "--check"]).success();
    let lock = context.read("pylock.toml");
    context.virtpy(["sync", "--locked"]).success();
    context.virtpy(["sync", "--project", "--group", "dev"]).success();
    assert_eq!(versions(&context), ["far 1.0", "marked 99", "member 1.0 in place", "near 1.0 in place"]);

    // Another place is another request, and what is added stays beside what is in place.
    context.write("pyproject.toml", &project("near = { path = \"libs/near\" }\n"));
    context.virtpy(["sync", "--locked"]).failure(1).one_error().stderr_has("changed since");
    context.virtpy(["add", "--save", "helper"]).success();
    assert_eq!(versions(&context), ["far 1.0", "helper 99", "marked 99", "member 1.0 in place", "near 1.0"]);
    assert_ne!(context.read("pylock.toml"), lock);
}

#[test]
fn a_package_says_not_from_where_its_requirements_come() {
    let index = index();
    let context = context(&index);
    folder(&context, "near", &[], "");
    let more = "[project.optional-dependencies]\nmore = [\"far\"]\n\
         [tool.uv.sources]\nnear = { path = \"near\", editable = true }\nfar = { path = \"far\" }\n";
    folder(
        &context,
        "app",
        &["near"],
        &more.replace("\"near\"", "\"../near\"").replace("\"far\" }", "\"../far\" }"),
    );
    folder(&context, "far", &[], "");
    let virtpy =
        |arguments: &[&str]| context.run(context.virtpy_command(arguments).current_dir(context.path("app")));
    virtpy(&["sync", "--project"]).success();
    let listed = || context.virtpy(["freeze", "--venv", "app/.venv"]).success().raw_stdout;
    assert!(
        listed().contains("near") && !listed().contains("99") && !listed().contains("far"),
        "{}",
        listed()
    );
    virtpy(&["lock"]).success();
    virtpy(&["sync", "--extra", "more"]).success();
    assert!(listed().contains("far") && !listed().contains("99"), "{}", listed());
}

#[test]
fn places_that_cannot_be_used_are_told() {
    let index = index();
    let context = context(&index);
    for (place, told) in [
        ("{ path = \"nowhere\" }", "gives a place for `helper` that is not there"),
        ("{ workspace = true }", "no member has that name"),
        ("{ path = \".\", extra = \"x\" }", "has the key `extra`"),
        ("{ index = \"own\" }", "is the index `own`, which `[[tool.uv.index]]` does not have"),
        ("{}", "cannot read the project"),
    ] {
        let text = "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [\"helper\"]\n";
        context.write("pyproject.toml", &format!("{text}[tool.uv.sources]\nhelper = {place}\n"));
        context.virtpy(["lock"]).failure(1).stderr_has(told);
        assert!(!context.path("pylock.toml").exists());
    }
}

#[test]
fn one_package_is_upgraded_as_far_as_is_said_and_choices_at_odds_are_explained() {
    let index = index();
    let context = context(&index);
    let text = "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [\"helper\"]\n";
    context.write("pyproject.toml", &text.replace("\"helper\"", "\"helper==1.0\""));
    context.virtpy(["lock"]).success();
    context.write("pyproject.toml", text);
    let locked = || context.read("pylock.toml");
    context.virtpy(["lock", "-P", "near"]).success();
    assert!(locked().contains("\"1.0\""), "{}", locked());
    context.virtpy(["lock", "-P", "Helper<2"]).success();
    assert!(locked().contains("\"1.5\""), "{}", locked());
    context.virtpy(["lock"]).success();
    assert!(locked().contains("\"1.5\""), "{}", locked());
    context.virtpy(["lock", "--upgrade-package", "helper"]).success();
    assert!(locked().contains("\"99\""), "{}", locked());
    let first = locked();
    std::fs::remove_file(context.path("pylock.toml")).unwrap();
    context.virtpy(["lock"]).success();
    assert_eq!(locked(), first, "the same bytes");
    context.virtpy(["lock", "-P", "helper=1"]).failure(2).stderr_has("does not name a package to upgrade");

    let more = "[project.optional-dependencies]\nold = [\"helper<1.5\"]\n[dependency-groups]\nnew = [\"helper>=1.5\"]\n";
    context.write("pyproject.toml", &format!("{text}{more}"));
    let refused = context.virtpy(["lock"]).failure(1).one_error();
    refused
        .stderr_has("(extra `old`)")
        .stderr_has("(group `new`)")
        .stderr_has("extras and groups are locked together");
    assert_eq!(locked(), first);
    context.virtpy(["lock", "--no-group", "new"]).success();
}

#[test]
fn a_lock_is_stale_when_a_project_beside_it_asks_for_something_else() {
    let index = index();
    let context = context(&index);
    folder(&context, "near", &[], "");
    context.write(
        "pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [\"near\"]\n\
         [tool.uv.sources]\nnear = { path = \"near\", editable = true }\n",
    );
    context.virtpy(["lock"]).success();
    context.virtpy(["sync", "--locked"]).success();
    folder(&context, "near", &["helper<1.2"], "");
    context.virtpy(["sync", "--locked"]).failure(1).one_error().stderr_has("near/pyproject.toml");
    context.virtpy(["run", "--locked", "true"]).failure(1).one_error();
    context.virtpy(["run", "python", "-c", "import helper"]).success();
    context.virtpy(["sync", "--locked"]).success();
    context.virtpy(["lock", "--check"]).success();
}
