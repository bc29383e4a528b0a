//! Reading a command line of pip's.

use std::fmt::Write as _;

use super::table::{COMMANDS, GENERAL, HANDED_ON, PipCommand, PipOption};

/// A command line of pip's, taken apart.
#[derive(Debug, Clone)]
pub enum PipLine {
    /// `--version`.
    Version,
    /// A text to be printed: a help.
    Help(String),
    /// One of the commands that virtpy does itself.
    Own(PipRequest),
    /// A command for a real pip, with everything that was given.
    HandedOn(Vec<String>),
}

/// What is asked of one of the commands that virtpy does itself.
#[derive(Debug, Clone)]
pub struct PipRequest {
    /// The command.
    pub command: &'static PipCommand,
    /// The options that were given, by their first names, with their values; empty for those that take none.
    given: Vec<(&'static str, String)>,
    /// The options and values that variables and configuration files give.
    pub(super) configured: Vec<(&'static str, String)>,
    /// What stands beside the options.
    pub arguments: Vec<String>,
    /// Everything that was given, the command included.
    pub all: Vec<String>,
}

/// A command line that makes no sense, in pip's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipUsage {
    /// What to say.
    pub message: String,
    /// The exit code: 1 for an unknown command, 2 for wrong options, 3 for a wrong value in the configuration.
    pub code: u8,
}

impl PipRequest {
    /// Whether an option was given or is configured.
    pub fn has(&self, name: &str) -> bool {
        self.all_of(name).next().is_some()
    }

    /// How often an option was given, with what is configured.
    pub fn count(&self, name: &str) -> usize {
        self.all_of(name).count()
    }

    /// The value of an option: the last that was given, or else the configured one.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.all_of(name).last()
    }

    /// All values of an option: the configured ones, and then those that were given.
    pub fn values(&self, name: &str) -> Vec<String> {
        self.all_of(name).map(str::to_owned).collect()
    }

    /// The configured values of an option.
    pub fn configured(&self, name: &str) -> Vec<&str> {
        of(&self.configured, name).collect()
    }

    /// The values of an option that were given on the command line.
    pub fn given(&self, name: &str) -> Vec<String> {
        of(&self.given, name).map(str::to_owned).collect()
    }

    /// Whether something is on that one option turns on and another off: the last of them counts.
    pub fn is_on(&self, on: &str, off: &str) -> bool {
        let last =
            self.configured.iter().chain(&self.given).rev().find(|(name, _)| *name == on || *name == off);
        last.is_some_and(|(name, _)| *name == on)
    }

    /// The values of several options in the order in which they stand, the configured ones first.
    pub fn in_order<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = (&'static str, &'a str)> {
        let all = self.configured.iter().chain(&self.given);
        all.filter(|(name, _)| names.contains(name)).map(|(name, value)| (*name, value.as_str()))
    }

    fn all_of(&self, name: &str) -> impl Iterator<Item = &str> {
        of(&self.configured, name).chain(of(&self.given, name))
    }

    /// A command line that makes no sense after all: this command's usage, and why.
    pub fn wrong(&self, reason: &str) -> PipUsage {
        PipUsage { message: format!("{}\n{reason}", usage(self.command)), code: 2 }
    }
}

/// Reads what follows `pip`.
///
/// # Errors
/// For an unknown command or option, and one that lacks its value.
pub fn parse(words: &[String]) -> Result<PipLine, PipUsage> {
    let mut before = Reader { options: GENERAL, given: Vec::new(), arguments: Vec::new(), mixed: false };
    let rest = before.read(words).map_err(|reason| PipUsage {
        message: format!("\nUsage:   \n  pip <command> [options]\n\n{reason}"),
        code: 2,
    })?;
    let has = |name: &str| before.given.iter().any(|(given, _)| *given == name);
    if has("version") {
        return Ok(PipLine::Version);
    }
    let Some((name, rest)) = rest.split_first() else { return Ok(PipLine::Help(overview())) };
    let name = name.as_str();
    let (name, wants_help) = match (name, rest.first()) {
        ("help", None) => return Ok(PipLine::Help(overview())),
        ("help", Some(about)) => (about.as_str(), true),
        _ => (name, has("help")),
    };
    let mut all: Vec<String> = words[..words.len() - rest.len() - 1].to_vec();
    if HANDED_ON.iter().any(|(known, _)| *known == name) {
        all.push(name.to_owned());
        let rest = if words.iter().any(|word| word == "help") { &["--help".to_owned()][..] } else { rest };
        all.extend(rest.iter().cloned());
        return Ok(PipLine::HandedOn(all));
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(unknown(name));
    };
    if wants_help {
        return Ok(PipLine::Help(help(command)));
    }
    let options: Vec<PipOption> = options_of(command).copied().collect();
    let mut reader = Reader { options: &options, given: before.given, arguments: Vec::new(), mixed: true };
    reader
        .read(rest)
        .map_err(|reason| PipUsage { message: format!("{}\n{reason}", usage(command)), code: 2 })?;
    if reader.given.iter().any(|(given, _)| *given == "help") {
        return Ok(PipLine::Help(help(command)));
    }
    all.push(name.to_owned());
    all.extend(rest.iter().cloned());
    let Reader { given, arguments, .. } = reader;
    Ok(PipLine::Own(PipRequest { command, given, configured: Vec::new(), arguments, all }))
}

/// The values that an option has among these.
fn of<'a>(options: &'a [(&'static str, String)], name: &str) -> impl Iterator<Item = &'a str> {
    options.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// The options of a command, the general ones included.
pub(super) fn options_of(command: &PipCommand) -> impl Iterator<Item = &'static PipOption> + use<> {
    command.options.iter().copied().flatten().chain(GENERAL)
}

/// What was read so far.
struct Reader<'a> {
    options: &'a [PipOption],
    given: Vec<(&'static str, String)>,
    arguments: Vec<String>,
    /// Whether options may follow arguments; otherwise the first argument ends the reading.
    mixed: bool,
}

impl Reader<'_> {
    /// Reads options and arguments; returns what is left.
    fn read<'w>(&mut self, words: &'w [String]) -> Result<&'w [String], String> {
        let mut rest = words;
        while let Some((word, after)) = rest.split_first() {
            if word == "--" {
                self.arguments.extend_from_slice(after);
                return Ok(&[]);
            }
            rest = match word.strip_prefix("--") {
                Some(long) => self.long(long, after)?,
                None if word.len() > 1 && word.starts_with('-') => self.letters(&word[1..], after)?,
                None if self.mixed => {
                    self.arguments.push(word.clone());
                    after
                }
                None => return Ok(rest),
            };
        }
        Ok(rest)
    }

    fn long<'w>(&mut self, text: &str, after: &'w [String]) -> Result<&'w [String], String> {
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let (name, option) = self.find(name)?;
        if !option.takes_value() {
            if attached.is_some() {
                return Err(format!("--{name} option does not take a value"));
            }
            self.given.push((option.names[0], String::new()));
            return Ok(after);
        }
        let (value, rest) = match attached {
            Some(value) => (value, after),
            None => first(after).ok_or_else(|| format!("--{name} option requires 1 argument"))?,
        };
        self.take(option, value).map_err(|why| format!("option --{name}: {why}"))?;
        Ok(rest)
    }

    fn letters<'w>(&mut self, letters: &str, after: &'w [String]) -> Result<&'w [String], String> {
        for (place, letter) in letters.char_indices() {
            let option = self.options.iter().find(|option| option.letter == Some(letter)).copied();
            let option = option.ok_or_else(|| format!("no such option: -{letter}"))?;
            if !option.takes_value() {
                self.given.push((option.names[0], String::new()));
                continue;
            }
            let attached = &letters[place + letter.len_utf8()..];
            let (value, rest) = match attached {
                "" => first(after).ok_or_else(|| format!("-{letter} option requires 1 argument"))?,
                attached => (attached.to_owned(), after),
            };
            self.take(option, value).map_err(|why| format!("option -{letter}: {why}"))?;
            return Ok(rest);
        }
        Ok(after)
    }

    fn take(&mut self, option: PipOption, value: String) -> Result<(), String> {
        if let Some(complaint) = option.complaint(&value) {
            return Err(complaint);
        }
        self.given.push((option.names[0], value));
        Ok(())
    }

    /// The option with this name, or the only one whose name begins so.
    fn find(&self, name: &str) -> Result<(&'static str, PipOption), String> {
        let all = || self.options.iter().flat_map(|option| option.names.iter().map(|name| (*name, *option)));
        if let Some(found) = all().find(|(known, _)| *known == name) {
            return Ok(found);
        }
        let mut similar: Vec<(&'static str, PipOption)> =
            all().filter(|(known, _)| !name.is_empty() && known.starts_with(name)).collect();
        similar.sort_by_key(|(known, _)| *known);
        match similar.as_slice() {
            [] => Err(format!("no such option: --{name}")),
            [one] => Ok(*one),
            several => {
                let names: Vec<String> = several.iter().map(|(known, _)| format!("--{known}")).collect();
                Err(format!("ambiguous option: --{name} ({}?)", names.join(", ")))
            }
        }
    }
}

/// The first of these words, and the others.
fn first(words: &[String]) -> Option<(String, &[String])> {
    words.split_first().map(|(first, rest)| (first.clone(), rest))
}

fn unknown(name: &str) -> PipUsage {
    let known = COMMANDS.iter().map(|command| command.name).chain(HANDED_ON.iter().map(|(name, _)| *name));
    let similar =
        known.filter(|known| is_similar(name, known)).min_by_key(|known| known.len().abs_diff(name.len()));
    let maybe = similar.map(|similar| format!(" - maybe you meant \"{similar}\"")).unwrap_or_default();
    PipUsage { message: format!("ERROR: unknown command \"{name}\"{maybe}"), code: 1 }
}

/// Whether one is the other with a letter or two left out, added or exchanged.
fn is_similar(one: &str, other: &str) -> bool {
    strsim::levenshtein(one, other) <= 2
}

fn usage(command: &PipCommand) -> String {
    let mut text = String::from("\nUsage:   \n");
    for form in command.forms {
        let _ = writeln!(text, "  pip {} {form}", command.name);
    }
    text
}

fn help(command: &PipCommand) -> String {
    let mut text = usage(command);
    let _ = write!(text, "\nDescription:\n  {}\n\nOptions:\n", command.summary);
    for option in options_of(command) {
        let letter = option.letter.map(|letter| format!("-{letter}, ")).unwrap_or_default();
        let value = if option.takes_value() {
            format!(" <{}>", option.names[0].replace('-', "_"))
        } else {
            String::new()
        };
        let _ = writeln!(text, "  {letter}--{}{value}", option.names[0]);
    }
    text
}

fn overview() -> String {
    let mut text = String::from("\nUsage:   \n  pip <command> [options]\n\nCommands:\n");
    let own = COMMANDS.iter().map(|command| (command.name, command.summary));
    for (name, summary) in own.chain(HANDED_ON.iter().copied()) {
        let _ = writeln!(text, "  {name:<27} {summary}");
    }
    text.push_str("  help                        Show help for commands.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn request(line: &str) -> PipRequest {
        match parse(&words(line)) {
            Ok(PipLine::Own(request)) => request,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn last_line(line: &str) -> (String, u8) {
        let wrong = parse(&words(line)).unwrap_err();
        (wrong.message.lines().last().unwrap_or_default().to_owned(), wrong.code)
    }

    #[test]
    fn options_stand_anywhere_and_in_every_form() {
        let request =
            request("--no-inp -q install -qUr a.txt --requirement=b.txt six --upgrade -ethere -- -x");
        assert_eq!(request.values("requirement"), ["a.txt", "b.txt"]);
        assert_eq!((request.count("quiet"), request.count("upgrade")), (2, 2));
        assert_eq!(request.value("editable"), Some("there"));
        assert_eq!(request.arguments, ["six", "-x"]);
        assert!(request.has("no-input") && !request.has("pre"));
        assert_eq!(request.all.len(), 11);
    }

    #[test]
    fn the_last_of_two_that_exclude_each_other_counts() {
        assert!(!request("install --user --no-user x").is_on("user", "no-user"));
        assert!(request("install --no-user --user x").is_on("user", "no-user"));
        assert!(!request("install x").is_on("user", "no-user"));
    }

    #[test]
    fn what_makes_no_sense_is_told_in_pips_words() {
        for (line, message, code) in [
            ("install --nosuch", "no such option: --nosuch", 2),
            ("install -Z", "no such option: -Z", 2),
            ("install -r", "-r option requires 1 argument", 2),
            ("install --prefix", "--prefix option requires 1 argument", 2),
            ("install --upgrade=1", "--upgrade option does not take a value", 2),
            (
                "list --e x",
                "ambiguous option: --e (--editable, --exclude, --exclude-editable, --exists-action, --extra-index-url?)",
                2,
            ),
            ("install --retries x a", "option --retries: invalid integer value: 'x'", 2),
            (
                "install --upgrade-strategy=all a",
                "option --upgrade-strategy: invalid choice: 'all' (choose from 'only-if-needed', 'eager')",
                2,
            ),
            ("instal", "ERROR: unknown command \"instal\" - maybe you meant \"install\"", 1),
            ("nonsense", "ERROR: unknown command \"nonsense\"", 1),
        ] {
            assert_eq!(last_line(line), (message.to_owned(), code), "{line}");
        }
        assert!(
            parse(&words("install --x"))
                .unwrap_err()
                .message
                .starts_with("\nUsage:   \n  pip install [options] <req")
        );
    }

    #[test]
    fn the_rest_goes_to_a_real_pip() {
        let handed = |line: &str| match parse(&words(line)) {
            Ok(PipLine::HandedOn(all)) => all.join(" "),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(handed("-q download --weird six"), "-q download --weird six");
        assert_eq!(handed("help wheel"), "wheel --help");
        assert!(matches!(parse(&words("--version")), Ok(PipLine::Version)));
        assert!(matches!(parse(&words("install -h")), Ok(PipLine::Help(_))));
        assert!(matches!(parse(&[]), Ok(PipLine::Help(_))));
    }
}
