//! Whatever happens to a signed object on its way, it is either what was signed or refused.

use proptest::prelude::*;

use crate::{BuildKey, BuildRecord, BytecodeArchive, BytecodeFile, BytecodeKey, PrivateKey};

fn signer() -> PrivateKey {
    PrivateKey::parse(&format!("virtpy-private-ed25519:{}", data_encoding::BASE64.encode(&[7; 32]))).unwrap()
}

fn record() -> impl Strategy<Value = BuildRecord> {
    let key = ("[ -~]{0,40}", "[ -~]{0,20}", "[ -~\n]{0,20}");
    let key = key.prop_map(|(source, interpreter, platform)| BuildKey { source, interpreter, platform });
    (key, any::<[u8; 32]>(), "[a-z][a-z0-9._-]{0,60}", any::<u64>()).prop_map(
        |(key, hash, filename, size)| BuildRecord { key, wheel_sha256: hash.into(), filename, size },
    )
}

fn archive() -> impl Strategy<Value = BytecodeArchive> {
    let file = ("[a-z/.]{1,20}", proptest::collection::vec(any::<u8>(), 0..200))
        .prop_map(|(source, content)| BytecodeFile { source, content });
    (proptest::collection::vec(file, 0..8), proptest::collection::vec("[a-z/.]{1,20}", 0..4))
        .prop_map(|(files, failed)| BytecodeArchive { files, failed })
}

fn key() -> BytecodeKey {
    BytecodeKey {
        wheel_sha256: [0xab; 32].into(),
        cache_tag: "cpython-312".to_owned(),
        magic: "cb0d0d0a".to_owned(),
    }
}

proptest! {
    #[test]
    fn a_record_is_read_as_it_was_written(record in record()) {
        let signer = signer();
        let object = record.encode(&signer);
        let read = BuildRecord::decode(&object, &record.name(), &[signer.public()]);
        prop_assert_eq!(read.as_ref(), Ok(&record));
    }

    #[test]
    fn a_changed_record_is_refused(record in record(), place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let signer = signer();
        let mut object = record.encode(&signer);
        let place = place.index(object.len());
        object[place] ^= 1 << bit;
        let read = BuildRecord::decode(&object, &record.name(), &[signer.public()]);
        prop_assert!(read.is_err(), "{:?}", read);
    }

    #[test]
    fn a_record_in_another_place_is_refused(one in record(), other in record()) {
        prop_assume!(one.key != other.key);
        let signer = signer();
        prop_assert!(one.name() != other.name());
        prop_assert!(BuildRecord::decode(&one.encode(&signer), &other.name(), &[signer.public()]).is_err());
    }

    #[test]
    fn an_archive_is_read_as_it_was_written(archive in archive()) {
        let signer = signer();
        let object = archive.encode(&key(), &signer).unwrap();
        let read = BytecodeArchive::decode(&object, &key().name(), &[signer.public()]);
        prop_assert_eq!(read.as_ref(), Ok(&archive));
    }

    #[test]
    fn a_changed_or_cut_archive_is_refused(
        archive in archive(),
        place in any::<prop::sample::Index>(),
        bit in 0..9_u8,
    ) {
        let signer = signer();
        let mut object = archive.encode(&key(), &signer).unwrap();
        let place = place.index(object.len());
        if bit == 8 { object.truncate(place) } else { object[place] ^= 1 << bit }
        let read = BytecodeArchive::decode(&object, &key().name(), &[signer.public()]);
        prop_assert!(read.is_err(), "{:?}", read);
    }

    #[test]
    fn whatever_comes_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let trusted = [signer().public()];
        prop_assert!(BuildRecord::decode(&bytes, "v1/builds/x", &trusted).is_err());
        prop_assert!(BytecodeArchive::decode(&bytes, &key().name(), &trusted).is_err());
    }
}

#[test]
fn what_stands_for_another_interpreter_is_refused() {
    let signer = signer();
    let archive = BytecodeArchive::default();
    let object = archive.encode(&key(), &signer).unwrap();
    for other in [
        BytecodeKey { magic: "f30d0d0a".to_owned(), ..key() },
        BytecodeKey { cache_tag: "cpython-313".to_owned(), ..key() },
        BytecodeKey { wheel_sha256: [0xcd; 32].into(), ..key() },
    ] {
        assert!(BytecodeArchive::decode(&object, &other.name(), &[signer.public()]).is_err());
    }
}
