//! `virtpy enable`, `disable`, `status`: virtpy's plugins go into other tools, are found there, and go without trace; and what
//! virtualenv's plugin calls makes a venv of virtpy's.

use std::fmt::Write as _;
use std::path::Path;

use crate::support::{Index, TestContext, Tree, WheelBuilder};

/// An environment that has something that looks like this tool, and a virtualenv of this version.
fn tool(context: &TestContext, name: &str, tool: &str, virtualenv: &str) -> String {
    context.virtpy(["new", name, "--link-mode", "copy", "--no-pip-shim"]).success();
    let site = context.site_packages(name);
    for (distribution, version) in [(tool, "4.9"), ("virtualenv", virtualenv)] {
        let about = format!("Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n");
        let folder = format!("{}-{version}.dist-info", distribution.replace('-', "_"));
        context.write(&format!("{site}/{folder}/METADATA"), &about);
    }
    let python = context.path(&format!("{name}/bin/python"));
    let command = context.write(&format!("{name}/bin/{tool}"), &format!("#!{}\n", python.display()));
    command.to_string_lossy().into_owned()
}

fn plugin(context: &TestContext, name: &str) -> String {
    context.virtpy(["status", name, "--json"]).success().json()[0]["plugin"].as_str().unwrap().to_owned()
}

#[test]
fn the_plugin_goes_in_and_out_without_trace() {
    let context = TestContext::new();
    for name in ["tox", "nox", "hatch", "pre-commit"] {
        let command = tool(&context, name, name, "21.0.1");
        let before = Tree::of(&context.path(name));
        context.virtpy(["status", &command]).success().stdout_has("not enabled");
        context
            .virtpy(["enable", &command])
            .success()
            .stderr_has("has the plugin now: the venvs that it makes");
        assert_eq!(plugin(&context, &command), "enabled");
        let found = context.eval(
            name,
            "import importlib.metadata as m, pathlib; d = m.distribution('virtualenv-virtpy'); \
             print([(e.group, e.value) for e in d.entry_points], all(f.locate().exists() for f in d.files))",
        );
        assert_eq!(found, "[('virtualenv.seed', 'virtualenv_virtpy.seeder:VirtpySeeder')] True");
        // Without a virtualenv that it knows it is loaded all the same, and does nothing.
        let program = context.eval(name, "import virtualenv_virtpy.seeder as s; print(s.program.find())");
        assert_eq!(
            program,
            std::fs::canonicalize(env!("CARGO_BIN_EXE_virtpy")).unwrap().display().to_string()
        );

        context.virtpy(["enable", &command]).success().stderr_has("already");
        context.virtpy(["disable", &command]).success().stderr_has("no longer");
        before.assert_unchanged(&Tree::of(&context.path(name)), name);
        context.virtpy(["disable", &command]).success().stderr_has("does not have");
    }
}

#[test]
fn every_installation_of_the_machine_is_found() {
    let mut context = TestContext::new();
    tool(&context, "on-path", "tox", "20.26.0");
    let data = context.home().join(".local/share");
    for place in ["pipx/venvs/tox4", "pipx/venvs/tox@old", "uv/tools/tox"] {
        tool(&context, &data.join(place).to_string_lossy(), "tox", "21.2");
    }
    // Named after the tool in part only.
    tool(&context, &data.join("pipx/venvs/toxic").to_string_lossy(), "tox", "21.2");
    let own = WheelBuilder::new("tox", "4.9").requires("virtualenv").console_script("tox");
    let index = Index::start(&[own.build(), WheelBuilder::new("virtualenv", "21.0").build()]);
    context.virtpy(["install", "tox", "--index-url", &index.url()]).success();
    context.set("PATH", format!("{}:/usr/bin:/bin", context.path("on-path/bin").display()));
    let prefixes = |arguments: &[&str]| {
        let status = context.virtpy(arguments).success().json();
        let prefixes = status.as_array().unwrap().iter().filter(|one| one["tool"] == "tox");
        prefixes.map(|one| one["prefix"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let found = prefixes(&["status", "tox", "--json"]);
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!(prefixes(&["status", "--json"]), found);
    assert!(found[4].starts_with(&*context.store().to_string_lossy()), "{found:?}");

    let before: Vec<Tree> = found.iter().map(|prefix| Tree::of(Path::new(prefix))).collect();
    context.virtpy(["enable", "tox"]).success();
    let status = context.virtpy(["status", "tox", "--json"]).success().json();
    assert!(status.as_array().unwrap().iter().all(|one| one["plugin"] == "enabled"), "{status}");
    context.virtpy(["disable", "tox"]).success();
    for (prefix, before) in found.iter().zip(before) {
        before.assert_unchanged(&Tree::of(Path::new(prefix)), prefix);
    }
}

#[test]
fn an_application_of_virtpys_keeps_the_plugin_through_upgrades() {
    let context = TestContext::new();
    let of = |version: &str| {
        WheelBuilder::new("tox", version).requires("virtualenv").console_script("tox").build()
    };
    let index = Index::start(&[of("4.1"), WheelBuilder::new("virtualenv", "21.0").build()]);
    context.virtpy(["install", "tox", "--index-url", &index.url()]).success();
    context.virtpy(["enable", "tox"]).success();
    index.add(&of("4.2"));
    context.virtpy(["upgrade", "tox", "--index-url", &index.url()]).success();
    let status = context.virtpy(["status", "tox", "--json"]).success().json();
    assert_eq!((status[0]["version"].as_str(), status[0]["plugin"].as_str()), (Some("4.2"), Some("enabled")));
    context.virtpy(["disable", "tox"]).success();
    index.add(&of("4.3"));
    context.virtpy(["upgrade", "tox", "--index-url", &index.url()]).success();
    assert_eq!(plugin(&context, "tox"), "absent");
}

#[test]
fn what_the_plugin_is_not_for_is_left_alone() {
    let context = TestContext::new();
    context.virtpy(["enable", "nox"]).failure(1).stderr_has("no nox was found").one_error();
    context.virtpy(["status"]).success().stderr_has("was found");
    context.virtpy(["enable"]).failure(2);
    tool(&context, "old", "tox", "20.25.1");
    let output = context.virtpy(["enable", "old"]).failure(1);
    output.stderr_has("does not fit tox 4.9 (virtualenv 20.25.1)").stderr_has("virtualenv 20.26 to 21");
    context.virtpy(["status", "old"]).success().stdout_has("the plugin needs virtualenv 20.26");
    context.virtpy(["new", "other"]).success();
    context.virtpy(["enable", "other"]).failure(1).stderr_has("none of their packages");
    context
        .virtpy(["enable", "nowhere"])
        .failure(1)
        .stderr_has("no command `nowhere` on PATH")
        .stderr_has("`pre-commit`");

    tool(&context, "foreign", "tox", "21.1");
    let site = context.site_packages("foreign");
    let about = "Metadata-Version: 2.1\nName: virtualenv-virtpy\nVersion: 0.0.1\n";
    context.write(&format!("{site}/virtualenv_virtpy-0.0.1.dist-info/METADATA"), about);
    context.write(&format!("{site}/virtualenv_virtpy-0.0.1.dist-info/INSTALLER"), "pip\n");
    for verb in ["enable", "disable"] {
        context
            .virtpy([verb, "foreign"])
            .failure(1)
            .stderr_has("put there by `pip`")
            .stderr_has("pip uninstall");
    }
}

#[test]
fn an_environment_has_the_plugins_of_all_its_tools() {
    let context = TestContext::new();
    tool(&context, "both", "tox", "21.1");
    let site = context.site_packages("both");
    context.write(
        &format!("{site}/poetry-2.5.1.dist-info/METADATA"),
        "Metadata-Version: 2.1\nName: poetry\nVersion: 2.5.1\n",
    );
    let before = Tree::of(&context.path("both"));
    context.virtpy(["enable", "both"]).success().stderr_has("Poetry 2.5.1").stderr_has("tox 4.9");
    let status = context.virtpy(["status", "both", "--json"]).success().json();
    let of = |one: &serde_json::Value| (one["tool"].to_string(), one["plugin"].to_string());
    let found: Vec<_> = status.as_array().unwrap().iter().map(of).collect();
    assert_eq!(
        found,
        [("\"poetry\"", "\"enabled\""), ("\"tox\"", "\"enabled\"")].map(|(a, b)| (a.into(), b.into()))
    );
    context.virtpy(["disable", "both"]).success();
    before.assert_unchanged(&Tree::of(&context.path("both")), "the environment");
}

#[test]
fn poetry_makes_venvs_unless_told_otherwise() {
    let mut context = TestContext::new();
    tool(&context, "tool", "poetry", "21.1");
    context.set("PATH", format!("{}:/usr/bin:/bin", context.path("tool/bin").display()));
    let before = Tree::of(&context.path("tool"));
    let creates = || context.virtpy(["status", "poetry", "--json"]).success().json()[0]["creates"].clone();
    // poetry's own version decides, not that of virtualenv.
    context.virtpy(["enable", "poetry"]).failure(1).stderr_has("does not fit Poetry 4.9");
    let site = context.site_packages("tool");
    std::fs::remove_dir_all(context.path(&format!("{site}/poetry-4.9.dist-info"))).unwrap();
    drop(before);
    context.write(
        &format!("{site}/poetry-2.5.1.dist-info/METADATA"),
        "Metadata-Version: 2.1\nName: poetry\nVersion: 2.5.1\n",
    );
    let before = Tree::of(&context.path("tool"));
    context.virtpy(["enable", "poetry"]).success().stderr_has("Poetry makes virtpy's venvs for projects");
    assert_eq!(creates(), true);
    // The older spelling leaves that as it is.
    context.virtpy(["poetry", "enable"]).success().stderr_has("already: Poetry makes virtpy's venvs");
    context.virtpy(["poetry", "status"]).success().stdout_has(": enabled\n");
    context
        .virtpy(["enable", "poetry", "--no-create"])
        .success()
        .stderr_has("now: Poetry installs into virtpy's venvs");
    assert_eq!(creates(), false);
    context.virtpy(["enable", "poetry"]).success();
    assert_eq!(creates(), true);
    context.virtpy(["disable", "poetry"]).success();
    before.assert_unchanged(&Tree::of(&context.path("tool")), "Poetry's environment");
    context.virtpy(["poetry", "enable"]).success();
    assert_eq!(creates(), false);
}

#[test]
fn the_plugin_can_be_had_as_a_wheel() {
    let context = TestContext::new();
    context.virtpy(["enable", "tox", "poetry", "--wheel", "one"]).success();
    let wheels = context.virtpy(["enable", "tox", "--wheel", "two"]).success().raw_stdout;
    let name = Path::new(wheels.trim()).file_name().unwrap();
    assert_eq!(std::fs::read(wheels.trim()).unwrap(), std::fs::read(context.path("one").join(name)).unwrap());
    assert_eq!(std::fs::read_dir(context.path("one")).unwrap().count(), 2);
    context.new_venv();
    context.virtpy(["add", "--no-index", wheels.trim()]).success();
    let found =
        context.eval(".venv", "import virtualenv_virtpy.program as p; print(p.find(), p.is_enabled())");
    assert_eq!(found, "None False", "the wheel names a program of the machine it was made on");
}

/// A venv as virtualenv has made it when it seeds.
fn unseeded(context: &TestContext, name: &str) {
    let python = context.interpreter().path.clone();
    let path = context.path(name);
    context.run(context.command(python).args(["-m", "venv", "--without-pip"]).arg(path)).success();
}

#[test]
fn a_venv_that_is_seeded_is_one_of_virtpys() {
    let mut context = TestContext::new();
    context.unset("VIRTPY_PIP_SHIM");
    unseeded(&context, "made");
    let config = context.read("made/pyvenv.cfg");
    let wheel = WheelBuilder::new("setuptools", "70.0").build().write_to(&context.path("dist"));
    let keys = context.virtpy(["-q", "seed", "made", "--wheel", &wheel.to_string_lossy()]).success().json();
    // virtualenv writes the file again, with what it was given.
    let mut text = config;
    for (key, value) in keys.as_object().unwrap() {
        writeln!(text, "{key} = {}", value.as_str().unwrap()).unwrap();
    }
    context.write("made/pyvenv.cfg", &text);
    context.virtpy(["check", "--venv", "made"]).success().stdout_is("");
    let listed = context.virtpy(["list", "--venv", "made", "--json"]).success().json();
    let installed: Vec<_> =
        listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(installed, ["pip", "setuptools"]);
    assert!(Tree::of(&context.path(&context.site_packages("made"))).is_link("setuptools"));
    context.virtpy(["list-all"]).success().stdout_has("made");
    // What is seeded again stays what it is.
    let again = context.virtpy(["-q", "seed", "made"]).success().json();
    assert_eq!(again, keys);
    let index = Index::start(&[WheelBuilder::new("here", "1.0").build()]);
    let index_url = index.url();
    let words = ["-m", "pip", "install", "here", "--index-url", index_url.as_str()];
    context.run(context.command(context.path("made/bin/python")).args(words)).success();
    assert!(Tree::of(&context.path(&context.site_packages("made"))).is_link("here"));
}

#[test]
fn what_cannot_be_seeded_is_as_it_was() {
    let mut context = TestContext::new();
    context.unset("VIRTPY_PIP_SHIM");
    unseeded(&context, "made");
    let before = Tree::of(&context.path("made"));
    let foreign = WheelBuilder::new("foreign", "1.0").tag("cp33-cp33m-win_amd64").build();
    let foreign = foreign.write_to(&context.path("dist")).to_string_lossy().into_owned();
    context.virtpy(["seed", "made", "--wheel", &foreign]).failure(1).stderr_has("Windows").one_error();
    before.assert_unchanged(&Tree::of(&context.path("made")), "the venv");
    context.virtpy(["seed", "nowhere"]).failure(1).one_error();
    // Who wants no pip of virtpy's gets none, and virtualenv's instead.
    context.set("VIRTPY_PIP_SHIM", "0");
    context.virtpy(["seed", "made"]).failure(1).stderr_has("`pip-shim`").one_error();
    before.assert_unchanged(&Tree::of(&context.path("made")), "the venv");
    let keys = context.virtpy(["seed", "made", "--no-pip-shim", "--link-mode", "copy"]).success().json();
    assert_eq!(keys["virtpy-link-mode"], "copy");
}
