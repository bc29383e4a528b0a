//! The one statement that a `_sysconfigdata_*.py` file consists of, `build_time_vars = {…}`: read as data, never run.
//!
//! The file came out of an archive. Only what `pprint` writes is understood: texts, also in several pieces, and
//! numbers. Anything else is refused, and the file then stays as it is.

use std::fmt::Write as _;

/// The name that is assigned to.
const NAME: &str = "build_time_vars";

/// A value of the dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A text.
    Text(String),
    /// A number, as it is written.
    Number(String),
}

/// What is not understood, and in which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(super) struct NotUnderstood {
    line: usize,
    reason: &'static str,
}

/// Reads the dictionary, its items in their order.
///
/// # Errors
/// When the file has anything else than comments and that dictionary of texts and numbers.
pub(super) fn parse(source: &str) -> Result<Vec<(String, Value)>, NotUnderstood> {
    let mut reader = Reader { source, position: 0 };
    reader.keyword(NAME)?;
    reader.expect('=', "no assignment")?;
    reader.expect('{', "no dictionary")?;
    let mut items = Vec::new();
    while !reader.accept('}') {
        let key = reader.text()?.ok_or_else(|| reader.fail("a key is not text"))?;
        reader.expect(':', "a key has no value")?;
        let value = match reader.text()? {
            Some(text) => Value::Text(text),
            None => Value::Number(reader.number()?),
        };
        items.push((key, value));
        if !reader.accept(',') {
            reader.expect('}', "the dictionary is not closed")?;
            break;
        }
    }
    reader.skip();
    if reader.rest().is_empty() { Ok(items) } else { Err(reader.fail("something follows the dictionary")) }
}

/// Writes the dictionary as a Python file.
pub(super) fn write(items: &[(String, Value)]) -> String {
    let mut text = format!("# system configuration generated and used by the sysconfig module\n{NAME} = {{");
    for (index, (key, value)) in items.iter().enumerate() {
        let separator = if index == 0 { "" } else { ",\n " };
        let value = match value {
            Value::Text(text) => repr(text),
            Value::Number(number) => number.clone(),
        };
        // Writing to a text cannot fail.
        let _ = write!(text, "{separator}{}: {value}", repr(key));
    }
    text + "}\n"
}

/// A text as a Python literal. Everything but plain ASCII is escaped, so that it is one line of any encoding.
fn repr(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for letter in text.chars() {
        // Writing to a text cannot fail.
        let _ = match letter {
            '\'' | '\\' => write!(literal, "\\{letter}"),
            '\n' => write!(literal, "\\n"),
            ' '..='~' => write!(literal, "{letter}"),
            other if u32::from(other) <= 0xff => write!(literal, "\\x{:02x}", u32::from(other)),
            other => write!(literal, "\\U{:08x}", u32::from(other)),
        };
    }
    literal.push('\'');
    literal
}

struct Reader<'a> {
    source: &'a str,
    position: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.position..]
    }

    fn fail(&self, reason: &'static str) -> NotUnderstood {
        NotUnderstood { line: self.source[..self.position].matches('\n').count() + 1, reason }
    }

    /// Passes over blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            self.position += blank;
            if !self.rest().starts_with('#') {
                return;
            }
            self.position += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn keyword(&mut self, word: &str) -> Result<(), NotUnderstood> {
        self.skip();
        if !self.rest().starts_with(word) {
            return Err(self.fail("it does not begin with `build_time_vars`"));
        }
        self.position += word.len();
        Ok(())
    }

    fn accept(&mut self, sign: char) -> bool {
        self.skip();
        let found = self.rest().starts_with(sign);
        self.position += if found { sign.len_utf8() } else { 0 };
        found
    }

    fn expect(&mut self, sign: char, reason: &'static str) -> Result<(), NotUnderstood> {
        if self.accept(sign) { Ok(()) } else { Err(self.fail(reason)) }
    }

    fn number(&mut self) -> Result<String, NotUnderstood> {
        self.skip();
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let length = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
        if length == 0 {
            return Err(self.fail("a value is neither a text nor a number"));
        }
        let end = rest.len() - digits.len() + length;
        self.position += end;
        Ok(rest[..end].to_owned())
    }

    /// A text, whose pieces Python joins; `None` where there is none.
    fn text(&mut self) -> Result<Option<String>, NotUnderstood> {
        let mut text: Option<String> = None;
        loop {
            self.skip();
            let Some(quote @ ('\'' | '"')) = self.rest().chars().next() else { return Ok(text) };
            self.position += 1;
            self.piece(quote, text.get_or_insert_with(String::new))?;
        }
    }

    fn piece(&mut self, quote: char, text: &mut String) -> Result<(), NotUnderstood> {
        let mut letters = self.rest().char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\n' | '\r' => break,
                '\\' => {
                    let escaped = letters.next().map_or('\n', |(_, escaped)| escaped);
                    let length = match escaped {
                        '\\' | '\'' | '"' => {
                            text.push(escaped);
                            continue;
                        }
                        'n' | 't' | 'r' => {
                            text.push(match escaped {
                                'n' => '\n',
                                't' => '\t',
                                _ => '\r',
                            });
                            continue;
                        }
                        'x' => 2,
                        'u' => 4,
                        'U' => 8,
                        _ => return Err(self.fail("a text has an escape that is not known")),
                    };
                    let digits: String = letters.by_ref().take(length).map(|(_, digit)| digit).collect();
                    let is_number = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                    let code = u32::from_str_radix(&digits, 16).ok().filter(|_| is_number);
                    let letter = code.filter(|_| digits.len() == length).and_then(char::from_u32);
                    text.push(
                        letter.ok_or_else(|| self.fail("a text has an escape that is not a character"))?,
                    );
                }
                letter if letter == quote => {
                    self.position += at + 1;
                    return Ok(());
                }
                letter => text.push(letter),
            }
        }
        Err(self.fail("a text is not closed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &str, value: &str) -> (String, Value) {
        (key.to_owned(), Value::Text(value.to_owned()))
    }

    #[test]
    fn reads_what_pprint_writes() {
        let source = "# system configuration\nbuild_time_vars = {'A': 'one '\n      'two',\n 'B': -3, # no text\n \
                      'C': \"it's\", 'D': '\\\\ \\'x\\' \\n\\x41\\u00e9\\U0001f40d',\n 'E': ''}\n# end\n";
        let items = parse(source).unwrap();
        let expected = [
            text("A", "one two"),
            ("B".to_owned(), Value::Number("-3".to_owned())),
            text("C", "it's"),
            text("D", "\\ 'x' \nA\u{e9}\u{1f40d}"),
            text("E", ""),
        ];
        assert_eq!(items, expected);
        assert_eq!(parse(&write(&items)).unwrap(), items);
        assert_eq!(parse("build_time_vars={}").unwrap(), []);
        assert_eq!(parse("build_time_vars = {'A': 1,}").unwrap().len(), 1);
    }

    #[test]
    fn refuses_everything_else() {
        for source in [
            "",
            "import os",
            "build_time_vars",
            "build_time_vars = 1",
            "build_time_vars = {'A': 1",
            "build_time_vars = {'A'}",
            "build_time_vars = {'A': os.system('x')}",
            "build_time_vars = {'A': f'{x}'}",
            "build_time_vars = {'A': 'x}",
            "build_time_vars = {'A': 'x\n'}",
            "build_time_vars = {'A': '\\",
            "build_time_vars = {'A': '\\x4'}",
            "build_time_vars = {'A': '\\x+4'}",
            "build_time_vars = {'A': '\\udc80'}",
            "build_time_vars = {'A': '\\N{BELL}'}",
            "build_time_vars = {'A': 1 + 1}",
            "build_time_vars = {'A': --1}",
            "build_time_vars = {1: 1}",
            "build_time_vars = {'A': 1} ; import os",
            "build_time_vars = {'A': 1}\nimport os",
        ] {
            assert!(parse(source).is_err(), "{source}");
        }
        assert_eq!(
            parse("\n\nx").unwrap_err().to_string(),
            "line 3: it does not begin with `build_time_vars`"
        );
    }

    #[test]
    fn what_is_written_is_one_line_of_ascii_for_each_item() {
        let written = write(&[text("a", "line\nend '\\ \u{e9}\u{2028}\t"), text("b", "")]);
        assert!(written.is_ascii() && written.lines().count() == 3, "{written}");
    }
}
