//! What is built of a project for each run of its tests does not fill the store: the process in the background removes all but the last
//! builds that no venv uses.

use std::collections::BTreeMap;

use crate::support::{TestContext, WheelBuilder};

/// How many wheels of each name the store has.
fn wheels(context: &TestContext) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for entry in context.store_entries() {
        let manifest = std::fs::read(context.store().join("w").join(entry).join("entry.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        *found.entry(manifest["name"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    found
}

/// Makes all entries older than the grace of a collection, as far as the store remembers what it found out about them.
fn age(context: &TestContext) {
    // What was made just now is not remembered.
    std::thread::sleep(std::time::Duration::from_millis(150));
    context.virtpy(["store", "stats"]).success();
    let path = context.store().join("cache/facts");
    let mut facts: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for known in facts.as_object_mut().unwrap().values_mut() {
        known["unpacked_at"] = 1000.into();
    }
    std::fs::write(&path, facts.to_string()).unwrap();
}

#[test]
fn builds_of_a_project_that_were_replaced_go() {
    let context = TestContext::new();
    context.new_venv();
    let install = |name: &str, text: &str| {
        let wheel = WheelBuilder::new(name, "1.0").file(&format!("{name}/code.py"), text).build();
        let path = wheel.write_to(&context.path("dist"));
        context
            .virtpy(["pip", "--venv", ".venv", "install", "--force-reinstall", &path.to_string_lossy()])
            .success();
    };
    for number in 0..6 {
        install("built", &format!("x = {number}"));
    }
    for name in ["kept", "other"] {
        install(name, "x = 1");
    }
    context.virtpy(["remove", "kept"]).success();
    let all = BTreeMap::from(
        [("built", 6), ("kept", 1), ("other", 1)].map(|(name, count)| (name.to_owned(), count)),
    );
    assert_eq!(wheels(&context), all);
    let sweep = || {
        let _ = std::fs::remove_file(context.store().join("cache/builds-collected"));
        context.virtpy(["store", "compile", "--background"]).success();
    };
    sweep();
    assert_eq!(wheels(&context), all, "what is young stays");
    age(&context);
    // Once an hour.
    std::fs::write(context.store().join("cache/builds-collected"), "").unwrap();
    context.virtpy(["store", "compile", "--background"]).success();
    assert_eq!(wheels(&context), all);
    sweep();
    let left = wheels(&context);
    // The last three, and the one in use, if these were unpacked within the same second.
    assert!((3..=4).contains(&left["built"]), "{left:?}");
    // The wheel of `kept` is where it was, and would have to be unpacked again.
    assert_eq!((left["kept"], left["other"]), (1, 1));
    context.virtpy(["check"]).success().stdout_is("");
    assert_eq!(context.eval(".venv", "import built.code as c; print(c.x)"), "5");
    context.assert_no_leftovers();
}
