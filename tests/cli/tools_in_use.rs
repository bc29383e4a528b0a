//! Applications over time: changed while they run, damaged, brought from pipx, and with interpreters that come and go.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::python_install::{Mirror, installed};
use super::tools::{command, helper, index, install, names, tool};
use crate::support::{Artifact, Index, TestContext, WheelBuilder};

/// Waits for the file `go` in the present folder, and only then imports the rest of itself.
fn patient(version: &str) -> Artifact {
    let code = "import os, time\n\ndef main():\n    open('started', 'w').close()\n    \
                while not os.path.exists('go'):\n        time.sleep(0.01)\n    \
                import demo_rest\n    print(demo_rest.version)\n";
    WheelBuilder::empty("demo", version)
        .file("demo.py", code)
        .file("demo_rest.py", &format!("version = '{version}'\n"))
        .entry_point("console_scripts", "demo = demo:main")
        .build()
}

#[test]
fn what_runs_keeps_its_files_through_an_upgrade() {
    if !std::path::Path::new("/proc/self/cmdline").exists() {
        crate::support::skip("this machine does not say what runs");
        return;
    }
    let context = TestContext::new();
    let index = Index::start(&[patient("1.0")]);
    install(&context, &index, &["demo"]).success();
    let mut running = context.command(command(&context, "demo"));
    let running = running.current_dir(context.path(".")).stdout(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while !context.path("started").exists() {
        assert!(started.elapsed() < Duration::from_secs(20), "it does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    index.add(&patient("2.0"));
    context.virtpy(["upgrade", "demo"]).success().stderr_has("Upgraded 1.0 to demo 2.0");
    assert_eq!(names(&context.store().join("tools/demo")), ["1", "2", "current"]);
    context.write("go", "");
    let output = running.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1.0\n", "what it had not imported was still there");
    context.virtpy(["reinstall", "demo"]).success();
    assert_eq!(names(&context.store().join("tools/demo")), ["3", "current"], "the next change sweeps it");
    assert_eq!(names(&context.store().join("roots")).len(), 1);
}

#[test]
fn the_interpreter_that_is_installed_is_one_that_the_failure_asks_for() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let wanted = mirror.offer_pretender(&context, 91);
    mirror.offer_pretender(&context, 92);
    let needy = WheelBuilder::new("needy", "1.0")
        .console_script("needy")
        .requires_python(&format!("=={wanted}"))
        .build();
    let index = Index::start(&[needy]);
    install(&context, &index, &["needy", "--no-python-downloads"])
        .failure(1)
        .one_error()
        .stderr_has("Python")
        .stderr_lacks("installing");
    assert!(installed(&context).is_empty());
    // To the resolver it does not pretend.
    install(&context, &index, &["needy"]).failure(1).stderr_has(&format!("installing Python {wanted}"));
    assert!(installed(&context).contains(&wanted), "{:?}", installed(&context));
}

#[test]
fn no_interpreter_is_installed_for_what_fails_anyway() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    mirror.offer("3.99.1", "/3.99.1.tar.gz", b"nothing".to_vec());
    let index = index();
    std::fs::create_dir(context.path("python-empty")).unwrap();
    install(&context, &index, &["./python-empty"]).failure(1).one_error().stderr_lacks("installing");
    install(&context, &index, &["demo", "-p", "3.77"])
        .failure(1)
        .one_error()
        .stderr_has("Python 3.77 not found; installing it")
        .stderr_has("there is no build of `3.77`");
    assert!(names(&context.store().join("tools")).is_empty());
}

#[test]
fn an_application_that_is_broken_is_installed_again() {
    let (context, index) = (TestContext::new(), index());
    install(&context, &index, &["demo"]).success();
    let python = context.store().join("tools/demo/current/bin/python");
    std::fs::remove_file(&python).unwrap();
    std::os::unix::fs::symlink("/nonexistent/python", &python).unwrap();
    install(&context, &index, &["demo"]).success().stderr_has("Installed demo 1.0");
    context.run(&mut context.command(command(&context, "demo"))).success();
}

#[test]
fn what_is_outdated_is_asked_where_it_came_from() {
    let (context, index) = (TestContext::new(), index());
    let other = Index::start(&[helper("1.0")]);
    install(&context, &index, &["demo"]).success();
    install(&context, &other, &["helper"]).success();
    let folder = helper("9.0").write_to(&context.path("wheels"));
    install(&context, &index, &["--suffix", "-file", folder.to_str().unwrap()]).success();
    assert_eq!(context.virtpy(["tool", "list", "--outdated"]).success().raw_stdout, "");
    // The other index's helper is nobody's business here.
    index.add(&helper("7.0"));
    index.add(&tool("2.0"));
    other.add(&helper("3.0"));
    let list = context.virtpy(["tool", "list", "--outdated", "--json"]).success().json();
    let found: Vec<String> =
        list.as_array().unwrap().iter().map(|row| format!("{} {}", row["name"], row["latest"])).collect();
    assert_eq!(found, ["\"demo\" \"2.0\"", "\"helper\" \"3.0\""]);
}

#[test]
fn what_pipx_installed_keeps_its_versions_and_its_index() {
    let (mut context, index) = (TestContext::new(), index());
    index.add(&helper("2.0"));
    index.add(&WheelBuilder::new("side", "1.0").console_script("side").build());
    context.set("PIPX_HOME", context.path("pipx"));
    let text = format!(
        r#"{{"main_package": {{"package": "demo", "package_or_url": "demo", "pip_args": ["--index-url", "{}"]}},
            "injected_packages": {{
                "helper": {{"package": "helper", "package_or_url": "helper", "include_apps": true}},
                "side": {{"package": "side", "package_or_url": "side", "include_apps": false}}}}}}"#,
        index.url()
    );
    context.write("pipx/venvs/demo/pipx_metadata.json", &text);
    context.write("pipx/venvs/demo/lib/python3.11/site-packages/helper-1.0.dist-info/METADATA", "");
    context.virtpy(["tool", "import-pipx"]).success().stderr_has("Installed demo 1.0");
    assert_eq!(names(&context.store().join("bin")), ["demo", "demo-extra", "helper"]);
    let venv = context.store().join("tools/demo/current");
    let frozen = context.virtpy(["freeze", "--venv", venv.to_str().unwrap()]).success().raw_stdout;
    assert!(frozen.contains("helper==1.0") && frozen.contains("side==1.0"), "{frozen}");
    index.add(&tool("2.0"));
    context.virtpy(["upgrade", "demo"]).success().stderr_has("Upgraded 1.0 to demo 2.0");
}

/// The folder of an application may have been there before, or be a link to another disk.
#[test]
fn what_somebody_keeps_in_the_folder_of_an_application_stays() {
    for is_link in [false, true] {
        let (context, index) = (TestContext::new(), index());
        let (folder, elsewhere) = (context.store().join("tools/demo"), context.path("elsewhere"));
        let real = if is_link { &elsewhere } else { &folder };
        std::fs::create_dir_all(real.join("notes")).unwrap();
        std::fs::write(real.join("notes/precious"), "x").unwrap();
        std::fs::write(real.join("precious"), "x").unwrap();
        if is_link {
            std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &folder).unwrap();
        }
        install(&context, &index, &["demo"]).success();
        install(&context, &index, &["--force", "demo"]).success();
        context.virtpy(["uninstall", "demo"]).success();
        assert!(real.join("precious").exists() && real.join("notes/precious").exists(), "link: {is_link}");
        assert_eq!(context.virtpy(["tool", "list"]).success().raw_stdout, "");
    }
}
