//! From requirements to packages.

use std::thread;

use virtpy_pep::{NamedVersion, PackageName};
use virtpy_resolver::{Artifact, IndexSettings, Options, Package, Request, Sought};

use crate::index::{Format, Index, sha256};
use crate::world::{World, origin_of, pins, told, wheel, wheel_name};

/// A package with an extra and with a requirement for another system.
fn host_app(world: &World) {
    let headers = [
        "Provides-Extra: Fast_Mode",
        "Requires-Dist: lib>=1",
        "Requires-Dist: elsewhere; sys_platform == 'nowhere'",
        "Requires-Dist: speed; extra == 'fast-mode'",
    ];
    world.host("app", "1.0", &headers);
    world.host("lib", "1.0", &[]);
    world.host("lib", "2.0", &[]);
    world.host("speed", "0.1", &["Requires-Dist: lib<2"]);
}

#[test]
fn extras_and_markers_decide_what_is_needed() {
    for format in [Format::Json, Format::Html] {
        let world = World::with(format);
        host_app(&world);
        assert_eq!(pins(&world.resolve(&["app"]).unwrap()), ["app 1.0", "lib 2.0"]);
        let resolution = world.resolve(&["App[fast.mode]; python_version >= '3'", "lib"]).unwrap();
        assert_eq!(pins(&resolution), ["app 1.0", "lib 1.0", "speed 0.1"]);
        let app = &resolution.packages[0];
        assert_eq!(app.extras, ["fast-mode"]);
        assert_eq!(app.dependencies, ["lib", "speed"]);
        assert!(app.requested && resolution.packages[1].requested && !resolution.packages[2].requested);
        assert_eq!(app.direct_url, None);
        let Artifact::Wheel { filename, location, sha256: hash, local, .. } = &app.file else { panic!() };
        assert_eq!(filename, &wheel_name("app", "1.0"));
        assert_eq!(location, &world.index.file_url("app", filename));
        assert_eq!(local, &None);
        assert!(hash.is_some());
        assert!(resolution.warnings.is_empty(), "{:?}", resolution.warnings);
    }
}

#[test]
fn a_requirement_for_another_system_is_none() {
    let world = World::new();
    host_app(&world);
    let resolution = world.resolve(&["lib", "app; sys_platform == 'nowhere'"]).unwrap();
    assert_eq!(pins(&resolution), ["lib 2.0"]);
}

#[test]
fn dependencies_can_be_left_out() {
    let world = World::new();
    host_app(&world);
    let mut request = world.request(&["app"]);
    request.options.no_deps = true;
    assert_eq!(pins(&world.session().resolve(&request).unwrap()), ["app 1.0"]);
}

#[test]
fn what_is_preferred_is_taken_unless_it_is_to_be_upgraded() {
    let world = World::new();
    host_app(&world);
    let preferred = vec![NamedVersion::new("lib", "1.0"), NamedVersion::new("gone", "3")];
    let resolve = |options: Options| {
        let request = Request { preferred: preferred.clone(), options, ..world.request(&["app"]) };
        pins(&world.session().resolve(&request).unwrap())
    };
    assert_eq!(resolve(Options::default()), ["app 1.0", "lib 1.0"]);
    assert_eq!(resolve(Options { upgrade: true, ..Options::default() }), ["app 1.0", "lib 2.0"]);
    let one = |name: &str| Options { upgrade_packages: vec![name.to_owned()], ..Options::default() };
    assert_eq!(resolve(one("Lib")), ["app 1.0", "lib 2.0"]);
    assert_eq!(resolve(one("app")), ["app 1.0", "lib 1.0"]);
}

#[test]
fn constraints_limit_but_do_not_ask() {
    let world = World::new();
    host_app(&world);
    world.write("constraints.txt", "lib==1.0\nnever-asked==9\n");
    let request = world.request_within(&["app"], &["constraints.txt"]);
    assert_eq!(pins(&world.session().resolve(&request).unwrap()), ["app 1.0", "lib 1.0"]);
}

#[test]
fn only_versions_for_this_python_and_no_yanked_ones_are_taken() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    world.host_as("lib", "2.0", &[], |file| {
        file.requires_python = Some(">=4".to_owned());
    });
    world.host_as("lib", "3.0", &[], |file| {
        file.yanked = Some("it bites".to_owned());
    });
    assert_eq!(pins(&world.resolve(&["lib"]).unwrap()), ["lib 1.0"]);
    let pinned = world.resolve(&["lib==3.0"]).unwrap();
    assert_eq!(pins(&pinned), ["lib 3.0"]);
    assert!(pinned.warnings.iter().any(|warning| warning.contains("it bites")), "{:?}", pinned.warnings);
}

#[test]
fn pre_releases_are_taken_when_they_are_wanted_or_all_there_is() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    world.host("lib", "2.0rc1", &[]);
    world.host("new", "0.1a1", &[]);
    assert_eq!(pins(&world.resolve(&["lib", "new"]).unwrap()), ["lib 1.0", "new 0.1a1"]);
    let mut request = world.request(&["lib"]);
    request.options.prerelease = true;
    assert_eq!(pins(&world.session().resolve(&request).unwrap()), ["lib 2.0rc1"]);
}

#[test]
fn an_extra_that_is_not_there_is_a_warning() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    let resolution = world.resolve(&["lib[nope]"]).unwrap();
    assert!(
        resolution.warnings.iter().any(|warning| warning.contains("'nope'")),
        "{:?}",
        resolution.warnings
    );
}

#[test]
fn without_the_network_the_cache_is_enough() {
    let world = World::new();
    host_app(&world);
    let first = world.resolve(&["app"]).unwrap();
    let requests = world.index.seen().len();
    let offline = IndexSettings { offline: true, ..world.settings() };
    let second = world.session_with(offline).resolve(&world.request(&["app"])).unwrap();
    // Only the index itself is believed about what it has.
    let unasked = |package: &Package| Package { indexes: Vec::new(), ..package.clone() };
    assert_eq!(first.packages.iter().map(unasked).collect::<Vec<_>>(), second.packages);
    assert_eq!(world.index.seen().len(), requests);
}

#[test]
fn what_is_fresh_is_not_asked_for_again() {
    let world = World::new();
    world.index.set_max_age(600);
    host_app(&world);
    world.resolve(&["lib"]).unwrap();
    let requests = world.index.seen().len();
    world.resolve(&["lib"]).unwrap();
    assert_eq!(world.index.seen().len(), requests);
    let mut upgrade = world.request(&["lib"]);
    upgrade.options.upgrade = true;
    world.session().resolve(&upgrade).unwrap();
    assert!(world.index.seen().len() > requests);
}

#[test]
fn a_session_that_is_not_used_leaves_no_trace() {
    let world = World::new();
    drop(world.session());
    assert!(!world.path("cache").exists());
}

#[test]
fn several_sessions_share_a_cache() {
    let world = World::new();
    host_app(&world);
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| pins(&world.resolve(&["app"]).unwrap()))).collect();
        for worker in workers {
            assert_eq!(worker.join().unwrap(), ["app 1.0", "lib 2.0"]);
        }
    });
}

#[test]
fn files_may_name_their_index_and_other_files() {
    let world = World::new();
    let other = Index::start(Format::Html);
    host_app(&world);
    let text = format!(
        "# comment\n--index-url {}\n-c limits/constraints.txt\n-r nested/more.txt\napp # why\n",
        world.index.url()
    );
    world.write("requirements.txt", text);
    world.write("nested/more.txt", "lib >= 1\n");
    world.write("limits/constraints.txt", "lib < 2\n");
    let settings = IndexSettings { index_url: Some(other.url()), ..IndexSettings::default() };
    let resolution = world.session_with(settings).resolve(&world.request(&["-r requirements.txt"])).unwrap();
    assert_eq!(pins(&resolution), ["app 1.0", "lib 1.0"]);
    assert!(resolution.packages.iter().all(|package| package.requested));
    assert!(other.seen().is_empty());
}

#[test]
fn a_project_gives_its_dependencies() {
    let world = World::new();
    host_app(&world);
    world.write(
        "pyproject.toml",
        "[project]\nname = 'mine'\nversion = '1'\ndependencies = ['app', 'lib<2']\n",
    );
    let resolution = world.resolve(&["-r pyproject.toml"]).unwrap();
    assert_eq!(pins(&resolution), ["app 1.0", "lib 1.0"]);
}

#[test]
fn extra_indexes_come_first() {
    let world = World::new();
    let private = Index::start(Format::Html);
    world.host("lib", "9.0", &[]);
    world.host("app", "1.0", &["Requires-Dist: lib"]);
    let bytes = wheel("lib", "1.0", &[]);
    private.add("lib", crate::index::Hosted::new(&wheel_name("lib", "1.0"), &bytes));
    let settings = IndexSettings { extra_index_urls: vec![private.url()], ..world.settings() };
    let resolve = |settings| pins(&world.session_with(settings).resolve(&world.request(&["app"])).unwrap());
    assert_eq!(resolve(settings.clone()), ["app 1.0", "lib 1.0"]);
    assert_eq!(resolve(IndexSettings { best_match: true, ..settings }), ["app 1.0", "lib 9.0"]);
}

#[test]
fn credentials_are_sent_and_not_shown() {
    let world = World::new();
    host_app(&world);
    world.index.set_password("Basic bWU6c2VjcmV0");
    let refused = world.resolve(&["lib"]).unwrap_err();
    assert!(told(&refused).contains("401"), "{}", told(&refused));
    let settings = IndexSettings { index_url: Some(world.index.url_as("me:secret")), ..world.settings() };
    let session = world.session_with(settings);
    let wheels = world.obtain(&session, &world.request(&["lib"])).unwrap();
    assert!(!format!("{wheels:?}").contains("secret"), "{wheels:?}");
}

#[test]
fn links_to_folders_serve_as_an_index() {
    let world = World::new();
    let bytes = wheel("lib", "1.5", &[]);
    world.write(&format!("links/{}", wheel_name("lib", "1.5")), &bytes);
    let find_links = vec![world.path("links").display().to_string(), "missing-folder".to_owned()];
    let settings = IndexSettings { no_index: true, find_links, ..IndexSettings::default() };
    let resolution = world.session_with(settings).resolve(&world.request(&["lib"])).unwrap();
    let path = world.path("links").join(wheel_name("lib", "1.5"));
    let Artifact::Wheel { local, location, .. } = &resolution.packages[0].file else { panic!() };
    assert_eq!((local.as_ref(), location), (Some(&path), &path.display().to_string()));
    assert!(resolution.warnings.iter().any(|warning| warning.contains("missing-folder")));
}

#[test]
fn urls_bring_their_own_urls() {
    let world = World::new();
    let inner = world.index.file_url("inner", &wheel_name("inner", "1.0"));
    world.host("inner", "1.0", &[]);
    world.host("inner", "2.0", &[]);
    world.host("outer", "1.0", &[&format!("Requires-Dist: inner @ {inner}")]);
    let outer = world.index.file_url("outer", &wheel_name("outer", "1.0"));
    let resolution = world.resolve(&[&outer]).unwrap();
    assert_eq!(pins(&resolution), ["inner 1.0", "outer 1.0"]);
    let origin = origin_of(&resolution.packages[1]);
    assert_eq!(origin["url"], outer);
    assert!(origin["archive_info"].is_object());
}

#[test]
fn a_hash_in_a_url_is_part_of_its_origin() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    let hash = sha256(&wheel("lib", "1.0", &[]));
    let url = world.index.file_url("lib", &wheel_name("lib", "1.0"));
    let resolution = world.resolve(&[&format!("lib @ {url}#sha256={hash}")]).unwrap();
    let origin = origin_of(&resolution.packages[0]);
    assert_eq!(origin["archive_info"]["hashes"]["sha256"], hash);
    assert_eq!(resolution.packages[0].file.sha256(), Some(hash.parse().unwrap()));
}

#[test]
fn the_newest_versions_are_looked_up() {
    let world = World::new();
    host_app(&world);
    world.host("lib", "3.0b1", &[]);
    world.host_as("lib", "4.0", &[], |file| {
        file.requires_python = Some(">=4".to_owned());
    });
    world.host_as("lib", "5.0", &[], |file| file.yanked = Some("broken".to_owned()));
    let names = ["Lib", "no-such-package"].map(|name| Sought::from(name.parse::<PackageName>().unwrap()));
    let latest = world.session().latest_versions(&names, false, None).unwrap();
    assert_eq!(latest.len(), 1);
    assert_eq!((latest["lib"].version.to_string().as_str(), latest["lib"].kind.as_str()), ("2.0", "wheel"));
    let usable: Vec<String> = latest["lib"].usable.iter().map(ToString::to_string).collect();
    assert_eq!(usable, ["2.0", "1.0"]);
    let latest = world.session().latest_versions(&names, true, None).unwrap();
    assert_eq!(latest["lib"].version.to_string(), "3.0b1");
    // Of what is installed already, or was, only that is told which is newer; where nothing is, the newest all the same.
    for (installed, expected) in
        [("0.9", &["2.0", "1.0"][..]), ("1.0", &["2.0"]), ("2.0", &["2.0"]), ("9", &["2.0"])]
    {
        let sought = Sought { package: "lib".parse().unwrap(), installed: installed.parse().ok() };
        let latest = world.session().latest_versions(&[sought], false, None).unwrap();
        let usable: Vec<String> = latest["lib"].usable.iter().map(ToString::to_string).collect();
        assert_eq!(usable, expected, "{installed} is installed");
    }
}

#[test]
fn the_index_sees_who_asks() {
    let world = World::new();
    host_app(&world);
    world.resolve(&["lib"]).unwrap();
    let seen = world.index.seen();
    assert!(!seen.is_empty());
    for request in seen {
        assert_eq!(request.headers["user-agent"], "virtpy-test/1", "{request:?}");
    }
}
