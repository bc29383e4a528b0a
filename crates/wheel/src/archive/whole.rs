//! Members that are read in one piece: nearly all files of a wheel are small, and a decompressor that sees the whole input
//! and the whole output at once needs two thirds of the time of one that is fed.

use libdeflater::Decompressor;

use super::reader::PositionedReader;

/// Members up to this size, packed and unpacked, are read in one piece: so much memory each worker may take twice.
const LARGEST: u64 = 4 << 20;

/// What a worker keeps between members.
pub(super) struct WholeReader {
    decompressor: Decompressor,
    packed: Vec<u8>,
}

/// Where a member's data stands, and what it is to become.
pub(super) struct Data {
    /// Where in the file it begins.
    pub(super) start: u64,
    /// Its length in the file, in bytes.
    pub(super) packed_size: u64,
    /// Its length, in bytes.
    pub(super) size: u64,
    /// The CRC-32 of its content.
    pub(super) crc32: u32,
    /// Whether it is compressed by deflate; it stands there as it is otherwise.
    pub(super) deflated: bool,
}

impl Data {
    /// Whether the member is small enough.
    pub(super) fn fits(&self) -> bool {
        self.size <= LARGEST && self.packed_size <= LARGEST
    }
}

impl WholeReader {
    pub(super) fn new() -> Self {
        Self { decompressor: Decompressor::new(), packed: Vec::new() }
    }

    /// Reads a member that [fits](Data::fits) into the start of `buffer`, which grows for it, and returns its length. `None`
    /// where anything is wrong: reading it piece by piece finds that again, and can say what.
    pub(super) fn read(
        &mut self,
        reader: &mut PositionedReader,
        data: &Data,
        buffer: &mut Vec<u8>,
    ) -> Option<usize> {
        let (size, packed_size) = (usize::try_from(data.size).ok()?, usize::try_from(data.packed_size).ok()?);
        if buffer.len() < size {
            buffer.resize(size, 0);
        }
        let content = &mut buffer[..size];
        if data.deflated {
            if self.packed.len() < packed_size {
                self.packed.resize(packed_size, 0);
            }
            let packed = &mut self.packed[..packed_size];
            reader.read_exact_at(data.start, packed).ok()?;
            if self.decompressor.deflate_decompress(packed, content).ok()? != size {
                return None;
            }
        } else {
            if packed_size != size {
                return None;
            }
            reader.read_exact_at(data.start, content).ok()?;
        }
        (crc32fast::hash(content) == data.crc32).then_some(size)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    /// What is read of a file with three bytes before the data, which is to become `content`.
    fn read(packed: &[u8], content: &[u8], deflated: bool) -> Option<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abc").unwrap();
        file.write_all(packed).unwrap();
        let mut reader = PositionedReader::new(file).unwrap();
        let (size, packed_size) = (content.len() as u64, packed.len() as u64);
        let data = Data { start: 3, packed_size, size, crc32: crc32fast::hash(content), deflated };
        assert!(data.fits());
        let (mut whole, mut buffer) = (WholeReader::new(), vec![7; 4]);
        // A second time with what the first has left.
        whole.read(&mut reader, &data, &mut buffer);
        whole.read(&mut reader, &data, &mut buffer).map(|count| buffer[..count].to_vec())
    }

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn reads_what_is_there() {
        for length in [0, 1, 5, 70_000] {
            let content: Vec<u8> = (0..length).map(|at: u32| u8::try_from(at % 251).unwrap()).collect();
            assert_eq!(read(&packed(&content), &content, true), Some(content.clone()));
            assert_eq!(read(&content, &content, false), Some(content));
        }
    }

    #[test]
    fn leaves_what_is_wrong() {
        let content = b"some content, some content, some content";
        let whole = packed(content);
        assert_eq!(read(&whole, &content[1..], true), None, "longer than declared");
        assert_eq!(read(&whole, b"some content, some content, some content!", true), None, "shorter");
        assert_eq!(read(&whole, b"some content, some content, some conTent", true), None, "another checksum");
        assert_eq!(read(&whole[..whole.len() - 2], content, true), None, "cut off");
        assert_eq!(read(b"\xff\xff", content, true), None, "not compressed");
        assert_eq!(read(&content[1..], content, false), None, "another length");
    }
}
