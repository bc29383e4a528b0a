//! Tar archives that lie in every way that is known, and sound ones of every kind.

mod headers;

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use virtpy_files::{self as fs, FileKind};

use super::testing::{Raw, bzip2, gzip, open, record, tar, zstandard};
use super::{Compression, Unpacked, unpack, unpack_stream};
use crate::archive::{Error, Limits, NameProblem, Problem};

type Compress = fn(&[u8]) -> Vec<u8>;

/// What is below a folder: a file's content, `-> target` for a link, `/` for a folder.
type Content = BTreeMap<String, String>;

fn content(folder: &Path, above: &str, found: &mut Content) {
    for (name, kind) in fs::read_dir_names(folder).unwrap() {
        let name = name.to_str().unwrap();
        let (inner, path) = (format!("{above}{name}"), folder.join(name));
        let text = match kind {
            FileKind::Folder => {
                content(&path, &format!("{inner}/"), found);
                "/".to_owned()
            }
            FileKind::Link => format!("-> {}", fs::read_link(&path).unwrap().display()),
            _ => fs::read_to_string(&path).unwrap(),
        };
        found.insert(inner, text);
    }
}

/// Unpacks into a folder with a neighbour, which must not change.
fn unpacked_as(
    archive: &[u8],
    compression: Compression,
    limits: &Limits,
) -> Result<(Unpacked, Content), Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    fs::write_new(&path, archive, 0o644).unwrap();
    fs::create_dir(&folder.path().join("outside")).unwrap();
    let destination = folder.path().join("inside");
    fs::create_dir(&destination).unwrap();
    let result = unpack(&path, "test.tar", compression, &destination, limits);
    let names = fs::names(folder.path()).unwrap().len();
    assert_eq!((names, fs::names(&folder.path().join("outside")).unwrap().len()), (3, 0), "something leaked");
    let mut found = Content::new();
    content(&destination, "", &mut found);
    assert_streamed_alike(archive, compression, limits, result.as_ref().map(|facts| (facts, &found)));
    result.map(|facts| (facts, found))
}

/// An archive that only comes, in small pieces, gives the same as one that is there.
fn assert_streamed_alike(
    archive: &[u8],
    compression: Compression,
    limits: &Limits,
    expected: Result<(&Unpacked, &Content), &Error>,
) {
    let folder = tempfile::tempdir().unwrap();
    let stream = Pieces(archive);
    let result = unpack_stream(stream, "test.tar", compression, folder.path(), limits);
    let mut found = Content::new();
    content(folder.path(), "", &mut found);
    match (result, expected) {
        (Ok(facts), Ok((expected, content))) => assert_eq!((&facts, &found), (expected, content)),
        (Err(Error::Path(_)), Err(Error::Path(_))) => {}
        (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected.to_string()),
        (streamed, expected) => panic!("{streamed:?} against {expected:?}"),
    }
}

/// Gives a hundred bytes at a time.
struct Pieces<'a>(&'a [u8]);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(buffer.len()).min(100);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn unpacked(members: &[Raw]) -> Content {
    match unpacked_as(&tar(members), Compression::None, &Limits::default()) {
        Ok((_, content)) => content,
        Err(error) => panic!("{error}"),
    }
}

fn problem_of(archive: &[u8]) -> Problem {
    problem_within(archive, &Limits::default())
}

fn problem_within(archive: &[u8], limits: &Limits) -> Problem {
    match unpacked_as(archive, Compression::None, limits) {
        Err(Error::Refused { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

/// The problem of an archive with these members and a sound one before and after.
fn problem(members: &[Raw]) -> Problem {
    let all = [&[Raw::file("before", b"b")], members, &[Raw::file("after", b"a")]].concat();
    problem_of(&tar(&all))
}

fn unsound(members: &[Raw]) -> &'static str {
    match problem(members) {
        Problem::Unsound(reason) => reason,
        other => panic!("{other:?}"),
    }
}

/// An interpreter's archive in small: executable files, links up and along, hard links, folders named and implied.
fn sound() -> Vec<Raw> {
    let long = "d".repeat(90);
    vec![
        Raw::folder("python/"),
        Raw::file("python/bin/python3.12", b"ELF").with(|raw| raw.mode = b"0000755\0".to_vec()),
        Raw::link("python/bin/python3", "python3.12"),
        Raw::link("python/bin/python", "./python3"),
        Raw::hard_link("python/bin/python3.12-again", "python/bin/python3.12"),
        Raw::hard_link("python/bin/python3.12-thrice", "python/bin/python3.12-again"),
        Raw::link("python/lib64", "lib"),
        Raw::link("python/share/through", "../lib64/../lib/os.py"),
        Raw::link("python/share/nowhere", "missing/file"),
        Raw::file("python/lib/os.py", &[b'x'; 513]),
        Raw::file("python/lib/empty", b""),
        Raw::pax(&[("path", &format!("python/{long}/{long}")), ("mtime", "1.5"), ("SCHILY.fflags", "")]),
        Raw::file(&format!("python/{long}"), b"long"),
        Raw::file("python/E/Eterm", b"upper"),
        Raw::file("python/e/eterm", b"lower"),
    ]
}

#[test]
fn sound_archives_are_unpacked() {
    let expected = unpacked(&sound());
    assert_eq!(expected["python/bin/python"], "-> ./python3");
    assert_eq!(expected["python/bin/python3.12-thrice"], "ELF");
    assert_eq!(expected["python/lib/os.py"].len(), 513);
    assert_eq!(expected["python/share/through"], "-> ../lib64/../lib/os.py");
    assert_eq!(expected[&format!("python/{0}/{0}", "d".repeat(90))], "long");
    assert_eq!(
        (expected["python/E/Eterm"].as_str(), expected["python/e/eterm"].as_str()),
        ("upper", "lower")
    );
    let archive = [tar(&sound()), vec![0; 10_240]].concat();
    for (compression, archive) in [
        (Compression::None, archive.clone()),
        (Compression::Gzip, gzip(&archive)),
        (Compression::Gzip, [gzip(&archive[..700]), gzip(&archive[700..])].concat()),
        (Compression::Bzip2, bzip2(&archive)),
        (Compression::Zstandard, zstandard(&archive)),
    ] {
        let (facts, content) = unpacked_as(&archive, compression, &Limits::default()).unwrap();
        assert_eq!(content, expected, "{compression:?}");
        assert_eq!(facts, Unpacked { files: 13, links: 7, size: 3 + 513 + 4 + 5 + 5 });
    }
    assert!(unpacked(&[]).is_empty());
}

#[test]
fn the_dialects_are_understood() {
    let long = "n".repeat(120);
    let target = format!("{}/x", "t".repeat(110));
    let gnu = [
        Raw::folder("./").gnu(),
        Raw::long(b'L', &format!("./{long}")),
        Raw::file(&format!("./{long}")[..100], b"gnu").gnu(),
        Raw::long(b'K', &target),
        Raw::link("./l", &target[..100]).gnu(),
        Raw::file("./binary", b"four")
            .gnu()
            .with(|raw| raw.size = [&[0x80, 0, 0, 0][..], &4_u64.to_be_bytes()].concat()),
        Raw::hard_link("./again", "./binary").gnu(),
    ];
    let content = unpacked(&gnu);
    assert_eq!(content[&long], "gnu");
    assert_eq!(content["l"], format!("-> {target}"));
    assert_eq!((content["binary"].as_str(), content["again"].as_str()), ("four", "four"));
    let posix = [
        Raw::new(b'g', "pax_global_header", record("comment", "a commit").as_bytes()),
        Raw::file("name", b"x").with(|raw| raw.prefix = b"a/prefix".to_vec()),
        Raw::pax(&[("linkpath", &target), ("size", "0"), ("hdrcharset", "ISO-IR 10646 2000 UTF-8")]),
        Raw::link("l", &target[..100]),
        Raw::file("zero", b"0").with(|raw| raw.kind = 0),
        Raw::file("blanks", b"0").with(|raw| raw.size = b"         1  ".to_vec()),
    ];
    let content = unpacked(&posix);
    assert_eq!((content["a/prefix/name"].as_str(), content["zero"].as_str()), ("x", "0"));
    assert_eq!(content["l"], format!("-> {target}"));
}

#[test]
fn only_the_execution_bit_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    let modes = ["0006755\0", "0001777\0", "0000000\0", "0007666\0", "0100100\0"];
    let files = modes.iter().enumerate().map(|(index, mode)| {
        Raw::file(&format!("f{index}"), b"").with(|raw| raw.mode = mode.as_bytes().to_vec())
    });
    let sealed = Raw::folder("sealed").with(|raw| raw.mode = b"0002000\0".to_vec());
    let members: Vec<Raw> = files.chain([sealed, Raw::file("sealed/x", b"")]).collect();
    fs::write_new(&path, &tar(&members), 0o644).unwrap();
    let destination = folder.path().join("inside");
    fs::create_dir(&destination).unwrap();
    unpack(&path, "test.tar", Compression::None, &destination, &Limits::default()).unwrap();
    let mode = |name: &str| fs::metadata(&destination.join(name)).unwrap().permissions().mode() & 0o7777;
    for (index, executable) in [true, true, false, false, true].into_iter().enumerate() {
        let mode = mode(&format!("f{index}"));
        assert_eq!((mode & 0o100 != 0, mode & 0o7000, mode & 0o600), (executable, 0, 0o600), "{mode:o}");
    }
    assert_eq!(mode("sealed") & 0o700, 0o700);
}

#[test]
fn names_are_checked() {
    for (name, expected) in [
        ("../m", NameProblem::Parent),
        ("a/../../m", NameProblem::Parent),
        ("./../m", NameProblem::Parent),
        ("/m", NameProblem::Absolute),
        ("./", NameProblem::Empty),
        (".", NameProblem::EmptyPart),
        ("././m", NameProblem::EmptyPart),
        ("a//m", NameProblem::EmptyPart),
        ("m/", NameProblem::EmptyPart),
        ("a\\m", NameProblem::Backslash),
        ("a\nm", NameProblem::Control),
        ("", NameProblem::Empty),
    ] {
        let raws = [Raw::file(name, b""), Raw::link(name, "x"), Raw::hard_link(name, "before")];
        for raw in raws {
            match problem(&[raw]) {
                Problem::Name { problem, .. } => {
                    assert!(
                        problem == expected || name == "./" && problem == NameProblem::EmptyPart,
                        "{name:?}"
                    );
                }
                other => panic!("{name:?}: {other:?}"),
            }
        }
    }
    let name = Raw::file("x", b"").with(|raw| raw.name = b"a\xff".to_vec());
    assert!(matches!(problem(&[name]), Problem::Name { problem: NameProblem::Encoding, .. }));
    for folder in ["../m/", "/", "//", "m//", ".."] {
        assert!(matches!(problem(&[Raw::folder(folder)]), Problem::Name { .. }), "{folder}");
    }
    let long = Raw::pax(&[("path", &"x/".repeat(600))]);
    assert!(matches!(problem(&[long, Raw::folder("x/x")]), Problem::Name { problem: NameProblem::Long, .. }));
}

#[test]
fn two_members_never_share_a_path() {
    let file = |name: &str| Raw::file(name, b"");
    let link = |name: &str| Raw::link(name, "before");
    for pair in [
        [file("m"), file("m")],
        [file("m"), file("./m")],
        [file("m"), link("m")],
        [link("m"), file("m")],
        [link("m"), Raw::hard_link("m", "before")],
        [Raw::folder("m"), Raw::folder("m/")],
    ] {
        assert_eq!(problem(&pair), Problem::Duplicate("m".to_owned()), "{pair:?}");
    }
    for pair in [
        [file("m"), file("m/x")],
        [file("m/x"), file("m")],
        [file("m"), Raw::folder("m")],
        [Raw::folder("m"), file("m")],
        [Raw::folder("m"), link("m")],
        // Nothing is ever written through a link, wherever it leads.
        [link("m"), file("m/x")],
        [Raw::link("m", "."), file("m/x")],
    ] {
        assert_eq!(problem(&pair), Problem::FileAndFolder("m".to_owned()), "{pair:?}");
    }
    assert!(unpacked(&[file("m/x/y"), Raw::folder("m"), Raw::folder("m/x"), link("m/z")]).len() == 4);
}

fn refused_link(members: &[Raw]) -> &'static str {
    match problem(members) {
        Problem::Link { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn links_stay_inside() {
    for target in ["/etc/passwd", "//x", "C:x", "", "a\\b", "a\nb"] {
        let reason = refused_link(&[Raw::link("m", target)]);
        assert!(reason.starts_with("is ") || reason.starts_with("contains "), "{target:?} {reason}");
    }
    for (link, target) in
        [("m", ".."), ("m", "../x"), ("a/m", "../../x"), ("a/m", ".././../inside/x"), ("m", "./..")]
    {
        assert_eq!(refused_link(&[Raw::link(link, target)]), "leaves the folder", "{link} -> {target}");
    }
    // Each link alone stays inside.
    let deep = Raw::folder("a/b");
    let through = [deep.clone(), Raw::link("a/b/up", "../.."), Raw::link("out", "a/b/up/../x")];
    assert_eq!(refused_link(&through), "leaves the folder");
    let later = [deep, Raw::link("out", "a/b/up/../x"), Raw::link("a/b/up", "../..")];
    assert_eq!(refused_link(&later), "leaves the folder");
    assert_eq!(refused_link(&[Raw::link("m", "m")]), "leads in a circle");
    assert_eq!(refused_link(&[Raw::link("m", "n/x"), Raw::link("n", "m/y")]), "leads in a circle");
    // Where case does not matter, `a/b` may be a link `a/B`.
    let up = "goes up from what is not a folder of the archive";
    assert_eq!(refused_link(&[Raw::link("a/B", ".."), Raw::link("a/m", "b/../../x")]), up);
    assert_eq!(refused_link(&[Raw::link("a/m", "missing/../x")]), up);
    let text = Raw::link("m", "x").with(|raw| raw.link = b"\xff".to_vec());
    assert_eq!(refused_link(&[text]), "is not valid UTF-8");
}

#[test]
fn hard_links_name_files_of_the_archive() {
    for target in ["/etc/passwd", "../x", "", "missing", "after", "m", "folder", "link"] {
        let members = [Raw::folder("folder"), Raw::link("link", "before"), Raw::hard_link("m", target)];
        let reason = refused_link(&members);
        assert!(
            matches!(reason, "is not a file that came before" | "is not the name of a member"),
            "{target}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    let archive = tar(&[Raw::file("a", b"x"), Raw::hard_link("b", "a")]);
    fs::write_new(&path, &archive, 0o644).unwrap();
    let destination = folder.path().join("inside");
    fs::create_dir(&destination).unwrap();
    unpack(&path, "test.tar", Compression::None, &destination, &Limits::default()).unwrap();
    let inode = |name: &str| fs::metadata(&destination.join(name)).unwrap().ino();
    assert_eq!(inode("a"), inode("b"));
}

#[test]
fn only_files_folders_and_links_are_allowed() {
    for (kind, word) in [
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a pipe"),
        (b'S', "a sparse file"),
        (b'7', "of the unknown type `7`"),
        (b'V', "of the unknown type `V`"),
        (b'X', "of the unknown type `X`"),
        (b'\xff', "of the unknown type `\\xff`"),
    ] {
        let found = problem(&[Raw::new(kind, "m", b"")]);
        assert_eq!(found, Problem::Special { name: "m".to_owned(), kind: word.to_owned() });
    }
    for records in [
        &[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "9")][..],
        &[("SCHILY.realsize", "9")],
    ] {
        let sparse = [Raw::pax(records), Raw::file("m", b"")];
        assert_eq!(unsound(&sparse), "an extended header makes a sparse or special file");
    }
    for kind in [b'1', b'2', b'5'] {
        let found = unsound(&[Raw::new(kind, "m", b"before")]);
        assert_eq!(found, "a link or a folder has content");
    }
    for kind in [b'0', b'5'] {
        let found = unsound(&[Raw::new(kind, "m", b"").with(|raw| raw.link = b"x".to_vec())]);
        assert_eq!(found, "something that is not a link has a target");
    }
}

#[test]
fn limits_are_kept() {
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let three = tar(&[Raw::file("a", b"1234"), Raw::file("m", b"1234"), Raw::file("n", b"1234")]);
    assert_eq!(problem_within(&three, &limits(|limits| limits.members = 2)), Problem::TooMany(2));
    assert!(unpacked_as(&three, Compression::None, &limits(|limits| limits.members = 3)).is_ok());
    let deep = tar(&[Raw::file("a/b/c/d/e", b"")]);
    assert_eq!(problem_within(&deep, &limits(|limits| limits.members = 3)), Problem::TooMany(3));
    let found = problem_within(&three, &limits(|limits| limits.unpacked_size = 11));
    assert_eq!(found, Problem::TooLarge { name: "n".to_owned(), limit: 11 });
    let extension = Raw::new(b'x', "x", b"").with(|raw| raw.size = b"77777777777\0".to_vec());
    assert!(matches!(problem_of(&tar(&[extension])), Problem::TooLarge { .. }));
    // Whether the zeros are a member, its extension or nothing.
    let zeros = vec![0; 4 << 20];
    let padding = [tar(&[Raw::file("m", b"x")]), zeros.clone()].concat();
    for archive in [tar(&[Raw::file("m", &zeros)]), padding] {
        for (kind, packed) in
            [(Compression::Gzip, gzip(&archive)), (Compression::Zstandard, zstandard(&archive))]
        {
            let narrow = limits(|limits| (limits.ratio_from, limits.ratio) = (1 << 20, 100));
            match unpacked_as(&packed, kind, &narrow) {
                Err(Error::Refused { problem, .. }) => assert_eq!(problem, Problem::Bomb(100)),
                other => panic!("{other:?}"),
            }
            assert!(unpacked_as(&packed, kind, &Limits::default()).is_ok());
        }
    }
}

#[test]
fn nothing_is_written_over_or_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    fs::write_new(&path, &tar(&[Raw::file("a/m", b"new")]), 0o644).unwrap();
    let (outside, destination) = (folder.path().join("outside"), folder.path().join("inside"));
    fs::create_dir(&outside).unwrap();
    fs::create_dir(&destination).unwrap();
    fs::symlink(&outside, &destination.join("a")).unwrap();
    let error = unpack(&path, "test.tar", Compression::None, &destination, &Limits::default()).unwrap_err();
    assert!(matches!(&error, Error::Path(error) if error.already_exists()), "{error:?}");
    assert!(fs::names(&outside).unwrap().is_empty());
}

#[test]
fn file_names_tell_the_compression() {
    for (name, expected) in [
        ("cpython-3.12.1+20240107-x86_64-unknown-linux-gnu-install_only.tar.gz", Some(Compression::Gzip)),
        ("a.TGZ", Some(Compression::Gzip)),
        ("a.tar.bz2", Some(Compression::Bzip2)),
        ("a.bz2", Some(Compression::Bzip2)),
        ("a.tar.zst", Some(Compression::Zstandard)),
        ("a.tar.zstd", Some(Compression::Zstandard)),
        ("a.tar", Some(Compression::None)),
        ("a.zip", None),
        ("a.gz", None),
        ("tar", None),
    ] {
        assert_eq!(Compression::of_file_name(name), expected, "{name}");
    }
}
