//! Headers, what extends them, and the end of an archive: each has one reading.

use super::*;

#[test]
fn what_extends_a_header_agrees_with_it() {
    let differs = |members: &[Raw]| match problem(members) {
        Problem::HeadersDiffer { field, .. } => field,
        other => panic!("{other:?}"),
    };
    let prefixed = Raw::file("m", b"").with(|raw| raw.prefix = b"p".to_vec());
    assert_eq!(differs(&[Raw::pax(&[("path", "evil")]), prefixed]), "name");
    assert_eq!(differs(&[Raw::pax(&[("size", "512")]), Raw::file("m", b"1234")]), "size");
    assert_eq!(differs(&[Raw::pax(&[("size", "0")]), Raw::file("m", b"1234")]), "size");
    let after = |raw: Raw| [Raw::file("before", b"b").gnu(), raw, Raw::file("after", b"a").gnu()];
    let long = |kind: u8, member: Raw| {
        let [before, _, after] = after(member.clone());
        problem_of(&tar(&[before, Raw::long(kind, "evil"), member, after]))
    };
    assert!(matches!(long(b'L', Raw::file("m", b"").gnu()), Problem::HeadersDiffer { field: "name", .. }));
    assert!(matches!(long(b'K', Raw::link("m", "x").gnu()), Problem::HeadersDiffer { field: "target", .. }));
    let mixed = "it mixes the formats of GNU and POSIX";
    assert_eq!(unsound(&[Raw::pax(&[("path", "m")]), Raw::long(b'L', "m"), Raw::file("m", b"")]), mixed);
    assert_eq!(unsound(&[Raw::long(b'L', "m"), Raw::pax(&[("path", "m")]), Raw::file("m", b"")]), mixed);
    assert_eq!(unsound(&[Raw::new(b'L', "././@LongLink", b"m\0"), Raw::file("m", b"")]), mixed);
    assert_eq!(unsound(&[Raw::file("m", b"").gnu()]), mixed);
    for key in [("path", "m"), ("linkpath", "m"), ("size", "0")] {
        let global = Raw::new(b'g', "pax_global_header", record(key.0, key.1).as_bytes());
        assert_eq!(unsound(&[global]), "a global header names or resizes all members");
    }
    let twice = [Raw::pax(&[("path", "m")]), Raw::pax(&[("path", "n")]), Raw::file("m", b"")];
    assert_eq!(unsound(&twice), "a member is described twice");
    let before_end = [Raw::file("m", b""), Raw::pax(&[("path", "m")])];
    assert_eq!(problem_of(&tar(&before_end)), Problem::Unsound("an extended header extends nothing"));
    for text in ["", "a\0b", "\0"] {
        let [before, _, _] = after(Raw::file("m", b"").gnu());
        let found = problem_of(&tar(&[before, Raw::long(b'L', text), Raw::file("a", b"").gnu()]));
        assert_eq!(found, Problem::Unsound("a header has a name with a NUL in it"), "{text:?}");
    }
}

#[test]
fn extended_headers_are_well_formed() {
    let good = record("path", "m");
    for bad in [
        good.replace("9 ", "12 "),
        good.replace("9 ", "8 "),
        good.replace("9 ", "09 "),
        good.replace("9 ", "-9 "),
        good.replace("9 ", "99999999999999999999 "),
        good.trim_end().to_owned(),
        format!("{good}\0"),
        format!("{good}{good}"),
        format!("{good}{}", record("path", "n")),
        record("path", ""),
        record("size", ""),
        record("size", "-1"),
        record("size", "0x1"),
        record("size", "01"),
        record("size", "18446744073709551616"),
        record("path", "a\0b"),
        record("", "x"),
        "4 x\n".to_owned(),
        "0 ".to_owned(),
        " ".to_owned(),
    ] {
        let header = Raw::new(b'x', "x", bad.as_bytes());
        assert_eq!(unsound(&[header, Raw::file("m", b"")]), "an extended header is malformed", "{bad:?}");
    }
    let other = Raw::pax(&[("hdrcharset", "BINARY"), ("path", "m")]);
    assert_eq!(
        unsound(&[other, Raw::file("m", b"")]),
        "an extended header is in another encoding than UTF-8"
    );
}

#[test]
fn headers_have_one_reading() {
    let changed = |change: fn(&mut Raw)| unsound(&[Raw::file("m", b"1234").with(change)]);
    assert_eq!(changed(|raw| raw.checksum_error = 1), "a header has a wrong checksum");
    assert_eq!(changed(|raw| raw.identity = vec![0; 8]), "a header is of an unknown format");
    assert_eq!(changed(|raw| raw.identity = b"ustar\x0001".to_vec()), "a header is of an unknown format");
    assert_eq!(changed(|raw| raw.name = b"m\0n".to_vec()), "a header has a name with a NUL in it");
    assert_eq!(changed(|raw| raw.prefix = b"m\0n".to_vec()), "a header has a name with a NUL in it");
    let number = "a header has a field that is not a number";
    for size in
        [&b"-0000000004\0"[..], b"0o000000004\0", b"00000_000004", b"00000000008\0", b"4 4", b"\0", b"4\x004"]
    {
        let raw = Raw::file("m", b"1234").with(|raw| raw.size = size.to_vec());
        assert_eq!(unsound(&[raw]), number, "{size:?}");
    }
    let binary = |high: &[u8; 4], size: u64| [&high[..], &size.to_be_bytes()].concat();
    // A binary number is not POSIX; in the GNU family it must be a size.
    let posix = Raw::file("m", b"1234").with(|raw| raw.size = binary(&[0x80, 0, 0, 0], 4));
    assert_eq!(unsound(&[posix]), number);
    for size in [
        binary(&[0xff; 4], u64::MAX - 511),
        binary(&[0x80, 0, 0, 1], 4),
        binary(&[0x81, 0, 0, 0], 4),
        binary(&[0x80, 0, 0, 0], 1 << 63),
    ] {
        let raw = Raw::file("m", b"1234").gnu().with(|raw| raw.size = size);
        assert_eq!(problem_of(&tar(&[raw])), Problem::Unsound(number));
    }
    let times = Raw::file("m", b"").gnu().with(|raw| raw.prefix = b"00000000000\0".to_vec());
    assert_eq!(
        problem_of(&tar(&[times])),
        Problem::Unsound("a header has fields that readers disagree about")
    );
    let padded = Raw::file("m", b"1234").with(|raw| raw.padding = b'x');
    assert_eq!(unsound(&[padded]), "it has data between its members");
}

#[test]
fn there_is_one_end() {
    let members = [Raw::file("m", b"1234"), Raw::link("l", "m")];
    let sound = tar(&members);
    assert!(unpacked_as(&sound, Compression::None, &Limits::default()).is_ok());
    for length in (0..sound.len()).step_by(13).chain([511, 512, 513, sound.len() - 1]) {
        assert_eq!(problem_of(&sound[..length]), Problem::Incomplete, "{length}");
    }
    for after in [&b"!"[..], &sound, &[&[0; 512][..], &sound].concat()] {
        assert_eq!(problem_of(&[&sound[..], after].concat()), Problem::TrailingData);
    }
    let lone = [open(&members), vec![0; 512], sound.clone()].concat();
    assert_eq!(problem_of(&lone), Problem::TrailingData);
    assert_eq!(problem_of(b""), Problem::Incomplete);
}

#[test]
fn compressed_streams_end_with_the_file() {
    let sound = tar(&[Raw::file("m", &[7; 3000])]);
    let hidden = tar(&[Raw::file("hidden", b"x")]);
    let kinds: [(Compression, Compress); 3] =
        [(Compression::Gzip, gzip), (Compression::Bzip2, bzip2), (Compression::Zstandard, zstandard)];
    for (kind, compress) in kinds {
        let packed = compress(&sound);
        let unpacked = |archive: &[u8]| unpacked_as(archive, kind, &Limits::default());
        assert!(unpacked(&packed).is_ok(), "{kind:?}");
        for length in (0..packed.len()).step_by(3).chain([packed.len() - 1]) {
            let error = unpacked(&packed[..length]).unwrap_err();
            assert!(error.hint().is_some(), "{kind:?} {length} {error}");
        }
        for after in [&b"garbage, which is not a stream"[..], &compress(&hidden), &hidden] {
            assert!(unpacked(&[&packed[..], after].concat()).is_err(), "{kind:?}");
        }
        let mut damaged = packed.clone();
        let middle = packed.len() / 2;
        damaged[middle] ^= 0x55;
        assert!(unpacked(&damaged).is_err(), "{kind:?}");
        assert!(unpacked(&sound).is_err(), "{kind:?}");
    }
}
