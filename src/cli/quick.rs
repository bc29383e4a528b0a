//! The command line of the commands that are called most, read without the definitions of all others.
//!
//! Those are hundreds of options, and defining them takes more time than such a command has for its work: 2 ms. What is not
//! understood here, asked for help, or wrong, is read again with everything, which says so as it always does.

use std::ffi::OsString;

use clap::{Args, FromArgMatches as _};

use super::ApplicationCommand;
use super::arguments::{Arguments, Command, GlobalArguments};

/// Reads a whole command line, the program's name included, if one of these commands is the first word that is no global
/// option.
pub(super) fn parse(words: &[OsString]) -> Option<Arguments> {
    let is_global = |word: &&str| matches!(*word, "--quiet" | "-q" | "--verbose" | "-v");
    let name = words.iter().skip(1).map_while(|word| word.to_str()).find(|word| !is_global(word))?;
    match name {
        "new" | "venv" => only(words, name, Command::New),
        "add" => only(words, name, Command::Add),
        "sync" => only(words, name, Command::Sync),
        "remove" => only(words, name, Command::Remove),
        "run" => only(words, name, Command::Run),
        "list" => only(words, name, Command::List),
        "freeze" => only(words, name, Command::Freeze),
        "check" => only(words, name, Command::Check),
        "seed" => only(words, name, Command::Seed),
        "install" => {
            only(words, name, |arguments| Command::Application(ApplicationCommand::Install(arguments)))
        }
        _ => None,
    }
}

fn only<T: Args>(words: &[OsString], name: &str, command: fn(T) -> Command) -> Option<Arguments> {
    let definition = GlobalArguments::augment_args(clap::Command::new("virtpy"))
        .subcommand(T::augment_args(clap::Command::new(name.to_owned())));
    let matches = definition.try_get_matches_from(words).ok()?;
    let global = GlobalArguments::from_arg_matches(&matches).ok()?;
    let (_, inside) = matches.subcommand()?;
    Some(Arguments { global, command: command(T::from_arg_matches(inside).ok()?) })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        std::iter::once("virtpy").chain(line.split(' ')).map(OsString::from).collect()
    }

    #[test]
    fn the_same_is_read_as_with_everything() {
        for line in [
            "new .venv -p 3.12 --link-mode copy",
            "add rich>=13 -r requirements.txt --venv x -q",
            "sync --group dev --extra cli pylock.toml --color never",
            "remove rich --json",
            "run --with rich -p 3.12 script.py --with other -- -x",
            "run -m http.server 8000 --quiet",
            "list --verbose",
            "--verbose add rich",
            "-q list --json",
            "freeze --venv x",
            "check --json",
            "seed x --no-pip-shim --wheel a.whl --wheel b.whl",
            "install black --with rich --index-url http://localhost/simple",
        ] {
            let words = words(line);
            let quick = parse(&words).unwrap_or_else(|| panic!("`{line}` is not read"));
            let whole = Arguments::try_parse_from(&words).unwrap();
            assert_eq!(format!("{quick:?}"), format!("{whole:?}"), "{line}");
        }
    }

    #[test]
    fn everything_else_is_left_to_the_whole_definition() {
        for line in [
            "sync --help",
            "add --no-such-option",
            "new --version",
            "--quiet tool list",
            "--color never sync",
            "tool list",
            "lst",
            "",
        ] {
            assert!(parse(&words(line)).is_none(), "{line}");
        }
    }
}
