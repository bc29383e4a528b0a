//! The info of a zip archive: end record, central directory, local headers.
//!
//! A zip archive describes each member twice, and its end is found by searching. Readers that search differently
//! see different archives in the same bytes, which is how malicious wheels pass a scanner. So this module accepts
//! only archives with ONE reading: the end record is the last thing in the file, the central directory lies
//! directly before it, the members fill the space before that without a gap, and every local header agrees with
//! the central one. The layout is that of APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16.

use std::io;

use super::reader::PositionedReader;
use super::{Limits, Problem};

const END: [u8; 4] = *b"PK\x05\x06";
const END_SIZE: usize = 22;
const END64: [u8; 4] = *b"PK\x06\x06";
const END64_SIZE: u64 = 56;
const LOCATOR: [u8; 4] = *b"PK\x06\x07";
const LOCATOR_SIZE: u64 = 20;
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const CENTRAL_SIZE: usize = 46;
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_SIZE: usize = 30;
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

const FLAG_ENCRYPTED: u16 = 1;
const FLAG_DESCRIPTOR: u16 = 1 << 3;
/// The data is a patch for something that the reader has.
const FLAG_PATCH: u16 = 1 << 5;
const FLAG_UTF8: u16 = 1 << 11;
/// Info-ZIP's Unicode path: a second name for the member.
const EXTRA_UNICODE_PATH: u16 = 0x7075;
const EXTRA_ZIP64: u16 = 1;
/// The version of the format that a reader must know, times ten; APPNOTE.TXT has had no other after it.
const NEWEST_FORMAT: u8 = 63;

/// The central directory, as far as it must be known apart from the zip reader.
pub(super) struct Directory {
    /// Where it begins in the file.
    pub(super) start: u64,
    pub(super) headers: Vec<CentralHeader>,
}

/// One member in the central directory.
pub(super) struct CentralHeader {
    /// Where the header begins in the file.
    pub(super) position: u64,
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) compressed_size: u64,
    pub(super) size: u64,
    /// Where the local header begins in the file.
    pub(super) header: u64,
    /// The upper half are Unix permission bits, where the archive was made on Unix.
    pub(super) attributes: u32,
}

impl CentralHeader {
    pub(super) const fn is_encrypted(&self) -> bool {
        // Bit 6: strong encryption; bit 13: masked headers.
        self.flags & (FLAG_ENCRYPTED | 1 << 6 | 1 << 13) != 0
    }
}

/// What the zip reader made of a member, to be held against its local header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) name: &'a [u8],
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) compressed_size: u64,
    pub(super) size: u64,
    /// Where the local header begins in the file.
    pub(super) header: u64,
    /// Where the next member, or the central directory, begins.
    pub(super) next: u64,
}

/// An I/O error, or a problem of the archive.
pub(super) enum Failure {
    Io(io::Error),
    Problem(Problem),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::Problem(Problem::Incomplete)
        } else {
            Self::Io(error)
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Reads and checks the end records and the central directory.
pub(super) fn read_directory(reader: &mut PositionedReader, limits: &Limits) -> Result<Directory, Failure> {
    let end = find_end(reader)?;
    if end.count > limits.members {
        return Err(Problem::TooMany(limits.members).into());
    }
    if end.count.saturating_mul(CENTRAL_SIZE as u64) > end.size {
        return Err(Problem::Unsound("its directory is smaller than its entries").into());
    }
    let size = usize::try_from(end.size).map_err(|_| Problem::TooMany(limits.members))?;
    if end.size > limits.in_memory {
        return Err(Problem::TooMany(limits.members).into());
    }
    let mut bytes = vec![0; size];
    reader.read_exact_at(end.start, &mut bytes)?;
    let mut headers = Vec::with_capacity(usize::try_from(end.count).unwrap_or_default());
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let position = end.start + (size - rest.len()) as u64;
        let (header, after) = central_header(rest, position)?;
        headers.push(header);
        rest = after;
    }
    if headers.len() as u64 != end.count {
        return Err(Problem::Unsound("its directory has another number of entries than it says").into());
    }
    Ok(Directory { start: end.start, headers })
}

fn central_header(bytes: &[u8], position: u64) -> Result<(CentralHeader, &[u8]), Problem> {
    const CUT: Problem = Problem::Unsound("an entry of its directory is cut off");
    let (fixed, rest) = bytes.split_at_checked(CENTRAL_SIZE).ok_or(CUT)?;
    if !fixed.starts_with(&CENTRAL) {
        return Err(Problem::Unsound("its directory contains something that is not an entry"));
    }
    let (name, rest) = rest.split_at_checked(u16_at(fixed, 28).into()).ok_or(CUT)?;
    let (extra, rest) = rest.split_at_checked(u16_at(fixed, 30).into()).ok_or(CUT)?;
    let (_comment, rest) = rest.split_at_checked(u16_at(fixed, 32).into()).ok_or(CUT)?;
    if !matches!(u16_at(fixed, 34), 0 | u16::MAX) {
        return Err(Problem::Unsound("it spans several disks"));
    }
    let flags = u16_at(fixed, 8);
    if !name.is_ascii() && flags & FLAG_UTF8 == 0 {
        return Err(Problem::Unsound("it does not say that its names are UTF-8"));
    }
    if flags & FLAG_PATCH != 0 || fixed[6] > NEWEST_FORMAT {
        return Err(Problem::Unsound("it needs a reader that knows more"));
    }
    refuse_second_name(name, extra)?;
    let short = [u32_at(fixed, 24), u32_at(fixed, 20), u32_at(fixed, 42)];
    let [size, compressed_size, header] = long_values(short, u16_at(fixed, 34) == u16::MAX, extra)
        .ok_or(Problem::Unsound("a 64-bit size in its directory is malformed"))?;
    let header = CentralHeader {
        position,
        name: name.to_vec(),
        flags,
        method: u16_at(fixed, 10),
        crc32: u32_at(fixed, 16),
        compressed_size,
        size,
        header,
        attributes: u32_at(fixed, 38),
    };
    Ok((header, rest))
}

/// Where the central directory is, and how large.
struct End {
    start: u64,
    size: u64,
    count: u64,
}

fn find_end(reader: &mut PositionedReader) -> Result<End, Failure> {
    let length = reader.length();
    let tail_length = length.min((END_SIZE + usize::from(u16::MAX)) as u64);
    let tail_start = length - tail_length;
    // Never more than 64 KiB and a bit.
    let mut tail = vec![0; usize::try_from(tail_length).unwrap_or_default()];
    reader.read_exact_at(tail_start, &mut tail)?;
    // The last signature counts, even one too close to the end for a record: other readers would take it too.
    let place = tail.windows(END.len()).rposition(|bytes| bytes == END).ok_or(Problem::Incomplete)?;
    let record = &tail[place..];
    if record.len() < END_SIZE {
        return Err(Problem::Incomplete.into());
    }
    let announced = END_SIZE + usize::from(u16_at(record, 20));
    if announced > record.len() {
        return Err(Problem::Incomplete.into());
    }
    if announced < record.len() {
        return Err(Problem::TrailingData.into());
    }
    let position = tail_start + place as u64;
    let short = End {
        start: u32_at(record, 16).into(),
        size: u32_at(record, 12).into(),
        count: u16_at(record, 10).into(),
    };
    let here = u16_at(record, 8);
    if u16_at(record, 4) != 0 && u16_at(record, 4) != u16::MAX || here != u16_at(record, 10) {
        return Err(Problem::Unsound("it spans several disks").into());
    }
    let (end, after_directory) = match find_end64(reader, position)? {
        Some((long, position)) => {
            let agrees = (short.start == u64::from(u32::MAX) || short.start == long.start)
                && (short.size == u64::from(u32::MAX) || short.size == long.size)
                && (short.count == u64::from(u16::MAX) || short.count == long.count);
            if !agrees {
                return Err(Problem::Unsound("its two end records differ").into());
            }
            (long, position)
        }
        None => (short, position),
    };
    match end.start.checked_add(end.size) {
        Some(directory_end) if directory_end == after_directory => Ok(end),
        Some(directory_end) if directory_end > after_directory => Err(Problem::Incomplete.into()),
        _ => Err(Problem::Unsound("its directory does not end where its end record begins").into()),
    }
}

/// Reads the zip64 end record, if there is one, and returns it with its position.
fn find_end64(reader: &mut PositionedReader, end: u64) -> Result<Option<(End, u64)>, Failure> {
    let Some(locator_position) = end.checked_sub(LOCATOR_SIZE) else {
        return Ok(None);
    };
    let mut locator = [0; 20];
    reader.read_exact_at(locator_position, &mut locator)?;
    if !locator.starts_with(&LOCATOR) {
        return Ok(None);
    }
    let position = u64_at(&locator, 8);
    if position.checked_add(END64_SIZE) != Some(locator_position) || u32_at(&locator, 4) != 0 {
        return Err(Problem::Unsound("its 64-bit end record is not where it should be").into());
    }
    let mut record = [0; 56];
    reader.read_exact_at(position, &mut record)?;
    let sound = record.starts_with(&END64)
        && u64_at(&record, 4) == END64_SIZE - 12
        && u32_at(&record, 16) == 0
        && u32_at(&record, 20) == 0
        && u64_at(&record, 24) == u64_at(&record, 32);
    if !sound {
        return Err(Problem::Unsound("its 64-bit end record is malformed").into());
    }
    let end = End { count: u64_at(&record, 32), size: u64_at(&record, 40), start: u64_at(&record, 48) };
    Ok(Some((end, position)))
}

/// Compares a member's local header, and the descriptor after its data, with what the directory says; returns where in the
/// file the data begins.
pub(super) fn check_local(reader: &mut PositionedReader, expected: &Expected<'_>) -> Result<u64, Failure> {
    let mut fixed = [0; LOCAL_SIZE];
    reader.read_exact_at(expected.header, &mut fixed)?;
    let differs = |field| Problem::HeadersDiffer { name: lossy(expected.name), field };
    if !fixed.starts_with(&LOCAL) {
        return Err(differs("place").into());
    }
    let mut name = vec![0; u16_at(&fixed, 26).into()];
    let mut extra = vec![0; u16_at(&fixed, 28).into()];
    let name_position = expected.header + LOCAL_SIZE as u64;
    reader.read_exact_at(name_position, &mut name)?;
    reader.read_exact_at(name_position + name.len() as u64, &mut extra)?;
    if name != expected.name {
        return Err(differs("name").into());
    }
    refuse_second_name(&name, &extra)?;
    let flags = u16_at(&fixed, 6);
    if !name.is_ascii() && (flags ^ expected.flags) & FLAG_UTF8 != 0 {
        return Err(differs("encoding").into());
    }
    if u16_at(&fixed, 8) != expected.method {
        return Err(differs("compression method").into());
    }
    if (flags ^ expected.flags) & FLAG_ENCRYPTED != 0 {
        return Err(differs("encryption").into());
    }
    let short = [u32_at(&fixed, 22), u32_at(&fixed, 18)];
    let [size, compressed_size] = long_values(short, false, &extra).ok_or_else(|| differs("size"))?;
    // With a descriptor, the header was written before the data was known.
    let zero_allowed = flags & FLAG_DESCRIPTOR != 0;
    let same = |local: u64, central: u64| local == central || zero_allowed && local == 0;
    if !same(size, expected.size) || !same(compressed_size, expected.compressed_size) {
        return Err(differs("size").into());
    }
    if !same(u32_at(&fixed, 14).into(), expected.crc32.into()) {
        return Err(differs("checksum").into());
    }
    let data = name_position + (name.len() + extra.len()) as u64;
    let gap = (data.checked_add(expected.compressed_size))
        .and_then(|end| expected.next.checked_sub(end))
        .ok_or_else(|| Problem::Gap(lossy(expected.name)))?;
    if flags & FLAG_DESCRIPTOR != 0 {
        check_descriptor(reader, expected, gap)?;
    } else if gap != 0 {
        return Err(Problem::Gap(lossy(expected.name)).into());
    }
    Ok(data)
}

/// Checks the record after the data of a member that was written in one go: 32-bit or 64-bit sizes, with or
/// without a signature, which its length tells apart.
fn check_descriptor(
    reader: &mut PositionedReader,
    expected: &Expected<'_>,
    length: u64,
) -> Result<(), Failure> {
    let mut bytes = [0; 24];
    let record = match length {
        12 | 16 | 20 | 24 => &mut bytes[..usize::try_from(length).unwrap_or_default()],
        _ => return Err(Problem::Gap(lossy(expected.name)).into()),
    };
    reader.read_exact_at(expected.next - length, record)?;
    let signed = matches!(length, 16 | 24);
    let values = if signed { &record[4..] } else { &*record };
    let (compressed_size, size) = if values.len() == 12 {
        (u64::from(u32_at(values, 4)), u64::from(u32_at(values, 8)))
    } else {
        (u64_at(values, 4), u64_at(values, 12))
    };
    let same = u32_at(values, 0) == expected.crc32
        && compressed_size == expected.compressed_size
        && size == expected.size
        && (!signed || record.starts_with(&DESCRIPTOR));
    if same {
        Ok(())
    } else {
        Err(Problem::HeadersDiffer { name: lossy(expected.name), field: "data descriptor" }.into())
    }
}

/// The values of a header, from its zip64 field where they do not fit 32 bits.
///
/// Readers differ in what they make of a field that is there twice, has more than is needed, or is not needed at all:
/// `None` for these. A field that only repeats what the header says has one reading; Bazel's wheels have such fields.
fn long_values<const COUNT: usize>(
    short: [u32; COUNT],
    is_disk_long: bool,
    extra: &[u8],
) -> Option<[u64; COUNT]> {
    let mut fields = extra_fields(extra).flatten().filter(|(id, _)| *id == EXTRA_ZIP64);
    let field = fields.next();
    let needed = short.iter().filter(|value| **value == u32::MAX).count() * 8 + usize::from(is_disk_long) * 4;
    let field_repeated = fields.next().is_some();
    let mut long = match field {
        None if needed == 0 => return Some(short.map(u64::from)),
        Some((_, data)) if needed == 0 && !field_repeated && repeats(data, &short) => {
            return Some(short.map(u64::from));
        }
        Some((_, data)) if data.len() == needed && needed > 0 && !field_repeated => data,
        _ => return None,
    };
    let values = short.map(|short| match long.split_first_chunk::<8>() {
        Some((value, rest)) if short == u32::MAX => {
            long = rest;
            u64::from_le_bytes(*value)
        }
        _ => u64::from(short),
    });
    // What is left is the number of the disk.
    long.iter().all(|byte| *byte == 0).then_some(values)
}

/// Whether a zip64 field holds nothing but the values of the header, in their order.
fn repeats(data: &[u8], short: &[u32]) -> bool {
    let values = data.chunks(8).map(|chunk| chunk.try_into().map(u64::from_le_bytes).ok());
    data.len() <= short.len() * 8
        && values.eq(short.iter().take(data.len().div_ceil(8)).map(|v| Some(u64::from(*v))))
}

/// Refuses extra fields that give the member another name, or cannot be told apart.
fn refuse_second_name(name: &[u8], extra: &[u8]) -> Result<(), Problem> {
    for field in extra_fields(extra) {
        let (id, data) = field.ok_or(Problem::Unsound("an extra field of a header is cut off"))?;
        if id == EXTRA_UNICODE_PATH && data.get(5..) != Some(name) {
            return Err(Problem::HeadersDiffer { name: lossy(name), field: "second name" });
        }
    }
    Ok(())
}

/// The extra fields of a header; `None` for what is cut off at the end.
fn extra_fields(mut bytes: &[u8]) -> impl Iterator<Item = Option<(u16, &[u8])>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let field = bytes.split_first_chunk::<4>().and_then(|(head, rest)| {
            let (data, rest) = rest.split_at_checked(u16_at(head, 2).into())?;
            Some((u16_at(head, 0), data, rest))
        });
        let Some((id, data, rest)) = field else {
            bytes = &[];
            return Some(None);
        };
        bytes = rest;
        Some(Some((id, data)))
    })
}

/// A member's name for a message.
pub(super) fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().to_string()
}

fn u16_at(bytes: &[u8], place: usize) -> u16 {
    u16::from_le_bytes([bytes[place], bytes[place + 1]])
}

fn u32_at(bytes: &[u8], place: usize) -> u32 {
    u32::from(u16_at(bytes, place)) | u32::from(u16_at(bytes, place + 2)) << 16
}

fn u64_at(bytes: &[u8], place: usize) -> u64 {
    u64::from(u32_at(bytes, place)) | u64::from(u32_at(bytes, place + 4)) << 32
}
