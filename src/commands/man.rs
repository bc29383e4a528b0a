//! `virtpy man`: manual pages of all commands.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::places::{data_home, write_own};
use crate::cli::{Arguments, IsopyArguments, ManArguments, virtpyx};
use crate::context::Context;
use crate::error::Failure;
use crate::output::counted;

/// What begins the pages that virtpy writes, so that it replaces no others.
const MARK: &str = ".\\\" Written by `virtpy man`.\n";

pub(super) fn run(context: &Context, arguments: &ManArguments) -> Result<u8, Failure> {
    let folder = match &arguments.directory {
        Some(folder) => context.working_directory.join(folder),
        None => data_home()?.join("man/man1"),
    };
    let mut pages = Vec::new();
    for command in [Arguments::command(), IsopyArguments::command(), virtpyx()] {
        let mut command = command.disable_help_subcommand(true);
        command.build();
        let name = command.get_name().to_owned();
        add(&command, &name, &mut pages)?;
    }
    for Page { name, text } in &pages {
        write_own(&folder.join(format!("{name}.1")), text, MARK.trim_end())?;
    }
    tell(context, &folder, pages.len());
    Ok(0)
}

struct Page {
    name: String,
    text: String,
}

/// The pages of a command and of those below it.
fn add(command: &Command, name: &str, pages: &mut Vec<Page>) -> Result<(), Failure> {
    let shown = command.clone().name(name.to_owned()).bin_name(name.replace('-', " "));
    let mut text = MARK.as_bytes().to_vec();
    Man::new(shown)
        .title(name.to_uppercase())
        .source(format!("virtpy {}", env!("CARGO_PKG_VERSION")))
        .render(&mut text)
        .map_err(|error| Failure::new(format!("the manual page of `{name}` cannot be made: {error}")))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    pages.push(Page { name: name.to_owned(), text });
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        add(inner, &format!("{name}-{}", inner.get_name()), pages)?;
    }
    Ok(())
}

fn tell(context: &Context, folder: &Path, count: usize) {
    context.output.message(format_args!("Wrote {} to `{}`", counted(count, "page"), folder.display()));
    let searched: Vec<PathBuf> = std::env::var_os("MANPATH")
        .map(|path| std::env::split_paths(&path).filter(|one| !one.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    let parent = folder.parent().unwrap_or(folder);
    if !searched.is_empty() && !searched.iter().any(|one| one == parent) {
        context
            .output
            .message(format_args!("`MANPATH` lacks `{}`: man does not look there", parent.display()));
    }
}
