//! From the bytes of a requirements file to its text.
//!
//! A byte order mark decides; then what a comment in the first two lines says (PEP 263); otherwise it is UTF-8. Nothing is
//! guessed and nothing is replaced: a byte that the encoding does not have is an error, for it may be part of a name or of a URL.

use encoding_rs::Encoding;

/// How many of the first lines may name the encoding.
const LINES_WITH_ENCODING: usize = 2;

/// What to do about a text that cannot be decoded.
pub(super) const HINT: &str =
    "save it as UTF-8, or say in its first line how it is encoded: `# -*- coding: latin-1 -*-`";

/// The text of a requirements file.
///
/// # Errors
///
/// Why the bytes are no text.
pub(super) fn decode(bytes: &[u8]) -> Result<String, String> {
    let text = if let Some(text) = by_mark(bytes) { text? } else { by_declaration(bytes)? };
    if text.contains('\0') {
        return Err(
            "it has characters without a meaning (NUL), so it is not text, or its encoding is not named"
                .to_owned(),
        );
    }
    Ok(text)
}

/// Decodes what begins with a byte order mark. The mark of UTF-32 begins as that of UTF-16 does, so it is looked for first.
fn by_mark(bytes: &[u8]) -> Option<Result<String, String>> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return Some(utf8(rest));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe\x00\x00") {
        return Some(utf32(rest, u32::from_le_bytes));
    }
    if let Some(rest) = bytes.strip_prefix(b"\x00\x00\xfe\xff") {
        return Some(utf32(rest, u32::from_be_bytes));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return Some(utf16(rest, u16::from_le_bytes));
    }
    bytes.strip_prefix(b"\xfe\xff").map(|rest| utf16(rest, u16::from_be_bytes))
}

fn by_declaration(bytes: &[u8]) -> Result<String, String> {
    let lines = bytes.split(|byte| *byte == b'\n').take(LINES_WITH_ENCODING);
    let Some(name) = lines.filter(|line| line.starts_with(b"#")).find_map(declared) else {
        return utf8(bytes);
    };
    let name = name.to_ascii_lowercase();
    match name.replace(['-', '_', '.'], "").as_str() {
        "utf8" | "utf8sig" | "u8" => utf8(bytes),
        // Every byte is the character of its number, which is not what browsers take it for.
        "latin1" | "l1" | "iso88591" | "88591" | "cp819" => {
            Ok(bytes.iter().map(|byte| char::from(*byte)).collect())
        }
        "ascii" | "usascii" | "646" => {
            if bytes.is_ascii() {
                utf8(bytes)
            } else {
                Err("it has other characters than ASCII, which it claims to be".to_owned())
            }
        }
        _ => {
            let encoding = encoding_of(&name)
                .ok_or_else(|| format!("it claims the encoding `{name}`, which is not known"))?;
            encoding
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(std::borrow::Cow::into_owned)
                .ok_or_else(|| {
                    format!("it claims the encoding `{name}`, and has bytes that this does not have")
                })
        }
    }
}

/// The encoding that a comment names, in the form that editors understand: `coding: NAME` or `coding=NAME`.
fn declared(line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    line.match_indices("coding").find_map(|(at, word)| {
        let rest = line[at + word.len()..].strip_prefix([':', '='])?.trim_start();
        let end = rest.find(|one: char| !(one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.')));
        let name = &rest[..end.unwrap_or(rest.len())];
        (!name.is_empty()).then(|| name.to_owned())
    })
}

/// An encoding by the name that Python has for it.
fn encoding_of(name: &str) -> Option<&'static Encoding> {
    let hyphenated = name.replace('_', "-");
    let windows = name.strip_prefix("cp").map(|page| format!("windows-{page}"));
    [Some(name.to_owned()), Some(hyphenated), windows]
        .into_iter()
        .flatten()
        .find_map(|label| Encoding::for_label_no_replacement(label.as_bytes()))
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        format!("it is not UTF-8: line {line} has the byte 0x{byte:02x}")
    })
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Result<String, String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units = units.iter().map(|unit| read(*unit));
    let text = char::decode_utf16(units).collect::<Result<String, _>>();
    text.ok().filter(|_| rest.is_empty()).ok_or_else(|| "it begins as UTF-16, and is not".to_owned())
}

fn utf32(bytes: &[u8], read: fn([u8; 4]) -> u32) -> Result<String, String> {
    let (units, rest) = bytes.as_chunks::<4>();
    let text = units.iter().map(|unit| char::from_u32(read(*unit))).collect::<Option<String>>();
    text.filter(|_| rest.is_empty()).ok_or_else(|| "it begins as UTF-32, and is not".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_of(text: &str, write: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(write).collect()
    }

    fn utf32_of(text: &str, write: fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().map(u32::from).flat_map(write).collect()
    }

    #[test]
    fn a_mark_decides() {
        let text = "caf\u{e9}==1.0\r\n# \u{1f40d}\n";
        for (mark, bytes) in [
            (&b"\xef\xbb\xbf"[..], text.as_bytes().to_vec()),
            (b"\xff\xfe", utf16_of(text, u16::to_le_bytes)),
            (b"\xfe\xff", utf16_of(text, u16::to_be_bytes)),
            (b"\xff\xfe\x00\x00", utf32_of(text, u32::to_le_bytes)),
            (b"\x00\x00\xfe\xff", utf32_of(text, u32::to_be_bytes)),
        ] {
            let whole = [mark, &bytes].concat();
            assert_eq!(decode(&whole).as_deref(), Ok(text), "{mark:?}");
            assert!(decode(&whole[..whole.len() - 1]).is_ok_and(|cut| cut != text) || mark.len() != 3);
            if mark.len() != 3 {
                assert!(decode(&whole[..whole.len() - 1]).is_err(), "{mark:?}: half a character is none");
            }
        }
    }

    #[test]
    fn the_first_two_lines_may_name_the_encoding() {
        for (bytes, text) in [
            (
                &b"# -*- coding: latin-1 -*-\n# caf\xe9\x80"[..],
                "# -*- coding: latin-1 -*-\n# caf\u{e9}\u{80}",
            ),
            (
                b"#!x\n# vim: set fileencoding=ISO8859-1 :\n#\xe9",
                "#!x\n# vim: set fileencoding=ISO8859-1 :\n#\u{e9}",
            ),
            (b"# coding=cp1252\n#\x80", "# coding=cp1252\n#\u{20ac}"),
            (b"# coding: koi8_r\n#\xc1", "# coding: koi8_r\n#\u{430}"),
            (b"# coding: shift_jis\n#\x82\xa0", "# coding: shift_jis\n#\u{3042}"),
            (b"# coding: utf8\n#\xc3\xa9", "# coding: utf8\n#\u{e9}"),
            (b"# no encoding here\n#\xc3\xa9", "# no encoding here\n#\u{e9}"),
        ] {
            assert_eq!(decode(bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for (bytes, reason) in [
            (&b"aa\n# caf\xe9\n"[..], "line 2 has the byte 0xe9"),
            (b"\n\n# coding: latin-1\n\xe9", "not UTF-8"),
            (b"aa # coding: latin-1\n\xe9", "not UTF-8"),
            (b"# coding: klingon\naa", "`klingon`"),
            (b"# coding: ascii\n\xe9", "ASCII"),
            (b"# coding: euc-jp\n\xff", "`euc-jp`"),
            (b"a\x00a\x00", "NUL"),
            (b"\xff\xfe\x00\xd8", "UTF-16"),
            (b"\xff\xfe\x00\x00\x00\x00\x11\x00", "UTF-32"),
        ] {
            let told = decode(bytes).unwrap_err();
            assert!(told.contains(reason), "{told}");
        }
    }
}
