//! Locking again asks an index only about what is new or moves.

use crate::support::{Fault, Index, SdistBuilder, TestContext, WheelBuilder};

fn wheel(name: &str, version: &str, requires: &[&str]) -> crate::support::Artifact {
    requires.iter().fold(WheelBuilder::new(name, version), |wheel, one| wheel.requires(one)).build()
}

/// An index whose pages may not be kept, a project that is locked by it, and nothing asked of it yet.
fn scene() -> (TestContext, Index) {
    let index = Index::start(&[
        wheel("top", "1.0", &["base>=1", "side"]),
        wheel("base", "1.0", &[]),
        wheel("side", "1.0", &[]),
        wheel("new", "1.0", &["base"]),
    ]);
    index.pages_kept_for(0);
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    write(&context, "\"top\"");
    context.virtpy(["run", "true"]).success();
    index.forget_requests();
    (context, index)
}

fn write(context: &TestContext, dependencies: &str) {
    context.write(
        "pyproject.toml",
        &format!("[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = [{dependencies}]\n"),
    );
}

/// The packages whose pages were asked for since the last look.
fn asked(index: &Index) -> Vec<String> {
    let page = |request: &String| {
        let name = request.split_once("/simple/")?.1.split('/').next()?.trim().to_owned();
        (!name.is_empty()).then_some(name)
    };
    let mut names: Vec<String> = index.requests().iter().filter_map(page).collect();
    names.sort();
    names.dedup();
    index.forget_requests();
    names
}

fn locked(context: &TestContext) -> Vec<String> {
    let lock: toml::Table = context.read("pylock.toml").parse().unwrap();
    let text = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
    let packages = lock["packages"].as_array().unwrap().iter();
    packages.map(|one| format!("{} {}", text(one, "name"), text(one, "version"))).collect()
}

#[test]
fn only_what_is_new_is_asked_for() {
    let (context, index) = scene();
    index.add(&wheel("base", "2.0", &[]));
    write(&context, "\"top\", \"new\"");
    context.virtpy(["run", "python", "-c", "import top, new"]).success();
    assert_eq!(asked(&index), ["new"]);
    // What the lock has stays, although there is something newer.
    assert_eq!(locked(&context), ["base 1.0", "new 1.0", "side 1.0", "top 1.0"]);
    // What is taken out is not asked for either.
    write(&context, "\"top\"");
    context.virtpy(["run", "true"]).success();
    assert_eq!(asked(&index), Vec::<String>::new());
    context.virtpy(["lock"]).success();
    assert_eq!(asked(&index), Vec::<String>::new());
    // Who wants to know asks for everything, or for what is to be upgraded.
    context.virtpy(["lock", "--refresh"]).success();
    assert_eq!(asked(&index), ["base", "side", "top"]);
    context.virtpy(["lock", "-P", "base"]).success();
    assert_eq!(asked(&index), ["base"]);
    assert_eq!(locked(&context), ["base 2.0", "side 1.0", "top 1.0"]);
    context.virtpy(["lock", "--upgrade"]).success();
    assert_eq!(asked(&index), ["base", "side", "top"]);
}

#[test]
fn what_moves_is_asked_for_and_gets_what_is_newest_now() {
    let (context, index) = scene();
    // The cached page has another version that would do, but not the newest.
    index.add(&wheel("base", "1.5", &[]));
    context.virtpy(["lock", "--refresh"]).success();
    index.add(&wheel("base", "2.0", &[]));
    index.forget_requests();
    write(&context, "\"top\", \"base>1\"");
    context.virtpy(["run", "true"]).success();
    assert_eq!(locked(&context), ["base 2.0", "side 1.0", "top 1.0"]);
    assert_eq!(asked(&index), ["base"]);
    // Where the cached pages have no solution, the index is asked for all of them.
    index.add(&wheel("base", "3.0", &[]));
    index.add(&wheel("top", "2.0", &["base>=3"]));
    index.forget_requests();
    write(&context, "\"top\", \"base>=3\"");
    context.virtpy(["run", "true"]).success();
    assert_eq!(locked(&context), ["base 3.0", "side 1.0", "top 1.0"]);
    write(&context, "\"top>=2\", \"base\"");
    context.virtpy(["lock"]).success();
    assert_eq!(locked(&context), ["base 3.0", "top 2.0"]);
    // What is nowhere is an error all the same.
    write(&context, "\"top>=3\"");
    context.virtpy(["lock"]).failure(1).one_error().stderr_has("top");
}

#[test]
fn where_several_indexes_may_have_a_name_all_are_asked() {
    let (mut context, index) = scene();
    let other = Index::start(&[]);
    context.set("PIP_EXTRA_INDEX_URL", other.url());
    write(&context, "\"top\", \"new\"");
    context.virtpy(["lock"]).success();
    assert_eq!(asked(&other), ["base", "new", "side", "top"]);
    assert_eq!(asked(&index), ["base", "new", "side", "top"]);
}

#[test]
fn a_lock_from_elsewhere_whose_pages_are_not_cached_is_locked_again() {
    let (context, index) = scene();
    let lock = context.read("pylock.toml");
    // A colleague's lock has a version that the cached page lacks.
    index.add(&wheel("side", "1.1", &[]));
    let wheel = wheel("side", "1.1", &[]);
    let other = lock.replace("side-1.0", "side-1.1").replacen(
        "name = \"side\"\nversion = \"1.0\"",
        "name = \"side\"\nversion = \"1.1\"",
        1,
    );
    assert_ne!(lock, other, "{lock}");
    context.write("pylock.toml", &other);
    write(&context, "\"top\", \"new\"");
    context.virtpy(["lock"]).success();
    assert_eq!(locked(&context), ["base 1.0", "new 1.0", "side 1.1", "top 1.0"]);
    assert!(context.read("pylock.toml").contains(&wheel.sha256()));
    assert_eq!(asked(&index), ["new", "side"]);
    // A page that fails is not needed for what stays.
    index.page_fault("base", Fault::Status(500, 99));
    write(&context, "\"top\"");
    context.virtpy(["lock"]).success();
}

#[test]
fn a_checkout_with_other_ends_of_lines_has_the_same_lock() {
    let (context, _index) = scene();
    for file in ["pyproject.toml", "pylock.toml"] {
        context.write(file, &context.read(file).replace('\n', "\r\n"));
    }
    context.virtpy(["lock", "--check"]).success();
    context.virtpy(["sync", "--locked"]).success();
}

#[test]
fn a_lock_that_nothing_has_changed_for_is_not_resolved_again() {
    let (context, index) = scene();
    let cache = context.store().join("cache/resolver");
    // Whoever resolves would have to ask for everything.
    let asked_by = |arguments: &[&str]| {
        std::fs::remove_dir_all(&cache).ok();
        context.virtpy(arguments).success();
        asked(&index)
    };
    let all = ["base", "side", "top"];
    let before = context.read("pylock.toml");
    assert_eq!(asked_by(&["lock"]), [""; 0]);
    assert_eq!(asked_by(&["lock", "--check"]), [""; 0]);
    assert_eq!(context.read("pylock.toml"), before);
    for arguments in
        [["lock", "--refresh"].as_slice(), &["lock", "-U"], &["lock", "-P", "side"], &["lock", "--pre"]]
    {
        assert_eq!(asked_by(arguments), all, "{arguments:?}");
    }
    // Neither is believed that was not made so: an edited lock, other settings, other projects.
    context.write("pylock.toml", &before.replace("extras = []", "extras = [ ]").replace("\n\n", "\n \n"));
    assert_eq!(asked_by(&["lock"]), all);
    assert_eq!(context.read("pylock.toml"), before);
    assert_eq!(asked_by(&["lock", "--only-binary", ":all:"]), all);
    let folder = context.path("wheels");
    std::fs::create_dir(&folder).unwrap();
    let linked = ["lock", "--find-links", folder.to_str().unwrap()];
    assert_eq!(asked_by(&linked), all);
    assert_eq!(asked_by(&linked), [""; 0]);
    wheel("side", "0.5", &[]).write_to(&folder);
    assert_eq!(asked_by(&linked), all);
    write(&context, "\"top\" , \"side\"");
    assert_eq!(asked_by(&["lock"]), all);
    assert_eq!(asked_by(&["lock"]), [""; 0]);
    context.write(
        "pyproject.toml",
        &(context.read("pyproject.toml") + "[tool.uv]\nexclude-newer = \"2030-01-01\"\n"),
    );
    assert_eq!(asked_by(&["lock"]), all);
    assert_eq!(asked_by(&["lock"]), all);
}

#[test]
fn what_a_backend_makes_the_dependencies_of_is_looked_at_each_time() {
    let (context, index) = scene();
    SdistBuilder::new("near", "1").requires("side").write_folder(&context.path("near"));
    write(&context, "\"near @ file:near\"");
    context.virtpy(["lock"]).success();
    SdistBuilder::new("near", "1").requires("new").write_folder(&context.path("near"));
    context.virtpy(["lock"]).success();
    assert!(context.read("pylock.toml").contains("name = \"new\""));
    drop(index);
}
