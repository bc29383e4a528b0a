//! From sources to wheels, with a build backend of a few lines that lies in the source itself.

use std::path::Path;
use std::process::Command;

use virtpy_resolver::{Artifact, Error};

use crate::index::{Hosted, sha256};
use crate::world::{World, pins, python, told, zip};

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
        assert_eq!(wheel.sha256, sha256(&std::fs::read(&wheel.path).unwrap()));
        assert_eq!(Path::new(&wheel.origin), world.path("demo"));
        let Artifact::Source { editable, key, .. } = &package.file else { panic!() };
        assert_eq!((*editable, key), (false, &None));
        let origin = package.direct_url.as_ref().unwrap();
        assert_eq!(origin["url"], format!("file://{}", world.path("demo").display()));
        assert_eq!(origin["dir_info"], serde_json::json!({}));
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
    assert_eq!(package.direct_url.as_ref().unwrap()["dir_info"]["editable"], true);
    assert!(matches!(package.file, Artifact::Source { editable: true, key: None, .. }));
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
    let origin = package.direct_url.as_ref().unwrap();
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
    let origin = &package.direct_url.as_ref().unwrap()["vcs_info"];
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
