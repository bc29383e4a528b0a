//! What is installed counts.

use std::path::PathBuf;

use virtpy_resolver::{Error, InstalledDistribution, Kept, Options, Request, Resolution};

use crate::index::sha256;
use crate::world::{World, pins, told, wheel};

fn installed(name: &str, version: &str, requires: &[&str]) -> InstalledDistribution {
    InstalledDistribution {
        name: name.parse().unwrap(),
        version: version.to_owned(),
        location: PathBuf::from(format!("/venv/site-packages/{name}-{version}.dist-info")),
        requires_dist: requires.iter().map(|text| (*text).to_owned()).collect(),
        provides_extra: vec!["more".to_owned()],
    }
}

struct Scene {
    world: World,
    installed: Vec<InstalledDistribution>,
}

impl Scene {
    fn new(installed: Vec<InstalledDistribution>) -> Self {
        let world = World::new();
        for version in ["1.0", "2.0"] {
            world.host("lib", version, &[]);
        }
        world.host("app", "1.0", &["Requires-Dist: lib>=1"]);
        world.host("new", "1.0", &["Requires-Dist: lib>=2"]);
        Self { world, installed }
    }

    fn resolve(&self, requirements: &[&str], options: Options) -> Result<Resolution, Error> {
        let mut request = Request { installed: self.installed.clone(), ..self.world.request(requirements) };
        let working_directory = request.options.working_directory.clone();
        request.options = Options { working_directory, ..options };
        self.world.session().resolve(&request)
    }

    /// What has to come, and what is kept.
    fn answer(&self, requirements: &[&str]) -> (Vec<String>, Vec<String>) {
        let resolution = self.resolve(requirements, Options::default()).unwrap();
        (pins(&resolution), kept(&resolution))
    }
}

fn kept(resolution: &Resolution) -> Vec<String> {
    resolution.kept.iter().map(|Kept { name, version, .. }| format!("{name} {version}")).collect()
}

#[test]
fn it_stays_where_it_satisfies_whether_or_not_the_index_has_it() {
    // The index has neither this version nor this name; spellings do not matter.
    let scene =
        Scene::new(vec![installed("Lib", "1.5+ours", &["private>=1"]), installed("private", "1.0", &[])]);
    assert_eq!(
        scene.answer(&["app"]),
        (vec!["app 1.0".to_owned()], vec!["lib 1.5+ours".into(), "private 1.0".into()])
    );
    assert_eq!(scene.answer(&["lib>=1.5"]).0, [""; 0]);
    let resolution = scene.resolve(&["lib", "app"], Options::default()).unwrap();
    let requested: Vec<bool> = resolution.kept.iter().map(|one| one.requested).collect();
    assert_eq!(requested, [true, false]);
    assert_eq!(resolution.packages[0].dependencies, ["lib"]);
    // Nothing is remembered of an answer that depends on what is here.
    assert_eq!(resolution.pages, None);
}

#[test]
fn it_is_replaced_where_it_does_not() {
    let scene = Scene::new(vec![installed("lib", "1.5", &[])]);
    assert_eq!(scene.answer(&["new"]), (vec!["lib 2.0".to_owned(), "new 1.0".into()], Vec::new()));
    assert_eq!(scene.answer(&["lib==1.0"]).0, ["lib 1.0"]);
    scene.world.write("limits.txt", "lib<1.2\n");
    let request = scene.world.request_within(&["app"], &["limits.txt"]);
    let request = Request { installed: scene.installed.clone(), ..request };
    assert_eq!(pins(&scene.world.session().resolve(&request).unwrap()), ["app 1.0", "lib 1.0"]);
    // A name that only this machine has, in a version that it has not.
    let scene = Scene::new(vec![installed("private", "1.0", &[])]);
    let error = scene.resolve(&["private>=2"], Options::default()).unwrap_err();
    assert!(told(&error).contains("private"), "{}", told(&error));
}

#[test]
fn upgrades_and_reinstallations_ask_the_index() {
    let scene = Scene::new(vec![installed("lib", "1.5", &[])]);
    let answer = |options: Options| {
        let resolution = scene.resolve(&["app"], options).unwrap();
        (pins(&resolution), kept(&resolution))
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(answer(Options { upgrade: true, ..Options::default() }).0, ["app 1.0", "lib 2.0"]);
    let one = |name: &str| Options { upgrade_packages: names(&[name]), ..Options::default() };
    assert_eq!(answer(one("LIB")).0, ["app 1.0", "lib 2.0"]);
    assert_eq!(answer(one("app")), (names(&["app 1.0"]), names(&["lib 1.5"])));
    assert_eq!(answer(Options { reinstall: true, ..Options::default() }).0, ["app 1.0", "lib 2.0"]);
    // Where the index has nothing newer it stays.
    let scene = Scene::new(vec![installed("lib", "3.0a1", &[])]);
    let resolution = scene.resolve(&["lib"], Options { upgrade: true, ..Options::default() }).unwrap();
    assert_eq!(kept(&resolution), ["lib 3.0a1"]);
}

#[test]
fn its_own_requirements_are_followed() {
    let world_has = [
        installed(
            "lib",
            "1.5",
            &["app; extra == 'more'", "elsewhere; sys_platform == 'nowhere'", "new @ file:///gone"],
        ),
        installed("new", "0.1", &["lib"]),
    ];
    let scene = Scene::new(world_has.to_vec());
    // A URL says where something came from that is there now.
    assert_eq!(scene.answer(&["lib"]), (Vec::new(), vec!["lib 1.5".to_owned(), "new 0.1".into()]));
    assert_eq!(scene.answer(&["lib[more]"]).0, ["app 1.0"]);
    // What cannot be read is told and passed over.
    let scene =
        Scene::new(vec![installed("lib", "1.5", &["!!!", "app"]), installed("odd", "not a version", &[])]);
    let resolution = scene.resolve(&["lib"], Options::default()).unwrap();
    assert_eq!(
        (pins(&resolution), kept(&resolution)),
        (vec!["app 1.0".to_owned()], vec!["lib 1.5".to_owned()])
    );
    assert!(resolution.warnings.iter().any(|warning| warning.contains("`!!!`")), "{:?}", resolution.warnings);
}

#[test]
fn an_index_that_fails_is_needed_only_for_other_versions() {
    let scene = Scene::new(vec![installed("lib", "1.5", &[])]);
    scene.world.index.break_page("lib");
    assert_eq!(scene.answer(&["app"]), (vec!["app 1.0".to_owned()], vec!["lib 1.5".into()]));
    let error = scene.resolve(&["new"], Options::default()).unwrap_err();
    assert!(matches!(error, Error::Network { status: Some(500), .. }), "{error:?}");
    assert!(scene.resolve(&["app"], Options { upgrade: true, ..Options::default() }).is_err());
}

#[test]
fn no_hash_is_demanded_of_it() {
    let scene = Scene::new(vec![installed("lib", "1.0", &[])]);
    let hash = sha256(&wheel("app", "1.0", &["Requires-Dist: lib>=1"]));
    scene.world.write("locked.txt", format!("app==1.0 --hash=sha256:{hash}\n"));
    let required = || Options { require_hashes: true, ..Options::default() };
    let resolution = scene.resolve(&["-r locked.txt"], required()).unwrap();
    assert_eq!(
        (pins(&resolution), kept(&resolution)),
        (vec!["app 1.0".to_owned()], vec!["lib 1.0".to_owned()])
    );
    // Whatever would be fetched needs one, though it is of the installed version.
    let again = Options { reinstall: true, ..required() };
    assert!(scene.resolve(&["-r locked.txt"], again).is_err());
    scene.world.write("newer.txt", "lib>=2\n");
    assert!(scene.resolve(&["-r locked.txt", "-r newer.txt"], required()).is_err());
}
