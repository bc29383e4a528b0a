//! A requirements file's text as logical lines, by pip's rules: a line that ends with a backslash goes on in the next one; a
//! comment begins with a `#` at the beginning or after white space, and ends a line that went on; `${NAME}` is a variable
//! of the environment.

/// Some lines of a file that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicalLine<'t> {
    /// The number of the first of them, from 1.
    pub number: usize,
    /// The lines as they stand in the file, without the end of the last.
    pub raw: &'t str,
    /// What they say, without comment and without white space around it; empty where there is nothing else.
    pub text: String,
}

/// All of a text's logical lines, the empty ones too.
pub(super) fn logical_lines(text: &str) -> Vec<LogicalLine<'_>> {
    let mut lines = Vec::new();
    let mut joined = String::new();
    // Where the lines that are being joined begin, and the number of the first.
    let mut begun: Option<(usize, usize)> = None;
    let mut start = 0;
    let mut number = 0;
    while start < text.len() {
        number += 1;
        let (line, next) = first_line(&text[start..]);
        let (from, first) = *begun.get_or_insert((start, number));
        let end = start + line.len();
        start += next;
        let is_comment = line.trim_start().starts_with('#');
        if line.ends_with('\\') && !is_comment {
            joined.push_str(line.trim_end_matches('\\'));
            if start < text.len() {
                continue;
            }
        } else if is_comment {
            joined.push(' ');
            joined.push_str(line);
        } else {
            joined.push_str(line);
        }
        lines.push(LogicalLine {
            number: first,
            raw: &text[from..end],
            text: without_comment(&joined).trim().to_owned(),
        });
        joined.clear();
        begun = None;
    }
    lines
}

/// The first line of a text without its end, and where the next one begins.
fn first_line(text: &str) -> (&str, usize) {
    match text.find(['\n', '\r']) {
        None => (text, text.len()),
        Some(end) if text[end..].starts_with("\r\n") => (&text[..end], end + 2),
        Some(end) => (&text[..end], end + 1),
    }
}

fn without_comment(line: &str) -> &str {
    let begins = |at: usize| line[..at].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices('#').find(|(at, _)| begins(*at)).map_or(line, |(at, _)| &line[..at])
}

/// Puts the values of variables in the place of `${NAME}`. As with pip, a name has upper-case letters, digits and underscores
/// only, and one that is not set, or set to nothing, stays as it is; what a value has in it is not looked at again.
pub(super) fn expanded(line: &str, environment: &dyn Fn(&str) -> Option<String>) -> String {
    let mut told = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find("${") {
        let (before, variable) = rest.split_at(start);
        told.push_str(before);
        let is_of_name = |one: char| one.is_ascii_uppercase() || one.is_ascii_digit() || one == '_';
        let name = &variable[2..];
        let name = &name[..name.find(|one| !is_of_name(one)).unwrap_or(name.len())];
        let is_closed = variable[2 + name.len()..].starts_with('}');
        let value = if is_closed && !name.is_empty() { environment(name) } else { None };
        let (value, length) = match value.filter(|value| !value.is_empty()) {
            Some(value) => (value, name.len() + 3),
            None => ("${".to_owned(), 2),
        };
        told.push_str(&value);
        rest = &variable[length..];
    }
    told.push_str(rest);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers and texts of the lines that say anything.
    fn told(text: &str) -> Vec<(usize, String)> {
        let lines = logical_lines(text).into_iter().filter(|line| !line.text.is_empty());
        lines.map(|line| (line.number, line.text)).collect()
    }

    /// What pip makes of each of these.
    #[test]
    fn lines_are_those_of_pip() {
        let table: [(&str, &[(usize, &str)]); 19] = [
            ("", &[]),
            ("a\nb", &[(1, "a"), (2, "b")]),
            ("a\r\nb\rc\r\n", &[(1, "a"), (2, "b"), (3, "c")]),
            ("a \\\n  <2\n", &[(1, "a   <2")]),
            ("a\\\nb\\\nc\nd", &[(1, "abc"), (4, "d")]),
            ("a \\\r\n --hash=x\r\n", &[(1, "a  --hash=x")]),
            ("a\\", &[(1, "a")]),
            ("a \\\n\n", &[(1, "a")]),
            ("a \\\n\nb", &[(1, "a"), (3, "b")]),
            ("a \\\n # why\nb", &[(1, "a"), (3, "b")]),
            ("a \\\n # why \\\nb", &[(1, "a"), (3, "b")]),
            ("# why \\\na", &[(2, "a")]),
            ("  # why \\\na", &[(2, "a")]),
            ("a # why \\\nb\nc", &[(1, "a"), (3, "c")]),
            ("a#egg=x # why", &[(1, "a#egg=x")]),
            ("a\t#why", &[(1, "a")]),
            ("\n\n  a  \n", &[(3, "a")]),
            ("a \\ \nb", &[(1, "a \\"), (2, "b")]),
            ("\\\n\\\na", &[(1, "a")]),
        ];
        for (text, lines) in table {
            let lines: Vec<(usize, String)> =
                lines.iter().map(|(number, line)| (*number, (*line).to_owned())).collect();
            assert_eq!(told(text), lines, "{text:?}");
        }
    }

    #[test]
    fn the_lines_make_up_the_file() {
        let pieces = ["a", " ", "#", "\\", "\n", "\r\n", "\r", "${A}", "\u{e9}", "\t", "--x"];
        let mut state: u32 = 1;
        for _ in 0..20_000 {
            let mut text = String::new();
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut seed = state >> 8;
            for _ in 0..seed % 12 {
                seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12_345) >> 1;
                text.push_str(pieces[(seed >> 3) as usize % pieces.len()]);
            }
            let lines = logical_lines(&text);
            let without_ends = |text: &str| text.replace(['\r', '\n'], "");
            let raw: String = lines.iter().map(|line| without_ends(line.raw)).collect();
            assert_eq!(raw, without_ends(&text), "nothing is lost of {text:?}");
            assert!(lines.is_sorted_by_key(|line| line.number), "{text:?}");
            for line in &lines {
                assert_eq!(line.text.trim(), line.text);
                assert!(!line.text.starts_with('#') && !line.text.contains(['\n', '\r']), "{text:?}");
            }
        }
    }

    #[test]
    fn variables_are_those_of_pip() {
        let environment = |name: &str| match name {
            "A" => Some("one".to_owned()),
            "B_2" => Some("${A}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (line, expected) in [
            ("${A}==1", "one==1"),
            ("x${A}y${A}", "xoneyone"),
            ("$A ${a} ${A ${} ${A-} $${A}", "$A ${a} ${A ${} ${A-} $one"),
            ("${B_2}", "${A}"),
            ("${EMPTY}${UNSET}", "${EMPTY}${UNSET}"),
            ("${A}${", "one${"),
            ("${${A}}", "${one}"),
        ] {
            assert_eq!(expanded(line, &environment), expected, "{line}");
        }
    }
}
