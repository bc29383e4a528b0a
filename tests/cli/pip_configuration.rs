//! pip's options from variables and from `pip.conf`.

use crate::pip_shim::scene as empty_scene;
use crate::support::{Index, Output, TestContext, WheelBuilder};

/// A venv, and an index that nothing but the command line of [`install`] names.
fn scene() -> (TestContext, Index) {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").requires("helper").build(),
        WheelBuilder::new("helper", "1.0").build(),
        WheelBuilder::new("helper", "2.0").build(),
        WheelBuilder::new("helper", "3.0").build(),
        WheelBuilder::new("helper", "4.0rc1").build(),
    ]);
    let mut context = empty_scene();
    context.set("PIP_INDEX_URL", index.url());
    (context, index)
}

fn pip(context: &TestContext, line: &str) -> Output {
    let words: Vec<&str> = line.split_whitespace().collect();
    context.script(".venv", "pip", &words)
}

/// Installs, and tells what is there afterwards besides pip; the venv is empty again then.
fn installed(context: &TestContext, line: &str) -> String {
    pip(context, line).success();
    let found = pip(context, "list --format=freeze --exclude pip").success().raw_stdout;
    pip(context, "uninstall -y demo helper").success();
    found.lines().collect::<Vec<_>>().join(" ")
}

/// Writes the user's file.
fn configure(context: &TestContext, text: &str) {
    let folder = context.home().join(".config/pip");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("pip.conf"), text).unwrap();
}

#[test]
fn the_command_line_is_above_variables_and_those_above_files() {
    let (mut context, _index) = scene();
    configure(&context, "[global]\nno-deps = true\n");
    assert_eq!(installed(&context, "install demo"), "demo==1.0");
    configure(&context, "[install]\nno-deps = false\n[global]\nno_dependencies = true\n");
    assert_eq!(installed(&context, "install demo"), "demo==1.0 helper==3.0");
    context.set("PIP_NO_DEPS", "on");
    assert_eq!(installed(&context, "install demo"), "demo==1.0");
    configure(&context, "[list]\nformat = json\n[freeze]\nall = yes\n");
    pip(&context, "list").success().stdout_has("[{\"name\"");
    pip(&context, "freeze").success().stdout_has("pip==");
    context.set("PIP_FORMAT", "freeze");
    pip(&context, "list").success().stdout_has("pip==");
    pip(&context, "list --format columns").success().stdout_has("Package Version");
}

#[test]
fn files_of_requirements_and_constraints_add_up() {
    let (mut context, _index) = scene();
    context.write("two.txt", "helper<3\n");
    context.write("one.txt", "helper<2\n");
    context.write("wanted.txt", "demo\n");
    configure(&context, "[install]\nconstraint =\n    two.txt\n");
    assert_eq!(installed(&context, "install demo"), "demo==1.0 helper==2.0");
    assert_eq!(installed(&context, "install -c one.txt demo"), "demo==1.0 helper==1.0");
    // A variable takes the place of what the files say.
    context.set("PIP_CONSTRAINT", "two.txt one.txt");
    assert_eq!(installed(&context, "install demo"), "demo==1.0 helper==1.0");
    context.unset("PIP_CONSTRAINT");
    configure(&context, "[install]\nrequirement = wanted.txt\n");
    assert_eq!(installed(&context, "install"), "demo==1.0 helper==3.0");
    // A single value is not split.
    configure(&context, "[install]\nreport = a report.json\n");
    assert_eq!(installed(&context, "install helper"), "helper==3.0");
    assert!(context.path("a report.json").is_file());
    configure(&context, "[install]\nbuild-constraint = absent.txt\n");
    pip(&context, "install helper").failure(1).stderr_has("absent.txt");
}

#[test]
fn what_is_installed_follows_the_configuration() {
    let (mut context, _index) = scene();
    for (variable, value, expected) in [
        ("PIP_PRE", "1", "helper==4.0rc1"),
        ("PIP_PRE", "0", "helper==3.0"),
        ("PIP_QUIET", "2", "helper==3.0"),
        ("PIP_REQUIRE_VIRTUALENV", "true", "helper==3.0"),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1", "helper==3.0"),
        ("PIP_DEFAULT_TIMEOUT", "7.5", "helper==3.0"),
        ("PIP_NO_BUILD_ISOLATION", "false", "helper==3.0"),
        ("PIP_USER", "0", "helper==3.0"),
    ] {
        context.set(variable, value);
        assert_eq!(installed(&context, "install helper"), expected, "{variable}={value}");
        context.unset(variable);
    }
    configure(&context, "[install]\nuser = true\n");
    pip(&context, "install helper").failure(1).stderr_has("Can not perform a '--user' install");
    assert_eq!(installed(&context, "install --no-user helper"), "helper==3.0");
    configure(&context, "[install]\nrequire-hashes = true\n");
    pip(&context, "install helper").failure(1).stderr_has("hash");
    configure(&context, "[install]\nupgrade = true\nupgrade-strategy = eager\n[global]\nquiet = true\n");
    pip(&context, "install --no-deps helper==1.0 demo").success().stdout_is("");
    pip(&context, "install demo").success().stdout_is("");
    configure(&context, "[uninstall]\nyes = true\n");
    pip(&context, "uninstall helper").success().stdout_has("Successfully uninstalled helper-3.0\n");
}

#[test]
fn each_command_has_its_own_indexes() {
    let (mut context, index) = scene();
    pip(&context, "install helper==1.0").success();
    context.unset("PIP_INDEX_URL");
    let nowhere = "http://127.0.0.1:9/simple";
    configure(&context, &format!("[install]\nindex-url = {nowhere}\n[list]\nindex-url = {}\n", index.url()));
    pip(&context, "list -o").success().stdout_has("helper  1.0     3.0    wheel\n");
    context.set("PIP_PRE", "1");
    pip(&context, "list -o").success().stdout_has("helper  1.0     4.0rc1 wheel\n");
    context.unset("PIP_PRE");
    configure(
        &context,
        &format!("[global]\nindex-url = {nowhere}\n[install]\nindex-url = {}\n", index.url()),
    );
    pip(&context, "install -U helper").success().stdout_has("Successfully installed helper-3.0\n");
    configure(
        &context,
        &format!("[global]\nno-index = yes\nfind-links = {}\n", context.path("wheels").display()),
    );
    WheelBuilder::new("local", "1.0").build().write_to(&context.path("wheels"));
    pip(&context, "install local").success().stdout_has("Successfully installed local-1.0\n");
}

#[test]
fn a_venv_has_a_file_of_its_own_and_a_named_one_takes_the_place_of_the_users() {
    let (mut context, index) = scene();
    context.unset("PIP_INDEX_URL");
    let file = context.path(".venv/pip.conf");
    std::fs::write(&file, format!("[global]\nindex-url = {}\n", index.url())).unwrap();
    configure(&context, "[install]\nno-deps = yes\n[global]\nindex-url = http://127.0.0.1:9/simple\n");
    assert_eq!(installed(&context, "install demo"), "demo==1.0");
    context.set("PIP_CONFIG_FILE", context.write("named.conf", "[global]\nquiet = 1\n"));
    assert_eq!(installed(&context, "install demo"), "demo==1.0 helper==3.0");
    pip(&context, "install demo").success().stdout_is("");
    context.unset("PIP_CONFIG_FILE");
    // Isolated: neither variables nor the user's file.
    context.set("PIP_CONSTRAINT", "absent.txt");
    assert_eq!(installed(&context, "--isolated install demo"), "demo==1.0 helper==3.0");
    context.unset("PIP_CONSTRAINT");
    context.set("PIP_CONFIG_FILE", "/dev/null");
    pip(&context, "--isolated --retries 0 install --no-index demo").failure(1);
}

#[test]
fn what_makes_no_sense_is_told_in_pips_words() {
    let (mut context, _index) = scene();
    for (variable, value, code, message) in [
        (
            "PIP_NO_DEPS",
            "perhaps",
            2,
            "perhaps is not a valid value for no-deps option, please specify a boolean",
        ),
        (
            "PIP_QUIET",
            "-1",
            2,
            "-1 is not a valid value for quiet option, please instead specify either a non-negative",
        ),
        (
            "PIP_RETRIES",
            "many",
            3,
            "An error occurred during configuration: option retries: invalid integer value: 'many'",
        ),
        ("PIP_UPGRADE_STRATEGY", "all", 3, "option upgrade-strategy: invalid choice: 'all' (choose from"),
        ("PIP_CONFIG_FILE", "wrong.conf", 2, "line 1 is not an option: `nonsense`"),
    ] {
        context.write("wrong.conf", "nonsense\n");
        context.set(variable, value);
        pip(&context, "install helper").failure(code).stderr_has(message);
        context.unset(variable);
    }
    // What another command has is no matter here.
    context.set("PIP_FORMAT", "xml");
    pip(&context, "install --no-deps demo").success();
    pip(&context, "list").failure(3).stderr_has("option format: invalid choice: 'xml'");
}

#[test]
fn another_environment_can_be_configured() {
    let (mut context, _index) = scene();
    context.new_named_venv("other");
    context.set("PIP_PYTHON", context.path("other/bin/python"));
    pip(&context, "install helper").success();
    pip(&context, "freeze").success().stdout_is("helper==3.0\n");
    context.unset("PIP_PYTHON");
    pip(&context, "freeze").success().stdout_is("");
}
