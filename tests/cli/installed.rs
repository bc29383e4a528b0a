//! What is installed stays, wherever it came from, as long as it satisfies what is asked for: a stranger's package of the
//! same name never takes the place of a private one.

use crate::support::{Fault, Index, Output, SdistBuilder, TestContext, WheelBuilder};

/// An index where strangers have `liba` 1.0 and 2.0, and packages that need it.
fn index() -> Index {
    let stranger =
        |version: &str| WheelBuilder::new("liba", version).file("liba/whose.py", "NAME = 'stranger'\n");
    Index::start(&[
        stranger("1.0").build(),
        stranger("2.0").build(),
        WheelBuilder::new("appb", "1.0").requires("liba").build(),
        WheelBuilder::new("modern", "1.0").requires("liba >= 1.7").build(),
        WheelBuilder::new("ancient", "1.0").requires("liba < 1.2").build(),
        WheelBuilder::new("other", "1.0").build(),
    ])
}

/// The private `liba` 1.5, from a wheel on this machine.
fn private_wheel(context: &TestContext) -> String {
    let wheel = WheelBuilder::new("liba", "1.5").file("liba/whose.py", "NAME = 'private'\n").build();
    wheel.write_to(&context.path("wheels")).display().to_string()
}

/// A venv with the private `liba` from one of the places that it can come from.
fn with_private(place: &[&str]) -> (TestContext, Index) {
    let (context, index) = (TestContext::new(), index());
    context.new_venv();
    private_wheel(&context);
    SdistBuilder::new("liba", "1.5").write_folder(&context.path("liba"));
    context.virtpy([&["add", "--no-index"], place].concat()).success().stdout_is(" + liba 1.5\n");
    (context, index)
}

fn version(context: &TestContext) -> String {
    context.eval(".venv", "import liba; print(liba.__version__)")
}

#[test]
fn what_came_from_a_path_satisfies_names_and_dependencies() {
    for place in
        [&["wheels/liba-1.5-py3-none-any.whl"][..], &["./liba"], &["-e", "./liba"], &["-f", "wheels", "liba"]]
    {
        let (context, index) = with_private(place);
        context.write("wanted.txt", "liba\n");
        context.add(&index, &["liba"]).success().stdout_is("");
        context.add(&index, &["-r", "wanted.txt"]).success().stdout_is("");
        context.add(&index, &["liba>=1", "other"]).success().stdout_is(" + other 1.0\n");
        context.add(&index, &["appb"]).success().stdout_is(" + appb 1.0\n");
        assert_eq!(version(&context), "1.5", "{place:?}");
        // Where nothing needs it, no index is asked for it either.
        context.virtpy(["add", "--no-index", "liba", "appb"]).success().stdout_is("");
        context.virtpy(["check"]).success();
    }
}

#[test]
fn a_dependency_that_no_index_has_may_be_installed_already() {
    let context = TestContext::new();
    context.new_venv();
    SdistBuilder::new("liba", "1.0").write_folder(&context.path("liba"));
    SdistBuilder::new("appb", "1.0").requires("liba").write_folder(&context.path("appb"));
    context.virtpy(["add", "--no-index", "-e", "./liba"]).success();
    context.virtpy(["add", "--no-index", "-e", "./appb"]).success().stdout_is(" + appb 1.0\n");
    // One that is needed newer than it is cannot be had; the venv stays as it is.
    SdistBuilder::new("appc", "1.0").requires("liba>=2").write_folder(&context.path("appc"));
    let before = context.venv_tree(".venv");
    let output = context.virtpy(["add", "--no-index", "-e", "./appc"]).failure(1);
    assert!(output.raw_stderr.contains("liba"), "{}", output.dump());
    before.assert_unchanged(&context.venv_tree(".venv"), "the venv");
}

#[test]
fn a_version_that_does_not_satisfy_is_replaced_and_named() {
    let replaced = |arguments: &[&str], expected: &str| {
        let (context, index) = with_private(&["-e", "./liba"]);
        context.write("limits.txt", "liba<1.2\n");
        context.add(&index, arguments).success().stdout_is(expected);
    };
    replaced(&["modern"], " - liba 1.5\n + liba 2.0\n + modern 1.0\n");
    replaced(&["ancient"], " - liba 1.5\n + ancient 1.0\n + liba 1.0\n");
    replaced(&["liba==1.0"], " - liba 1.5\n + liba 1.0\n");
    replaced(&["-c", "limits.txt", "appb"], " - liba 1.5\n + appb 1.0\n + liba 1.0\n");
    // What limits something that nobody asks for changes nothing.
    replaced(&["-c", "limits.txt", "other"], " + other 1.0\n");
}

#[test]
fn an_upgrade_takes_the_newer_one_of_the_index() {
    let upgraded = |arguments: &[&str], expected: &str| {
        let (context, index) = with_private(&["wheels/liba-1.5-py3-none-any.whl"]);
        context.add(&index, arguments).success().stdout_is(expected);
    };
    upgraded(&["-U", "liba"], " - liba 1.5\n + liba 2.0\n");
    // Nothing newer: what is installed stays.
    upgraded(&["-U", "liba<2"], "");
    let context = TestContext::new();
    context.new_venv();
    let wheel = private_wheel(&context);
    context.virtpy(["add", "--no-index", &wheel]).success();
    context.virtpy(["add", "--no-index", "-U", "liba"]).success().stdout_is("");
}

#[test]
fn pip_upgrades_what_is_named_and_keeps_the_rest() {
    let mut context = TestContext::new();
    context.unset("VIRTPY_PIP_SHIM");
    context.new_venv();
    let index = index();
    let wheel = private_wheel(&context);
    let pip = |arguments: &[&str]| -> Output {
        let url = index.url();
        context.script(".venv", "pip", &[&["install", "--index-url", &url][..], arguments].concat())
    };
    pip(&[&wheel]).success().stdout_has("Successfully installed liba-1.5\n");
    pip(&["liba"]).success().stdout_has("Requirement already satisfied: liba in ");
    pip(&["appb"]).success().stdout_has("Successfully installed appb-1.0\n");
    pip(&["-U", "appb"]).success();
    assert_eq!(version(&context), "1.5");
    pip(&["-U", "liba"]).success().stdout_has("Successfully installed liba-2.0\n");
    pip(&[&wheel]).success().stdout_has("Successfully installed liba-1.5\n");
    pip(&["-U", "--upgrade-strategy", "eager", "appb"])
        .success()
        .stdout_has("Successfully installed liba-2.0\n");
    pip(&[&wheel]).success();
    pip(&["--force-reinstall", "appb"]).success();
    assert_eq!(context.eval(".venv", "import liba.whose; print(liba.whose.NAME)"), "stranger");
}

#[test]
fn a_remembered_answer_replaces_nothing() {
    let (context, index) = (TestContext::new(), index());
    // Even what pins nothing is remembered then.
    index.pages_kept_for(600);
    for venv in ["pinned", "free"] {
        context.new_named_venv(venv);
    }
    context.add(&index, &["--venv", "pinned", "liba==1.0", "appb==1.0"]).success();
    context.add(&index, &["--venv", "free", "appb"]).success();
    // The same version from elsewhere stays, though the index's is at hand and remembered.
    let wheel = WheelBuilder::new("liba", "1.0").file("liba/whose.py", "NAME = 'private'\n").build();
    let wheel = wheel.write_to(&context.path("wheels")).display().to_string();
    for request in [&["liba==1.0", "appb==1.0"][..], &["appb"], &["liba"]] {
        context.virtpy(["new", "--clear"]).success();
        context.virtpy(["add", "--no-index", &wheel]).success();
        context.add(&index, request).success();
        assert_eq!(
            context.eval(".venv", "import liba.whose; print(liba.whose.NAME)"),
            "private",
            "{request:?}"
        );
    }
}

#[test]
fn an_index_that_does_not_answer_is_not_needed_for_what_is_there() {
    let (mut context, index) = with_private(&["wheels/liba-1.5-py3-none-any.whl"]);
    context.set("PIP_RETRIES", "0");
    index.page_fault("liba", Fault::Status(500, 100));
    context.add(&index, &["appb"]).success().stdout_is(" + appb 1.0\n");
    // But for another version it is, and the reason is told.
    let output = context.add(&index, &["modern"]).failure(1);
    assert!(output.raw_stderr.contains("500"), "{}", output.dump());
}

#[test]
fn what_other_tools_installed_counts() {
    let (context, index) = (TestContext::new(), index());
    context.new_venv();
    let site = context.site_packages(".venv");
    let headers = "Metadata-Version: 2.1\nName: liba\nVersion: 1.5\nProvides-Extra: x\nRequires-Dist: other; extra == 'x'\n";
    let installed = |path: &str, text: &str| {
        context.virtpy(["new", "--clear"]).success();
        context.write(&format!("{site}/{path}"), text);
    };
    context.write("project/liba.egg-info/PKG-INFO", headers);
    for (path, text) in [
        ("liba-1.5.dist-info/METADATA", headers.to_owned()),
        ("liba-1.5-py3.egg-info", headers.to_owned()),
        ("liba.egg-info/PKG-INFO", headers.to_owned()),
        ("liba.egg-link", format!("{}\n.", context.path("project").display())),
    ] {
        installed(path, &text);
        context.add(&index, &["appb"]).success().stdout_is(" + appb 1.0\n");
        context.add(&index, &["liba[x]"]).success().stdout_is(" + other 1.0\n");
        let listed = context.virtpy(["list", "--json"]).success().json();
        assert!(listed.to_string().contains(r#""name":"liba","version":"1.5""#), "{path}: {listed}");
        context.virtpy(["show", "liba"]).success().stdout_has("Version: 1.5\n");
    }
    // Nobody knows what belongs to an egg, so nothing of it is touched.
    let before = context.venv_tree(".venv");
    for arguments in [&["add", "--no-index", "-f", "wheels", "liba>=3"][..], &["remove", "liba"]] {
        WheelBuilder::new("liba", "3.0").build().write_to(&context.path("wheels"));
        context.virtpy(arguments).failure(1).one_error().stderr_has("does not say which files it has");
    }
    before.assert_unchanged(&context.venv_tree(".venv"), "the venv");
}

#[test]
fn broken_metadata_of_others_are_passed_over() {
    let (context, index) = (TestContext::new(), index());
    context.new_venv();
    let site = context.site_packages(".venv");
    context.write(&format!("{site}/liba-1.5.dist-info/METADATA"), "no metadata\n");
    context.add(&index, &["appb"]).success().stdout_is(" + appb 1.0\n + liba 2.0\n");
    let text =
        "Metadata-Version: 2.1\nName: tool\nVersion: 1.0\nRequires-Dist: !!! none\nRequires-Dist: other\n";
    context.write(&format!("{site}/tool-1.0.dist-info/METADATA"), text);
    context
        .add(&index, &["tool", "modern"])
        .success()
        .stdout_is(" + modern 1.0\n + other 1.0\n")
        .stderr_has("has a requirement that cannot be read and was passed over: `!!! none`");
}

#[test]
fn a_url_in_the_requirements_of_what_is_there_is_followed_no_more() {
    let (context, index) = (TestContext::new(), index());
    context.new_venv();
    let wheel = private_wheel(&context);
    let user = WheelBuilder::new("user", "1.0").requires(&format!("liba @ file://{wheel}")).build();
    let user = user.write_to(&context.path("wheels")).display().to_string();
    context.add(&index, &[&user]).success().stdout_is(" + liba 1.5\n + user 1.0\n");
    std::fs::remove_file(&wheel).unwrap();
    context.add(&index, &["user", "other"]).success().stdout_is(" + other 1.0\n");
    context.add(&index, &["user", "appb"]).success().stdout_is(" + appb 1.0\n");
}

#[test]
fn programs_run_on_top_of_what_the_venv_has() {
    let (mut context, index) = with_private(&["-e", "./liba"]);
    context.set("PIP_INDEX_URL", index.url());
    let code = "import liba, appb; print(liba.__version__)";
    let ran = context.virtpy(["run", "--with", "appb", "python", "-c", code]).success();
    assert_eq!(ran.raw_stdout, "1.5\n");
    let ran =
        context.virtpy(["run", "--with", "liba", "python", "-c", "import liba; print(liba.__version__)"]);
    assert_eq!(ran.success().raw_stdout, "1.5\n");
    let newer = ["run", "--with", "modern", "python", "-c", "import liba; print(liba.__version__)"];
    assert_eq!(context.virtpy(newer).success().raw_stdout, "2.0\n");
    assert_eq!(version(&context), "1.5");
}

#[test]
fn a_project_that_is_not_locked_takes_what_is_there() {
    let (context, index) = with_private(&["-e", "./liba"]);
    context.add(&index, &["other"]).success();
    context
        .write("pyproject.toml", "[project]\nname = \"mine\"\nversion = \"1\"\ndependencies = [\"appb\"]\n");
    let url = index.url();
    let sync = ["sync", "--index-url", &url, "--project"];
    context.virtpy(sync).success().stdout_is(" - other 1.0\n + appb 1.0\n");
    context.virtpy(sync).success().stdout_is("");
    assert_eq!(version(&context), "1.5");
    // An upgrade is asked for by name.
    context.virtpy([&sync[..], &["-U"]].concat()).success().stdout_is(" - liba 1.5\n + liba 2.0\n");
}

#[test]
fn what_an_application_has_from_a_path_stays_with_what_is_injected() {
    let (mut context, index) = (TestContext::new(), index());
    context.set("PIP_INDEX_URL", index.url());
    let wheel = private_wheel(&context);
    let script = "import sys, liba, appb\n\ndef main():\n    print(liba.__version__)\n";
    let application = WheelBuilder::new("application", "1.0")
        .file("application/cli.py", script)
        .entry_point("console_scripts", "application = application.cli:main");
    index.add(&application.build());
    context.virtpy(["install", "application"]).success();
    context.virtpy(["inject", "application", &wheel]).success();
    context.virtpy(["inject", "application", "appb"]).success();
    let ran = context.run(&mut context.command(context.store().join("bin/application")));
    assert_eq!(ran.success().raw_stdout, "1.5\n");
}
