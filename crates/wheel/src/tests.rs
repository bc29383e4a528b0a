//! Whole wheels: laid out, verified, refused.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest as _, Sha256, Sha384, Sha512};
use virtpy_files as fs;
use virtpy_files::digest::base64;

use super::*;
use crate::archive::testing::{Raw, write, zip};

const FILENAME: &str = "demo_pkg-1.0-py3-none-any.whl";
const METADATA: &str = "Metadata-Version: 2.1\nName: Demo.Pkg\nVersion: 1.0\nRequires-Dist: idna>=2\nRequires-Python: >=3.8\n\nLong.\n";
const WHEEL: &str = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";

/// A wheel in the making: files by their names in the archive.
struct Wheel {
    filename: &'static str,
    files: BTreeMap<String, Vec<u8>>,
    executable: Vec<&'static str>,
    /// Rows of RECORD that replace the right ones, or remove them.
    rows: BTreeMap<String, Option<String>>,
}

impl Wheel {
    fn new() -> Self {
        Self::named(FILENAME, "demo_pkg-1.0")
    }

    fn named(filename: &'static str, stem: &str) -> Self {
        let wheel = Self { filename, files: BTreeMap::new(), executable: Vec::new(), rows: BTreeMap::new() };
        wheel
            .file(&format!("{stem}.dist-info/METADATA"), METADATA)
            .file(&format!("{stem}.dist-info/WHEEL"), WHEEL)
            .file(&format!("{stem}.dist-info/RECORD"), "")
            .file("demo/__init__.py", "print('demo')\n")
    }

    fn file(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(name.to_owned(), content.as_ref().to_vec());
        self
    }

    fn without(mut self, name: &str) -> Self {
        assert!(self.files.remove(name).is_some());
        self
    }

    /// Puts another row into RECORD: what follows the path, or nothing for no row.
    fn row(mut self, name: &str, rest: Option<&str>) -> Self {
        self.rows.insert(name.to_owned(), rest.map(str::to_owned));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut record = String::new();
        for (name, content) in &self.files {
            if self.rows.contains_key(name) || name.ends_with('/') {
                continue;
            }
            let known = !name.ends_with(".dist-info/RECORD");
            record.push_str(&record_row(name, known.then_some(content)));
        }
        for (name, rest) in &self.rows {
            if let Some(rest) = rest {
                record.extend([name, ",", rest, "\n"]);
            }
        }
        let members: Vec<Raw> = self
            .files
            .iter()
            .map(|(name, content)| {
                let content = if name.ends_with(".dist-info/RECORD") { record.as_bytes() } else { content };
                let mut member = Raw::new(name, content);
                if self.executable.contains(&name.as_str()) {
                    member.attributes = 0o100_755 << 16;
                }
                member
            })
            .collect();
        zip(&members)
    }

    fn unpack_with(&self, destination: &Path, strategy: CheckStrategy) -> Result<Unpacked, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &self.bytes());
        unpack(&path, self.filename, destination, &Limits::default(), strategy)
    }

    fn unpack(&self) -> Result<Unpacked, Error> {
        let destination = tempfile::tempdir().unwrap();
        self.unpack_with(destination.path(), CheckStrategy::Repair)
    }

    fn unpack_strictly(&self) -> Result<Unpacked, Error> {
        let destination = tempfile::tempdir().unwrap();
        self.unpack_with(destination.path(), CheckStrategy::RejectInvalid)
    }

    #[track_caller]
    fn error(&self) -> String {
        let error = self.unpack().unwrap_err();
        assert!(error.hint().is_some(), "{error}");
        error.to_string()
    }
}

/// All below a folder: modes by path, folders with a `/`.
fn listing(root: &Path) -> BTreeMap<String, u32> {
    fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, u32>) {
        use std::os::unix::fs::PermissionsExt as _;
        for (name, kind) in fs::read_dir_names(folder).unwrap() {
            let path = folder.join(&name);
            let mut name = format!("{prefix}{}", name.to_str().unwrap());
            if kind == fs::FileKind::Folder {
                name.push('/');
                walk(&path, &name, found);
            }
            found.insert(name, fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777);
        }
    }
    let mut found = BTreeMap::new();
    walk(root, "", &mut found);
    found
}

#[test]
fn a_wheel_with_everything() {
    let data = "demo_pkg-1.0.data";
    let mut wheel = Wheel::new()
        .file("top.py", "")
        .file("demo/sub/", "")
        .file("demo/sub/data.json", "{}")
        .file("demo/deep/er/mod.py", "x = 1\n")
        .file("demo/tool.so", "\x7fELF")
        .file(&format!("{data}/purelib/demo/pure.py"), "")
        .file(&format!("{data}/platlib/demo/plat.py"), "")
        .file(&format!("{data}/scripts/run"), "#!python\nprint()\n")
        .file(&format!("{data}/scripts/tool"), "\x7fELF")
        .file(&format!("{data}/data/share/man/man1/demo.1"), "")
        .file(&format!("{data}/data/bin/extra"), "")
        .file(&format!("{data}/headers/demo.h"), "#define DEMO\n")
        .file("demo_pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\ndemo = demo:main\n")
        .file("demo_pkg-1.0.dist-info/licenses/LICENSE", "free")
        .file("demo_pkg-1.0.dist-info/INSTALLER", "evil")
        .file("demo_pkg-1.0.dist-info/REQUESTED", "")
        .file("demo_pkg-1.0.dist-info/direct_url.json", "{}")
        .file("demo_pkg-1.0.dist-info/RECORD.jws", "{}");
    wheel.executable = vec!["demo/tool.so"];
    let destination = tempfile::tempdir().unwrap();
    let unpacked = wheel.unpack_with(destination.path(), CheckStrategy::RejectInvalid).unwrap();
    assert_eq!((unpacked.name.as_str(), unpacked.version.as_str()), ("Demo.Pkg", "1.0"));
    assert_eq!(unpacked.dist_info, "demo_pkg-1.0.dist-info");
    assert_eq!(unpacked.tags, ["py3-none-any"]);
    assert!(unpacked.root_is_purelib);
    assert_eq!(unpacked.requires_dist, ["idna>=2"]);
    assert_eq!(unpacked.requires_python.as_deref(), Some(">=3.8"));
    assert_eq!(unpacked.entry_points.len(), 1);
    assert!(unpacked.warnings.is_empty());
    let paths = |files: &[InstalledFile]| files.iter().map(|file| file.path.clone()).collect::<Vec<_>>();
    assert_eq!(
        paths(&unpacked.site),
        [
            "demo/__init__.py",
            "demo/deep/er/mod.py",
            "demo/plat.py",
            "demo/pure.py",
            "demo/sub/data.json",
            "demo/tool.so",
            "demo_pkg-1.0.dist-info/METADATA",
            "demo_pkg-1.0.dist-info/WHEEL",
            "demo_pkg-1.0.dist-info/entry_points.txt",
            "demo_pkg-1.0.dist-info/licenses/LICENSE",
            "top.py",
        ]
    );
    assert_eq!(paths(&unpacked.data), ["bin/extra", "share/man/man1/demo.1"]);
    assert_eq!(paths(&unpacked.headers), ["demo.h"]);
    let scripts: Vec<_> =
        unpacked.scripts.iter().map(|script| (script.file.path.as_str(), script.python)).collect();
    assert_eq!(scripts, [("run", true), ("tool", false)]);
    let row = known_record_row("x", &unpacked.site[0].sha256, unpacked.site[0].size);
    assert_eq!(row, record_row("x", Some(b"print('demo')\n")));
    let found = listing(destination.path());
    assert!(found.contains_key("site/demo/__pycache__/"));
    assert!(found.contains_key("site/demo/deep/er/__pycache__/"));
    for absent in [
        "site/__pycache__/",
        "site/demo/deep/__pycache__/",
        "site/demo/sub/__pycache__/",
        "site/demo_pkg-1.0.dist-info/RECORD",
        "site/demo_pkg-1.0.dist-info/INSTALLER",
    ] {
        assert!(!found.contains_key(absent), "{absent}");
    }
    let (folders, files): (Vec<_>, Vec<_>) = found.iter().partition(|(path, _)| path.ends_with('/'));
    assert!(folders.len() > 10 && folders.iter().all(|(_, mode)| **mode & 0o777 == 0o555), "{folders:?}");
    for (path, mode) in files {
        let executable = matches!(path.as_str(), "site/demo/tool.so" | "scripts/run" | "scripts/tool");
        assert_eq!(mode & 0o700, if executable { 0o500 } else { 0o400 }, "{path}");
    }
    let text = serde_json::to_string(&unpacked).unwrap();
    assert_eq!(serde_json::from_str::<Unpacked>(&text).unwrap(), unpacked);
}

#[test]
fn only_the_needed_trees_are_made() {
    let destination = tempfile::tempdir().unwrap();
    Wheel::new().unpack_with(destination.path(), CheckStrategy::Repair).unwrap();
    assert_eq!(fs::names(destination.path()).unwrap(), ["site"]);
}

#[test]
fn legal_spellings_of_the_folders() {
    for (filename, stem) in [
        (FILENAME, "demo_pkg-1.0"),
        (FILENAME, "demo_pkg"),
        (FILENAME, "Demo.Pkg-1.0"),
        (FILENAME, "demo-pkg-1.0.0"),
        ("Demo.Pkg-1.0.0-py3-none-any.whl", "demo_pkg-1.0"),
        ("demo__pkg-1.0-1-py3-none-any.whl", "demo_pkg-1.0"),
    ] {
        let wheel = Wheel::named(filename, stem).file(&format!("{stem}.data/purelib/x.py"), "");
        let unpacked = wheel.unpack().unwrap_or_else(|error| panic!("{filename} {stem}: {error}"));
        assert_eq!(unpacked.dist_info, format!("{stem}.dist-info"));
    }
    for (filename, stem, version) in [
        ("demo_pkg-1!2.0+cu.1-py3-none-any.whl", "demo_pkg-1!2.0+cu.1", "1!2.0+cu.1"),
        ("demo_pkg-1!2.0+cu.1-py3-none-any.whl", "demo_pkg-1_2.0_cu.1", "1!2.0+cu.1"),
        ("demo_pkg-1.0_cpu-py3-none-any.whl", "demo_pkg-1.0+cpu", "1.0+cpu"),
        ("demo_pkg-1.0-py3-none-any.whl", "demo_pkg-1.0", "1.0+local"),
        ("demo_pkg-1.0-py3-none-any.whl", "demo_pkg-1.0+local", "1.0+local"),
        ("demo_pkg-1.0rc1-py3-none-any.whl", "demo_pkg-1.0.rc.1", "1.0-RC1"),
    ] {
        let metadata = METADATA.replace("Version: 1.0", &format!("Version: {version}"));
        let wheel = Wheel::named(filename, stem).file(&format!("{stem}.dist-info/METADATA"), metadata);
        wheel.unpack().unwrap_or_else(|error| panic!("{filename} {stem}: {error}"));
    }
}

#[test]
fn names_and_versions_must_agree() {
    let error = Wheel::named(FILENAME, "other-1.0").error();
    assert!(error.contains("not named after"), "{error}");
    let error = Wheel::named(FILENAME, "demo_pkg-1.1").error();
    assert!(error.contains("not named after"), "{error}");
    let metadata = "demo_pkg-1.0.dist-info/METADATA";
    let error = Wheel::new().file(metadata, METADATA.replace("Demo.Pkg", "Demon")).error();
    assert_eq!(error, "the wheel's METADATA says name `Demon`, its file name `demo_pkg`");
    let error = Wheel::new().file(metadata, METADATA.replace("1.0", "1.0.1")).error();
    assert_eq!(error, "the wheel's METADATA says version `1.0.1`, its file name `1.0`");
    let error = Wheel::new().file("other-1.0.dist-info/METADATA", METADATA).error();
    assert!(error.contains("dist-info"), "{error}");
    let error = Wheel::new().file("Demo_Pkg-1.0.dist-info/METADATA", METADATA).error();
    assert!(error.contains("second"), "{error}");
    let error = Wheel::new().file("other-1.0.data/purelib/x.py", "").error();
    assert!(error.contains("not named after"), "{error}");
    let error = Wheel::named("demo-1.0.whl", "demo-1.0").error();
    assert!(error.contains("is not the file name of a wheel"), "{error}");
}

#[test]
fn every_wheel_has_its_three_files() {
    for name in ["METADATA", "WHEEL", "RECORD"] {
        let error = Wheel::new().without(&format!("demo_pkg-1.0.dist-info/{name}")).error();
        assert_eq!(error, format!("the wheel has no `demo_pkg-1.0.dist-info/{name}`"));
    }
    let error = Wheel::new().file("demo_pkg-1.0.dist-info/WHEEL", WHEEL.replace("1.0", "2.0")).error();
    assert_eq!(error, "the wheel has format 2.0, and virtpy knows format 1");
    for version in ["1.7", "0.1"] {
        let text = WHEEL.replace("1.0", version);
        assert!(Wheel::new().file("demo_pkg-1.0.dist-info/WHEEL", text).unpack().is_ok());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &zip(&[Raw::new("demo/__init__.py", b"")]));
    let error =
        unpack(&path, FILENAME, folder.path(), &Limits::default(), CheckStrategy::Repair).unwrap_err();
    assert!(matches!(error, Error::Missing(_)), "{error}");
}

#[test]
fn what_belongs_to_the_environment_is_refused() {
    let data = "demo_pkg-1.0.data";
    for path in [
        "scripts/python",
        "scripts/Python3.12",
        "scripts/activate",
        "scripts/activate.fish",
        "scripts/python/tool",
        "scripts/Activate.fish/tool",
        "data/pyvenv.cfg",
        "data/PYVENV.CFG",
        "data/.virtpy/state.json",
        "data/bin",
        "data/lib64",
        "data/bin/python3",
        "data/bin/activate",
        "purelib/other-1.0.dist-info/METADATA",
        "platlib/demo_pkg-1.0.dist-info/INSTALLER",
        "stuff/x",
        "x",
    ] {
        let error = Wheel::new().file(&format!("{data}/{path}"), "").unpack().unwrap_err();
        assert!(matches!(error, Error::Forbidden { .. }), "{path}: {error}");
    }
    for path in [
        "scripts/pip",
        "scripts/folder/tool",
        "scripts/activate-global-python-argcomplete",
        "data/bin/tool",
        "data/etc/python",
    ] {
        Wheel::new().file(&format!("{data}/{path}"), "").unpack().unwrap();
    }
    let entry_points = "[console_scripts]\n../../evil = demo:main\n";
    let error =
        Wheel::new().file("demo_pkg-1.0.dist-info/entry_points.txt", entry_points).unpack().unwrap_err();
    assert!(matches!(error, Error::EntryPoint { .. }), "{error}");
}

#[test]
fn merging_purelib_and_platlib_makes_no_collision() {
    let data = "demo_pkg-1.0.data";
    for (first, second) in [
        (format!("{data}/purelib/x.py"), format!("{data}/platlib/x.py")),
        (format!("{data}/purelib/x.py"), "x.py".to_owned()),
        (format!("{data}/purelib/x/y"), "x".to_owned()),
        (format!("{data}/platlib/x"), "x/y/z".to_owned()),
    ] {
        let error = Wheel::new().file(&first, "").file(&second, "").unpack().unwrap_err();
        assert!(matches!(error, Error::Collision(_)), "{first} {second}: {error}");
    }
}

#[test]
fn a_wrong_hash_is_always_an_error() {
    let other = base64(&Sha256::digest(b"other"));
    let sha512 = base64(&Sha512::digest(b"other"));
    for rest in [
        format!("sha256={other},14"),
        format!("sha512={sha512},14"),
        format!("sha512={other},14"),
        "sha256=AAAA,14".to_owned(),
        "sha256=,14".to_owned(),
        format!("sha256={},15", base64(&Sha256::digest(b"print('demo')\n"))),
    ] {
        let wheel = Wheel::new().row("demo/__init__.py", Some(&rest));
        for result in [wheel.unpack(), wheel.unpack_strictly()] {
            assert!(matches!(result, Err(Error::Verification { .. })), "{rest}: {result:?}");
        }
    }
    for rest in ["sha256,14", "a,b,c", "sha256=x,many"] {
        let error = Wheel::new().row("demo/__init__.py", Some(rest)).unpack().unwrap_err();
        assert!(matches!(error, Error::Record { .. }), "{rest}: {error}");
    }
}

#[test]
fn strong_hashes_of_every_kind_are_verified() {
    let content = b"print('demo')\n";
    let sha384 = base64(&Sha384::digest(content));
    let sha512 = base64(&Sha512::digest(content));
    let sha256 = base64(&Sha256::digest(content));
    for rest in [
        format!("sha384={sha384},14"),
        format!("sha512={sha512},14"),
        format!("sha256={sha256}=,14"),
        format!("sha256={sha256},"),
    ] {
        let unpacked = Wheel::new().row("demo/__init__.py", Some(&rest)).unpack_strictly().unwrap();
        assert_eq!(unpacked.site[0].sha256.as_str(), sha256);
    }
}

#[test]
fn an_incomplete_record_is_repaired_or_refused() {
    let sha256 = base64(&Sha256::digest(b"print('demo')\n"));
    for (wheel, warning) in [
        (Wheel::new().row("demo/__init__.py", Some(",")), "RECORD has no usable hash for `demo/__init__.py`"),
        (
            Wheel::new().row("demo/__init__.py", Some("blake2b=abc,")),
            "RECORD has no usable hash for `demo/__init__.py`",
        ),
        (
            Wheel::new().row("demo/__init__.py", Some("md5=abc,14")),
            "RECORD has no usable hash for `demo/__init__.py`",
        ),
        (Wheel::new().file("a.py", "").row("a.py", None), "RECORD does not list `a.py`"),
        (Wheel::new().row("absent.py", Some(",")), "RECORD lists `absent.py`, which the wheel does not have"),
        (
            Wheel::new().row("../../../etc/passwd", Some(",")),
            "RECORD lists `../../../etc/passwd`, which the wheel does not have",
        ),
        (
            Wheel::new().row("a.py", Some(",")).row("b.py", Some(",")),
            "RECORD lists `a.py` and 1 more, which the wheel does not have",
        ),
    ] {
        assert_eq!(wheel.unpack().unwrap().warnings, [warning]);
        let error = wheel.unpack_strictly().unwrap_err();
        assert!(matches!(error, Error::Unlisted(_)), "{error}");
    }
    // What is not listed is there all the same, with its hash.
    let unlisted = Wheel::new().file("a.py", "").row("a.py", None).unpack().unwrap();
    assert_eq!(unlisted.site[0].path, "a.py");
    assert_eq!(unlisted.site[0].sha256.as_str(), base64(&Sha256::digest(b"")));
    // Windows' separators in RECORD, and rows for folders, are no difference.
    let wheel = Wheel::new()
        .row("demo/__init__.py", None)
        .row("demo\\__init__.py", Some(&format!("sha256={sha256},14")))
        .row("demo/", Some(","));
    assert!(wheel.unpack_strictly().unwrap().warnings.is_empty());
    let wrong = Wheel::new()
        .row("demo/__init__.py", None)
        .row("demo\\__init__.py", Some(&format!("sha256={},14", base64(&[0; 32]))));
    assert!(wrong.unpack().is_err());
}

/// A small generator of numbers, so that a failure can be repeated.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).unwrap() % bound
    }
}

#[test]
fn damaged_wheels_neither_panic_nor_escape() {
    let data = "demo_pkg-1.0.data";
    let sound = Wheel::new()
        .file(&format!("{data}/scripts/run"), "#!python\n")
        .file(&format!("{data}/data/share/x"), "x")
        .file("demo_pkg-1.0.dist-info/entry_points.txt", "[console_scripts]\ndemo = demo:main\n")
        .bytes();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for round in 0..450 {
        let mut bytes = sound.clone();
        match round % 3 {
            0 => bytes.truncate(numbers.below(sound.len())),
            1 => {
                let place = numbers.below(bytes.len());
                bytes[place] ^= 1 << numbers.below(8);
            }
            _ => {
                for _ in 0..=numbers.below(8) {
                    let place = numbers.below(bytes.len());
                    bytes[place] = numbers.below(256).to_le_bytes()[0];
                }
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &bytes);
        let destination = folder.path().join("deep/destination");
        fs::create_dir_all(&destination).unwrap();
        let result = unpack(&path, FILENAME, &destination, &Limits::default(), CheckStrategy::Repair);
        accepted += usize::from(result.is_ok());
        let around: Vec<String> = listing(folder.path())
            .into_keys()
            .filter(|path| !path.starts_with("deep/destination/"))
            .collect();
        assert_eq!(around, ["deep/", "test.zip"], "round {round}");
        for name in fs::names(&destination).unwrap() {
            assert!(
                ["site", "data", "headers", "scripts"].contains(&name.to_str().unwrap()),
                "round {round}"
            );
        }
    }
    // Times and versions in the headers are nobody's business; nearly all else must be noticed.
    assert!(accepted < 90, "{accepted}");
}
