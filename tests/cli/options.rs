//! The options of `virtpy add`, and the settings of pip that it reads.

use crate::support::{Index, SdistBuilder, TestContext, WheelBuilder};

fn demo_index() -> Index {
    Index::start(&[
        WheelBuilder::new("demo", "1.0").requires("helper").build(),
        WheelBuilder::new("demo", "2.0").requires("helper>=2").build(),
        WheelBuilder::new("helper", "1.0").build(),
        WheelBuilder::new("helper", "2.0").build(),
        WheelBuilder::new("helper", "3.0").build(),
    ])
}

#[test]
fn requirements_files_nest_and_carry_options() {
    let index = demo_index();
    let context = TestContext::new();
    context.new_venv();
    context.write(
        "requirements.txt",
        &format!("--index-url {}\n-r more/base.txt\ndemo==2.0 # why\n", index.url()),
    );
    context.write("more/base.txt", "-c limits.txt\n");
    context.write("more/limits.txt", "helper<3\n");
    let output = context.virtpy(["add", "-r", "requirements.txt"]).success();
    output.stdout_is(" + demo 2.0\n + helper 2.0\n");
}

#[test]
fn a_text_file_among_the_specs_is_a_requirements_file() {
    let index = demo_index();
    let context = TestContext::new();
    context.new_venv();
    context.write("requirements.txt", "demo==1.0\n");
    context
        .add(&index, &["requirements.txt", "helper<2"])
        .success()
        .stdout_is(" + demo 1.0\n + helper 1.0\n");
}

#[test]
fn constraints_limit_but_do_not_install() {
    let index = demo_index();
    let context = TestContext::new();
    context.new_venv();
    context.write("limits.txt", "helper<2\ndemo\nabsent==9\n");
    context.add(&index, &["-c", "limits.txt", "demo"]).success().stdout_is(" + demo 1.0\n + helper 1.0\n");
}

#[test]
fn no_deps_takes_only_what_is_named() {
    let index = demo_index();
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["--no-deps", "demo"]).success().stdout_is(" + demo 2.0\n");
    context.virtpy(["check"]).failure(1);
}

#[test]
fn dry_run_tells_and_does_nothing() {
    let index = demo_index();
    let context = TestContext::new();
    context.new_venv();
    let (venv, store) = (context.venv_tree(".venv"), context.store_tree());
    let output = context.add(&index, &["--dry-run", "demo"]).success();
    output.stdout_is(" + demo 2.0\n + helper 3.0\n");
    venv.assert_unchanged(&context.venv_tree(".venv"), "the venv");
    store.assert_unchanged(&context.store_tree(), "the store");
    assert_eq!(index.all_downloads(), 0, "the metadata is enough for a dry run");
}

#[test]
fn find_links_takes_a_folder_and_a_page() {
    let context = TestContext::new();
    let wheel = WheelBuilder::new("demo", "1.0").build();
    wheel.write_to(&context.path("wheels"));
    context.new_venv();
    context
        .virtpy(["add", "--no-index", "--find-links", "wheels", "demo"])
        .success()
        .stdout_is(" + demo 1.0\n");

    let index = Index::start(&[wheel]);
    context.new_named_venv("second");
    let arguments = ["add", "--venv", "second", "--no-index", "-f", &index.flat_url(), "demo"];
    context.virtpy(arguments).success().stdout_is(" + demo 1.0\n");
}

#[test]
fn no_index_asks_no_index() {
    let index = demo_index();
    let context = TestContext::new();
    context.new_venv();
    let output = context.add(&index, &["--no-index", "demo"]).one_error();
    assert!(output.raw_stderr.contains("demo"), "{}", output.dump());
    assert_eq!(index.requests(), Vec::<String>::new());
}

#[test]
fn the_first_index_that_knows_a_name_decides() {
    let main = demo_index();
    let extra = Index::start(&[
        WheelBuilder::new("internal", "1.0").build(),
        WheelBuilder::new("helper", "9.0").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    let output = context.add(&main, &["--extra-index-url", &extra.url(), "internal", "demo"]).success();
    output.stdout_has(" + internal 1.0\n").stdout_has(" + demo 2.0\n").stdout_has(" + helper 9.0\n");
}

#[test]
fn offline_uses_what_is_there_and_says_what_is_not() {
    let index = demo_index();
    let context = TestContext::new();
    context.new_named_venv("first");
    context.new_named_venv("second");
    context.add(&index, &["--venv", "first", "demo"]).success();
    index.forget_requests();
    let output = context.add(&index, &["--venv", "second", "--offline", "demo"]).success();
    output.stdout_is(" + demo 2.0\n + helper 3.0\n").stderr_has("2 from the store, 0 downloaded");
    context.add(&index, &["--venv", "second", "--offline", "absent"]).one_error().stderr_has("absent");
    assert_eq!(index.requests(), Vec::<String>::new());
}

#[test]
fn require_hashes_accepts_the_right_ones_only() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    let context = TestContext::new();
    context.new_venv();
    let (right, wrong) = (wheel.sha256(), "0".repeat(64));
    context.write("wrong.txt", &format!("demo==1.0 --hash=sha256:{wrong}\n"));
    context.write("none.txt", "demo==1.0\n");
    context.write("right.txt", &format!("demo==1.0 --hash=sha256:{wrong} --hash=sha256:{right}\n"));
    let (venv, store) = (context.venv_tree(".venv"), context.store_tree());
    for file in ["wrong.txt", "none.txt"] {
        context.add(&index, &["--require-hashes", "-r", file]).one_error().stderr_has("demo");
        venv.assert_unchanged(&context.venv_tree(".venv"), "the venv");
        store.assert_unchanged(&context.store_tree(), "the store");
    }
    context.add(&index, &["--require-hashes", "-r", "right.txt"]).success().stdout_is(" + demo 1.0\n");
}

#[test]
fn require_hashes_looks_at_what_the_store_holds_too() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    let context = TestContext::new();
    context.new_named_venv("first");
    context.new_named_venv("second");
    context.add(&index, &["--venv", "first", "demo"]).success();
    context.write("wrong.txt", &format!("demo==1.0 --hash=sha256:{}\n", "0".repeat(64)));
    context.add(&index, &["--venv", "second", "--require-hashes", "-r", "wrong.txt"]).one_error();
}

#[test]
fn hashes_in_a_file_are_checked_without_the_option_too() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.write("wrong.txt", &format!("demo==1.0 --hash=sha256:{}\n", "0".repeat(64)));
    context.add(&index, &["-r", "wrong.txt"]).one_error().stderr_has("demo");
}

#[test]
fn exclude_newer_goes_back_in_time() {
    let index = demo_index();
    index.upload_time("demo-2.0-py3-none-any.whl", "2024-06-01T00:00:00.000000Z");
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["--exclude-newer", "2024-03-01", "demo"]).success().stdout_has(" + demo 1.0\n");
    context.add(&index, &["--exclude-newer", "yesterday-ish", "demo"]).failure(2);
}

#[test]
fn no_binary_builds_and_only_binary_does_not() {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").file("demo/kind.py", "kind = 'wheel'\n").build(),
        SdistBuilder::new("demo", "1.0").build(),
        SdistBuilder::new("source-only", "1.0").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["--no-binary", "demo", "demo"]).success();
    let from_source = "import demo; print(hasattr(demo, '__path__'))";
    assert_eq!(
        context.eval(".venv", from_source),
        "False",
        "the source distribution holds a module, no package"
    );
    context.add(&index, &["--only-binary", ":all:", "source-only"]).one_error().stderr_has("source-only");
    context.add(&index, &["source-only"]).success();
}

#[test]
fn settings_of_pip_in_the_environment_are_read() {
    let index = demo_index();
    let mut context = TestContext::new();
    context.new_venv();
    context.set("PIP_INDEX_URL", index.url());
    context.virtpy(["add", "helper"]).success().stdout_is(" + helper 3.0\n");
}

#[test]
fn settings_of_uv_in_the_environment_are_read() {
    let index = demo_index();
    let mut context = TestContext::new();
    context.new_venv();
    context.set("UV_DEFAULT_INDEX", index.url());
    context.virtpy(["add", "helper"]).success().stdout_is(" + helper 3.0\n");
}

#[test]
fn settings_in_pips_configuration_file_are_read() {
    let index = demo_index();
    let mut context = TestContext::new();
    context.new_venv();
    let path = context.write("pip.conf", &format!("[global]\nindex-url = {}\n", index.url()));
    context.set("PIP_CONFIG_FILE", &path);
    context.virtpy(["add", "helper"]).success().stdout_is(" + helper 3.0\n");
    context.unset("PIP_CONFIG_FILE");
    let folder = context.home().join(".config/pip");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::rename(&path, folder.join("pip.conf")).unwrap();
    context.virtpy(["add", "demo"]).success().stdout_is(" + demo 2.0\n");
}

#[test]
fn credentials_of_netrc_are_used() {
    let index = demo_index();
    index.require_credentials("alice:s3cret");
    let context = TestContext::new();
    context.new_venv();
    let netrc = context.home().join(".netrc");
    std::fs::write(netrc, "machine 127.0.0.1\nlogin alice\npassword s3cret\n").unwrap();
    context.add(&index, &["helper"]).success().stdout_is(" + helper 3.0\n");
}

#[test]
fn quiet_prints_no_messages_and_verbose_prints_the_link_phase() {
    let index = demo_index();
    let context = TestContext::new();
    context.new_venv();
    let output = context.virtpy(["--quiet", "add", "--index-url", &index.url(), "helper"]).success();
    assert_eq!(output.raw_stderr, "");
    let output = context.virtpy(["--verbose", "add", "--index-url", &index.url(), "demo"]).success();
    assert!(output.stderr().contains("linked 1 distribution in [TIME]"), "{}", output.dump());
}

#[test]
fn colour_is_for_terminals_unless_told() {
    let index = demo_index();
    let context = TestContext::new();
    context.new_venv();
    let url = index.url();
    let piped = context.virtpy(["add", "--index-url", &url, "helper"]).success();
    assert!(!format!("{}{}", piped.raw_stdout, piped.raw_stderr).contains('\u{1b}'), "{}", piped.dump());
    let forced = context.virtpy(["--color", "always", "add", "--index-url", &url, "absent"]).failure(1);
    assert!(forced.raw_stderr.contains('\u{1b}'), "{}", forced.dump());
}
