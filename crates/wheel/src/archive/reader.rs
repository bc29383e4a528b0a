//! Reading one open file from several threads.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use virtpy_files::FileExt as _;

/// Large enough that the small members of a wheel share one system call, small enough for a CPU's cache.
const BUFFER: usize = 128 << 10;

/// A reader with a position of its own over a file that others read at the same time: it uses positioned reads,
/// so clones share the handle (nobody can exchange the file in between) but not the position.
#[derive(Debug)]
pub(super) struct PositionedReader {
    file: Arc<File>,
    length: u64,
    position: u64,
    buffer: Vec<u8>,
    /// Where in the file the buffer's first byte stands.
    start: u64,
    filled: usize,
}

impl PositionedReader {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), length, position: 0, buffer: Vec::new(), start: 0, filled: 0 })
    }

    /// The file's size when it was opened, in bytes.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Reads exactly `out.len()` bytes at a place.
    pub(super) fn read_exact_at(&mut self, position: u64, out: &mut [u8]) -> io::Result<()> {
        self.position = position;
        self.read_exact(out)
    }

    fn read_file(&self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read_at(out, self.position) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// The buffered bytes at the position, empty where the buffer does not reach.
    fn buffered(&self) -> &[u8] {
        let skipped = self.position.checked_sub(self.start).and_then(|skipped| usize::try_from(skipped).ok());
        skipped.and_then(|skipped| self.buffer[..self.filled].get(skipped..)).unwrap_or_default()
    }
}

impl Clone for PositionedReader {
    fn clone(&self) -> Self {
        Self {
            file: Arc::clone(&self.file),
            length: self.length,
            position: 0,
            buffer: Vec::new(),
            start: 0,
            filled: 0,
        }
    }
}

impl Read for PositionedReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.buffered().is_empty() {
            if out.len() >= BUFFER {
                let count = self.read_file(out)?;
                self.position += count as u64;
                return Ok(count);
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(BUFFER, 0);
            let result = self.read_file(&mut buffer);
            self.buffer = buffer;
            self.filled = 0;
            self.filled = result?;
            self.start = self.position;
        }
        let available = self.buffered();
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for PositionedReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        // The kernel takes positions as signed numbers.
        self.position = position
            .filter(|position| i64::try_from(*position).is_ok())
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the position is out of range"))?;
        Ok(self.position)
    }
}
