//! Decompressing on a thread of its own, while what came out before is written to the disk.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// How much is handed over at once.
const CHUNK: usize = 256 << 10;

/// How many chunks may wait: the memory that a fast decompression may take.
const WAITING: usize = 8;

/// A piece of what was read.
struct Chunk {
    bytes: Vec<u8>,
    /// How many of them count.
    length: usize,
}

/// What is read ahead on the other thread.
pub(super) struct Ahead {
    filled: Receiver<io::Result<Chunk>>,
    /// Where chunks go back to that were used.
    used: Sender<Vec<u8>>,
    chunk: Chunk,
    position: usize,
}

/// Calls `work` with a reader of what `reader` gives, which is read on another thread. That thread ends with `work`.
pub(super) fn read_ahead<T>(reader: impl Read + Send, work: impl FnOnce(Ahead) -> T) -> T {
    std::thread::scope(|scope| {
        let (full, filled) = sync_channel(WAITING);
        let (used, free) = channel();
        scope.spawn(move || fill_all(reader, &full, &free));
        work(Ahead { filled, used, chunk: Chunk { bytes: Vec::new(), length: 0 }, position: 0 })
    })
}

/// Reads to the end, to an error, or until nobody wants more.
fn fill_all(mut reader: impl Read, full: &SyncSender<io::Result<Chunk>>, free: &Receiver<Vec<u8>>) {
    loop {
        // Used ones are taken again: the system gives new memory page by page.
        let mut bytes = free.try_recv().unwrap_or_else(|_| vec![0; CHUNK]);
        let (length, error) = fill(&mut reader, &mut bytes);
        let has_ended = length < bytes.len();
        if length > 0 && full.send(Ok(Chunk { bytes, length })).is_err() {
            return;
        }
        if let Some(error) = error {
            // If nobody wants to hear it, nobody needs to.
            let _ = full.send(Err(error));
        }
        if has_ended {
            return;
        }
    }
}

/// Reads until the buffer is full, the end comes, or an error. Returns how much there is, and the error.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.chunk.length {
            self.position = 0;
            // The other thread came to the end where nothing more is sent.
            let next = self.filled.recv().unwrap_or(Ok(Chunk { bytes: Vec::new(), length: 0 }));
            let next = next.inspect_err(|_| self.chunk.length = 0)?;
            let used = std::mem::replace(&mut self.chunk, next);
            if !used.bytes.is_empty() {
                // After the end nobody takes it.
                let _ = self.used.send(used.bytes);
            }
        }
        let rest = &self.chunk.bytes[self.position..self.chunk.length];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_come_through() {
        let content: Vec<u8> = (0..CHUNK * 20 + 3).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let read = read_ahead(content.as_slice(), |mut ahead| {
            let mut read = Vec::new();
            ahead.read_to_end(&mut read).unwrap();
            read
        });
        assert_eq!(read, content);
    }

    #[test]
    fn who_stops_early_is_not_waited_for_and_errors_arrive() {
        let first = read_ahead(io::repeat(7), |mut ahead| {
            let mut byte = [0];
            ahead.read_exact(&mut byte).unwrap();
            byte[0]
        });
        assert_eq!(first, 7);
        let failing = [1_u8, 2].as_slice().chain(Failing);
        let error = read_ahead(failing, |mut ahead| ahead.read_to_end(&mut Vec::new()).unwrap_err());
        assert_eq!(error.to_string(), "on purpose");
    }

    struct Failing;

    impl Read for Failing {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("on purpose"))
        }
    }
}
