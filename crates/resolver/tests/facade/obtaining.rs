//! From packages to wheel files.

use std::error::Error as StdError;
use std::fs;

use virtpy_resolver::{Error, IndexSettings, ObtainedWheel, Receiver};

use crate::index::{Format, sha256};
use crate::world::{Memory, World, origin_of, told, wheel, wheel_name};

#[test]
fn wheels_arrive_hashed_and_are_reported() {
    let world = World::new();
    world.host("app", "1.0", &["Requires-Dist: lib"]);
    world.host("lib", "2.0", &[]);
    let session = world.session();
    let resolution = session.resolve(&world.request(&["app"])).unwrap();
    let before = world.index.downloads(&wheel_name("app", "1.0"));
    let memory = Memory::default();
    session.obtain(&resolution, &[1], &world.path("wheels"), &memory).unwrap();
    let bytes = wheel("lib", "2.0", &[]);
    let finished = memory.finished.lock().unwrap();
    let (index, obtained) = &finished[0];
    assert_eq!((*index, finished.len()), (1, 1));
    assert_eq!(fs::read(&obtained.path).unwrap(), bytes);
    assert_eq!(obtained.path.parent().unwrap(), world.path("wheels"));
    assert_eq!(obtained.filename, wheel_name("lib", "2.0"));
    assert_eq!(obtained.sha256.to_string(), sha256(&bytes));
    assert_eq!(obtained.size, bytes.len() as u64);
    assert_eq!(obtained.origin, world.index.file_url("lib", &obtained.filename));
    assert!(obtained.temporary);
    assert_eq!(*memory.started.lock().unwrap(), [(1, Some(bytes.len() as u64))]);
    assert_eq!(*memory.bytes.lock().unwrap(), bytes.len() as u64);
    assert_eq!(world.index.downloads(&wheel_name("app", "1.0")), before);
}

#[test]
fn many_wheels_are_obtained() {
    let world = World::new();
    let names: Vec<String> = (0..40).map(|number| format!("p{number}")).collect();
    for name in &names {
        world.host(name, "1.0", &[]);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wheels = world.obtain(&world.session(), &world.request(&names)).unwrap();
    for (package, wheel) in wheels {
        assert_eq!(package.file.sha256(), Some(wheel.sha256));
    }
}

#[test]
fn another_file_than_the_listed_one_is_refused() {
    for algorithm in ["sha256", "md5"] {
        let world = World::with(Format::Html);
        let wrong = if algorithm == "md5" { "0".repeat(32) } else { "0".repeat(64) };
        world.host_as("lib", "1.0", &[], |file| {
            file.hash = Some(format!("{algorithm}={wrong}"));
        });
        let error = world.obtain(&world.session(), &world.request(&["lib"])).unwrap_err();
        assert!(matches!(error, Error::Hash { .. }), "{error:?}");
        let told = told(&error);
        assert!(told.contains("`lib 1.0`") && told.contains(&format!("{algorithm}:{wrong}")), "{told}");
        if algorithm == "sha256" {
            assert!(told.contains(&sha256(&wheel("lib", "1.0", &[]))), "{told}");
        }
    }
}

#[test]
fn a_file_without_any_hash_is_taken() {
    let world = World::with(Format::Html);
    world.host_as("lib", "1.0", &[], |file| file.hash = None);
    let wheels = world.obtain(&world.session(), &world.request(&["lib"])).unwrap();
    assert_eq!(wheels[0].0.file.sha256(), None);
    assert_eq!(wheels[0].1.sha256.to_string(), sha256(&wheel("lib", "1.0", &[])));
}

#[test]
fn hashes_of_the_requirements_are_demanded() {
    let right = sha256(&wheel("lib", "1.0", &[]));
    for (hash, fits) in [(right, true), ("1".repeat(64), false)] {
        // The index gives no hash, so that only the requirement's one can tell.
        let world = World::with(Format::Html);
        world.host_as("lib", "1.0", &[], |file| file.hash = None);
        world.write("requirements.txt", format!("lib==1.0 --hash=sha256:{hash}\n"));
        let mut request = world.request(&["-r requirements.txt"]);
        request.options.require_hashes = true;
        let obtained = world.obtain(&world.session(), &request);
        if fits {
            assert_eq!(obtained.unwrap()[0].0.file.sha256(), Some(hash.parse().unwrap()));
        } else {
            let told = told(&obtained.unwrap_err());
            assert!(told.contains(&hash), "{told}");
        }
    }
}

#[test]
fn a_demanded_hash_that_the_index_contradicts_is_found_before_any_store_is_asked() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    world.write("requirements.txt", format!("lib==1.0 --hash=sha256:{}\n", "1".repeat(64)));
    let error = world.resolve(&["-r requirements.txt"]).unwrap_err();
    assert!(matches!(error, Error::Hash { .. }), "{error:?}");
    assert!(told(&error).contains(&sha256(&wheel("lib", "1.0", &[]))), "{}", told(&error));
}

#[test]
fn a_hash_that_the_index_cannot_vouch_for_is_left_to_the_bytes() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    world.write("requirements.txt", format!("lib==1.0 --hash=sha512:{}\n", "1".repeat(128)));
    let session = world.session();
    let request = world.request(&["-r requirements.txt"]);
    let resolution = session.resolve(&request).unwrap();
    assert_eq!(resolution.packages[0].file.sha256(), None);
    let error = world.obtain(&session, &request).unwrap_err();
    assert!(matches!(error, Error::Hash { .. }), "{error:?}");
    assert!(told(&error).contains("sha512:"), "{}", told(&error));
}

#[test]
fn a_broken_transfer_begins_again() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    let session = world.session();
    let resolution = session.resolve(&world.request(&["lib"])).unwrap();
    world.index.break_transfers("lib", 2);
    let before = world.index.downloads(&wheel_name("lib", "1.0"));
    let memory = Memory::default();
    session.obtain(&resolution, &[0], &world.path("wheels"), &memory).unwrap();
    assert_eq!(world.index.downloads(&wheel_name("lib", "1.0")), before + 3);
    let finished = memory.finished.lock().unwrap();
    assert_eq!(fs::read(&finished[0].1.path).unwrap(), wheel("lib", "1.0", &[]));
}

#[test]
fn a_transfer_that_keeps_breaking_is_an_error() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    let session = world.session();
    let resolution = session.resolve(&world.request(&["lib"])).unwrap();
    world.index.break_transfers("lib", 1000);
    let memory = Memory::default();
    let error = session.obtain(&resolution, &[0], &world.path("wheels"), &memory).unwrap_err();
    assert!(matches!(error, Error::Transfer { .. }), "{error:?}");
    assert!(told(&error).contains("`lib 1.0`"), "{}", told(&error));
    assert!(memory.finished.lock().unwrap().is_empty());
}

#[test]
fn a_file_of_another_size_than_announced_is_refused() {
    let world = World::new();
    world.host_as("lib", "1.0", &[], |file| file.size = Some(10));
    let error = world.obtain(&world.session(), &world.request(&["lib"])).unwrap_err();
    assert!(matches!(error, Error::Transfer { .. }), "{error:?}");
    assert!(told(&error).contains("10 bytes"), "{}", told(&error));
}

#[test]
fn a_wheel_of_this_machine_is_not_copied() {
    let world = World::new();
    let bytes = wheel("lib", "1.0", &[]);
    let path = world.write(&wheel_name("lib", "1.0"), &bytes);
    let wheels =
        world.obtain(&world.session(), &world.request(&[&format!("./{}", wheel_name("lib", "1.0"))]));
    let wheels = wheels.unwrap();
    let (package, wheel) = &wheels[0];
    assert_eq!((&wheel.path, wheel.temporary), (&path, false));
    assert_eq!(wheel.sha256.to_string(), sha256(&bytes));
    assert_eq!(origin_of(package)["url"], format!("file://{}", path.display()));
    assert!(package.requested);
}

#[test]
fn without_the_network_nothing_is_fetched() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    world.resolve(&["lib"]).unwrap();
    let session = world.session_with(IndexSettings { offline: true, ..world.settings() });
    let error = world.obtain(&session, &world.request(&["lib"])).unwrap_err();
    assert!(matches!(error, Error::Offline { .. }), "{error:?}");
    assert!(told(&error).contains("--offline"), "{}", told(&error));
}

#[test]
fn a_refusal_ends_everything() {
    struct Refuses;
    impl Receiver for Refuses {
        fn started(&self, _: usize, _: Option<u64>) {}
        fn progress(&self, _: usize, _: u64) {}
        fn building(&self, _: usize) {}
        fn finished(&self, _: usize, _: ObtainedWheel) -> Result<(), Box<dyn StdError + Send + Sync>> {
            Err("the disk is full".into())
        }
    }
    let world = World::new();
    world.host("lib", "1.0", &[]);
    let session = world.session();
    let resolution = session.resolve(&world.request(&["lib"])).unwrap();
    let error = session.obtain(&resolution, &[0], &world.path("wheels"), &Refuses).unwrap_err();
    assert!(matches!(error, Error::Receiver { .. }), "{error:?}");
    assert_eq!(told(&error), "could not take in `lib 1.0`\nthe disk is full");
}
