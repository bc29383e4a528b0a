//! Input without measure, secrets in addresses, and surroundings that are not as they should be.

use std::os::unix::fs::PermissionsExt as _;

use super::credentials::{SECRET, lacks_secret};
use crate::support::{Index, TestContext, WheelBuilder};

#[test]
fn requirements_nested_without_measure_are_refused_and_leave_nothing() {
    let context = TestContext::new();
    context.new_venv();
    for depth in [150, 5000, 12_000] {
        let nested = format!("x; {}os_name == 'x'{}", "(".repeat(depth), ")".repeat(depth));
        let wheel =
            WheelBuilder::new("demo", "1.0").requires(&nested).build().write_to(&context.path("wheels"));
        let output = context.virtpy(["add", "--no-index", &wheel.to_string_lossy()]).one_error();
        output.stderr_has("nested too deep");
        context.virtpy(["add", "--no-index", &nested]).one_error().stderr_has("nested too deep");
        context.write("requirements.txt", &nested);
        context
            .virtpy(["add", "--no-index", "-r", "requirements.txt"])
            .one_error()
            .stderr_has("nested too deep");
        context.virtpy(["check"]).success();
        context.virtpy(["list"]).success().stdout_is("");
        context.assert_no_leftovers();
    }
    // What another installer let in stops no command either.
    let depth = 5000;
    let info = context.path(&context.site_packages(".venv")).join("deep-1.0.dist-info");
    std::fs::create_dir(&info).unwrap();
    let nested = format!("x; {}os_name == 'x'{}", "(".repeat(depth), ")".repeat(depth));
    let text = format!("Metadata-Version: 2.1\nName: deep\nVersion: 1.0\nRequires-Dist: {nested}\n");
    std::fs::write(info.join("METADATA"), text).unwrap();
    std::fs::write(info.join("RECORD"), "").unwrap();
    let fine = WheelBuilder::new("fine", "1.0").build().write_to(&context.path("wheels"));
    context.virtpy(["add", "--no-index", &fine.to_string_lossy()]).success();
    for command in ["list", "check", "tree"] {
        let code = context.virtpy([command]).code;
        assert!(matches!(code, Some(0 | 1)), "{command}: {code:?}");
    }
}

#[test]
fn what_proves_who_asks_is_kept_nowhere_for_others_to_read() {
    let artifact = WheelBuilder::new("demo", "1.0").build();
    let index = Index::start(std::slice::from_ref(&artifact));
    let context = TestContext::new();
    context.new_venv();
    let url = index.file_url(&artifact.file_name);
    let direct = format!("demo @ {url}?raw=true&sig={SECRET}");
    lacks_secret(context.virtpy(["-v", "add", "--no-index", &direct]).success());
    let frozen = format!("demo @ {url}?raw=true#sha256={}\n", artifact.sha256());
    lacks_secret(context.virtpy(["freeze"]).success()).stdout_is(&frozen);
    for form in ["pylock.toml", "requirements.lock.txt"] {
        lacks_secret(context.virtpy(["lock", "--no-index", "-o", form, &direct]).success());
        assert!(!context.read(form).contains(SECRET), "{form}");
    }
    let kept = ["-rlF", "--exclude-dir=cache", SECRET];
    let found =
        context.run(context.command("grep").args(kept).args([context.store(), context.path(".venv")]));
    assert_eq!(found.code, Some(1), "{}", found.dump());
}

#[test]
fn a_place_of_the_store_that_nothing_could_name_is_refused() {
    let mut context = TestContext::new();
    for (home, why) in
        [("a\nb", "line break"), ("a ", "ends with a blank"), ("a\u{85}b", "control character")]
    {
        let home = context.path(home);
        context.set("VIRTPY_HOME", &home);
        context.virtpy(["new"]).one_error().stderr_has(why).stderr_has("hint: set `VIRTPY_HOME`");
        assert!(!home.exists() && !context.path(".venv").exists());
    }
    let home = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"/tmp/a\xff");
    context.set("VIRTPY_HOME", home);
    context.virtpy(["new"]).one_error().stderr_has("not UTF-8");
}

#[test]
fn nothing_that_is_printed_commands_the_terminal() {
    let context = TestContext::new();
    let hostile = "\u{1b}[2J\u{202e}x";
    let output = context.virtpy(["add", "--venv", hostile, "x"]).failure(1);
    assert!(!output.raw_stderr.contains(['\u{1b}', '\u{202e}']), "{}", output.dump());
    let wheel = WheelBuilder::new("demo", "1.0").metadata_line("Summary: left\u{202e}right").build();
    context.new_venv();
    let path = wheel.write_to(&context.path("wheels"));
    context.virtpy(["add", "--no-index", &path.to_string_lossy()]).success();
    let shown = context.virtpy(["show", "demo"]).success();
    assert!(!shown.raw_stdout.contains('\u{202e}'), "{}", shown.dump());
    let told = context.virtpy(["show", "--json", "demo"]).success();
    assert!(!told.raw_stdout.contains('\u{202e}'), "{}", told.dump());
    told.json();
}

#[test]
fn a_umask_of_zero_lets_nobody_write() {
    let context = TestContext::new();
    let wheel = WheelBuilder::new("demo", "1.0").build().write_to(&context.path("wheels"));
    let script = "umask 000; \"$0\" new && \"$0\" add --no-index \"$1\" && \"$0\" run python -c 'import os; print(os.umask(0))'";
    let program = context.virtpy_command(["x"]).get_program().to_owned();
    let mut command = context.command("sh");
    let output = context.run(command.arg("-c").arg(script).arg(program).arg(&wheel)).success();
    assert!(output.raw_stdout.ends_with("0\n"), "the program has another umask: {}", output.dump());
    // The resolver's lock is everybody's by its own choice, and empty.
    let mut find = context.command("find");
    let find = find
        .args([context.store(), context.path(".venv")])
        .args(["!", "-type", "l", "-perm", "/022", "!", "-name", ".lock"]);
    assert_eq!(context.run(find).success().raw_stdout, "");
    let mode = std::fs::metadata(context.store()).unwrap().permissions().mode();
    assert_eq!(mode & 0o022, 0);
}

#[test]
fn too_few_open_files_are_an_error() {
    let context = TestContext::new();
    context.new_venv();
    let wheel = WheelBuilder::new("demo", "1.0").build().write_to(&context.path("wheels"));
    let program = context.virtpy_command(["x"]).get_program().to_owned();
    let mut command = context.command("sh");
    let script = "ulimit -n 8; exec \"$0\" add --no-index \"$1\"";
    let output = context.run(command.arg("-c").arg(script).arg(program).arg(&wheel)).failure(1);
    output.stderr_has("error: ").stderr_lacks("stack backtrace");
    context.virtpy(["add", "--no-index", &wheel.to_string_lossy()]).success();
}

#[test]
fn a_limit_of_files_sizes_is_an_error() {
    let context = TestContext::new();
    context.new_venv();
    let wheel = WheelBuilder::new("demo", "1.0").build().write_to(&context.path("wheels"));
    let program = context.virtpy_command(["x"]).get_program().to_owned();
    for (limit, words) in
        [(0, "add --no-index \"$1\""), (0, "new other"), (2, "new other"), (0, "new --clear .venv")]
    {
        let script = format!("ulimit -f {limit}; exec \"$0\" {words}");
        let mut command = context.command("sh");
        let output = context.run(command.arg("-c").arg(script).arg(&program).arg(&wheel)).failure(1);
        output.stderr_has("error: ").stderr_has("`ulimit -f`").stderr_lacks("stack backtrace");
        assert!(!context.path("other").exists() && !context.path(".other.virtpy-new").exists(), "{words}");
        context.virtpy(["check"]).success();
    }
    context.virtpy(["add", "--no-index", &wheel.to_string_lossy()]).success();
}
