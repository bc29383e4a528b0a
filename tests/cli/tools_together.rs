//! Applications that are changed at once, interrupted, or told what to hold by a lock file.

use super::tools::{command, helper, index, install, names, tool};
use crate::support::{Artifact, Index, TestContext, WheelBuilder};

#[test]
fn several_are_made_at_once_and_one_that_fails_keeps_nobody() {
    let names = ["first", "second", "third", "fourth", "fifth", "sixth"];
    let app = |name: &&str| WheelBuilder::new(name, "1.0").console_script(name).requires("helper").build();
    let mut wheels: Vec<Artifact> = names.iter().map(app).collect();
    wheels.extend([helper("1.0"), WheelBuilder::new("plain", "1.0").build()]);
    let (context, index) = (TestContext::new(), Index::start(&wheels));
    let failed =
        install(&context, &index, &[&names[..3], &["plain", "absent"], &names[3..]].concat()).failure(1);
    for told in ["`plain` was left as it was", "`absent` was left as it was", "Installed sixth 1.0"] {
        assert!(failed.raw_stderr.contains(told), "{told} is not in:\n{}", failed.raw_stderr);
    }
    assert_eq!(self::names(&context.store().join("bin")), sorted(&names));

    let upgraded =
        context.virtpy(["upgrade", "--all", "--json", "--index-url", &index.url()]).success().json();
    let told: Vec<&str> =
        upgraded.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(told, sorted(&names));
    assert!(upgraded.as_array().unwrap().iter().all(|one| one["changed"] == false), "{upgraded}");
    // One of each entry, whoever came first.
    assert_eq!(context.virtpy(["store", "verify"]).success().raw_stdout, "");
    context.assert_no_leftovers();
}

fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

#[test]
fn two_at_once_on_the_same_application_both_succeed() {
    let (context, index) = (TestContext::new(), index());
    let url = index.url();
    let children: Vec<_> =
        (0..6).map(|_| context.spawn(["install", "--force", "--index-url", &url, "demo"])).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    context.run(&mut context.command(command(&context, "demo"))).success();
    assert_eq!(names(&context.store().join("tools/demo")), ["6", "current"]);
    assert_eq!(names(&context.store().join("roots")).len(), 1);
}

/// What the command prints is the version that it is of.
fn telling(version: &str) -> Artifact {
    WheelBuilder::empty("demo", version)
        .file("demo.py", &format!("def main():\n    print('{version}')\n"))
        .entry_point("console_scripts", "demo = demo:main")
        .build()
}

/// Kills a command after some milliseconds.
fn kill(context: &TestContext, arguments: &[&str], milliseconds: u64) {
    let mut child = context.spawn(arguments);
    std::thread::sleep(std::time::Duration::from_millis(milliseconds));
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn a_killed_change_leaves_the_old_version_or_the_new() {
    let context = TestContext::new();
    let index = Index::start(&[telling("1.0"), telling("2.0")]);
    install(&context, &index, &["demo==2.0"]).success();
    install(&context, &index, &["demo==1.0"]).success();
    let url = index.url();
    for round in 0..24 {
        let wanted = if round % 2 == 0 { "demo==2.0" } else { "demo==1.0" };
        kill(&context, &["install", "--index-url", &url, "--force", wanted], round * 4);
        let run = context.run(&mut context.command(command(&context, "demo"))).success();
        let version = run.raw_stdout.trim().to_owned();
        assert!(["1.0", "2.0"].contains(&version.as_str()), "{version}");
        let listed = context.virtpy(["tool", "list", "--short"]).success().raw_stdout;
        assert_eq!(listed.trim(), format!("demo {version}"), "what is listed is what runs");
    }
    install(&context, &index, &["--force", "demo==1.0"]).success();
    for round in 0..8 {
        kill(&context, &["uninstall", "demo"], round * 2);
        if context.virtpy(["tool", "list", "--short"]).success().raw_stdout.is_empty() {
            install(&context, &index, &["demo==1.0"]).success();
        }
        context.run(&mut context.command(command(&context, "demo"))).success();
    }
    assert_eq!(names(&context.store().join("tools/demo")).len(), 2, "one generation, and the link to it");
    assert!(context.virtpy(["store", "verify"]).success().raw_stdout.is_empty());
}

#[test]
fn a_lock_file_decides_what_is_installed() {
    let (context, index) = (TestContext::new(), index());
    let url = index.url();
    context.virtpy(["lock", "-i", &url, "demo", "-o", "pylock.demo.toml"]).success();
    index.add(&tool("2.0"));
    index.add(&helper("2.0"));
    install(&context, &index, &["demo", "--lock", "pylock.demo.toml"])
        .success()
        .stderr_has("Installed demo 1.0");
    let venv = context.store().join("tools/demo/current");
    let freeze = context.virtpy(["freeze", "--venv", venv.to_str().unwrap()]).success();
    assert_eq!(freeze.lines(), ["demo==1.0", "helper==1.0"]);
    install(&context, &index, &["demo>=2", "--force", "--lock", "pylock.demo.toml"])
        .failure(1)
        .one_error()
        .stderr_has("is not what is locked");
    install(&context, &index, &["plain", "--lock", "pylock.demo.toml"]).failure(1).one_error();
    install(&context, &index, &["demo", "plain", "--lock", "pylock.demo.toml"]).failure(2);
    install(&context, &index, &["demo", "--force", "--lock", "absent.toml"]).failure(1).one_error();
    context.run(&mut context.command(command(&context, "demo"))).success();
    context.virtpy(["upgrade", "demo", "-i", &url]).success();
    assert_eq!(context.virtpy(["tool", "list", "--short"]).success().lines(), ["demo 2.0"]);
}
