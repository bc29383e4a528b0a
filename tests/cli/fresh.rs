//! Requests that nothing pins, asked again while the index still lets its pages be believed.

use crate::support::{Index, TestContext, WheelBuilder};

/// What `-v` says of a remembered answer.
const REMEMBERED: &str = "the answer is remembered";

/// An index with `demo`, which requires `helper`.
fn index() -> Index {
    let demo = WheelBuilder::new("demo", "1.0").requires("helper").build();
    Index::start(&[demo, WheelBuilder::new("helper", "1.0").build()])
}

/// Makes a venv, adds `demo` to it, and returns what it holds and whether the answer was remembered.
#[track_caller]
fn fill(context: &TestContext, index: &Index, venv: &str) -> (Vec<String>, bool) {
    context.new_named_venv(venv);
    let added = add(context, index, venv, &["demo"]);
    let listed = context.virtpy(["freeze", "--venv", venv]).success();
    (listed.lines().into_iter().map(str::to_owned).collect(), added.contains(REMEMBERED))
}

#[track_caller]
fn add(context: &TestContext, index: &Index, venv: &str, arguments: &[&str]) -> String {
    let url = index.url();
    let mut command = vec!["-v", "add", "--venv", venv, "--index-url", &url];
    command.extend(arguments);
    context.virtpy(command).success().raw_stderr
}

fn set(packages: &[&str]) -> Vec<String> {
    packages.iter().map(|package| (*package).to_owned()).collect()
}

#[test]
fn the_same_request_has_the_same_answer_while_the_pages_are_fresh() {
    let (context, index) = (TestContext::new(), index());
    let old = set(&["demo==1.0", "helper==1.0"]);
    assert_eq!(fill(&context, &index, "first"), (old.clone(), false));
    index.forget_requests();
    assert_eq!(fill(&context, &index, "second"), (old.clone(), true));
    // What came since is not seen before the pages are too old, as without the memory.
    index.add(&WheelBuilder::new("demo", "2.0").build());
    assert_eq!(fill(&context, &index, "third"), (old, true));
    assert_eq!(index.requests(), Vec::<String>::new());
    // An upgrade reads the pages again, and what was made of the old ones no longer counts.
    add(&context, &index, "first", &["--upgrade", "demo"]);
    assert_eq!(fill(&context, &index, "fourth"), (set(&["demo==2.0"]), false));
}

#[test]
fn what_is_installed_and_other_options_ask_the_resolver() {
    let (context, index) = (TestContext::new(), index());
    index.add(&WheelBuilder::new("helper", "0.9").build());
    fill(&context, &index, "first");
    // The helper that is there is kept.
    context.new_named_venv("second");
    add(&context, &index, "second", &["helper==0.9"]);
    assert!(!add(&context, &index, "second", &["demo"]).contains(REMEMBERED));
    let listed = context.virtpy(["freeze", "--venv", "second"]).success();
    assert_eq!(listed.lines(), ["demo==1.0", "helper==0.9"]);
    context.new_named_venv("third");
    assert!(!add(&context, &index, "third", &["--no-deps", "demo"]).contains(REMEMBERED));
    context.new_named_venv("fourth");
    assert!(
        !add(&context, &index, "fourth", &["--exclude-newer", "2030-01-01", "demo"]).contains(REMEMBERED)
    );
}

#[test]
fn an_index_that_does_not_let_its_pages_be_kept_is_asked_again() {
    let (context, index) = (TestContext::new(), index());
    index.pages_kept_for(0);
    fill(&context, &index, "first");
    index.add(&WheelBuilder::new("demo", "2.0").build());
    assert_eq!(fill(&context, &index, "second"), (set(&["demo==2.0"]), false));
}

#[test]
fn what_the_cache_or_the_store_lost_is_asked_for_again() {
    let (context, index) = (TestContext::new(), index());
    let all = set(&["demo==1.0", "helper==1.0"]);
    fill(&context, &index, "first");
    std::fs::remove_dir_all(context.store().join("cache/resolver")).unwrap();
    assert_eq!(fill(&context, &index, "second"), (all.clone(), false));
    assert_eq!(fill(&context, &index, "third"), (all.clone(), true));
    for venv in ["first", "second", "third"] {
        std::fs::remove_dir_all(context.path(venv)).unwrap();
    }
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    assert_eq!(fill(&context, &index, "fourth"), (all, false));
}

#[test]
fn how_an_index_is_reached_changes_no_answer() {
    let (mut context, index) = (TestContext::new(), index());
    fill(&context, &index, "first");
    index.forget_requests();
    context.set("PIP_TIMEOUT", "7");
    context.set("PIP_RETRIES", "1");
    assert!(fill(&context, &index, "second").1);
    // Nor is a venv looked through that satisfied the same request.
    add(&context, &index, "first", &["demo"]);
    assert_eq!(index.requests(), Vec::<String>::new());
}
