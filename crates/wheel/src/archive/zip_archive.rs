//! An opened archive whose central directory keeps the policy.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use virtpy_files::{self as fs, IoResultExt as _, PathError};
use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};

use super::reader::PositionedReader;
use super::whole::{Data, WholeReader};
use super::zip_structure::{self, CentralHeader, Directory, Expected, Failure, lossy};
use super::{Error, Limits, Problem, name};

/// The kind of a file in Unix mode bits.
const MODE_KIND: u32 = 0o170_000;
const MODE_FOLDER: u32 = 0o040_000;
const MODE_FILE: u32 = 0o100_000;

/// The methods of compression that wheels use (APPNOTE.TXT 4.4.5).
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// One member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The checked name: relative, parts separated by `/`, none at the end.
    pub name: String,
    /// Whether it is a folder (its name ended in `/`).
    pub is_folder: bool,
    /// Unpacked size in bytes. Reading fails if the data is of another length.
    pub size: u64,
    /// Whether any execution bit is set.
    pub executable: bool,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// Where the local header begins.
    pub(super) header: u64,
    /// Where whatever follows the member begins.
    pub(super) next: u64,
}

/// A zip archive on disk.
///
/// Clones share the open file, and each may be read in a thread of its own.
#[derive(Debug, Clone)]
pub struct Archive {
    pub(super) info: Arc<ArchiveInfo>,
    zip: ZipArchive<PositionedReader>,
    checker: PositionedReader,
}

/// What all clones of an archive share.
#[derive(Debug)]
pub(super) struct ArchiveInfo {
    path: PathBuf,
    name: String,
    limits: Limits,
    pub(super) members: Vec<Member>,
}

impl Archive {
    /// Opens an archive and checks its info and all names, kinds and declared sizes. `name` is what messages call
    /// it: a download may still have a temporary name on the disk.
    ///
    /// # Errors
    /// When the file cannot be read, is cut off, has more than one reading, or breaks the policy or a limit.
    pub fn open(path: &Path, name: &str, limits: &Limits) -> Result<Self, Error> {
        let mut info = ArchiveInfo {
            path: path.to_path_buf(),
            name: name.to_owned(),
            limits: limits.clone(),
            members: Vec::new(),
        };
        let file = fs::open(path)?;
        let mut reader = PositionedReader::new(file).at("read", path)?;
        let directory =
            zip_structure::read_directory(&mut reader, limits).map_err(|failure| info.failed(failure))?;
        if directory.headers.is_empty() {
            return Err(info.refused(Problem::Unsound("it is empty")));
        }
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let zip = ZipArchive::with_config(config, reader.clone())
            .map_err(|source| Error::Zip { file: name.to_owned(), source })?;
        let members = members(&zip, &directory).map_err(|problem| info.refused(problem))?;
        check_tree(&members, limits).map_err(|problem| info.refused(problem))?;
        check_sizes(&members, limits).map_err(|problem| info.refused(problem))?;
        info.members = members;
        Ok(Self { info: Arc::new(info), zip, checker: reader })
    }

    /// The members, in the order of the central directory.
    pub fn members(&self) -> &[Member] {
        &self.info.members
    }

    /// Reads a small member into memory.
    ///
    /// # Errors
    /// When the member is larger than [`Limits::in_memory`], damaged, or not what its local header says.
    ///
    /// # Panics
    /// When there is no member with this index.
    pub fn read(&mut self, index: usize) -> Result<Vec<u8>, Error> {
        let info = Arc::clone(&self.info);
        let member = &info.members[index];
        let limit = info.limits.in_memory;
        if member.size > limit {
            return Err(info.refused(Problem::TooLarge { name: member.name.clone(), limit }));
        }
        // The declared size may lie: it only bounds the first allocation.
        let mut content = Vec::with_capacity(usize::try_from(member.size.min(1 << 20)).unwrap_or_default());
        self.open_member(index)?
            .take(member.size + 1)
            .read_to_end(&mut content)
            .map_err(|source| info.damaged(index, source))?;
        info.check_size(index, content.len() as u64)?;
        Ok(content)
    }

    /// Opens a member's data after comparing its local header with the directory. The reader checks the CRC-32
    /// when it reaches the end, and fails as soon as the data is longer than declared.
    pub(super) fn open_member(&mut self, index: usize) -> Result<impl std::io::Read, Error> {
        self.check_member(index)?;
        let unusable = |source| Error::Zip { file: self.info.name.clone(), source };
        self.zip.by_index(index).map_err(unusable)
    }

    /// Reads a member into the start of `buffer`, in one piece, after comparing its local header with the directory, and
    /// returns its length. `None` where it is too large for that, or its data is not what the directory says.
    pub(super) fn read_whole(
        &mut self,
        index: usize,
        reader: &mut WholeReader,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<usize>, Error> {
        let data = self.check_member(index)?;
        Ok(if data.fits() { reader.read(&mut self.checker, &data, buffer) } else { None })
    }

    /// Compares a member's local header with the directory; returns where its data is.
    fn check_member(&mut self, index: usize) -> Result<Data, Error> {
        let info = &self.info;
        let member = &info.members[index];
        let unusable = |source| Error::Zip { file: info.name.clone(), source };
        let entry = self.zip.by_index_data(index).map_err(unusable)?;
        let expected = Expected {
            name: entry.name_raw(),
            flags: member.flags,
            method: member.method,
            crc32: entry.crc32(),
            compressed_size: entry.compressed_size(),
            size: member.size,
            header: member.header,
            next: member.next,
        };
        let start = zip_structure::check_local(&mut self.checker, &expected)
            .map_err(|failure| info.failed(failure))?;
        Ok(Data {
            start,
            packed_size: expected.compressed_size,
            size: expected.size,
            crc32: expected.crc32,
            deflated: expected.method == DEFLATED,
        })
    }
}

impl ArchiveInfo {
    pub(super) fn refused(&self, problem: Problem) -> Error {
        Error::Refused { file: self.name.clone(), problem }
    }

    fn failed(&self, failure: Failure) -> Error {
        match failure {
            Failure::Problem(problem) => self.refused(problem),
            Failure::Io(source) => PathError { action: "read", path: self.path.clone(), source }.into(),
        }
    }

    /// The error for a member whose data could not be decompressed.
    pub(super) fn damaged(&self, index: usize, source: std::io::Error) -> Error {
        Error::Member { file: self.name.clone(), member: self.members[index].name.clone(), source }
    }

    /// Holds the bytes that came out of a member against its declared size.
    pub(super) fn check_size(&self, index: usize, actual: u64) -> Result<(), Error> {
        let member = &self.members[index];
        if member.size == actual {
            return Ok(());
        }
        Err(self.refused(Problem::Size { name: member.name.clone(), declared: member.size, actual }))
    }
}

/// Joins what the zip reader made of the directory with what was read of it here, and checks each member.
fn members(zip: &ZipArchive<PositionedReader>, directory: &Directory) -> Result<Vec<Member>, Problem> {
    const DISAGREE: Problem = Problem::Unsound("its directory can be read in two ways");
    let mut seen = HashSet::new();
    if let Some(twice) = directory.headers.iter().find(|header| !seen.insert(header.name.as_slice())) {
        return Err(Problem::Duplicate(lossy(&twice.name)));
    }
    if zip.len() != directory.headers.len() || zip.central_directory_start() != directory.start {
        return Err(DISAGREE);
    }
    let mut members = Vec::with_capacity(zip.len());
    for (index, header) in directory.headers.iter().enumerate() {
        let entry = zip.by_index_data(index).map_err(|_| DISAGREE)?;
        let agrees = entry.name_raw() == header.name
            && entry.central_header_start() == header.position
            && entry.header_start() == header.header
            && entry.size() == header.size
            && entry.compressed_size() == header.compressed_size
            && entry.crc32() == header.crc32;
        if !agrees {
            return Err(DISAGREE);
        }
        let member = member(header)?;
        if member.is_folder && (member.size != 0 || header.compressed_size > 2) {
            return Err(Problem::Unsound("one of its folders has content"));
        }
        members.push(member);
    }
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|index| members[*index].header);
    if members[order[0]].header != 0 {
        return Err(Problem::Unsound("it has data before its first member"));
    }
    for (place, index) in order.iter().enumerate() {
        members[*index].next = order.get(place + 1).map_or(directory.start, |next| members[*next].header);
    }
    Ok(members)
}

fn member(header: &CentralHeader) -> Result<Member, Problem> {
    let name = match name::check(&header.name) {
        Ok(name) => name.to_owned(),
        Err(problem) => {
            return Err(Problem::Name { name: String::from_utf8_lossy(&header.name).into_owned(), problem });
        }
    };
    let is_folder = header.name.ends_with(b"/");
    let mode = header.attributes >> 16;
    let kind = mode & MODE_KIND;
    let special = |kind: &str| Problem::Special { name: name.clone(), kind: kind.to_owned() };
    match kind {
        0o120_000 => return Err(special("a symbolic link")),
        0o010_000 => return Err(special("a pipe")),
        0o020_000 | 0o060_000 => return Err(special("a device")),
        0o140_000 => return Err(special("a socket")),
        MODE_FOLDER if !is_folder => return Err(special("a folder with the name of a file")),
        _ => {}
    }
    if header.is_encrypted() {
        return Err(special("encrypted"));
    }
    if !matches!(header.method, STORED | DEFLATED) {
        return Err(special(&format!("compressed by the unsupported method {}", header.method)));
    }
    Ok(Member {
        name,
        is_folder,
        size: header.size,
        // Other installers want the kind to be there too.
        executable: kind == MODE_FILE && mode & 0o111 != 0,
        flags: header.flags,
        method: header.method,
        header: header.header,
        next: 0,
    })
}

/// Checks that no two members need the same path, and that the folders are not too many.
fn check_tree(members: &[Member], limits: &Limits) -> Result<(), Problem> {
    let mut folders: HashSet<&str> = HashSet::new();
    let mut files: HashSet<&str> = HashSet::new();
    for member in members {
        // What is above a known folder is known. Names are unique, but `a` and `a/` are two names.
        let known = if member.is_folder {
            !folders.insert(&member.name)
        } else {
            files.insert(&member.name);
            false
        };
        if !known {
            let _first_known = name::parents(&member.name).find(|folder| !folders.insert(folder));
        }
        if folders.len() as u64 > limits.members {
            return Err(Problem::TooMany(limits.members));
        }
    }
    match files.intersection(&folders).min() {
        Some(both) => Err(Problem::FileAndFolder((*both).to_owned())),
        None => Ok(()),
    }
}

fn check_sizes(members: &[Member], limits: &Limits) -> Result<(), Problem> {
    let mut total: u64 = 0;
    for member in members {
        total = total.saturating_add(member.size);
        if total > limits.unpacked_size {
            return Err(Problem::TooLarge { name: member.name.clone(), limit: limits.unpacked_size });
        }
    }
    Ok(())
}
