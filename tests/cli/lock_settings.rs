//! `[tool.uv]` of a project: what is locked, run and synced by it, and what is said of what is left aside.

use crate::support::{Index, SdistBuilder, TestContext, WheelBuilder};

/// An index with two versions of three packages, and one of a fourth that requires the first.
fn index() -> Index {
    let mut wheels = Vec::new();
    for name in ["one", "two", "three"] {
        for version in ["1.0", "2.0", "3.0b1"] {
            wheels.push(WheelBuilder::new(name, version).build());
        }
    }
    wheels.push(WheelBuilder::new("top", "1.0").requires("one>=2").build());
    let index = Index::start(&wheels);
    index.upload_time("two-1.0-py3-none-any.whl", "2020-05-01T00:00:00.000000Z");
    index
}

fn context(index: &Index) -> TestContext {
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    context
}

fn project(dependencies: &[&str], more: &str) -> String {
    let listed: Vec<String> = dependencies.iter().map(|one| format!("{one:?}")).collect();
    let listed = listed.join(", ");
    format!(
        "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [{listed}]\n{more}"
    )
}

/// Names and versions in a lock.
fn locked(text: &str) -> Vec<String> {
    let lock: toml::Table = text.parse().unwrap();
    let packages = lock["packages"].as_array().unwrap().iter();
    let text = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
    packages.map(|one| format!("{} {}", text(one, "name"), text(one, "version"))).collect()
}

#[test]
fn what_limits_versions_in_a_project_counts() {
    let index = index();
    let context = context(&index);
    for (dependencies, settings, expected) in [
        (&["one"][..], "", &["one 2.0"][..]),
        (&["one"], "constraint-dependencies = [\"one<2\", \"unused>9\"]", &["one 1.0"]),
        (&["one", "top"], "override-dependencies = [\"one==1.0\"]", &["one 1.0", "top 1.0"]),
        (&["top", "two"], "exclude-dependencies = [\"one\"]", &["top 1.0", "two 2.0"]),
        (
            &["one", "two"],
            "exclude-newer = \"2021-01-01\"\nexclude-newer-package = { one = false }",
            &["one 2.0", "two 1.0"],
        ),
        (&["one>=1"], "resolution = \"lowest\"", &["one 1.0"]),
        (&["top>=1", "one>=1"], "resolution = \"lowest-direct\"", &["one 2.0", "top 1.0"]),
        (&["one"], "prerelease = \"allow\"", &["one 3.0b1"]),
        (&["one", "two"], "environments = [\"sys_platform == 'linux'\"]", &["one 2.0", "two 2.0"]),
    ] {
        let _ = std::fs::remove_file(context.path("pylock.toml"));
        context.write("pyproject.toml", &project(dependencies, &format!("[tool.uv]\n{settings}\n")));
        let output = context.virtpy(["lock"]).success().stderr_lacks("warning");
        assert_eq!(locked(&context.read("pylock.toml")), expected, "{settings}\n{}", output.dump());
        context.virtpy(["lock", "--check"]).success();
        if settings.starts_with("environments") {
            assert!(context.read("pylock.toml").contains("environments = [\"sys_platform == 'linux'\"]"));
            context.virtpy(["sync", "--locked"]).success();
        }
    }
    // Two files for Linux alone, and none for Windows, which has to have one.
    let settings = "[tool.uv]\nrequired-environments = [\"sys_platform == 'win32'\"]\n";
    let only = WheelBuilder::new("only", "1.0").platlib().tag("py3-none-manylinux_2_17_x86_64").build();
    index.add(&only);
    context.write("pyproject.toml", &project(&["only"], ""));
    context.virtpy(["lock"]).success();
    context.write("pyproject.toml", &project(&["only"], settings));
    context.virtpy(["lock"]).failure(1).one_error().stderr_has("only");
}

#[test]
fn values_that_make_no_sense_are_named() {
    let index = index();
    let context = context(&index);
    for (settings, told) in [
        ("resolution = \"newest\"", "`newest` makes no sense as `resolution` in `[tool.uv]`"),
        ("no-index = \"yes\"", "cannot use `no-index` in `[tool.uv]` of"),
        (
            "constraint-dependencies = [\"!\"]",
            "`constraint-dependencies` in `[tool.uv]`: `!` is not a requirement",
        ),
        ("environments = [\"never\"]", "`never` makes no sense as `environments`"),
    ] {
        context.write("pyproject.toml", &project(&["one"], &format!("[tool.uv]\n{settings}\n")));
        context.virtpy(["lock"]).failure(1).stderr_has(told);
        assert!(!context.path("pylock.toml").exists());
    }
}

#[test]
fn a_projects_indexes_are_asked_and_some_only_for_what_names_them() {
    let public = index();
    let own =
        Index::start(&[WheelBuilder::new("one", "0.5").build(), WheelBuilder::new("two", "0.5").build()]);
    let context = context(&public);
    let indexes = |more: &str| {
        format!(
            "[[tool.uv.index]]\nname = \"own\"\nurl = \"{}\"\n{more}[tool.uv.sources]\none = {{ index = \"own\" }}\n",
            own.url()
        )
    };
    context.write("pyproject.toml", &project(&["one", "two"], &indexes("explicit = true\n")));
    context.virtpy(["lock"]).success();
    assert_eq!(locked(&context.read("pylock.toml")), ["one 0.5", "two 2.0"]);
    assert!(!own.requests().iter().any(|request| request.contains("two")), "{:?}", own.requests());
    // What is taken from it is so as well where only a group or another package requires it.
    context.virtpy(["run", "--locked", "python", "-c", "import one, two"]).success();

    context.write("pyproject.toml", &project(&["one", "two"], &indexes("default = true\n")));
    context.virtpy(["sync", "--locked"]).failure(1).one_error().stderr_has("changed since");
    public.forget_requests();
    context.virtpy(["lock"]).success();
    assert_eq!(locked(&context.read("pylock.toml")), ["one 0.5", "two 0.5"]);
    assert_eq!(public.requests(), Vec::<String>::new());
    // Who wants no index at all gets none.
    own.forget_requests();
    context.virtpy(["lock", "--refresh", "--no-index"]).failure(1);
    assert_eq!(own.requests(), Vec::<String>::new());

    // One that can be built says itself what it requires, and is asked about as well.
    let builder = SdistBuilder::new("built", "1.0").requires("one");
    builder.write_folder(&context.path("built"));
    let file = context.read("built/pyproject.toml");
    let head = "[project]\nname = \"built\"\nversion = \"1.0\"\ndependencies = [\"one\"]\n";
    context.write("built/pyproject.toml", &format!("{head}{file}{}", indexes("explicit = true\n")));
    let mut command = context.virtpy_command(["lock"]);
    context.run(command.current_dir(context.path("built"))).success();
    assert!(context.read("built/pylock.toml").contains("one-0.5"));
}

#[test]
fn an_index_of_a_project_gets_no_password_of_another_and_not_the_name_of_one_of_the_users() {
    let public = index();
    public.require_credentials("alice:secret");
    let stranger = Index::start(&[WheelBuilder::new("one", "66").build()]);
    let mut context = TestContext::new();
    context.set("UV_INDEX", format!("my-corp={}", public.url()));
    context.set("UV_INDEX_MY_CORP_USERNAME", "alice");
    context.set("UV_INDEX_MY_CORP_PASSWORD", "secret");
    context.set("UV_DEFAULT_INDEX", public.url_with_credentials("alice:secret"));
    let text = format!(
        "[[tool.uv.index]]\nname = \"my-corp\"\nurl = \"{}\"\n[tool.uv.sources]\none = {{ index = \"my-corp\" }}\n",
        stranger.url()
    );
    // The variables for the credentials do not tell these names apart.
    for name in ["my-corp", "My_Corp", "MY.corp"] {
        context.write("pyproject.toml", &project(&["one"], &text.replace("my-corp", name)));
        context.virtpy(["lock", "-U"]).success();
        assert_eq!(locked(&context.read("pylock.toml")), ["one 2.0"], "{name}");
        assert_eq!(stranger.requests(), Vec::<String>::new(), "{name}");
    }
    // Under another name it is asked, without what is meant for the others.
    context.write("pyproject.toml", &project(&["one"], &text.replace("my-corp", "mine")));
    context.virtpy(["lock", "-U"]).success();
    assert_eq!(locked(&context.read("pylock.toml")), ["one 66"]);
    assert_eq!(stranger.authorizations(), Vec::<String>::new());
}

#[test]
fn of_a_workspace_the_roots_settings_count() {
    let index = index();
    let context = context(&index);
    let root = |constraint: &str| {
        format!(
            "[tool.uv]\nconstraint-dependencies = [\"{constraint}\"]\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n"
        )
    };
    context.write("pyproject.toml", &root("one<2"));
    let member = project(&["one"], "[tool.uv]\nconstraint-dependencies = [\"one>=3b1\"]\n");
    context.write("packages/a/pyproject.toml", &member);
    context.write("other/pyproject.toml", &project(&["one"], ""));
    let virtpy = |folder: &str, arguments: &[&str]| {
        context.run(context.virtpy_command(arguments).current_dir(context.path(folder)))
    };
    virtpy("packages/a", &["lock"]).success();
    assert_eq!(locked(&context.read("packages/a/pylock.toml")), ["one 1.0"]);
    virtpy("packages/a", &["sync", "--locked"]).success();
    // Whoever is no member is not ruled by it.
    virtpy("other", &["lock"]).success();
    assert_eq!(locked(&context.read("other/pylock.toml")), ["one 2.0"]);
    context.write("pyproject.toml", &root("one<3"));
    virtpy("packages/a", &["sync", "--locked"]).failure(1).one_error();
    virtpy("packages/a", &["sync", "--project"]).success();
    context.write("pyproject.toml", &root("one<2"));
    virtpy("packages/a", &["sync", "--project", "--upgrade"]).success();
    let listed = virtpy("packages/a", &["freeze"]).success();
    assert_eq!(listed.raw_stdout.trim(), "one==1.0");
}

#[test]
fn what_is_left_aside_is_said_once() {
    let index = index();
    let context = context(&index);
    let settings = "[tool.uv]\nconflicts = []\ncache-keys = []\nkeyring-provider = \"subprocess\"\n";
    context.write("pyproject.toml", &project(&["one"], settings));
    context.write("uv.toml", "exclude-newer = \"2021-01-01\"\n");
    let output = context.virtpy(["run", "true"]).success();
    output
        .stderr_has("virtpy leaves `conflicts`, `keyring-provider` aside")
        .stderr_has("`uv.toml` is not read");
    context.virtpy(["run", "true"]).success().stderr_lacks("aside");
    context.write("pyproject.toml", &project(&["nothing-like-it"], settings));
    let output = context.virtpy(["lock"]).failure(1);
    assert_eq!(output.raw_stderr.matches("aside").count(), 1, "{}", output.dump());
}

#[test]
fn a_script_is_locked_and_run_by_the_same_settings() {
    let index = index();
    let context = context(&index);
    let script = "# /// script\n# requires-python = \">=3.8\"\n# dependencies = [\"one\", \"top\", \"two>=1\"]\n\
                  # [tool.uv]\n# override-dependencies = [\"one==1.0\"]\n# constraint-dependencies = [\"two<2\"]\n# ///\n\
                  from importlib.metadata import version\nprint(version(\"one\"), version(\"two\"))\n";
    context.write("task.py", script);
    assert_eq!(context.virtpy(["run", "task.py"]).success().raw_stdout.trim(), "1.0 1.0");
    context.virtpy(["lock", "task.py"]).success();
    assert_eq!(locked(&context.read("pylock.task.toml")), ["one 1.0", "top 1.0", "two 1.0"]);
}
