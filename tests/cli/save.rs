//! `add --save` and `remove --save`: the project's file, its lock and its venv change together.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Fault, Index, Output, SdistBuilder, TestContext, WheelBuilder};

const PROJECT: &str = "[project]\nname = \"demo\"\nversion = \"1\"\nrequires-python = \">=3.9\"\ndependencies = [\n    # Colours.\n    \"rich\",\n]\n";

fn index() -> Index {
    Index::start(&[
        WheelBuilder::new("rich", "14.0").requires("pygments").build(),
        WheelBuilder::new("pygments", "2.19").build(),
        WheelBuilder::new("httpx", "0.27").requires("idna").build(),
        WheelBuilder::new("httpx", "0.28").requires("idna").build(),
        WheelBuilder::new("idna", "3.10").build(),
        WheelBuilder::new("extra-thing", "1.0").requires("idna").build(),
        WheelBuilder::new("broken", "1.0").requires("absent>=9").build(),
    ])
}

fn run(context: &TestContext, index: &Index, arguments: &[&str]) -> Output {
    context.run(context.virtpy_command(arguments).env("PIP_INDEX_URL", index.url()))
}

fn names(context: &TestContext) -> Vec<String> {
    let listed = context.virtpy(["freeze", "--venv", ".venv"]).success();
    listed
        .stdout()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once("==")?.0.to_owned()))
        .collect()
}

#[test]
fn what_is_added_is_recorded_locked_and_installed() {
    let (index, context) = (index(), TestContext::new());
    context.write("pyproject.toml", PROJECT);
    run(&context, &index, &["add", "--save", "httpx"]).success().stderr_has("Recorded `httpx>=0.28`");
    let with_httpx = PROJECT.replace("    # Colours.\n", "    \"httpx>=0.28\",\n    # Colours.\n");
    assert_eq!(context.read("pyproject.toml"), with_httpx);
    assert!(context.read("pylock.toml").contains("\"idna\""));
    assert_eq!(names(&context), ["httpx", "idna", "pygments", "rich"]);
    // The lock is of this very file.
    run(&context, &index, &["lock", "--check"]).success();

    // To the sufficient extent: what a plain `add` installed stays, and what needs a package keeps it.
    run(&context, &index, &["add", "extra-thing"])
        .success()
        .stderr_has("`virtpy add --save extra-thing` records it");
    run(&context, &index, &["add", "--save", "--dev", "--exact", "pygments"]).success();
    assert!(context.read("pyproject.toml").ends_with("\n[dependency-groups]\ndev = [\"pygments==2.19\"]\n"));
    assert!(names(&context).contains(&"extra-thing".to_owned()));

    run(&context, &index, &["remove", "--save", "HTTPX"])
        .success()
        .stderr_has("Took `HTTPX` out of the dependencies");
    let text = context.read("pyproject.toml");
    assert!(!text.contains("httpx") && text.contains("# Colours.\n    \"rich\","), "{text}");
    assert!(!context.read("pylock.toml").contains("httpx"));
    assert_eq!(names(&context), ["extra-thing", "idna", "pygments", "rich"], "idna is needed");
}

#[test]
fn who_is_interrupted_finds_all_three_as_they_were() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let (index, context) = (index(), TestContext::new());
        context.write("pyproject.toml", PROJECT);
        run(&context, &index, &["add", "--save", "extra-thing"]).success();
        let before = (context.read("pyproject.toml"), context.read("pylock.toml"), names(&context));
        index.fault("httpx-0.28-py3-none-any.whl", Fault::Slow(Duration::from_secs(20)));
        let mut command = context.virtpy_command(["add", "--save", "httpx"]);
        let child = command.env("PIP_INDEX_URL", index.url()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while !context.read("pylock.toml").contains("httpx") {
            assert!(begun.elapsed() < Duration::from_mins(1), "nothing was locked");
            std::thread::sleep(Duration::from_millis(20));
        }
        context.run(context.command("kill").args([signal, &child.id().to_string()])).success();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("Interrupted: nothing was changed"), "{told}");
        assert_eq!((context.read("pyproject.toml"), context.read("pylock.toml"), names(&context)), before);
    }
}

#[test]
fn the_ends_of_lines_and_what_a_requirement_says_besides_stay() {
    let (index, context) = (index(), TestContext::new());
    let text = "\u{feff}[project]\r\nname = \"demo\"\r\nversion = \"1\"\r\nrequires-python = \">=3.9\"\r\n\
                dependencies = [\"httpx>=0.20,<0.28; os_name == 'posix'\"]\r\n";
    context.write("pyproject.toml", text);
    run(&context, &index, &["add", "--save", "httpx", "rich"]).success();
    let expected = text.replace("'posix'\"", "'posix'\", \"rich>=14.0\"");
    assert_eq!(context.read("pyproject.toml"), expected);
    run(&context, &index, &["remove", "--save", "rich"]).success();
    assert_eq!(context.read("pyproject.toml"), text);
}

#[test]
fn a_failure_leaves_all_three_as_they_were() {
    let (index, context) = (index(), TestContext::new());
    context.write("pyproject.toml", PROJECT);
    run(&context, &index, &["add", "--save", "--no-bounds", "httpx<0.28"]).success();
    let before = (context.read("pyproject.toml"), context.read("pylock.toml"), names(&context));
    let is_as_before =
        || (context.read("pyproject.toml"), context.read("pylock.toml"), names(&context)) == before;
    for arguments in [
        ["add", "--save", "broken"].as_slice(),
        &["add", "--save", "nowhere"],
        &["add", "--save", "--dev", "httpx==9"],
        &["add", "--save", "./local"],
        &["remove", "--save", "pygments"],
        &["remove", "--save", "--group", "dev", "rich"],
    ] {
        let refused = run(&context, &index, arguments);
        assert_ne!(refused.code, Some(0), "{}", refused.dump());
        assert!(is_as_before(), "{}", refused.dump());
    }
    // The venv is the last: one that another process holds, or that cannot be had, puts the files back too.
    let refused = run(&context, &index, &["add", "--save", "extra-thing", "--venv", "pyproject.toml"]);
    assert_ne!(refused.code, Some(0), "{}", refused.dump());
    assert!(is_as_before(), "{}", refused.dump());
    run(&context, &index, &["remove", "--save", "--group", "dev", "rich"])
        .failure(1)
        .stderr_has("leave `--group`");
    run(&context, &index, &["add", "--save", "--dry-run", "idna"])
        .success()
        .stderr_has("Would record `idna`");
    assert!(is_as_before());
}

#[test]
fn projects_of_other_tools_are_theirs() {
    for (lock, tool) in [("poetry.lock", "poetry"), ("uv.lock", "uv"), ("pdm.lock", "pdm")] {
        let (index, context) = (index(), TestContext::new());
        context.write("pyproject.toml", PROJECT);
        context.write(lock, "");
        run(&context, &index, &["add", "--save", "httpx"]).failure(1).stderr_has(&format!("use `{tool}`"));
        assert_eq!(context.read("pyproject.toml"), PROJECT);
    }
    let (index, context) = (index(), TestContext::new());
    context.write("pyproject.toml", "[tool.poetry]\nname = \"demo\"\n");
    run(&context, &index, &["add", "--save", "httpx"]).failure(1).stderr_has("neither `[project]`");
    let none = TestContext::new();
    run(&none, &index, &["add", "--save", "httpx"]).failure(1).stderr_has("there is no `pyproject.toml`");
}

#[test]
fn the_setting_records_by_default_and_extras_are_found_in_any_spelling() {
    let (index, context) = (index(), TestContext::new());
    context
        .write("pyproject.toml", &format!("{PROJECT}\n[project.optional-dependencies]\nWeb_Client = []\n"));
    let saving = |arguments: &[&str]| {
        let mut command = context.virtpy_command(arguments);
        context.run(command.env("PIP_INDEX_URL", index.url()).env("VIRTPY_PROJECT_SAVE", "1"))
    };
    saving(&["add", "httpx", "--extra", "web-client", "--no-sync"]).success();
    assert!(context.read("pyproject.toml").ends_with("Web_Client = [\"httpx>=0.28\"]\n"));
    saving(&["add", "idna"]).success();
    assert!(context.read("pyproject.toml").contains("\"idna>=3.10\""));
    let before = context.read("pyproject.toml");
    saving(&["add", "extra-thing", "--no-save"]).success();
    assert_eq!(context.read("pyproject.toml"), before);
    saving(&["remove", "idna"]).success();
    assert!(!context.read("pyproject.toml").contains("idna"));
    assert!(names(&context).contains(&"extra-thing".to_owned()));
}

#[test]
fn a_project_is_begun_in_a_directory_whose_name_is_none_for_it() {
    let context = TestContext::new();
    std::fs::create_dir(context.path("my shop")).unwrap();
    let init = |arguments: &[&str]| {
        let mut command = context.virtpy_command([&["init", "--backend", "none"], arguments].concat());
        context.run(command.current_dir(context.path("my shop")))
    };
    init(&[]).failure(2).stderr_has("`my shop` cannot be the name").stderr_has("`--name`");
    init(&["--name", "shop"]).success();
    assert!(context.read("my shop/pyproject.toml").contains("name = \"shop\""));
    init(&["../other/."]).success();
    assert!(context.read("other/pyproject.toml").contains("name = \"other\""));
}

#[test]
fn a_project_is_begun_and_added_to() {
    let (index, context) = (index(), TestContext::new());
    run(&context, &index, &["init", "demo", "--backend", "none"])
        .success()
        .stderr_has("Wrote `demo/pyproject.toml`");
    run(&context, &index, &["init", "demo"]).failure(1).stderr_has("is there already");
    let mut command = context.virtpy_command(["add", "--save", "httpx"]);
    let added =
        context.run(command.env("PIP_INDEX_URL", index.url()).current_dir(context.root().join("work/demo")));
    added.success();
    assert!(context.read("demo/pyproject.toml").contains("dependencies = [\"httpx>=0.28\"]"));
}

/// What a build backend does: the metadata's requirements are those of `pyproject.toml`.
const READING_BACKEND: &str = r#"
import re
_written = _settings


def _settings():
    with open(os.path.join(HERE, "pyproject.toml"), encoding="utf-8") as file:
        listed = re.search(r"^dependencies = \[(.*?)\]", file.read(), re.S | re.M).group(1)
    return dict(_written(), requires=re.findall(r'"([^"]+)"', listed))
"#;

#[test]
fn a_project_that_is_installed_in_place_forgets_what_it_no_longer_requires() {
    let (index, context) = (index(), TestContext::new());
    SdistBuilder::new("demo", "1").write_folder(&context.path(""));
    let backend = context.read("backend.py");
    context.write("backend.py", &(backend + READING_BACKEND));
    let build = context.read("pyproject.toml");
    context.write("pyproject.toml", &format!("[project]\nname = \"demo\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = []\n\n{build}"));
    run(&context, &index, &["add", "--save", "httpx", "rich"]).success();
    assert_eq!(names(&context), ["httpx", "idna", "pygments", "rich"]);
    run(&context, &index, &["remove", "--save", "httpx"]).success();
    assert_eq!(names(&context), ["pygments", "rich"]);
    context.virtpy(["check", "--venv", ".venv"]).success();
}

#[test]
fn what_somebody_added_by_its_name_stays_when_the_lock_loses_it() {
    let (index, context) = (index(), TestContext::new());
    context.write("pyproject.toml", PROJECT);
    context.virtpy(["new"]).success();
    run(&context, &index, &["add", "idna"]).success();
    run(&context, &index, &["add", "--save", "httpx", "extra-thing"]).success();
    run(&context, &index, &["remove", "--save", "httpx"]).success();
    assert_eq!(names(&context), ["extra-thing", "idna", "pygments", "rich"]);
    run(&context, &index, &["remove", "--save", "extra-thing"]).success();
    assert_eq!(names(&context), ["idna", "pygments", "rich"]);
}

#[test]
fn a_project_file_that_is_a_link_stays_one_and_nothing_is_written_through_one_that_leads_away() {
    let (index, context) = (index(), TestContext::new());
    context.write("elsewhere/settings.toml", PROJECT);
    context.write("project/settings.toml", PROJECT);
    let link = context.path("project/pyproject.toml");
    let add = |name: &str| {
        let mut command = context.virtpy_command(["add", "--save", name]);
        command.current_dir(context.path("project")).env("PIP_INDEX_URL", index.url());
        context.run(&mut command)
    };
    std::os::unix::fs::symlink("settings.toml", &link).unwrap();
    add("httpx").success();
    assert!(link.is_symlink());
    assert!(context.read("project/settings.toml").contains("\"httpx>=0.28\""));
    assert!(context.read("project/pylock.toml").contains("\"idna\""));

    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("../elsewhere/settings.toml", &link).unwrap();
    let lock = context.read("project/pylock.toml");
    add("extra-thing").failure(1).stderr_has("is a link to");
    assert_eq!(context.read("elsewhere/settings.toml"), PROJECT);
    assert_eq!(context.read("project/pylock.toml"), lock);
    assert!(!context.path("elsewhere/pylock.toml").exists());
}

#[test]
fn two_versions_of_one_package_are_not_recorded_as_one() {
    let (index, context) = (index(), TestContext::new());
    context.write("pyproject.toml", PROJECT);
    run(&context, &index, &["add", "--save", "httpx<0.28", "HTTPX>0.1"])
        .failure(2)
        .stderr_has("`httpx<0.28` and `HTTPX>0.1` cannot both be recorded");
    assert_eq!(context.read("pyproject.toml"), PROJECT);
    let by_marker = [
        "add",
        "--save",
        "httpx<0.28; python_version < '3'",
        "httpx>0.1; python_version >= '3'",
        "idna",
        "idna",
    ];
    run(&context, &index, &by_marker).success();
}

#[test]
fn the_hint_about_a_name_that_no_index_has_is_about_the_name() {
    let (index, context) = (index(), TestContext::new());
    context.write("pyproject.toml", PROJECT);
    run(&context, &index, &["add", "--save", "--extra", "x", "idna"]).success();
    let missing = run(&context, &index, &["add", "--save", "nowhere-at-all"]).failure(1).one_error();
    let missing = missing.stderr_has("look at the spelling");
    assert!(!missing.raw_stderr.contains("environment"), "{}", missing.raw_stderr);
}

#[test]
fn what_excludes_what_is_told_of_a_project_as_of_any_package() {
    let (index, context) = (index(), TestContext::new());
    index.add(&WheelBuilder::new("demo", "7.7").build());
    let builds = "[build-system]\nrequires = []\nbuild-backend = \"none\"\n[project.optional-dependencies]\nx = [\"idna\"]\n";
    context.write("pyproject.toml", &(PROJECT.to_owned() + builds));
    let failed = |spec: &str| run(&context, &index, &["add", "--save", spec]).failure(1).one_error();
    let told = failed("pygments<1").stderr_has("demo 1 requires pygments<1");
    assert!(!told.raw_stderr.contains("7.7"), "another package has the project's name\n{}", told.raw_stderr);
    assert!(!told.raw_stderr.contains("environment"), "{}", told.raw_stderr);
    failed("pygments<1; sys_platform == 'linux'").stderr_has("pygments<1 (where sys_platform == 'linux')");
}

#[test]
fn a_file_that_is_no_project_yet_is_told_how_to_become_one() {
    let (index, context) = (index(), TestContext::new());
    context.write("pyproject.toml", "[tool.black]\n");
    let table = "a table `[project]` with `name` and `version`";
    run(&context, &index, &["init"]).failure(1).one_error().stderr_has(table);
    run(&context, &index, &["add", "--save", "idna"]).failure(1).one_error().stderr_has(table);
    context.write("pyproject.toml", "[dependency-groups]\ndev = []\n");
    run(&context, &index, &["add", "--save", "idna"])
        .failure(1)
        .one_error()
        .stderr_has("`--dev` or `--group NAME`");
    run(&context, &index, &["add", "--dev", "idna"]).success();
}
