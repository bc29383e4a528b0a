//! What must hold of each parser, whatever it is fed. An oracle panics when something does not hold.
//!
//! The fuzz targets call these, and so does a test of the crate `virtpy-venv` (`crates/venv/tests/seeds.rs`) with every committed
//! seed, so nothing here may need more than that crate's dependencies.

use std::collections::{BTreeMap, HashSet};
use std::io::{Cursor, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind};
use virtpy_pep::WheelName;
use virtpy_venv::Config;
use virtpy_wheel::archive::tar::{self as tape, Compression};
use virtpy_wheel::archive::{Archive, Limits, Member, Target};
use virtpy_wheel::{
    Metadata, WheelInfo, is_reserved_script, parse_entry_points, parse_record, script, write_record,
};

/// Far below what is real, so that small inputs reach them.
const LIMITS: Limits =
    Limits { members: 40, unpacked_size: 1 << 20, ratio: 100, ratio_from: 64 << 10, in_memory: 32 << 10 };

/// What is in a folder that an archive was unpacked to: a file's content, a link's text, `None` for a folder.
pub type Content = BTreeMap<String, Option<Found>>;

/// A file or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A regular file with its content.
    File(Vec<u8>),
    /// A symbolic link with its text.
    Link(PathBuf),
}

/// RECORD: what was read can be written and is read again as the same rows, and all rows are what the type says.
///
/// # Panics
/// When that does not hold.
pub fn record(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let rows = match parse_record(&text) {
        Ok(rows) => rows,
        Err(error) => return fits_a_terminal(&error),
    };
    for row in &rows {
        assert!(!row.path.is_empty(), "a row without a path");
        assert!(row.hash.as_ref().is_none_or(|hash| !hash.algorithm.contains('=')), "{row:?}");
    }
    let written = write_record(&rows);
    assert_eq!(parse_record(&written).as_ref().ok(), Some(&rows), "written as {written:?}");
}

/// METADATA and WHEEL: names are names, versions are there, and no text can do anything to a terminal.
///
/// # Panics
/// When that does not hold.
pub fn metadata(data: &[u8]) {
    match Metadata::parse(data) {
        Ok(metadata) => {
            let name = metadata.package_name().expect("an illegal name was accepted");
            assert_eq!(name.parse().as_ref().ok(), Some(&name));
            assert!(!name.contains(['/', '\\', ' ', '\0']), "{name:?}");
            assert!(!metadata.version.is_empty());
            let optional = [
                &metadata.summary,
                &metadata.license,
                &metadata.author,
                &metadata.author_email,
                &metadata.home_page,
                &metadata.requires_python,
            ];
            let texts = [&metadata.name, &metadata.version].into_iter();
            let texts = texts.chain(optional.into_iter().flatten()).chain(&metadata.project_urls);
            for text in texts.chain(&metadata.requires_dist).chain(&metadata.provides_extra) {
                assert!(!text.chars().any(char::is_control), "{text:?}");
            }
            let short = format!("Name: {}\nVersion: {}\n", metadata.name, metadata.version);
            let again = Metadata::parse(short.as_bytes()).expect("its own name is refused");
            assert_eq!((again.name, again.version), (metadata.name, metadata.version));
        }
        Err(error) => fits_a_terminal(&error),
    }
    match WheelInfo::parse(data) {
        Ok(info) => {
            assert!(info.wheel_version.0 <= 1, "{:?}", info.wheel_version);
            assert!(!info.tags.iter().any(|tag| tag.chars().any(char::is_control)), "{:?}", info.tags);
        }
        Err(error) => fits_a_terminal(&error),
    }
}

/// Entry points: a script's name is that of a file in the scripts folder, what it calls is a dotted name, and so the
/// script has as many lines as any other.
///
/// # Panics
/// When that does not hold.
pub fn entry_points(data: &[u8]) {
    const SHEBANG: &str = "#!/bin/python\n";
    let entries = match parse_entry_points(data) {
        Ok(entries) => entries,
        Err(error) => return fits_a_terminal(&error),
    };
    let mut names = HashSet::new();
    let mut text = String::new();
    for entry in &entries {
        assert!(names.insert(&entry.name), "{:?} twice", entry.name);
        assert!(!entry.name.is_empty() && entry.name.len() <= 255, "{:?}", entry.name);
        let separator = |letter: char| matches!(letter, '/' | '\\') || letter.is_control();
        assert!(!entry.name.contains(separator) && !matches!(&*entry.name, "." | ".."), "{:?}", entry.name);
        assert!(!is_reserved_script(&entry.name), "{:?}", entry.name);
        for part in entry.module.split('.').chain(entry.attribute.split('.')) {
            assert!(
                !part.is_empty() && !part.starts_with(|letter: char| letter.is_ascii_digit()),
                "{entry:?}"
            );
            assert!(
                part.chars().all(|letter| letter == '_' || letter.is_alphanumeric() || !letter.is_ascii())
            );
            assert!(
                !part.contains(|letter: char| letter.is_whitespace() || letter.is_control()),
                "{entry:?}"
            );
        }
        assert_eq!(script(entry, SHEBANG).lines().count(), 12, "{entry:?}");
        let group = if entry.gui { "gui_scripts" } else { "console_scripts" };
        text += &format!("[{group}]\n{} = {}:{}\n", entry.name, entry.module, entry.attribute);
    }
    assert_eq!(parse_entry_points(text.as_bytes()).as_ref().ok(), Some(&entries), "written as {text:?}");
}

/// Names of wheel files: each tag with the name and the version makes a file name that says the same.
///
/// # Panics
/// When that does not hold.
pub fn wheel_name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let name = match WheelName::parse(&text) {
        Ok(name) => name,
        Err(error) => return fits_a_terminal(&error),
    };
    assert!(
        !text.contains(|letter: char| letter == '/' || letter == '\\' || letter.is_control()),
        "{text:?}"
    );
    assert!(!name.tags.is_empty() && name.tags.len() <= 1000, "{} tags", name.tags.len());
    assert!(name.is_named_by(&format!("{}-{}", name.spelled_name, name.version)), "{name:?}");
    for tag in name.tags.iter().take(8) {
        let one = WheelName::parse(&format!("{}-{}-{tag}.whl", name.spelled_name, name.version));
        let expected = WheelName { tags: vec![tag.clone()], ..name.clone() };
        assert_eq!(one.ok(), Some(expected), "{tag:?}");
    }
}

/// `pyvenv.cfg`: what was read is written so that it is read again as the same.
///
/// # Panics
/// When that does not hold.
pub fn pyvenv_cfg(data: &[u8]) {
    let config = Config::parse(&String::from_utf8_lossy(data));
    let text = config.to_string();
    let again = Config::parse(&text);
    assert_eq!(again, config, "written as {text:?}");
    assert_eq!(again.link_mode(), config.link_mode());
}

/// A zip archive: what is accepted is unpacked below its folder and nowhere else, within the limits, exactly as its
/// directory says, and as the `zip` crate reads it from either end. What is refused leaves nothing elsewhere either.
///
/// # Panics
/// When that does not hold.
pub fn zip(data: &[u8]) {
    let scene = Scene::new(data);
    let archive = match Archive::open(&scene.archive(), "test.zip", &LIMITS) {
        Ok(archive) => archive,
        Err(error) => return fits_a_terminal(&error),
    };
    let members = archive.members();
    assert!(members.len() as u64 <= LIMITS.members);
    assert!(members.iter().map(|member| member.size).sum::<u64>() <= LIMITS.unpacked_size);
    let (folders, files): (Vec<_>, Vec<_>) =
        members.iter().enumerate().partition(|(_, member)| member.is_folder);
    let targets: Vec<Target> = files
        .iter()
        .map(|(index, member)| Target {
            member: *index,
            path: member.name.clone(),
            mode: 0o644,
            other_digest: None,
            words: &[],
        })
        .collect();
    let folders: Vec<String> = folders.iter().map(|(_, member)| member.name.clone()).collect();
    let result = archive.unpack(&scene.inside(), &targets, &folders);
    let found = scene.check(data);
    match result {
        Ok(written) => {
            let sizes = written.iter().zip(&files);
            assert!(sizes.into_iter().all(|(written, (_, member))| written.size == member.size));
            let names: Vec<&str> = files.iter().map(|(_, member)| member.name.as_str()).collect();
            let written: Vec<&str> =
                found.iter().filter(|(_, what)| what.is_some()).map(|(name, _)| &**name).collect();
            assert_eq!(
                BTreeMap::from_iter(names.iter().map(|name| (*name, ()))).into_keys().collect::<Vec<_>>(),
                written
            );
            assert!(folders.iter().all(|folder| found.get(folder) == Some(&None)), "{folders:?}");
            read_by_the_directory(data, members, &found);
            read_from_the_front(data, &found);
        }
        Err(error) => fits_a_terminal(&error),
    }
}

/// The `zip` crate finds the same members by the central directory.
fn read_by_the_directory(data: &[u8], members: &[Member], found: &Content) {
    let mut other = zip::ZipArchive::new(Cursor::new(data)).expect("the zip crate refuses what was accepted");
    assert_eq!(other.len(), members.len());
    for index in 0..other.len() {
        let mut entry = other.by_index(index).expect("the zip crate does not find a member");
        let name = std::str::from_utf8(entry.name_raw()).expect("a name in another encoding").to_owned();
        let name = name.strip_suffix('/').unwrap_or(&name);
        // It takes a colon for that of a drive, on every system.
        let is_safe = entry.enclosed_name().is_some() || name.contains(':');
        assert!(is_safe, "the zip crate finds the name {name:?} to be unsafe");
        let mut content = Vec::new();
        // Nobody reads a folder, so its checksum does not matter.
        if !entry.is_dir() {
            entry.read_to_end(&mut content).expect("the zip crate does not read a member");
        }
        match &found[name] {
            Some(Found::File(ours)) => assert!(*ours == content, "{name:?} has two contents"),
            other => assert!(other.is_none() && entry.is_dir(), "{name:?} is {other:?}"),
        }
    }
}

/// And the same by the local headers, as far as these are complete.
fn read_from_the_front(data: &[u8], found: &Content) {
    let mut stream = data;
    while let Ok(Some(mut entry)) = zip::read::read_zipfile_from_stream(&mut stream) {
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let ours = found.get(name.strip_suffix('/').unwrap_or(&name));
        let ours = ours.unwrap_or_else(|| panic!("a reader from the front finds {name:?} besides {found:?}"));
        let mut content = Vec::new();
        if entry.read_to_end(&mut content).is_err() {
            return;
        }
        match ours {
            Some(Found::File(ours)) => assert!(*ours == content, "{name:?} has two contents"),
            other => assert!(other.is_none(), "{name:?} is {other:?}"),
        }
    }
}

/// A tar archive: as for a zip archive, and no link leads out of the folder. Returns what was unpacked, if it was.
///
/// # Panics
/// When that does not hold.
pub fn tar(data: &[u8]) -> Option<Content> {
    let compression = match data {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [b'B', b'Z', b'h', ..] => Compression::Bzip2,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstandard,
        _ => Compression::None,
    };
    let scene = Scene::new(data);
    let result = tape::unpack(&scene.archive(), "test.tar", compression, &scene.inside(), &LIMITS);
    let found = scene.check(data);
    let unpacked = match result {
        Ok(unpacked) => unpacked,
        Err(error) => {
            fits_a_terminal(&error);
            return None;
        }
    };
    assert_eq!(found.values().flatten().count() as u64, unpacked.files, "{found:?}");
    Some(found)
}

/// A folder with an archive, a place to unpack it to, and a neighbour that must not change.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new(data: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("no temporary folder");
        let scene = Self { folder };
        fs::write_new(&scene.archive(), data, 0o644).expect("the archive cannot be written");
        for path in [scene.inside(), scene.outside()] {
            fs::create_dir(&path).expect("a folder cannot be made");
        }
        scene
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    fn inside(&self) -> PathBuf {
        self.folder.path().join("inside")
    }

    fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    /// Checks that nothing but the inside changed and that this keeps the limits; returns what is there.
    fn check(&self, data: &[u8]) -> Content {
        let mut names = fs::names(self.folder.path()).expect("the folder is gone");
        names.sort();
        assert_eq!(names, ["archive", "inside", "outside"], "something leaked");
        assert!(fs::names(&self.outside()).expect("the neighbour is gone").is_empty(), "something leaked");
        assert!(fs::read(&self.archive()).expect("the archive is gone") == data, "the archive changed");
        let mut found = Content::new();
        self.collect(&self.inside(), "", &mut found);
        let size: usize = found
            .values()
            .map(|what| if let Some(Found::File(content)) = what { content.len() } else { 0 })
            .sum();
        assert!(size as u64 <= LIMITS.unpacked_size, "{size} bytes");
        let count = found.values().flatten().count() as u64;
        assert!(count <= LIMITS.members, "{count} members");
        found
    }

    fn collect(&self, folder: &Path, above: &str, found: &mut Content) {
        for (name, kind) in fs::read_dir_names(folder).expect("a folder cannot be read") {
            let name = name.into_string().expect("a name that is not UTF-8");
            assert!(!name.chars().any(|letter| letter.is_control() || letter == '\\'), "{name:?}");
            let (path, name) = (folder.join(&name), format!("{above}{name}"));
            let mode = fs::symlink_metadata(&path).expect("a member is gone").permissions().mode();
            let what = match kind {
                FileKind::Folder => {
                    self.collect(&path, &format!("{name}/"), found);
                    None
                }
                FileKind::File => {
                    assert_eq!(mode & 0o7022 & !0o022, 0, "{name:?} has the mode {mode:o}");
                    Some(Found::File(fs::read(&path).expect("a file cannot be read")))
                }
                FileKind::Link => {
                    self.check_link(&path);
                    Some(Found::Link(fs::read_link(&path).expect("a link cannot be read")))
                }
                FileKind::Other => panic!("{name:?} is a device or a pipe"),
            };
            found.insert(name, what);
        }
    }

    /// Follows a link by hand, part by part; it may lead nowhere, but not out.
    fn check_link(&self, link: &Path) {
        let inside = fs::canonicalize(&self.inside()).expect("the folder is gone");
        match fs::canonicalize(link) {
            Ok(target) => assert!(target.starts_with(&inside), "{link:?} leads to {target:?}"),
            Err(_) => {
                let text = fs::read_link(link).expect("a link cannot be read");
                assert!(text.is_relative(), "{link:?} leads to {text:?}");
                let mut place = link.parent().expect("a link has a folder").to_path_buf();
                for part in text.components() {
                    match part {
                        std::path::Component::ParentDir => assert!(place.pop()),
                        part => place.push(part),
                    }
                    assert!(place.starts_with(self.inside()), "{link:?} leads to {place:?}");
                }
            }
        }
    }
}

/// An error's text, causes included, must not be able to steer a terminal.
fn fits_a_terminal(error: &impl std::error::Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
