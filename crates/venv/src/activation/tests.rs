//! Runs the scripts in the real shells, for folders and prompts that are as awkward as they can be.
//!
//! A shell that is not installed is passed over with a word, unless `VIRTPY_TEST_SHELLS=required` makes it a
//! failure.

#![allow(clippy::disallowed_methods, reason = "tests lay out folders that no library code would write")]
#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
#![allow(clippy::print_stdout, reason = "who runs the tests should hear which shells were passed over")]

mod pydoc;
mod text;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Activation, prompt, quoting};

/// Names of folders, which are the prompts as well.
const NAMES: &[&str] = &[
    "plain",
    ".venv",
    "two words",
    " blanks  around ",
    "it's",
    "''",
    "'''a'",
    "say \"hi\"",
    "\"",
    "$HOME",
    "${HOME} $(id) $((1+1)) $$ $?",
    "`id`",
    "back\\slash \\n \\w \\$ \\' \\\\",
    "end\\",
    "%d %~ 100%% %",
    "%PATH%",
    "!1 !! !$ !ls !",
    "#hash",
    "*",
    "~",
    "^a^b^",
    "[a-z]? {x,y}",
    "-n",
    "--help",
    "&|;<>()",
    "a&calc&",
    "=x",
    "@ROOT@ @PROMPT@",
    "tab\there",
    "é✓ 日本 \u{1F40D}",
    "\u{2018}x\u{2019}",
    "all 'of' \"it\" $HOME `id` \\n \\ %d !1 !! #*~?[a]{b} é\u{1F40D} &|;<>^() = @ROOT@",
];

/// What the shells see of their surroundings; two of PATH's elements are awkward themselves.
const OUTER_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/a b/`id`:/$x '!1";

/// The program's path; `None` if it is missing and may be.
fn shell(program: &str, can_be_required: bool) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file());
    if found.is_none() {
        let required = std::env::var_os("VIRTPY_TEST_SHELLS").is_some_and(|value| value == "required");
        assert!(
            !(required && can_be_required),
            "{program} is not installed, and VIRTPY_TEST_SHELLS=required"
        );
        println!("skipped: {program} is not installed");
    }
    found
}

/// An environment on disk that has the scripts and a python that only says where it lies.
struct Environment {
    _folder: tempfile::TempDir,
    root: PathBuf,
    name: &'static str,
}

impl Environment {
    fn new(name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join(name);
        let scripts = root.join("bin");
        fs::create_dir_all(&scripts).unwrap();
        for script in (Activation { root: &root, scripts: "bin", prompt: name }).scripts().unwrap() {
            fs::write(scripts.join(script.name), script.content).unwrap();
        }
        let python = scripts.join("python");
        fs::write(&python, "#!/bin/sh\nprintf '%s\\n' \"$0\"\n").unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        Self { _folder: folder, root, name }
    }

    fn script(&self, name: &str) -> String {
        format!("{}/bin/{name}", self.root.to_str().unwrap())
    }

    fn all() -> Vec<Self> {
        NAMES.iter().map(|name| Self::new(name)).collect()
    }
}

/// Runs a shell in an environment of known variables, and returns all it printed.
fn run(command: &mut Command, variables: &[(&str, &str)], input: &str) -> String {
    use std::io::Write as _;
    let mut child = command
        .env_clear()
        .envs([("PATH", OUTER_PATH), ("HOME", "/nonexistent"), ("LC_ALL", "C.UTF-8"), ("TERM", "dumb")])
        .envs(variables.iter().copied())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A shell that ended early has closed its end; what it printed then tells more than this error.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a session that activates `environment` prints: the state, what it is when active, and the state once
/// more.
fn expected(environment: &Environment, state: &str) -> String {
    format!(
        "{state}{root}\n{root}\n{name}\n{root}/bin:{OUTER_PATH}\n{root}/bin/python\n\
         no PYTHONHOME\n{state}gone\n",
        root = environment.root.to_str().unwrap(),
        name = environment.name,
    )
}

/// For every POSIX shell. `$1` is another environment's script, `$2` the one to test.
const POSIX_SESSION: &str = r#"
state() { printf '%s\n' "${PATH-unset} ${PS1-unset} ${PYTHONHOME-unset}"; }
state
. "$1"
. "$2"
. "$2"
printf '%s\n' "$VIRTUAL_ENV"
/bin/sh -c 'printf "%s\n" "$VIRTUAL_ENV" "$VIRTUAL_ENV_PROMPT" "$PATH"'
python
printf '%s\n' "${PYTHONHOME-no PYTHONHOME}"
deactivate
state
command -v deactivate || printf '%s\n' gone
case "$(set)" in *_OLD_VIRTUAL*=*) printf '%s\n' "left something behind" ;; esac
"#;

fn check_posix_shell(program: &Path, options: &[&str], environments: &[Environment]) {
    let other = Environment::new("other '$x");
    for environment in environments {
        let cases = [
            ("set -eu; unset PS1\n", vec![], format!("{OUTER_PATH} unset unset\n")),
            (
                "set -eu; PS1='old $ '\n",
                vec![("PYTHONHOME", "/a home")],
                format!("{OUTER_PATH} old $  /a home\n"),
            ),
        ];
        for (prelude, variables, state) in cases {
            // From a file, because some shells list the text behind -c among the variables.
            let session = environment.root.join("session");
            fs::write(&session, format!("{prelude}{POSIX_SESSION}")).unwrap();
            let mut command = Command::new(program);
            command
                .args(options)
                .arg(&session)
                .args([other.script("activate"), environment.script("activate")]);
            let printed = run(&mut command, &variables, "");
            assert_eq!(
                printed,
                expected(environment, &state),
                "{} {options:?} {:?}",
                program.display(),
                environment.name
            );
        }
    }
}

/// Activates and deactivates in a shell of this name.
fn check_posix_shells(program: &str, options: &[&[&str]], can_be_required: bool) {
    let environments = Environment::all();
    for options in options {
        if let Some(program) = shell(program, can_be_required) {
            check_posix_shell(&program, options, &environments);
        }
    }
}

#[test]
fn sh_activates_and_deactivates() {
    check_posix_shell(Path::new("/bin/sh"), &[], &Environment::all());
    check_posix_shells("dash", &[&[]], true);
}

#[test]
fn bash_activates_and_deactivates() {
    check_posix_shells("bash", &[&["--norc"], &["--posix"]], true);
}

#[test]
fn zsh_activates_and_deactivates() {
    let options: [&[&str]; 3] = [
        &["-f"],
        &["-f", "-o", "rcquotes", "-o", "shwordsplit", "-o", "extendedglob"],
        &["-f", "-o", "ksharrays", "-o", "globsubst", "-o", "nullglob"],
    ];
    check_posix_shells("zsh", &options, true);
}

#[test]
fn korn_shells_and_others_activate_and_deactivate() {
    for (program, options) in [("ksh93", &[][..]), ("mksh", &[]), ("yash", &[]), ("busybox", &["sh"])] {
        check_posix_shells(program, &[options], false);
    }
}

#[test]
fn posix_prompt_stays_when_disabled() {
    let environment = Environment::new("plain");
    let session = r#"PS1=old; . "$1"; printf '%s\n' "$PS1"; PS1=new; deactivate; printf '%s\n' "$PS1""#;
    let mut command = Command::new("bash");
    command.args(["-c", session, "bash", &environment.script("activate")]);
    assert_eq!(run(&mut command, &[("VIRTUAL_ENV_DISABLE_PROMPT", "1")], ""), "old\nnew\n");
}

#[test]
fn posix_windows_paths_are_converted() {
    let environment = Environment::new("two words");
    let session = r#"cygpath() { printf '%s/.' "$2"; }; OSTYPE=msys; . "$1"; printf '%s\n' "${PATH%%:*}""#;
    let mut command = Command::new("bash");
    command.args(["-c", session, "bash", &environment.script("activate")]);
    let wanted = format!("{}/./bin\n", environment.root.to_str().unwrap());
    assert_eq!(run(&mut command, &[], ""), wanted);
}

/// Interactive shells that are fed through a pipe show their prompts on standard error (csh: standard
/// output).
fn check_shown_prompt(program: &str, options: &[&str], can_be_required: bool, knows_exclamation: bool) {
    let Some(path) = shell(program, can_be_required) else {
        return;
    };
    let (source, script) =
        if program.ends_with("csh") { ("source", "activate.csh") } else { (".", "activate") };
    for environment in Environment::all() {
        if environment.name.contains('!') && !knows_exclamation {
            continue;
        }
        let link = environment.root.with_file_name("link");
        std::os::unix::fs::symlink(environment.script(script), &link).unwrap();
        let input = format!("{source} {}\necho first\necho second\nexit\n", link.display());
        let printed = run(Command::new(&path).args(options), &[], &input);
        // Without a second reading, what the first one leaves of the escapes is shown.
        let escaped = prompt::posix(environment.name);
        let name = if options.contains(&"promptvars") { &escaped } else { environment.name };
        let shown = format!("({name}) ");
        assert!(printed.contains(&shown), "{program} {options:?} shows {printed:?} instead of {shown:?}");
    }
}

#[test]
fn prompts_are_shown_literally() {
    check_shown_prompt("bash", &["--norc", "--noprofile", "--noediting", "-i"], true, true);
    check_shown_prompt(
        "bash",
        &["--norc", "--noprofile", "--noediting", "-i", "+O", "promptvars"],
        true,
        true,
    );
    check_shown_prompt("zsh", &["-f", "-i", "+o", "zle"], true, true);
    check_shown_prompt("zsh", &["-f", "-i", "+o", "zle", "-o", "promptsubst"], true, true);
    check_shown_prompt("dash", &["-i"], true, true);
    check_shown_prompt("tcsh", &["-f", "-i"], true, true);
    check_shown_prompt("bsd-csh", &["-f", "-i"], false, true);
    check_shown_prompt("mksh", &["-i"], false, true);
    check_shown_prompt("ksh93", &["-i"], false, false);
}

const FISH_SESSION: &str = r#"
function state
    printf '%s' (string join : -- $PATH)
    set -q PYTHONHOME; and echo " $PYTHONHOME"; or echo ' unset'
end
function fish_prompt; echo "status $status, $pipestatus"; printf '> '; end
state
source $argv[1]
source $argv[2]
source $argv[2]
printf '%s\n' $VIRTUAL_ENV
sh -c 'printf "%s\n" "$VIRTUAL_ENV" "$VIRTUAL_ENV_PROMPT" "$PATH"'
python
set -q PYTHONHOME; or echo no PYTHONHOME
false | true | false
fish_prompt
deactivate
state
functions -q deactivate; or echo gone
false
fish_prompt
set --names | string match '*VIRTUAL*'
"#;

#[test]
fn fish_activates_and_deactivates() {
    let Some(fish) = shell("fish", true) else { return };
    let other = Environment::new("other '$x");
    let home = tempfile::tempdir().unwrap();
    for environment in Environment::all() {
        for (variables, python_home) in [(vec![], "unset"), (vec![("PYTHONHOME", "/a home")], "/a home")] {
            let variables = [&variables[..], &[("HOME", home.path().to_str().unwrap())]].concat();
            let mut command = Command::new(&fish);
            command
                .args(["-c", FISH_SESSION])
                .args([other.script("activate.fish"), environment.script("activate.fish")]);
            let state = format!("{OUTER_PATH} {python_home}\n");
            let prompt = format!("no PYTHONHOME\n({}) status 1, 1 0 1\n> \n", environment.name);
            let wanted =
                expected(&environment, &state).replace("no PYTHONHOME\n", &prompt) + "status 1, 1\n> ";
            assert_eq!(run(&mut command, &variables, ""), wanted, "{:?}", environment.name);
        }
    }
}

/// Paths come through variables: a csh script has no other way to get them unharmed.
const CSH_SESSION: &str = r#"
set prompt = 'old `id` $x \!1> '
alias state 'printenv PATH; printenv PYTHONHOME; printf "%s\n" $prompt:q'
state
source $OTHER:q
source $TESTED:q
source $TESTED:q
printf '%s\n' "$VIRTUAL_ENV"
printenv VIRTUAL_ENV
printenv VIRTUAL_ENV_PROMPT
printenv PATH
python
if ( ! $?PYTHONHOME ) echo no PYTHONHOME
deactivate
state
if ( ! $?VIRTUAL_ENV && ! $?VIRTUAL_ENV_PROMPT && ! $?_OLD_VIRTUAL_PATH ) echo gone
alias deactivate
alias _virtual_restore_path
"#;

#[test]
fn csh_activates_and_deactivates() {
    let other = Environment::new("other '$x");
    for (program, can_be_required) in [("tcsh", true), ("bsd-csh", false)] {
        let Some(csh) = shell(program, can_be_required) else {
            continue;
        };
        for (index, environment) in Environment::all().iter().enumerate() {
            let session = environment.root.join("session");
            fs::write(&session, CSH_SESSION).unwrap();
            let (other_script, tested) = (other.script("activate.csh"), environment.script("activate.csh"));
            let mut variables = vec![("OTHER", other_script.as_str()), ("TESTED", tested.as_str())];
            // In turn, because csh reads every folder of PATH each time its PATH changes, which takes long.
            let python_home = if index % 2 == 0 {
                variables.push(("PYTHONHOME", "/a home"));
                "/a home\n"
            } else {
                ""
            };
            let state = format!("{OUTER_PATH}\n{python_home}old `id` $x !1> \n");
            let printed = run(Command::new(&csh).arg("-f").arg(&session), &variables, "");
            assert_eq!(printed, expected(environment, &state), "{program} {:?}", environment.name);
        }
    }
}

const PYTHON_SESSION: &str = r#"
import os, sys
root = sys.argv[1]
folder = os.path.join(root, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
script = os.path.join(root, "bin", "activate_this.py")
try:
    exec(open(script).read())
except RuntimeError as error:
    print("refused" if "not for Python" in str(error) else error)
os.makedirs(os.path.join(folder, "from_pth"))
with open(os.path.join(folder, "only_here.py"), "w") as module:
    module.write("answer = 42\n")
with open(os.path.join(folder, "more.pth"), "w") as pth:
    pth.write("from_pth\n")
def in_a_function():
    exec(open(script).read())
in_a_function()
once = list(sys.path), os.environ["PATH"]
exec(open(script).read(), {"__file__": script})
import only_here
print(only_here.answer, (list(sys.path), os.environ["PATH"]) == once)
print(sys.path[0] == folder, os.path.join(folder, "from_pth") in sys.path[:2], sys.prefix == root)
print(os.environ["VIRTUAL_ENV"] == root, os.environ["VIRTUAL_ENV_PROMPT"] == os.path.basename(root))
print(os.environ["PATH"] == os.path.join(root, "bin") + ":" + sys.argv[2], "PYTHONHOME" in os.environ)
"#;

#[test]
fn activate_this_changes_a_running_python() {
    let Some(python) = shell("python3", true) else {
        return;
    };
    // The real program rather than a launcher that needs variables of its own.
    let found = Command::new(python).args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    let python = String::from_utf8(found.stdout).unwrap();
    for environment in Environment::all() {
        let mut command = Command::new(python.trim());
        // -E ignores PYTHONHOME, which is not a real one here. The second argument is what PATH was.
        command.args(["-E", "-c", PYTHON_SESSION]).arg(&environment.root).arg(OUTER_PATH);
        let printed = run(&mut command, &[("PYTHONHOME", "/a home")], "");
        assert_eq!(
            printed, "refused\n42 True\nTrue True True\nTrue True\nTrue False\n",
            "{:?}",
            environment.name
        );
    }
}

const NUSHELL_SESSION: &str = r#"
$env.PROMPT_COMMAND = {|| "old> " }
let before = $env.PATH
overlay use OTHER
overlay use TESTED
overlay use TESTED
^sh -c 'printf "%s\n" "$VIRTUAL_ENV" "$VIRTUAL_ENV_PROMPT" "$PATH" "${PYTHONHOME-unset}"'
^python
print (do $env.PROMPT_COMMAND)
deactivate
print ($env.PATH == $before) ($env.VIRTUAL_ENV? == null) $env.PYTHONHOME (do $env.PROMPT_COMMAND)
"#;

#[test]
fn nushell_activates_and_deactivates() {
    let Some(nu) = shell("nu", false) else { return };
    let other = Environment::new("other '$x");
    let home = tempfile::tempdir().unwrap();
    for environment in Environment::all() {
        let session = NUSHELL_SESSION
            .replace("OTHER", &quoting::nushell(&other.script("activate.nu")))
            .replace("TESTED", &quoting::nushell(&environment.script("activate.nu")));
        let variables = [("HOME", home.path().to_str().unwrap()), ("PYTHONHOME", "/a home")];
        let printed = run(Command::new(&nu).args(["-n", "-c", &session]), &variables, "");
        let wanted = format!(
            "{root}\n{name}\n{root}/bin:{OUTER_PATH}\nunset\n{root}/bin/python\n\
             ({name}) old> \ntrue\ntrue\n/a home\nold> \n",
            root = environment.root.to_str().unwrap(),
            name = environment.name,
        );
        assert_eq!(printed, wanted, "{:?}", environment.name);
    }
}

const XONSH_SESSION: &str = r#"
import os
before = list($PATH)
source @($OTHER)
source @($TESTED)
source @($TESTED)
print($VIRTUAL_ENV == $ROOT, $VIRTUAL_ENV_PROMPT == os.path.basename($ROOT), "PYTHONHOME" in ${...})
print(len($PATH) - len(before))
deactivate
print(list($PATH) == before, "VIRTUAL_ENV" in ${...}, $PYTHONHOME, "deactivate" in aliases)
"#;

#[test]
fn xonsh_activates_and_deactivates() {
    let Some(xonsh) = shell("xonsh", false) else {
        return;
    };
    let other = Environment::new("other");
    let home = tempfile::tempdir().unwrap();
    let session = home.path().join("session.xsh");
    fs::write(&session, XONSH_SESSION).unwrap();
    // A shell that takes long to start; its quoting is Python's, which has a test of its own.
    for name in ["plain", "it's", "\u{2018}x\u{2019} \"\\é"] {
        let environment = Environment::new(name);
        let (other, tested) = (other.script("activate.xsh"), environment.script("activate.xsh"));
        let variables = [
            ("HOME", home.path().to_str().unwrap()),
            ("ROOT", environment.root.to_str().unwrap()),
            ("OTHER", &other),
            ("TESTED", &tested),
            // An empty one is none to the Python that xonsh itself runs on.
            ("PYTHONHOME", ""),
        ];
        let printed = run(Command::new(&xonsh).arg("--no-rc").arg(&session), &variables, "");
        assert_eq!(printed, "True True False\n1\nTrue False  False\n", "{:?}", environment.name);
    }
}
