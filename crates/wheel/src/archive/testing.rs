//! Archives made byte by byte, so that tests can lie in every field.

use std::path::{Path, PathBuf};

use virtpy_files as fs;

/// One member. `new` makes a sound, stored one; tests change what they want to be wrong.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) name: Vec<u8>,
    pub(crate) local_name: Vec<u8>,
    /// The version of the format that a reader needs, in the directory.
    pub(crate) version: u8,
    pub(crate) flags: u16,
    pub(crate) local_flags: u16,
    pub(crate) method: u16,
    pub(crate) local_method: u16,
    pub(crate) crc32: u32,
    pub(crate) local_crc32: u32,
    pub(crate) size: u32,
    pub(crate) local_size: u32,
    pub(crate) compressed_size: u32,
    pub(crate) local_compressed_size: u32,
    pub(crate) attributes: u32,
    pub(crate) extra: Vec<u8>,
    pub(crate) local_extra: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    /// The bytes as they stand in the archive.
    pub(crate) data: Vec<u8>,
    /// What stands after the data.
    pub(crate) after: Vec<u8>,
    /// Where the directory says that the local header is, if that is a lie.
    pub(crate) place: Option<u32>,
}

impl Raw {
    pub(crate) fn new(name: &str, data: &[u8]) -> Self {
        let size = u32::try_from(data.len()).unwrap();
        let crc32 = crc32(data);
        Self {
            name: name.as_bytes().to_vec(),
            local_name: name.as_bytes().to_vec(),
            version: 20,
            flags: 0x800,
            local_flags: 0x800,
            method: 0,
            local_method: 0,
            crc32,
            local_crc32: crc32,
            size,
            local_size: size,
            compressed_size: size,
            local_compressed_size: size,
            attributes: 0o100_644 << 16,
            extra: Vec::new(),
            local_extra: Vec::new(),
            comment: Vec::new(),
            data: data.to_vec(),
            after: Vec::new(),
            place: None,
        }
    }

    /// The same member as a program writes it that cannot go back: sizes in a descriptor after the data.
    pub(crate) fn streamed(mut self, signed: bool, long: bool) -> Self {
        self.flags |= 8;
        self.local_flags |= 8;
        (self.local_crc32, self.local_size, self.local_compressed_size) = (0, 0, 0);
        if signed {
            self.after.extend_from_slice(b"PK\x07\x08");
        }
        self.after.extend_from_slice(&self.crc32.to_le_bytes());
        for size in [self.compressed_size, self.size] {
            if long {
                self.after.extend_from_slice(&u64::from(size).to_le_bytes());
            } else {
                self.after.extend_from_slice(&size.to_le_bytes());
            }
        }
        self
    }

    fn write_local(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"PK\x03\x04\x14\0");
        out.extend_from_slice(&self.local_flags.to_le_bytes());
        out.extend_from_slice(&self.local_method.to_le_bytes());
        out.extend_from_slice(&[0, 0, 0x21, 0]);
        out.extend_from_slice(&self.local_crc32.to_le_bytes());
        out.extend_from_slice(&self.local_compressed_size.to_le_bytes());
        out.extend_from_slice(&self.local_size.to_le_bytes());
        out.extend_from_slice(&length(&self.local_name));
        out.extend_from_slice(&length(&self.local_extra));
        for part in [&self.local_name, &self.local_extra, &self.data, &self.after] {
            out.extend_from_slice(part);
        }
    }

    fn write_central(&self, place: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(b"PK\x01\x02\x14\x03");
        out.extend_from_slice(&[self.version, 0]);
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.extend_from_slice(&self.method.to_le_bytes());
        out.extend_from_slice(&[0, 0, 0x21, 0]);
        out.extend_from_slice(&self.crc32.to_le_bytes());
        out.extend_from_slice(&self.compressed_size.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        out.extend_from_slice(&length(&self.name));
        out.extend_from_slice(&length(&self.extra));
        out.extend_from_slice(&length(&self.comment));
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.attributes.to_le_bytes());
        out.extend_from_slice(&self.place.unwrap_or(place).to_le_bytes());
        for part in [&self.name, &self.extra, &self.comment] {
            out.extend_from_slice(part);
        }
    }
}

fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap().to_le_bytes()
}

/// CRC-32 as zip has it, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
            },
        )
    })
}

/// The parts of an archive, to be joined or to be tampered with.
pub(crate) struct Parts {
    pub(crate) locals: Vec<u8>,
    pub(crate) directory: Vec<u8>,
    pub(crate) count: u16,
}

pub(crate) fn parts(members: &[Raw]) -> Parts {
    let (mut locals, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        member.write_central(u32::try_from(locals.len()).unwrap(), &mut directory);
        member.write_local(&mut locals);
    }
    Parts { locals, directory, count: u16::try_from(members.len()).unwrap() }
}

/// An end record.
pub(crate) fn end(count: u16, size: u32, start: u32, comment: &[u8]) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&length(comment));
    out.extend_from_slice(comment);
    out
}

/// A 64-bit end record and its locator, for a record at `position`.
pub(crate) fn end64(count: u64, size: u64, start: u64, position: u64) -> Vec<u8> {
    let mut out = b"PK\x06\x06".to_vec();
    out.extend_from_slice(&44_u64.to_le_bytes());
    out.extend_from_slice(&[45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for value in [count, count, size, start] {
        out.extend_from_slice(&value.to_le_bytes());
    }
    out.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    out.extend_from_slice(&position.to_le_bytes());
    out.extend_from_slice(&1_u32.to_le_bytes());
    out
}

/// A whole archive.
pub(crate) fn zip(members: &[Raw]) -> Vec<u8> {
    zip_with_comment(members, b"")
}

pub(crate) fn zip_with_comment(members: &[Raw], comment: &[u8]) -> Vec<u8> {
    let Parts { mut locals, directory, count } = parts(members);
    let start = u32::try_from(locals.len()).unwrap();
    locals.extend_from_slice(&directory);
    locals.extend_from_slice(&end(count, u32::try_from(directory.len()).unwrap(), start, comment));
    locals
}

/// Writes an archive into a folder.
pub(crate) fn write(folder: &Path, content: &[u8]) -> PathBuf {
    let path = folder.join("test.zip");
    fs::write_atomic(&path, content).unwrap();
    path
}
