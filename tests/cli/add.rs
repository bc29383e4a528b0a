//! `virtpy add`: the ordinary ways to ask for packages, and what is said about them.

use crate::support::{Index, TestContext, WheelBuilder};

fn rich_index() -> Index {
    Index::start(&[
        WheelBuilder::new("rich", "13.0.0").build(),
        WheelBuilder::new("rich", "14.1.0").requires("markdown-it >= 2").requires("pygments").build(),
        WheelBuilder::new("rich", "15.0.0a1").build(),
        WheelBuilder::new("markdown-it", "3.0.0").build(),
        WheelBuilder::new("pygments", "2.19.2").build(),
    ])
}

#[test]
fn a_requirement_brings_its_dependencies() {
    let index = rich_index();
    let context = TestContext::new();
    context.new_venv();
    let output = context.add(&index, &["rich"]).success();
    output
        .stdout_is(" + markdown-it 3.0.0\n + pygments 2.19.2\n + rich 14.1.0\n")
        .stderr_has("Added 3 packages in [TIME]")
        .stderr_has("0 from the store, 3 downloaded");
    assert_eq!(
        context.eval(".venv", "import rich, markdown_it, pygments; print(rich.__version__)"),
        "14.1.0"
    );
    context.assert_no_leftovers();
}

#[test]
fn what_is_satisfied_already_is_left_alone() {
    let index = rich_index();
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["rich<14"]).success();
    index.forget_requests();
    let before = context.venv_tree(".venv");
    context.add(&index, &["rich"]).success().stdout_is("");
    before.assert_unchanged(&context.venv_tree(".venv"), "the venv");
    assert_eq!(index.all_downloads(), 0);
}

#[test]
fn a_requirement_that_the_installed_version_misses_replaces_it() {
    let index = rich_index();
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["rich<14"]).success();
    let output = context.add(&index, &["rich>=14", "--no-deps"]).success();
    output.stdout_is(" - rich 13.0.0\n + rich 14.1.0\n");
    assert_eq!(context.eval(".venv", "import rich; print(rich.__version__)"), "14.1.0");
    let site = context.site_packages(".venv");
    assert!(!context.path(&format!("{site}/rich-13.0.0.dist-info")).exists());
}

#[test]
fn upgrade_takes_the_newest() {
    let index = rich_index();
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["rich<14"]).success();
    context
        .add(&index, &["--upgrade", "rich"])
        .success()
        .stdout_has(" - rich 13.0.0\n")
        .stdout_has(" + rich 14.1.0\n");
    context.add(&index, &["-U", "rich"]).success().stdout_is("");
}

#[test]
fn pre_releases_come_only_if_asked_for() {
    let index = rich_index();
    let context = TestContext::new();
    for (venv, arguments) in [("flag", vec!["--pre", "rich"]), ("specifier", vec!["rich>=15.0.0a0"])] {
        context.new_named_venv(venv);
        let mut all = vec!["--venv", venv];
        all.extend(arguments);
        context.add(&index, &all).success().stdout_is(" + rich 15.0.0a1\n");
    }
}

#[test]
fn extras_and_markers_are_followed() {
    let demo = WheelBuilder::new("demo", "1.0")
        .extra("web", &["server"])
        .extra("all", &["demo[web]", "client"])
        .requires("never ; python_version < '3'")
        .requires("always ; python_version >= '3'")
        .requires("elsewhere ; sys_platform == 'win32'");
    let names = ["server", "client", "never", "always", "elsewhere"];
    let mut wheels = vec![demo.build()];
    wheels.extend(names.map(|name| WheelBuilder::new(name, "1.0").build()));
    let index = Index::start(&wheels);
    let context = TestContext::new();
    let expect = |venv: &str, requirement: &str, expected: &[&str]| {
        context.new_named_venv(venv);
        let output = context.add(&index, &["--venv", venv, requirement]).success();
        let lines: Vec<String> = expected.iter().map(|name| format!(" + {name} 1.0")).collect();
        assert_eq!(output.lines(), lines, "{}", output.dump());
    };
    expect("plain", "demo", &["always", "demo"]);
    expect("web", "demo[web]", &["always", "demo", "server"]);
    expect("all", "Demo[ALL]", &["always", "client", "demo", "server"]);
    expect("none", "demo ; python_version < '3'", &[]);
}

#[test]
fn names_and_versions_in_every_legal_spelling() {
    let index = Index::start(&[
        WheelBuilder::new("Some.Odd_Name", "1.0.0.post1").build(),
        WheelBuilder::new("local", "2.0+cpu.1").build(),
        WheelBuilder::new("epoch", "1!2.0rc1").build(),
        WheelBuilder::new("built", "1.0").build_number("3abc").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context
        .add(&index, &["some-odd.name == 1.0.post1", "LOCAL==2.0+cpu.1", "epoch==1!2.0rc1", "built"])
        .success();
    let code = "from importlib.metadata import version; \
                print([version(n) for n in ('Some.Odd_Name', 'local', 'epoch', 'built')])";
    assert_eq!(context.eval(".venv", code), "['1.0.0.post1', '2.0+cpu.1', '1!2.0rc1', '1.0']");
    context.virtpy(["remove", "SOME_odd-name", "Local", "epoch", "built"]).success();
    assert_eq!(context.virtpy(["freeze"]).success().raw_stdout, "");
}

#[test]
fn the_wheel_that_fits_best_is_taken() {
    let python = TestContext::new().interpreter().clone();
    let (major, minor) = python.version;
    let exact = format!("cp{major}{minor}-none-any");
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").file("demo/kind.py", "kind = 'pure'\n").build(),
        WheelBuilder::new("demo", "1.0").file("demo/kind.py", "kind = 'exact'\n").tag(&exact).build(),
        WheelBuilder::new("demo", "1.0")
            .file("demo/kind.py", "kind = 'other'\n")
            .tag("cp27-cp27mu-win32")
            .build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    assert_eq!(context.eval(".venv", "import demo.kind; print(demo.kind.kind)"), "exact");
}

#[test]
fn the_active_venv_is_the_one_that_changes() {
    let index = rich_index();
    let mut context = TestContext::new();
    context.new_named_venv("active");
    context.new_venv();
    context.set("VIRTUAL_ENV", context.path("active"));
    context.add(&index, &["pygments"]).success();
    let here = |venv: &str| context.path(&context.site_packages(venv)).join("pygments").exists();
    assert!(here("active") && !here(".venv"));
    context.add(&index, &["--venv", ".venv", "pygments"]).success();
    assert!(here(".venv"));
}

#[test]
fn json_tells_what_changed() {
    let index = rich_index();
    let context = TestContext::new();
    context.new_venv();
    let value = context.add(&index, &["--json", "rich"]).success().json();
    let text = value.to_string();
    for fact in ["markdown-it", "pygments", "rich", "14.1.0"] {
        assert!(text.contains(fact), "{fact} is missing: {text}");
    }
}

#[test]
fn an_old_html_index_without_metadata_works_too() {
    let index = rich_index();
    index.html_only();
    index.without_metadata();
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["rich"]).success().stdout_has(" + rich 14.1.0\n");
}

#[test]
fn requires_python_of_the_index_is_obeyed() {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").requires_python(">=3.6").build(),
        WheelBuilder::new("demo", "2.0").requires_python(">=4").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success().stdout_is(" + demo 1.0\n");
}

#[test]
fn a_yanked_version_is_taken_only_by_exact_demand() {
    let index =
        Index::start(&[WheelBuilder::new("demo", "1.0").build(), WheelBuilder::new("demo", "2.0").build()]);
    index.yank("demo-2.0-py3-none-any.whl", "it eats files");
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success().stdout_is(" + demo 1.0\n");
    let output = context.add(&index, &["demo==2.0"]).success();
    assert!(
        output.raw_stderr.contains("warning: ") && output.raw_stderr.contains("it eats files"),
        "{}",
        output.dump()
    );
}

#[test]
fn a_server_that_stumbles_is_asked_again() {
    use crate::support::Fault;
    let index = rich_index();
    index.fault("pygments-2.19.2-py3-none-any.whl", Fault::Status(503, 1));
    index.page_fault("pygments", Fault::Status(500, 1));
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["pygments"]).success().stdout_is(" + pygments 2.19.2\n");
}

#[test]
fn a_slow_server_is_waited_for() {
    use crate::support::Fault;
    let index = rich_index();
    index.fault("pygments-2.19.2-py3-none-any.whl", Fault::Slow(std::time::Duration::from_millis(50)));
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["pygments"]).success().stdout_is(" + pygments 2.19.2\n");
}

#[test]
fn credentials_in_the_address_are_used_and_never_shown() {
    let index = rich_index();
    index.require_credentials("alice:s3cret");
    let context = TestContext::new();
    context.new_venv();
    let address = index.url_with_credentials("alice:s3cret");
    let output = context.virtpy(["--verbose", "add", "--index-url", &address, "pygments"]).success();
    assert!(!format!("{}{}", output.raw_stdout, output.raw_stderr).contains("s3cret"), "{}", output.dump());
    let output =
        context.virtpy(["add", "--index-url", &index.url_with_credentials("bob:wr0ng"), "rich"]).one_error();
    assert!(!output.raw_stderr.contains("wr0ng"), "{}", output.dump());
}

#[test]
fn adding_nothing_is_a_usage_error() {
    let context = TestContext::new();
    context.new_venv();
    context.virtpy(["add"]).failure(2);
}

#[test]
fn the_working_folder_may_lie_below_the_projects() {
    let index = rich_index();
    let context = TestContext::new();
    context.new_venv();
    let mut command =
        context.virtpy_command(["add", "--index-url", &index.url(), "--venv", "../.venv", "pygments"]);
    std::fs::create_dir(context.path("below")).unwrap();
    command.current_dir(context.path("below"));
    context.run(&mut command).success();
    assert_eq!(context.eval(".venv", "import pygments; print(1)"), "1");
}

#[test]
fn the_same_request_again_does_nothing_unless_something_is_missing() {
    let context = TestContext::new();
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    context.new_venv();
    context.add(&index, &["demo"]).success();
    context.add(&index, &["demo"]).success().stderr_has("Nothing to do");
    // What the store lost is told.
    let entry = context.store().join("w").join(&wheel.sha256()[..16]);
    std::fs::rename(&entry, context.path("lost")).unwrap();
    context.add(&index, &["demo"]).success().stderr_has("the store no longer has demo 1.0");
    context.virtpy(["relink", "--index-url", &index.url()]).success();
    context.virtpy(["check"]).success();
    context.add(&index, &["demo"]).success().stderr_has("Nothing to do").stderr_lacks("no longer");
}
