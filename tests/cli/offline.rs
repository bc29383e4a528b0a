//! `--offline` where the cache has no page: what of the store stands in for an index, and what must not.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Artifact, Index, Output, TestContext, WheelBuilder};

fn files() -> Vec<Artifact> {
    vec![
        WheelBuilder::new("demo", "1.0").requires("helper").build(),
        WheelBuilder::new("demo", "2.0")
            .requires("helper>=2")
            .extra("more", &["plain"])
            .console_script("demo")
            .build(),
        WheelBuilder::new("helper", "1.0").build(),
        WheelBuilder::new("helper", "3.0").build(),
        WheelBuilder::new("plain", "1.0").build(),
    ]
}

/// Makes the venv `first` with these packages of an index, so that the store has them, and forgets all that the cache has.
fn stored(context: &TestContext, index: &Index, arguments: &[&str]) {
    context.new_named_venv("first");
    context.new_named_venv("second");
    context.add(index, &[&["--venv", "first"], arguments].concat()).success();
    forget(context);
    index.forget_requests();
}

fn forget(context: &TestContext) {
    std::fs::remove_dir_all(context.store().join("cache")).unwrap();
}

/// Adds to the venv `second` without the network.
fn add(context: &TestContext, index: &Index, arguments: &[&str]) -> Output {
    context.add(index, &[&["--venv", "second", "--offline"], arguments].concat())
}

#[test]
fn the_store_is_looked_at_by_name_and_version() {
    let index = Index::start(&files());
    let context = TestContext::new();
    stored(&context, &index, &["demo", "plain"]);
    context.add(&index, &["--venv", "first", "demo==1.0", "helper==1.0"]).success();
    forget(&context);
    index.forget_requests();
    let output = add(&context, &index, &["demo[more]"]).success();
    output
        .stdout_is(" + demo 2.0\n + helper 3.0\n + plain 1.0\n")
        .stderr_has("3 from the store, 0 downloaded");
    assert_eq!(context.eval("second", "import demo; print(demo.__version__)"), "2.0");
    context.new_named_venv("third");
    let third =
        |arguments: &[&str]| context.add(&index, &[&["--venv", "third", "--offline"], arguments].concat());
    third(&["demo<2"]).success().stdout_is(" + demo 1.0\n + helper 3.0\n");
    third(&["-U", "demo"]).success().stdout_is(" - demo 1.0\n + demo 2.0\n");
    for missing in ["demo==3.0", "absent"] {
        third(&[missing])
            .one_error()
            .stderr_has(missing.split('=').next().unwrap())
            .stderr_has("only what is cached and what the store has was looked at")
            .stderr_has("without `--offline`");
    }
    context.virtpy(["check", "--venv", "second"]).success();
    assert_eq!(index.requests(), Vec::<String>::new());
}

#[test]
fn what_is_cached_of_an_index_comes_first() {
    let index = Index::start(&files());
    let context = TestContext::new();
    stored(&context, &index, &["demo"]);
    // The page that is in the cache now knows that this version is withdrawn.
    index.yank("demo-2.0-py3-none-any.whl", "broken");
    context.new_named_venv("third");
    context.add(&index, &["--venv", "third", "demo"]).success().stdout_has(" + demo 1.0\n");
    add(&context, &index, &["demo"]).success().stdout_has(" + demo 1.0\n");
}

#[test]
fn an_answer_of_the_store_is_not_remembered_for_an_index() {
    let index = Index::start(&files());
    let context = TestContext::new();
    stored(&context, &index, &["demo==2.0", "helper==3.0"]);
    let pins = ["demo==2.0", "helper==3.0"];
    add(&context, &index, &pins).success().stderr_has("2 from the store");
    context.new_named_venv("third");
    context.add(&index, &[&["--venv", "third"], &pins[..]].concat()).success();
    assert!(!index.requests().is_empty(), "the index was not asked");
}

#[test]
fn other_commands_see_it_too() {
    let index = Index::start(&files());
    let context = TestContext::new();
    stored(&context, &index, &["demo"]);
    let url = index.url();
    let code = "import demo, helper; print(demo.__version__, helper.__version__)";
    context
        .virtpy(["run", "--offline", "-i", &url, "--with", "demo", "python", "-c", code])
        .success()
        .stdout_is("2.0 3.0\n");
    context.virtpy(["install", "--offline", "-i", &url, "demo"]).success();
    assert!(context.store().join("bin/demo").exists());
    let project = "[project]\nname = \"shop\"\nversion = \"1.0\"\ndependencies = [\"demo\"]\n";
    context.write("shop/pyproject.toml", project);
    let shop = context.path("shop");
    let sync = ["sync", "--offline", "-i", &url, "--no-install-project"];
    context.run(context.virtpy_command(sync).current_dir(shop)).success().stdout_has(" + demo 2.0");
    assert_eq!(index.requests(), Vec::<String>::new());
}

#[test]
fn a_hash_finds_the_wheel_wherever_it_came_from() {
    let index = Index::start(&[]);
    let context = TestContext::new();
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let path = wheel.write_to(&context.path("wheels"));
    stored(&context, &index, &[path.to_str().unwrap()]);
    std::fs::remove_file(&path).unwrap();
    let (right, wrong) = (wheel.sha256(), "0".repeat(64));
    context.write("none.txt", "demo==1.0\n");
    context.write("wrong.txt", &format!("demo==1.0 --hash=sha256:{wrong}\n"));
    context.write("right.txt", &format!("demo==1.0 --hash=sha256:{wrong} --hash=sha256:{right}\n"));
    let before = context.venv_tree("second");
    add(&context, &index, &["-r", "none.txt"])
        .one_error()
        .stderr_has("nothing says that the configured indexes");
    add(&context, &index, &["-r", "wrong.txt"]).one_error().stderr_has("its hash is not one of those");
    before.assert_unchanged(&context.venv_tree("second"), "the venv");
    add(&context, &index, &["-r", "right.txt"]).success().stdout_is(" + demo 1.0\n");
    context.write(
        "Pipfile.lock",
        &format!(
            "{{\"_meta\": {{\"sources\": [{{\"name\": \"own\", \"url\": \"{}\", \"verify_ssl\": true}}]}}, \"default\": \
             {{\"demo\": {{\"hashes\": [\"sha256:{right}\"], \"version\": \"==1.0\"}}}}, \"develop\": {{}}}}",
            index.url()
        ),
    );
    forget(&context);
    context.virtpy(["sync", "--offline", "--venv", "third"]).success().stdout_has(" + demo 1.0");
    // No package without its hash.
    context.new_named_venv("fourth");
    let hashes = ["--venv", "fourth", "--offline", "--require-hashes", "-r", "none.txt"];
    context.add(&index, &hashes).one_error();
    let limited = ["--venv", "fourth", "--offline", "-c", "right.txt", "demo"];
    context.add(&index, &limited).success().stdout_is(" + demo 1.0\n");
    assert_eq!(index.requests(), Vec::<String>::new());
}

#[test]
fn a_hash_finds_a_version_that_a_cached_page_lacks() {
    let (old, new) = (WheelBuilder::new("demo", "1.0").build(), WheelBuilder::new("demo", "2.0").build());
    let index = Index::start(&[old]);
    let context = TestContext::new();
    let path = new.write_to(&context.path("wheels"));
    stored(&context, &index, &[path.to_str().unwrap()]);
    context.new_named_venv("third");
    context.add(&index, &["--venv", "third", "demo"]).success().stdout_is(" + demo 1.0\n");
    context.write("pin.txt", &format!("demo==2.0 --hash=sha256:{}\n", new.sha256()));
    add(&context, &index, &["demo==2.0"]).one_error();
    add(&context, &index, &["-r", "pin.txt"]).success().stdout_is(" + demo 2.0\n");
}

#[test]
fn a_lock_is_followed_without_the_cache() {
    let index = Index::start(&files());
    let context = TestContext::new();
    let url = index.url();
    context.write(
        "app/pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"1.0\"\ndependencies = [\"demo\"]\n",
    );
    let app = context.path("app");
    let run = |arguments: &[&str]| context.run(context.virtpy_command(arguments).current_dir(&app));
    run(&["lock", "-i", &url, "-o", "pylock.toml"]).success();
    run(&["sync", "pylock.toml", "--venv", "one"]).success();
    forget(&context);
    index.forget_requests();
    run(&["sync", "--offline", "pylock.toml", "--venv", "two"]).success().stdout_has(" + helper 3.0");
    assert_eq!(index.requests(), Vec::<String>::new());
    // A lock may name what it likes: it does not say what an index has.
    std::fs::remove_dir_all(context.store()).unwrap();
    std::fs::create_dir(context.store()).unwrap();
    run(&["sync", "pylock.toml", "--venv", "three"]).success();
    context.new_named_venv("second");
    add(&context, &index, &["demo"]).one_error().stderr_has("nothing says that the configured indexes");
}

#[test]
fn what_came_from_elsewhere_does_not_stand_in_for_an_index() {
    let ours = WheelBuilder::new("demo", "9.0").build();
    let private = Index::start(std::slice::from_ref(&ours));
    let public = Index::start(&[]);
    for way in ["a private index", "a URL", "a file", "a page of links"] {
        let context = TestContext::new();
        let path = ours.write_to(&context.path("wheels"));
        let (url, folder) = (private.file_url(&ours.file_name), context.path("wheels"));
        let (path, folder) = (path.to_str().unwrap(), folder.to_str().unwrap());
        match way {
            "a private index" => stored(&context, &private, &["demo"]),
            "a URL" => stored(&context, &public, &[&format!("demo @ {url}")]),
            "a file" => stored(&context, &public, &[path]),
            _ => stored(&context, &public, &["--find-links", folder, "demo"]),
        }
        let refused = add(&context, &public, &["demo"]).one_error();
        refused.stderr_has("the store has `demo-9.0-py3-none-any.whl`, but nothing says that the configured");
        if way == "a private index" {
            add(&context, &private, &["demo"]).success().stdout_is(" + demo 9.0\n");
        }
    }
}

#[test]
fn an_index_that_would_be_asked_before_is_not_passed_over() {
    let public = Index::start(&files());
    let private = Index::start(&[WheelBuilder::new("internal", "1.0").build()]);
    let other = Index::start(&[]);
    let context = TestContext::new();
    let extra = private.url();
    // The private index might have a `plain` of its own, and was not asked.
    stored(&context, &public, &["plain"]);
    add(&context, &public, &["--extra-index-url", &extra, "plain"]).one_error();
    add(&context, &public, &["plain"]).success();
    // It was asked before `demo` was taken from the other one.
    context.add(&public, &["--venv", "first", "--extra-index-url", &extra, "demo", "internal"]).success();
    forget(&context);
    let both = ["--extra-index-url", &extra, "demo", "internal"];
    add(&context, &public, &both).success().stdout_is(" + demo 2.0\n + helper 3.0\n + internal 1.0\n");
    context.new_named_venv("third");
    context.add(&other, &["--venv", "third", "--offline", "demo"]).one_error();
}

#[test]
fn the_best_of_all_indexes_says_nothing_of_the_first() {
    let public = Index::start(&files());
    let private = Index::start(&[WheelBuilder::new("plain", "0.5").build()]);
    let mut context = TestContext::new();
    let url = private.url();
    let both = ["--extra-index-url", &url, "plain"];
    context.set("UV_INDEX_STRATEGY", "unsafe-best-match");
    stored(&context, &public, &both);
    add(&context, &public, &both).success().stdout_is(" + plain 1.0\n");
    context.unset("UV_INDEX_STRATEGY");
    context.new_named_venv("third");
    let third =
        |arguments: &[&str]| context.add(&public, &[&["--venv", "third", "--offline"], arguments].concat());
    third(&both).one_error().stderr_has("nothing says that the configured indexes");
    third(&["plain"]).success().stdout_is(" + plain 1.0\n");
}

#[test]
fn the_time_of_an_upload_is_not_made_up() {
    let index = Index::start(&files());
    let context = TestContext::new();
    stored(&context, &index, &["plain"]);
    let refused = add(&context, &index, &["--exclude-newer", "2030-01-01", "plain"]).one_error();
    refused.stderr_has("nothing says when it was uploaded");
}

#[test]
fn a_repaired_entry_knows_its_index_still() {
    let index = Index::start(&files());
    let context = TestContext::new();
    stored(&context, &index, &["plain"]);
    let file = context.store().join("w").join(&files()[4].sha256()[..16]).join("site/plain/__init__.py");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(&file, "changed = True\n").unwrap();
    context.virtpy(["store", "verify"]).failure(1);
    context.virtpy(["store", "repair"]).success();
    context.virtpy(["store", "verify"]).success();
    forget(&context);
    add(&context, &index, &["plain"]).success().stdout_is(" + plain 1.0\n");
}

#[test]
fn what_keeps_the_network_away_is_named() {
    let index = Index::start(&files());
    let context = TestContext::new();
    context.new_named_venv("second");
    let refused = add(&context, &index, &["plain"]).failure(1);
    refused.stderr_has("without `--offline`").stderr_lacks("UV_OFFLINE");
    let mut command = context.virtpy_command(["add", "--venv", "second", "plain"]);
    command.env("PIP_INDEX_URL", index.url()).env("UV_OFFLINE", "1");
    context.run(&mut command).failure(1).stderr_has("variable `UV_OFFLINE` unset").stderr_lacks("--offline");
}
