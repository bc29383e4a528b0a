//! RECORD: the list of a distribution's files (PEP 376, PEP 627), a CSV table of path, hash and size.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{Error, InstalledFile};
use crate::archive::HashAlgorithm;

/// A row of RECORD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The path, as it is written.
    pub path: String,
    /// The hash; RECORD itself and signatures have none.
    pub hash: Option<RecordHash>,
    /// The size in bytes.
    pub size: Option<u64>,
}

/// A hash as RECORD writes it: `sha256=` and the digest in URL-safe base64 without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHash {
    /// The algorithm.
    pub algorithm: HashAlgorithm,
    /// The digest; as long as the algorithm says, the rest is zero.
    digest: [u8; 64],
}

impl RecordHash {
    /// A hash with these bytes.
    pub fn new(algorithm: HashAlgorithm, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != algorithm.digest_length() {
            return None;
        }
        let mut digest = [0; 64];
        digest[..bytes.len()].copy_from_slice(bytes);
        Some(Self { algorithm, digest })
    }

    fn parse(text: &str) -> Option<Self> {
        let (algorithm, digest) = text.split_once('=')?;
        let algorithm = match algorithm.to_ascii_lowercase().as_str() {
            "sha256" => HashAlgorithm::Sha256,
            "sha384" => HashAlgorithm::Sha384,
            "sha512" => HashAlgorithm::Sha512,
            _ => return None,
        };
        Self::new(algorithm, &decode(digest.trim_end_matches('='))?)
    }

    /// The digest's bytes.
    pub fn digest(&self) -> &[u8] {
        &self.digest[..self.algorithm.digest_length()]
    }
}

impl fmt::Display for RecordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.algorithm {
            HashAlgorithm::Sha256 => "sha256",
            HashAlgorithm::Sha384 => "sha384",
            HashAlgorithm::Sha512 => "sha512",
        };
        write!(formatter, "{name}={}", encode(self.digest()))
    }
}

/// Reads a RECORD.
///
/// # Errors
/// When a row has no path, a quote is left open, a hash is of an algorithm that vouches for nothing (MD5, SHA-1)
/// or of the wrong length, or a size is no number.
pub fn parse(text: &str) -> Result<Vec<RecordRow>, Error> {
    let invalid = |reason: String| Error::Metadata { file: "RECORD", reason };
    let mut rows = Vec::with_capacity(text.len() / 64);
    let mut rest = text;
    while !rest.is_empty() {
        let mut fields = Vec::with_capacity(3);
        loop {
            let (field, after) = field(rest).ok_or_else(|| invalid("a quote is not closed".to_owned()))?;
            fields.push(field);
            rest = after;
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None => break,
            }
        }
        rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest);
        if fields.len() == 1 && fields[0].trim().is_empty() {
            continue;
        }
        rows.push(row(fields).map_err(invalid)?);
    }
    Ok(rows)
}

fn row(fields: Vec<String>) -> Result<RecordRow, String> {
    let mut fields = fields.into_iter();
    let path = fields.next().filter(|path| !path.is_empty()).ok_or("a row has no path")?;
    let hash = match fields.next().filter(|hash| !hash.is_empty()) {
        None => None,
        Some(text) => Some(
            RecordHash::parse(&text)
                .ok_or_else(|| format!("`{text}` of `{path}` is no SHA-256, 384 or 512"))?,
        ),
    };
    let size = match fields.next().filter(|size| !size.is_empty()) {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| format!("`{text}` of `{path}` is no size"))?),
    };
    Ok(RecordRow { path, hash, size })
}

/// One field of a CSV line, and what follows it; `None` where a quote is left open.
fn field(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        let (field, rest) = text.split_at(end);
        // A carriage return belongs to the line's end.
        let rest = if field.ends_with('\r') && rest.starts_with('\n') { &text[end - 1..] } else { rest };
        return Some((field.trim_end_matches('\r').to_owned(), rest));
    };
    let mut field = String::new();
    let mut rest = quoted;
    loop {
        let end = rest.find('"')?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Some((field, rest)),
        }
    }
}

/// The rows of files that were unpacked, in their order.
pub fn rows_of(files: &[InstalledFile]) -> String {
    let mut text = String::new();
    for file in files {
        text.push_str(&known_record_row(&file.path, &file.sha256, file.size));
    }
    text
}

/// A row for a file with this content, or for a path whose content is not vouched for.
pub fn record_row(path: &str, content: Option<&[u8]>) -> String {
    match content {
        Some(content) => known_record_row(path, &encode(&Sha256::digest(content)), content.len() as u64),
        None => format!("{},,\n", quoted(path)),
    }
}

/// A row for a file whose SHA-256 is known, in URL-safe base64 without padding.
pub fn known_record_row(path: &str, sha256: &str, size: u64) -> String {
    format!("{},sha256={sha256},{size}\n", quoted(path))
}

fn quoted(path: &str) -> String {
    if path.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", path.replace('"', "\"\""))
    } else {
        path.to_owned()
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// URL-safe base64 without padding (RFC 4648, section 5).
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..=chunk.len() {
            let index = (group >> (18 - 6 * position)) & 63;
            text.push(char::from(ALPHABET[index as usize]));
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut group, mut bits) = (0u32, 0u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        group = (group << 6 | u32::try_from(value).ok()?) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((group >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

    #[test]
    fn reads_what_it_writes() {
        let text = format!("{}{}", record_row("a \"b\",c.py", Some(b"")), record_row("x/RECORD", None));
        let rows = parse(&text).unwrap();
        assert_eq!(rows[0].path, "a \"b\",c.py");
        assert_eq!(rows[0].hash.unwrap().to_string(), format!("sha256={EMPTY}"));
        assert_eq!((rows[0].size, rows[1].hash, rows[1].size), (Some(0), None, None));
    }

    #[test]
    fn takes_both_line_ends_and_padding() {
        let rows = parse(&format!("a,sha256={EMPTY}=,0\r\nb,,\r\n\r\nc,,")).unwrap();
        assert_eq!(rows.iter().map(|row| row.path.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(rows[0].size, Some(0));
    }

    #[test]
    fn refuses_what_vouches_for_nothing() {
        for text in ["a,md5=1B2M2Y8AsgTpgAmY7PhCfg,0", "a,sha256=AAAA,0", "a,,many", "\"a,,", ",,"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in
            [(&b""[..], ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"\xfb\xff", "-_8")]
        {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).unwrap(), bytes);
        }
    }
}
