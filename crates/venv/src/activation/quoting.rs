//! How each shell writes a text that means only itself. One function per shell; each returns the text with
//! its quotes, ready to stand where the shell expects one word or one expression. Texts have no line breaks
//! and no NUL.

use std::fmt::Write as _;

/// Quotes for POSIX shells, bash and zsh: one word.
///
/// Between single quotes everything is literal, and nothing can stand for a single quote; so that one is
/// written outside them, after a backslash. The empty pair that arises between two of them keeps zsh's
/// `RC_QUOTES`, which reads `''` inside quotes as one quote, from seeing such a pair.
pub fn posix(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Quotes for a script that POSIX shells read: one word in ASCII.
///
/// A shell reads a script in the locale's encoding. In some older ones (GBK, Big5, Shift-JIS) the last byte of a
/// UTF-8 letter takes the sign behind it for its second half, which may be the closing quote. So a text that is not
/// ASCII is made by printf, the shell's own or the program, but no function or alias of that name.
pub(super) fn posix_script(text: &str) -> String {
    if text.is_ascii() {
        return posix(text);
    }
    let mut format = String::with_capacity(text.len() * 4);
    for (at, byte) in text.bytes().enumerate() {
        // Writing to a String cannot fail.
        let _ = match byte {
            b'%' => write!(format, "%%"),
            b'\\' => write!(format, r"\\"),
            // A minus in the first place would begin an option.
            b' '..=b'~' if byte != b'\'' && (at > 0 || byte != b'-') => {
                write!(format, "{}", char::from(byte))
            }
            _ => write!(format, "\\{byte:03o}"),
        };
    }
    format!(r#""$(unset -f printf 2>/dev/null || :; \printf '{format}')""#)
}

/// Quotes for fish: one word.
///
/// Between single quotes only `\\` and `\'` are escapes.
pub(super) fn fish(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// Quotes for a script that fish reads: one word in ASCII, for the reason that [`posix_script`] has. (fish reads
/// UTF-8 in every locale from version 4 on.)
pub(super) fn fish_script(text: &str) -> String {
    if text.is_ascii() {
        return fish(text);
    }
    let mut quoted = String::with_capacity(text.len() * 4);
    let mut rest = text;
    while let Some(at) = rest.find(|character: char| !character.is_ascii()) {
        let (plain, from_letter) = rest.split_at(at);
        if !plain.is_empty() {
            quoted.push_str(&fish(plain));
        }
        let end = from_letter.find(|character: char| character.is_ascii()).unwrap_or(from_letter.len());
        for byte in from_letter[..end].bytes() {
            // Writing to a String cannot fail.
            let _ = write!(quoted, "\\X{byte:02x}");
        }
        rest = &from_letter[end..];
    }
    if !rest.is_empty() {
        quoted.push_str(&fish(rest));
    }
    quoted
}

/// Quotes for csh and tcsh: one word, safe also as a part of one.
///
/// History (`!`, or any sign in `histchars`) is expanded even between single quotes, and whether a backslash
/// means anything there depends on tcsh's `backslash_quote`. Outside quotes a backslash always makes the next
/// character literal, so every ASCII sign gets one, and no quotes are used. Other characters have no meaning
/// to csh, and a backslash before only the first byte of one would break it.
pub(super) fn csh(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    let mut quoted = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        let plain = character.is_ascii_alphanumeric() || matches!(character, '/' | '.' | '_' | '-');
        if character.is_ascii() && !plain {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// Quotes for a script that csh and tcsh read: one word in ASCII, safe also as a part of one, for the reason that
/// [`posix_script`] has.
///
/// They have no escape for a byte. What a program prints between backquotes is not read again; within the single
/// quotes of its argument stand only letters, digits and backslashes before digits, so that no option of tcsh
/// matters.
pub(super) fn csh_script(text: &str) -> String {
    if text.is_ascii() {
        return csh(text);
    }
    let mut argument = String::with_capacity(text.len() * 5);
    for byte in text.bytes() {
        // Writing to a String cannot fail.
        let _ = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' => {
                write!(argument, "{}", char::from(byte))
            }
            _ => write!(argument, "\\0{byte:03o}"),
        };
    }
    format!("\"`/usr/bin/printf %b '{argument}'`\"")
}

/// Quotes for Nushell: one string.
///
/// Between double quotes only the backslash begins an escape (`$` and brackets mean something only after
/// `$"`).
pub(super) fn nushell(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// Quotes for PowerShell: one expression in ASCII.
///
/// Between single quotes everything is literal and a quote is doubled. PowerShell takes U+2018 to U+201B for
/// single quotes too, and Windows PowerShell reads a file without a byte order mark in the machine's old code
/// page. Both are met by writing what is not ASCII as numbers of UTF-16 units: `('caf' + [char]0x00E9)`.
pub(super) fn powershell(text: &str) -> String {
    if text.is_ascii() {
        return format!("'{}'", text.replace('\'', "''"));
    }
    // The first operand is a string, so that each + joins texts and does not add numbers.
    let mut expression = String::from("('");
    let mut in_quotes = true;
    for unit in text.encode_utf16() {
        if let Some(byte) = u8::try_from(unit).ok().filter(u8::is_ascii) {
            if !in_quotes {
                expression.push_str(" + '");
                in_quotes = true;
            }
            expression.push_str(if byte == b'\'' { "'" } else { "" });
            expression.push(char::from(byte));
        } else {
            if in_quotes {
                expression.push('\'');
                in_quotes = false;
            }
            // Writing to a String cannot fail.
            let _ = write!(expression, " + [char]0x{unit:04X}");
        }
    }
    expression.push_str(if in_quotes { "')" } else { ")" });
    expression
}

/// Quotes for Python and xonsh: one string literal in ASCII.
///
/// ASCII because `open` reads a script in the locale's encoding, which need not be the one that Python
/// expects of its source.
pub(super) fn python(text: &str) -> String {
    let mut literal = String::from("'");
    for character in text.chars() {
        // Writing to a String cannot fail.
        let _ = match (character, u32::from(character)) {
            ('\\' | '\'', _) => write!(literal, "\\{character}"),
            (' '..='~', _) => write!(literal, "{character}"),
            (_, code @ 0..=0xFF) => write!(literal, "\\x{code:02x}"),
            (_, code @ 0..=0xFFFF) => write!(literal, "\\u{code:04x}"),
            (_, code) => write!(literal, "\\U{code:08x}"),
        };
    }
    literal.push('\'');
    literal
}

/// Escapes for cmd.exe's batch files: what stands behind `set "NAME=` on its line, where a quote is already
/// open.
///
/// `%` is doubled everywhere. Between quotes `& | < > ^ ( )` are literal. A double quote in the text (no
/// Windows path has one, a prompt may) is literal too, since `set` removes only the first and the last of its
/// line; but it ends or begins quoting for the parser, so the signs after it get a `^` each until the next
/// one.
///
/// A session in which delayed expansion was turned on (`cmd /v:on`) still reads `!NAME!`; no spelling serves
/// both.
pub(super) fn batch(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut in_quotes = true;
    for character in text.chars() {
        match character {
            '%' => escaped.push('%'),
            '"' => in_quotes = !in_quotes,
            '&' | '|' | '<' | '>' | '^' | '(' | ')' if !in_quotes => escaped.push('^'),
            _ => {}
        }
        escaped.push(character);
    }
    escaped
}
