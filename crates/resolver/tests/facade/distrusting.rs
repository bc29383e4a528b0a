//! Indexes that lie, or answer without end.

use virtpy_resolver::{Error, IndexSettings};

use crate::index::{Format, Hosted, sha256};
use crate::world::{World, pins, told, wheel, wheel_name};

/// The metadata of `lib` with some headers.
fn metadata(version: &str, headers: &str) -> String {
    format!("Metadata-Version: 2.1\nName: lib\nVersion: {version}\n{headers}")
}

/// Hosts `lib`, whose wheel requires nothing, with metadata of its own.
fn host(world: &World, version: &str, headers: &str, hash: Option<&str>) {
    world.host_as("lib", version, &[], |file| {
        file.metadata = Some((metadata(version, headers), hash.map(str::to_owned)));
    });
}

fn world(format: Format) -> World {
    let world = World::with(format);
    world.host("evil", "1.0", &[]);
    world
}

#[test]
fn metadata_has_to_have_the_hash_that_the_page_gives() {
    for format in [Format::Json, Format::Html] {
        let world = world(format);
        host(&world, "1.0", "", Some(&sha256(metadata("1.0", "").as_bytes())));
        assert_eq!(pins(&world.resolve(&["lib"]).unwrap()), ["lib 1.0"]);
        assert_eq!(world.index.downloads(&format!("{}.metadata", wheel_name("lib", "1.0"))), 1);
        assert_eq!(world.index.downloads(&wheel_name("lib", "1.0")), 0);
        // The other metadata is never looked at.
        host(&world, "2.0", "Requires-Dist: evil\n", Some(&sha256(metadata("2.0", "").as_bytes())));
        let error = world.resolve(&["lib"]).unwrap_err();
        assert!(matches!(error, Error::Hash { .. }), "{error:?}");
        assert!(told(&error).contains("lib-2.0-py3-none-any.whl.metadata"), "{}", told(&error));
        assert_eq!(world.index.downloads(&wheel_name("evil", "1.0")), 0);
    }
}

#[test]
fn the_hash_is_known_as_well_where_the_page_was_cached() {
    let world = world(Format::Json);
    world.index.set_max_age(600);
    for version in ["1.0", "2.0"] {
        host(&world, version, "", Some(&sha256(metadata(version, "").as_bytes())));
    }
    assert_eq!(pins(&world.resolve(&["lib"]).unwrap()), ["lib 2.0"]);
    world.index.clear("lib");
    host(&world, "1.0", "Requires-Dist: evil\n", None);
    let error = world.resolve(&["lib==1.0"]).unwrap_err();
    assert!(matches!(error, Error::Hash { .. }), "{error:?}");
    let pages = world.index.seen().iter().filter(|seen| seen.path == "/simple/lib/").count();
    assert_eq!(pages, 1, "the page was fetched again, so that this shows nothing");
}

#[test]
fn what_a_wheel_says_itself_is_compared_with_what_it_was_chosen_by() {
    for (headers, said) in [
        ("Requires-Dist: evil\n", "it requires `evil`, which the wheel does not"),
        ("Requires-Python: >=3\n", "it asks for Python >=3, the wheel for any Python"),
    ] {
        let world = world(Format::Json);
        host(&world, "1.0", headers, None);
        let resolution = world.resolve(&["lib"]).unwrap();
        let lib = resolution.packages.iter().position(|package| package.name == "lib").unwrap();
        assert_eq!(resolution.metadata_sha256(lib), None);
        resolution.check_metadata(lib, metadata("1.0", headers).as_bytes()).unwrap();
        let error = resolution.check_metadata(lib, metadata("1.0", "").as_bytes()).unwrap_err();
        assert!(told(&error).contains(said), "{}", told(&error));
    }
}

#[test]
fn with_a_hash_the_metadata_need_not_be_read() {
    let world = world(Format::Json);
    let hash = sha256(metadata("1.0", "").as_bytes());
    host(&world, "1.0", "", Some(&hash));
    assert_eq!(world.resolve(&["lib"]).unwrap().metadata_sha256(0), Some(hash.parse().unwrap()));
}

#[test]
fn a_lock_has_urls_without_additions() {
    let world = world(Format::Json);
    host(&world, "1.0", "", Some(&sha256(metadata("1.0", "").as_bytes())));
    let lock = virtpy_resolver::LockRequest {
        request: world.request(&["lib"]),
        form: virtpy_resolver::LockForm::Pylock,
        universal: true,
        requires_python: None,
        folder: world.path("."),
        existing: None,
        asks_all: false,
    };
    let text = world.session().lock(&lock).unwrap().text;
    assert!(text.contains(&world.index.file_url("lib", &wheel_name("lib", "1.0"))), "{text}");
    assert!(!text.contains('#'), "{text}");
}

fn limited(world: &World, change: impl FnOnce(&mut IndexSettings)) -> Error {
    let mut settings = world.settings();
    change(&mut settings);
    let session = world.session_with(settings);
    world.obtain(&session, &world.request(&["lib"])).unwrap_err()
}

#[test]
fn a_page_without_end_is_given_up() {
    for compressed in [false, true] {
        let world = World::new();
        let page = vec![b' '; 3_000_000];
        if compressed {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            std::io::Write::write_all(&mut packer, &page).unwrap();
            let head = "Content-Type: text/html\r\nContent-Encoding: gzip\r\n";
            world.index.answer_raw("/simple/lib/", head, &packer.finish().unwrap(), None);
        } else {
            world.index.answer_raw("/simple/lib/", "Content-Type: text/html\r\n", &page, None);
        }
        let error = limited(&world, |settings| settings.max_page_size = 1_000_000);
        assert!(told(&error).contains("`index.max-page-size`"), "{}", told(&error));
    }
}

#[test]
fn a_compressed_page_is_read() {
    let world = world(Format::Json);
    let body = format!("<a href=\"/files/lib/{0}\">{0}</a>", wheel_name("lib", "1.0"));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packer, body.as_bytes()).unwrap();
    world.host("lib", "1.0", &[]);
    let head = "Content-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\n";
    world.index.answer_raw("/simple/lib/", head, &packer.finish().unwrap(), None);
    assert_eq!(pins(&world.resolve(&["lib"]).unwrap()), ["lib 1.0"]);
}

#[test]
fn a_file_without_end_is_given_up_at_once() {
    let world = World::new();
    let bytes = wheel("lib", "1.0", &[]);
    let mut file = Hosted::new(&wheel_name("lib", "1.0"), &bytes);
    file.metadata = Some((metadata("1.0", ""), None));
    file.size = Some(2_000_000);
    world.index.add("lib", file);
    let path = format!("/files/lib/{}", wheel_name("lib", "1.0"));
    world.index.answer_raw(&path, "Content-Type: application/zip\r\n", &vec![0; 2_000_000], None);
    let error = limited(&world, |settings| settings.max_file_size = 1_000_000);
    assert!(matches!(error, Error::Transfer { .. }), "{error:?}");
    assert!(told(&error).contains("`index.max-file-size`"), "{}", told(&error));
    assert_eq!(world.index.downloads(&wheel_name("lib", "1.0")), 1);
}

#[test]
fn what_only_drips_is_given_up() {
    let world = World::new();
    world.index.answer_raw("/simple/lib/", "Content-Type: text/html\r\n", &[b' '; 1000], Some(50));
    let started = std::time::Instant::now();
    let error = limited(&world, |settings| settings.timeout = std::time::Duration::from_secs(3));
    assert!(told(&error).contains("too slow"), "{}", told(&error));
    assert!(started.elapsed().as_secs() < 15, "{:?}", started.elapsed());
}

#[test]
fn a_file_that_makes_no_sense_does_not_spoil_the_page() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    let name = wheel_name("lib", "1.0");
    let page = serde_json::json!({"files": [
        {"filename": name, "url": format!("/files/lib/{name}"), "hashes": {}, "size": null, "yanked": "",
         "upload-time": "2024-01-01T00:00:00"},
        {"filename": wheel_name("lib", "2.0"), "url": "git+https://host.example/lib", "hashes": {}},
        {"filename": wheel_name("other", "3.0"), "url": "/files/lib/x.whl", "hashes": {}},
        null,
    ]});
    let head = "Content-Type: application/vnd.pypi.simple.v1+json\r\n";
    world.index.answer_raw("/simple/lib/", head, page.to_string().as_bytes(), None);
    let resolution = world.resolve(&["lib"]).unwrap();
    assert_eq!(pins(&resolution), ["lib 1.0"]);
    assert!(resolution.notes.iter().any(|note| note.contains("lib-2.0")), "{:?}", resolution.notes);
    // Where nothing else is left, it is told why.
    let page = serde_json::json!({"files": [
        {"filename": name, "url": "git+https://host.example/lib", "hashes": {}},
    ]});
    world.index.answer_raw("/simple/lib/", head, page.to_string().as_bytes(), None);
    let error = world.resolve(&["lib"]).unwrap_err();
    assert!(told(&error).contains("may not lead to `git+https:`"), "{}", told(&error));
}
