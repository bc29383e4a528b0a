//! What a wheel's shared libraries offer to other wheels and look for in them.
//!
//! A library names the libraries that it needs (`DT_NEEDED`) and may say where to look for them relative to its own
//! folder (`$ORIGIN` in `DT_RPATH` or `DT_RUNPATH`; `@loader_path` on macOS). The kernel resolves such a path through
//! links, so a library in a folded folder would look beside itself in the store, where other wheels' files are not.
//! Which names are met from elsewhere is known only when a venv's set is, so what is kept here is the facts: the
//! names that a wheel provides, and per folder those that it wants from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::read::macho::{FatArch, LoadCommandVariant, MachHeader, MachOFatFile};
use object::{Endianness, FileKind, ReadCache, ReadRef, elf, macho};
use serde::{Deserialize, Serialize};
use virtpy_files as fs;

/// No real library's table of dynamic entries is larger, in bytes.
const LARGEST_TABLE: u64 = 1 << 20;

/// No real name or search path is longer, in bytes.
const LONGEST_TEXT: u64 = 64 << 10;

/// The parts of the C library, by the beginnings of their names. No wheel carries them.
const C_LIBRARY: [&str; 9] = [
    "libc.so.",
    "libm.so.",
    "libpthread.so.",
    "libdl.so.",
    "librt.so.",
    "libutil.so.",
    "ld-linux",
    "ld64.so.",
    "libc.musl",
];

/// How the folder of the library itself is written in search paths.
const TOKENS: [&str; 4] = ["$ORIGIN", "${ORIGIN}", "@loader_path", "@rpath"];

/// What the shared libraries of a wheel have to do with other wheels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Libraries {
    /// The names by which its libraries are found: file names and sonames, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provided: Vec<String>,
    /// The folders with libraries that search relative to themselves, sorted; none where every name that is needed
    /// comes from the wheel itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub searching: Vec<SearchingFolder>,
}

/// A folder with libraries that look for others relative to where they lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchingFolder {
    /// The folder, with its tree: `site/torch/lib`.
    pub folder: String,
    /// The needed names that the wheel does not carry, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<String>,
    /// Whether a search path leads upwards, so that it leaves the folder.
    pub climbs: bool,
    /// The folders of `site` above or beside this one that search paths lead to, sorted: `site/provider/lib`. A
    /// library may be opened by its name alone (`dlopen`) and be found there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reaches: Vec<String>,
}

impl Libraries {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.provided.is_empty() && self.searching.is_empty()
    }

    /// Examines unpacked files: `paths` are relative to `root`, each with whether it may be executed. What is no
    /// library, or a broken one, tells nothing.
    pub(super) fn examine<'a>(root: &Path, paths: impl Iterator<Item = (String, bool, &'a str)>) -> Self {
        let mut provided = BTreeSet::new();
        let mut folders: BTreeMap<String, Searches> = BTreeMap::new();
        for (path, executable, name) in paths {
            if !(executable || is_library_name(name)) {
                continue;
            }
            let Some(library) = Library::read(&root.join(&path)) else { continue };
            if is_library_name(name) {
                provided.insert(name.to_owned());
                provided.extend(library.own_name);
            }
            let relative: Vec<&String> =
                library.search_paths.iter().filter(|text| is_relative(text)).collect();
            if relative.is_empty() {
                continue;
            }
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let known = folders.entry(folder.to_owned()).or_default();
            known.needed.extend(library.needed);
            known.climbs |= relative.iter().any(|text| text.split('/').any(|part| part == ".."));
            known.reaches.extend(relative.iter().filter_map(|text| reached(folder, text)));
        }
        let mut searching: Vec<SearchingFolder> = folders
            .into_iter()
            .map(|(folder, Searches { needed, climbs, reaches })| {
                let is_foreign = |name: &String| !provided.contains(name) && !is_c_library(name);
                let wanted = needed.into_iter().filter(is_foreign).collect();
                SearchingFolder { folder, wanted, climbs, reaches: reaches.into_iter().collect() }
            })
            .collect();
        if searching.iter().all(|folder| folder.wanted.is_empty() && folder.reaches.is_empty()) {
            searching.clear();
        }
        Self { provided: provided.into_iter().collect(), searching }
    }
}

/// What the libraries of one folder look for.
#[derive(Default)]
struct Searches {
    needed: BTreeSet<String>,
    climbs: bool,
    reaches: BTreeSet<String>,
}

/// The folder that a relative search path leads to from the folder of its library; nothing where it stays in that one
/// or leaves `site`, outside of which no wheel puts libraries.
fn reached(folder: &str, text: &str) -> Option<String> {
    let rest = TOKENS.iter().find_map(|token| text.strip_prefix(token))?;
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in rest.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let path = parts.join("/");
    let stays = path == folder || path.starts_with(&format!("{folder}/"));
    (path.starts_with("site/") && !stays).then_some(path)
}

/// Whether a file's name is that of a shared library, versioned or not.
pub fn is_library_name(name: &str) -> bool {
    let has_ending = |ending: &str| {
        name.find(ending).is_some_and(|at| {
            let rest = &name[at + ending.len()..];
            rest.is_empty() || rest.starts_with('.')
        })
    };
    has_ending(".so") || has_ending(".dylib")
}

fn is_c_library(name: &str) -> bool {
    C_LIBRARY.iter().any(|beginning| name.starts_with(beginning))
}

/// Whether a search path starts at the library's own folder.
fn is_relative(text: &str) -> bool {
    TOKENS.iter().any(|token| text.contains(token))
}

/// What one shared library or program tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Library {
    own_name: Option<String>,
    needed: Vec<String>,
    search_paths: Vec<String>,
}

impl Library {
    fn read(path: &Path) -> Option<Self> {
        let file = fs::open(path).ok()?;
        let cache = ReadCache::new(file);
        Self::parse(&cache)
    }

    fn parse(data: &ReadCache<File>) -> Option<Self> {
        match FileKind::parse(data).ok()? {
            FileKind::Elf64 => Self::of_elf::<elf::FileHeader64<Endianness>, _>(data),
            FileKind::Elf32 => Self::of_elf::<elf::FileHeader32<Endianness>, _>(data),
            FileKind::MachO64 => Self::of_macho::<macho::MachHeader64<Endianness>, _>(data, 0),
            FileKind::MachO32 => Self::of_macho::<macho::MachHeader32<Endianness>, _>(data, 0),
            FileKind::MachOFat32 => Self::of_fat::<macho::FatArch32, _>(data),
            FileKind::MachOFat64 => Self::of_fat::<macho::FatArch64, _>(data),
            _ => None,
        }
    }

    /// The dynamic section of an ELF file (System V ABI, chapter 5).
    fn of_elf<'data, Elf: FileHeader<Endian = Endianness>, R: ReadRef<'data>>(data: R) -> Option<Self> {
        let header = Elf::parse(data).ok()?;
        let endian = header.endian().ok()?;
        let segments = header.program_headers(endian, data).ok()?;
        let small = |segment: &&Elf::ProgramHeader| {
            segment.p_type(endian) == elf::PT_DYNAMIC && segment.p_filesz(endian).into() <= LARGEST_TABLE
        };
        let entries = segments.iter().find(small)?.dynamic(endian, data).ok()??;
        let value = |tag| entries.iter().find(|one| one.tag(endian) == tag).map(|one| one.val(endian));
        let (address, size) = (value(elf::DT_STRTAB)?, value(elf::DT_STRSZ)?);
        // The table's address in memory, turned into its place in the file.
        let start =
            segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD).find_map(|segment| {
                let inside = address.checked_sub(segment.p_vaddr(endian).into())?;
                (inside < segment.p_filesz(endian).into())
                    .then(|| inside.checked_add(segment.p_offset(endian).into()))
                    .flatten()
            })?;
        let text = |offset: u64| {
            let from = start.checked_add(offset)?;
            let to = start.checked_add(size)?.min(from.checked_add(LONGEST_TEXT)?);
            let bytes = data.read_bytes_at_until(from..to, 0).ok()?;
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        };
        let mut library = Self::default();
        for entry in entries.iter().take_while(|entry| entry.tag(endian) != elf::DT_NULL) {
            match entry.tag(endian) {
                elf::DT_NEEDED => library.needed.extend(text(entry.val(endian))),
                elf::DT_SONAME => library.own_name = text(entry.val(endian)),
                elf::DT_RPATH | elf::DT_RUNPATH => {
                    let paths = text(entry.val(endian)).unwrap_or_default();
                    library.search_paths.extend(paths.split(':').map(str::to_owned));
                }
                _ => {}
            }
        }
        Some(library)
    }

    /// The load commands of a Mach-O file. Names count without their folder, as with ELF; the folder is a search path.
    fn of_macho<'data, Mach: MachHeader<Endian = Endianness>, R: ReadRef<'data>>(
        data: R,
        offset: u64,
    ) -> Option<Self> {
        let header = Mach::parse(data, offset).ok()?;
        let endian = header.endian().ok()?;
        let mut commands = header.load_commands(endian, data, offset).ok()?;
        let mut library = Self::default();
        while let Ok(Some(command)) = commands.next() {
            let text = |string| {
                let bytes = command.string(endian, string).ok()?;
                std::str::from_utf8(bytes).ok().map(str::to_owned)
            };
            match command.variant().ok()? {
                LoadCommandVariant::Dylib(dylib) => {
                    let path = text(dylib.dylib.name)?;
                    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
                    library.needed.push(name.to_owned());
                    library.search_paths.push(folder.to_owned());
                }
                LoadCommandVariant::IdDylib(dylib) => {
                    let path = text(dylib.dylib.name)?;
                    library.own_name = path.rsplit('/').next().map(str::to_owned);
                }
                LoadCommandVariant::Rpath(rpath) => library.search_paths.extend(text(rpath.path)),
                _ => {}
            }
        }
        Some(library)
    }

    /// A universal file: what any of its architectures tells.
    fn of_fat<'data, Fat: FatArch, R: ReadRef<'data>>(data: R) -> Option<Self> {
        let mut all = Self::default();
        for arch in MachOFatFile::<Fat>::parse(data).ok()?.arches() {
            let (offset, _) = arch.file_range();
            let one = Self::of_macho::<macho::MachHeader64<Endianness>, R>(data, offset)
                .or_else(|| Self::of_macho::<macho::MachHeader32<Endianness>, R>(data, offset))?;
            all.own_name = all.own_name.or(one.own_name);
            all.needed.extend(one.needed);
            all.search_paths.extend(one.search_paths);
        }
        Some(all)
    }
}
