//! `virtpy completions`: what shells ask to complete a command line, and the answers.
//!
//! What a shell reads once is a few lines that call the program with a variable set ([`VARIABLE`]) and the words typed so far;
//! the program answers with what may stand there. So names of packages, venvs, applications and interpreters are those of the
//! moment. nushell has no way to ask, and gets a list of commands and options.

mod answer;
mod candidates;

use std::path::PathBuf;

use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};
use clap_complete_nushell::Nushell;

pub use self::answer::answer_shell;

use self::answer::{VARIABLE, definition};
use super::places::{config_home, data_home, write_own};
use crate::cli::{CompletionShell, CompletionsArguments};
use crate::context::Context;
use crate::error::Failure;

/// What ends the files that virtpy writes, so that it replaces no others.
const MARK: &str = "# Written by `virtpy completions`.";

/// The names under which the program is called.
const NAMES: [&str; 3] = ["virtpy", "virtpyx", "isopy"];

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
