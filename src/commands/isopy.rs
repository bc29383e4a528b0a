//! `isopy`: the commands of that program, when virtpy is called by its name.

use std::path::{Path, PathBuf};

use clap::Parser as _;

use super::python::{newest, poetry, refresh_index};
use crate::cli::{IsopyArguments, IsopyCommand};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::managed::Installed;
use crate::output::Output;

/// Whether the program was called by the name `isopy`.
pub fn is_called() -> bool {
    let name = std::env::args_os().next().unwrap_or_default();
    Path::new(&name).file_name().is_some_and(|name| name == "isopy")
}

/// Runs the command of the command line. Returns the process's exit code.
pub fn main() -> u8 {
    let arguments = IsopyArguments::parse();
    let output = Output::new(&arguments.global);
    run(&arguments.command, output).unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.code()
    })
}

fn run(command: &IsopyCommand, output: Output) -> Result<u8, Failure> {
    let context = Context::new(output)?;
    match command {
        IsopyCommand::Install { version } => {
            output.data(install(&context, version)?.display());
            Ok(0)
        }
        IsopyCommand::Use { version } => {
            let executable = install(&context, version)?;
            poetry(&context, &executable)
        }
        IsopyCommand::List => list(&context),
        IsopyCommand::UpdateIndex => refresh_index(&context),
    }
}

/// Where isopy keeps interpreters.
fn folder() -> Result<PathBuf, Failure> {
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
    let home = home.ok_or_else(|| Failure::new("there is no home directory").hinted("set `HOME`"))?;
    Ok(home.join(".isopy"))
}

/// Installs a version, and returns the path by which isopy's users know it.
fn install(context: &Context, version: &str) -> Result<PathBuf, Failure> {
    let numbers: Vec<&str> = version.split('.').collect();
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !(numbers.len() == 2 || numbers.len() == 3) || !numbers.iter().all(is_number) {
        return Err(Failure::new("Version must be X.Y or X.Y.Z"));
    }
    let installed = newest(context, version)?;
    let link = folder()?.join(&installed.record.name);
    lead(context, &installed, &link)?;
    Ok(link.join("bin/python"))
}

/// Makes isopy's path for an installed interpreter. What isopy itself installed there stays, and is used.
fn lead(context: &Context, installed: &Installed, link: &Path) -> Result<(), Failure> {
    if fs::metadata(&link.join("bin/python")).is_ok() && fs::kind(link)? == Some(fs::FileKind::Folder) {
        context.output.message(format_args!("`{}` was installed by isopy, and stays", link.display()));
        return Ok(());
    }
    let parent = link.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent)?;
    let temporary = parent.join(format!("{}{}", fs::UNFINISHED, std::process::id()));
    // In some archives the installation is not at the top.
    let executable = installed.executable();
    let prefix = executable.parent().and_then(Path::parent).unwrap_or(&installed.folder);
    Ok(fs::link_by_way_of(&temporary, prefix, link)?)
}

fn list(context: &Context) -> Result<u8, Failure> {
    let folder = folder()?;
    let mut names = fs::names(&folder).unwrap_or_default();
    names.retain(|name| fs::metadata(&folder.join(name).join("bin/python")).is_ok());
    names.sort_by_cached_key(|name| {
        let text = name.to_string_lossy().into_owned();
        (text.parse::<crate::interpreters::PythonVersion>().ok(), text)
    });
    for name in names {
        let path = folder.join(&name).join("bin/python");
        context.output.data(format_args!("{} → {}", name.display(), path.display()));
    }
    Ok(0)
}
