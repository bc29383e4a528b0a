//! The command line of the commands that are called most, read without the definitions of all others.
//!
//! Those are hundreds of options, and defining them takes more time than such a command has for its work: 2 ms. What is not
//! understood here, asked for help, or wrong, is read again with everything, which says so as it always does.

use std::ffi::OsString;

use clap::{Args, FromArgMatches as _};

use super::ApplicationCommand;
use super::arguments::{Arguments, Command, GlobalArguments};

/// Reads a whole command line, the program's name included, if its first word is one of these commands.
pub(super) fn parse(words: &[OsString]) -> Option<Arguments> {
    match words.get(1)?.to_str()? {
        "new" | "venv" => only(words, Command::New),
        "add" => only(words, Command::Add),
        "sync" => only(words, Command::Sync),
        "remove" => only(words, Command::Remove),
        "run" => only(words, Command::Run),
        "list" => only(words, Command::List),
        "freeze" => only(words, Command::Freeze),
        "check" => only(words, Command::Check),
        "seed" => only(words, Command::Seed),
        "install" => only(words, |arguments| Command::Application(ApplicationCommand::Install(arguments))),
        _ => None,
    }
}

fn only<T: Args>(words: &[OsString], command: fn(T) -> Command) -> Option<Arguments> {
    let name = words.get(1)?.to_str()?.to_owned();
    let definition = GlobalArguments::augment_args(clap::Command::new("virtpy"))
        .subcommand(T::augment_args(clap::Command::new(name)));
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
        for line in
            ["sync --help", "add --no-such-option", "new --version", "--quiet sync", "tool list", "lst", ""]
        {
            assert!(parse(&words(line)).is_none(), "{line}");
        }
    }
}
