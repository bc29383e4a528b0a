//! Hashes belong to the name of a package: whatever it is taken from, and in how many places they are given.

use crate::support::{Artifact, Index, TestContext, WheelBuilder};

/// An environment, the one wheel of its index, and a file that is another.
fn scene() -> (TestContext, Index, Artifact, Artifact) {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let other = WheelBuilder::new("demo", "1.0").file("other.py", "").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    let context = TestContext::new();
    context.new_venv();
    std::fs::create_dir(context.path("other")).unwrap();
    std::fs::write(context.path("other").join(&other.file_name), &other.bytes).unwrap();
    (context, index, wheel, other)
}

#[test]
fn a_file_has_to_be_in_all_lists() {
    let (context, index, wheel, other) = scene();
    let (right, wrong) = (wheel.sha256(), other.sha256());
    context.write("right.txt", &format!("demo==1.0 --hash=sha256:{right} --hash=sha256:{wrong}\n"));
    context.write("same.txt", &format!("demo --hash=sha256:{}\n", right.to_uppercase()));
    context.write("wrong.txt", &format!("demo==1.0 --hash=sha256:{wrong}\n"));
    context.write("exact.txt", &format!("demo==1.0 --hash=sha256:{right}\n"));
    for second in [&["-r", "wrong.txt"][..], &["-c", "wrong.txt"]] {
        let lists = [&["-r", "exact.txt"][..], second].concat();
        context.add(&index, &lists).one_error().stderr_has(&wrong).stderr_has(&right);
        let lists = [&["-r", "right.txt"][..], second].concat();
        context.add(&index, &lists).one_error().stderr_has(&wrong);
    }
    let lists = ["-r", "right.txt", "-r", "exact.txt", "-c", "same.txt"];
    context.add(&index, &lists).success().stdout_is(" + demo 1.0\n");
}

#[test]
fn a_url_is_held_to_the_hashes_of_its_name() {
    let (context, index, wheel, other) = scene();
    let place = context.path("other").join(&other.file_name);
    context.write("pins.txt", &format!("demo==1.0 --hash=sha256:{}\n", wheel.sha256()));
    context.write(
        "both.txt",
        &format!("demo==1.0 --hash=sha256:{0} --hash=sha256:{0:0<64.1}\n", wheel.sha256()),
    );
    context.write("url.txt", &format!("demo @ file://{}\n", place.display()));
    let before = context.venv_tree(".venv");
    for pins in ["pins.txt", "both.txt"] {
        for lists in
            [["-r", pins, "-c", "url.txt"], ["-c", pins, "-r", "url.txt"], ["-r", pins, "-r", "url.txt"]]
        {
            context.add(&index, &lists).one_error().stderr_has(&other.sha256());
        }
    }
    before.assert_unchanged(&context.venv_tree(".venv"), "the venv");
    context.write("pins.txt", &format!("demo==1.0 --hash=sha256:{}\n", other.sha256()));
    context.add(&index, &["-r", "pins.txt", "-c", "url.txt"]).success();
}

#[test]
fn what_stands_behind_a_url_tells_its_name_and_hash() {
    let (context, index, _, other) = scene();
    let place = context.path("other").join(&other.file_name);
    context.write("limits.txt", &format!("file://{}#egg=demo\n", place.display()));
    context.add(&index, &["-c", "limits.txt", "demo"]).success();
    assert!(context.path(&context.site_packages(".venv")).join("other.py").exists());
    std::fs::remove_dir_all(context.path(".venv")).unwrap();
    context.new_venv();
    let hash = format!("file://{}#sha256=", place.display());
    context.add(&index, &[&format!("{hash}{}", "0".repeat(64))]).one_error().stderr_has(&other.sha256());
    context.add(&index, &[&format!("{hash}{}", other.sha256())]).success();
    context.write("limits.txt", &format!("{}\n", context.path("other").display()));
    context.add(&index, &["-c", "limits.txt", "demo"]).one_error().stderr_has("has no name");
}

#[test]
fn one_hash_makes_the_venvs_pip_demand_all() {
    let (context, index, wheel, _) = scene();
    index.add(&WheelBuilder::new("bare", "1.0").build());
    context.write("some.txt", &format!("demo==1.0 --hash=sha256:{}\nbare==1.0\n", wheel.sha256()));
    context.write("limits.txt", &format!("demo==1.0 --hash=sha256:{}\n", wheel.sha256()));
    let url = index.url();
    let before = context.venv_tree(".venv");
    context.virtpy(["pip", "install", "-i", &url, "-r", "some.txt"]).failure(1).stderr_has("bare");
    before.assert_unchanged(&context.venv_tree(".venv"), "the venv");
    context.virtpy(["pip", "install", "-i", &url, "-c", "limits.txt", "bare"]).success();
    // `virtpy add` holds to its hashes what has some.
    context.add(&index, &["-r", "some.txt"]).success();
}
