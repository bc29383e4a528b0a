//! The few byte formats that the fixtures need: digests, and a gzipped tar archive without compression.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// `bytes` in lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `bytes` in the URL-safe base 64 without padding that RECORD uses.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_usize, |sum, at| (sum << 8) | usize::from(*chunk.get(at).unwrap_or(&0)));
        for digit in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(group >> (18 - 6 * digit)) & 63]));
        }
    }
    text
}

/// A member of a tar archive.
pub(crate) struct TarMember {
    /// The path inside the archive.
    pub(crate) path: String,
    /// The permission bits.
    pub(crate) mode: u32,
    /// A regular file's bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Packs `members` as a `.tar.gz` whose deflate blocks are stored.
pub(crate) fn tar_gz(members: &[TarMember]) -> Vec<u8> {
    let mut tar = Vec::new();
    for member in members {
        tar.extend(tar_header(member));
        tar.extend(&member.bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    gzip_stored(&tar)
}

fn tar_header(member: &TarMember) -> [u8; 512] {
    let mut header = [0_u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    assert!(member.path.len() < 100, "the fixture's paths fit the classic header");
    put(0, &member.path);
    put(100, &format!("{:07o}", member.mode));
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", member.bytes.len()));
    put(136, "14000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn gzip_stored(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks: Vec<&[u8]> = bytes.chunks(0xffff).collect();
    for (at, block) in blocks.iter().enumerate() {
        let length = u16::try_from(block.len()).expect("a chunk is at most 65,535 bytes long");
        packed.push(u8::from(at + 1 == blocks.len()));
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(*block);
    }
    packed.extend(crc32(bytes).to_le_bytes());
    packed.extend(u32::try_from(bytes.len()).expect("the fixtures are small").to_le_bytes());
    packed
}

/// The CRC-32 of `bytes` as gzip and zip use it.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            },
        )
    })
}
