//! Installing interpreters: every kind of archive, and everything that can go wrong with one.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::pythons::{FORMATS, Member, file, pack, pretender, program, standalone};
use crate::support::{Fault, Site, TestContext, archive};

/// A site with an index of interpreters that pretend to be other patch releases of the test's own one.
pub(crate) struct Mirror {
    pub(crate) site: Site,
    builds: Vec<Value>,
    minor: String,
}

impl Mirror {
    /// An empty one, which the context will use.
    pub(crate) fn new(context: &mut TestContext) -> Self {
        let site = Site::start();
        context.set("VIRTPY_PYTHON_INDEX_URL", site.url("/index.json"));
        context.set("VIRTPY_PYTHON_INDEX_TTL", "0");
        Self { site, builds: Vec::new(), minor: context.interpreter().short() }
    }

    /// A patch release of the test's own minor version.
    pub(crate) fn version(&self, patch: u32) -> String {
        format!("{}.{patch}", self.minor)
    }

    /// Offers an archive, with its hash.
    pub(crate) fn offer(&mut self, version: &str, path: &str, bytes: Vec<u8>) {
        let hash = archive::hex(&archive::sha256(&bytes));
        self.offer_as(version, path, bytes, Some(&hash));
    }

    /// Offers an archive as if it had this hash.
    pub(crate) fn offer_as(&mut self, version: &str, path: &str, bytes: Vec<u8>, hash: Option<&str>) {
        self.site.put(path, bytes);
        self.builds.retain(|build| build["version"] != version);
        let mut build = json!({"version": version, "build": "20261021", "url": self.site.url(path)});
        if let Some(hash) = hash {
            build["sha256"] = json!(hash);
        }
        self.builds.push(build);
        self.site.put("/index.json", json!({ "builds": self.builds }).to_string());
    }

    /// Offers a pretender of a patch release. Returns its version.
    pub(crate) fn offer_pretender(&mut self, context: &TestContext, patch: u32) -> String {
        let version = self.version(patch);
        let members = standalone(context.interpreter(), &version, "python");
        self.offer(&version, &format!("/{version}.tar.gz"), pack(&members, "tar.gz"));
        version
    }
}

/// The names in the folder of installed interpreters.
pub(crate) fn installed(context: &TestContext) -> Vec<String> {
    let entries = std::fs::read_dir(context.store().join("pythons")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_version_is_installed_once_patched_and_whole() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    mirror.offer_pretender(&context, 90);
    let version = mirror.offer_pretender(&context, 91);
    let short = context.interpreter().short();
    context.virtpy(["python", "install", &short]).success().stderr_has(&format!("Installed {version} in "));
    assert_eq!(installed(&context), [short.clone(), version.clone()]);
    let folder = context.store().join("pythons").join(&version);
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
    let place = folder.display();
    let data = read(&format!("lib/python{short}/_sysconfigdata__linux_x86_64-linux-gnu.py"));
    assert!(
        data.contains("'CC': 'cc -pthread'") && data.contains(&format!("'LIBDIR': '{place}/lib'")),
        "{data}"
    );
    assert!(data.contains("'PYTHON_BUILD_STANDALONE': 1"), "{data}");
    assert!(read("bin/pip3").starts_with(&format!("#!{place}/bin/python{short}\n")), "{}", read("bin/pip3"));
    assert!(read("lib/pkgconfig/python3.pc").starts_with("prefix=${pcfiledir}/../..\n"));
    assert!(read(&format!("lib/python{short}/EXTERNALLY-MANAGED")).contains("[externally-managed]"));
    assert_eq!(read("BUILD"), "20261021");
    let record: Value = serde_json::from_str(&read("virtpy.json")).unwrap();
    assert_eq!((&record["version"], &record["verified"]), (&json!(version), &json!(true)));
    context.assert_no_leftovers();
    let path = format!("/{version}.tar.gz");
    context.virtpy(["python", "install", &version]).success().stderr_has("is installed already");
    assert_eq!(mirror.site.count(&path), 1);
    context.virtpy(["python", "install", "--reinstall", &short]).success();
    assert_eq!(mirror.site.count(&path), 2);
    context.assert_no_leftovers();
}

#[test]
fn every_kind_of_archive_is_unpacked() {
    let mut context = TestContext::new();
    let python = context.interpreter().clone();
    let members = standalone(&python, &format!("{}.77", python.short()), "some/where");
    let executable = format!("some/where/bin/python{}", python.short());
    for (number, format) in FORMATS.iter().enumerate() {
        let path = context.path(&format!("archive-{number}.{format}"));
        let bytes = pack(&members, format);
        std::fs::write(&path, &bytes).unwrap();
        let name = format!("KIND{number}");
        let url =
            if number % 2 == 0 { format!("file://{}", path.display()) } else { path.display().to_string() };
        let hash = archive::hex(&archive::sha256(&bytes));
        let source = if number < 2 { format!("{url}#sha256={hash}") } else { url };
        context.set(&format!("HATCH_PYTHON_CUSTOM_SOURCE_{name}"), source);
        context.set(&format!("HATCH_PYTHON_CUSTOM_PATH_{name}"), &executable);
        context.set(&format!("HATCH_PYTHON_CUSTOM_VERSION_{name}"), "1.0");
        let output = context.virtpy(["python", "install", &name.to_lowercase()]).success();
        let folder = context.store().join("pythons").join(format!("custom-{}", name.to_lowercase()));
        let output = if number < 2 {
            output.stderr_lacks("was not verified")
        } else {
            output.stderr_has("was not verified").stderr_has(&hash)
        };
        assert!(folder.join(&executable).is_file(), "{format}: {}", output.dump());
        let found = context.virtpy(["python", "find", &name.to_lowercase()]).success();
        assert_eq!(found.raw_stdout.trim(), folder.join(&executable).to_str().unwrap(), "{format}");
    }
    context.assert_no_leftovers();
}

#[test]
fn a_full_archive_loses_what_is_only_for_builders() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = mirror.version(92);
    let mut members = standalone(context.interpreter(), &version, "python/install");
    members.extend([file("python/PYTHON.json", "{}"), file("python/build/core.o", "")]);
    mirror.offer(&version, "/full.tar.zst", pack(&members, "tar.zst"));
    context.virtpy(["python", "install", &version]).success();
    let folder = context.store().join("pythons").join(&version);
    assert!(folder.join("bin/python").is_file() && !folder.join("build").exists());
    assert!(!folder.join("PYTHON.json").exists());
}

/// Installs `version`, which must fail with this message and leave nothing, and succeed when what is wrong is made right.
#[track_caller]
fn fails(context: &TestContext, mirror: &mut Mirror, version: &str, message: &str) {
    let output = context.virtpy(["python", "install", version]).failure(1).one_error();
    assert!(output.raw_stderr.contains(message), "{message}: {}", output.dump());
    assert!(output.raw_stderr.contains("hint:"), "{}", output.dump());
    assert_eq!(installed(context), Vec::<String>::new(), "{message}");
    context.assert_no_leftovers();
    let members = standalone(context.interpreter(), version, "python");
    mirror.offer(version, "/good.tar.gz", pack(&members, "tar.gz"));
    context.virtpy(["python", "install", version]).success();
    context.virtpy(["python", "uninstall", version]).success();
    assert_eq!(installed(context), Vec::<String>::new(), "{message}");
}

#[test]
fn what_is_wrong_with_an_archive_is_one_clear_error() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let python = context.interpreter().clone();
    let version = mirror.version(93);
    let good = standalone(&python, &version, "python");
    let packed = pack(&good, "tar.gz");
    let with = |member: Member| [good.clone(), vec![member]].concat();
    let link = |target: &str| with(Member::Link("python/lib/link".to_owned(), target.to_owned()));
    let nothing = vec![file("python/README", "")];
    let broken = vec![program("python/bin/python3", "#!/bin/sh\necho broken >&2\nexit 3\n")];
    let other = vec![program("python/bin/python3", &pretender(&python, &mirror.version(1)))];
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("/type.tar.zst", packed.clone(), "is damaged"),
        ("/type.zip", packed.clone(), "could not be unpacked"),
        ("/short.tar.gz", packed[..packed.len() / 2].to_vec(), "is not a complete archive"),
        ("/unknown.rar", packed.clone(), "`unknown.rar` is not an archive that can be unpacked"),
        ("/out.tar.gz", pack(&link("../../../../outside"), "tar.gz"), "leaves the folder"),
        ("/kept.tar.gz", pack(&link("../../beside"), "tar.gz"), "leaves the interpreter's folder"),
        ("/absolute.tar.gz", pack(&link("/etc/passwd"), "tar.gz"), "is absolute"),
        ("/dots.tar.gz", pack(&with(file("python/../../x", "")), "tar.gz"), "python/../../x"),
        ("/empty.tar.gz", pack(&nothing, "tar.gz"), "has no interpreter at `python/bin/python3`"),
        ("/broken.tar.gz", pack(&broken, "tar.gz"), "does not run on this machine"),
        ("/other.tar.gz", pack(&other, "tar.gz"), "holds Python"),
    ];
    for (path, bytes, message) in cases {
        mirror.offer(&version, path, bytes);
        fails(&context, &mut mirror, &version, message);
    }
    mirror.offer_as(&version, "/hash.tar.gz", packed, Some(&"0".repeat(64)));
    fails(&context, &mut mirror, &version, "expected sha256:000000");
}

/// Archives are unpacked while they come, so that their hash is known last.
#[test]
fn what_is_not_verified_is_never_started() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = mirror.version(93);
    let trace = context.path("started");
    let program = program("python/bin/python3", &format!("#!/bin/sh\ntouch '{}'\n", trace.display()));
    let wrong = "0".repeat(64);
    for format in ["tar.gz", "tar.zst", "tar.bz2", "zip"] {
        let bytes = pack(std::slice::from_ref(&program), format);
        // Right to the end, cut off, and something else: that it is another file is what has to be said.
        for bytes in [bytes.clone(), bytes[..bytes.len() / 2].to_vec(), b"<html>sign in</html>".to_vec()] {
            mirror.offer_as(&version, &format!("/x.{format}"), bytes, Some(&wrong));
            fails(&context, &mut mirror, &version, "expected sha256:000000");
            assert!(!trace.exists(), "{format}");
        }
    }
    // With the right hash it is started.
    mirror.offer(&version, "/x.tar.gz", pack(&[program], "tar.gz"));
    fails(&context, &mut mirror, &version, "does not run on this machine");
    assert!(trace.exists());
}

#[test]
fn an_archive_that_would_fill_the_disk_is_refused() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = mirror.version(94);
    let bomb = pack(&[Member::Huge("python/zeros".to_owned(), 20 << 30)], "tar.gz");
    mirror.offer(&version, "/bomb.tar.gz", bomb);
    fails(&context, &mut mirror, &version, "would unpack `python/zeros` to more than");
}

#[test]
fn a_server_that_fails_is_one_clear_error() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    context.set("UV_HTTP_RETRIES", "0");
    let version = mirror.offer_pretender(&context, 95);
    let path = format!("/{version}.tar.gz");
    for (fault, message) in [
        (Fault::HangUpAfter(50), "did not arrive as it should"),
        (Fault::HangUpAfter(0), "did not arrive as it should"),
        (Fault::Status(500, 100), "500"),
        (Fault::Status(403, 100), "403"),
    ] {
        mirror.offer_pretender(&context, 95);
        mirror.site.fault(&path, fault);
        fails(&context, &mut mirror, &version, message);
    }
    mirror.offer_pretender(&context, 95);
    mirror.site.fault(&path, Fault::Status(403, 0));
    mirror.site.remove(&path);
    fails(&context, &mut mirror, &version, "404");
    mirror.offer_pretender(&context, 95);
    context.set("UV_OFFLINE", "1");
    let output = context.virtpy(["python", "install", &version]).failure(1).one_error();
    assert_eq!(installed(&context), Vec::<String>::new(), "{}", output.dump());
}

#[test]
fn a_killed_installation_leaves_nothing_that_matters() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = mirror.offer_pretender(&context, 96);
    mirror.site.fault(&format!("/{version}.tar.gz"), Fault::Slow(Duration::from_millis(20)));
    for point in 0..12 {
        let mut child = context.spawn(["python", "install", &version]);
        std::thread::sleep(Duration::from_millis(30 * point));
        child.kill().unwrap();
        child.wait().unwrap();
        for name in installed(&context) {
            assert!(
                context.store().join("pythons").join(&name).join("virtpy.json").is_file(),
                "{point}: {name}"
            );
        }
        if point % 3 == 2 {
            context.virtpy(["python", "install", &version]).success();
            assert_eq!(installed(&context), [context.interpreter().short(), version.clone()]);
            context.assert_no_leftovers();
            context.virtpy(["python", "uninstall", &version]).success();
        }
    }
}

#[test]
fn several_are_installed_and_one_that_fails_keeps_none_from_it() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let first = mirror.offer_pretender(&context, 97);
    let last = mirror.offer_pretender(&context, 98);
    let bad = mirror.version(99);
    mirror.offer(&bad, "/bad.tar.gz", b"nothing".to_vec());
    let output = context.virtpy(["python", "install", &first, &bad, &last, &first]).failure(1);
    assert!(output.raw_stderr.contains(&format!("`{bad}` could not be unpacked")), "{}", output.dump());
    assert_eq!(installed(&context), [context.interpreter().short(), first.clone(), last.clone()]);
    let rows = context.virtpy(["python", "install", "--json", &first, &last]).success().json();
    assert_eq!(rows[1]["name"], json!(last));
    assert_eq!((&rows[0]["was_there"], &rows[0]["verified"]), (&json!(true), &json!(true)));
}

#[test]
fn what_stands_in_the_way_is_only_replaced_by_force() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = mirror.offer_pretender(&context, 90);
    let mine = context.store().join("pythons").join(&version).join("mine");
    std::fs::create_dir_all(mine.parent().unwrap()).unwrap();
    std::fs::write(&mine, "").unwrap();
    context.virtpy(["python", "install", &version]).failure(1).one_error().stderr_has("is in the way");
    assert!(mine.exists());
    context.virtpy(["python", "install", "--force", &version]).success();
    assert!(!mine.exists());
    context.assert_no_leftovers();
}
