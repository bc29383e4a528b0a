//! A power cut may empty the files that were written last. Nothing waits for the disk, so commands have to do without what
//! a venv's own files said, and to find out which entries of the store are whole. `tests/hardening/cuts.py` cuts the power of
//! a real disk.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

use crate::support::{Index, TestContext, WheelBuilder, archive};

fn emptied(context: &TestContext, file: &str, zeros: &[u8]) {
    std::fs::write(context.path(".venv/.virtpy").join(file), zeros).unwrap();
}

#[test]
fn a_state_that_was_emptied_is_found_out_anew() {
    let index = Index::start(&[
        WheelBuilder::new("one", "1.0").requires("two").build(),
        WheelBuilder::new("two", "1.0").console_script("two").build(),
        WheelBuilder::new("two", "2.0").console_script("two").build(),
    ]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one", "two<2"]).success();
    let before = context.venv_tree(".venv").without(&[".virtpy/state.json"]);
    let frozen = context.virtpy(["freeze"]).success().stdout();
    for content in [&b""[..], &[0; 300]] {
        emptied(&context, "state.json", content);
        assert_eq!(context.virtpy(["freeze"]).success().stdout(), frozen);
        // Nobody knows what the venv uses until somebody found out, so nothing is collected.
        context.virtpy(["store", "gc", "--remove"]).one_error();
        context.virtpy(["check"]).success().stderr_has("`.virtpy/state.json` was empty");
        context.virtpy(["check"]).success().stderr_lacks("`.virtpy/state.json` was empty");
        context.virtpy(["store", "gc", "--remove"]).success();
        assert_eq!(context.venv_tree(".venv").without(&[".virtpy/state.json"]), before);
    }
    // A script, too, may have been the last that was written.
    std::fs::write(context.path(".venv/bin/two"), "").unwrap();
    context.virtpy(["check"]).failure(1).stdout_has("`bin/two` is not as virtpy made it; `virtpy relink`");
    context.virtpy(["relink"]).success();
    assert_eq!(context.venv_tree(".venv").without(&[".virtpy/state.json"]), before);
    emptied(&context, "state.json", b"");
    context.add(&index, &["-U", "two"]).success().stdout_is(" - two 1.0\n + two 2.0\n");
    context.virtpy(["check"]).success();
    emptied(&context, "state.json", b"");
    context.virtpy(["remove", "one", "two"]).success();
    assert_eq!(context.virtpy(["list"]).success().stdout(), "");
}

#[test]
fn a_journal_that_was_emptied_stops_nobody() {
    let index = Index::start(&[WheelBuilder::new("one", "1.0").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one"]).success();
    let before = context.venv_tree(".venv");
    emptied(&context, "journal.json", b"");
    context.virtpy(["check"]).success();
    assert_eq!(context.venv_tree(".venv"), before);
    emptied(&context, "journal.json", &[0; 100]);
    context.virtpy(["remove", "one"]).success();
    assert!(!context.path(".venv/.virtpy/journal.json").exists());
}

/// Leaves the venv as a power cut does right before a change has happened whose journal and whose files were not on the disk yet. `made` are
/// the files that the change had made.
fn undo_state(context: &TestContext, state: &str, made: &[&str]) {
    context.write(".venv/.virtpy/state.json", state);
    emptied(context, "journal.json", b"");
    for path in made {
        let path = context.path(".venv").join(path);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "").unwrap();
    }
}

/// Puts files into the trash of a change, as it does with what it takes away.
fn throw_away(context: &TestContext, contents: &[&str]) {
    std::fs::create_dir(context.path(".venv/.virtpy/trash")).unwrap();
    for (number, content) in contents.iter().enumerate() {
        context.write(&format!(".venv/.virtpy/trash/{number}"), content);
    }
}

fn with_neighbours() -> Index {
    let alpha = |version| {
        WheelBuilder::new("alpha", version).file("shared/alpha.py", "").console_script("alpha").build()
    };
    Index::start(&[
        WheelBuilder::new("one", "1.0").file("shared/one.py", "").console_script("one").build(),
        alpha("1.0"),
        alpha("2.0"),
    ])
}

#[test]
fn what_an_add_had_made_goes_although_its_journal_was_emptied() {
    let index = with_neighbours();
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one"]).success();
    let (before, state) = (context.venv_tree(".venv"), context.read(".venv/.virtpy/state.json"));
    let site = context.site_packages(".venv");
    let site = site.strip_prefix(".venv/").unwrap_or(&site);
    context.add(&index, &["alpha<2"]).success();
    let record = format!("{site}/one-1.0.dist-info/RECORD");
    let info = format!("{site}/alpha-1.0.dist-info");
    let own = ["INSTALLER", "RECORD", "REQUESTED"].map(|name| format!("{info}/{name}"));
    let made = ["bin/alpha", &record, &own[0], &own[1], &own[2]];
    undo_state(&context, &state, &made);
    context.virtpy(["check"]).success().stderr_has("Rolled back an interrupted change");
    before.assert_unchanged(&context.venv_tree(".venv"), "the interrupted addition");
    // The cut may have come as soon as there was a dist-info folder.
    context.write(&format!(".venv/{info}/INSTALLER"), "");
    context.write(".venv/bin/alpha", "");
    emptied(&context, "journal.json", b"");
    std::fs::File::open(context.path(".venv/.virtpy/journal.json"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    context.write(".venv/bin/mine", "#!/bin/sh\n");
    context.add(&index, &["alpha<2"]).success();
    assert_eq!(context.read(".venv/bin/mine"), "#!/bin/sh\n");
    context.virtpy(["check"]).success();
}

#[test]
fn an_upgrade_is_taken_back_although_its_journal_was_emptied() {
    let index = with_neighbours();
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one", "alpha<2"]).success();
    let (before, state) = (context.venv_tree(".venv"), context.read(".venv/.virtpy/state.json"));
    let site = context.site_packages(".venv");
    let record = context.read(&format!("{site}/alpha-1.0.dist-info/RECORD"));
    let script = context.read(".venv/bin/alpha");
    context.add(&index, &["-U", "alpha"]).success();
    let site = site.strip_prefix(".venv/").unwrap_or(&site).to_owned();
    undo_state(&context, &state, &["bin/alpha", &format!("{site}/alpha-2.0.dist-info/RECORD")]);
    throw_away(&context, &[&record, "virtpy\n", &script]);
    context
        .virtpy(["check"])
        .success()
        .stderr_has("Rolled back an interrupted change")
        .stderr_lacks("not known");
    before.assert_unchanged(&context.venv_tree(".venv"), "the interrupted upgrade");
    context.add(&index, &["-U", "alpha"]).success().stdout_is(" - alpha 1.0\n + alpha 2.0\n");
    context.virtpy(["check"]).success();
}

#[test]
fn what_a_removal_had_taken_away_comes_back_although_its_journal_was_emptied() {
    let index = with_neighbours();
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one", "alpha<2"]).success();
    let (before, state) = (context.venv_tree(".venv"), context.read(".venv/.virtpy/state.json"));
    let record = context.read(&format!("{}/alpha-1.0.dist-info/RECORD", context.site_packages(".venv")));
    context.virtpy(["remove", "alpha"]).success();
    undo_state(&context, &state, &[]);
    throw_away(&context, &[&record, "virtpy\n"]);
    context.virtpy(["check"]).success();
    before.assert_unchanged(&context.venv_tree(".venv"), "the interrupted removal");
    // What another tool removed before stays away: nothing is in the trash.
    std::fs::remove_dir_all(context.path(&format!("{}/alpha-1.0.dist-info", context.site_packages(".venv"))))
        .unwrap();
    std::fs::remove_file(context.path(".venv/bin/alpha")).unwrap();
    emptied(&context, "journal.json", b"");
    context.virtpy(["check"]).success().stdout_has("alpha 1.0 was removed or replaced");
    assert!(!context.path(".venv/bin/alpha").exists());
}

#[test]
fn what_was_another_installers_comes_back_or_is_kept() {
    let index = with_neighbours();
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one"]).success();
    let (code, text) = ("theirs = 1\n", "Metadata-Version: 2.1\nName: theirs\nVersion: 1\n");
    let row = |path: &str, content: &str| {
        let digest = archive::base64(&archive::sha256(content.as_bytes()));
        format!("{path},sha256={digest},{}\n", content.len())
    };
    let info = "theirs-1.dist-info";
    let metadata = format!("{info}/METADATA");
    let record = row("theirs.py", code) + &row(&metadata, text) + &format!("{info}/RECORD,,\n");
    throw_away(&context, &[text, "somebody's", code, &record, "virtpy\n"]);
    emptied(&context, "journal.json", b"");
    let told = context.virtpy(["add", "one", "--index-url", &index.url()]).success();
    told.stderr_has(".virtpy/kept` has them");
    let site = context.site_packages(".venv");
    for (path, content) in [("theirs.py", code), (&metadata, text), (&format!("{info}/RECORD"), &record)] {
        assert_eq!(context.read(&format!("{site}/{path}")), *content);
    }
    assert_eq!(context.read(".venv/.virtpy/kept/0"), "somebody's");
    assert!(!context.path(".venv/.virtpy/kept/1").exists());
    context.virtpy(["check"]).success().stdout_has("theirs 1 was installed by");
}

#[test]
fn what_was_half_made_when_the_state_is_lost_too_is_made_whole() {
    let index = with_neighbours();
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one", "alpha<2"]).success();
    let before = context.venv_tree(".venv").without(&[".virtpy/state.json"]);
    let site = context.site_packages(".venv");
    for path in ["bin/alpha", "bin/one"] {
        std::fs::remove_file(context.path(".venv").join(path)).unwrap();
    }
    std::fs::remove_file(context.path(&format!("{site}/alpha"))).unwrap();
    let record = context.path(&format!("{site}/alpha-1.0.dist-info/RECORD"));
    std::fs::remove_file(&record).unwrap();
    std::fs::write(&record, "").unwrap();
    emptied(&context, "journal.json", b"");
    emptied(&context, "state.json", b"");
    context.virtpy(["check"]).success().stderr_has("`.virtpy/state.json` was empty");
    before
        .assert_unchanged(&context.venv_tree(".venv").without(&[".virtpy/state.json"]), "what was half made");
}

/// A file of the only entry, by its path there.
fn in_entry(context: &TestContext, path: &str) -> PathBuf {
    let entries = context.store_entries();
    assert_eq!(entries.len(), 1, "{entries:?}");
    context.store().join("w").join(&entries[0]).join(path)
}

/// Gives a file of an entry another content and leaves its mode and times as they were.
fn damage(path: &std::path::Path, content: &[u8]) {
    let facts = path.metadata().unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(path, content).unwrap();
    std::fs::File::open(path).unwrap().set_modified(facts.modified().unwrap()).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(facts.mode() & 0o777)).unwrap();
}

/// Whether a file is as it was; a manifest names the time at which it was made.
fn is_whole(path: &std::path::Path, before: &[u8]) -> bool {
    let found = std::fs::read(path).unwrap();
    if path.ends_with("entry.json") { found.len() == before.len() } else { found == before }
}

fn demo() -> Index {
    Index::start(&[WheelBuilder::new("demo", "1.0").file("demo/part.py", "z = 1\n").build()])
}

/// A context with a venv that has `demo`, whose machine is started again by the next command.
fn added(index: &Index) -> TestContext {
    let mut context = TestContext::new();
    context.set("VIRTPY_TEST_BOOT_ID", "a1");
    context.new_venv();
    context.add(index, &["demo"]).success();
    context
}

#[test]
fn what_a_power_cut_damaged_is_fetched_again_before_it_is_linked() {
    let index = demo();
    for (number, damaged) in ["site/demo/part.py", "entry.json", "rows", "RECORD"].iter().enumerate() {
        for content in [&b""[..], &b"\0\0\0\0\0\0"[..]] {
            let mut context = added(&index);
            let path = in_entry(&context, damaged);
            let sound = std::fs::read(&path).unwrap();
            damage(&path, content);
            context.virtpy(["new", "other"]).success();
            // The machine was not started again, so nobody looks: that is what costs nothing.
            if number == 0 {
                context.virtpy(["add", "--venv", "other", "demo", "--index-url", &index.url()]).success();
                assert_eq!(std::fs::read(&path).unwrap(), content);
                std::fs::remove_dir_all(context.path("other")).unwrap();
                context.virtpy(["new", "other"]).success();
            }
            context.set("VIRTPY_TEST_BOOT_ID", "b2");
            context.virtpy(["add", "--venv", "other", "demo", "--index-url", &index.url()]).success();
            assert!(is_whole(&path, &sound), "{damaged}");
            context.virtpy(["store", "verify"]).success();
            context.virtpy(["check", "--venv", "other"]).success();
            context.virtpy(["check"]).success();
            assert!(std::fs::read_dir(context.store().join("tmp")).unwrap().next().is_none());
        }
    }
}

#[test]
fn a_venv_from_before_a_power_cut_is_made_whole() {
    let index = demo();
    let repeat = ["add", "demo", "--index-url", &index.url()].map(str::to_owned);
    let remove = ["remove", "demo"].map(str::to_owned);
    let check = ["check"].map(str::to_owned);
    for (damaged, command) in [
        ("site/demo/part.py", &repeat[..]),
        ("entry.json", &repeat),
        ("site/demo/part.py", &remove),
        ("entry.json", &remove),
    ] {
        let mut context = added(&index);
        let sound = std::fs::read(in_entry(&context, damaged)).unwrap();
        damage(&in_entry(&context, damaged), b"");
        context.set("VIRTPY_TEST_BOOT_ID", "b2");
        context.set("PIP_INDEX_URL", index.url());
        let done = context.virtpy(command).success();
        done.stderr_has("a power cut has damaged demo 1.0 in the store: fetching");
        assert!(is_whole(&in_entry(&context, damaged), &sound), "{damaged}");
        context.virtpy(&check).success().stderr_lacks("power cut");
    }
    // What cannot be fetched is told, and stays.
    let mut context = added(&index);
    damage(&in_entry(&context, "site/demo/part.py"), b"z");
    context.set("VIRTPY_TEST_BOOT_ID", "b2");
    let failed = context.virtpy(["check"]).one_error();
    failed.stderr_has("a power cut has damaged demo 1.0, and it could not be fetched again");
    assert_eq!(std::fs::read(in_entry(&context, "site/demo/part.py")).unwrap(), b"z");
}

#[test]
fn what_is_known_to_be_on_the_disk_is_not_hashed_again() {
    let index = demo();
    let mut context = added(&index);
    let note = |context: &TestContext| {
        let requests = context.store().join("compiling/requests");
        std::fs::create_dir_all(&requests).unwrap();
        std::fs::write(requests.join("0123456789abcdef"), "").unwrap();
        context.virtpy(["store", "compile", "--background"]).success();
        std::fs::read_to_string(context.store().join("durable")).unwrap_or_default()
    };
    let noted = note(&context);
    assert!(noted.contains(&context.store_entries()[0]), "{noted}");
    assert_eq!(note(&context), noted, "each is noted once");
    // Of the same size and time, so that only hashing would tell.
    let part = in_entry(&context, "site/demo/part.py");
    damage(&part, b"z = 2\n");
    context.set("VIRTPY_TEST_BOOT_ID", "b2");
    context.virtpy(["new", "other"]).success();
    context.virtpy(["add", "--venv", "other", "demo", "--index-url", &index.url()]).success();
    assert_eq!(std::fs::read(&part).unwrap(), b"z = 2\n");
    // An entry that was repaired is another one, of which nothing is known.
    context.virtpy(["store", "repair", "--index-url", &index.url()]).success();
    damage(&part, b"z = 3\n");
    context.set("VIRTPY_TEST_BOOT_ID", "c3");
    context.virtpy(["new", "third"]).success();
    context.virtpy(["add", "--venv", "third", "demo", "--index-url", &index.url()]).success();
    assert_eq!(std::fs::read(&part).unwrap(), b"z = 1\n");
    // The notes of what is gone go with it.
    assert_eq!(note(&context).lines().filter(|line| !line.is_empty()).count(), 2);
    context.virtpy(["store", "gc", "--remove"]).success();
    let kept = std::fs::read_to_string(context.store().join("durable")).unwrap();
    assert_eq!(kept.lines().filter(|line| !line.is_empty()).count(), 1, "{kept}");
}

#[test]
fn notes_may_be_cut_off_or_emptied_as_well() {
    let index = demo();
    let whole = |context: &TestContext| std::fs::read(context.store().join("digests")).unwrap();
    let cut_off = |content: &[u8]| content[..40].to_vec();
    let zeros = |content: &[u8]| vec![0; content.len()];
    for left in [&cut_off as &dyn Fn(&[u8]) -> Vec<u8>, &zeros] {
        let mut context = added(&index);
        std::fs::write(context.store().join("digests"), left(&whole(&context))).unwrap();
        std::fs::write(context.store().join("durable"), "0123456789abcdef 12 1.0").unwrap();
        let before = std::fs::read(in_entry(&context, "entry.json")).unwrap();
        context.set("VIRTPY_TEST_BOOT_ID", "b2");
        context.virtpy(["new", "other"]).success();
        context.virtpy(["add", "--venv", "other", "demo", "--index-url", &index.url()]).success();
        assert_eq!(std::fs::read(in_entry(&context, "entry.json")).unwrap(), before, "it was sound");
        context.virtpy(["store", "verify"]).success();
        // The entry has a note again, by which a change shows.
        assert!(String::from_utf8_lossy(&whole(&context)).contains(&context.store_entries()[0]));
    }
}
