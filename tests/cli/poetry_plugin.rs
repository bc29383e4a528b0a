//! `virtpy poetry`: the plugin goes into a Poetry and out of it, and what it asks for is done.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Artifact, Output, TestContext, Tree, WheelBuilder};

/// An environment with something in it that looks like this version of Poetry.
fn poetry(context: &TestContext, name: &str, version: &str) -> String {
    context.virtpy(["new", name, "--link-mode", "copy", "--no-pip-shim"]).success();
    let site = context.site_packages(name);
    let about = format!("Metadata-Version: 2.1\nName: poetry\nVersion: {version}\n");
    context.write(&format!("{site}/poetry-{version}.dist-info/METADATA"), &about);
    let python = context.path(&format!("{name}/bin/python"));
    let command = context.write(&format!("{name}/bin/poetry"), &format!("#!{}\n", python.display()));
    command.to_string_lossy().into_owned()
}

fn plugin_files(context: &TestContext, name: &str) -> Vec<String> {
    let tree = Tree::of(&context.path(&context.site_packages(name)));
    tree.0.keys().filter(|path| path.starts_with("poetry_plugin_virtpy")).cloned().collect()
}

#[test]
fn the_plugin_goes_in_and_out_without_trace() {
    let context = TestContext::new();
    let command = poetry(&context, "tool", "2.5.1");
    let before = Tree::of(&context.path("tool"));
    context.virtpy(["poetry", "status", &command]).success().stdout_has("not enabled");
    context.virtpy(["poetry", "enable", &command]).success().stderr_has("has the plugin now");
    let status = context.virtpy(["poetry", "status", "tool", "--json"]).success();
    assert_eq!(status.json()[0]["plugin"], "enabled");
    assert_eq!(status.json()[0]["version"], "2.5.1");
    let found = context.eval(
        "tool",
        "import importlib.metadata as m, pathlib; d = m.distribution('poetry-plugin-virtpy'); \
         print([e.value for e in d.entry_points], all(f.locate().exists() for f in d.files))",
    );
    assert_eq!(found, "['poetry_plugin_virtpy.plugin:VirtpyPlugin'] True");
    // Running it leaves bytecode.
    context.eval("tool", "import poetry_plugin_virtpy.program as p; print(p.find())");

    context.virtpy(["poetry", "enable", &command]).success().stderr_has("already");
    context.virtpy(["poetry", "disable", &command]).success().stderr_has("no longer");
    before.assert_unchanged(&Tree::of(&context.path("tool")), "Poetry's environment");
    context.virtpy(["poetry", "disable", &command]).success().stderr_has("does not have");
}

#[test]
fn the_plugin_knows_the_program_that_put_it_there() {
    let context = TestContext::new();
    let command = poetry(&context, "tool", "2.0.0");
    context.virtpy(["poetry", "enable", &command]).success();
    let found = context.eval("tool", "import poetry_plugin_virtpy.program as p; print(p.find())");
    assert_eq!(found, std::fs::canonicalize(env!("CARGO_BIN_EXE_virtpy")).unwrap().display().to_string());
    let site = context.site_packages("tool");
    context.write(&format!("{site}/poetry_plugin_virtpy/executable.txt"), "/nowhere/virtpy\n");
    context.virtpy(["poetry", "status", &command]).success().stdout_has("renew it");
    assert_eq!(context.eval("tool", "import poetry_plugin_virtpy.program as p; print(p.find())"), "None");
    context.virtpy(["poetry", "enable", &command]).success();
    context.virtpy(["poetry", "status", &command]).success().stdout_has(": enabled\n");
}

#[test]
fn every_poetry_of_the_machine_is_found() {
    let mut context = TestContext::new();
    let on_path = context.path("tool/bin");
    poetry(&context, "tool", "2.5.1");
    let pipx = context.home().join(".local/share/pipx/venvs/poetry");
    poetry(&context, &pipx.to_string_lossy(), "1.8.5");
    context.set("PATH", format!("{}:/usr/bin:/bin", on_path.display()));
    let status = context.virtpy(["poetry", "status", "--json"]).success();
    let versions: Vec<_> =
        status.json().as_array().unwrap().iter().map(|one| one["version"].clone()).collect();
    assert_eq!(versions, ["2.5.1", "1.8.5"]);
    let old = context.home().join(".local/share/pypoetry/venv");
    poetry(&context, &old.to_string_lossy(), "1.5.0");
    context.virtpy(["poetry", "enable"]).success().stderr_has("Poetry 1.5.0").stderr_has("was left as it is");
    assert!(!plugin_files(&context, "tool").is_empty());
    context.virtpy(["poetry", "disable"]).success();
    assert!(plugin_files(&context, "tool").is_empty());
}

#[test]
fn what_is_no_poetry_for_it_is_left_alone() {
    let context = TestContext::new();
    context.virtpy(["poetry", "status"]).failure(1).stderr_has("no Poetry was found");
    poetry(&context, "old", "1.7.1");
    context.virtpy(["poetry", "enable", "old"]).failure(1).stderr_has("does not fit Poetry 1.7.1");
    assert!(plugin_files(&context, "old").is_empty());
    context.virtpy(["new", "other"]).success();
    context.virtpy(["poetry", "enable", "other"]).failure(1).stderr_has("no package `poetry`");
    context
        .virtpy(["poetry", "enable", "nowhere"])
        .failure(1)
        .stderr_has("no command `nowhere` on PATH, and no directory of that name");

    poetry(&context, "tool", "2.5.1");
    let site = context.site_packages("tool");
    let about = "Metadata-Version: 2.1\nName: poetry-plugin-virtpy\nVersion: 0.0.1\n";
    context.write(&format!("{site}/poetry_plugin_virtpy-0.0.1.dist-info/METADATA"), about);
    context.write(&format!("{site}/poetry_plugin_virtpy-0.0.1.dist-info/INSTALLER"), "pip\n");
    for verb in ["enable", "disable"] {
        let output = context.virtpy(["poetry", verb, "tool"]).failure(1);
        output.stderr_has("was put there by `pip`").stderr_has("poetry self remove");
    }
    context.virtpy(["poetry", "status", "tool"]).success().stdout_has("version 0.0.1 put there by `pip`");
}

#[test]
fn the_plugins_wheel_is_always_the_same_and_can_be_installed() {
    let context = TestContext::new();
    let first = context.virtpy(["poetry", "plugin-wheel", "one"]).success().raw_stdout;
    let second = context.virtpy(["poetry", "plugin-wheel", "two"]).success().raw_stdout;
    assert_eq!(std::fs::read(first.trim()).unwrap(), std::fs::read(second.trim()).unwrap());
    context.new_venv();
    context.virtpy(["add", "--no-index", first.trim()]).success();
    let found = context.eval(".venv", "import poetry_plugin_virtpy.program as p; print(p.find())");
    assert_eq!(found, "None", "the wheel names a program of the machine it was made on");
}

/// Runs `virtpy poetry apply` as the plugin does.
fn apply(context: &TestContext, wish: &serde_json::Value) -> Output {
    let mut command = context.virtpy_command(["poetry", "apply", "--venv", ".venv"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(wish.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    context.output_of("virtpy poetry apply", &output)
}

fn wheel(context: &TestContext, artifact: &Artifact) -> String {
    artifact.write_to(&context.path("dist")).to_string_lossy().into_owned()
}

#[test]
fn what_poetry_collected_is_done_in_one_change() {
    let context = TestContext::new();
    context.new_venv();
    let old = wheel(&context, &WheelBuilder::new("gone", "1.0").build());
    apply(&context, &serde_json::json!({"install": [{"wheel": old}], "remove": []})).success();
    let new = wheel(&context, &WheelBuilder::new("here", "1.0").build());
    let broken =
        wheel(&context, &WheelBuilder::new("broken", "1.0").defect(crate::support::Defect::NoRecord).build());
    let foreign = wheel(&context, &WheelBuilder::new("foreign", "1.0").tag("cp33-cp33m-win_amd64").build());
    let direct_url = r#"{"url": "file:///x", "dir_info": {}}"#;
    let wish = serde_json::json!({
        "install": [
            {"wheel": new, "origin": "http://127.0.0.1:1/here-1.0-py3-none-any.whl", "direct_url": direct_url},
            {"wheel": broken},
            {"wheel": foreign},
        ],
        "remove": ["Gone", "never-there"],
    });
    let answer = apply(&context, &wish).success().json();
    assert_eq!(answer["added"][0]["name"], "here");
    assert_eq!(answer["removed"][0]["name"], "gone");
    let refused = answer["refused"].as_array().unwrap();
    let reason =
        |wheel: &str| refused.iter().find(|one| one["wheel"] == wheel).unwrap()["reason"].to_string();
    assert!(reason(&broken).contains("RECORD"), "{answer}");
    assert!(reason(&foreign).contains("is for CPython 3.3 on Windows x86_64"), "{answer}");
    let found = context.eval(
        ".venv",
        "import importlib.metadata as m; d = m.distribution('here'); \
         print(d.read_text('direct_url.json'), [str(f) for f in d.files if 'direct' in str(f)])",
    );
    assert_eq!(found, format!("{direct_url} ['here-1.0.dist-info/direct_url.json']"));
    assert_eq!(answer["notes"], serde_json::json!([]));
    context.virtpy(["check"]).success().stdout_is("");
    context.assert_no_leftovers();
    apply(&context, &serde_json::json!(1)).failure(2).stderr_has("not what Poetry's plugin sends");
}

#[test]
fn the_venvs_own_pip_stays() {
    let mut context = TestContext::new();
    context.unset("VIRTPY_PIP_SHIM");
    context.new_venv();
    let tree = || Tree::of(&context.path(".venv")).without(&[".virtpy"]);
    let before = tree();
    let other = wheel(&context, &WheelBuilder::new("pip", "24.0").console_script("pip").build());
    for wish in [
        serde_json::json!({"install": [{"wheel": other}], "remove": []}),
        serde_json::json!({"install": [], "remove": ["pip"]}),
    ] {
        let answer = apply(&context, &wish).success().json();
        assert_eq!(
            (answer["added"].as_array().unwrap().len(), answer["removed"].as_array().unwrap().len()),
            (0, 0)
        );
        assert!(answer["notes"][0].as_str().unwrap().starts_with("pip is virtpy's own here"), "{answer}");
        before.assert_unchanged(&tree(), "the venv");
    }
}

#[test]
fn files_that_two_wheels_have_are_told() {
    let context = TestContext::new();
    context.new_venv();
    let of = |name: &str| wheel(&context, &WheelBuilder::new(name, "1.0").file("shared.py", name).build());
    let wish = serde_json::json!({
        "install": [{"wheel": of("one")}, {"wheel": of("two")}],
        "remove": [],
    });
    apply(&context, &wish).success().stderr_has("`lib/").stderr_has("shared.py` is in both one and two");
}
