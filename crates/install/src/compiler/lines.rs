//! The logical lines of a Python source: a statement in brackets, or with backslashes, is one.

/// A statement's line.
pub(super) struct Line<'a> {
    /// How far it is indented, in bytes.
    pub(super) indentation: usize,
    /// Its code without comments, and with nothing in the place of strings; empty where it cannot be of interest, since all
    /// sources of a venv are read.
    pub(super) text: &'a str,
    /// What its strings hold that stand in one line.
    pub(super) texts: &'a [&'a str],
}

/// How those lines begin whose text is of interest: with `import`, `from`, `if`, `def` and `async`.
const INTERESTING: [u8; 4] = [b'i', b'f', b'd', b'a'];

/// How lines begin with which a statement must begin: brackets before them were not closed.
const BEGINNINGS: [&str; 4] = ["import ", "from ", "def ", "class "];

/// Whether a byte may be more than a part of a name, a number or an operator.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'\n' | b'#' | b'\'' | b'"' | b'\\' | b'(' | b'[' | b'{' | b')' | b']' | b'}')
}

/// Goes through a source.
pub(super) struct Lines<'a> {
    source: &'a str,
    position: usize,
    text: Vec<u8>,
    texts: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    /// The lines of a source.
    pub(super) fn of(source: &'a str) -> Self {
        Self { source, position: 0, text: Vec::new(), texts: Vec::new() }
    }

    /// The next line that is not empty.
    pub(super) fn next_line(&mut self) -> Option<Line<'_>> {
        let bytes = self.source.as_bytes();
        self.text.clear();
        self.texts.clear();
        let indentation = self.indentation()?;
        let is_interesting = INTERESTING.contains(&bytes[self.position]);
        let mut depth = 0_usize;
        loop {
            let rest = &bytes[self.position..];
            let plain = rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len());
            if is_interesting {
                self.text.extend_from_slice(&rest[..plain]);
            }
            let Some(byte) = rest.get(plain) else {
                self.position = bytes.len();
                break;
            };
            self.position += plain + 1;
            match byte {
                b'\n' if depth == 0 || self.is_at_beginning() => break,
                b'#' => self.position = self.end_of_line(),
                b'\'' | b'"' => self.pass_string(*byte),
                b'\\' if bytes.get(self.position) == Some(&b'\n') => {
                    self.position += 1;
                    self.text.push(b' ');
                }
                b'\n' => self.text.push(b' '),
                b'(' | b'[' | b'{' => {
                    depth += 1;
                    self.text.push(*byte);
                }
                _ => {
                    depth = depth.saturating_sub(usize::from(*byte != b'\\'));
                    self.text.push(*byte);
                }
            }
        }
        let text =
            if is_interesting { std::str::from_utf8(&self.text).unwrap_or_default().trim_end() } else { "" };
        Some(Line { indentation, text, texts: &self.texts })
    }

    /// Goes on to the first letter of the next line that has one, and says how far it is indented.
    fn indentation(&mut self) -> Option<usize> {
        let bytes = self.source.as_bytes();
        let mut begin = self.position;
        loop {
            match bytes.get(self.position)? {
                b'\n' => begin = self.position + 1,
                b'#' => {
                    self.position = self.end_of_line();
                    continue;
                }
                byte if byte.is_ascii_whitespace() => {}
                _ => return Some(self.position - begin),
            }
            self.position += 1;
        }
    }

    /// Whether a statement begins here though brackets are open.
    fn is_at_beginning(&self) -> bool {
        let rest = &self.source.as_bytes()[self.position..];
        BEGINNINGS.iter().any(|beginning| rest.starts_with(beginning.as_bytes()))
    }

    fn end_of_line(&self) -> usize {
        self.source[self.position..].find('\n').map_or(self.source.len(), |length| self.position + length)
    }

    /// Goes on behind a string of which the first quote was read.
    fn pass_string(&mut self, quote: u8) {
        let bytes = self.source.as_bytes();
        if bytes[self.position..].starts_with(&[quote, quote]) {
            self.position += 2;
            self.pass_to(&[quote; 3], false);
            return;
        }
        let begin = self.position;
        if self.pass_to(&[quote], true)
            && let Some(text) = self.source.get(begin..self.position - 1)
        {
            self.texts.push(text);
        }
    }

    /// Goes on behind these quotes, or to the end of the line or of the source. Returns whether they were found.
    fn pass_to(&mut self, quotes: &[u8], in_line: bool) -> bool {
        let bytes = self.source.as_bytes();
        while let Some(byte) = bytes.get(self.position) {
            match byte {
                byte if *byte == quotes[0] && bytes[self.position..].starts_with(quotes) => {
                    self.position += quotes.len();
                    return true;
                }
                b'\\' => self.position += 2,
                b'\n' if in_line => return false,
                _ => self.position += 1,
            }
        }
        self.position = bytes.len();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(source: &str) -> Vec<String> {
        let mut lines = Lines::of(source);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line() {
            found.push(format!("{} {} {:?}", line.indentation, line.text, line.texts));
        }
        found
    }

    #[test]
    fn statements_are_found_with_their_indentation_and_their_texts() {
        let source = "\n# comment\n  \nimport a  # b\n\n    if x == (  # 'no'\n1, 'two',\n):\n        f = [\"a\\\"b\", ''' c ''', r'd']\n";
        let expected =
            ["0 import a []", r#"4 if x == (   1, , ): ["two"]"#, r#"8 f = [, , r] ["a\\\"b", "d"]"#];
        assert_eq!(lines(source), expected);
    }

    #[test]
    fn a_source_may_end_anywhere() {
        for source in
            ["", "\n", "#", "a", "'", "'''", "'a", "\"\"\"a", "(", "a\\", "'\\", "\\", "é'ü\\ö", "if 'é\\"]
        {
            let _ = lines(source);
        }
    }
}
