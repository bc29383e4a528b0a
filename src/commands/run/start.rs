//! Starting what is run: it takes this process's place, so that signals and the exit code are its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Call, Ran, What};
use crate::error::Failure;
use crate::fs;

/// So many bytes of a program are looked at.
const LARGEST_SCRIPT: u64 = 64 << 10;

/// Starts it, with these variables beside those of this process. Returns why that failed.
pub(super) fn start(call: &Call, place: &Ran, variables: BTreeMap<String, String>) -> Failure {
    let bins: Vec<PathBuf> = [Some(&place.environment), place.base.as_ref()]
        .into_iter()
        .flatten()
        .map(|root| root.join("bin"))
        .collect();
    let mut command = match command(call, &bins) {
        Ok(command) => command,
        Err(failure) => return failure,
    };
    command.args(&call.arguments).envs(variables);
    command.env("VIRTUAL_ENV", &place.environment).env("PATH", path(&bins)).env_remove("PYTHONHOME");
    virtpy_resolver::remove_git_settings(&mut command);
    let program = PathBuf::from(command.get_program());
    fs::restore_umask();
    let error = command.exec();
    let failure = Failure::new(format!("could not start `{}`: {error}", program.display()));
    if error.kind() == std::io::ErrorKind::NotFound && bins.iter().any(|bin| program.starts_with(bin)) {
        return failure.hinted(format!(
            "the interpreter of `{}` is gone: `virtpy relink` gives the venv another",
            place.environment.display()
        ));
    }
    failure
}

fn command(call: &Call, bins: &[PathBuf]) -> Result<Command, Failure> {
    let python = || Command::new(bins.first().map(|bin| bin.join("python")).unwrap_or_default());
    let with = |argument: &OsStr| {
        let mut command = python();
        command.arg(argument);
        command
    };
    Ok(match &call.what {
        What::File(path) => with(path.as_os_str()),
        What::Pipe(content) => with(fs::inherited_file(content)?.as_os_str()),
        What::Module(name) => {
            let mut command = with(OsStr::new("-m"));
            command.arg(name);
            command
        }
        What::Input(content) => {
            let mut command = with(OsStr::new("-"));
            command.stdin(fs::nameless_file(content)?);
            command
        }
        What::Command(name) if Path::new(name).components().count() > 1 => Command::new(name),
        What::Command(name) => match find(name, bins) {
            // The venv was moved: the script would be run by what stands in its old place.
            Some(program) if is_of_other_environment(&program, bins) => with(program.as_os_str()),
            Some(program) => {
                let mut command = Command::new(&program);
                // The name by which it was called tells some programs what to do.
                command.arg0(&program);
                command
            }
            // A folder that Python can run, if no command has its name.
            None if is_interpreter(name) => return Err(no_such_python(name, bins)),
            None if fs::kind(&Path::new(name).join("__main__.py"))?.is_some() => with(name),
            None => return Err(not_found(name, bins)),
        },
    })
}

/// Whether a script in an environment names the interpreter of another one, or one that is gone.
fn is_of_other_environment(program: &Path, bins: &[PathBuf]) -> bool {
    if !bins.iter().any(|bin| program.parent() == Some(bin)) {
        return false;
    }
    // Programs that are no scripts are larger.
    let Ok(script) = fs::read_bounded(program, LARGEST_SCRIPT) else { return false };
    let text = String::from_utf8_lossy(&script);
    let Some(interpreter) = named_interpreter(&text) else { return false };
    let Some(bin) = interpreter.parent() else { return false };
    let is_own = |own: &PathBuf| own == bin || fs::canonicalize(own).ok() == fs::canonicalize(bin).ok();
    let is_of_venv = || fs::metadata(&bin.with_file_name("pyvenv.cfg")).is_ok();
    !bins.iter().any(is_own) && (is_of_venv() || fs::metadata(interpreter).is_err())
}

/// The interpreter in the first lines of a script: behind `#!`, or where that line would be too long, behind `exec` in the second.
fn named_interpreter(script: &str) -> Option<&Path> {
    let mut lines = script.strip_prefix("#!")?.lines();
    let (first, second) = (lines.next()?.trim(), lines.next().unwrap_or_default());
    let named = match second.strip_prefix("'''exec' ") {
        Some(rest) if first == "/bin/sh" => rest.trim_start_matches(['"', '\'']).split(['"', '\'']).next()?,
        _ => first,
    };
    let path = Path::new(named);
    path.file_name().is_some_and(is_interpreter).then_some(path)
}

/// Whether a command's name is that of an interpreter: `python`, `python3.12`, `pypy3`.
fn is_interpreter(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let version = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    version.is_some_and(|version| version.chars().all(|letter| letter.is_ascii_digit() || letter == '.'))
}

/// A command in the environment, in the venv beneath it, or on PATH. Another interpreter than the environment's own would not
/// see its packages, so none is taken from PATH.
fn find(name: &OsStr, bins: &[PathBuf]) -> Option<PathBuf> {
    let path = if is_interpreter(name) { None } else { std::env::var_os("PATH") }.unwrap_or_default();
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let folders = bins.iter().cloned().chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(name)).find(is_program)
}

fn no_such_python(name: &OsStr, bins: &[PathBuf]) -> Failure {
    let looked = bins.first().map(|bin| bin.display().to_string()).unwrap_or_default();
    Failure::new(format!("there is no `{}` in `{looked}`", name.to_string_lossy()))
        .hinted("`virtpy run python` takes the environment's own; `-p VERSION --isolated` makes one with another Python")
}

fn not_found(name: &OsStr, bins: &[PathBuf]) -> Failure {
    let looked: Vec<String> = bins.iter().map(|bin| format!("`{}`", bin.display())).collect();
    Failure::new(format!("there is no command or script `{}`", name.to_string_lossy())).hinted(format!(
        "it was looked for in {} and on PATH; `--with PACKAGE` brings a package that has it, and `virtpy tool run` runs an \
         application",
        looked.join(", ")
    ))
}

/// PATH with the environment first.
fn path(bins: &[PathBuf]) -> OsString {
    let mut text = OsString::new();
    for bin in bins {
        text.push(bin);
        text.push(":");
    }
    match std::env::var_os("PATH").filter(|path| !path.is_empty()) {
        Some(path) => text.push(path),
        None => text.push("/usr/local/bin:/usr/bin:/bin"),
    }
    text
}
