//! Unpacking tar archives, compressed or not.
//!
//! The same policy as for zip archives, with one difference: what is distributed as a tar archive (interpreters) has
//! symbolic and hard links. They are allowed as far as they stay inside, and made last. The format has as many
//! dialects as it has writers; accepted are POSIX (ustar, pax) and GNU, in so far as every reader understands them
//! the same way.

mod entries;
mod extended;
mod header;
mod read_ahead;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tree;

use std::io::{BufReader, Read, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use virtpy_files::{self as fs, IoResultExt as _};

use self::entries::{Entries, Kind};
use self::tree::{Stop, Tree};
use super::zip_structure::Failure;
use super::{Error, Limits, Problem};

/// How much is copied at once.
const BUFFER: usize = 256 << 10;

/// Files of this many bytes begin to reach the disk as soon as they are complete.
const LARGE: u64 = 256 << 10;

/// How a tar archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// bzip2.
    Bzip2,
    /// Zstandard (RFC 8878).
    Zstandard,
}

impl Compression {
    /// The compression that a file name tells of; `None` where it is no name of a tar archive.
    pub fn of_file_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".tar"]) {
            Some(Self::None)
        } else if ends(&[".tar.gz", ".tgz"]) {
            Some(Self::Gzip)
        } else if ends(&[".bz2", ".tbz2"]) {
            Some(Self::Bzip2)
        } else if ends(&[".tar.zst", ".tar.zstd"]) {
            Some(Self::Zstandard)
        } else {
            None
        }
    }
}

/// What was unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpacked {
    /// Members that are no folders.
    pub files: u64,
    /// How many of these are links of either kind.
    pub links: u64,
    /// Bytes of all regular files.
    pub size: u64,
}

/// Unpacks all members of the archive at `path` below `destination`, an existing, empty folder that nobody else
/// writes to. `name` is what messages call the archive.
///
/// Files get the mode 0755 or 0644, folders 0777, less the umask; owners, times and every other bit are not taken
/// over. After an error, part of the members may be there: the caller throws the folder away.
///
/// # Errors
/// When the archive is cut off or damaged, has more than one reading, or breaks the policy or a limit, or the disk
/// does not take it.
pub fn unpack(
    path: &Path,
    name: &str,
    compression: Compression,
    destination: &Path,
    limits: &Limits,
) -> Result<Unpacked, Error> {
    let archive = fs::open(path)?;
    let size = AtomicU64::new(archive.metadata().at("look at", path)?.len());
    Source { archive, size: &size, name, compression }.unpack(destination, limits)
}

/// Unpacks an archive that is still being received: what is there is unpacked while the rest is under way.
///
/// # Errors
/// As [`unpack`]. The stream need not have been read to its end then.
pub fn unpack_stream(
    stream: impl Read + Send,
    name: &str,
    compression: Compression,
    destination: &Path,
    limits: &Limits,
) -> Result<Unpacked, Error> {
    let size = AtomicU64::new(0);
    let archive = Counted { stream, count: &size };
    Source { archive, size: &size, name, compression }.unpack(destination, limits)
}

/// Counts what was read.
struct Counted<'a, R> {
    stream: R,
    count: &'a AtomicU64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// An archive, and what is known of it.
struct Source<'a, R> {
    archive: R,
    size: &'a AtomicU64,
    name: &'a str,
    compression: Compression,
}

impl<R: Read + Send> Source<'_, R> {
    fn unpack(self, destination: &Path, limits: &Limits) -> Result<Unpacked, Error> {
        let Self { archive, size, name, compression } = self;
        let damaged = |source| Error::Compression { file: name.to_owned(), source };
        let reader = decompressed(archive, compression).map_err(damaged)?;
        let unpacked = read_ahead::read_ahead(reader, |reader| {
            let mut entries = Entries::new(reader, size, limits);
            let mut tree = Tree::new(destination, limits);
            unpack_members(&mut entries, &mut tree, destination, limits)
        });
        unpacked.map_err(|stop| match stop {
            Halt::Failure(Failure::Problem(problem)) | Halt::Stop(Stop::Refused(problem)) => {
                Error::Refused { file: name.to_owned(), problem }
            }
            Halt::Failure(Failure::Io(source)) => damaged(source),
            Halt::Stop(Stop::Other(error)) => error,
        })
    }
}

fn decompressed<'a>(
    archive: impl Read + Send + 'a,
    compression: Compression,
) -> std::io::Result<Box<dyn Read + Send + 'a>> {
    let archive = BufReader::with_capacity(BUFFER, archive);
    Ok(match compression {
        Compression::None => Box::new(archive),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(archive)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(archive)),
        Compression::Zstandard => Box::new(zstd::stream::read::Decoder::with_buffer(archive)?),
    })
}

/// Why unpacking ends early: reading failed, or placing did.
enum Halt {
    Failure(Failure),
    Stop(Stop),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

fn unpack_members<R: Read>(
    entries: &mut Entries<'_, R>,
    tree: &mut Tree<'_>,
    destination: &Path,
    limits: &Limits,
) -> Result<Unpacked, Halt> {
    let mut total: u64 = 0;
    let mut buffer = vec![0; BUFFER];
    while let Some(entry) = entries.next()? {
        match entry.kind {
            Kind::Folder => tree.folder(&entry.name)?,
            Kind::Link(target) => tree.link(&entry.name, &target)?,
            Kind::HardLink(target) => tree.hard_link(&entry.name, &target)?,
            Kind::File { size, executable } => {
                let name = tree.file(&entry.name)?;
                total = total.saturating_add(size);
                if total > limits.unpacked_size {
                    let problem = Problem::TooLarge { name, limit: limits.unpacked_size };
                    return Err(Stop::Refused(problem).into());
                }
                let path = destination.join(&name);
                let mode = if executable { 0o755 } else { 0o644 };
                let mut file = fs::create_new(&path, mode).map_err(|error| tree.failure(&name, error))?;
                let mut rest = size;
                while rest > 0 {
                    let count = usize::try_from(rest).unwrap_or(BUFFER).min(BUFFER);
                    entries.read_data(&mut buffer[..count])?;
                    file.write_all(&buffer[..count])
                        .at("write", &path)
                        .map_err(|error| Stop::Other(error.into()))?;
                    rest -= count as u64;
                }
                entries.end_data(size)?;
                if size >= LARGE {
                    fs::begin_writing_back(&file);
                }
            }
        }
    }
    tree.make_links()?;
    let (files, links) = tree.counts();
    Ok(Unpacked { files, links, size: total })
}
