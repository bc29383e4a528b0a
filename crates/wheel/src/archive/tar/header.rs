//! One header of a tar archive: a block of 512 bytes with fields at fixed places.

use crate::archive::Problem;

/// Everything in a tar archive is a multiple of this.
pub(super) const BLOCK: usize = 512;

/// The two kinds of headers that are in use. They share the first fields and extend them differently, and a reader
/// that takes one for the other sees another archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// ustar and its extension pax (POSIX.1-2001).
    Posix,
    /// What GNU tar writes by default.
    Gnu,
}

/// A header, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) family: Family,
    /// The type flag.
    pub(super) kind: u8,
    pub(super) name: Vec<u8>,
    /// What stands before the name, with a `/` between; in the POSIX family only.
    pub(super) prefix: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) mode: u32,
    pub(super) size: u64,
}

impl Header {
    /// Reads a block that is not all zeros.
    ///
    /// # Errors
    /// When the checksum is wrong, or a field has no meaning or more than one.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, Problem> {
        if octal(&block[148..156])? != u64::from(checksum(block)) {
            return Err(Problem::Unsound("a header has a wrong checksum"));
        }
        let family = match &block[257..265] {
            b"ustar\x0000" => Family::Posix,
            b"ustar  \0" => Family::Gnu,
            _ => return Err(Problem::Unsound("a header is of an unknown format")),
        };
        let prefix = match family {
            Family::Posix => text(&block[345..500])?,
            // GNU tar has other fields here; some readers take them for a prefix all the same.
            Family::Gnu if block[345..500].iter().any(|byte| *byte != 0) => {
                return Err(Problem::Unsound("a header has fields that readers disagree about"));
            }
            Family::Gnu => Vec::new(),
        };
        Ok(Self {
            family,
            kind: block[156],
            name: text(&block[..100])?,
            prefix,
            link: text(&block[157..257])?,
            // No field of eight digits is larger than 32 bits.
            mode: u32::try_from(octal(&block[100..108])?).unwrap_or_default(),
            size: size(&block[124..136], family)?,
        })
    }

    /// The name with its prefix.
    pub(super) fn path(&self) -> Vec<u8> {
        if self.prefix.is_empty() {
            return self.name.clone();
        }
        [&self.prefix[..], b"/", &self.name].concat()
    }
}

/// The sum of all bytes, those of the checksum itself taken for blanks.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let blanks = 8 * u32::from(b' ');
    let rest = block[..148].iter().chain(&block[156..]);
    rest.map(|byte| u32::from(*byte)).sum::<u32>() + blanks
}

/// A field up to its first NUL. Readers agree on what is before it; nothing may be hidden behind it.
fn text(field: &[u8]) -> Result<Vec<u8>, Problem> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    if field[end..].iter().any(|byte| *byte != 0) {
        return Err(Problem::Unsound("a header has a name with a NUL in it"));
    }
    Ok(field[..end].to_vec())
}

/// A number in octal digits, blanks before it, blanks or NULs behind it.
fn octal(field: &[u8]) -> Result<u64, Problem> {
    let start = field.iter().position(|byte| *byte != b' ').unwrap_or(field.len());
    let length = field[start..].iter().take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let (digits, rest) = field[start..].split_at(length);
    if digits.is_empty() || rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return Err(Problem::Unsound("a header has a field that is not a number"));
    }
    // At most 12 digits of 3 bits.
    Ok(digits.iter().fold(0, |value, digit| value << 3 | u64::from(digit - b'0')))
}

/// The size of the data: octal, or, in the GNU family, a binary number behind the byte 0x80. That notation can also
/// mean negative numbers, which no size is.
fn size(field: &[u8], family: Family) -> Result<u64, Problem> {
    let Some((0x80, binary)) = field.split_first() else {
        return octal(field);
    };
    let (high, low) = binary.split_at(binary.len() - 8);
    if family == Family::Posix || high.iter().any(|byte| *byte != 0) || low[0] >= 0x80 {
        return Err(Problem::Unsound("a header has a field that is not a number"));
    }
    Ok(low.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}
