//! The definition of the whole command line, as help shows it: commands in groups, options in one order everywhere, and the
//! options about indexes in one place.

use std::fmt::Write as _;

use clap::builder::{Resettable, StyledStr, Styles};
use clap::{Arg, Args as _, Command, CommandFactory as _, Id};

use super::arguments::Arguments;
use super::index::{HEADING, IndexArguments};
use super::save::{self, SaveArguments};
use super::selection::{self, SelectionArguments};
use super::tool::ToolRunArguments;

/// The commands as people look for them.
const GROUPS: &[(&str, &[&str])] = &[
    ("Environments", &["new", "add", "remove", "list", "outdated", "show", "tree", "why", "freeze", "check"]),
    ("Projects, locks and scripts", &["init", "sync", "lock", "run", "poetry-install"]),
    (
        "Applications",
        &[
            "install",
            "uninstall",
            "upgrade",
            "reinstall",
            "inject",
            "uninject",
            "pin",
            "unpin",
            "tool",
            "ensure-path",
        ],
    ),
    ("Python", &["python"]),
    (
        "The store, and venvs that use it",
        &["store", "remote", "list-all", "adopt", "detach", "relink", "export", "path"],
    ),
    ("Other tools", &["enable", "disable", "status", "poetry", "hook", "kernel", "pip"]),
    ("Help", &["help", "completions", "man"]),
];

/// The options that many commands share, in the order in which they are shown: behind those that are a command's own.
const SHARED: &[&str] = &["python", "path", "force", "dry_run", "compile_bytecode", "json"];

/// The topic of help about indexes.
const INDEX_TOPIC: &str = "index";

/// The whole command line.
pub fn command() -> Command {
    let command = Arguments::command();
    let width = command.get_subcommands().map(|inner| inner.get_name().len()).max().unwrap_or(0);
    let header = *Styles::default().get_header();
    let name_style = *Styles::default().get_literal();
    let mut groups = String::new();
    for (title, names) in GROUPS {
        let _ = writeln!(groups, "{header}{title}:{header:#}");
        for name in *names {
            let about = command.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string);
            let about = about.unwrap_or_default();
            let _ = writeln!(groups, "  {name_style}{name:width$}{name_style:#}  {about}");
        }
        groups.push('\n');
    }
    let template = format!(
        "{{about}}{{after-help}}\n\n{{usage-heading}} {{usage}}\n\n{groups}{header}Everywhere:{header:#}\n{{options}}\n\n\
         `virtpy help COMMAND` says more, `virtpy help {INDEX_TOPIC}` where packages come from"
    );
    tidy(command).help_template(template)
}

/// The command line under the name `virtpyx`.
pub fn virtpyx() -> Command {
    ToolRunArguments::augment_args(Command::new("virtpyx").version(env!("CARGO_PKG_VERSION")))
}

/// A command and those below it: explanations behind the first sentence, options in order, those about indexes left to their
/// own topic. So `-h` and `--help` say the same.
fn tidy(command: Command) -> Command {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    let rest = long.strip_prefix(&about).unwrap_or_default().trim().to_owned();
    let asks_indexes = command.get_arguments().any(is_about_indexes);
    let mut template = "{about}{after-help}\n\n{usage-heading} {usage}\n\n{all-args}".to_owned();
    if asks_indexes {
        let _ = write!(template, "\n\n{HEADING}: see `virtpy help {INDEX_TOPIC}`");
    }
    let order = order(&command);
    let headed = [
        (selection::HEADING, ids(&SelectionArguments::augment_args(Command::new("")))),
        (save::HEADING, ids(&SaveArguments::augment_args(Command::new("")))),
    ];
    let mut command = command.long_about(Resettable::Reset).help_template(template).mut_args(|argument| {
        let place = order.iter().position(|id| id == argument.get_id()).unwrap_or(order.len());
        let is_hidden = argument.is_hide_set() || is_about_indexes(&argument);
        let argument = argument.hide(is_hidden).display_order(place);
        // A heading goes on over all that is defined behind it.
        let heading = headed.iter().find(|(heading, _)| argument.get_help_heading() == Some(heading));
        match heading {
            Some((_, own)) if !own.contains(argument.get_id()) => argument.help_heading(Resettable::Reset),
            _ => argument,
        }
    });
    if !rest.is_empty() {
        command = command.after_help(rest);
    }
    command.mut_subcommands(tidy)
}

/// The arguments of a command in the order in which they are shown; `--help` comes behind them.
fn order(command: &Command) -> Vec<Id> {
    let all = ids(command);
    let is_shared = |id: &&Id| SHARED.iter().any(|shared| **id == *shared);
    let own = all.iter().filter(|id| !is_shared(id));
    let shared = SHARED.iter().filter_map(|shared| all.iter().find(|id| **id == *shared));
    own.chain(shared).cloned().collect()
}

fn ids(command: &Command) -> Vec<Id> {
    command.get_arguments().map(|argument| argument.get_id().clone()).collect()
}

fn is_about_indexes(argument: &Arg) -> bool {
    argument.get_help_heading() == Some(HEADING)
}

/// What is known of a command or of another topic, and `None` where there is none of that name.
pub fn help_about(words: &[String]) -> Option<StyledStr> {
    if let [topic] = words
        && topic == INDEX_TOPIC
    {
        return Some(index_help());
    }
    let mut command = command();
    command.build();
    let mut found = &mut command;
    for word in words {
        found = found.find_subcommand_mut(word)?;
    }
    Some(found.render_help())
}

fn index_help() -> StyledStr {
    let command = IndexArguments::augment_args(Command::new("virtpy")).max_term_width(100);
    let command = command
        .disable_help_flag(true)
        .about("Where packages come from, for every command that may download some");
    let command = command.after_help(
        "Without these options the index of the settings is asked: `PIP_INDEX_URL`, `UV_INDEX_URL` or `UV_DEFAULT_INDEX`, and \
         pip.conf, as pip and uv have them. Credentials are best kept in ~/.netrc or in a keyring.",
    );
    let mut command = command.help_template("{about}{after-help}\n\n{options}");
    command.render_help()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let once: BTreeSet<&str> = grouped.iter().copied().collect();
        assert_eq!(grouped.len(), once.len(), "one is in two groups");
        let command = Arguments::command();
        let visible: BTreeSet<&str> =
            command.get_subcommands().filter(|one| !one.is_hide_set()).map(Command::get_name).collect();
        assert_eq!(once, visible);
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
        assert!(help_about(&["tool".to_owned(), "run".to_owned()]).is_some());
        assert!(help_about(&["nonsense".to_owned()]).is_none());
    }

    #[test]
    fn options_about_indexes_are_in_one_place() {
        let add = help_about(&["add".to_owned()]).unwrap().to_string();
        assert!(!add.contains("--find-links") && add.contains("virtpy help index"), "{add}");
        let index = help_about(&["index".to_owned()]).unwrap().to_string();
        for option in
            ["--index-url", "--extra-index-url", "--find-links", "--no-index", "--offline", "--only-binary"]
        {
            assert!(index.contains(option), "{option}: {index}");
        }
    }
}
