//! The members of a tar archive, one after the other, each put together from its header and what extends it.
//!
//! What a member is called may stand in five places, and readers differ in which of them they believe. Here the
//! places may not contradict each other; extensions of both families in one archive are refused altogether.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

use super::extended::{self, Records};
use super::header::{BLOCK, Family, Header};
use crate::archive::zip_structure::{Failure, lossy};
use crate::archive::{Limits, Problem};

/// Names and extended headers are far smaller.
const MAX_EXTENSION: u64 = 1 << 20;

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name as it stands there, unchecked.
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File {
        size: u64,
        executable: bool,
    },
    Folder,
    /// The text of a symbolic link, unchecked.
    Link(Vec<u8>),
    /// The name of another member, unchecked.
    HardLink(Vec<u8>),
}

/// What was said ahead about the next member.
#[derive(Debug, Default)]
struct Ahead {
    records: Option<Records>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

/// Reads members from a stream that is decompressed already.
pub(super) struct Entries<'a, R> {
    reader: R,
    limits: &'a Limits,
    /// How many bytes of the archive there are, so far, to be compared with what comes out of it.
    archive_size: &'a AtomicU64,
    /// Bytes that came out so far.
    read: u64,
    headers: u64,
    family: Option<Family>,
}

impl<'a, R: Read> Entries<'a, R> {
    pub(super) const fn new(reader: R, archive_size: &'a AtomicU64, limits: &'a Limits) -> Self {
        Self { reader, limits, archive_size, read: 0, headers: 0, family: None }
    }

    /// The next member, or `None` after the last, when the stream was read to its end. The data of a file must be read
    /// before the next call, by [`Self::read_data`] and then [`Self::end_data`].
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Failure> {
        let mut ahead = Ahead::default();
        loop {
            let Some(header) = self.header()? else {
                if ahead.is_empty() {
                    return self.finish().map(|()| None);
                }
                return Err(Problem::Unsound("an extended header extends nothing").into());
            };
            let slot = match header.kind {
                b'g' => {
                    let records = extended::parse(&self.extension(&header)?)?;
                    if !ahead.is_empty() || records != Records::default() {
                        return Err(Problem::Unsound("a global header names or resizes all members").into());
                    }
                    continue;
                }
                b'x' => {
                    let records = extended::parse(&self.extension(&header)?)?;
                    if ahead.records.replace(records).is_some() {
                        return Err(TWICE.into());
                    }
                    continue;
                }
                b'L' => &mut ahead.name,
                b'K' => &mut ahead.link,
                _ => return Ok(Some(entry(&header, ahead)?)),
            };
            let text = self.extension(&header)?;
            let text = text.strip_suffix(b"\0").unwrap_or(&text);
            if text.is_empty() || text.contains(&0) {
                return Err(Problem::Unsound("a header has a name with a NUL in it").into());
            }
            if slot.replace(text.to_vec()).is_some() {
                return Err(TWICE.into());
            }
        }
    }

    /// Reads exactly as much of a file's data as fits.
    pub(super) fn read_data(&mut self, out: &mut [u8]) -> Result<(), Failure> {
        self.reader.read_exact(out)?;
        self.account(out.len() as u64)
    }

    /// Reads what fills the last block of a file's data.
    pub(super) fn end_data(&mut self, size: u64) -> Result<(), Failure> {
        let mut padding = [0; BLOCK];
        let used = size % BLOCK as u64;
        if used == 0 {
            return Ok(());
        }
        // Less than a block.
        let padding = &mut padding[usize::try_from(used).unwrap_or_default()..];
        self.read_data(padding)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Problem::Unsound("it has data between its members").into());
        }
        Ok(())
    }

    /// The next header, or `None` for a block of zeros.
    fn header(&mut self) -> Result<Option<Header>, Failure> {
        let mut block = [0; BLOCK];
        self.read_data(&mut block)?;
        if block == [0; BLOCK] {
            return Ok(None);
        }
        self.headers += 1;
        if self.headers > self.limits.members {
            return Err(Problem::TooMany(self.limits.members).into());
        }
        let header = Header::parse(&block)?;
        let needed = match header.kind {
            b'x' | b'g' => Family::Posix,
            b'L' | b'K' => Family::Gnu,
            _ => header.family,
        };
        if needed != header.family || self.family.is_some_and(|family| family != header.family) {
            return Err(Problem::Unsound("it mixes the formats of GNU and POSIX").into());
        }
        self.family = Some(header.family);
        Ok(Some(header))
    }

    /// The data of an extension.
    fn extension(&mut self, header: &Header) -> Result<Vec<u8>, Failure> {
        if header.size > MAX_EXTENSION {
            return Err(Problem::TooLarge { name: lossy(&header.name), limit: MAX_EXTENSION }.into());
        }
        let mut content = vec![0; usize::try_from(header.size).unwrap_or_default()];
        self.read_data(&mut content)?;
        self.end_data(header.size)?;
        Ok(content)
    }

    /// After the first block of zeros: one more, and nothing but zeros to the end.
    fn finish(&mut self) -> Result<(), Failure> {
        let mut block = [0; BLOCK];
        self.read_data(&mut block)?;
        let mut rest = vec![0; 64 << 10];
        let mut count = 0;
        loop {
            if block.iter().chain(&rest[..count]).any(|byte| *byte != 0) {
                return Err(Problem::TrailingData.into());
            }
            count = match self.reader.read(&mut rest) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => 0,
                Err(error) => return Err(error.into()),
            };
            self.account(count as u64)?;
        }
    }

    /// Counts what came out of the archive, whether members or padding.
    fn account(&mut self, count: u64) -> Result<(), Failure> {
        self.read = self.read.saturating_add(count);
        if self.read <= self.limits.ratio_from {
            return Ok(());
        }
        if self.read / self.archive_size.load(Ordering::Relaxed).max(1) >= self.limits.ratio {
            return Err(Problem::Bomb(self.limits.ratio).into());
        }
        Ok(())
    }
}

const TWICE: Problem = Problem::Unsound("a member is described twice");

impl Ahead {
    const fn is_empty(&self) -> bool {
        self.records.is_none() && self.name.is_none() && self.link.is_none()
    }
}

/// Puts a member together.
fn entry(header: &Header, ahead: Ahead) -> Result<Entry, Problem> {
    let short = header.path();
    let records = ahead.records.unwrap_or_default();
    let differs = |field| Problem::HeadersDiffer { name: lossy(&short), field };
    // Either extension is for names that do not fit; GNU tar cuts them off, others make up something short.
    if ahead.name.as_ref().is_some_and(|long| !long.starts_with(&header.name))
        || records.path.as_ref().is_some_and(|path| !header.prefix.is_empty() && *path != short)
    {
        return Err(differs("name"));
    }
    if ahead.link.as_ref().is_some_and(|long| !long.starts_with(&header.link)) {
        return Err(differs("target"));
    }
    if records.size.is_some_and(|size| size != header.size) {
        return Err(differs("size"));
    }
    let has_target = ahead.link.is_some() || records.link.is_some() || !header.link.is_empty();
    let name = ahead.name.or(records.path).unwrap_or_else(|| short.clone());
    let target =
        || ahead.link.clone().or_else(|| records.link.clone()).unwrap_or_else(|| header.link.clone());
    let special = |kind: &str| Err(Problem::Special { name: lossy(&name), kind: kind.to_owned() });
    let kind = match header.kind {
        b'0' | 0 => Kind::File { size: header.size, executable: header.mode & 0o111 != 0 },
        b'1' => Kind::HardLink(target()),
        b'2' => Kind::Link(target()),
        b'5' => Kind::Folder,
        b'3' | b'4' => return special("a device"),
        b'6' => return special("a pipe"),
        b'S' => return special("a sparse file"),
        other => return special(&format!("of the unknown type `{}`", other.escape_ascii())),
    };
    let is_file = matches!(kind, Kind::File { .. });
    if header.size != 0 && !is_file {
        return Err(Problem::Unsound("a link or a folder has content"));
    }
    if has_target && matches!(kind, Kind::File { .. } | Kind::Folder) {
        return Err(Problem::Unsound("something that is not a link has a target"));
    }
    Ok(Entry { name, kind })
}
