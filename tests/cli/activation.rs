//! Activation in real shells, with folder names and prompts that bite.

use std::path::PathBuf;

use crate::support::{Output, TestContext, skip};

/// Names that each mean something to some shell. None of them may do anything.
const HOSTILE: &[&str] = &[
    "plain",
    "with blank",
    "it's",
    "say \"hi\"",
    "$HOME",
    "$(touch pwned)",
    "`touch pwned`",
    "${IFS}",
    "back\\slash",
    "tail\\",
    "semi;touch pwned",
    "amp&touch pwned",
    "bang!aim",
    "star*[a]?",
    "{a,b}",
    "#hash",
    "~tilde",
    "per%cent %n",
    "ünï-蛇",
    "-dash",
    "pipe|touch pwned",
    "<in >out",
    "'\"'\"'",
];

/// The shell's path, or none with a note if this machine does not have it.
fn shell(name: &str) -> Option<PathBuf> {
    let folders = ["/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];
    let found = folders.iter().map(|folder| PathBuf::from(folder).join(name)).find(|path| path.exists());
    if found.is_none() {
        skip(&format!("this machine has no {name}"));
    }
    found
}

struct Shell {
    name: &'static str,
    arguments: &'static [&'static str],
    /// Activates `$VENV`, prints the variables and what runs, deactivates, and prints PATH.
    script: &'static str,
}

const SHELLS: &[Shell] = &[
    Shell {
        name: "bash",
        arguments: &["--norc", "-c"],
        script: r#"OLD=$PATH; . "$VENV/bin/activate" || exit 7
printf '%s\n' "$VIRTUAL_ENV" "$VIRTUAL_ENV_PROMPT"
python -c 'import sys; print(sys.prefix)'
command -v python
deactivate
[ "$PATH" = "$OLD" ] && [ -z "${VIRTUAL_ENV+set}" ] && echo restored"#,
    },
    Shell {
        name: "sh",
        arguments: &["-c"],
        script: r#"OLD=$PATH; . "$VENV/bin/activate" || exit 7
printf '%s\n' "$VIRTUAL_ENV" "$VIRTUAL_ENV_PROMPT"
python -c 'import sys; print(sys.prefix)'
command -v python
deactivate
[ "$PATH" = "$OLD" ] && [ -z "${VIRTUAL_ENV+set}" ] && echo restored"#,
    },
    Shell {
        name: "zsh",
        arguments: &["-f", "-c"],
        script: r#"OLD=$PATH; . "$VENV/bin/activate" || exit 7
printf '%s\n' "$VIRTUAL_ENV" "$VIRTUAL_ENV_PROMPT"
python -c 'import sys; print(sys.prefix)'
command -v python
deactivate
[ "$PATH" = "$OLD" ] && [ -z "${VIRTUAL_ENV+set}" ] && echo restored"#,
    },
    Shell {
        name: "fish",
        arguments: &["--no-config", "-c"],
        script: r#"set --path OLD $PATH; source "$VENV/bin/activate.fish"; or exit 7
printf '%s\n' "$VIRTUAL_ENV" "$VIRTUAL_ENV_PROMPT"
python -c 'import sys; print(sys.prefix)'
command -v python
deactivate
test "$PATH" = "$OLD"; and not set -q VIRTUAL_ENV; and echo restored"#,
    },
    Shell {
        name: "tcsh",
        arguments: &["-f", "-c"],
        script: r#"set prompt="% "; set old = $PATH:q; source $VENV:q/bin/activate.csh
printenv VIRTUAL_ENV; printenv VIRTUAL_ENV_PROMPT
python -c 'import sys; print(sys.prefix)'
which python
deactivate
if ( $PATH:q == $old:q && ! $?VIRTUAL_ENV ) echo restored"#,
    },
];

fn activate(context: &TestContext, shell_path: &PathBuf, shell: &Shell, venv: &str) -> Output {
    let mut command = context.command(shell_path);
    command.args(shell.arguments).arg(shell.script).env("VENV", context.path(venv)).env("TERM", "dumb");
    context.run(&mut command)
}

fn check_shell(name: &str) {
    let shell_description = SHELLS.iter().find(|shell| shell.name == name).unwrap();
    let Some(path) = shell(name) else { return };
    let context = TestContext::new();
    for folder in HOSTILE {
        context.virtpy(["new", "--", folder]).success();
        let output = activate(&context, &path, shell_description, folder).success();
        let venv = context.path(folder).to_string_lossy().into_owned();
        let lines = output.lines();
        let expected = [&venv, *folder, &venv, &format!("{venv}/bin/python"), "restored"];
        assert_eq!(lines, expected, "{name} with the folder {folder:?}\n{}", output.dump());
        assert_eq!(output.raw_stderr, "", "{name} with the folder {folder:?}");
        assert!(!context.path("pwned").exists(), "{name} ran a command hidden in {folder:?}");
    }
}

fn check_prompts(name: &str) {
    let shell_description = SHELLS.iter().find(|shell| shell.name == name).unwrap();
    let Some(path) = shell(name) else { return };
    let context = TestContext::new();
    for (number, prompt) in HOSTILE.iter().enumerate() {
        let venv = format!("venv{number}");
        context.virtpy(["new", &venv, &format!("--prompt={prompt}")]).success();
        let output = activate(&context, &path, shell_description, &venv).success();
        assert_eq!(output.lines()[1], *prompt, "{name} with the prompt {prompt:?}\n{}", output.dump());
        assert_eq!(output.lines()[4], "restored", "{name} with the prompt {prompt:?}\n{}", output.dump());
        assert!(!context.path("pwned").exists(), "{name} ran a command hidden in {prompt:?}");
    }
}

#[test]
fn bash_takes_any_folder_name() {
    check_shell("bash");
}

#[test]
fn sh_takes_any_folder_name() {
    check_shell("sh");
}

#[test]
fn zsh_takes_any_folder_name() {
    check_shell("zsh");
}

#[test]
fn fish_takes_any_folder_name() {
    check_shell("fish");
}

#[test]
fn tcsh_takes_any_folder_name() {
    check_shell("tcsh");
}

#[test]
fn bash_takes_any_prompt() {
    check_prompts("bash");
}

#[test]
fn zsh_takes_any_prompt() {
    check_prompts("zsh");
}

#[test]
fn fish_takes_any_prompt() {
    check_prompts("fish");
}

#[test]
fn tcsh_takes_any_prompt() {
    check_prompts("tcsh");
}

/// bash expands PS1 each time it shows it, so that a command hidden in the prompt would run then.
#[test]
fn showing_the_prompt_in_bash_runs_nothing() {
    let Some(path) = shell("bash") else { return };
    let context = TestContext::new();
    for (number, prompt) in HOSTILE.iter().enumerate() {
        let venv = format!("venv{number}");
        context.virtpy(["new", &venv, &format!("--prompt={prompt}")]).success();
        let script = r#"PS1='> '; . "$VENV/bin/activate"; printf '%s' "${PS1@P}""#;
        let mut command = context.command(&path);
        command.args(["--norc", "-c", script]).env("VENV", context.path(&venv));
        let output = context.run(&mut command).success();
        assert!(!context.path("pwned").exists(), "bash ran a command hidden in {prompt:?}");
        assert_eq!(output.raw_stdout, format!("({prompt}) > "), "{}", output.dump());
    }
}

#[test]
fn showing_the_prompt_in_zsh_runs_nothing() {
    let Some(path) = shell("zsh") else { return };
    let context = TestContext::new();
    for (number, prompt) in HOSTILE.iter().enumerate() {
        let venv = format!("venv{number}");
        context.virtpy(["new", &venv, &format!("--prompt={prompt}")]).success();
        let script = r#"setopt promptsubst; PS1='> '; . "$VENV/bin/activate"; print -rn -- "${(%%)PS1}""#;
        let mut command = context.command(&path);
        command.args(["-f", "-c", script]).env("VENV", context.path(&venv));
        context.run(&mut command).success();
        assert!(!context.path("pwned").exists(), "zsh ran a command hidden in {prompt:?}");
    }
}

#[test]
fn activate_this_makes_the_venvs_packages_importable() {
    let context = TestContext::new();
    for folder in ["plain", "it's", "say \"hi\"", "back\\slash", "{a,b}", "ünï-蛇"] {
        context.virtpy(["new", folder]).success();
        let site = context.site_packages(folder);
        context.write(&format!("{site}/marker_module.py"), "value = 42\n");
        let code = "import os, sys; script = os.environ['VENV'] + '/bin/activate_this.py'; \
                    exec(open(script, encoding='utf-8').read(), {'__file__': script}); \
                    import marker_module; print(marker_module.value, os.environ['VIRTUAL_ENV'] == os.environ['VENV'])";
        let mut command = context.command(&context.interpreter().path);
        command.args(["-c", code]).env("VENV", context.path(folder));
        let output = context.run(&mut command).success();
        assert_eq!(output.raw_stdout.trim(), "42 True", "{}", output.dump());
    }
}
