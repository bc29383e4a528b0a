//! `virtpy completions`: what shells ask to complete a command line, and the answers.
//!
//! What a shell reads once is a few lines that call the program with a variable set ([`VARIABLE`]) and the words typed so far;
//! the program answers with what may stand there. So names of packages, venvs, applications and interpreters are those of the
//! moment. nushell has no way to ask, and gets a list of commands and options.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};
use clap_complete_nushell::Nushell;

use super::isopy;
use super::places::{config_home, data_home, write_own};
use crate::cli::{
    ColorWhen, CompletionShell, CompletionsArguments, GlobalArguments, IsopyArguments, VenvArgument, command,
    virtpyx,
};
use crate::context::Context;
use crate::error::Failure;
use crate::interpreters::managed;
use crate::output::Output;
use crate::tools::Toolbox;
use crate::venv::Contents;

/// The variable by which a shell asks.
const VARIABLE: &str = "VIRTPY_COMPLETE";

/// What ends the files that virtpy writes, so that it replaces no others.
const MARK: &str = "# Written by `virtpy completions`.";

/// The names under which the program is called.
const NAMES: [&str; 3] = ["virtpy", "virtpyx", "isopy"];

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

fn definition(name: &str) -> Command {
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
        (_, "remove" | "show" | "detach" | "tree", "names") => packages,
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

/// What there is of these names that begins as what was typed.
fn matching(names: impl IntoIterator<Item = String>, typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let mut names: Vec<String> = names.into_iter().filter(|name| name.starts_with(&*typed)).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Nobody hears what is said while a command line is completed.
fn context() -> Option<Context> {
    Context::new(Output::new(&GlobalArguments { quiet: true, verbose: false, color: ColorWhen::Never })).ok()
}

fn packages(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = || {
        let context = context()?;
        let venv = context.venv_even_if_moved(&VenvArgument { path: typed_venv() }).ok()?;
        let contents = Contents::glance(&venv, &context.store).ok()?;
        Some(contents.distributions.into_iter().map(|one| one.name).collect::<Vec<_>>())
    };
    matching(names().unwrap_or_default(), typed)
}

/// The venv that the command line names so far.
fn typed_venv() -> Option<PathBuf> {
    let words: Vec<_> = std::env::args_os().collect();
    let place = words.iter().position(|word| word == "--venv")?;
    words.get(place + 1).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty())
}

fn venvs(typed: &OsStr) -> Vec<CompletionCandidate> {
    let known = || {
        let context = context()?;
        let roots = context.store.roots().ok()?;
        let own = [context.store.cache(), context.store.tools()];
        let is_own = |path: &PathBuf| own.iter().any(|folder| path.starts_with(folder));
        let places = roots.into_iter().map(|root| root.path).filter(|path| !is_own(path) && path.is_dir());
        Some(places.map(|path| path.display().to_string()).collect::<Vec<_>>())
    };
    let mut found = matching(known().unwrap_or_default(), typed);
    found.extend(PathCompleter::dir().complete(typed));
    found
}

fn applications(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = context().and_then(|context| Toolbox::new(&context.store).names().ok());
    matching(names.unwrap_or_default(), typed)
}

fn stored(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = || {
        let store = context()?.store;
        let name = |id| Some(store.provenance(id)?.name);
        Some(store.ids().ok()?.iter().filter_map(name).collect::<Vec<_>>())
    };
    matching(names().unwrap_or_default(), typed)
}

/// Interpreters that virtpy installed, and the versions on PATH, none of which is started.
fn interpreters(typed: &OsStr) -> Vec<CompletionCandidate> {
    let mut names = Vec::new();
    if let Some(context) = context() {
        for installed in managed::installed(&context.store.pythons()) {
            let name = installed.record.name;
            if let Some((minor, _)) = name.rsplit_once('.').filter(|(minor, _)| minor.contains('.')) {
                names.push(minor.to_owned());
            }
            names.push(name);
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    for folder in std::env::split_paths(&path) {
        let of_folder = crate::fs::names(&folder).unwrap_or_default();
        let version = |name: &std::ffi::OsString| {
            let version = name.to_str()?.strip_prefix("python")?;
            let is_version =
                version.contains('.') && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            is_version.then(|| version.to_owned())
        };
        names.extend(of_folder.iter().filter_map(version));
    }
    let mut found = matching(names, typed);
    if typed.to_string_lossy().contains('/') {
        found.extend(PathCompleter::file().complete(typed));
    }
    found
}

pub(super) fn run(context: &Context, arguments: &CompletionsArguments) -> Result<u8, Failure> {
    if !arguments.install {
        let texts: Vec<String> =
            NAMES.iter().map(|name| registration(arguments.shell, name)).collect::<Result<_, _>>()?;
        context.output.data_block(&texts.concat());
        return Ok(0);
    }
    let home = Home::of(arguments.shell)?;
    for name in NAMES {
        let path = home.folder.join((home.file)(name));
        write_own(&path, &registration(arguments.shell, name)?, MARK)?;
        context.output.message(format_args!("Wrote `{}`", path.display()));
    }
    if let Some(remark) = home.remark {
        context.output.message(remark);
    }
    Ok(0)
}

/// Where a shell looks for completions.
struct Home {
    folder: PathBuf,
    /// The name of the file for a program.
    file: fn(&str) -> String,
    /// What has to be done, where it does not look there by itself.
    remark: Option<String>,
}

impl Home {
    fn of(shell: CompletionShell) -> Result<Self, Failure> {
        let home: (PathBuf, fn(&str) -> String) = match shell {
            CompletionShell::Bash => (data_home()?.join("bash-completion/completions"), str::to_owned),
            CompletionShell::Zsh => (data_home()?.join("zsh/site-functions"), |name| format!("_{name}")),
            CompletionShell::Fish => (config_home()?.join("fish/completions"), |name| format!("{name}.fish")),
            CompletionShell::Elvish => {
                (config_home()?.join("elvish/lib"), |name| format!("{name}-completions.elv"))
            }
            CompletionShell::Powershell => {
                (config_home()?.join("powershell/completions"), |name| format!("{name}.ps1"))
            }
            CompletionShell::Nushell => {
                (config_home()?.join("nushell/autoload"), |name| format!("{name}-completions.nu"))
            }
        };
        let (folder, file) = home;
        let shown = folder.display();
        let remark = match shell {
            CompletionShell::Zsh => Some(format!(
                "Have `fpath+=('{shown}')` in ~/.zshrc, before `autoload -U compinit && compinit`"
            )),
            CompletionShell::Elvish => {
                let uses = NAMES.map(|name| format!("use {name}-completions"));
                Some(format!("Have `{}` in rc.elv", uses.join("; ")))
            }
            CompletionShell::Powershell => Some(format!(
                "Have `Get-ChildItem '{shown}/*.ps1' | ForEach-Object {{ . $_ }}` in the file that `$PROFILE` names"
            )),
            CompletionShell::Bash | CompletionShell::Fish | CompletionShell::Nushell => None,
        };
        Ok(Self { folder, file, remark })
    }
}

/// What a shell has to read to complete the command lines of a program.
fn registration(shell: CompletionShell, name: &str) -> Result<String, Failure> {
    let mut text = Vec::new();
    let asking: &dyn EnvCompleter = match shell {
        CompletionShell::Bash => &Bash,
        CompletionShell::Zsh => &Zsh,
        CompletionShell::Fish => &Fish,
        CompletionShell::Elvish => &Elvish,
        CompletionShell::Powershell => &Powershell,
        CompletionShell::Nushell => {
            clap_complete::generate(Nushell, &mut definition(name), name, &mut text);
            return Ok(marked(&text));
        }
    };
    asking
        .write_registration(VARIABLE, name, name, &completer(name), &mut text)
        .map_err(|error| Failure::new(format!("the completions cannot be written: {error}")))?;
    Ok(marked(&text))
}

fn marked(text: &[u8]) -> String {
    format!("{}\n{MARK}\n", String::from_utf8_lossy(text).trim_end())
}

/// The program that the shell asks: by its name, so that it is found also after an upgrade, or where it is now.
fn completer(name: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_on_path = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let here = || std::env::current_exe().ok().map(|path| path.display().to_string());
    if is_on_path || name != "virtpy" { name.to_owned() } else { here().unwrap_or_else(|| name.to_owned()) }
}
