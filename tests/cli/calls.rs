//! Commands that say what is installed, or that there is nothing to do, make as many system calls for many packages as for few.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use crate::support::{TestContext, WheelBuilder, skip};

const FEW: usize = 3;
const MANY: usize = 43;

/// How many more calls many packages may take: a longer listing, a larger file.
const SLACK: usize = 12;

/// A venv with so many packages.
fn venv(count: usize) -> TestContext {
    let context = TestContext::new();
    let names: Vec<String> = (0..count).map(|number| format!("package{number}")).collect();
    for name in &names {
        WheelBuilder::new(name, "1.0").build().write_to(&context.path("wheels"));
    }
    let pins: String = names.iter().flat_map(|name| [name, "==1.0\n"]).collect();
    context.write("pins.txt", &pins);
    context.new_venv();
    context.virtpy(ADD).success();
    std::thread::sleep(Duration::from_millis(200));
    context
}

const ADD: [&str; 6] = ["add", "--no-index", "--find-links", "wheels", "-r", "pins.txt"];

/// The system calls of a command.
fn calls(context: &TestContext, arguments: &[&str]) -> Vec<String> {
    let program = context.virtpy_command(["x"]).get_program().to_owned();
    let log = context.path("trace");
    let mut command = context.command("strace");
    command.args(["-f", "-qq", "-o"]).arg(&log).arg(program).args(arguments);
    context.run(&mut command).success();
    let text = std::fs::read_to_string(&log).unwrap();
    let calls: Vec<String> = text.lines().filter(|line| line.contains('(')).map(str::to_owned).collect();
    assert!(calls.len() > 10, "{text}");
    calls
}

#[test]
fn who_runs_it_is_asked_once() {
    if !Path::new("/usr/bin/strace").exists() {
        skip("there is no strace");
        return;
    }
    let context = venv(FEW);
    for number in 0..3 {
        context.virtpy(["new", &format!("more{number}")]).success();
    }
    for command in [&["list-all"][..], &["check"], &["store", "gc"]] {
        let asked = calls(&context, command).iter().filter(|call| call.contains("geteuid(")).count();
        assert!(asked <= 1, "{command:?} asked {asked} times");
    }
}

#[test]
fn a_venv_is_not_read_again_for_each_that_is_gone_from_beside_it() {
    if !Path::new("/usr/bin/strace").exists() {
        skip("there is no strace");
        return;
    }
    let context = TestContext::new();
    context.virtpy(["new", "stays"]).success();
    for number in 0..9 {
        context.virtpy(["new", &format!("more{number}")]).success();
    }
    for number in 0..9 {
        std::fs::remove_dir_all(context.path(&format!("more{number}"))).unwrap();
    }
    let gc = calls(&context, &["store", "gc"]);
    let read = gc.iter().filter(|call| call.contains("stays/pyvenv.cfg")).count();
    assert!((1..5).contains(&read), "it was opened {read} times");
}

#[test]
fn what_is_installed_is_told_without_looking_at_every_package() {
    if !Path::new("/usr/bin/strace").exists() {
        skip("there is no strace");
        return;
    }
    let (few, many) = (venv(FEW), venv(MANY));
    for command in [&["list"][..], &["freeze"], &ADD] {
        for context in [&few, &many] {
            // What is found out once is remembered.
            context.virtpy(command).success();
        }
        let (few, many) = (calls(&few, command), calls(&many, command));
        assert!(
            many.len() <= few.len() + SLACK,
            "{command:?}: {} calls for {FEW} packages, {} for {MANY}:\n{}",
            few.len(),
            many.len(),
            many.join("\n")
        );
    }
}

#[test]
fn what_is_installed_is_told_with_few_calls() {
    if !Path::new("/usr/bin/strace").exists() {
        skip("there is no strace");
        return;
    }
    let context = venv(MANY);
    // What is found out once is remembered.
    context.virtpy(["list"]).success();
    // Programs with assertions ask of each file whether it is open before they close it.
    let count =
        |command: &str| calls(&context, &[command]).iter().filter(|call| !call.contains("F_GETFD")).count();
    let (list, nothing) = (count("list"), count("--version"));
    assert!(list <= nothing + 40, "{list} calls to list, {nothing} to say the version");
}

#[test]
fn check_lists_no_folder_of_the_store_that_nobody_changed() {
    if !Path::new("/usr/bin/strace").exists() {
        skip("there is no strace");
        return;
    }
    let context = venv(FEW);
    let listed = || {
        let is_listed = |call: &&String| {
            call.contains("O_DIRECTORY") && call.contains("/site/package") && !call.contains("__pycache__")
        };
        calls(&context, &["check"]).iter().filter(is_listed).count()
    };
    assert_eq!(listed(), 0);
    let package =
        std::fs::canonicalize(context.path(&context.site_packages(".venv")).join("package1")).unwrap();
    let mode = |mode| std::fs::set_permissions(&package, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o755);
    mode(0o555);
    assert_eq!(listed(), 1, "something may have come into it");
}

#[test]
fn what_others_did_is_seen_all_the_same() {
    let context = venv(FEW);
    let list = || context.virtpy(["list"]).success().stdout();
    assert!(list().contains("package0"));
    let site_packages = context.path(&context.site_packages(".venv"));
    let foreign = site_packages.join("other-2.0.dist-info");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("METADATA"), "Metadata-Version: 2.1\nName: other\nVersion: 2.0\n").unwrap();
    assert!(list().contains("other"));
    std::fs::remove_dir_all(site_packages.join("package0-1.0.dist-info")).unwrap();
    assert!(!list().contains("package0"));
    // The store loses an entry after it was known to be complete.
    std::fs::remove_dir_all(&foreign).unwrap();
    context.virtpy(["remove", "package0"]);
    context.virtpy(["list"]).success();
    std::thread::sleep(Duration::from_millis(200));
    context.virtpy(["list"]).success().stderr_lacks("no longer has");
    let entry = std::fs::canonicalize(site_packages.join("package1")).unwrap();
    let entry = entry.parent().unwrap().parent().unwrap();
    std::fs::rename(entry, context.path("aside")).unwrap();
    context.virtpy(["list"]).success().stderr_has("the store no longer has package1 1.0");
}

#[test]
fn an_import_of_a_module_at_the_top_is_no_installation() {
    let context = TestContext::new();
    WheelBuilder::empty("single", "1.0")
        .file("single.py", "x = 1\n")
        .build()
        .write_to(&context.path("wheels"));
    context.new_venv();
    context.virtpy(["add", "--no-index", "--find-links", "wheels", "single"]).success();
    let site_packages = context.path(&context.site_packages(".venv"));
    let changed = || std::fs::metadata(&site_packages).unwrap().modified().unwrap();
    let before = changed();
    std::thread::sleep(Duration::from_millis(20));
    let mut python = context.command(context.path(".venv/bin/python"));
    python.env_remove("PYTHONDONTWRITEBYTECODE").args(["-c", "import single"]);
    context.run(&mut python).success();
    let bytecode = site_packages.join("__pycache__");
    assert_eq!(std::fs::read_dir(&bytecode).unwrap().count(), 1, "Python has written its bytecode");
    assert_eq!(changed(), before, "and nothing else");
    context.virtpy(["check"]).success();
    // Who clears bytecode has damaged nothing.
    std::fs::remove_dir_all(&bytecode).unwrap();
    context.virtpy(["check"]).success();
    context.virtpy(["remove", "single"]).success();
    assert!(!bytecode.exists());
}
