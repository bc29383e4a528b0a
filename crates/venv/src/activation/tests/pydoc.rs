//! What activation gives beside PATH: the environment's `pydoc`, and itself where it was moved to.

use super::{Environment, run, shell};
use std::fs;
use std::process::Command;

/// `$1` is the script. The environment's python prints where it is.
const POSIX: &str = r#"
set -eu
. "$1"
pydoc list
. "$1"
pydoc list
deactivate
command -v pydoc >/dev/null || printf '%s\n' gone
pydoc() { printf '%s\n' mine; }
. "$1"
pydoc list
deactivate
pydoc list
"#;

const FISH: &str = r"
source $argv[1]
pydoc list
source $argv[1]
pydoc list
deactivate
functions -q pydoc; or echo gone
function pydoc; echo mine; end
source $argv[1]
pydoc list
deactivate
pydoc list
";

const CSH: &str = r#"
source "$TESTED:q"
pydoc list
source "$TESTED:q"
pydoc list
deactivate
if ( "`alias pydoc`" == "" ) echo gone
alias pydoc 'echo mine; :'
source "$TESTED:q"
pydoc list
deactivate
pydoc list
"#;

#[test]
fn pydoc_is_that_of_the_environment_and_goes_with_it() {
    for (program, options, script, text) in [
        ("bash", vec![], "activate", POSIX),
        ("dash", vec![], "activate", POSIX),
        ("zsh", vec!["-f"], "activate", POSIX),
        ("ksh", vec![], "activate", POSIX),
        ("fish", vec!["--no-config"], "activate.fish", FISH),
        ("tcsh", vec!["-f"], "activate.csh", CSH),
    ] {
        let Some(found) = shell(program, program != "ksh") else { continue };
        let environment = Environment::new("two words");
        let session = environment.root.join("session");
        fs::write(&session, text).unwrap();
        let tested = environment.script(script);
        let mut command = Command::new(&found);
        command.args(options).arg(&session).arg(&tested);
        let python = environment.script("python");
        let path = "/usr/bin:/bin";
        let printed = run(&mut command, &[("TESTED", tested.as_str()), ("PATH", path)], "");
        assert_eq!(printed, format!("{python}\n{python}\ngone\nmine\nmine\n"), "{program}");
    }
}

#[test]
fn a_moved_environment_is_found_where_it_is() {
    for (program, options, is_found) in
        [("bash", vec![], true), ("zsh", vec!["-f"], true), ("dash", vec![], false)]
    {
        let Some(found) = shell(program, true) else { continue };
        let environment = Environment::new("before");
        fs::write(environment.root.join("pyvenv.cfg"), "").unwrap();
        let moved = environment.root.with_file_name("after it's moved");
        fs::rename(&environment.root, &moved).unwrap();
        let moved = fs::canonicalize(moved).unwrap();
        let session = moved.join("session");
        fs::write(&session, "set -eu\n. \"$1\"\nprintf '%s\\n' \"$VIRTUAL_ENV\"\npython\n").unwrap();
        let mut command = Command::new(&found);
        command.args(options).arg(&session).arg(moved.join("bin/activate"));
        let printed = run(&mut command, &[("PATH", "/usr/bin:/bin")], "");
        let (new, old) = (moved.display(), environment.root.display());
        if is_found {
            let said = format!(
                "{new}\n{new}/bin/python\nthis virtual environment was moved here from {old}; `virtpy relink` repairs \
                 its scripts\n"
            );
            assert_eq!(printed, said, "{program}");
        } else {
            // The file ends with a status that ends the session, which asked for that.
            let said = format!(
                "there is no virtual environment at {old}; if it was moved, `virtpy relink` repairs its scripts\n"
            );
            assert_eq!(printed, said, "{program}");
        }
    }
}

#[test]
fn shells_that_are_seldom_installed_find_a_moved_environment_too() {
    for (program, options, session) in [
        ("nu", vec!["-n"], "overlay use NAME/activate.nu; print $env.VIRTUAL_ENV; ^python"),
        ("xonsh", vec!["--no-rc"], "source NAME/activate.xsh\nprint($VIRTUAL_ENV, flush=True)\npython"),
    ] {
        let Some(found) = shell(program, false) else { continue };
        let environment = Environment::new("before");
        fs::write(environment.root.join("pyvenv.cfg"), "").unwrap();
        let moved = environment.root.with_file_name("after");
        fs::rename(&environment.root, &moved).unwrap();
        let session = session.replace("NAME", moved.join("bin").to_str().unwrap());
        let home = tempfile::tempdir().unwrap();
        let variables = [("HOME", home.path().to_str().unwrap()), ("PATH", "/usr/bin:/bin")];
        let printed = run(Command::new(found).args(options).args(["-c", &session]), &variables, "");
        let (new, old) = (moved.display(), environment.root.display());
        let said = format!(
            "{new}\n{new}/bin/python\nthis virtual environment was moved here from {old}; `virtpy relink` repairs its \
             scripts\n"
        );
        assert_eq!(printed, said, "{program}");
    }
}
