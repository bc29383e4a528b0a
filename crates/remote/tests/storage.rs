//! A whole remote in a directory: what goes there comes back, and nothing else does.

#![allow(clippy::disallowed_methods, reason = "it plays the storage, and who tampers with it")]
#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use virtpy_files::digest::sha256;
use virtpy_pep::WheelHash;
use virtpy_remote::{
    Address, BuildKey, BuildRecord, BytecodeArchive, BytecodeFile, BytecodeKey, Condition, KeySource, Kind,
    NewObject, PrivateKey, PublicKey, Pushed, Remote, RemoteSettings, WantedWheel, WheelReceiver,
};

struct World {
    folder: tempfile::TempDir,
    key: PrivateKey,
}

/// Who waits for wheels and keeps what was said.
#[derive(Default)]
struct Heard(RefCell<Vec<usize>>);

impl WheelReceiver for Heard {
    fn started(&self, _index: usize, _bytes: u64) {}
    fn progress(&self, _index: usize, _bytes: u64) {}
    fn finished(&self, index: usize, _bytes: u64) -> bool {
        self.0.borrow_mut().push(index);
        true
    }
}

fn settings(url: &str, trust: &[PublicKey]) -> RemoteSettings {
    RemoteSettings {
        address: Address::parse(url, false).unwrap(),
        options: BTreeMap::new(),
        allow_http: false,
        trust: trust.to_vec(),
        push: false,
        key: KeySource::File(PathBuf::from("/nowhere")),
    }
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("remote")).unwrap();
        Self { folder, key: PrivateKey::generate() }
    }

    fn storage(&self) -> PathBuf {
        self.folder.path().join("remote")
    }

    fn remote(&self) -> Remote {
        self.remote_trusting(&[self.key.public()])
    }

    fn remote_trusting(&self, trust: &[PublicKey]) -> Remote {
        Remote::asked_for(settings(&format!("file://{}", self.storage().display()), trust))
    }

    fn wheel(&self, content: &[u8]) -> (WheelHash, PathBuf) {
        let digest = WheelHash::from(sha256(content));
        let path = self.folder.path().join(digest.to_string());
        std::fs::write(&path, content).unwrap();
        (digest, path)
    }

    fn push(&self, objects: &[NewObject]) -> Vec<Pushed> {
        let heard = RefCell::new(Vec::new());
        self.remote().push(objects, Some(&self.key), &|_, pushed| heard.borrow_mut().push(pushed)).unwrap();
        heard.into_inner()
    }

    fn wanted(&self, sha256: WheelHash) -> WantedWheel {
        let path = tempfile::tempdir_in(self.folder.path()).unwrap().keep().join("wheel");
        WantedWheel { sha256, size: None, limit: 1 << 20, path }
    }
}

fn build_key(source: &str) -> BuildKey {
    BuildKey {
        source: source.to_owned(),
        interpreter: "cpython 3.12".to_owned(),
        platform: "linux-x86_64 glibc-2.36".to_owned(),
    }
}

fn record(source: &str, wheel: WheelHash) -> BuildRecord {
    let filename = "demo-1.0-py3-none-any.whl".to_owned();
    BuildRecord { key: build_key(source), wheel_sha256: wheel, filename, size: 7 }
}

fn bytecode_key(wheel: WheelHash) -> BytecodeKey {
    let (cache_tag, magic) = ("cpython-312".to_owned(), "cb0d0d0a".to_owned());
    BytecodeKey { wheel_sha256: wheel, cache_tag, magic }
}

fn archive() -> BytecodeArchive {
    let file = BytecodeFile { source: "demo/__init__.py".to_owned(), content: vec![1; 5000] };
    BytecodeArchive { files: vec![file], failed: vec!["demo/broken.py".to_owned()] }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The bytecode that is there and counts, in the order of the keys.
fn bytecode(remote: &Remote, keys: &[BytecodeKey]) -> Vec<Option<BytecodeArchive>> {
    let mut found = vec![None; keys.len()];
    remote.each_bytecode(keys, &mut |index, unread| {
        found[index] = remote.read_bytecode(&unread);
        true
    });
    found
}

#[test]
fn what_was_pushed_comes_back() {
    let world = World::new();
    let (sha256, path) = world.wheel(b"a wheel");
    let objects = [
        NewObject::Build(record("sha256:aa", sha256)),
        NewObject::Wheel { sha256, path },
        NewObject::Bytecode { key: bytecode_key(sha256), archive: archive() },
    ];
    assert_eq!(world.push(&objects), [Pushed::New; 3]);
    assert_eq!(world.push(&objects), [Pushed::Present; 3]);
    let remote = world.remote();
    let wanted = [world.wanted([0; 32].into()), world.wanted(sha256)];
    let heard = Heard::default();
    assert_eq!(remote.fetch_wheels(&wanted, &heard), [0]);
    assert_eq!(heard.0.into_inner(), [1]);
    assert_eq!(std::fs::read(&wanted[1].path).unwrap(), b"a wheel");
    let keys = [build_key("sha256:bb"), build_key("sha256:aa")];
    assert_eq!(remote.builds(&keys), [None, Some(record("sha256:aa", sha256))]);
    assert_eq!(bytecode(&remote, &[bytecode_key(sha256)]), [Some(archive())]);
    assert_eq!(
        remote.has_bytecode(&[bytecode_key(sha256), bytecode_key([0; 32].into())], &world.key).unwrap(),
        [true, false]
    );
    assert_eq!((remote.failure(), remote.take_refused()), (None, Vec::new()));
    let objects = remote.objects().unwrap();
    let kinds: Vec<_> = objects.iter().filter_map(|object| object.kind).collect();
    assert_eq!(kinds, [Kind::Build, Kind::Bytecode, Kind::Wheel]);
    assert_eq!(remote.verify(&objects, &|| {}).unwrap(), vec![Condition::Sound; 3]);
    let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
    remote.remove(&names).unwrap();
    remote.remove(&names).unwrap();
    assert!(remote.objects().unwrap().is_empty());
}

#[test]
fn a_large_wheel_goes_in_pieces() {
    let world = World::new();
    let content: Vec<u8> = (0..40_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    let (sha256, path) = world.wheel(&content);
    let wheel = || [NewObject::Wheel { sha256, path: path.clone() }];
    assert_eq!(world.push(&wheel()), [Pushed::New]);
    assert_eq!(world.push(&wheel()), [Pushed::Present]);
    let wanted = [WantedWheel { limit: 1 << 30, ..world.wanted(sha256) }];
    assert!(world.remote().fetch_wheels(&wanted, &Heard::default()).is_empty());
    // A file that is another one by now does not go there under the old hash.
    std::fs::remove_file(files(&world.storage())[0].clone()).unwrap();
    let mut other = content;
    other[5] ^= 1;
    std::fs::write(&path, other).unwrap();
    let failed = world.remote().push(&wheel(), None, &|_, _| {}).unwrap_err().to_string();
    assert!(failed.contains("another file"), "{failed}");
    assert!(world.remote().objects().unwrap().is_empty());
}

#[test]
fn strangers_and_the_unsigned_are_as_if_absent() {
    let world = World::new();
    let (sha256, _) = world.wheel(b"a wheel");
    world.push(&[
        NewObject::Build(record("sha256:aa", sha256)),
        NewObject::Bytecode { key: bytecode_key(sha256), archive: archive() },
    ]);
    for trust in [vec![], vec![PrivateKey::generate().public()]] {
        let remote = world.remote_trusting(&trust);
        assert_eq!(remote.builds(&[build_key("sha256:aa")]), [None]);
        assert_eq!(bytecode(&remote, &[bytecode_key(sha256)]), [None]);
        assert_eq!(remote.take_refused(), Vec::<String>::new());
    }
    // Whoever signs anew takes the place of a stranger.
    let other = World { key: PrivateKey::generate(), ..world };
    assert_eq!(other.push(&[NewObject::Build(record("sha256:aa", [0xff; 32].into()))]), [Pushed::New]);
    let found = other.remote().builds(&[build_key("sha256:aa")]);
    assert_eq!(found, [Some(record("sha256:aa", [0xff; 32].into()))]);
}

#[test]
fn objects_that_are_exchanged_or_changed_are_refused() {
    let world = World::new();
    let (one, one_path) = world.wheel(b"one wheel");
    let (two, two_path) = world.wheel(b"two wheel");
    world.push(&[
        NewObject::Wheel { sha256: one, path: one_path },
        NewObject::Wheel { sha256: two, path: two_path },
        NewObject::Build(record("sha256:one", one)),
        NewObject::Build(record("sha256:two", two)),
        NewObject::Bytecode { key: bytecode_key(one), archive: archive() },
        NewObject::Bytecode { key: bytecode_key(two), archive: BytecodeArchive::default() },
    ]);
    let sound: Vec<(PathBuf, Vec<u8>)> = files(&world.storage())
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    assert_eq!(sound.len(), 6);
    let ask = || {
        let remote = world.remote();
        let wanted = [world.wanted(one), world.wanted(two)];
        let absent = remote.fetch_wheels(&wanted, &Heard::default());
        let came = (0..2).filter(|index| !absent.contains(index)).count();
        let builds = remote.builds(&[build_key("sha256:one"), build_key("sha256:two")]);
        let bytecode = bytecode(&remote, &[bytecode_key(one), bytecode_key(two)]);
        (
            came,
            builds.iter().flatten().count(),
            bytecode.iter().flatten().count(),
            remote.take_refused().len(),
        )
    };
    assert_eq!(ask(), (2, 2, 2, 0));
    for (path, content) in &sound {
        for (_, other) in sound.iter().filter(|(_, other)| other != content) {
            std::fs::write(path, other).unwrap();
            let (wheels, builds, bytecode, refused) = ask();
            assert_eq!((wheels + builds + bytecode, refused), (5, 1), "{}", path.display());
        }
        std::fs::write(path, &content[..content.len() / 2]).unwrap();
        let (wheels, builds, bytecode, refused) = ask();
        assert_eq!((wheels + builds + bytecode, refused), (5, 1), "{}", path.display());
        let remote = world.remote();
        let conditions = remote.verify(&remote.objects().unwrap(), &|| {}).unwrap();
        let damaged = conditions.iter().filter(|one| matches!(one, Condition::Damaged(_)));
        assert_eq!(damaged.count(), 1);
        std::fs::write(path, content).unwrap();
    }
    assert_eq!(ask(), (2, 2, 2, 0));
}

/// Answers each request on a port of this machine by a function, until the test ends.
fn serve(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || answer(stream));
        }
    });
    format!("http://{address}/x")
}

fn heads(mut stream: &TcpStream) {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request);
}

/// What a command gets from a remote at this URL by the way: nothing, it says so, it does not take long, and it asks once.
fn is_waited_for_once(url: &str) {
    let world = World::new();
    let begun = Instant::now();
    let remote = Remote::by_the_way(settings(url, &[world.key.public()]));
    let wanted: Vec<_> = (0..40).map(|index| world.wanted([index; 32].into())).collect();
    assert_eq!(remote.fetch_wheels(&wanted, &Heard::default()).len(), 40);
    assert!(remote.failure().is_some());
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let again = Instant::now();
    assert_eq!(remote.builds(&[build_key("x")]), [None]);
    assert!(again.elapsed() < Duration::from_millis(500), "asked again");
}

#[test]
fn one_that_is_dead_is_asked_once() {
    let absent = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    is_waited_for_once(&format!("http://{absent}/"));
}

#[test]
fn one_that_is_silent_is_waited_for_once() {
    is_waited_for_once(&serve(|stream| {
        heads(&stream);
        std::thread::sleep(Duration::from_mins(1));
    }));
}

#[test]
fn one_that_is_slow_is_waited_for_once() {
    is_waited_for_once(&serve(|mut stream| {
        heads(&stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    }));
}

#[test]
fn one_that_fails_is_asked_once() {
    is_waited_for_once(&serve(|mut stream| {
        heads(&stream);
        let _ = stream.write_all(b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }));
}

#[test]
fn a_transfer_that_breaks_is_gone_on_with() {
    let content: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let digest = WheelHash::from(sha256(&content));
    let url = serve(move |stream| {
        let mut request = vec![0; 4096];
        let count = (&stream).read(&mut request).unwrap_or(0);
        let request = String::from_utf8_lossy(&request[..count]).to_lowercase();
        let from = request.split("range: bytes=").nth(1).and_then(|rest| rest.split('-').next());
        let from: usize = from.and_then(|text| text.parse().ok()).unwrap_or(0);
        let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
        let range = format!("Content-Range: bytes {from}-{}/{}\r\n", content.len() - 1, content.len());
        let range = if from > 0 { range } else { String::new() };
        let length = content.len() - from;
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{range}Connection: close\r\n\r\n");
        let until = (from + 150_000).min(content.len());
        let _ =
            (&stream).write_all(head.as_bytes()).and_then(|()| (&stream).write_all(&content[from..until]));
    });
    let world = World::new();
    let remote = Remote::by_the_way(settings(&url, &[]));
    let wanted = [world.wanted(digest)];
    assert!(remote.fetch_wheels(&wanted, &Heard::default()).is_empty(), "{:?}", remote.failure());
    assert_eq!(WheelHash::from(sha256(std::fs::read(&wanted[0].path).unwrap())), digest);
}

#[test]
fn plain_http_is_only_read() {
    let remote = Remote::asked_for(settings("https://h.example/x", &[]));
    assert!(remote.push(&[], None, &|_, _| {}).unwrap_err().to_string().contains("can only be read"));
    assert!(remote.remove(&[]).unwrap_err().to_string().contains("can only be read"));
}
