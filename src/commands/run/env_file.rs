//! Files of variables (`.env`): lines `NAME=value`, with comments, quotes and other variables in them, as shells and uv read them.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::path::PathBuf;
use std::str::Chars;

use crate::context::Context;
use crate::error::Failure;
use crate::fs;

/// The variables of files that are not set already; the last file that has one counts.
pub(super) fn variables(context: &Context, files: &[PathBuf]) -> Result<BTreeMap<String, String>, Failure> {
    let mut all = BTreeMap::new();
    for file in files {
        let text = fs::read_named(&context.working_directory.join(file))?;
        read(&text, &mut all, &|name| std::env::var(name).ok()).map_err(|line| {
            Failure::new(format!("line {line} of `{}` is no variable", file.display()))
                .hinted("write `NAME=value`; what has spaces or `#` in it in quotes")
        })?;
    }
    all.retain(|name, _| std::env::var_os(name).is_none());
    Ok(all)
}

/// Reads the variables of a text. The error is the number of the line that is none.
fn read(
    text: &str,
    all: &mut BTreeMap<String, String>,
    outside: &dyn Fn(&str) -> Option<String>,
) -> Result<(), usize> {
    let text = text.replace("\r\n", "\n");
    let mut rest = text.trim_start_matches('\u{feff}');
    while !rest.is_empty() {
        let number = text[..text.len() - rest.len()].matches('\n').count() + 1;
        let (line, below) = rest.split_once('\n').unwrap_or((rest, ""));
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            rest = below;
            continue;
        }
        let assignment = rest.trim_start();
        let assignment = assignment.strip_prefix("export ").unwrap_or(assignment).trim_start();
        let (name, value) = assignment.split_once('=').ok_or(number)?;
        let name = name.trim();
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(number);
        }
        let known = |name: &str| outside(name).or_else(|| all.get(name).cloned()).unwrap_or_default();
        let mut value = Value { left: value.chars().peekable(), read: String::new(), known: &known };
        let left = value.read_all().ok_or(number)?;
        let value = std::mem::take(&mut value.read);
        all.insert(name.to_owned(), value);
        rest = &rest[rest.len() - left..];
    }
    Ok(())
}

/// A value while it is read.
struct Value<'a> {
    left: Peekable<Chars<'a>>,
    read: String,
    /// The values of other variables.
    known: &'a dyn Fn(&str) -> String,
}

impl Value<'_> {
    /// Reads a value up to its end. Returns how many bytes are left then, or nothing where the value has no end.
    fn read_all(&mut self) -> Option<usize> {
        while self.left.next_if(|letter| matches!(letter, ' ' | '\t')).is_some() {}
        let mut quoted = 0;
        while let Some(letter) = self.left.next() {
            match letter {
                '\n' => break,
                '#' if self.read.is_empty() && quoted == 0
                    || self.read.ends_with([' ', '\t']) && self.read.len() > quoted =>
                {
                    while self.left.next().is_some_and(|letter| letter != '\n') {}
                    break;
                }
                '\'' | '"' => {
                    self.quoted(letter)?;
                    quoted = self.read.len().max(1);
                }
                '\\' => self.read.extend(self.left.next()),
                '$' => self.variable(),
                other => self.read.push(other),
            }
        }
        // Spaces in quotes belong to it.
        let end = self.read.trim_end().len().max(quoted.min(self.read.len()));
        self.read.truncate(end);
        Some(self.left.clone().map(char::len_utf8).sum())
    }

    /// Reads up to the closing quote; between double ones, other variables and escapes count.
    fn quoted(&mut self, quote: char) -> Option<()> {
        loop {
            match self.left.next()? {
                letter if letter == quote => return Some(()),
                '\\' if quote == '"' => match self.left.next()? {
                    'n' => self.read.push('\n'),
                    'r' => self.read.push('\r'),
                    't' => self.read.push('\t'),
                    other => self.read.push(other),
                },
                '$' if quote == '"' => self.variable(),
                other => self.read.push(other),
            }
        }
    }

    /// Reads the name of another variable, `NAME` or `{NAME}`.
    fn variable(&mut self) {
        let is_braced = self.left.next_if_eq(&'{').is_some();
        let mut name = String::new();
        while let Some(letter) = self.left.next_if(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        {
            name.push(letter);
        }
        if is_braced {
            self.left.next_if_eq(&'}');
        }
        if name.is_empty() && !is_braced {
            self.read.push('$');
        } else {
            self.read += &(self.known)(&name);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<(String, String)>, usize> {
        let mut all = BTreeMap::new();
        let outside = |name: &str| (name == "HOME").then(|| "/h".to_owned());
        read(text, &mut all, &outside).map(|()| all.into_iter().collect())
    }

    #[test]
    fn values_are_read_as_shells_read_them() {
        for (text, value) in [
            ("A=1", "1"),
            ("\u{feff}export A = one two  # three\r\n", "one two"),
            ("# first\n\nA=a#b", "a#b"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A='$HOME # x\\n' # y", "$HOME # x\\n"),
            ("A=\"$HOME/${HOME}\\n\\\"'\"", "/h//h\n\"'"),
            ("A=\"two\nlines \"", "two\nlines "),
            ("A=$ 5 $NOT.", "$ 5 ."),
            ("A=x\\ y", "x y"),
        ] {
            assert_eq!(of(text).unwrap(), [("A".to_owned(), value.to_owned())], "{text}");
        }
        let two = of("A=1\nB=$A\nA=2").unwrap();
        assert_eq!(two, [("A".to_owned(), "2".to_owned()), ("B".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn what_is_no_variable_is_named_by_its_line() {
        assert_eq!(of("A=1\nwords"), Err(2));
        assert_eq!(of("\n\nA=\"open\nB=1\n"), Err(3));
        assert_eq!(of("a b=1"), Err(1));
    }
}
