//! The first lines of scripts.
//!
//! A `#!` line cannot hold every path: kernels cut it after 127 bytes and split it at the first blank. For other
//! paths the script is started by `/bin/sh`, and its next two lines are a command for the shell and a string for
//! Python.

use std::fmt::Write as _;
use std::path::Path;

use super::Error;

/// What Linux read of a first line before version 5.1, its line end included; other kernels read more.
const KERNEL_LIMIT: usize = 127;

/// The first line, or lines, of a script for an interpreter, line end included.
///
/// It works for every absolute path: `#!path` where kernels understand that, else three lines that both `/bin/sh`
/// and Python read. Those lines are ASCII, whatever the path is.
///
/// # Errors
/// When the path is not absolute, or ends in a line break (the shell drops it).
pub fn shebang(interpreter: &Path) -> Result<String, Error> {
    let wrong = |reason| Error::Interpreter { path: interpreter.to_path_buf(), reason };
    let bytes = interpreter.as_os_str().as_encoded_bytes();
    if !interpreter.is_absolute() {
        return Err(wrong("its path is not absolute"));
    }
    if bytes.ends_with(b"\n") {
        return Err(wrong("its name ends in a line break"));
    }
    if let Some(plain) = plain(bytes) {
        return Ok(plain);
    }
    if cfg!(windows) {
        return Err(wrong("scripts for a path with blanks, or a long one, are not to be had on Windows yet"));
    }
    let quoted = if bytes.iter().all(|byte| is_quotable(*byte)) {
        format!("\"{}\"", String::from_utf8_lossy(bytes))
    } else {
        format!("\"$(printf '%b' '{}')\"", octal(bytes))
    };
    Ok(format!("#!/bin/sh\n'''exec' {quoted} \"$0\" \"$@\"\n' '''\n"))
}

/// The line that kernels understand, if there is one.
fn plain(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let odd = |letter: char| letter.is_whitespace() || letter.is_control();
    // Python would take `coding:` or `coding=` in a comment for the declaration of the script's encoding.
    let declares_encoding = text.contains("coding:") || text.contains("coding=");
    let fits = "#!".len() + text.len() + "\n".len() <= KERNEL_LIMIT;
    (fits && !declares_encoding && !text.contains(odd)).then(|| format!("#!{text}\n"))
}

/// Whether a byte means itself between double quotes, to the shell and in Python's string.
const fn is_quotable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'$' | b'`' | b'\\' | b'\'')
}

/// The form that `printf %b` turns back into the bytes. Each `\0NNN` is also a legal escape in Python.
fn octal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"/._-+".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\0{byte:03o}");
        }
    }
    text
}

/// Replaces the first line of a wheel's script that starts with `#!python`, `#!pythonw` included, by a shebang that
/// [`shebang`] made; `None` where the script starts with something else and must stay as it is (PEP 427).
///
/// Arguments (`#!python -E`) stay where the new first line is a single one with room for them. An encoding
/// declared in the second line stays valid.
pub fn rewrite_python_shebang(content: &[u8], shebang: &str) -> Option<Vec<u8>> {
    if !content.starts_with(b"#!python") {
        return None;
    }
    let (first, rest) = split_line(content);
    // What follows the first line of a trampoline.
    let (start, end) = shebang.split_once('\n').unwrap_or((shebang, ""));
    let mut script = Vec::with_capacity(content.len() + shebang.len());
    script.extend_from_slice(start.as_bytes());
    if end.is_empty() {
        let arguments = first
            .iter()
            .position(|byte| matches!(byte, b' ' | b'\t'))
            .map(|place| first[place..].trim_ascii());
        if let Some(arguments) = arguments.filter(|arguments| !arguments.is_empty())
            && start.len() + arguments.len() + 2 <= KERNEL_LIMIT
        {
            script.push(b' ');
            script.extend_from_slice(arguments);
        }
        script.push(b'\n');
        script.extend_from_slice(rest);
        return Some(script);
    }
    script.push(b'\n');
    // Python looks for the encoding in the first two lines only; to the shell it is a comment.
    let (second, after) = split_line(rest);
    let rest = if declares_encoding(second) {
        script.extend_from_slice(second.trim_ascii());
        script.push(b'\n');
        after
    } else {
        rest
    };
    script.extend_from_slice(end.as_bytes());
    script.extend_from_slice(rest);
    Some(script)
}

/// Undoes what installers make of a wheel's script that starts with `#!python`: where the script names an interpreter for
/// which `is_own` holds, in its first line or in a trampoline for `/bin/sh`, its first line is `#!python` again. `None`
/// where it names something else.
pub fn restore_python_shebang(content: &[u8], is_own: &dyn Fn(&Path) -> bool) -> Option<Vec<u8>> {
    let (first, rest) = split_line(content);
    let first = std::str::from_utf8(first.strip_prefix(b"#!")?).ok()?.trim();
    let restored = |arguments: &str, rest: &[u8]| {
        let blank = if arguments.is_empty() { "" } else { " " };
        [b"#!python", blank.as_bytes(), arguments.as_bytes(), b"\n", rest].concat()
    };
    if first == "/bin/sh" {
        let (second, rest) = split_line(rest);
        let command = std::str::from_utf8(second).ok()?.strip_prefix("'''exec' ")?;
        let path = command.strip_suffix(" \"$0\" \"$@\"")?;
        let (third, rest) = split_line(rest);
        let names_own = is_own(Path::new(unquoted(path)))
            // Scripts that may be moved with their venv look beside themselves.
            || (path.starts_with("\"$(dirname ") && path.ends_with(")\"/'python'"));
        return (third == b"' '''" && names_own).then(|| restored("", rest));
    }
    if is_own(Path::new(first)) {
        return Some(restored("", rest));
    }
    let (path, arguments) = first.split_once([' ', '\t'])?;
    is_own(Path::new(path)).then(|| restored(arguments.trim(), rest))
}

/// A word of a shell command without the quotation marks around it.
fn unquoted(word: &str) -> &str {
    let without = |mark: char| word.strip_prefix(mark).and_then(|word| word.strip_suffix(mark));
    without('\'').or_else(|| without('"')).unwrap_or(word)
}

/// The first line without its end, and what follows.
fn split_line(content: &[u8]) -> (&[u8], &[u8]) {
    match content.iter().position(|byte| *byte == b'\n') {
        Some(place) => (content[..place].trim_ascii_end(), &content[place + 1..]),
        None => (content.trim_ascii_end(), &[]),
    }
}

/// Whether a line declares an encoding (PEP 263).
fn declares_encoding(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"#")
        && line.windows(7).any(|part| part == b"coding:" || part == b"coding=")
}

#[cfg(test)]
#[path = "shebang_tests.rs"]
mod tests;
