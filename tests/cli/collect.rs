//! `virtpy store gc`, `stats` and `why`.

use std::time::{Duration, SystemTime};

use crate::support::{Index, TestContext, WheelBuilder};

/// Two venvs: `one` has `shared` and `alone`, `two` has `shared`.
fn scene() -> (TestContext, Index) {
    let wheels = ["shared", "alone"].map(|name| {
        WheelBuilder::new(name, "1.0").file(&format!("{name}/code.py"), &"x = 1\n".repeat(500)).build()
    });
    let dependent = WheelBuilder::new("dependent", "2.0").requires("shared>=1").build();
    let index = Index::start(&[wheels.as_slice(), &[dependent]].concat());
    let context = TestContext::new();
    context.new_named_venv("one");
    context.new_named_venv("two");
    context.add(&index, &["--venv", "one", "shared", "alone"]).success();
    context.add(&index, &["--venv", "two", "dependent"]).success();
    (context, index)
}

fn remove(context: &TestContext, venv: &str) {
    std::fs::remove_dir_all(context.path(venv)).unwrap();
}

const NOW: [&str; 4] = ["store", "gc", "--grace", "0s"];

#[test]
fn what_no_venv_uses_goes_and_nothing_else() {
    let (context, index) = scene();
    context.virtpy(NOW).success().stderr_has("There is nothing to remove");
    remove(&context, "one");
    let before = context.store_tree();
    let shown = context.virtpy(NOW).success();
    assert!(
        shown.raw_stdout.starts_with("alone 1.0 (") && !shown.raw_stdout.contains("shared"),
        "{}",
        shown.dump()
    );
    shown.stderr_has("Would remove 1 package (").stderr_has("1 record of venvs that are gone");
    before.assert_unchanged(&context.store_tree(), "the store after a gc that only says what it would do");

    // What came within the last hour stays unless somebody says otherwise.
    context.virtpy(["store", "gc", "--remove"]).success().stderr_has("Kept 1 unused package");
    assert_eq!(context.store_entries().len(), 3);
    let removed = context.virtpy([&NOW[..], &["--remove", "--json"]].concat()).success().json();
    assert_eq!(removed["entries"][0]["name"], "alone");
    assert_eq!(removed["kept_unused"].as_array().map(Vec::len), Some(0));
    assert_eq!(context.store_entries().len(), 2);
    context.virtpy(["store", "verify"]).success();
    context.virtpy(["check", "--venv", "two"]).success();
    assert_eq!(context.eval("two", "import shared.code; print(shared.code.x)"), "1");
    assert_eq!(context.virtpy(["list-all"]).success().raw_stdout.lines().count(), 1);
    // What was removed comes again when it is wanted.
    context.add(&index, &["--venv", "two", "alone"]).success();
    context.assert_no_leftovers();
}

#[test]
fn leftovers_of_killed_commands_are_swept() {
    let (context, _index) = scene();
    let left = context.store().join("tmp/.tmpabandoned");
    std::fs::create_dir_all(left.join("site")).unwrap();
    std::fs::write(left.join("site/half.py"), "").unwrap();
    context.virtpy([&NOW[..], &["--remove"]].concat()).success();
    assert!(!left.exists());
    assert_eq!(std::fs::read_dir(context.store().join("tmp")).unwrap().count(), 0);
    let locks = std::fs::read_dir(context.store().join("locks")).unwrap();
    let names: Vec<String> = locks.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with("entry-")), "{names:?}");
}

#[test]
fn a_renamed_project_is_found_and_a_moved_venv_is_known_once_it_was_used() {
    let (context, _index) = scene();
    std::fs::create_dir(context.path("project")).unwrap();
    std::fs::rename(context.path("one"), context.path("project/one")).unwrap();
    // It is not beside its old place; a command that uses it tells the store.
    context.virtpy(["list", "--venv", "project/one"]).success().stderr_has("was moved here from");
    let kept = context.virtpy(NOW).success();
    assert!(kept.raw_stdout.is_empty(), "{}", kept.dump());
    std::fs::rename(context.path("project"), context.path("renamed")).unwrap();
    let found = context.virtpy([&NOW[..], &["--remove"]].concat()).success();
    assert!(found.raw_stdout.is_empty(), "{}", found.dump());
    context.virtpy(["list-all"]).success().stdout_has("[WORK]/renamed/one");
    assert_eq!(context.store_entries().len(), 3);
}

#[test]
fn a_copy_keeps_what_it_uses_once_it_was_seen() {
    let (context, _index) = scene();
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args(["one", "copy"])
        .current_dir(context.path("."))
        .status();
    assert!(copied.unwrap().success());
    context.virtpy(["list", "--venv", "copy"]).success().stderr_has("is a copy of the one at");
    remove(&context, "one");
    let kept = context.virtpy([&NOW[..], &["--remove"]].concat()).success();
    assert!(kept.raw_stdout.is_empty(), "{}", kept.dump());
    assert_eq!(context.eval("copy", "import alone.code; print(alone.code.x)"), "1");
}

#[test]
fn nothing_is_removed_while_a_venv_cannot_be_read() {
    let (context, _index) = scene();
    remove(&context, "one");
    std::fs::write(context.path("two/.virtpy/state.json"), "{").unwrap();
    context.virtpy(NOW).success().stderr_has("cannot be read");
    let refused = context.virtpy([&NOW[..], &["--remove"]].concat()).failure(1).one_error();
    refused.stderr_has("nothing was removed").stderr_has("--forget");
    assert_eq!(context.store_entries().len(), 3);
    context.virtpy([&NOW[..], &["--forget", "nobody"]].concat()).failure(1);
    context.virtpy([&NOW[..], &["--remove", "--forget", "two"]].concat()).success();
    assert_eq!(context.store_entries().len(), 0);
}

#[test]
fn a_venv_that_is_there_is_not_forgotten() {
    let (context, _index) = scene();
    context.virtpy(["store", "gc", "--forget", "one"]).failure(1).stderr_has("uses its packages");
}

#[test]
fn a_venv_on_a_disk_that_is_not_mounted_keeps_what_it_uses() {
    let (context, index) = scene();
    // What the store notes of a venv on another disk: where that is mounted, and what the venv uses.
    let rows = context.virtpy(["list-all", "--json"]).success().json();
    let row =
        rows.as_array().unwrap().iter().find(|row| row["path"].as_str().unwrap().ends_with("/one")).unwrap();
    let record = context.store().join("roots").join(row["id"].as_str().unwrap());
    let mut root: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    root["mount"] = serde_json::json!({"point": context.root(), "file_system": 1});
    std::fs::write(&record, root.to_string()).unwrap();
    context.add(&index, &["--venv", "one", "dependent"]).success();
    let noted: serde_json::Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    assert_eq!(noted["uses"].as_array().map(Vec::len), Some(3), "{noted}");
    remove(&context, "one");
    let kept = context.virtpy([&NOW[..], &["--remove"]].concat()).success();
    kept.stderr_has("nothing is mounted");
    assert_eq!(context.store_entries().len(), 3);
    context.virtpy([&NOW[..], &["--remove", "--forget", row["id"].as_str().unwrap()]].concat()).success();
    assert_eq!(context.store_entries().len(), 2, "`alone` was used by nobody else");
}

#[test]
fn policies_keep_more() {
    let (context, _index) = scene();
    remove(&context, "one");
    remove(&context, "two");
    let count = |arguments: &[&str]| {
        let found = context.virtpy([&NOW[..], arguments, &["--json"]].concat()).success().json();
        found["entries"].as_array().map(Vec::len).unwrap()
    };
    assert_eq!(count(&[]), 3);
    assert_eq!(count(&["--max-age", "1d"]), 0);
    assert_eq!(count(&["--keep-last", "1"]), 0);
    assert_eq!(count(&["--max-size", "1GB"]), 0);
    assert_eq!(count(&["--max-size", "1"]), 3);
    context.virtpy(["store", "gc", "--max-age", "long"]).failure(2);
}

#[test]
fn the_settings_collect_after_a_change_once_a_day() {
    let (mut context, index) = scene();
    remove(&context, "one");
    // The entry of a wheel that was unpacked two hours ago.
    let old = SystemTime::now() - Duration::from_hours(2);
    for id in context.store_entries() {
        let path = context.store().join("w").join(id).join("entry.json");
        let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let seconds = old.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        manifest["unpacked_at"] = seconds.into();
        let folder = path.parent().unwrap();
        let command = format!("chmod u+w {0} {0}/entry.json", folder.display());
        assert!(std::process::Command::new("sh").args(["-c", &command]).status().unwrap().success());
        std::fs::write(&path, manifest.to_string()).unwrap();
    }
    context.set("VIRTPY_STORE_MAX_SIZE", "1");
    context.virtpy(["remove", "--venv", "two", "dependent"]).success().stderr_has("that no venv uses");
    assert_eq!(context.store_entries().len(), 1, "`shared` is used by `two`");
    context.add(&index, &["--venv", "two", "alone"]).success();
    context.virtpy(["remove", "--venv", "two", "alone"]).success();
    assert_eq!(context.store_entries().len(), 2, "it was collected today already");
}

#[test]
fn statistics_say_what_is_saved_and_why_says_for_whom() {
    let (context, _index) = scene();
    let stats = context.virtpy(["store", "stats", "--json"]).success().json();
    assert_eq!((stats["entries"].as_u64(), stats["venvs"].as_u64()), (Some(3), Some(2)));
    let shared = stats["by_package"].as_array().unwrap().iter().find(|row| row["name"] == "shared").unwrap();
    assert_eq!(shared["venvs"], 2);
    assert_eq!(stats["saved_bytes"], shared["bytes"], "the one package that two venvs have: {stats}");
    context.virtpy(["store", "stats"]).success().stdout_has("3 wheels of 3 packages");
    context
        .virtpy(["store", "stats", "-v"])
        .success()
        .stdout_has("2 venvs")
        .stdout_has("[WORK]/one: 2 packages");
    let why = context.virtpy(["store", "why", "Shared"]).success();
    why.stdout_has("[WORK]/one: asked for").stdout_has("[WORK]/two: required by dependent 2.0");
    remove(&context, "one");
    context.virtpy(["internal-store", "why", "alone"]).success().stdout_has("no venv uses it");
    context.virtpy(["store", "why", "unknown"]).failure(1);
}
