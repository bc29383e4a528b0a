//! Decompressing on a thread of its own, while what came out before is written to the disk.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How much is handed over at once.
const CHUNK: usize = 256 << 10;

/// How many chunks may wait: the memory that a fast decompression may take.
const WAITING: usize = 8;

/// What is read ahead on the other thread.
pub(super) struct Ahead {
    filled: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    position: usize,
}

/// Calls `work` with a reader of what `reader` gives, which is read on another thread. That thread ends with `work`.
pub(super) fn read_ahead<T>(reader: impl Read + Send, work: impl FnOnce(Ahead) -> T) -> T {
    std::thread::scope(|scope| {
        let (full, filled) = sync_channel(WAITING);
        scope.spawn(move || fill(reader, &full));
        work(Ahead { filled, chunk: Vec::new(), position: 0 })
    })
}

/// Reads to the end, to an error, or until nobody wants more.
fn fill(mut reader: impl Read, full: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = match reader.read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => {
                chunk.truncate(count);
                Ok(chunk)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if full.send(read).is_err() || failed {
            return;
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.chunk.len() {
            self.position = 0;
            self.chunk = match self.filled.recv() {
                Ok(read) => read.inspect_err(|_| self.chunk.clear())?,
                // The other thread came to the end.
                Err(_) => Vec::new(),
            };
        }
        let rest = &self.chunk[self.position..];
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
