//! From sources to wheels, with a build backend of a few lines that lies in the source itself.

use std::path::Path;
use std::process::Command;

use virtpy_resolver::{Artifact, Error};

use crate::index::{Hosted, sha256};
use crate::world::{World, origin_of, pins, python, told, zip};

/// Builds wheels with nothing but the standard library.
const BACKEND: &str = r#"
import os, sys, zipfile

def _build(directory, version, content):
    print("packing the wheel")
    name = "demo-%s-py3-none-any.whl" % version
    info = "demo-%s.dist-info" % version
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        wheel.writestr(*content)
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: %s\n" % version)
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\nGenerator: demo\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "/RECORD", "")
    return name

def build_wheel(directory, config_settings=None, metadata_directory=None):
    if os.path.exists("fail"):
        print("about to give up", file=sys.stderr)
        raise RuntimeError("the flux is not aligned")
    return _build(directory, "1.0", ("demo.py", open("demo.py").read()))

def build_editable(directory, config_settings=None, metadata_directory=None):
    return _build(directory, "1.0", ("demo.pth", os.getcwd()))
"#;

const PROJECT: &str = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n\
                       [project]\nname = 'demo'\nversion = '1.0'\n";

/// The same, but the version is only known after a build.
const DYNAMIC: &str = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n\
                       [project]\nname = 'demo'\ndynamic = ['version']\n";

fn write_source(world: &World, project: &str) {
    world.write("demo/pyproject.toml", project);
    world.write("demo/backend.py", BACKEND);
    world.write("demo/demo.py", "ANSWER = 42\n");
}

#[test]
fn a_folder_is_built() {
    for project in [PROJECT, DYNAMIC] {
        let world = World::new();
        write_source(&world, project);
        let wheels = world.obtain(&world.session(), &world.request(&["./demo"])).unwrap();
        let (package, wheel) = &wheels[0];
        assert_eq!((package.name.as_str(), package.version.as_str()), ("demo", "1.0"));
        assert_eq!(wheel.filename, "demo-1.0-py3-none-any.whl");
        assert!(wheel.temporary && wheel.path.starts_with(world.path("wheels")));
        assert_eq!(wheel.sha256.to_string(), sha256(&std::fs::read(&wheel.path).unwrap()));
        assert_eq!(Path::new(&wheel.origin), world.path("demo"));
        let Artifact::Source { editable, key, .. } = &package.file else { panic!() };
        assert_eq!((*editable, key), (false, &None));
        let origin = origin_of(package);
        assert_eq!(origin["url"], format!("file://{}", world.path("demo").display()));
        assert_eq!(origin["dir_info"], serde_json::json!({}));
    }
}

#[test]
fn metadata_and_wheel_come_from_one_environment() {
    for hook in [
        "",
        "\ndef prepare_metadata_for_build_wheel(directory, config_settings=None):\n    \
        return _build_metadata(directory)\n",
    ] {
        let world = World::new();
        write_source(&world, DYNAMIC);
        let note = "\nopen('environments', 'a').write(sys.prefix + '\\n')\n\
            def _build_metadata(directory):\n    \
                os.makedirs(os.path.join(directory, 'demo-1.0.dist-info'))\n    \
                open(os.path.join(directory, 'demo-1.0.dist-info', 'METADATA'), 'w').write('Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n')\n    \
                return 'demo-1.0.dist-info'\n";
        world.write("demo/backend.py", format!("{BACKEND}{note}{hook}"));
        world.obtain(&world.session(), &world.request(&["./demo"])).unwrap();
        let noted = std::fs::read_to_string(world.path("demo/environments")).unwrap();
        let mut environments: Vec<&str> = noted.lines().collect();
        assert!(environments.len() > 1, "it was called for the metadata and for the wheel");
        environments.dedup();
        assert_eq!(environments.len(), 1, "{noted}");
    }
}

#[test]
fn an_editable_folder_gives_an_editable_wheel() {
    let world = World::new();
    write_source(&world, PROJECT);
    let wheels = world.obtain(&world.session(), &world.request(&["-e demo"])).unwrap();
    let (package, wheel) = &wheels[0];
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&wheel.path).unwrap()).unwrap();
    assert!(archive.by_name("demo.pth").is_ok());
    assert!(package.requested);
    assert_eq!(origin_of(package)["dir_info"]["editable"], true);
    let path = Some(world.path("demo"));
    assert!(
        matches!(&package.file, Artifact::Source { editable: true, key: None, directory, .. } if *directory == path)
    );
    let mut request = world.request(&["-e demo"]);
    request.options.build_settings = vec!["key=value".to_owned()];
    let wheels = world.obtain(&world.session(), &request).unwrap();
    assert!(
        matches!(wheels[0].0.file, Artifact::Source { directory: None, .. }),
        "more than the directory decides"
    );
}

/// A source distribution; zip is one of its two formats.
fn source_archive(project: &str) -> Vec<u8> {
    let metadata = "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n";
    zip(&[
        ("demo-1.0/PKG-INFO", metadata),
        ("demo-1.0/pyproject.toml", project),
        ("demo-1.0/backend.py", BACKEND),
        ("demo-1.0/demo.py", ""),
    ])
}

#[test]
fn a_source_distribution_of_the_index_is_built() {
    let world = World::new();
    let archive = source_archive(PROJECT);
    world.index.add("demo", Hosted::new("demo-1.0.zip", &archive));
    let wheels = world.obtain(&world.session(), &world.request(&["demo"])).unwrap();
    let (package, wheel) = &wheels[0];
    assert_eq!(wheel.filename, "demo-1.0-py3-none-any.whl");
    assert_eq!(wheel.origin, world.index.file_url("demo", "demo-1.0.zip"));
    let Artifact::Source { key, .. } = &package.file else { panic!() };
    assert_eq!(key.as_deref(), Some(format!("sha256:{}", sha256(&archive)).as_str()));
    assert_eq!(package.direct_url, None);
}

#[test]
fn another_source_than_the_listed_one_is_not_built() {
    let world = World::new();
    let mut file = Hosted::new("demo-1.0.zip", &source_archive(PROJECT));
    file.hash = Some(format!("sha256={}", "0".repeat(64)));
    world.index.add("demo", file);
    let error = world.obtain(&world.session(), &world.request(&["demo"])).unwrap_err();
    assert!(matches!(error, Error::Hash { .. }), "{error:?}");
    assert!(told(&error).contains("demo"), "{}", told(&error));
}

#[test]
fn an_archive_of_this_machine_is_built() {
    let world = World::new();
    write_source(&world, PROJECT);
    world.write("demo/PKG-INFO", "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n");
    let script = "import tarfile; tarfile.open('demo-1.0.tar.gz', 'w:gz').add('demo', 'demo-1.0')";
    let status = Command::new(python()).args(["-c", script]).current_dir(world.folder.path()).status();
    assert!(status.unwrap().success());
    let archive = world.path("demo-1.0.tar.gz");
    let wheels = world.obtain(&world.session(), &world.request(&["./demo-1.0.tar.gz"])).unwrap();
    let (package, wheel) = &wheels[0];
    assert_eq!(wheel.filename, "demo-1.0-py3-none-any.whl");
    let hash = sha256(&std::fs::read(&archive).unwrap());
    let Artifact::Source { key, .. } = &package.file else { panic!() };
    assert_eq!(key.as_deref(), Some(format!("sha256:{hash}").as_str()));
    let origin = origin_of(package);
    assert_eq!(origin["url"], format!("file://{}", archive.display()));
    assert_eq!(origin["archive_info"]["hashes"]["sha256"], hash);
}

#[test]
fn a_repository_is_built_at_its_commit() {
    let world = World::new();
    write_source(&world, PROJECT);
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=demo", "-c", "user.email=demo@example.com"];
        let output =
            Command::new("git").args(identity).args(arguments).current_dir(world.path("demo")).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet", "--initial-branch", "trunk"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "start"]);
    let commit = git(&["rev-parse", "HEAD"]);
    let url = format!("git+file://{}@trunk", world.path("demo").display());
    let wheels = world.obtain(&world.session(), &world.request(&[&url])).unwrap();
    let (package, wheel) = &wheels[0];
    assert_eq!(wheel.filename, "demo-1.0-py3-none-any.whl");
    let origin = &origin_of(package)["vcs_info"];
    assert_eq!(origin["commit_id"], commit);
    assert_eq!(origin["requested_revision"], "trunk");
    let Artifact::Source { key, .. } = &package.file else { panic!() };
    assert_eq!(key.as_deref(), Some(format!("git:{commit}").as_str()));
}

#[test]
fn a_failing_build_shows_the_last_words_of_the_backend() {
    let world = World::new();
    write_source(&world, PROJECT);
    world.write("demo/fail", "");
    let error = world.obtain(&world.session(), &world.request(&["./demo"])).unwrap_err();
    assert!(matches!(error, Error::Build { .. }), "{error:?}");
    let told = told(&error);
    assert!(told.starts_with("could not build `demo 1.0`"), "{told}");
    assert!(told.contains("the flux is not aligned") && told.contains("about to give up"), "{told}");
    assert!(error.hint().is_some());
}

#[test]
fn a_build_that_fails_for_the_metadata_is_told_too() {
    let world = World::new();
    write_source(&world, DYNAMIC);
    world.write("demo/fail", "");
    let error = world.resolve(&["./demo"]).unwrap_err();
    assert!(matches!(error, Error::Build { .. }), "{error:?}");
    assert!(told(&error).contains("the flux is not aligned"), "{}", told(&error));
}

#[test]
fn a_folder_says_anew_what_its_build_reads_elsewhere() {
    let world = World::new();
    write_source(&world, DYNAMIC);
    world.write("demo/backend.py", BACKEND.replace("\"1.0\", (", "open(\"version\").read(), ("));
    let url = format!("file://{}", world.path("demo").display());
    let outer = PROJECT.replace("'1.0'", &format!("'1.0'\ndependencies = ['demo @ {url}']"));
    world.write("outer/pyproject.toml", outer.replace("'demo'", "'outer'"));
    for version in ["1.0", "2.0", "3.0"] {
        world.write("demo/version", version);
        assert_eq!(pins(&world.resolve(&["./demo"]).unwrap()), [format!("demo {version}")]);
        world.write("demo/version", format!("{version}.1"));
        let demo = format!("demo {version}.1");
        assert_eq!(pins(&world.resolve(&["./outer"]).unwrap()), [demo, "outer 1.0".to_owned()]);
    }
}

#[test]
fn sources_can_be_refused() {
    let world = World::new();
    world.index.add("demo", Hosted::new("demo-1.0.zip", &source_archive(PROJECT)));
    let mut request = world.request(&["demo"]);
    request.options.only_binary = vec![":all:".to_owned()];
    let told = told(&world.session().resolve(&request).unwrap_err());
    assert!(told.contains("--only-binary :all:"), "{told}");
}

#[test]
fn wheels_can_be_refused() {
    let world = World::new();
    world.host("demo", "1.0", &[]);
    world.index.add("demo", Hosted::new("demo-1.0.zip", &source_archive(PROJECT)));
    let mut request = world.request(&["demo"]);
    assert!(!world.session().resolve(&request).unwrap().packages[0].file.is_source());
    request.options.no_binary = vec!["demo".to_owned()];
    let resolution = world.session().resolve(&request).unwrap();
    assert_eq!(pins(&resolution), ["demo 1.0"]);
    assert!(resolution.packages[0].file.is_source());
}

#[test]
fn one_folder_of_a_local_archive_is_built() {
    let world = World::new();
    write_source(&world, PROJECT);
    let script = "import sys, tarfile; tarfile.open(sys.argv[1], 'w:gz').add(sys.argv[2], sys.argv[3])";
    let archive = world.path("all.tar.gz");
    let made = Command::new(python())
        .args(["-c", script])
        .args([archive.as_os_str(), world.path("demo").as_os_str(), "all-1/inner".as_ref()])
        .status();
    assert!(made.unwrap().success());
    let url = format!("file://{}", archive.display());
    let hash = sha256(&std::fs::read(&archive).unwrap());
    let session = world.session();
    let wheels =
        world.obtain(&session, &world.request(&[&format!("demo @ {url}#subdirectory=inner")])).unwrap();
    let (package, wheel) = &wheels[0];
    assert_eq!((package.name.as_str(), wheel.filename.as_str()), ("demo", "demo-1.0-py3-none-any.whl"));
    let origin = origin_of(package);
    assert_eq!((&origin["url"], &origin["subdirectory"]), (&url.as_str().into(), &"inner".into()));
    assert_eq!(origin["archive_info"]["hashes"]["sha256"], hash.as_str());
    assert_eq!(origin["archive_info"]["hash"], format!("sha256={hash}"));
    assert_eq!(wheel.archive_sha256, Some(hash.parse().unwrap()));
    let Artifact::Source { key, .. } = &package.file else { panic!() };
    assert_eq!(key.as_deref(), Some(format!("sha256:{hash}#inner").as_str()));
    let lock = virtpy_resolver::LockRequest {
        request: world.request(&[&format!("demo @ {url}#subdirectory=inner")]),
        form: virtpy_resolver::LockForm::Pylock,
        universal: true,
        requires_python: None,
        folder: world.path("."),
        existing: None,
        asks_all: false,
    };
    let text = session.lock(&lock).unwrap().text;
    assert!(text.contains("archive = {") && !text.contains("\ndirectory"), "{text}");
    for part in ["path = \"all.tar.gz\"", "subdirectory = \"inner\"", &format!("sha256 = \"{hash}\"")] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let locked = virtpy_resolver::LockedRequest {
        path: world.path("pylock.toml"),
        text,
        format: virtpy_resolver::LockFormat::Pylock,
        selection: virtpy_resolver::Selection::default(),
        options: virtpy_resolver::Options::default(),
    };
    let resolution = session.resolve_locked(&locked).unwrap();
    let memory = crate::world::Memory::default();
    session.obtain(&resolution, &[0], &world.path("locked"), &memory).unwrap();
    for outside in ["outer", "..", "../../.."] {
        let error = world.resolve(&[&format!("demo @ {url}#subdirectory={outside}")]).unwrap_err();
        assert!(told(&error).contains(&format!("it has no folder `{outside}`")), "{}", told(&error));
    }
    // The archive is read each time, not remembered by its name.
    std::fs::write(&archive, "no archive any more").unwrap();
    assert!(session.resolve(&world.request(&[&format!("demo @ {url}#subdirectory=inner")])).is_err());
}

#[test]
fn archives_are_taken_however_they_are_compressed() {
    for (mode, ending) in
        [("w:bz2", "tar.bz2"), ("w:xz", "tar.xz"), ("w:xz", "txz"), ("w", "tar"), ("w:gz", "tgz")]
    {
        for into in ["demo-1.0", "."] {
            let world = World::new();
            write_source(&world, PROJECT);
            let script = "import sys, tarfile; archive = tarfile.open(sys.argv[1], sys.argv[2]); archive.add(sys.argv[3], sys.argv[4]); archive.close()";
            let archive = world.path(&format!("demo-1.0.{ending}"));
            let made = Command::new(python())
                .args(["-c", script])
                .args([archive.as_os_str(), mode.as_ref(), world.path("demo").as_os_str(), into.as_ref()])
                .status();
            assert!(made.unwrap().success());
            let wanted = format!("./demo-1.0.{ending}");
            let wheels = world.obtain(&world.session(), &world.request(&[&wanted]));
            let wheels = wheels.unwrap_or_else(|error| panic!("{ending} {into}: {}", told(&error)));
            assert_eq!(wheels[0].1.filename, "demo-1.0-py3-none-any.whl");
            let bytes = std::fs::read(&archive).unwrap();
            world.index.add("demo", Hosted::new(&format!("demo-1.0.{ending}"), &bytes));
            let url = world.index.file_url("demo", &format!("demo-1.0.{ending}"));
            let wrong = format!("demo @ {url}#sha256={}", sha256(b"else"));
            let error = world.resolve(&[&wrong]).map(|_| ()).unwrap_err();
            assert!(matches!(error, Error::Hash { .. }), "{ending}: {error:?}");
            let wheels = world.obtain(&world.session(), &world.request(&[&format!("demo @ {url}")])).unwrap();
            assert_eq!(wheels[0].1.archive_sha256, Some(sha256(&bytes).parse().unwrap()));
        }
    }
}
