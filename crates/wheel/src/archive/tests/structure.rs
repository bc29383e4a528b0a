//! The records of a zip archive: what is said twice agrees, and nothing lies between them.

use super::*;

#[test]
fn local_headers_must_agree_with_the_directory() {
    let differs = |change: &dyn Fn(&mut Raw)| match problem_of(change) {
        Problem::HeadersDiffer { name, field } => {
            assert!(name.starts_with('m'), "{name}");
            field
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(differs(&|member| member.local_name = b"n".to_vec()), "name");
    assert_eq!(differs(&|member| member.local_method = 8), "compression method");
    assert_eq!(differs(&|member| member.local_flags |= 1), "encryption");
    assert_eq!(differs(&|member| member.local_size += 1), "size");
    assert_eq!(differs(&|member| member.local_compressed_size += 1), "size");
    assert_eq!(differs(&|member| member.local_size = u32::MAX), "size");
    assert_eq!(differs(&|member| member.local_crc32 ^= 1), "checksum");
    let second_name = |name: &[u8]| {
        let mut extra = vec![0x75, 0x70, u8::try_from(5 + name.len()).unwrap(), 0, 1];
        extra.extend_from_slice(&crc32(b"m").to_le_bytes());
        extra.extend_from_slice(name);
        extra
    };
    assert_eq!(differs(&|member| member.extra = second_name(b"evil")), "second name");
    assert_eq!(differs(&|member| member.local_extra = second_name(b"evil")), "second name");
    let unicode = |member: &mut Raw| {
        member.name = "mü".as_bytes().to_vec();
        member.local_name.clone_from(&member.name);
        member.local_flags = 0;
    };
    assert_eq!(differs(&unicode), "encoding");
}

#[test]
fn members_fill_the_archive_without_overlap_or_gap() {
    assert_eq!(problem_of(|member| member.after = b"unnamed".to_vec()), Problem::Gap("m".to_owned()));
    // A whole local file that the directory does not name.
    let hidden = parts(&[Raw::new("hidden", b"x")]).locals;
    assert_eq!(problem_of(|member| member.after.clone_from(&hidden)), Problem::Gap("m".to_owned()));
    let mut twin = Raw::new("m", b"content");
    twin.place = Some(0);
    twin.local_name = b"n".to_vec();
    assert!(matches!(problem(&zip(&[Raw::new("m", b"content"), twin])), Problem::Duplicate(_)));
    let mut inside = Raw::new("n", b"");
    inside.place = Some(31);
    assert!(matches!(problem(&zip(&[Raw::new("m", b"content"), inside])), Problem::Gap(_)));
    assert_eq!(problem_of(|member| member.place = Some(3)), Problem::Gap("before".to_owned()));
    let mut first = Raw::new("m", b"x");
    first.place = Some(1);
    assert!(matches!(problem(&zip(&[first])), Problem::Unsound(_)));
    let Parts { locals, directory, count } = parts(&[Raw::new("m", b"x")]);
    let directory_size = u32::try_from(directory.len()).unwrap();
    let start = u32::try_from(locals.len()).unwrap();
    let prefixed =
        [b"#!/bin/sh\n", &locals[..], &directory, &end(count, directory_size, start, b"")].concat();
    assert!(matches!(problem(&prefixed), Problem::Unsound(_)));
    let gap = [&locals[..], b"gap", &directory, &end(count, directory_size, start + 3, b"")].concat();
    assert_eq!(problem(&gap), Problem::Gap("m".to_owned()));
}

#[test]
fn there_is_one_end() {
    let sound = zip(&[Raw::new("m", b"x")]);
    assert_eq!(problem(&[&sound[..], b"!"].concat()), Problem::TrailingData);
    assert_eq!(
        problem(&[&sound[..], &sound].concat()),
        Problem::Unsound("its directory does not end where its end record begins")
    );
    // An archive in the comment of another.
    let smuggled = zip_with_comment(&[Raw::new("n", b"x")], &sound);
    assert!(matches!(problem(&smuggled), Problem::Unsound(_)));
    let end_in_comment = zip_with_comment(&[Raw::new("n", b"x")], b"PK\x05\x06");
    assert_eq!(problem(&end_in_comment), Problem::Incomplete);
    for empty in [&b""[..], b"PK\x05\x06", b"not a zip archive at all", &end(0, 0, 0, b"")] {
        assert!(matches!(problem(empty), Problem::Incomplete | Problem::Unsound("it is empty")));
    }
}

#[test]
fn the_directory_must_be_what_the_end_record_says() {
    let Parts { locals, directory, count } = parts(&[Raw::new("m", b"x"), Raw::new("n", b"y")]);
    let start = u32::try_from(locals.len()).unwrap();
    let size = u32::try_from(directory.len()).unwrap();
    let with_end = |end: Vec<u8>| [&locals[..], &directory, &end].concat();
    assert!(read_all(&with_end(end(count, size, start, b"")), &Limits::default()).is_ok());
    for (count, size, start) in [
        (count + 1, size, start),
        (count - 1, size, start),
        (u16::MAX, size, start),
        (count, size - 1, start),
        (count, size - 1, start + 1),
        (count, size, start + 1),
        (count, size + start, 0),
        (count, u32::MAX, start),
        (count, size, u32::MAX),
        (0, 0, start + size),
    ] {
        let found = problem(&with_end(end(count, size, start, b"")));
        assert!(matches!(found, Problem::Unsound(_) | Problem::Incomplete), "{found:?}");
    }
}

#[test]
fn zip64_end_records_are_read_and_compared() {
    let Parts { locals, directory, count } = parts(&[Raw::new("m", b"x")]);
    let (start, size) = (locals.len() as u64, directory.len() as u64);
    let build = |long: Vec<u8>, short: Vec<u8>| [&locals[..], &directory, &long, &short].concat();
    let sound = end64(1, size, start, start + size);
    let unknown = end(u16::MAX, u32::MAX, u32::MAX, b"");
    assert_eq!(read_all(&build(sound.clone(), unknown.clone()), &Limits::default()).unwrap(), [b"x"]);
    let same = end(count, u32::try_from(size).unwrap(), u32::try_from(start).unwrap(), b"");
    assert!(read_all(&build(sound.clone(), same), &Limits::default()).is_ok());
    let other = end(count, u32::try_from(size).unwrap(), 0, b"");
    assert!(matches!(problem(&build(sound, other)), Problem::Unsound("its two end records differ")));
    for long in [
        end64(2, size, start, start + size),
        end64(1, size, start + 1, start + size),
        end64(1, size + 1, start, start + size),
        end64(1, u64::MAX, u64::MAX, start + size),
        end64(u64::MAX, size, start, start + size),
        end64(1, size, start, start + size - 1),
        end64(1, size, start, u64::MAX),
    ] {
        let found = problem(&build(long, unknown.clone()));
        assert!(
            matches!(found, Problem::Unsound(_) | Problem::Incomplete | Problem::TooMany(_)),
            "{found:?}"
        );
    }
}

#[test]
fn descriptors_are_compared() {
    for (signed, long) in [(false, false), (true, false), (false, true), (true, true)] {
        let streamed = |change: fn(&mut Raw)| {
            let mut member = Raw::new("m", b"content").streamed(signed, long);
            change(&mut member);
            zip(&[member, Raw::new("after", b"")])
        };
        assert_eq!(read_all(&streamed(|_| {}), &Limits::default()).unwrap()[0], b"content");
        let place = if signed { 4 } else { 0 };
        for wrong in [place, place + 4, if long { place + 12 } else { place + 8 }] {
            let mut content = streamed(|_| {});
            content[30 + 1 + 7 + wrong] ^= 1;
            assert_eq!(
                problem(&content),
                Problem::HeadersDiffer { name: "m".to_owned(), field: "data descriptor" }
            );
        }
        assert_eq!(problem(&streamed(|member| member.after.clear())), Problem::Gap("m".to_owned()));
        assert_eq!(problem(&streamed(|member| member.after.push(0))), Problem::Gap("m".to_owned()));
    }
}
