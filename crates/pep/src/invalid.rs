//! The one error of this crate: a text that is not what it should be.

use std::fmt;

use crate::limits::beginning;

/// Why a text is not what it should be: a version, a name, a requirement, the name of a wheel, a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {expected}: {reason}", in_one_line(text))]
pub struct InvalidText {
    /// The text as it was given.
    pub text: String,
    /// What was expected, with its article, such as "a version (PEP 440)".
    pub expected: &'static str,
    /// What is wrong with the text.
    pub reason: String,
}

impl InvalidText {
    pub(crate) fn new(text: &str, expected: &'static str, reason: &impl fmt::Display) -> Self {
        Self { text: beginning(text), expected, reason: plain_text(&reason.to_string()) }
    }
}

/// A text with its control characters written out, as it may stand in a sentence.
fn in_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_debug());
        } else {
            line.push(character);
        }
    }
    line
}

/// A text that is not a valid name of a package.
pub type InvalidName = InvalidText;

/// A text that is not a hash as it should be.
pub type InvalidHash = InvalidText;

/// A text without the escape sequences of terminals (ECMA-48 CSI) and other control characters, lines and tabs aside: what a
/// server or an archive says is printed later.
pub fn plain_text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            if characters.next_if_eq(&'[').is_some() {
                // Parameters go up to the final byte, which is one of `@` to `~`.
                for parameter in characters.by_ref() {
                    if ('@'..='~').contains(&parameter) {
                        break;
                    }
                }
            }
        } else if character == '\n' || character == '\t' || !character.is_control() {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_control_characters_go() {
        assert_eq!(plain_text("\u{1b}[1;36mfoo\u{1b}[0m\u{7} bar\n"), "foo bar\n");
    }
}
