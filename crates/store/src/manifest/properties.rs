//! What holds of every `entry.json`: it is read as it was written, and a damaged one is an error at most.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use virtpy_wheel::{InstalledFile, RecordDigest, ScriptFile, SearchingFolder};

use super::*;

fn paths() -> impl Strategy<Value = String> {
    vec("[a-zü_ \"\\\\.-]{1,6}", 1..4).prop_map(|parts| parts.join("/"))
}

fn files(most: usize) -> impl Strategy<Value = Vec<InstalledFile>> {
    let file = (paths(), any::<[u8; 8]>(), any::<u64>(), any::<bool>());
    vec(file, 0..=most).prop_map(|files| {
        let file = |(path, content, size, executable): (String, [u8; 8], u64, bool)| InstalledFile {
            path,
            sha256: RecordDigest::of(content),
            size: size >> 8,
            executable,
        };
        files.into_iter().map(file).collect()
    })
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec("\\PC{0,12}", 0..3)
}

fn libraries() -> impl Strategy<Value = Libraries> {
    let searching = (paths(), texts(), any::<bool>(), texts())
        .prop_map(|(folder, wanted, climbs, reaches)| SearchingFolder { folder, wanted, climbs, reaches });
    (texts(), vec(searching, 0..2)).prop_map(|(provided, searching)| Libraries { provided, searching })
}

fn manifests() -> impl Strategy<Value = Manifest> {
    let names = ("[A-Za-z][A-Za-z0-9._-]{0,8}", "\\PC{1,8}", texts(), any::<bool>());
    let trees = (files(6), files(2), files(1), files(2), any::<bool>());
    let facts = (texts(), option::of("\\PC{0,8}"), texts(), libraries(), texts(), texts());
    (names, trees, facts).prop_map(
        |(
            (name, version, tags, root_is_purelib),
            (site, data, headers, scripts, python),
            (requires_dist, requires_python, provides_extra, libraries, climbing_folders, climbing_files),
        )| {
            Manifest::in_memory(Unpacked {
                dist_info: format!("{name}-{version}.dist-info"),
                entry_points: vec![EntryPoint {
                    name: version.clone(),
                    module: name.clone(),
                    attribute: "main".to_owned(),
                    gui: python,
                }],
                scripts: scripts.into_iter().map(|file| ScriptFile { file, python }).collect(),
                climbing: Climbing {
                    folders: climbing_folders.into_iter().collect(),
                    files: climbing_files.into_iter().collect(),
                },
                name,
                version,
                tags,
                root_is_purelib,
                site,
                data,
                headers,
                requires_dist,
                requires_python,
                provides_extra,
                libraries,
                warnings: Vec::new(),
            })
        },
    )
}

/// What `entry.json` has of it: the rows are another file.
fn without_rows(manifest: Manifest) -> Manifest {
    Manifest { site_rows: LazyText::default(), ..manifest }
}

proptest! {
    /// It is read as it was written, and so are the rows beside it.
    #[test]
    fn it_is_read_as_it_was_written(manifest in manifests()) {
        let text = serde_json::to_vec(&manifest).unwrap();
        prop_assert_eq!(Manifest::parse(&text).unwrap(), without_rows(manifest.clone()));
        let rows = manifest.rows().unwrap();
        prop_assert_eq!(wheel::write_record(&rows), manifest.site_rows().unwrap());
        for row in rows {
            let path = format!("site/{}", row.path);
            prop_assert!(manifest.has_file(&path), "{path}");
        }
    }

    /// One that was cut short is refused; one of which a byte was changed may be refused, and does no harm.
    #[test]
    fn a_damaged_one_is_an_error_at_most(manifest in manifests(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = serde_json::to_vec(&manifest).unwrap();
        let place = at.index(text.len());
        prop_assert!(Manifest::parse(&text[..place]).is_err());
        text[place] = byte;
        let _ = Manifest::parse(&text);
    }

    /// One of another format is refused as that, whatever else is in it.
    #[test]
    fn another_format_is_named(manifest in manifests(), format in any::<u32>(), drop_name in any::<bool>()) {
        prop_assume!(format != FORMAT);
        let mut value = serde_json::to_value(&manifest).unwrap();
        value["format"] = format.into();
        if drop_name {
            value.as_object_mut().unwrap().remove("name");
        }
        let error = Manifest::parse(value.to_string().as_bytes()).unwrap_err().to_string();
        prop_assert!(error.contains(&format!("it has format {format} and")), "{error}");
    }

    /// No text makes it panic.
    #[test]
    fn anything_else_is_refused(text in "\\PC{0,60}") {
        prop_assert!(Manifest::parse(text.as_bytes()).is_err());
    }
}
