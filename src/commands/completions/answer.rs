//! Answering a shell: which command line it is about, and which candidates each argument has.

use std::ffi::OsStr;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::candidates::{applications, interpreters, packages, stored, venvs};
use crate::cli::{IsopyArguments, command, virtpyx};
use crate::commands::isopy;

/// The variable by which a shell asks.
pub(super) const VARIABLE: &str = "VIRTPY_COMPLETE";

/// Answers a shell that asks how to go on. Returns whether one did.
pub fn answer_shell() -> bool {
    if std::env::var_os(VARIABLE).is_none() {
        return false;
    }
    let asked = CompleteEnv::with_factory(called).var(VARIABLE);
    let folder = std::env::current_dir().ok();
    asked.try_complete(std::env::args_os(), folder.as_deref()).unwrap_or_else(|error| error.exit())
}

/// The command line of the name by which the program was called.
fn called() -> Command {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_default();
    if isopy::is_called() {
        return definition("isopy");
    }
    // A script of that name may stand before the program.
    let is_virtpyx = Path::new(&program).file_name().is_some_and(|name| name == "virtpyx")
        || words.take(3).eq(["tool", "run", "--"]);
    definition(if is_virtpyx { "virtpyx" } else { "virtpy" })
}

/// The command line under a name.
pub(super) fn definition(name: &str) -> Command {
    match name {
        "isopy" => IsopyArguments::command(),
        "virtpyx" => with_values(virtpyx(), "run"),
        _ => with_values(command(), ""),
    }
}

/// A command and those below it, with what may stand for their arguments; `parent` is the name of the command above.
fn with_values(command: Command, parent: &str) -> Command {
    let name = if command.get_name() == "virtpyx" { "run" } else { command.get_name() }.to_owned();
    let above = parent.to_owned();
    let with_values_of = name.clone();
    command
        .mut_args(|argument| match values_of(&above, &with_values_of, &argument) {
            Some(values) => argument.add(ArgValueCompleter::new(values)),
            None => argument,
        })
        .mut_subcommands(|inner| with_values(inner, &name))
}

/// What finds the values of an argument.
type Values = fn(&OsStr) -> Vec<CompletionCandidate>;

/// What may stand for an argument of a command, if that can be known.
fn values_of(above: &str, command: &str, argument: &Arg) -> Option<Values> {
    let values: Values = match (above, command, argument.get_id().as_str()) {
        (_, _, "path") if argument.get_long() == Some("venv") => venvs,
        (_, _, "python") => interpreters,
        (_, "remove" | "show" | "detach" | "tree" | "why", "names") => packages,
        ("python", "uninstall" | "update", "names") | ("python", "use" | "pin" | "find", "request") => {
            interpreters
        }
        (_, "uninstall" | "upgrade" | "reinstall" | "pin" | "unpin", "names")
        | ("tool", "repair", "names")
        | (_, "inject" | "uninject", "name")
        | (_, "run", "words") => applications,
        ("store", "why", "name") | ("store", "verify" | "repair", "names") => stored,
        (_, "adopt", "venvs") => venvs,
        _ => return None,
    };
    Some(values)
}
