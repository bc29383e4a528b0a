//! The caller's wheels in place of an index that may not be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use virtpy_resolver::{
    Artifact, Error, IndexSettings, LocalWheel, LocalWheels, Package, Request, Resolution, Session,
};

use crate::index::sha256;
use crate::world::{Memory, World, told};

/// What the caller has, and how often it was asked for.
#[derive(Debug, Default)]
struct Shelf {
    wheels: Vec<LocalWheel>,
    asked: AtomicUsize,
}

impl LocalWheels for Shelf {
    fn list(&self) -> Vec<LocalWheel> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.wheels.clone()
    }
}

/// A wheel of the world's index, with these further lines in its METADATA.
fn local(world: &World, filename: &str, headers: &str) -> LocalWheel {
    let (name, version) = filename.split_once('-').unwrap();
    let version = version.split('-').next().unwrap();
    let metadata = world.write(
        &format!("metadata/{filename}"),
        format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{headers}"),
    );
    LocalWheel {
        name: name.to_owned(),
        filename: filename.to_owned(),
        sha256: sha256(filename.as_bytes()).parse().unwrap(),
        origin: world.index.file_url(name, filename),
        indexes: vec![world.index.url().trim_end_matches('/').to_owned()],
        metadata,
    }
}

fn session(world: &World, shelf: &Arc<Shelf>, offline: bool) -> Session {
    let mut options = world.options(IndexSettings { offline, ..world.settings() });
    options.local_wheels = Some(shelf.clone());
    Session::new(options)
}

fn resolve(world: &World, wheels: &[LocalWheel], request: &Request) -> Result<Resolution, Error> {
    let shelf = Arc::new(Shelf { wheels: wheels.to_vec(), ..Shelf::default() });
    session(world, &shelf, true).resolve(request)
}

fn versions(packages: &[Package]) -> Vec<String> {
    packages.iter().map(|one| format!("{} {}", one.name, one.version)).collect()
}

#[test]
fn they_are_chosen_by_tags_python_and_metadata() {
    let world = World::new();
    let wheels = [
        local(&world, "app-3.0-cp27-cp27m-win32.whl", ""),
        local(&world, "app-2.0-py3-none-any.whl", "Requires-Python: >=99\n"),
        local(&world, "app-1.0-py3-none-any.whl", "Requires-Dist: lib<2\n"),
        local(&world, "lib-2.0-py3-none-any.whl", ""),
        local(&world, "lib-1.0-py3-none-any.whl", ""),
    ];
    let resolution = resolve(&world, &wheels, &world.request(&["app"])).unwrap();
    assert_eq!(versions(&resolution.packages), ["app 1.0", "lib 1.0"]);
    assert!(resolution.is_makeshift);
    let Artifact::Wheel { filename, sha256, .. } = &resolution.packages[0].file else { panic!() };
    assert_eq!((filename, sha256.as_ref()), (&wheels[2].filename, Some(&wheels[2].sha256)));
    assert!(world.index.seen().is_empty());
    let refused = told(&resolve(&world, &wheels, &world.request(&["app>=3"])).unwrap_err());
    assert!(refused.contains("tag"), "{refused}");
    // What is not there after all cannot be fetched.
    let folder = world.path("wheels");
    let shelf = Arc::new(Shelf { wheels: wheels.to_vec(), ..Shelf::default() });
    let session = session(&world, &shelf, true);
    let resolution = session.resolve(&world.request(&["app"])).unwrap();
    let error = session.obtain(&resolution, &[0], &folder, &Memory::default()).unwrap_err();
    assert!(matches!(error, Error::Offline { .. }), "{error:?}");
}

#[test]
fn nobody_asks_for_them_while_the_network_may_be_used() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    let shelf =
        Arc::new(Shelf { wheels: vec![local(&world, "lib-2.0-py3-none-any.whl", "")], ..Shelf::default() });
    let resolution = session(&world, &shelf, false).resolve(&world.request(&["lib"])).unwrap();
    assert_eq!(versions(&resolution.packages), ["lib 1.0"]);
    assert_eq!(resolution.packages[0].indexes, [world.index.url().trim_end_matches('/')]);
    assert!(!resolution.is_makeshift);
    // Nor where the cache has the page.
    let offline = session(&world, &shelf, true).resolve(&world.request(&["lib"])).unwrap();
    assert_eq!(versions(&offline.packages), ["lib 1.0"]);
    // Whether others had nothing of the name nobody asked now.
    assert_eq!(offline.packages[0].indexes, Vec::<String>::new());
}

#[test]
fn metadata_of_another_file_are_not_believed() {
    let world = World::new();
    let mut wheel = local(&world, "lib-2.0-py3-none-any.whl", "");
    wheel.metadata = local(&world, "evil-2.0-py3-none-any.whl", "").metadata;
    resolve(&world, &[wheel.clone()], &world.request(&["lib"])).unwrap_err();
    wheel.metadata = world.path("absent");
    resolve(&world, &[wheel.clone()], &world.request(&["lib"])).unwrap_err();
    "evil-2.0-py3-none-any.whl".clone_into(&mut wheel.filename);
    let refused = told(&resolve(&world, &[wheel], &world.request(&["lib"])).unwrap_err());
    assert!(refused.contains("its file name does not go with that"), "{refused}");
}

#[test]
fn a_build_from_source_that_is_demanded_takes_no_wheel() {
    let world = World::new();
    let mut request = world.request(&["lib"]);
    request.options.no_binary = vec!["lib".to_owned()];
    resolve(&world, &[local(&world, "lib-2.0-py3-none-any.whl", "")], &request).unwrap_err();
}
