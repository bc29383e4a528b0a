//! Nothing is written among the packages in the store because somebody names a place there, also by way of a venv's links.

use crate::support::{Index, TestContext, WheelBuilder};

#[test]
fn places_among_the_packages_are_refused() {
    let context = TestContext::new();
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let link = format!(".venv/{}/demo", context.interpreter().site_packages());
    let new = format!("{link}/new");
    let before = context.store_tree();
    let equals = format!("--log={new}");
    let short = format!("-d{link}");
    for words in [
        ["install", "--target", &link, "demo"].as_slice(),
        &["install", "-t", &new, "demo"],
        &["install", "--prefix", &link, "demo"],
        &["install", "--root", &new, "demo"],
        &["install", "--report", &new, "demo"],
        &["install", "--src", &link, "demo"],
        &[&equals, "list"],
        &["download", "--dest", &new, "demo"],
        &["download", &short, "demo"],
        &["wheel", "-w", &link, "demo"],
    ] {
        let refused = context.virtpy([&["pip"], words].concat()).failure(1);
        assert!(
            refused.raw_stderr.contains("among the packages in the store"),
            "{words:?}: {}",
            refused.dump()
        );
    }
    context.virtpy(["export", &new]).failure(1).stderr_has("is in the store");
    let inside = context.store().join("w/export");
    context.virtpy(["export", inside.to_str().unwrap()]).failure(1).stderr_has("is in the store");
    before.assert_unchanged(&context.store_tree(), "the store");
    // Beside it is nobody's business.
    context.virtpy(["pip", "list", "--log", "beside.log"]).success();
    context.virtpy(["export", "out"]).success();
}

#[test]
fn a_collection_sweeps_nothing_behind_a_link() {
    let context = TestContext::new();
    context.new_venv();
    context.write("elsewhere/precious", "x");
    context.write("elsewhere/folder/precious", "x");
    let temporary = context.store().join("tmp");
    std::fs::remove_dir_all(&temporary).unwrap();
    std::os::unix::fs::symlink(context.path("elsewhere"), &temporary).unwrap();
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    assert_eq!(context.read("elsewhere/precious"), "x");
    assert_eq!(context.read("elsewhere/folder/precious"), "x");
    // In a folder of its own it sweeps what killed commands left.
    std::fs::remove_file(&temporary).unwrap();
    std::fs::create_dir_all(temporary.join(".tmpleft")).unwrap();
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    assert!(!temporary.join(".tmpleft").exists());
}

/// `VIRTPY_HOME` may be a folder in which somebody has other things, such as their home.
#[test]
fn a_collection_sweeps_only_what_virtpy_makes() {
    let context = TestContext::new();
    context.new_venv();
    let kept = [
        "tmp/precious",
        "tmp/folder/precious",
        "cache/wheels/precious",
        "cache/files/precious",
        "cache/linked/precious",
        "cache/checked/precious",
        "cache/complete/precious",
    ];
    for path in kept {
        context.write(&format!("../store/{path}"), "x");
    }
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    for path in kept {
        assert!(context.store().join(path).exists(), "{path}");
    }
}

#[test]
fn notes_behind_a_link_are_not_swept() {
    let context = TestContext::new();
    context.new_venv();
    let digits = "0123456789abcdef";
    for folder in ["files", "linked", "checked", "complete", "wheels"] {
        let (elsewhere, place) = (format!("elsewhere/{folder}"), context.store().join("cache").join(folder));
        let names =
            [digits.to_owned(), digits.repeat(4), "1".to_owned()].map(|name| format!("{elsewhere}/{name}"));
        for name in &names {
            context.write(name, "x");
        }
        let _ = std::fs::remove_dir_all(&place);
        std::os::unix::fs::symlink(context.path(&elsewhere), &place).unwrap();
        context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
        assert!(names.iter().all(|name| context.path(name).exists()), "{folder}");
    }
}

#[test]
fn the_root_of_the_file_system_is_no_store() {
    let mut context = TestContext::new();
    context.set("VIRTPY_HOME", "/");
    context.virtpy(["new"]).one_error().stderr_has("the store cannot be in `/`");
    assert!(!std::path::Path::new("/w").exists());
}

/// Nothing but the roots tells which venvs there are, and somebody may remove a part of the store by hand.
#[test]
fn a_collection_without_roots_keeps_what_venvs_use() {
    let context = TestContext::new();
    let index = Index::start(&["demo", "other"].map(|name| WheelBuilder::new(name, "1.0").build()));
    context.new_venv();
    context.add(&index, &["demo"]).success();
    context.new_named_venv("second");
    context.add(&index, &["--venv", "second", "other"]).success();
    std::fs::remove_dir_all(context.store().join("roots")).unwrap();
    // Another command makes the folder again, and knows of one venv.
    context.virtpy(["detach", "--venv", "second", "other"]).success();
    std::fs::remove_dir_all(context.path("second")).unwrap();
    for _ in 0..2 {
        context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
        assert_eq!(context.eval(".venv", "import demo; print(1)"), "1");
        let entries = context.store_entries();
        assert_eq!(entries.len(), 1, "{entries:?}");
    }
    std::fs::remove_dir_all(context.path(".venv")).unwrap();
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    assert!(context.store_entries().is_empty());
}
