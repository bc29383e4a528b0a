//! Locks of other tools: none is written beside them unasked, and one that is out of date is told of. Repositories stay at the commit
//! that a lock has; what does not come from an index is not compared with one.

use crate::support::{Index, SdistBuilder, TestContext, WheelBuilder, skip};

/// A project that is no package.
fn project(name: &str, dependencies: &str, more: &str) -> String {
    format!(
        "[project]\nname = \"{name}\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [{dependencies}]\n{more}"
    )
}

/// A workspace of two members, as uv locks it.
const UV_LOCK: &str = "version = 1\nrevision = 3\nrequires-python = \">=3.8\"\n\n[manifest]\nmembers = [\"one\", \"root\", \"two\"]\n\n\
     [[package]]\nname = \"one\"\nversion = \"1\"\nsource = { virtual = \"packages/one\" }\ndependencies = [{ name = \"two\" }]\n\n\
     [package.metadata]\nrequires-dist = [{ name = \"two\", virtual = \"packages/two\" }]\n\n\
     [[package]]\nname = \"root\"\nversion = \"1\"\nsource = { virtual = \".\" }\n\n\
     [[package]]\nname = \"two\"\nversion = \"1\"\nsource = { virtual = \"packages/two\" }\n";

#[test]
fn a_workspaces_lock_is_stale_when_a_member_asks_for_something_else() {
    let context = TestContext::new();
    let root =
        "[tool.uv.workspace]\nmembers = [\"packages/*\"]\n[tool.uv.sources]\ntwo = { workspace = true }\n";
    context.write("pyproject.toml", &project("root", "", root));
    context.write("packages/one/pyproject.toml", &project("one", "\"two>=1\"", ""));
    context.write("packages/two/pyproject.toml", &project("two", "", ""));
    context.write("uv.lock", UV_LOCK);
    let run = |folder: &str| {
        context.run(context.virtpy_command(["run", "--locked", "true"]).current_dir(context.path(folder)))
    };
    run("packages/one").success();
    run(".").success();
    context.write("packages/two/pyproject.toml", &project("two", "\"six\"", ""));
    for folder in [".", "packages/one", "packages/two"] {
        run(folder)
            .failure(1)
            .stderr_has("packages/two/pyproject.toml` changed since")
            .stderr_has("`uv lock`");
    }
    context.write("packages/two/pyproject.toml", &project("two", "", ""));
    run(".").success();
    // A member that the lock does not know.
    context.write("packages/three/pyproject.toml", &project("three", "", ""));
    run(".").failure(1).stderr_has("packages/three/pyproject.toml");
    context.write(
        "pyproject.toml",
        &project("root", "", &root.replace("[tool.uv.s", "exclude = [\"packages/three\"]\n[tool.uv.s")),
    );
    run(".").success();
}

#[test]
fn no_lock_is_written_beside_another_tools_unasked() {
    let index = Index::start(&[WheelBuilder::new("one", "1.0").build()]);
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    context.write("pyproject.toml", &project("app", "\"one\"", ""));
    for (lock, command) in
        [("uv.lock", "`uv lock`"), ("poetry.lock", "`poetry lock`"), ("pdm.lock", "`pdm lock`")]
    {
        context.write(lock, "");
        for arguments in
            [&["lock"][..], &["lock", "pyproject.toml"], &["lock", "--check"], &["lock", "--upgrade"]]
        {
            let refused = context.virtpy(arguments).failure(1);
            refused.stderr_has(&format!("is locked by `{lock}`; nothing was changed")).stderr_has(command);
            assert!(!context.path("pylock.toml").exists());
        }
        context.virtpy(["lock", "-o", "pylock.own.toml"]).success();
        context.virtpy(["lock", "--force"]).success();
        // The one that is there now is virtpy's, and is kept up to date.
        context.virtpy(["lock"]).success().stderr_has("is up to date");
        std::fs::remove_file(context.path("pylock.toml")).unwrap();
        std::fs::remove_file(context.path(lock)).unwrap();
    }
    context.virtpy(["lock", "one"]).success();
}

#[test]
fn a_repository_stays_at_its_commit_until_it_is_to_be_upgraded() {
    let context = TestContext::new();
    SdistBuilder::new("demo", "1.0").write_folder(&context.path("repository"));
    let git = |arguments: &[&str]| {
        let mut command = context.command("git");
        command.args(["-c", "user.name=A", "-c", "user.email=a@example.com"]).args(arguments);
        context.run(command.current_dir(context.path("repository"))).success().raw_stdout.trim().to_owned()
    };
    if std::process::Command::new("git").arg("--version").output().is_err() {
        skip("this machine has no git");
        return;
    }
    git(&["init", "--quiet", "--initial-branch=main"]);
    let commit = |message: &str| {
        git(&["add", "."]);
        git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        git(&["rev-parse", "HEAD"])
    };
    let first = commit("one");
    let url = format!("file://{}", context.path("repository").display());
    for (source, rev) in [("", ""), ("", "@main"), ("branch = \"main\"", "")] {
        let text = if source.is_empty() {
            project("app", &format!("\"demo @ git+{url}{rev}\""), "")
        } else {
            project(
                "app",
                "\"demo\"",
                &format!("[tool.uv.sources]\ndemo = {{ git = \"{url}\", {source} }}\n"),
            )
        };
        context.write("pyproject.toml", &text);
        let _ = std::fs::remove_file(context.path("pylock.toml"));
        context.virtpy(["lock", "--no-index"]).success();
        let locked = git(&["rev-parse", "HEAD"]);
        let has = |commit: &str| context.read("pylock.toml").contains(commit);
        assert!(has(&locked), "{}", context.read("pylock.toml"));
        let next = commit("next");
        context.virtpy(["lock", "--no-index"]).success().stderr_has("is up to date");
        assert!(has(&locked));
        context.virtpy(["lock", "--no-index", "-P", "other"]).success();
        assert!(has(&locked));
        context.virtpy(["lock", "--no-index", "-P", "demo"]).success();
        assert!(has(&next), "{}", context.read("pylock.toml"));
        let last = commit("last");
        context.virtpy(["lock", "--no-index", "--upgrade"]).success();
        assert!(has(&last));
    }
    // Another revision is another request.
    context.write("pyproject.toml", &project("app", &format!("\"demo @ git+{url}@{first}\""), ""));
    context.virtpy(["lock", "--no-index"]).success();
    assert!(context.read("pylock.toml").contains(&first));
}

#[test]
fn what_does_not_come_from_an_index_has_no_newer_version_there() {
    let names = ["near", "flat", "plain"];
    let mut wheels: Vec<_> = names.iter().map(|name| WheelBuilder::new(name, "99").build()).collect();
    wheels.push(WheelBuilder::new("plain", "1.0").build());
    let index = Index::start(&wheels);
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    for name in ["near", "flat"] {
        SdistBuilder::new(name, "1.0").write_folder(&context.path(name));
    }
    context.new_venv();
    context.virtpy(["add", "plain==1.0", "./flat", "-e", "./near"]).success();
    let listed = context.virtpy(["outdated", "--json"]).success().json();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["plain"]);

    // An index that the project has for it is asked about it, and no other.
    let own = Index::start(&[WheelBuilder::new("plain", "1.5").build()]);
    let more = format!(
        "[[tool.uv.index]]\nname = \"own\"\nurl = \"{}\"\nexplicit = true\n[tool.uv.sources]\nplain = {{ index = \"own\" }}\n",
        own.url()
    );
    context.write("pyproject.toml", &project("app", "\"plain\"", &more));
    let listed = context.virtpy(["outdated", "--json"]).success().json();
    assert_eq!((&listed[0]["latest_version"], listed.as_array().unwrap().len()), (&"1.5".into(), 1));
}
