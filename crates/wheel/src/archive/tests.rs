//! Archives that lie in every way that is known, and sound ones of every kind.

mod structure;

use std::error::Error as _;
use std::path::Path;

use sha2::{Digest as _, Sha256, Sha512};
use virtpy_files as fs;
use virtpy_files::digest::HashAlgorithm;

use super::testing::{Parts, Raw, crc32, end, end64, parts, write, zip, zip_with_comment};
use super::{Archive, Error, Limits, NameProblem, Problem, Target, case_collision};

/// Opens an archive and reads all of it, as an installer would.
fn read_all(content: &[u8], limits: &Limits) -> Result<Vec<Vec<u8>>, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), content);
    let mut archive = Archive::open(&path, "test.zip", limits)?;
    (0..archive.members().len()).map(|index| archive.read(index)).collect()
}

fn problem(content: &[u8]) -> Problem {
    problem_within(content, &Limits::default())
}

fn problem_within(content: &[u8], limits: &Limits) -> Problem {
    match read_all(content, limits) {
        Err(Error::Refused { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

/// The problem of an archive with a sound member before and after a changed one.
fn problem_of(change: impl FnOnce(&mut Raw)) -> Problem {
    problem(&changed(change))
}

fn changed(change: impl FnOnce(&mut Raw)) -> Vec<u8> {
    let mut member = Raw::new("m", b"content");
    change(&mut member);
    zip(&[Raw::new("before", b"b"), member, Raw::new("after", b"a")])
}

#[test]
fn sound_archives_are_read() {
    let sound = changed(|_| {});
    assert_eq!(read_all(&sound, &Limits::default()).unwrap(), [&b"b"[..], b"content", b"a"]);
    let comment = zip_with_comment(&[Raw::new("m", b"x")], b"a comment, PK and all");
    assert_eq!(read_all(&comment, &Limits::default()).unwrap(), [b"x"]);
    let mut folder = Raw::new("folder/", b"");
    folder.attributes = 0o040_755 << 16 | 0x10;
    assert_eq!(
        read_all(&zip(&[folder, Raw::new("folder/m", b"x")]), &Limits::default()).unwrap(),
        [&b""[..], b"x"]
    );
}

#[test]
fn names_are_checked() {
    for (name, expected) in [
        ("../m", NameProblem::Parent),
        ("/m", NameProblem::Absolute),
        ("a\\m", NameProblem::Backslash),
        ("a\u{7}m", NameProblem::Control),
        ("a//m", NameProblem::EmptyPart),
        ("", NameProblem::Empty),
    ] {
        let found = problem_of(|member| {
            member.name = name.as_bytes().to_vec();
            member.local_name.clone_from(&member.name);
        });
        assert_eq!(found, Problem::Name { name: name.to_owned(), problem: expected });
    }
}

#[test]
fn two_members_never_share_a_path() {
    let named = |names: &[&str]| zip(&names.iter().map(|name| Raw::new(name, b"")).collect::<Vec<_>>());
    assert_eq!(problem(&named(&["m", "x", "m"])), Problem::Duplicate("m".to_owned()));
    for names in [["m", "m/"], ["m/", "m"], ["m", "m/x"], ["m/x/y", "m"], ["m/x/y", "m/x"]] {
        assert!(matches!(problem(&named(&names)), Problem::FileAndFolder(_)), "{names:?}");
    }
    assert!(read_all(&named(&["m/", "m/x", "m/y/z", "n"]), &Limits::default()).is_ok());
}

#[test]
fn only_regular_files_and_folders_are_allowed() {
    let special = |kind: &str| Problem::Special { name: "m".to_owned(), kind: kind.to_owned() };
    for (mode, kind) in [
        (0o010_000, "a pipe"),
        (0o020_000, "a device"),
        (0o060_000, "a device"),
        (0o120_000, "a symbolic link"),
        (0o140_000, "a socket"),
        (0o040_000, "a folder with the name of a file"),
    ] {
        let found = problem_of(|member| member.attributes = (mode | 0o644) << 16);
        assert_eq!(found, special(kind), "{mode:o}");
    }
    let both = |flag: u16| {
        move |member: &mut Raw| {
            member.flags |= flag;
            member.local_flags |= flag;
        }
    };
    for flag in [1, 1 << 6, 1 << 13] {
        assert_eq!(problem_of(both(flag)), special("encrypted"));
    }
    for method in [1, 9, 12, 14, 93, 99] {
        let found = problem_of(|member| (member.method, member.local_method) = (method, method));
        assert_eq!(found, special(&format!("compressed by the unsupported method {method}")));
    }
    assert!(matches!(problem(&zip(&[Raw::new("folder/", b"content")])), Problem::Unsound(_)));
}

#[test]
fn only_what_every_reader_understands_is_allowed() {
    let unsound = |change: &dyn Fn(&mut Raw)| match problem_of(change) {
        Problem::Unsound(reason) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(unsound(&|member| member.flags |= 1 << 5), "it needs a reader that knows more");
    assert_eq!(unsound(&|member| member.version = 64), "it needs a reader that knows more");
    let unmarked = |member: &mut Raw| {
        member.name = "mü".as_bytes().to_vec();
        member.local_name.clone_from(&member.name);
        (member.flags, member.local_flags) = (0, 0);
    };
    assert_eq!(unsound(&unmarked), "it does not say that its names are UTF-8");
    for cut in [&[0][..], &[0; 3], &[0x55, 0x54, 5, 0, 0], &[1, 0, 8, 0, 0]] {
        let reason = "an extra field of a header is cut off";
        assert_eq!(unsound(&|member| member.extra = cut.to_vec()), reason);
        assert_eq!(unsound(&|member| member.local_extra = cut.to_vec()), reason);
    }
    let harmless = changed(|member| {
        member.extra = vec![0x55, 0x54, 1, 0, 7, 0xfe, 0xca, 0, 0];
        member.comment = b"PK\x05\x06".to_vec();
    });
    assert!(read_all(&harmless, &Limits::default()).is_ok());
}

/// A zip64 field with these values.
fn zip64(values: &[u64]) -> Vec<u8> {
    let mut extra = vec![1, 0, u8::try_from(values.len() * 8).unwrap(), 0];
    extra.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    extra
}

#[test]
fn long_sizes_have_one_reading() {
    let long = |member: &mut Raw| {
        (member.size, member.compressed_size) = (u32::MAX, u32::MAX);
        (member.local_size, member.local_compressed_size) = (u32::MAX, u32::MAX);
        (member.extra, member.local_extra) = (zip64(&[7, 7]), zip64(&[7, 7]));
    };
    assert_eq!(read_all(&changed(long), &Limits::default()).unwrap()[1], b"content");
    let local_only = |member: &mut Raw| {
        long(member);
        (member.size, member.compressed_size, member.extra) = (7, 7, Vec::new());
    };
    assert_eq!(read_all(&changed(local_only), &Limits::default()).unwrap()[1], b"content");
    for extra in [
        zip64(&[7]),
        zip64(&[7, 7, 7]),
        [zip64(&[7, 7]), zip64(&[7, 7])].concat(),
        [zip64(&[7, 7]), zip64(&[1, 1])].concat(),
        Vec::new(),
    ] {
        let central = problem_of(|member| {
            long(member);
            member.extra.clone_from(&extra);
        });
        assert_eq!(central, Problem::Unsound("a 64-bit size in its directory is malformed"), "{extra:?}");
        let local = problem_of(|member| {
            long(member);
            member.local_extra.clone_from(&extra);
        });
        assert!(matches!(local, Problem::HeadersDiffer { field: "size", .. }), "{extra:?} {local:?}");
    }
    // Not needed, so that only some readers look at it: it may only repeat what the header says.
    let repeated = changed(|member| (member.extra, member.local_extra) = (zip64(&[7]), zip64(&[7, 7])));
    assert_eq!(read_all(&repeated, &Limits::default()).unwrap()[1], b"content");
    for extra in [zip64(&[7, 8]), zip64(&[8, 7]), zip64(&[7, 7, 7, 7]), [zip64(&[7]), zip64(&[7])].concat()] {
        let found = problem_of(|member| member.extra.clone_from(&extra));
        assert_eq!(found, Problem::Unsound("a 64-bit size in its directory is malformed"), "{extra:?}");
        let found = problem_of(|member| member.local_extra.clone_from(&extra));
        assert_eq!(found, Problem::HeadersDiffer { name: "m".to_owned(), field: "size" }, "{extra:?}");
    }
    let found = problem_of(|member| {
        long(member);
        member.local_extra = zip64(&[7, 6]);
    });
    assert_eq!(found, Problem::HeadersDiffer { name: "m".to_owned(), field: "size" });
}

#[test]
fn members_that_are_not_written_are_compared_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut disguised = Raw::new("folder/", b"");
    disguised.local_name = b"evil.py".to_vec();
    let path = write(folder.path(), &zip(&[Raw::new("m", b"x"), disguised]));
    let archive = Archive::open(&path, "test.zip", &Limits::default()).unwrap();
    let target = Target { member: 0, path: "out".to_owned(), mode: 0o644, other_digest: None, words: &[] };
    let error = archive.unpack(folder.path(), &[target], &[]).unwrap_err();
    assert_eq!(error.to_string(), "`test.zip` describes `folder/` in two different ways: its name differs");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn execution_bits_need_a_regular_file() {
    let folder = tempfile::tempdir().unwrap();
    let modes = [(0o100_755, true), (0o100_644, false), (0o755, false), (0o104_711, true)];
    let members = modes.map(|(mode, _)| {
        let mut member = Raw::new(&format!("{mode:o}"), b"");
        member.attributes = mode << 16;
        member
    });
    let path = write(folder.path(), &zip(&members));
    let archive = Archive::open(&path, "test.zip", &Limits::default()).unwrap();
    let found: Vec<bool> = archive.members().iter().map(|member| member.executable).collect();
    assert_eq!(found, modes.map(|(_, executable)| executable));
}

/// A hardlink stands for a file system that ignores case.
#[test]
fn names_that_are_one_to_the_file_system_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pkg");
    fs::create_dir(&path).unwrap();
    fs::write_new(&path.join("README"), b"", 0o644).unwrap();
    fs::write_new(&path.join("other"), b"", 0o644).unwrap();
    fs::hard_link(&path.join("README"), &path.join("readme")).unwrap();
    let names = ["pkg/other", "pkg/readme", "pkg/missing", "pkg/README"];
    let find = |name| case_collision::find(folder.path(), name, names.into_iter());
    let (name, other) = ("pkg/readme".to_owned(), "pkg/README".to_owned());
    assert_eq!(find("pkg/readme"), Some(Problem::Clash { name, other }));
    assert_eq!(find("pkg/other"), None);
    assert_eq!(find("pkg/missing"), None);
    let both = zip(&[Raw::new("pkg/README", b"1"), Raw::new("pkg/readme", b"2")]);
    assert_eq!(read_all(&both, &Limits::default()).unwrap(), [b"1", b"2"]);
}

#[test]
fn damaged_content_is_found() {
    let damaged = |content: &[u8]| match read_all(content, &Limits::default()) {
        Err(Error::Member { member, source, .. }) => {
            assert_eq!(member, "m");
            source.to_string()
        }
        other => panic!("{other:?}"),
    };
    damaged(&changed(|member| member.data[0] ^= 1));
    damaged(&changed(|member| (member.crc32, member.local_crc32) = (7, 7)));
    // Declared longer and shorter than the data is.
    damaged(&changed(|member| (member.size, member.local_size) = (6, 6)));
    let found = problem_of(|member| (member.size, member.local_size) = (8, 8));
    assert_eq!(found, Problem::Size { name: "m".to_owned(), declared: 8, actual: 7 });
    let found =
        read_all(&changed(|member| (member.method, member.local_method) = (8, 8)), &Limits::default());
    let error = found.unwrap_err();
    assert_eq!(error.to_string(), "`test.zip` has a damaged member `m`");
    assert!(error.source().is_some());
}

#[test]
fn every_truncation_is_called_incomplete() {
    let content = changed(|member| *member = member.clone().streamed(true, false));
    for length in 0..content.len() {
        let error = read_all(&content[..length], &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "`test.zip` is not a complete archive", "{length}");
        assert!(error.hint().is_some());
    }
}

/// An archive made by the zip library, deflated.
fn deflated(members: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn limits_are_kept() {
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let three = zip(&[Raw::new("a/b/c/d", b"1234"), Raw::new("m", b"1234"), Raw::new("n", b"1234")]);
    assert_eq!(problem_within(&three, &limits(|limits| limits.members = 2)), Problem::TooMany(2));
    assert!(read_all(&three, &limits(|limits| limits.members = 3)).is_ok());
    let deep = zip(&[Raw::new("a/b/c/d/e", b"")]);
    assert_eq!(problem_within(&deep, &limits(|limits| limits.members = 3)), Problem::TooMany(3));
    let found = problem_within(&three, &limits(|limits| limits.unpacked_size = 11));
    assert_eq!(found, Problem::TooLarge { name: "n".to_owned(), limit: 11 });
    // (No limit on memory can be below the size of the directory.)
    let big = zip(&[Raw::new("m", &[0; 500])]);
    let found = problem_within(&big, &limits(|limits| limits.in_memory = 499));
    assert_eq!(found, Problem::TooLarge { name: "m".to_owned(), limit: 499 });
    let bomb = deflated(&[("zeros", &vec![0; 1 << 20])]);
    assert!(bomb.len() < 4096);
    // However well it is compressed: its directory says how large it is, and no more comes out.
    assert_eq!(read_all(&bomb, &limits(|limits| limits.ratio_from = 1)).unwrap()[0].len(), 1 << 20);
}

#[test]
fn a_bomb_with_a_small_declared_size_stops_at_it() {
    let mut bomb = deflated(&[("zeros", &vec![0; 1 << 24])]);
    // The size is at 22 in the local header and at 24 in the directory's.
    let directory = bomb.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    for place in [22, directory + 24] {
        bomb[place..place + 4].copy_from_slice(&1000_u32.to_le_bytes());
    }
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(&write(folder.path(), &bomb), "test.zip", &Limits::default()).unwrap();
    let target =
        Target { member: 0, path: "out/zeros".to_owned(), mode: 0o644, other_digest: None, words: &[] };
    let error = archive.unpack(folder.path(), &[target], &[]).unwrap_err();
    assert!(matches!(error, Error::Member { .. }), "{error:?}");
    let written = fs::metadata(&folder.path().join("out/zeros")).map_or(0, |metadata| metadata.len());
    assert!(written <= 1000, "{written}");
}

#[test]
fn unpacking_is_complete_and_hashed() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> =
        (0..300).map(|number| format!("d{}/e{}/f{number}", number % 7, number % 3)).collect();
    let contents: Vec<Vec<u8>> = (0..300_usize)
        .map(|number| {
            (0..if number == 7 { 9_000_000 } else { number * 17 })
                .map(|byte| u8::try_from(byte % 251).unwrap())
                .collect()
        })
        .collect();
    let members: Vec<(&str, &[u8])> =
        names.iter().map(String::as_str).zip(contents.iter().map(Vec::as_slice)).collect();
    let path = write(folder.path(), &deflated(&members));
    let archive = Archive::open(&path, "test.zip", &Limits::default()).unwrap();
    // In another order than they are in.
    let targets: Vec<Target> = (0..300)
        .rev()
        .map(|member| Target {
            member,
            path: format!("out/{}", names[member]),
            mode: if member % 2 == 0 { 0o444 } else { 0o555 },
            other_digest: (member % 5 == 0).then_some(HashAlgorithm::Sha512),
            words: &[],
        })
        .collect();
    let written = archive.unpack(folder.path(), &targets, &["empty/inside".to_owned()]).unwrap();
    assert!(fs::metadata(&folder.path().join("empty/inside")).unwrap().is_dir());
    for (target, written) in targets.iter().zip(&written) {
        let content = &contents[target.member];
        let path = folder.path().join(&target.path);
        assert_eq!(&fs::read(&path).unwrap(), content);
        assert_eq!(written.size, content.len() as u64);
        assert_eq!(written.sha256, <[u8; 32]>::from(Sha256::digest(content)));
        let sha512 = (target.member % 5 == 0).then(|| Sha512::digest(content).to_vec());
        assert_eq!(written.other_digest, sha512);
        let mode = mode(&path);
        assert_eq!(mode & 0o500, target.mode & 0o500, "{mode:o}");
        assert_eq!(mode & 0o222, 0, "{mode:o}");
    }
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode()
}

#[test]
fn unpacking_writes_over_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &zip(&[Raw::new("m", b"new")]));
    let archive = Archive::open(&path, "test.zip", &Limits::default()).unwrap();
    let outside = folder.path().join("outside");
    fs::write_new(&outside, b"old", 0o644).unwrap();
    fs::symlink(&outside, &folder.path().join("m")).unwrap();
    let target = Target { member: 0, path: "m".to_owned(), mode: 0o644, other_digest: None, words: &[] };
    let error = archive.unpack(folder.path(), std::slice::from_ref(&target), &[]).unwrap_err();
    assert!(matches!(&error, Error::Path(error) if error.already_exists()), "{error:?}");
    assert_eq!(fs::read(&outside).unwrap(), b"old");
    fs::symlink(folder.path(), &folder.path().join("link")).unwrap();
    let through = Target { path: "link/n".to_owned(), ..target };
    assert!(archive.unpack(folder.path(), &[through], &[]).is_err());
    assert!(!folder.path().join("n").exists());
}
