//! Extended headers of pax (POSIX.1-2001): records like `30 path=…` that replace fields of the next header.

use crate::archive::Problem;

/// The records of an extended header that say what a member is; all others (times, owners, comments) do not matter
/// to anybody who unpacks it as himself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
}

/// Reads records, each with its length in front.
///
/// # Errors
/// When a length is not exact, a record says twice what may be said once, or one changes how data is to be read.
pub(super) fn parse(mut bytes: &[u8]) -> Result<Records, Problem> {
    const MALFORMED: Problem = Problem::Unsound("an extended header is malformed");
    let mut records = Records::default();
    let mut seen = Vec::new();
    while !bytes.is_empty() {
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length = decimal(&bytes[..digits]).and_then(|length| usize::try_from(length).ok());
        let (record, rest) = length.and_then(|length| bytes.split_at_checked(length)).ok_or(MALFORMED)?;
        bytes = rest;
        let record = record.get(digits..).and_then(|record| record.strip_prefix(b" "));
        let record = record.and_then(|record| record.strip_suffix(b"\n")).ok_or(MALFORMED)?;
        let place = record.iter().position(|byte| *byte == b'=').ok_or(MALFORMED)?;
        let (key, value) = (&record[..place], &record[place + 1..]);
        if key.is_empty() || seen.contains(&key) {
            return Err(MALFORMED);
        }
        seen.push(key);
        match key {
            // An empty value takes the field of the header away.
            b"path" | b"linkpath" | b"size" if value.is_empty() => return Err(MALFORMED),
            b"path" | b"linkpath" if value.contains(&0) => return Err(MALFORMED),
            b"path" => records.path = Some(value.to_vec()),
            b"linkpath" => records.link = Some(value.to_vec()),
            b"size" => records.size = Some(decimal(value).ok_or(MALFORMED)?),
            b"hdrcharset" if value != b"ISO-IR 10646 2000 UTF-8" => {
                return Err(Problem::Unsound("an extended header is in another encoding than UTF-8"));
            }
            _ if key.starts_with(b"GNU.") || matches!(key, b"SCHILY.realsize" | b"SCHILY.filetype") => {
                return Err(Problem::Unsound("an extended header makes a sparse or special file"));
            }
            _ => {}
        }
    }
    Ok(records)
}

/// A number without a sign or leading zeros.
fn decimal(digits: &[u8]) -> Option<u64> {
    let is_plain = digits.iter().all(u8::is_ascii_digit) && (digits.len() == 1 || !digits.starts_with(b"0"));
    std::str::from_utf8(digits).ok().filter(|_| is_plain)?.parse().ok()
}
