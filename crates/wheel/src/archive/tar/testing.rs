//! Tar archives made byte by byte, so that tests can lie in every field.

use std::io::Write as _;

/// One header with its data. `new` makes a sound one; tests change what they want to be wrong.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) name: Vec<u8>,
    pub(crate) mode: Vec<u8>,
    pub(crate) size: Vec<u8>,
    pub(crate) kind: u8,
    pub(crate) link: Vec<u8>,
    pub(crate) identity: Vec<u8>,
    pub(crate) prefix: Vec<u8>,
    pub(crate) data: Vec<u8>,
    /// What fills the last block.
    pub(crate) padding: u8,
    /// What is added to the right checksum.
    pub(crate) checksum_error: u32,
}

pub(crate) const POSIX: &[u8] = b"ustar\x0000";
pub(crate) const GNU: &[u8] = b"ustar  \0";

impl Raw {
    pub(crate) fn new(kind: u8, name: &str, data: &[u8]) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            mode: b"0000644\0".to_vec(),
            size: format!("{:011o}\0", data.len()).into_bytes(),
            kind,
            link: Vec::new(),
            identity: POSIX.to_vec(),
            prefix: Vec::new(),
            data: data.to_vec(),
            padding: 0,
            checksum_error: 0,
        }
    }

    pub(crate) fn file(name: &str, data: &[u8]) -> Self {
        Self::new(b'0', name, data)
    }

    pub(crate) fn folder(name: &str) -> Self {
        Self::new(b'5', name, b"")
    }

    pub(crate) fn link(name: &str, target: &str) -> Self {
        Self { link: target.as_bytes().to_vec(), ..Self::new(b'2', name, b"") }
    }

    pub(crate) fn hard_link(name: &str, target: &str) -> Self {
        Self { link: target.as_bytes().to_vec(), ..Self::new(b'1', name, b"") }
    }

    /// An extended header of pax with these records.
    pub(crate) fn pax(records: &[(&str, &str)]) -> Self {
        let content: String = records.iter().map(|(key, value)| record(key, value)).collect();
        Self::new(b'x', "PaxHeaders/x", content.as_bytes())
    }

    /// A long name (`L`) or target (`K`) of GNU tar.
    pub(crate) fn long(kind: u8, text: &str) -> Self {
        Self::new(kind, "././@LongLink", format!("{text}\0").as_bytes()).gnu()
    }

    pub(crate) fn gnu(self) -> Self {
        Self { identity: GNU.to_vec(), ..self }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut block = [0_u8; 512];
        let fields: [(usize, &[u8]); 9] = [
            (0, &self.name),
            (100, &self.mode),
            (108, b"0000000\0"),
            (116, b"0000000\0"),
            (124, &self.size),
            (136, b"00000000000\0"),
            (157, &self.link),
            (257, &self.identity),
            (345, &self.prefix),
        ];
        for (place, field) in fields {
            block[place..place + field.len()].copy_from_slice(field);
        }
        block[156] = self.kind;
        block[148..156].fill(b' ');
        let sum = block.iter().map(|byte| u32::from(*byte)).sum::<u32>() + self.checksum_error;
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&block);
        out.extend_from_slice(&self.data);
        out.resize(out.len().next_multiple_of(512), self.padding);
    }
}

/// A record of an extended header, its length counted as the length demands.
pub(crate) fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

/// The members without an end.
pub(crate) fn open(members: &[Raw]) -> Vec<u8> {
    let mut out = Vec::new();
    for member in members {
        member.write(&mut out);
    }
    out
}

/// A whole archive.
pub(crate) fn tar(members: &[Raw]) -> Vec<u8> {
    [open(members), vec![0; 1024]].concat()
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn zstandard(content: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(content, 1).unwrap()
}
