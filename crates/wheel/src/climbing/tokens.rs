//! Python source as far as the search for climbing paths has to know it: names, texts, numbers and signs, cut into
//! statements. Comments are left out. What is no Python gives tokens that mean nothing.

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a keyword, dots included: `os.path.join`.
    Name(String),
    /// The content of a literal, escapes as they stand.
    Text {
        /// What is between the quotation marks.
        content: String,
        /// Whether it is an f-string.
        formatted: bool,
    },
    /// A whole number.
    Number(usize),
    /// Any other character.
    Sign(char),
}

/// The statements of a module, each as its tokens. A statement ends with its line unless a bracket is open.
pub(super) fn statements(source: &str) -> Vec<Vec<Token>> {
    let mut reader = Reader { rest: source };
    let (mut all, mut statement) = (Vec::new(), Vec::new());
    let mut open = 0_usize;
    while let Some(first) = reader.rest.chars().next() {
        match first {
            '\n' | ';' if open == 0 => {
                reader.skip(1);
                if !statement.is_empty() {
                    all.push(std::mem::take(&mut statement));
                }
            }
            '#' => reader.skip(reader.rest.find('\n').unwrap_or(reader.rest.len())),
            '\\' if reader.rest[1..].starts_with('\n') => reader.skip(2),
            _ if first.is_whitespace() => reader.skip(first.len_utf8()),
            _ => {
                let token = reader.token(first);
                match token {
                    Token::Sign('(' | '[' | '{') => open += 1,
                    Token::Sign(')' | ']' | '}') => open = open.saturating_sub(1),
                    _ => {}
                }
                statement.push(token);
            }
        }
    }
    if !statement.is_empty() {
        all.push(statement);
    }
    all
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    /// The token that begins with this character.
    fn token(&mut self, first: char) -> Token {
        if matches!(first, '"' | '\'') {
            return self.text(false);
        }
        if first.is_ascii_digit() {
            let word = self.word();
            return word.parse().map_or(Token::Sign('0'), Token::Number);
        }
        if first.is_alphabetic() || first == '_' {
            let word = self.word();
            let is_prefix = word.len() <= 2 && word.chars().all(|letter| "rRbBuUfFtT".contains(letter));
            if is_prefix && self.rest.starts_with(['"', '\'']) {
                return self.text(word.contains(['f', 'F']));
            }
            return Token::Name(self.dotted(word));
        }
        self.skip(first.len_utf8());
        Token::Sign(first)
    }

    fn word(&mut self) -> String {
        let is_end = |letter: char| !(letter.is_alphanumeric() || letter == '_');
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let word = self.rest[..end].to_owned();
        self.skip(end);
        word
    }

    /// The whole of a name with dots that begins with this word.
    fn dotted(&mut self, mut name: String) -> String {
        while let Some(inside) = self.rest.strip_prefix('.') {
            if !inside.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') {
                break;
            }
            self.skip(1);
            name.push('.');
            let word = self.word();
            name.push_str(&word);
        }
        name
    }

    /// The literal that begins here.
    fn text(&mut self, formatted: bool) -> Token {
        let mark = &self.rest[..1];
        let triple = mark.repeat(3);
        let is_long = self.rest.starts_with(&triple);
        let end = if is_long { triple } else { mark.to_owned() };
        let mut inside = &self.rest[end.len()..];
        let mut content = String::new();
        while !inside.is_empty() && !inside.starts_with(&end) {
            if !is_long && inside.starts_with('\n') {
                break;
            }
            // An escaped quotation mark does not end the text.
            let count = if inside.starts_with('\\') { 2 } else { 1 };
            let letters = inside.char_indices().nth(count).map_or(inside.len(), |(place, _)| place);
            content.push_str(&inside[..letters]);
            inside = &inside[letters..];
        }
        self.rest = inside.strip_prefix(&end).unwrap_or(inside);
        Token::Text { content, formatted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Token {
        Token::Name(text.to_owned())
    }

    fn text(content: &str) -> Token {
        Token::Text { content: content.to_owned(), formatted: false }
    }

    #[test]
    fn lines_are_statements_unless_a_bracket_is_open() {
        let source = "a = 1 # (not\nb(\n  'x\\'y',\n  r\"..\") ; c.d\n";
        let expected = [
            vec![name("a"), Token::Sign('='), Token::Number(1)],
            vec![name("b"), Token::Sign('('), text("x\\'y"), Token::Sign(','), text(".."), Token::Sign(')')],
            vec![name("c.d")],
        ];
        assert_eq!(statements(source), expected);
    }

    #[test]
    fn texts_end_where_they_end() {
        assert_eq!(statements("'''a\n'b'''\nx"), [vec![text("a\n'b")], vec![name("x")]]);
        assert_eq!(statements("'open\nx"), [vec![text("open")], vec![name("x")]]);
        assert_eq!(
            statements("f'{a}/b'"),
            [vec![Token::Text { content: "{a}/b".to_owned(), formatted: true }]]
        );
    }

    #[test]
    fn nothing_makes_it_fail() {
        for source in ["", "\\", "'", "\"\"\"", "'\\", "é'é", "0x1f.", "a..b", ")))", "f'", "\u{feff}x"] {
            let _ = statements(source);
        }
    }
}
