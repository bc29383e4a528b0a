//! What cannot be done is told in a way that helps. `told` also sees to it that no other program is named.

use virtpy_pep::InterpreterTags;
use virtpy_resolver::{Error, IndexSettings, Input, Session, SessionOptions};

use crate::index::Hosted;
use crate::world::{World, python, told, wheel};

fn refused(world: &World, requirements: &[&str]) -> (Error, String) {
    let error = world.resolve(requirements).unwrap_err();
    let told = told(&error);
    assert!(error.hint().is_some(), "no hint: {told}");
    (error, told)
}

#[test]
fn a_conflict_is_told_as_a_story() {
    let world = World::new();
    world.host("one", "1.0", &["Requires-Dist: lib<2"]);
    world.host("two", "1.0", &["Requires-Dist: lib>=2"]);
    world.host("lib", "1.0", &[]);
    world.host("lib", "2.0", &[]);
    let (error, told) = refused(&world, &["one", "two"]);
    assert!(matches!(error, Error::NoSolution { .. }), "{error:?}");
    for part in ["one", "two", "depend on lib", "unsatisfiable"] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn contradictory_requirements_are_told() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    let (_, told) = refused(&world, &["lib>2", "lib<1"]);
    assert!(told.contains("lib<1") && told.contains("lib>2"), "{told}");
}

#[test]
fn a_package_that_no_index_has_is_told() {
    let world = World::new();
    let (error, told) = refused(&world, &["no-such-package"]);
    assert!(matches!(error, Error::NoSolution { .. }), "{error:?}");
    assert!(told.contains("no-such-package was not found on the index"), "{told}");
    assert!(told.contains("--index-url"), "{told}");
}

#[test]
fn a_version_that_does_not_exist_is_told() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    let (_, told) = refused(&world, &["lib==7.7"]);
    assert!(told.contains("there is no version of lib==7.7"), "{told}");
}

#[test]
fn only_yanked_versions_are_told() {
    let world = World::new();
    world.host_as("lib", "1.0", &[], |file| file.yanked = Some("broken".to_owned()));
    let (_, told) = refused(&world, &["lib"]);
    assert!(told.contains("yanked") && told.contains("NAME==VERSION"), "{told}");
}

#[test]
fn a_wheel_for_another_platform_is_told() {
    let world = World::new();
    world.index.add("lib", Hosted::new("lib-1.0-cp27-cp27m-win32.whl", &wheel("lib", "1.0", &[])));
    let (_, told) = refused(&world, &["lib"]);
    assert!(told.contains("no wheels with a matching"), "{told}");
}

#[test]
fn another_python_is_told() {
    let world = World::new();
    world.host_as("lib", "1.0", &[], |file| {
        file.requires_python = Some(">=99".to_owned());
    });
    let (_, told) = refused(&world, &["lib"]);
    assert!(told.contains("Python>=99"), "{told}");
}

#[test]
fn a_missing_cache_is_told_without_the_network() {
    let world = World::new();
    let offline = world.session_with(IndexSettings { offline: true, ..world.settings() });
    let told = told(&offline.resolve(&world.request(&["lib"])).unwrap_err());
    assert!(told.contains("was not found in the cache") && told.contains("without `--offline`"), "{told}");
    assert!(world.index.seen().is_empty());
}

#[test]
fn an_index_that_does_not_answer_is_told() {
    let world = World::new();
    let nobody =
        IndexSettings { index_url: Some("http://127.0.0.1:9/simple".to_owned()), ..world.settings() };
    let error = world.session_with(nobody).resolve(&world.request(&["lib"])).unwrap_err();
    assert!(matches!(error, Error::Network { status: None, .. }), "{error:?}");
    assert!(told(&error).contains("127.0.0.1:9"), "{}", told(&error));
}

#[test]
fn a_url_that_leads_nowhere_is_told() {
    let world = World::new();
    let url = world.index.file_url("lib", "lib-1.0-py3-none-any.whl");
    let (error, told) = refused(&world, &[&url]);
    assert!(matches!(error, Error::Network { status: Some(404), .. }), "{told}");
}

#[test]
fn inputs_that_are_none_are_told() {
    let world = World::new();
    world.write("requirements.txt", "lib\n");
    world.write("broken.txt", "lib\n)(\n");
    world.write("option.txt", "--no-such-option\n");
    world.write("environment.yml", "");
    world.write("empty/readme", "");
    let cases = [
        ("two words", "`two words` is not a requirement"),
        ("lib ===", "is not a requirement"),
        ("requirements.txt", "-r requirements.txt"),
        ("./missing", "missing"),
        ("./empty", "empty"),
        ("-e lib", "lib"),
        ("-e lib>=1", "lib>=1"),
        ("-r missing.txt", "missing.txt"),
        ("-r broken.txt", "broken.txt"),
        ("-r option.txt", "option.txt"),
        ("-r environment.yml", "environment.yml"),
        ("-r missing/pyproject.toml", "pyproject.toml"),
    ];
    for (input, expected) in cases {
        let (_, told) = refused(&world, &[input]);
        assert!(told.contains(expected), "{input}: {told}");
    }
    assert!(world.index.seen().is_empty());
}

#[test]
fn hashes_that_are_missing_are_told() {
    let world = World::new();
    world.host("lib", "1.0", &[]);
    for requirement in ["lib", "lib==1.0"] {
        let mut request = world.request(&[requirement]);
        request.options.require_hashes = true;
        let error = world.session().resolve(&request).unwrap_err();
        assert!(matches!(error, Error::Requirements { .. }), "{error:?}");
        assert!(told(&error).contains("--hash="), "{}", told(&error));
    }
}

#[test]
fn settings_that_are_none_are_told() {
    let world = World::new();
    let cases = [
        IndexSettings { trusted_hosts: vec!["host:port".to_owned()], ..world.settings() },
        IndexSettings { find_links: vec!["http://[".to_owned()], ..world.settings() },
        IndexSettings { index_url: Some("http://[".to_owned()), ..world.settings() },
        IndexSettings { exclude_newer: Some("tomorrow".to_owned()), ..world.settings() },
    ];
    for settings in cases {
        let error = world.session_with(settings.clone()).resolve(&world.request(&["lib"])).unwrap_err();
        assert!(matches!(error, Error::Settings { .. }), "{settings:?}: {error:?}");
        told(&error);
    }
    let certificate = IndexSettings { certificate: Some(world.path("none.pem")), ..world.settings() };
    let error = world.session_with(certificate).resolve(&world.request(&["lib"])).unwrap_err();
    assert!(told(&error).contains("none.pem"), "{}", told(&error));
}

#[test]
fn dates_are_checked() {
    for good in ["2024-05-01", "2024-05-01T00:00:00Z", "7 days"] {
        virtpy_resolver::check_date(good).unwrap();
    }
    assert!(told(&virtpy_resolver::check_date("tomorrow").unwrap_err()).contains("`tomorrow`"));
}

#[test]
fn names_that_are_none_are_told() {
    let world = World::new();
    let mut request = world.request(&["lib"]);
    request.options.no_binary = vec!["not a name".to_owned()];
    assert!(told(&world.session().resolve(&request).unwrap_err()).contains("--no-binary"));
}

#[test]
fn an_interpreter_or_a_cache_that_is_none_is_told() {
    let world = World::new();
    let options = SessionOptions {
        cache_dir: world.path("cache"),
        python: world.path("no-python"),
        tags: InterpreterTags::default(),
        settings: world.settings(),
        user_agent: String::new(),
        local_wheels: None,
        directories: None,
    };
    let mut request = world.request(&[]);
    request.requirements = vec![Input::Requirement("lib".to_owned())];
    let error = Session::new(options.clone()).resolve(&request).unwrap_err();
    assert!(matches!(error, Error::Python { .. }), "{error:?}");
    assert!(told(&error).contains("no-python"));
    let file = world.write("file", "");
    let options = SessionOptions { cache_dir: file, python: python().to_owned(), ..options };
    let error = Session::new(options).resolve(&request).unwrap_err();
    assert!(matches!(error, Error::Cache { .. }), "{error:?}");
    told(&error);
}
