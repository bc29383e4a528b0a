//! Plain files, from several threads at once.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use virtpy_pep::Sha256Digest;
use virtpy_resolver::{Body, Error, IndexSettings, Transfer};

use crate::index::{Hosted, sha256};
use crate::world::{World, told};

/// A world with a file of 300,000 bytes on its index.
fn hosting() -> (World, Vec<u8>) {
    let world = World::new();
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    world.index.add("big", Hosted::new("big.tar.gz", &bytes));
    (world, bytes)
}

fn transfer(world: &World) -> Transfer {
    Transfer::new(&world.settings(), "virtpy-test/1")
}

#[test]
fn a_file_arrives_hashed_and_is_reported() {
    let (world, bytes) = hosting();
    let url = world.index.file_url("big", "big.tar.gz");
    let target = world.path("target");
    let heard = Mutex::new(Vec::new());
    let progress = |count, total| heard.lock().unwrap().push((count, total));
    let hash = sha256(&bytes);
    let came = transfer(&world).file(&url, &target, Some(hash.parse().unwrap()), &progress).unwrap();
    assert_eq!((came.sha256.to_string(), came.size), (hash, 300_000));
    assert_eq!(fs::read(&target).unwrap(), bytes);
    let heard = heard.into_inner().unwrap();
    assert_eq!(heard.first(), Some(&(0, Some(300_000))));
    assert_eq!(heard.last(), Some(&(300_000, Some(300_000))));
    assert_eq!(world.index.seen()[0].headers["user-agent"], "virtpy-test/1");
    let text = transfer(&world).text(&url, 300_000).unwrap();
    assert_eq!(text, bytes);
    assert!(!std::path::Path::new("unused").exists(), "a folder for a cache was made");
}

#[test]
fn several_threads_share_it() {
    let (world, bytes) = hosting();
    let transfer = transfer(&world);
    let url = world.index.file_url("big", "big.tar.gz");
    thread::scope(|scope| {
        for number in 0..8 {
            let (transfer, url, target) = (&transfer, &url, world.path(&format!("target{number}")));
            scope.spawn(move || transfer.file(url, &target, None, &|_, _| {}).unwrap());
        }
    });
    for number in 0..8 {
        assert_eq!(fs::read(world.path(&format!("target{number}"))).unwrap(), bytes);
    }
}

#[test]
fn a_broken_connection_is_begun_again() {
    let (world, bytes) = hosting();
    let url = world.index.file_url("big", "big.tar.gz");
    world.index.break_transfers("big", 2);
    transfer(&world)
        .file(&url, &world.path("target"), Some(sha256(&bytes).parse().unwrap()), &|_, _| {})
        .unwrap();
    world.index.break_transfers("big", 2);
    assert_eq!(transfer(&world).text(&url, 1 << 20).unwrap(), bytes);
    world.index.break_transfers("big", 100);
    for error in [
        transfer(&world).file(&url, &world.path("target"), None, &|_, _| {}).unwrap_err(),
        transfer(&world).text(&url, 1 << 20).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Transfer { .. }), "{error:?}");
        assert!(told(&error).contains("the file of `big.tar.gz` did not arrive"), "{}", told(&error));
    }
}

/// Streams and returns all that came.
fn streamed(transfer: &Transfer, url: &str, hash: &str) -> Result<Vec<u8>, Error> {
    let read = |body: &mut Body| {
        let mut content = Vec::new();
        body.read_to_end(&mut content).unwrap();
        content
    };
    let (content, came) = transfer.stream(url, hash.parse().unwrap(), &|_, _| {}, read)?;
    assert_eq!((came.sha256.to_string().as_str(), came.size), (hash, content.len() as u64));
    Ok(content)
}

#[test]
fn a_stream_gives_every_byte_once() {
    let (world, bytes) = hosting();
    let url = world.index.file_url("big", "big.tar.gz");
    let (transfer, hash) = (transfer(&world), sha256(&bytes));
    assert_eq!(streamed(&transfer, &url, &hash).unwrap(), bytes);
    world.index.break_transfers("big", 2);
    assert_eq!(streamed(&transfer, &url, &hash).unwrap(), bytes);
    // Who stops reading does not stop the transfer.
    let (first, came) = transfer
        .stream(&url, hash.parse().unwrap(), &|_, _| {}, |body| body.read(&mut [0; 7]).unwrap())
        .unwrap();
    assert_eq!((first, came.size), (7, 300_000));
    let wrong = streamed(&transfer, &url, &"0".repeat(64)).unwrap_err();
    assert!(matches!(wrong, Error::Hash { .. }) && told(&wrong).contains(&hash), "{}", told(&wrong));
    world.index.break_transfers("big", 100);
    let error = streamed(&transfer, &url, &hash).unwrap_err();
    assert!(matches!(error, Error::Transfer { .. }), "{error:?}");
}

#[test]
fn a_stream_of_two_files_is_neither() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x.tar.gz", listener.local_addr().unwrap());
    thread::spawn(move || {
        // The connection breaks after half of a file, and then another one is there.
        for (stream, body) in listener.incoming().flatten().zip(["aaaaa", "bbbbbbbbbb"]) {
            let mut stream = stream;
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap_or(0) > 2 {
                line.clear();
            }
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n";
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
    });
    let error = streamed(&transfer(&World::new()), &url, &sha256(b"bbbbbbbbbb")).unwrap_err();
    assert!(matches!(error, Error::Hash { .. }), "{error:?}");
    assert!(told(&error).contains(&sha256(b"aaaaabbbbb")), "{}", told(&error));
}

#[test]
fn what_does_not_come_is_told() {
    let (world, bytes) = hosting();
    let url = world.index.file_url("big", "big.tar.gz");
    let missing = world.index.file_url("big", "small.tar.gz");
    let transfer = transfer(&world);
    let none = |_, _| {};
    let file = |url: &str, hash: Option<Sha256Digest>| {
        told(&transfer.file(url, &world.path("target"), hash, &none).unwrap_err())
    };
    assert!(file(&missing, None).contains("HTTP status 404"));
    let wrong = file(&url, Some([0; 32].into()));
    assert!(
        wrong.contains("the hash of `big.tar.gz` is not the expected one") && wrong.contains(&sha256(&bytes))
    );
    assert!(file("http://127.0.0.1:1/x", None).contains("could not reach `127.0.0.1:1`"));
    assert!(file("no url", None).contains("could not fetch `no url`"));
    let large = told(&transfer.text(&url, 299_999).unwrap_err());
    assert!(large.contains("more than 299999 bytes"), "{large}");
    assert_eq!(world.index.downloads("big.tar.gz"), 2, "a hopeless request was repeated");
    let offline = Transfer::new(&IndexSettings { offline: true, ..world.settings() }, "virtpy-test/1");
    for error in [
        offline.text(&url, 1).unwrap_err(),
        offline.file(&url, &world.path("target"), None, &none).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Offline { .. }), "{error:?}");
    }
    assert_eq!(world.index.downloads("big.tar.gz"), 2);
}

#[test]
fn a_body_without_an_end_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/endless", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap_or(0) > 2 {
                line.clear();
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        }
    });
    let world = World::new();
    let error = transfer(&world).text(&url, 100_000).unwrap_err();
    assert!(told(&error).contains("more than 100000 bytes"), "{}", told(&error));
}

#[test]
fn a_silent_server_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/silent", listener.local_addr().unwrap());
    let held = thread::spawn(move || listener.incoming().take(1).flatten().collect::<Vec<_>>());
    let world = World::new();
    let settings = IndexSettings { timeout: Duration::from_millis(300), ..world.settings() };
    let begun = Instant::now();
    let error = Transfer::new(&settings, "virtpy-test/1").text(&url, 100).unwrap_err();
    assert!(matches!(error, Error::Network { status: None, .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    drop(held);
}
