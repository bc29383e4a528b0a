//! Writing members below a folder, in parallel, hashing them on the way.

use std::collections::BTreeSet;
use std::io::{self, Read, Write as _};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use virtpy_files::digest::{HashAlgorithm, Hasher, Sha256};
use virtpy_files::{self as fs, NewFolder, PathError};

use super::whole::WholeReader;
use super::{Archive, Error, Problem, case_collision, name};

/// Files up to this size are written with one system call; it fits a CPU's second cache.
const BUFFER: usize = 512 << 10;
/// A worker takes members until they are this large together, in unpacked bytes…
const BATCH_SIZE: u64 = 2 << 20;
/// …or this many.
const BATCH_MEMBERS: usize = 64;
/// Members of this many bytes are hashed by a thread of their own.
const HASHED_ASIDE: u64 = 8 << 20;
/// What is smaller than this is written without asking whether it fits.
const ROOM_FROM: u64 = 64 << 20;
/// More threads than this wait for the disk.
const MAX_WORKERS: usize = 8;

/// A member and where to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The index in [`Archive::members`].
    pub member: usize,
    /// The path below the destination, with `/` between its parts. It is the caller's, made of checked names.
    pub path: String,
    /// The permission bits of the new file (less the umask).
    pub mode: u32,
    /// A digest to compute besides the SHA-256.
    pub other_digest: Option<HashAlgorithm>,
    /// Words of which it is to be told whether the content has one, so that nobody has to read it again for that.
    pub words: &'static [&'static str],
}

/// What was written for a [`Target`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The SHA-256 of the content.
    pub sha256: [u8; 32],
    /// The other digest, where one was asked for.
    pub other_digest: Option<Vec<u8>>,
    /// Bytes written.
    pub size: u64,
    /// Whether one of the target's words may be in it: always where it has words and is large.
    pub has_word: bool,
}

/// The digests of a file that is being written.
struct Hashing {
    sha256: Sha256,
    other: Option<Hasher>,
}

impl Hashing {
    fn new(other: Option<HashAlgorithm>) -> Self {
        Self { sha256: Sha256::new(), other: other.map(Hasher::new) }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(other) = &mut self.other {
            other.update(bytes);
        }
    }

    /// What was written, of which this is the size.
    fn finish(self, size: u64, has_word: bool) -> Written {
        let other_digest = self.other.map(Hasher::finish);
        Written { sha256: self.sha256.finish(), other_digest, size, has_word }
    }
}

/// What a worker keeps between members.
struct Buffers {
    /// At least [`BUFFER`] long.
    content: Vec<u8>,
    whole: WholeReader,
}

/// What the workers share.
struct Work<'a> {
    destination: NewFolder,
    targets: &'a [Target],
    /// Indices of targets, in the order of the archive.
    order: Vec<usize>,
    batches: Vec<Range<usize>>,
    next: AtomicUsize,
    failed: AtomicBool,
}

impl Archive {
    /// Unpacks members below `destination`, an existing folder that nobody else writes to.
    ///
    /// Each member is decompressed once. The folders that the targets need, and `folders`, are made (mode 0777
    /// less the umask); a file that exists is never opened. The result has one item per target, in their order,
    /// however many threads worked. After an error, part of the files may have been written.
    ///
    /// # Errors
    /// When a member is damaged or breaks the policy, or the disk does not take it.
    ///
    /// # Panics
    /// When a target's member does not exist.
    pub fn unpack(
        &self,
        destination: &Path,
        targets: &[Target],
        folders: &[String],
    ) -> Result<Vec<Written>, Error> {
        self.check_others(targets)?;
        self.check_room(destination, targets)?;
        let made = NewFolder::open(destination)?;
        for folder in folders_of(targets, folders) {
            made.create_dir(folder).map_err(|error| self.failure(destination, targets, error))?;
        }
        let (order, batches) = self.batches(targets);
        let workers = fs::processors().min(MAX_WORKERS).min(batches.len());
        let work = Work {
            destination: made,
            targets,
            order,
            batches,
            next: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
        };
        let work = &work;
        let mut results = if workers <= 1 {
            self.clone().work(work)
        } else {
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..workers)
                    .map(|_| {
                        let mut archive = self.clone();
                        scope.spawn(move || archive.work(work))
                    })
                    .collect();
                threads
                    .into_iter()
                    .flat_map(|thread| match thread.join() {
                        Ok(results) => results,
                        Err(panic) => std::panic::resume_unwind(panic),
                    })
                    .collect()
            })
        };
        results.sort_unstable_by_key(|(target, _)| *target);
        let written: Result<_, Error> = results.into_iter().map(|(_, written)| written).collect();
        written.map_err(|error| match error {
            Error::Path(error) => self.failure(destination, targets, error),
            other => other,
        })
    }

    /// Refuses what would only fill the disk. The directory tells the sizes, and no member may be longer than it says.
    fn check_room(&self, destination: &Path, targets: &[Target]) -> Result<(), Error> {
        let needed =
            targets.iter().map(|target| self.info.members[target.member].size).fold(0, u64::saturating_add);
        // A disk that is nearly full tells so by itself.
        if needed < ROOM_FROM {
            return Ok(());
        }
        let free = fs::free_space(destination)?;
        if needed > free { Err(self.info.refused(Problem::NoRoom { needed, free })) } else { Ok(()) }
    }

    /// Compares the members that are not written with their local headers: a reader that goes by these would see others
    /// there.
    fn check_others(&self, targets: &[Target]) -> Result<(), Error> {
        let mut is_target = vec![false; self.info.members.len()];
        for target in targets {
            is_target[target.member] = true;
        }
        let mut archive = self.clone();
        for index in (0..is_target.len()).filter(|index| !is_target[*index]) {
            let mut content = archive.open_member(index)?;
            let size =
                io::copy(&mut content, &mut io::sink()).map_err(|source| self.info.damaged(index, source))?;
            self.info.check_size(index, size)?;
        }
        Ok(())
    }

    /// What to say when something could not be made: the file system may take two names for one.
    fn failure(&self, destination: &Path, targets: &[Target], error: PathError) -> Error {
        let name = error.path.strip_prefix(destination).ok().and_then(Path::to_str);
        let name = name.filter(|_| error.already_exists());
        let paths = targets.iter().map(|target| target.path.as_str());
        let others = paths.clone().chain(paths.flat_map(name::parents));
        match name.and_then(|name| case_collision::find(destination, name, others)) {
            Some(problem) => self.info.refused(problem),
            None => error.into(),
        }
    }

    /// Orders the targets as their members stand in the file and cuts them into pieces for the workers.
    fn batches(&self, targets: &[Target]) -> (Vec<usize>, Vec<Range<usize>>) {
        let mut order: Vec<usize> = (0..targets.len()).collect();
        order.sort_by_key(|target| self.info.members[targets[*target].member].header);
        let mut batches = Vec::new();
        let (mut start, mut size) = (0, 0);
        for (place, target) in order.iter().enumerate() {
            size += self.info.members[targets[*target].member].size;
            let end = place + 1;
            if size >= BATCH_SIZE || end - start == BATCH_MEMBERS || end == order.len() {
                batches.push(start..end);
                (start, size) = (end, 0);
            }
        }
        (order, batches)
    }

    /// Writes batches until none is left or somebody failed.
    fn work(&mut self, work: &Work<'_>) -> Vec<(usize, Result<Written, Error>)> {
        let mut results = Vec::new();
        let mut buffers = Buffers { content: vec![0; BUFFER], whole: WholeReader::new() };
        while let Some(batch) = work.batches.get(work.next.fetch_add(1, Ordering::Relaxed)) {
            for target in &work.order[batch.clone()] {
                if work.failed.load(Ordering::Relaxed) {
                    return results;
                }
                let result = self.write(&work.destination, &work.targets[*target], &mut buffers);
                let failed = result.is_err();
                results.push((*target, result));
                if failed {
                    work.failed.store(true, Ordering::Relaxed);
                    return results;
                }
            }
        }
        results
    }

    fn write(
        &mut self,
        destination: &NewFolder,
        target: &Target,
        buffers: &mut Buffers,
    ) -> Result<Written, Error> {
        let Buffers { content: buffer, whole } = buffers;
        let mut hashing = Hashing::new(target.other_digest);
        let has_word = |content: &[u8]| {
            target.words.iter().any(|word| memchr::memmem::find(content, word.as_bytes()).is_some())
        };
        if let Some(size) = self.read_whole(target.member, whole, buffer)? {
            let content = &buffer[..size];
            let mut file = destination.create_file(&target.path, target.mode)?;
            file.write_all(content).map_err(|source| wrong_disk(destination, target, source))?;
            hashing.update(content);
            return Ok(hashing.finish(size as u64, has_word(content)));
        }
        let mut found = false;
        let (size, hashing) = if self.info.members[target.member].size >= HASHED_ASIDE {
            self.copy_hashing_aside(destination, target, buffer, hashing)?
        } else {
            let size = self.copy(destination, target, buffer, |buffer, count| {
                hashing.update(&buffer[..count]);
                found = found || has_word(&buffer[..count]);
            })?;
            (size, hashing)
        };
        // A word may lie across the end of a buffer.
        found |= size > BUFFER as u64 && !target.words.is_empty();
        Ok(hashing.finish(size, found))
    }

    /// Copies a member while another thread hashes what was copied: hashing takes about as long as decompressing,
    /// and a wheel may consist of a single large binary.
    fn copy_hashing_aside(
        &mut self,
        destination: &NewFolder,
        target: &Target,
        buffer: &mut Vec<u8>,
        mut hashing: Hashing,
    ) -> Result<(u64, Hashing), Error> {
        std::thread::scope(|scope| {
            let (full, filled) = mpsc::sync_channel::<(Vec<u8>, usize)>(2);
            let (empty, free) = mpsc::channel();
            let hasher = scope.spawn(move || {
                for (buffer, count) in filled {
                    hashing.update(&buffer[..count]);
                    // Nobody wants it back after the last chunk.
                    let _ = empty.send(buffer);
                }
                hashing
            });
            let copied = self.copy(destination, target, buffer, |buffer, count| {
                let next = free.try_recv().unwrap_or_else(|_| vec![0; BUFFER]);
                // The hasher ends only after this closure is gone, unless it panics; then joining it tells.
                let _ = full.send((std::mem::replace(buffer, next), count));
            });
            // The closure held the sending end.
            drop(full);
            match hasher.join() {
                Ok(hashing) => Ok((copied?, hashing)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// Writes a member to a new file and passes each filled buffer on, with the number of bytes in it, after
    /// writing them. The buffer may be exchanged for another of its length.
    fn copy(
        &mut self,
        destination: &NewFolder,
        target: &Target,
        buffer: &mut Vec<u8>,
        mut pass_on: impl FnMut(&mut Vec<u8>, usize),
    ) -> Result<u64, Error> {
        let info = Arc::clone(&self.info);
        let mut content = self.open_member(target.member)?;
        let mut file = None;
        let mut size = 0;
        loop {
            let count = fill(&mut content, buffer).map_err(|source| info.damaged(target.member, source))?;
            if file.is_some() && count == 0 {
                break;
            }
            // Only now: what cannot be decompressed at all leaves no file.
            let open = match &mut file {
                Some(open) => open,
                none => none.insert(destination.create_file(&target.path, target.mode)?),
            };
            let written = open.write_all(&buffer[..count]);
            written.map_err(|source| wrong_disk(destination, target, source))?;
            size += count as u64;
            let ended = count < buffer.len();
            pass_on(buffer, count);
            if ended {
                break;
            }
        }
        info.check_size(target.member, size)?;
        Ok(size)
    }
}

/// That the disk did not take a file's content.
fn wrong_disk(destination: &NewFolder, target: &Target, source: io::Error) -> PathError {
    PathError { action: "write", path: destination.path().join(&target.path), source }
}

/// Every folder that targets need and that is asked for, parents first.
pub fn folders_of<'a>(targets: &'a [Target], folders: &'a [String]) -> BTreeSet<&'a str> {
    let mut needed: BTreeSet<&str> = folders.iter().map(String::as_str).collect();
    for path in targets.iter().map(|target| target.path.as_str()).chain(folders.iter().map(String::as_str)) {
        let _first_known = name::parents(path).find(|folder| !needed.insert(folder));
    }
    // A folder's name is a prefix of what is in it, so it sorts first.
    needed
}

/// Reads until the buffer is full or the content ends.
fn fill(content: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match content.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
