//! Finding one's way: help, completions, manual pages, and the words of other tools.

use crate::support::{Index, TestContext, WheelBuilder, python, skip};

#[test]
fn help_is_in_groups_and_about_each_command() {
    let context = TestContext::new();
    let output = context.virtpy(["help"]).success();
    for line in
        ["Environments:\n  new  ", "Python:\n  python  ", "The store, and venvs that use it:\n  store  "]
    {
        assert!(output.stdout().contains(line), "{}", output.dump());
    }
    assert_eq!(output.stdout(), context.virtpy(["--help"]).success().stdout());
    let add = context.virtpy(["help", "add"]).success().stdout();
    assert_eq!(add, context.virtpy(["add", "--help"]).success().stdout());
    assert_eq!(add, context.virtpy(["add", "-h"]).success().stdout());
    assert!(!add.contains("--find-links") && add.contains("virtpy help index"), "{add}");
    context.virtpy(["help", "index"]).success().stdout_has("--extra-index-url").stdout_has("PIP_INDEX_URL");
    context.virtpy(["help", "tool", "install"]).success().stdout_has("Usage: virtpy tool install");
    context.virtpy(["help", "nonsense"]).failure(2).stderr_has("there is no command `nonsense`");
}

#[test]
fn options_have_one_order() {
    let context = TestContext::new();
    for command in ["add", "sync", "remove", "new"] {
        let text = context.virtpy(["help", command]).success().stdout();
        let place = |option: &str| text.find(&format!("\n      {option} ")).unwrap_or(usize::MAX);
        let shared = ["--venv", "--force", "--dry-run", "--json"].map(place);
        let present: Vec<usize> = shared.into_iter().filter(|place| *place < usize::MAX).collect();
        assert!(
            present.is_sorted() && present.iter().all(|one| Some(*one) < text.find("-h, --help")),
            "{text}"
        );
    }
}

#[test]
fn words_of_other_tools_work() {
    let context = TestContext::knowing_nothing(python::default());
    context.virtpy(["venv", "mine"]).success().stderr_has("Made `mine`");
    context.virtpy(["cache", "clean"]).success().stderr_has("The cache is empty");
    let cache = context.virtpy(["cache", "dir"]).success();
    assert_eq!(cache.raw_stdout.trim(), context.store().join("cache").to_str().unwrap());
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    context.new_venv();
    context.add(&index, &["demo"]).success();
    assert!(context.store().join("cache/resolver").exists());
    context.virtpy(["cache", "clean"]).success().stderr_has("Emptied the cache");
    assert!(!context.store().join("cache/resolver").exists());
    context.virtpy(["check"]).success();
    let help = context.virtpy(["help"]).success().stdout();
    assert!(!help.contains("  cache ") && !help.contains("internal-store"), "{help}");
    context.virtpy(["internal-store", "stats"]).success();
}

#[test]
fn a_new_venv_is_told_how_to_activate_it() {
    let mut context = TestContext::new();
    context.set("SHELL", "/usr/bin/fish");
    context.virtpy(["new"]).success().stderr_has("Activate it with: source .venv/bin/activate.fish");
    context.set("SHELL", "/bin/zsh");
    context
        .virtpy(["new", "my venv"])
        .success()
        .stderr_has("Activate it with: source 'my venv/bin/activate'");
    let active = context.path("active");
    context.set("VIRTUAL_ENV", &active);
    context.virtpy(["new", "active"]).success().stderr_lacks("Activate");
    context.virtpy(["new", "-q", "quiet"]).success().stderr_lacks("Activate");
}

/// A context with `virtpy` on PATH.
fn on_path() -> TestContext {
    let mut context = TestContext::new();
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_virtpy")).parent().unwrap().to_owned();
    let path =
        context.command("x").get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap().to_owned();
    let mut all = vec![folder];
    all.extend(std::env::split_paths(&path));
    context.set("PATH", std::env::join_paths(all).unwrap());
    context
}

/// What a shell answers to a line that is typed so far.
fn completed(context: &TestContext, words: &[&str]) -> Vec<String> {
    let index = (words.len() - 1).to_string();
    let mut command = context.command(env!("CARGO_BIN_EXE_virtpy"));
    command.env("VIRTPY_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", index).env("_CLAP_IFS", "\n");
    let output = context.run(command.arg("--").args(words)).success();
    output.raw_stdout.lines().map(str::to_owned).collect()
}

#[test]
fn shells_are_told_what_there_is() {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").build(),
        WheelBuilder::new("other", "1.0").build(),
        WheelBuilder::new("tool", "1.0").console_script("tool").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo", "other"]).success();
    context.virtpy(["install", "tool", "--index-url", &index.url()]).success();
    assert_eq!(completed(&context, &["virtpy", "remov"]), ["remove"]);
    assert_eq!(completed(&context, &["virtpy", "remove", "d"]), ["demo"]);
    assert_eq!(completed(&context, &["virtpy", "tree", "o"]), ["other"]);
    assert_eq!(completed(&context, &["virtpy", "uninstall", "t"]), ["tool"]);
    assert_eq!(completed(&context, &["virtpy", "store", "why", "de"]), ["demo"]);
    let venv = context.path(".venv").display().to_string();
    assert_eq!(completed(&context, &["virtpy", "list", "--venv", &venv[..venv.len() - 2]])[0], venv);
    assert!(completed(&context, &["virtpy", "new", "-p", "3."]).contains(&context.interpreter().short()));
    assert!(!completed(&context, &["virtpy", ""]).contains(&"cache".to_owned()));
    let other = context.path("elsewhere");
    context.virtpy(["new", "elsewhere"]).success();
    let other = other.to_str().unwrap();
    context.virtpy(["add", "--venv", other, "--index-url", &index.url(), "tool"]).success();
    assert_eq!(completed(&context, &["virtpy", "remove", "--venv", other, "t"]), ["tool"]);
}

#[test]
fn completions_work_in_real_shells() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    let context = on_path();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    for (shell, line) in [
        (
            "bash",
            "eval \"$(virtpy completions bash)\"; COMP_WORDS=(virtpy remove de); COMP_CWORD=2; \
             _clap_complete_virtpy virtpy de remove; echo \"${COMPREPLY[0]}\"",
        ),
        (
            "fish",
            "virtpy completions fish | source; complete -C 'virtpy remove de' | string split -f1 \\t; true",
        ),
    ] {
        let mut command = context.command(shell);
        if std::process::Command::new(shell).arg("--version").output().is_err() {
            skip(&format!("there is no {shell}"));
            continue;
        }
        let output = context.run(command.args(["-c", line])).success();
        assert_eq!(output.raw_stdout.trim(), "demo", "{}", output.dump());
    }
    for shell in ["zsh", "elvish", "powershell", "nushell"] {
        let text = context.virtpy(["completions", shell]).success().stdout();
        for name in ["virtpy", "virtpyx", "isopy"] {
            assert!(text.contains(name), "{shell}: {text}");
        }
    }
}

/// Types a beginning into an interactive zsh, and prints what stands there after Tab.
const TYPED: &str = r#"
import os, pty, select, sys, time
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "dumb"
    os.execvp("zsh", ["zsh", "-i"])
def came(until):
    text, end = b"", time.time() + 60
    while until not in text and time.time() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            text += os.read(terminal, 65536)
    return text
came(b"READY")
os.write(terminal, b"virtpy remove de\t")
text = came(b"virtpy remove demo ")
os.write(terminal, b"\x15exit\r")
sys.stdout.write(text.decode())
"#;

#[test]
fn completion_works_in_an_interactive_zsh() {
    if std::process::Command::new("zsh").arg("--version").output().is_err() {
        return skip("there is no zsh");
    }
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    let context = on_path();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let start = "autoload -Uz compinit; compinit -u\neval \"$(virtpy completions zsh)\"\nPS1='READY '\n";
    std::fs::write(context.home().join(".zshrc"), start).unwrap();
    let mut command = context.command(&context.interpreter().path);
    let output = context.run(command.args(["-c", TYPED])).success();
    assert!(output.raw_stdout.contains("virtpy remove demo "), "{}", output.dump());
}

#[test]
fn manual_pages_can_be_read() {
    if std::process::Command::new("groff").arg("--version").output().is_err() {
        return skip("there is no groff");
    }
    let context = TestContext::new();
    context.virtpy(["man", "pages"]).success();
    // Letters that are bold or underlined are written several times over, or between sequences.
    let styles = regex::Regex::new(".\u{8}|\u{1b}\\[[0-9;]*m").unwrap();
    let mut count = 0;
    for item in std::fs::read_dir(context.path("pages")).unwrap() {
        let path = item.unwrap().path();
        let mut command = context.command("groff");
        let rendered = context.run(command.args(["-Kutf8", "-man", "-Tutf8", "-ww"]).arg(&path)).success();
        assert_eq!(rendered.raw_stderr, "", "{}", path.display());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let plain = styles.replace_all(&rendered.raw_stdout, "");
        assert!(plain.contains(&name) && plain.contains("SYNOPSIS"), "{name}: {plain}");
        count += 1;
    }
    assert!(count > 60, "only {count} pages");
}

#[test]
fn what_is_installed_for_shells_and_man_replaces_only_its_own() {
    let context = TestContext::new();
    let share = context.home().join(".local/share");
    for _ in 0..2 {
        context.virtpy(["completions", "bash", "--install"]).success();
        context.virtpy(["man"]).success();
    }
    for name in ["virtpy", "virtpyx", "isopy"] {
        assert!(share.join("bash-completion/completions").join(name).is_file());
        assert!(share.join("man/man1").join(format!("{name}.1")).is_file());
    }
    let add = std::fs::read_to_string(share.join("man/man1/virtpy-add.1")).unwrap();
    assert!(add.contains("Install packages into a venv") && add.contains("find"), "{add}");
    assert!(share.join("man/man1/virtpy-tool-install.1").is_file());
    assert!(!share.join("man/man1/virtpy-cache.1").exists());
    context.virtpy(["completions", "zsh", "--install"]).success().stderr_has("fpath+=");
    std::fs::write(share.join("man/man1/virtpy-add.1"), "somebody's own").unwrap();
    context.virtpy(["man"]).failure(1).one_error().stderr_has("virtpy did not write it");
}

#[test]
fn who_asks_is_told_what_was_chosen_and_more() {
    let index = Index::start(&[
        WheelBuilder::new("demo", "1.0").requires("leaf").build(),
        WheelBuilder::new("leaf", "2.0").build(),
    ]);
    let mut context = TestContext::new();
    context.new_venv();
    let place = "/files/demo-1.0-py3-none-any.whl";
    let output = context.add(&index, &["-v", "demo"]).success();
    output
        .stderr_has("chose demo 1.0 (asked for) from `http")
        .stderr_has(place)
        .stderr_has("chose leaf 2.0 (required) from");
    context.set("VIRTPY_LOG", "debug");
    let noted = context.add(&index, &["--upgrade", "demo"]).success();
    assert!(noted.raw_stderr.contains("DEBUG"), "{}", noted.dump());
    context.set("VIRTPY_LOG", "=x=");
    context.virtpy(["list"]).success().stderr_has("`VIRTPY_LOG` makes no sense");
    context.unset("VIRTPY_LOG");
    context.virtpy(["list"]).success().stderr_lacks("DEBUG");
}
