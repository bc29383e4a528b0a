//! Read-only stores below the user's own: what they have is linked from there, they are never written, and only those are
//! believed to which nobody else can write.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::support::{Index, TestContext, WheelBuilder};

/// A user's context above a lower store that has some packages.
struct Scene {
    context: TestContext,
    index: Index,
    lower: PathBuf,
}

impl Scene {
    fn new(packages: &[&str]) -> Self {
        let wheel = |name: &&str| {
            WheelBuilder::new(name, "1.0").file("readme.txt", "shared\n").console_script(name).build()
        };
        let index = Index::start(&packages.iter().map(wheel).collect::<Vec<_>>());
        let mut context = TestContext::new();
        let lower = context.root().join("lower");
        context.set("VIRTPY_HOME", &lower);
        context.virtpy(["new", "filled"]).success();
        let url = index.url();
        let add = ["add", "--venv", "filled", "--index-url", &url];
        context.virtpy(add.iter().copied().chain(packages.iter().copied())).success();
        context.set("VIRTPY_HOME", context.store().as_os_str());
        context.set("VIRTPY_STORES", &lower);
        Self { context, index, lower }
    }

    /// Every path of the lower store with all that would change if anybody wrote there.
    fn snapshot(&self) -> Vec<(PathBuf, u32, u64, u64, i64, i64)> {
        let mut found = Vec::new();
        let mut left = vec![self.lower.clone()];
        while let Some(path) = left.pop() {
            let facts = std::fs::symlink_metadata(&path).unwrap();
            if facts.is_dir() {
                left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            found.push((path, facts.mode(), facts.size(), facts.nlink(), facts.ctime(), facts.ctime_nsec()));
        }
        found.sort();
        found
    }

    fn entry(&self, name: &str) -> PathBuf {
        self.entry_in(".venv", name)
    }

    /// The entry that a package of a venv is linked from.
    fn entry_in(&self, venv: &str, name: &str) -> PathBuf {
        let link = self.context.path(&format!("{}/{name}", self.context.site_packages(venv)));
        let target = std::fs::read_link(link).expect("the package is linked");
        target.ancestors().nth(2).unwrap().to_path_buf()
    }

    fn own_entries(&self) -> usize {
        std::fs::read_dir(self.context.store().join("w")).map_or(0, Iterator::count)
    }
}

/// Removes an entry as its store's owner does.
fn remove_entry(entry: &Path) {
    set_modes(entry);
    std::fs::remove_dir_all(entry).unwrap();
}

fn set_modes(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.symlink_metadata().unwrap().is_dir() {
            set_modes(&path);
        }
    }
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_a_lower_store_has_is_linked_from_there_and_nothing_is_written_there() {
    let scene = Scene::new(&["demo", "other"]);
    let (context, before) = (&scene.context, scene.snapshot());
    context.new_venv();
    context.add(&scene.index, &["demo", "other"]).success().stderr_has("2 from the store, 0 downloaded");
    assert!(scene.entry("demo").starts_with(&scene.lower), "{}", scene.entry("demo").display());
    assert_eq!(scene.own_entries(), 0);
    assert_eq!(context.eval(".venv", "import demo; print(demo.__version__)"), "1.0");
    context.virtpy(["check"]).success();
    context.add(&scene.index, &["demo", "other"]).success().stderr_has("Nothing to do");
    let lower = scene.lower.display().to_string();
    assert!(context.read(".venv/pyvenv.cfg").contains(&format!("virtpy-stores = {lower}\n")));
    let state: serde_json::Value = serde_json::from_str(&context.read(".venv/.virtpy/state.json")).unwrap();
    assert_eq!(state["distributions"][0]["store"], lower.as_str());
    // Tools that sort files by their real paths find the lower store on `sys.path` as well.
    let on_path = format!("import sys; print({:?} in sys.path)", scene.lower.join("w"));
    assert_eq!(context.eval(".venv", &on_path), "True");
    context.virtpy(["store", "stats"]).success().stdout_has("2 wheels in 1 venv");
    context
        .virtpy(["store", "why", "demo"])
        .success()
        .stdout_has("asked for")
        .stdout_has("in `[ROOT]/lower`");
    context.virtpy(["store", "verify"]).success();
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    context.virtpy(["check"]).success();
    context.virtpy(["export", "out"]).success();
    assert_eq!(context.eval("out", "import demo; print(demo.__version__)"), "1.0");
    context.virtpy(["remove", "other"]).success();
    context.virtpy(["detach", "demo"]).success();
    context.virtpy(["detach", "--undo", "demo"]).success();
    context.virtpy(["relink"]).success();
    context.virtpy(["check"]).success();
    assert_eq!(scene.snapshot(), before, "the lower store was written to");
}

#[test]
fn the_own_store_comes_first_and_links_stay_where_they_are() {
    let mut scene = Scene::new(&["demo", "other"]);
    scene.context.unset("VIRTPY_STORES");
    scene.context.new_venv();
    scene.context.add(&scene.index, &["demo"]).success();
    scene.context.set("VIRTPY_STORES", &scene.lower);
    scene.context.virtpy(["new", "second"]).success();
    let url = scene.index.url();
    scene.context.virtpy(["add", "--venv", "second", "--index-url", &url, "demo", "other"]).success();
    assert!(scene.entry_in("second", "demo").starts_with(scene.context.store()));
    assert!(scene.entry_in("second", "other").starts_with(&scene.lower));
    // The same comes into the own store later: what is linked stays, and is still virtpy's.
    scene.context.unset("VIRTPY_STORES");
    scene.context.virtpy(["add", "--index-url", &url, "other"]).success();
    scene.context.set("VIRTPY_STORES", &scene.lower);
    scene.context.virtpy(["check", "--venv", "second"]).success();
    scene.context.virtpy(["remove", "--venv", "second", "demo"]).success();
    assert!(scene.entry_in("second", "other").starts_with(&scene.lower));
    scene.context.virtpy(["check", "--venv", "second"]).success();
}

#[test]
fn a_store_to_which_somebody_else_can_write_is_refused() {
    let scene = Scene::new(&["demo"]);
    let context = &scene.context;
    context.new_venv();
    let refused = |what: &str| {
        context.add(&scene.index, &["demo"]).one_error().stderr_has("is not trusted").stderr_has(what);
        assert_eq!(scene.own_entries(), 0);
    };
    for (path, open, usual) in [
        (scene.lower.join("w"), 0o775, 0o755),
        (scene.lower.clone(), 0o757, 0o755),
        (context.root().to_path_buf(), 0o777, 0o700),
        // Nor does the sticky bit help where the entries are.
        (scene.lower.join("w"), 0o1777, 0o755),
    ] {
        mode(&path, open);
        refused("can be written by others");
        mode(&path, usual);
    }
    // Also if nothing is wanted of it.
    mode(&scene.lower, 0o757);
    context.virtpy(["new", "another"]).one_error().stderr_has("is not trusted");
    assert!(!context.path("another").exists());
    mode(&scene.lower, 0o755);
    // Above, it keeps everybody from putting something else there.
    mode(context.root(), 0o1777);
    context.add(&scene.index, &["demo"]).success().stderr_has("1 from the store");
}

#[test]
fn a_link_to_a_store_is_followed_with_the_same_care() {
    let mut scene = Scene::new(&["demo"]);
    let open = scene.context.root().join("open");
    std::fs::create_dir(&open).unwrap();
    std::os::unix::fs::symlink(&open, scene.context.root().join("named")).unwrap();
    std::os::unix::fs::symlink(&scene.lower, open.join("store")).unwrap();
    scene.context.set("VIRTPY_STORES", scene.context.root().join("named/store"));
    scene.context.new_venv();
    mode(&open, 0o777);
    scene.context.add(&scene.index, &["demo"]).one_error().stderr_has("is not trusted");
    mode(&open, 0o755);
    scene.context.add(&scene.index, &["demo"]).success();
    assert!(scene.entry("demo").starts_with(scene.context.root().join("named/store")));
    scene.context.virtpy(["check"]).success();
}

#[test]
fn an_entry_that_is_not_as_it_was_made_counts_as_absent() {
    let scene = Scene::new(&["demo", "other", "third"]);
    // Everybody may write bytecode into one, and another one was changed.
    mode(&scene.entry_in("filled", "demo").join("site/demo/__pycache__"), 0o777);
    let module = scene.entry_in("filled", "other").join("site/other/__init__.py");
    mode(&module, 0o644);
    std::fs::write(&module, "raise SystemExit('changed')\n").unwrap();
    mode(&module, 0o444);
    scene.context.new_venv();
    let added = scene.context.add(&scene.index, &["demo", "other", "third"]).success();
    added.stderr_has("1 from the store, 2 downloaded");
    for name in ["demo", "other"] {
        assert!(scene.entry(name).starts_with(scene.context.store()), "{name}");
    }
    assert_eq!(scene.context.eval(".venv", "import other; print(other.__version__)"), "1.0");
}

#[test]
fn an_entry_that_a_link_took_the_place_of_counts_as_absent() {
    let scene = Scene::new(&["demo", "other"]);
    scene.context.new_venv();
    scene.context.add(&scene.index, &["demo", "other"]).success();
    // It was linked from there, and looked at.
    let entry = scene.entry("demo");
    assert!(entry.starts_with(&scene.lower));
    let elsewhere = scene.context.root().join("elsewhere");
    std::fs::rename(&entry, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &entry).unwrap();
    scene.context.virtpy(["check"]).failure(1).stdout_has("demo 1.0 is gone from the store `[ROOT]/lower`");
    scene.context.virtpy(["new", "second"]).success();
    for venv in ["second", ".venv"] {
        scene.context.virtpy(["add", "--venv", venv, "demo", "--index-url", &scene.index.url()]).success();
        assert!(scene.entry_in(venv, "demo").starts_with(scene.context.store()), "{venv}");
    }
    scene.context.virtpy(["check"]).success();
}

#[test]
fn what_a_lower_store_lost_is_mended_from_elsewhere() {
    let mut scene = Scene::new(&["demo", "other"]);
    scene.context.new_venv();
    scene.context.add(&scene.index, &["demo", "other"]).success();
    let copy = scene.context.root().join("copy");
    let mut command = scene.context.command("cp");
    let copied = scene.context.run(command.arg("-a").args([&scene.lower, &copy]));
    copied.success();
    scene.context.set("VIRTPY_STORES", format!("{}:{}", scene.lower.display(), copy.display()));
    remove_entry(&scene.entry("demo"));
    let lost = scene.context.virtpy(["check"]).failure(1);
    lost.stdout_has("demo 1.0 is gone from the store `[ROOT]/lower`");
    scene.context.virtpy(["list"]).success().stderr_has("the store `[ROOT]/lower` no longer has demo 1.0");
    // The next store has it.
    let mended = scene.context.add(&scene.index, &["demo"]).success();
    mended.stderr_has("no longer has demo 1.0");
    assert!(scene.entry("demo").starts_with(&copy));
    scene.context.virtpy(["check"]).success();
    // Then only the index.
    remove_entry(&scene.entry("demo"));
    scene.context.add(&scene.index, &["demo"]).success().stderr_has("no longer has demo 1.0");
    assert!(scene.entry("demo").starts_with(scene.context.store()));
    scene.context.virtpy(["check"]).success();
    assert_eq!(scene.context.eval(".venv", "import demo, other; print(other.__version__)"), "1.0");
}

#[test]
fn a_lower_store_that_lost_everything_is_named() {
    let scene = Scene::new(&["demo"]);
    scene.context.virtpy(["new", "--no-pip-shim"]).success();
    scene.context.add(&scene.index, &["demo"]).success();
    remove_entry(&scene.entry("demo"));
    let lost = scene.context.virtpy(["check"]).one_error();
    lost.stderr_has("the store at `[ROOT]/lower` has none of this venv's 1 package").stderr_has("relink");
    // Nor is the own one to blame if it has nothing that the venv needs.
    let url = scene.index.url();
    scene.context.virtpy(["relink", "--index-url", &url]).success().stderr_has("1 fetched");
    scene.context.virtpy(["check"]).success();
}

#[test]
fn every_list_tells_which_store_a_package_is_in() {
    let mut scene = Scene::new(&["demo"]);
    scene.context.new_venv();
    scene.context.add(&scene.index, &["demo"]).success();
    for arguments in [["list", "--verbose"].as_slice(), &["show", "demo", "-v"], &["why", "demo"]] {
        scene.context.virtpy(arguments).success().stdout_has("[ROOT]/lower");
    }
    for arguments in [["list", "--json"].as_slice(), &["show", "demo", "--json"], &["why", "demo", "--json"]]
    {
        let store = format!(r#""store": "{}""#, scene.lower.display());
        let output = scene.context.virtpy(arguments).success();
        assert!(output.raw_stdout.contains(&store), "{}", output.dump());
    }
    for quiet in [["list"].as_slice(), &["show", "demo"]] {
        let output = scene.context.virtpy(quiet).success();
        assert!(!output.stdout().contains("[ROOT]/lower"), "{}", output.dump());
    }
    let detailed = scene.context.virtpy(["store", "stats", "-v"]).success();
    detailed.stdout_has("1 venv, in `[ROOT]/lower`").stdout_has("demo 1.0");
    let stats: serde_json::Value =
        serde_json::from_str(&scene.context.virtpy(["store", "stats", "--json"]).success().raw_stdout)
            .unwrap();
    assert_eq!(stats["lower_stores"][0]["by_package"][0]["venvs"], 1);
    // Of one that is not there, what venvs had of it is still counted.
    std::fs::rename(&scene.lower, scene.context.root().join("away")).unwrap();
    scene.context.unset("VIRTPY_STORES");
    scene.context.virtpy(["store", "stats", "-v"]).success().stdout_has("from the store `[ROOT]/lower`");
    scene.context.virtpy(["store", "verify"]).success().stderr_has("is not looked at");
}

#[test]
fn what_is_used_of_a_lower_store_is_verified_and_can_be_had_elsewhere() {
    let scene = Scene::new(&["demo", "other", "unused"]);
    let context = &scene.context;
    context.new_venv();
    context.virtpy(["new", "second"]).success();
    context.add(&scene.index, &["demo", "other"]).success();
    let url = scene.index.url();
    context.virtpy(["add", "--venv", "second", "--index-url", &url, "demo"]).success();
    context.virtpy(["store", "verify"]).success().stderr_has("in lower stores");
    // One module has another content of the same length and time; another package nobody uses.
    for name in ["demo", "unused"] {
        let module = scene.entry_in("filled", name).join(format!("site/{name}/__init__.py"));
        let facts = std::fs::metadata(&module).unwrap();
        let text = std::fs::read_to_string(&module).unwrap().replace("1.0", "6.6");
        mode(&module, 0o644);
        std::fs::write(&module, text).unwrap();
        let file = std::fs::File::options().write(true).open(&module).unwrap();
        file.set_modified(facts.modified().unwrap()).unwrap();
        mode(&module, 0o444);
    }
    let before = scene.snapshot();
    let found = context
        .virtpy(["store", "verify"])
        .failure(1)
        .stdout_has("in the store `[ROOT]/lower`: `site/demo/__init__.py` has another content");
    assert!(!found.raw_stdout.contains("unused"), "{}", found.dump());
    context.virtpy(["store", "verify", "other"]).success();
    let lower = scene.lower.display().to_string();
    let all = context.virtpy(["store", "verify", "--store", &lower]).failure(1);
    all.stdout_has("unused 1.0").stdout_has("demo 1.0");
    context.virtpy(["store", "verify", "--store", "elsewhere"]).one_error().stderr_has("one below it");
    let json: serde_json::Value =
        serde_json::from_str(&context.virtpy(["store", "verify", "--json"]).failure(1).raw_stdout).unwrap();
    assert_eq!(json[0]["store"], lower.as_str());

    let refused = context.virtpy(["store", "repair", "--index-url", &url]).one_error();
    refused.stderr_has("can restore it there").stderr_has("VIRTPY_HOME=[ROOT]/lower virtpy store repair");
    assert!(scene.entry("demo").starts_with(&scene.lower));
    let repaired = context.virtpy(["store", "repair", "--relink", "--index-url", &url]).success();
    repaired.stderr_has("Took 1 package into your own store; 2 venvs linked anew");
    for venv in [".venv", "second"] {
        assert!(scene.entry_in(venv, "demo").starts_with(context.store()), "{venv}");
        assert_eq!(context.eval(venv, "import demo; print(demo.__version__)"), "1.0");
        context.virtpy(["check", "--venv", venv]).success();
    }
    assert!(scene.entry("other").starts_with(&scene.lower));
    context.virtpy(["store", "verify"]).success();
    assert_eq!(scene.snapshot(), before, "the lower store was written to");
}

#[test]
fn what_is_gone_from_a_lower_store_is_missed() {
    let mut scene = Scene::new(&["demo", "other"]);
    let lower = scene.lower.display().to_string();
    scene.context.set("VIRTPY_HOME", &scene.lower);
    scene.context.unset("VIRTPY_STORES");
    scene.context.virtpy(["store", "seal"]).success();
    scene.context.set("VIRTPY_HOME", scene.context.store().as_os_str());
    scene.context.set("VIRTPY_STORES", &scene.lower);
    scene.context.new_venv();
    scene.context.add(&scene.index, &["demo"]).success();
    let context = &scene.context;
    let verify = || context.virtpy(["store", "verify", "--store", &lower]);
    verify().success();
    // One that nobody uses has another's place; only the list of the sealed store knows it.
    let other = scene.entry_in("filled", "other");
    let copy = context.root().join("copy");
    mode(&scene.lower.join("w"), 0o755);
    mode(&other, 0o755);
    std::fs::rename(&other, &copy).unwrap();
    std::os::unix::fs::symlink(&copy, &other).unwrap();
    let found = verify().failure(1).stdout_has("something else is in its place");
    found.stderr_has("1 damaged; in the store `[ROOT]/lower` only");
    context.virtpy(["store", "verify"]).success();
    std::fs::remove_file(&other).unwrap();
    let found = verify().failure(1).stdout_has("its directory is missing");
    found.stderr_has("`VIRTPY_HOME=[ROOT]/lower virtpy store fill`");
    std::fs::rename(&copy, &other).unwrap();
    mode(&other, 0o555);
    verify().success();
    // One that a venv uses.
    remove_entry(&scene.entry("demo"));
    let found = context.virtpy(["store", "verify"]).failure(1);
    found.stdout_has("its directory is missing").stderr_has("`virtpy relink` in the venv at `[WORK]/.venv`");
    let url = scene.index.url();
    context.virtpy(["store", "repair", "--index-url", &url]).one_error().stderr_has("repair --relink");
    context.virtpy(["store", "repair", "--relink", "--index-url", &url]).success();
    context.virtpy(["store", "verify"]).success();
    assert_eq!(context.eval(".venv", "import demo; print(demo.__version__)"), "1.0");
}

#[test]
fn a_store_that_is_not_looked_at_has_lost_nothing() {
    let mut scene = Scene::new(&["demo", "other"]);
    scene.context.new_venv();
    scene.context.add(&scene.index, &["demo", "other"]).success();
    let list = |context: &TestContext, why: &str| {
        let told = context.virtpy(["list"]).success().stdout_has("demo").stderr_has(why).raw_stderr;
        assert!(!told.contains("no longer has") && told.matches("warning").count() == 1, "{told}");
    };
    mode(&scene.lower, 0o777);
    list(&scene.context, "the store `[ROOT]/lower` is not trusted");
    for command in [&["store", "verify"][..], &["store", "stats"]] {
        scene.context.virtpy(command).one_error().stderr_has("is not trusted");
    }
    mode(&scene.lower, 0o755);
    scene.context.set("VIRTPY_STORES", "../lower");
    for command in [&["store", "verify"][..], &["store", "stats"], &["store", "why", "demo"], &["check"]] {
        scene.context.virtpy(command).one_error().stderr_has("`../lower` is not an absolute path");
    }
    scene.context.unset("VIRTPY_STORES");
    list(&scene.context, "which is not in the setting `stores`");
    scene.context.virtpy(["pip", "check"]).failure(1).stderr_has("which is not in the setting `stores`");
}

#[test]
fn a_store_at_another_path_is_explained_and_relinked() {
    let mut scene = Scene::new(&["demo"]);
    scene.context.new_venv();
    scene.context.add(&scene.index, &["demo"]).success();
    let moved = scene.context.root().join("moved");
    std::fs::rename(&scene.lower, &moved).unwrap();
    for arguments in [["check"].as_slice(), &["remove", "demo"]] {
        let refused = scene.context.virtpy(arguments).one_error();
        refused
            .stderr_has("this venv has demo 1.0 from the store")
            .stderr_has("which is not there")
            .stderr_has("relink");
    }
    scene.context.virtpy(["new", "bare"]).success().stderr_has("in the setting `stores` is not there");
    scene.context.set("VIRTPY_STORES", &moved);
    scene.context.virtpy(["list"]).success();
    scene.context.virtpy(["relink"]).success().stderr_has("0 fetched");
    assert!(scene.entry("demo").starts_with(&moved));
    assert!(scene.context.read(".venv/pyvenv.cfg").contains("/moved\n"));
    scene.context.virtpy(["check"]).success();
    // One that is no longer among the settings may not be read.
    scene.context.unset("VIRTPY_STORES");
    scene.context.virtpy(["check"]).one_error().stderr_has("which is not in the setting `stores`");
    let url = scene.index.url();
    scene.context.virtpy(["relink", "--index-url", &url]).success().stderr_has("1 fetched");
    assert!(!scene.context.read(".venv/pyvenv.cfg").contains("virtpy-stores"));
    scene.context.virtpy(["check"]).success();
}

#[test]
fn no_file_of_a_lower_store_gets_another_name() {
    let scene = Scene::new(&["demo"]);
    let before = scene.snapshot();
    scene.context.virtpy(["new", "--link-mode", "hardlink"]).success();
    scene.context.add(&scene.index, &["demo"]).success().stderr_has("1 from the store");
    assert_eq!(scene.context.eval(".venv", "import demo; print(demo.__version__)"), "1.0");
    scene.context.virtpy(["check"]).success();
    assert_eq!(scene.snapshot(), before);
}

#[test]
fn without_the_network_a_lower_store_answers() {
    let scene = Scene::new(&["demo"]);
    scene.context.new_venv();
    let url = scene.index.url();
    scene.context.virtpy(["add", "--offline", "--index-url", &url, "demo"]).success();
    assert!(scene.entry("demo").starts_with(&scene.lower));
}

#[test]
fn a_state_that_a_power_cut_emptied_is_found_out_from_the_links() {
    let scene = Scene::new(&["demo"]);
    scene.context.new_venv();
    scene.context.add(&scene.index, &["demo"]).success();
    scene.context.write(".venv/.virtpy/state.json", "");
    scene.context.virtpy(["check"]).success().stderr_has("Rebuilt the package list");
    let state = scene.context.read(".venv/.virtpy/state.json");
    assert!(state.contains(&format!(r#""store":"{}""#, scene.lower.display())), "{state}");
}
