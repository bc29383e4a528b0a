//! What the user sees: data on standard output, everything else on standard error.

pub mod table;
pub mod trace;

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use anstyle::{AnsiColor, Style};
use clap::builder::StyledStr;
use indicatif::MultiProgress;
use schemars::JsonSchema;
use serde::Serialize;
use virtpy_pep::NamedVersion;

use crate::cli::{ColorWhen, GlobalArguments};
use crate::error::Failure;
use crate::fs;
use crate::install::masked;
pub use crate::install::{counted, seconds};

/// The file that everything is written to as well, if the user wants one.
static LOG: OnceLock<PathBuf> = OnceLock::new();

const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// The terminal, the pipe or the file that the user reads. Nothing else in the program prints.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    quiet: bool,
    verbose: bool,
    is_one_of_several: bool,
}

/// Why data could not be written.
static UNWRITTEN: OnceLock<String> = OnceLock::new();

/// What is drawn at the bottom of the terminal, if there is something.
static DRAWN: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// From now on what is written goes above these bars, or there are none any more.
pub(crate) fn draw(bars: Option<MultiProgress>) {
    *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) = bars;
}

/// Writes while the bars are away.
fn aside(write: impl FnOnce() -> std::io::Result<()>) {
    let drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let _ = match drawn {
        Some(bars) => bars.suspend(write),
        None => write(),
    };
}

/// Writes data. That it could not be written is told in the end, as of [`unwritten`]; a reader that has gone away is no error
/// (`virtpy list | head -1`).
fn write_out(text: &str) {
    let mut output = anstream::stdout().lock();
    if let Err(error) = output.write_all(text.as_bytes()).and_then(|()| output.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = UNWRITTEN.set(error.to_string());
    }
}

/// That data was asked for and could not be written: the disk that it was led to is full.
///
/// # Errors
/// When that is so.
pub fn demand_written() -> Result<(), Failure> {
    match UNWRITTEN.get() {
        None => Ok(()),
        Some(reason) => Err(Failure::new(reason)
            .within("the standard output could not be written")
            .hinted("what was printed is not whole: make room, and run it again")),
    }
}

impl Output {
    /// Follows the global flags; `NO_COLOR` and `CLICOLOR_FORCE` are honoured where `--color` leaves it open.
    pub fn new(arguments: &GlobalArguments) -> Self {
        match arguments.color {
            ColorWhen::Auto => {}
            ColorWhen::Always => anstream::ColorChoice::Always.write_global(),
            ColorWhen::Never => anstream::ColorChoice::Never.write_global(),
        }
        Self { quiet: arguments.quiet, verbose: arguments.verbose, is_one_of_several: false }
    }

    /// An output for one of several pieces of work that go on at once: none of them shows its progress.
    #[must_use]
    pub fn of_several(self) -> Self {
        Self { is_one_of_several: true, ..self }
    }

    /// From now on everything that is told, also what the user did not want to hear, is appended to a file, each line with
    /// its time.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn log_to(self, path: PathBuf) -> Result<(), Failure> {
        fs::append(&path, b"")?;
        let _ = LOG.set(path);
        Ok(())
    }

    /// Appends to the log only. That it cannot be written any more stops nobody.
    pub fn log(self, lines: impl Display) {
        let Some(path) = LOG.get() else { return };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let time = moment(now);
        let lines: Vec<String> = shown(&lines).lines().map(|line| format!("{time} {line}\n")).collect();
        let _ = fs::append(path, lines.concat().as_bytes());
    }

    /// A line of data.
    pub fn data(self, line: impl Display) {
        self.log(&line);
        write_out(&format!("{}\n", escaped(&line.to_string())));
    }

    /// Many lines of data, in one write.
    pub fn data_block(self, block: &str) {
        self.log(block);
        write_out(&escaped(block));
    }

    /// Help on a command, with what makes it easy to read where the terminal has it.
    pub fn help(self, text: &StyledStr) {
        write_out(&format!("{}\n", text.ansi().to_string().trim_end()));
    }

    /// Whether the user wants to hear of failures only.
    pub fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Data for a program to read, of a form that docs/json.md describes.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json(self, value: &(impl Serialize + JsonSchema)) -> Result<(), Failure> {
        self.json_of_others(value)
    }

    /// Data of a form that is another program's: pip's, or what virtpy and its plugins tell each other.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json_of_others(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))?;
        self.data(text);
        Ok(())
    }

    /// What went and what came, a line each, in one write.
    pub fn changes(self, removed: &[NamedVersion], added: &[NamedVersion]) {
        if self.quiet {
            return;
        }
        let line = |style: Style, sign: char, NamedVersion { name, version }: &NamedVersion| {
            self.log(format_args!(" {sign} {name} {version}"));
            format!(" {style}{sign}{style:#} {} {}\n", escaped(name), escaped(version))
        };
        let removed = removed.iter().map(|pair| line(RED, '-', pair));
        let block: Vec<String> = removed.chain(added.iter().map(|pair| line(GREEN, '+', pair))).collect();
        let mut block = block.concat();
        let output = std::io::stdout();
        // The stream that takes the colours out itself writes what is between them piece by piece.
        if anstream::AutoStream::choice(&output) == anstream::ColorChoice::Never {
            block = anstream::adapter::strip_str(&block).to_string();
        }
        let _ = output.lock().write_all(block.as_bytes());
    }

    /// What was done, for people.
    pub fn message(self, message: impl Display) {
        self.log(&message);
        if !self.quiet {
            aside(|| writeln!(anstream::stderr().lock(), "{}", shown(&message)));
        }
    }

    /// What is being done, for people who asked to know.
    pub fn detail(self, message: impl Display) {
        self.log(&message);
        if self.verbose {
            aside(|| writeln!(anstream::stderr().lock(), "{}", shown(&message)));
        }
    }

    /// Something that people should know although the command goes on.
    pub fn warning(self, message: impl Display) {
        self.log(format_args!("warning: {message}"));
        if !self.quiet {
            aside(|| writeln!(anstream::stderr().lock(), "{YELLOW}warning{YELLOW:#}: {}", shown(&message)));
        }
    }

    /// A line on standard error that is part of the answer, whatever the user wants to hear.
    pub fn complaint(self, line: impl Display) {
        self.log(&line);
        aside(|| writeln!(anstream::stderr().lock(), "{}", shown(&line)));
    }

    /// A question on standard output; the answer is a line of standard input, and nothing where that has ended.
    pub fn ask(self, question: impl Display) -> Option<String> {
        let mut output = anstream::stdout().lock();
        let _ = write!(output, "{}", shown(&question)).and_then(|()| output.flush());
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line).unwrap_or(0);
        (read > 0).then(|| line.trim().to_owned())
    }

    /// Why the command failed.
    pub fn failure(self, failure: &Failure) {
        let mut error = anstream::stderr().lock();
        let chain = if self.verbose { failure.chain() } else { failure.told() };
        let mut lines = chain.iter();
        if let Some(message) = lines.next() {
            let _ = writeln!(error, "{RED}error{RED:#}: {}", shown(message));
        }
        for cause in lines {
            let _ = writeln!(error, "  {RED}cause{RED:#}: {}", shown(cause));
        }
        if let Some(hint) = failure.hint() {
            let _ = writeln!(error, "{CYAN}hint{CYAN:#}: {}", shown(&hint));
        }
    }

    /// Whether the user asked for details.
    pub fn is_verbose(self) -> bool {
        self.verbose
    }

    /// Whether long work gives notice of itself by a line now and then: where nobody sees it move.
    pub fn gives_notice(self) -> bool {
        !self.quiet && !self.is_one_of_several && !std::io::stderr().is_terminal()
    }

    /// Whether long work shows its progress with every detail.
    pub fn shows_details(self) -> bool {
        self.verbose && self.shows_progress()
    }

    /// Whether long work shows its progress.
    pub fn shows_progress(self) -> bool {
        !self.quiet && !self.is_one_of_several && std::io::stderr().is_terminal()
    }
}

/// A message as it is shown.
fn shown(message: &impl Display) -> String {
    escaped(&masked(message)).into_owned()
}

/// A text in which nothing commands the terminal or turns the reading around: names, descriptions and answers come from
/// strangers. What does is written as `\u001b`, which JSON and Python read as well. Lines and tabs stay.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_unsafe(letter) {
            let _ = write!(out, "\\u{:04x}", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// Whether a letter is a control character, ends a line for some programs only, or says in which direction to read.
fn is_unsafe(letter: char) -> bool {
    match letter {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => letter.is_control(),
    }
}

/// A number of bytes as people read it: `512 bytes`, `1.2 GB`, in powers of 1000.
pub fn bytes(count: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match units.iter().find(|(_, unit)| count >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", count / unit, count % unit * 10 / unit),
        None => format!("{count} bytes"),
    }
}

/// A moment, given by the time since 1970, as RFC 3339 writes it (UTC).
fn moment(since: Duration) -> String {
    let (days, rest) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Years that begin in March end with the day that leap years add.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_as_dates() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(moment(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn nothing_commands_the_terminal() {
        for (text, shown) in [
            ("plain ünï\n\tcode", "plain ünï\n\tcode"),
            ("\x1b[31mred\x07\r\u{9b}0m\u{7f}", "\\u001b[31mred\\u0007\\u000d\\u009b0m\\u007f"),
            ("a\u{202e}txt\u{2066}\u{61c}\u{2028}b", "a\\u202etxt\\u2066\\u061c\\u2028b"),
        ] {
            assert_eq!(escaped(text), shown);
        }
        let json = escaped("{\"a\": \"\u{202e}\"}").into_owned();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["a"], "\u{202e}");
    }
}
