//! RECORD: the table of a distribution's files (PEP 376, PEP 627, and the specification of installed projects).

use std::borrow::Cow;

use virtpy_files::digest::{HashAlgorithm, from_base64};

use super::record_digest::RecordDigest;
use super::{Error, InstalledFile};

/// One row of RECORD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The path as it stands there, relative to the folder of the dist-info folder. Input: it may lead anywhere.
    pub path: String,
    /// The content's hash; RECORD itself has none.
    pub hash: Option<RecordHash>,
    /// The content's size in bytes.
    pub size: Option<u64>,
}

/// A hash as RECORD writes it, so that rows of other tools can be written back unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHash {
    /// The algorithm as it stands there, such as `sha256`.
    pub algorithm: String,
    /// The digest as it stands there: base64, URL-safe, without padding.
    pub digest: String,
}

/// That of a row of an entry, whose hashes all are SHA-256.
impl From<RecordHash> for RecordDigest {
    fn from(hash: RecordHash) -> Self {
        Self(hash.digest)
    }
}

/// What a hash is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verifiable {
    /// The content must have this digest.
    Digest(HashAlgorithm, Vec<u8>),
    /// The algorithm proves nothing (MD5, SHA-1): the specification forbids it.
    Weak,
    /// The algorithm is not known here.
    Unknown,
    /// The digest is not one of its algorithm, so no content can have it.
    Malformed,
}

impl RecordHash {
    pub(super) fn verifiable(&self) -> Verifiable {
        let algorithm = match self.algorithm.to_ascii_lowercase().as_str() {
            "sha256" => HashAlgorithm::Sha256,
            "sha384" => HashAlgorithm::Sha384,
            "sha512" => HashAlgorithm::Sha512,
            "md5" | "sha1" => return Verifiable::Weak,
            _ => return Verifiable::Unknown,
        };
        match from_base64(&self.digest) {
            Some(digest) if digest.len() == algorithm.digest_length() => {
                Verifiable::Digest(algorithm, digest)
            }
            _ => Verifiable::Malformed,
        }
    }
}

/// Reads a RECORD: CSV with any line ends, quoted where needed; empty lines are skipped. Some tools quote nothing: what stands
/// before the last two fields of a row that has more is its path, if those two can be nothing but a hash and a size.
///
/// # Errors
/// When a row has no path or more than three fields, its size is no number, its hash names no algorithm, or a
/// quotation is not closed.
pub fn parse_record(text: &str) -> Result<Vec<RecordRow>, Error> {
    let mut rows = Vec::with_capacity(text.len() / 90);
    let mut lines = Lines { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    while !lines.rest.is_empty() {
        let line = lines.line;
        let wrong = |reason: &str| Error::Record { line, reason: reason.to_owned() };
        let is_quoted = lines.rest.starts_with('"');
        let fields = with_whole_path(lines.fields()?, is_quoted);
        if let [only] = fields.as_slice()
            && only.is_empty()
        {
            continue;
        }
        let field =
            |index: usize| fields.get(index).map(AsRef::as_ref).filter(|field: &&str| !field.is_empty());
        if fields.len() > 3 {
            return Err(wrong("has more than three fields"));
        }
        let path = field(0).ok_or_else(|| wrong("names no file"))?.to_owned();
        let hash = match field(1).map(|hash| hash.split_once('=')) {
            None => None,
            Some(None) => return Err(wrong("has a hash without an algorithm")),
            Some(Some((algorithm, digest))) => {
                Some(RecordHash { algorithm: algorithm.to_owned(), digest: digest.to_owned() })
            }
        };
        let size = field(2)
            .map(|size| size.trim().parse().map_err(|_| wrong("has a size that is not a number")))
            .transpose()?;
        rows.push(RecordRow { path, hash, size });
    }
    Ok(rows)
}

/// Puts a path together again that contains commas and was not quoted; other rows with too many fields stay as they are.
fn with_whole_path(fields: Vec<Cow<'_, str>>, is_quoted: bool) -> Vec<Cow<'_, str>> {
    let [path @ .., name, hash, size] = fields.as_slice() else { return fields };
    let is_hash = hash.is_empty() || hash.contains('=');
    let is_size = size.bytes().all(|byte| byte.is_ascii_digit());
    if path.is_empty() || name.is_empty() || is_quoted || !is_hash || !is_size {
        return fields;
    }
    let whole = format!("{},{name}", path.join(","));
    vec![Cow::Owned(whole), hash.clone(), size.clone()]
}

/// The part of a CSV text that is not read yet.
struct Lines<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lines<'a> {
    /// The fields of the next record, which ends with its line unless a quotation goes on.
    fn fields(&mut self) -> Result<Vec<Cow<'a, str>>, Error> {
        let mut fields = Vec::with_capacity(3);
        loop {
            let field = self.field()?;
            fields.push(field);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            self.rest = self
                .rest
                .strip_prefix("\r\n")
                .or_else(|| self.rest.strip_prefix(['\n', '\r']))
                .unwrap_or(self.rest);
            self.line += 1;
            return Ok(fields);
        }
    }

    fn field(&mut self) -> Result<Cow<'a, str>, Error> {
        let Some(mut rest) = self.rest.strip_prefix('"') else {
            let end = self.rest.find([',', '\n', '\r']).unwrap_or(self.rest.len());
            let (field, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Ok(Cow::Borrowed(field));
        };
        let line = self.line;
        let wrong = |reason: &str| Error::Record { line, reason: reason.to_owned() };
        let mut field = String::new();
        loop {
            let end = rest.find('"').ok_or_else(|| wrong("has a quotation without an end"))?;
            field.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            let Some(more) = rest.strip_prefix('"') else { break };
            field.push('"');
            rest = more;
        }
        if !(rest.is_empty() || rest.starts_with([',', '\n', '\r'])) {
            return Err(wrong("goes on after a quotation"));
        }
        self.line += field.matches('\n').count();
        self.rest = rest;
        Ok(Cow::Owned(field))
    }
}

/// Writes rows back as a RECORD.
pub fn write_record(rows: &[RecordRow]) -> String {
    let mut text = String::with_capacity(rows.len() * 90);
    for row in rows {
        push_field(&mut text, &row.path);
        text.push(',');
        if let Some(hash) = &row.hash {
            push_field(&mut text, &format!("{}={}", hash.algorithm, hash.digest));
        }
        text.push(',');
        if let Some(size) = row.size {
            text.push_str(&size.to_string());
        }
        text.push('\n');
    }
    text
}

/// The rows of some files whose paths are relative to the site-packages folder, each with its line end.
pub fn record_rows(files: &[InstalledFile]) -> String {
    files.iter().map(|file| known_record_row(&file.path, &file.sha256, file.size)).collect()
}

/// One row with its line end, for a file with this content; without hash and size where the content is not given,
/// as for RECORD itself.
pub fn record_row(path: &str, content: Option<&[u8]>) -> String {
    if let Some(content) = content {
        return known_record_row(path, &RecordDigest::of(content), content.len() as u64);
    }
    let mut row = String::with_capacity(path.len() + 3);
    push_field(&mut row, path);
    row.push_str(",,\n");
    row
}

/// One row with its line end, for a file whose digest and size are known.
pub fn known_record_row(path: &str, digest: &RecordDigest, size: u64) -> String {
    let mut row = String::with_capacity(path.len() + 64);
    push_field(&mut row, path);
    row.push_str(",sha256=");
    row.push_str(digest.as_str());
    row.push(',');
    row.push_str(&size.to_string());
    row.push('\n');
    row
}

fn push_field(text: &mut String, field: &str) {
    // At the start of a file a bare byte order mark would not be taken for a part of the path.
    if field.contains(['"', ',', '\n', '\r']) || field.starts_with('\u{feff}') {
        text.push('"');
        text.push_str(&field.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(field);
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_SHA256: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

    #[test]
    fn reads_all_legal_forms() {
        let text = format!(
            "\u{feff}a.py,sha256={EMPTY_SHA256},0\r\n\"b,\"\"c\"\".py\",,\n\nd.py\ne/RECORD,,\n\"f\ng\",,7\r\"h\",,"
        );
        let rows = parse_record(&text).unwrap();
        let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
        assert_eq!(paths, ["a.py", "b,\"c\".py", "d.py", "e/RECORD", "f\ng", "h"]);
        assert_eq!(rows[0].size, Some(0));
        let hash = rows[0].hash.as_ref().unwrap();
        assert_eq!((hash.algorithm.as_str(), hash.digest.as_str()), ("sha256", EMPTY_SHA256));
        assert_eq!(rows[1].hash, None);
        assert_eq!(rows[4].size, Some(7));
        assert_eq!(parse_record(&write_record(&rows)).unwrap(), rows);
        assert!(parse_record("").unwrap().is_empty());
    }

    #[test]
    fn a_comma_need_not_be_quoted_where_it_can_be_nothing_else() {
        let rows = parse_record(&format!("a,b.txt,sha256={EMPTY_SHA256},0\nx, y,z,,\nplain,,\n")).unwrap();
        let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
        assert_eq!(paths, ["a,b.txt", "x, y,z", "plain"]);
        assert_eq!(rows[0].size, Some(0));
        assert_eq!(rows[0].hash.as_ref().unwrap().algorithm, "sha256");
    }

    #[test]
    fn refuses_what_is_no_record() {
        for (text, line) in [
            ("a,,\n\"b", 2),
            ("a,,0,x", 1),
            ("a,,,", 1),
            ("a,b,0,", 1),
            ("\"a\",b,,", 1),
            (",sha256=x,1", 1),
            ("a\nb\nc,,many", 3),
            ("a,,-1", 1),
            ("a,sha256,1", 1),
            ("\"a\"b,,", 1),
            ("\"a\n\",,\nb,,x", 3),
        ] {
            match parse_record(text) {
                Err(Error::Record { line: found, .. }) => assert_eq!(found, line, "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn writes_rows() {
        assert_eq!(record_row("a.py", Some(b"")), format!("a.py,sha256={EMPTY_SHA256},0\n"));
        assert_eq!(record_row("a,b", None), "\"a,b\",,\n");
        let marked = record_row("\u{feff}a", None);
        assert_eq!(parse_record(&marked).unwrap()[0].path, "\u{feff}a", "{marked:?}");
        let file = InstalledFile {
            path: "x\"y".to_owned(),
            sha256: RecordDigest::of(""),
            size: 0,
            executable: false,
        };
        let text = record_rows(&[file]);
        assert_eq!(text, format!("\"x\"\"y\",sha256={EMPTY_SHA256},0\n"));
        assert_eq!(parse_record(&text).unwrap()[0].path, "x\"y");
    }

    #[test]
    fn tells_what_a_hash_is_good_for() {
        let hash = |algorithm: &str, digest: &str| {
            RecordHash { algorithm: algorithm.to_owned(), digest: digest.to_owned() }.verifiable()
        };
        assert!(matches!(hash("sha256", EMPTY_SHA256), Verifiable::Digest(HashAlgorithm::Sha256, _)));
        assert!(matches!(hash("SHA256", EMPTY_SHA256), Verifiable::Digest(HashAlgorithm::Sha256, _)));
        assert_eq!(hash("sha512", EMPTY_SHA256), Verifiable::Malformed);
        assert_eq!(hash("sha256", "e3b0c442"), Verifiable::Malformed);
        assert_eq!(hash("md5", "x"), Verifiable::Weak);
        assert_eq!(hash("sha1", "x"), Verifiable::Weak);
        assert_eq!(hash("blake2b", "x"), Verifiable::Unknown);
    }
}
