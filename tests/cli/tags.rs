//! Wheels that are not for the venv's interpreter or system: refused wherever they come from, and found by `check`.

use crate::support::{Artifact, Index, Output, TestContext, WheelBuilder};

/// A wheel for a system that no test runs on.
fn foreign(name: &str) -> Artifact {
    WheelBuilder::new(name, "1.0").tag("cp33-cp33m-win_amd64").build()
}

/// What an attempt with such a wheel says; nothing of it may be left.
#[track_caller]
fn refuses(context: &TestContext, output: Output) {
    output
        .one_error()
        .stderr_has("demo-1.0-cp33-cp33m-win_amd64.whl` is for CPython 3.3 on Windows x86_64; this is ")
        .stderr_has("hint: take a wheel that is for this interpreter");
    assert!(context.store_entries().iter().all(|entry| !entry.contains("demo")), "it was unpacked");
    context.assert_no_leftovers();
}

#[test]
fn a_wheel_for_another_system_is_refused_wherever_it_comes_from() {
    let artifact = foreign("demo");
    let index = Index::start(std::slice::from_ref(&artifact));
    let context = TestContext::new();
    context.new_venv();
    let before = context.venv_tree(".venv");
    let path = artifact.write_to(&context.path("wheels")).to_string_lossy().into_owned();
    let url = index.file_url(&artifact.file_name);
    let direct = format!("demo @ {url}");
    for what in [&path, &url, &direct] {
        for more in ["--no-deps", "--upgrade"] {
            refuses(&context, context.virtpy(["add", "--no-index", more, what]));
        }
        context.write("requirements.txt", &format!("{what}\n"));
        refuses(&context, context.virtpy(["add", "--no-index", "-r", "requirements.txt"]));
        refuses(&context, context.virtpy(["run", "--no-index", "--with", what, "python", "-c", "1"]));
        refuses(&context, context.virtpy(["install", "--no-index", what]));
    }
    context.write("exact.txt", &format!("demo @ {url} --hash=sha256:{}\n", artifact.sha256()));
    refuses(&context, context.virtpy(["sync", "exact.txt"]));
    before.assert_unchanged(&context.venv_tree(".venv"), "the venv");
    assert_eq!(index.downloads(&artifact.file_name), 0, "it was fetched to be refused");
}

#[test]
fn a_lock_file_with_such_a_wheel_alone_is_refused() {
    let artifact = foreign("demo");
    let index = Index::start(std::slice::from_ref(&artifact));
    let context = TestContext::new();
    context.new_venv();
    let before = context.venv_tree(".venv");
    let wheel = format!(
        "{{url = \"{}\", name = \"{}\", hashes = {{sha256 = \"{}\"}}}}",
        index.file_url(&artifact.file_name),
        artifact.file_name,
        artifact.sha256()
    );
    let head =
        "lock-version = \"1.0\"\ncreated-by = \"test\"\n[[packages]]\nname = \"demo\"\nversion = \"1.0\"\n";
    context.write("pylock.toml", &format!("{head}wheels = [{wheel}]\n"));
    context.virtpy(["sync", "pylock.toml"]).one_error().stderr_has("demo");
    let archive = wheel.replace(&format!("name = \"{}\", ", artifact.file_name), "");
    context.write("pylock.toml", &format!("{head}archive = {archive}\n"));
    refuses(&context, context.virtpy(["sync", "pylock.toml"]));
    before.assert_unchanged(&context.venv_tree(".venv"), "the venv");
    assert_eq!(context.store_entries(), [] as [&str; 0]);
}

#[test]
fn a_newer_c_library_is_another_system() {
    let context = TestContext::new();
    context.new_venv();
    let facts =
        "import platform, sysconfig as s; print(platform.libc_ver()[0], s.get_platform().split('-')[-1])";
    let facts = context.eval(".venv", facts);
    let Some(("glibc", machine)) = facts.split_once(' ') else { return };
    let tag = |minor: u32| format!("py3-none-manylinux_2_{minor}_{machine}");
    let newer = WheelBuilder::new("demo", "1.0").tag(&tag(99)).build().write_to(&context.path("wheels"));
    let output = context.virtpy(["add", "--no-index", &newer.to_string_lossy()]).one_error();
    output.stderr_has("(glibc 2.99 or newer); this is ").stderr_has(&format!("on Linux {machine} (glibc 2."));
    let older = WheelBuilder::new("demo", "1.0").tag(&tag(17)).build().write_to(&context.path("wheels"));
    context.virtpy(["add", "--no-index", &older.to_string_lossy()]).success();
    context.virtpy(["check"]).success();
}

/// What was installed by hand, by an older virtpy, or for another interpreter.
#[test]
fn check_finds_what_is_installed_and_does_not_fit() {
    let context = TestContext::new();
    context.new_venv();
    let wheel = WheelBuilder::new("demo", "1.0").build().write_to(&context.path("wheels"));
    context.virtpy(["add", "--no-index", &wheel.to_string_lossy()]).success();
    context.virtpy(["check"]).success();
    let site = context.path(&context.site_packages(".venv"));
    let module = std::fs::canonicalize(site.join("demo/__init__.py")).unwrap();
    let manifest = module.ancestors().nth(3).unwrap().join("entry.json");
    let text = std::fs::read_to_string(&manifest).unwrap().replace("-py3-none-any.whl", "-py2-none-any.whl");
    let folder = manifest.parent().unwrap();
    for path in [folder, manifest.as_path()] {
        context.run(context.command("chmod").arg("u+w").arg(path)).success();
    }
    std::fs::write(&manifest, text).unwrap();
    for path in [manifest.as_path(), folder] {
        context.run(context.command("chmod").arg("u-w").arg(path)).success();
    }
    let words = "demo 1.0 came as `demo-1.0-py2-none-any.whl`, which is for Python 2; this is ";
    context.virtpy(["check"]).failure(1).stdout_has(words);
    let found = context.virtpy(["check", "--json"]).failure(1).json();
    assert_eq!(found[0]["problem"], "incompatible", "{found}");
    let output = context.virtpy(["pip", "--venv", ".venv", "check"]).failure(1);
    output.stdout_has("demo 1.0 is not supported on this platform");
    // It is not linked again for this interpreter, and can be removed.
    context.virtpy(["relink"]).failure(1).stderr_has("is for Python 2");
    context.virtpy(["remove", "demo"]).success();
}
