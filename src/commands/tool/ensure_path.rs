//! `virtpy ensure-path`: the folder of the commands comes onto PATH, in the files that shells read when they start.

use std::path::{Path, PathBuf};

use crate::cli::EnsurePathArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::tools::{Home, Shell, path_files};

pub(super) fn run(context: &Context, arguments: &EnsurePathArguments) -> Result<u8, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder =
        variable("HOME").ok_or_else(|| Failure::new("there is no home directory: `HOME` is not set"))?;
    let home = Home { folder, config: variable("XDG_CONFIG_HOME"), zdotdir: variable("ZDOTDIR") };
    let bin = context.store.bin();
    let bin = bin.to_str().filter(|path| !path.contains(['\n', ':'])).ok_or_else(|| {
        Failure::new(format!("`{}` cannot stand on PATH", bin.display()))
            .hinted("choose another directory with `VIRTPY_HOME`, without `:` and line ends")
    })?;
    let mut pending = 0;
    for shell in shells(arguments, variable("SHELL").as_deref())? {
        for file in path_files(shell, &home, bin)? {
            let path = file.path.display();
            if !file.is_pending() {
                context.output.message(format_args!("`{path}` has it already"));
                continue;
            }
            pending += 1;
            if arguments.dry_run {
                context.output.message(format_args!("Would add to `{path}`:"));
            } else {
                file.write()?;
                context.output.message(format_args!("Added to `{path}`:"));
            }
            for line in file.block.lines() {
                context.output.message(format_args!("    {line}"));
            }
        }
    }
    if pending > 0 && !arguments.dry_run {
        context.output.message("Open a new shell to use it");
    }
    Ok(0)
}

fn shells(arguments: &EnsurePathArguments, present: Option<&Path>) -> Result<Vec<Shell>, Failure> {
    if arguments.shell.is_empty() {
        return Ok(vec![present.and_then(Shell::of_executable).unwrap_or(Shell::Bash)]);
    }
    let known = |name: &String| {
        Shell::of_executable(Path::new(name)).ok_or_else(|| {
            Failure::usage(format!("`{name}` is not a shell that virtpy knows: bash, zsh, fish, nu"))
        })
    };
    arguments.shell.iter().map(known).collect()
}
