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

/// Runs a shell's script with `$VENV` and these variables set.
fn run_script(
    context: &TestContext,
    name: &str,
    script: &str,
    venv: &str,
    variables: &[(&str, &str)],
) -> Option<Output> {
    let path = shell(name)?;
    let mut command = context.command(path);
    match name {
        "bash" => command.arg("--norc"),
        "zsh" | "tcsh" => command.arg("-f"),
        "fish" => command.arg("--no-config"),
        _ => &mut command,
    };
    command.args(["-c", script]).env("VENV", context.path(venv)).env("TERM", "dumb");
    command.envs(variables.iter().copied());
    Some(context.run(&mut command))
}

/// fish and Windows' cmd hand down what an activation in them remembers; in the shell that they start nothing is active.
#[test]
fn what_another_shell_remembers_is_not_taken_back() {
    let context = TestContext::new();
    context.new_named_venv("env");
    let posix = r#"OLD=$PATH; . "$VENV/bin/activate"; deactivate; [ "$PATH" = "$OLD" ] && echo same"#;
    let fish = r#"set --path OLD $PATH; source "$VENV/bin/activate.fish"; deactivate; test "$PATH" = "$OLD"; and echo same"#;
    let tcsh = r"set old = $PATH:q; source $VENV:q/bin/activate.csh
deactivate
if ( $PATH:q == $old:q ) echo same";
    // What tcsh would find under the name that is no alias yet.
    let foreign = context.write("programs/deactivate", "#!/bin/sh\necho 'another program ran'\n");
    std::fs::set_permissions(&foreign, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let programs = format!("{}:/usr/bin:/bin", context.path("programs").display());
    let inherited = [
        ("PATH", programs.as_str()),
        ("_OLD_VIRTUAL_PATH", "/elsewhere"),
        ("_OLD_VIRTUAL_UNSET", "PATH"),
        ("_VIRTUAL_PYDOC", "1"),
    ];
    for (name, script) in [("bash", posix), ("sh", posix), ("zsh", posix), ("fish", fish), ("tcsh", tcsh)] {
        let Some(output) = run_script(&context, name, script, "env", &inherited) else { continue };
        assert_eq!(output.raw_stdout, "same\n", "{name}\n{}", output.dump());
        assert_eq!(output.raw_stderr, "", "{name}\n{}", output.dump());
    }
}

/// An empty element of PATH is the folder that one happens to be in.
#[test]
fn an_empty_path_gets_no_empty_element() {
    let context = TestContext::new();
    context.new_named_venv("env");
    let posix = r#"PATH=; . "$VENV/bin/activate"; echo "$PATH"; deactivate; echo "<$PATH>""#;
    let tcsh = r#"setenv PATH ""; source $VENV:q/bin/activate.csh
echo $PATH:q; deactivate; echo "<$PATH>""#;
    for (name, script) in [("bash", posix), ("sh", posix), ("zsh", posix), ("tcsh", tcsh)] {
        let Some(output) = run_script(&context, name, script, "env", &[]) else { continue };
        let expected = format!("{}/bin\n<>\n", context.path("env").display());
        assert_eq!(output.raw_stdout, expected, "{name}\n{}", output.dump());
    }
}

#[test]
fn a_script_that_is_run_says_that_it_is_to_be_sourced() {
    let context = TestContext::new();
    context.new_named_venv("env");
    for name in ["bash", "zsh"] {
        let Some(path) = shell(name) else { continue };
        let mut command = context.command(path);
        command.arg("env/bin/activate");
        context.run(&mut command).failure(1).stderr_has("source this file: . env/bin/activate");
    }
}

#[test]
fn a_moved_venv_is_found_where_it_is_and_one_that_is_gone_is_not_activated() {
    let context = TestContext::new();
    let posix = r#". "$VENV/bin/activate" && { echo "$VIRTUAL_ENV"; command -v python; } || echo "none ${VIRTUAL_ENV-}""#;
    let fish = r#"source "$VENV/bin/activate.fish"; and begin; echo $VIRTUAL_ENV; command -v python; end; or echo "none $VIRTUAL_ENV""#;
    let tcsh = r#"source $VENV:q/bin/activate.csh
if ( ! $?VIRTUAL_ENV ) echo "none ""#;
    for (name, script, knows_its_place) in [
        ("bash", posix, true),
        ("zsh", posix, true),
        ("fish", fish, true),
        ("sh", posix, false),
        ("tcsh", tcsh, false),
    ] {
        let before = format!("{name} before");
        let after = format!("{name} it's after");
        context.new_named_venv(&before);
        std::fs::rename(context.path(&before), context.path(&after)).unwrap();
        let Some(output) = run_script(&context, name, script, &after, &[]) else { continue };
        let place = context.path(&after).display().to_string();
        if knows_its_place {
            assert_eq!(output.raw_stdout, format!("{place}\n{place}/bin/python\n"), "{}", output.dump());
            output.stderr_has("this virtual environment was moved here from ");
        } else {
            assert_eq!(output.raw_stdout, "none \n", "{}", output.dump());
        }
        std::fs::remove_file(context.path(&after).join("pyvenv.cfg")).unwrap();
        let output = run_script(&context, name, script, &after, &[]).unwrap();
        assert_eq!(output.raw_stdout, "none \n", "{name}\n{}", output.dump());
        output.stderr_has("there is no virtual environment at ");
    }
}

/// An option of the shell that is changed later, or a shell that gets the prompt from this one, must not make a command of it.
#[test]
fn a_prompt_stays_text_when_it_is_read_in_another_way() {
    let context = TestContext::new();
    let bash_later = r#"shopt -u promptvars; PS1='> '; . "$VENV/bin/activate"; shopt -s promptvars; printf '%s' "${PS1@P}""#;
    let bash_child = r#"PS1='> '; . "$VENV/bin/activate"; export PS1; dash -i </dev/null; shopt -u promptvars; . "$VENV/bin/activate"; bash --norc -i </dev/null"#;
    let zsh_later = r#"PS1='> '; . "$VENV/bin/activate"; setopt promptsubst; print -rn -- "${(%%)PS1}"; deactivate; print -rn "$#psvar""#;
    let zsh_child = r#"PS1='> '; . "$VENV/bin/activate"; export PS1; bash --norc -i </dev/null"#;
    for (number, prompt) in HOSTILE.iter().enumerate() {
        let venv = format!("venv{number}");
        context.virtpy(["new", &venv, &format!("--prompt={prompt}")]).success();
        for (name, script) in
            [("bash", bash_later), ("bash", bash_child), ("zsh", zsh_later), ("zsh", zsh_child)]
        {
            let Some(output) = run_script(&context, name, script, &venv, &[]) else { continue };
            assert!(!context.path("pwned").exists(), "{name} ran a command hidden in {prompt:?}: {script}");
            let shown = match script {
                _ if script == bash_later => format!("({prompt}) > "),
                _ if script == zsh_later => format!("({prompt}) > 0"),
                _ => continue,
            };
            assert_eq!(output.raw_stdout, shown, "{name} shows {prompt:?}\n{}", output.dump());
        }
    }
}

/// In GB18030 the last byte of a UTF-8 letter and a digit or quote behind it are read as one.
#[test]
fn a_script_can_be_read_in_a_locale_that_is_not_utf8() {
    let context = TestContext::new();
    let mut definition = context.command("localedef");
    definition.args(["-c", "-f", "GB18030", "-i", "zh_CN"]).arg(context.path("zh_CN.gb18030"));
    let is_made = definition.output().is_ok() && context.path("zh_CN.gb18030").is_dir();
    if !is_made {
        skip("this machine cannot make a locale of GB18030");
        return;
    }
    let locales = context.path(".").display().to_string();
    let variables = [("LOCPATH", locales.as_str()), ("LC_ALL", "zh_CN.gb18030")];
    let posix = r#". "$VENV/bin/activate"; printf '%s\n' "$VIRTUAL_ENV" "$VIRTUAL_ENV_PROMPT"; deactivate"#;
    let fish = r#"source "$VENV/bin/activate.fish"; printenv VIRTUAL_ENV; printenv VIRTUAL_ENV_PROMPT"#;
    let tcsh = r"source $VENV:q/bin/activate.csh
printenv VIRTUAL_ENV; printenv VIRTUAL_ENV_PROMPT";
    let shells = [("bash", posix), ("sh", posix), ("zsh", posix), ("fish", fish), ("tcsh", tcsh)];
    for folder in
        ["a你0", "你", "-é", "é%d\\n 'x'!1", "中$(touch pwned)", "中;touch pwned;x", "中'; touch pwned; 'x"]
    {
        context.virtpy(["new", "--", folder]).success();
        for (name, script) in shells {
            let Some(output) = run_script(&context, name, script, folder, &variables) else { continue };
            let expected = format!("{}\n{folder}\n", context.path(folder).display());
            assert_eq!(output.raw_stdout, expected, "{name}\n{}", output.dump());
            assert_eq!(output.raw_stderr, "", "{name}\n{}", output.dump());
        }
    }
    let script = r#"PS1='> '; . "$VENV/bin/activate"; printf '%s' "${PS1@P}""#;
    run_script(&context, "bash", script, "中$(touch pwned)", &variables);
    assert!(!context.path("pwned").exists(), "bash ran a command that begins behind a letter of two bytes");
}

/// What a `.pth` file imports is what it would import in the venv's own Python.
#[test]
fn activate_this_reads_pth_files_as_the_venv_does_and_finds_a_moved_venv() {
    let context = TestContext::new();
    context.new_named_venv("before");
    let site = context.site_packages("before");
    for name in ["ordered", "colorsys"] {
        context.write(&format!("{site}/{name}.py"), "where = 'venv'\n");
        context.write(&format!("{name}.py"), "where = 'host'\n");
    }
    context.write(&format!("{site}/order.pth"), "import ordered, colorsys\n");
    std::fs::rename(context.path("before"), context.path("after")).unwrap();
    let code = "import runpy, sys; runpy.run_path('after/bin/activate_this.py'); import ordered, colorsys, sysconfig; \
                print(ordered.where, hasattr(colorsys, 'where'), sysconfig.get_path('platlib')); print(sys.prefix)";
    let mut command = context.command(&context.interpreter().path);
    // Without site nothing has imported sysconfig, which looks at the prefix but once.
    let output = context.run(command.args(["-S", "-c", code])).success();
    let place = context.path("after").display().to_string();
    let expected =
        format!("venv False {}\n{place}\n", context.path(&context.site_packages("after")).display());
    assert_eq!(output.raw_stdout, expected, "{}", output.dump());
}

/// Python reads paths as text of the locale's encoding.
#[test]
fn activate_this_finds_its_venv_in_every_locale() {
    let context = TestContext::new();
    context.new_named_venv("ünï-蛇");
    context.write(&format!("{}/marker_module.py", context.site_packages("ünï-蛇")), "");
    let code = "import runpy, os; runpy.run_path(os.environ['VENV'] + '/bin/activate_this.py'); import marker_module; \
                print(os.environ['VIRTUAL_ENV'] == os.environ['VENV'], os.path.basename(os.environ['VENV']) == os.environ['VIRTUAL_ENV_PROMPT'])";
    let mut command = context.command(&context.interpreter().path);
    command.args(["-c", code]).env("VENV", context.path("ünï-蛇"));
    command.envs([("LC_ALL", "C"), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")]);
    let output = context.run(&mut command).success();
    assert_eq!(output.raw_stdout, "True True\n", "{}", output.dump());
}
