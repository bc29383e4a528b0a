//! The store: entries complete or absent and never changed, nothing downloaded twice, many processes at once.

use std::process::Child;
use std::time::Duration;

use crate::support::{Fault, Index, Node, Output, TestContext, Tree, WheelBuilder};

fn many_wheels(count: usize) -> Vec<crate::support::Artifact> {
    (0..count)
        .map(|number| {
            let name = format!("part{number}");
            let mut wheel = WheelBuilder::new(&name, "1.0").console_script(&format!("run-{name}"));
            for file in 0..20 {
                let text = format!("value = {file}\n").repeat(50);
                wheel = wheel.file(&format!("{name}/module{file}.py"), &text);
            }
            wheel.build()
        })
        .collect()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("part{number}")).collect()
}

fn finish(context: &TestContext, child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    context.output_of("a process started beside others", &output)
}

#[test]
fn an_entry_is_read_only_and_names_its_whole_hash() {
    let wheel = WheelBuilder::new("demo", "1.0")
        .executable("demo/tool", "#!/bin/sh\n")
        .data("data", "share/demo.txt", "x")
        .build();
    let index = Index::start(std::slice::from_ref(&wheel));
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    assert_eq!(context.store_entries(), [wheel.sha256()[..16].to_owned()]);
    let root = context.store().join("w").join(&wheel.sha256()[..16]);
    let tree = Tree::of(&root);
    for (path, node) in &tree.0 {
        match node {
            Node::Folder(mode) | Node::File(mode, _) => assert_eq!(mode & 0o222, 0, "{path} {mode:o}"),
            // The short name by which venvs link to the files of the dist-info folder.
            Node::Link(target) => {
                assert_eq!((path.as_str(), target.as_str()), ("i", "site/demo-1.0.dist-info"));
            }
        }
    }
    assert!(matches!(tree.node("site/demo/tool"), Some(Node::File(mode, _)) if mode & 0o111 == 0o111));
    let manifest: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(root.join("entry.json")).unwrap()).unwrap();
    assert_eq!(manifest["sha256"], wheel.sha256());
    assert_eq!(manifest["name"], "demo");
    assert_eq!(manifest["version"], "1.0");
}

#[test]
fn the_second_venv_downloads_nothing_and_holds_next_to_nothing() {
    let index = Index::start(&many_wheels(10));
    let context = TestContext::new();
    context.new_named_venv("first");
    context.new_named_venv("second");
    let empty = Tree::of(&context.path("second")).0.len();
    let names = names(10);
    let arguments = |venv: &'static str| -> Vec<String> {
        let mut all = vec!["--venv".to_owned(), venv.to_owned()];
        all.extend(names.clone());
        all
    };
    let first = arguments("first");
    context.add(&index, &first.iter().map(String::as_str).collect::<Vec<_>>()).success();
    index.forget_requests();
    let mut second = arguments("second");
    second.push("--offline".to_owned());
    let output = context.add(&index, &second.iter().map(String::as_str).collect::<Vec<_>>()).success();
    output.stderr_has("10 from the store, 0 downloaded");
    assert_eq!(index.requests(), Vec::<String>::new());
    let added = Tree::of(&context.path("second")).0.len() - empty;
    let real = 10 * (20 + 1 + 1 + 1 + 6);
    assert!(added * 2 < real, "{added} entries where real files need {real}");
}

#[test]
fn a_known_hash_is_not_downloaded_from_another_index_either() {
    let wheels = many_wheels(2);
    let (first, second) = (Index::start(&wheels), Index::start(&wheels));
    let context = TestContext::new();
    context.new_named_venv("one");
    context.new_named_venv("two");
    context.add(&first, &["--venv", "one", "part0", "part1"]).success();
    context.add(&second, &["--venv", "two", "part0", "part1"]).success();
    assert_eq!(second.all_downloads(), 0, "{:?}", second.requests());
}

#[test]
fn an_index_without_hashes_works_and_shares_too() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    index.state_sha256(&wheel.file_name, None);
    let context = TestContext::new();
    context.new_named_venv("one");
    context.new_named_venv("two");
    context.add(&index, &["--venv", "one", "demo"]).success();
    context.add(&index, &["--venv", "two", "demo"]).success();
    assert_eq!(context.store_entries(), [wheel.sha256()[..16].to_owned()]);
}

#[test]
fn every_wheel_is_downloaded_once() {
    let wheels = many_wheels(5);
    let index = Index::start(&wheels);
    let context = TestContext::new();
    context.new_venv();
    let names = names(5);
    context.add(&index, &names.iter().map(String::as_str).collect::<Vec<_>>()).success();
    for wheel in &wheels {
        assert_eq!(index.downloads(&wheel.file_name), 1, "{:?}", index.requests());
    }
}

#[test]
fn a_venv_of_the_store_is_registered() {
    let index = Index::start(&many_wheels(1));
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["part0"]).success();
    let roots = Tree::of(&context.store().join("roots"));
    let venv = context.path(".venv").to_string_lossy().into_owned();
    let names_it = |path: &String| {
        std::fs::read_to_string(context.store().join("roots").join(path))
            .is_ok_and(|text| text.contains(&venv))
    };
    assert!(roots.0.keys().any(names_it), "no root names {venv}: {:?}", roots.0);
}

#[test]
fn many_processes_add_the_same_wheels_to_venvs_of_their_own() {
    let index = Index::start(&many_wheels(6));
    let context = TestContext::new();
    let (url, names) = (index.url(), names(6));
    let venvs: Vec<String> = (0..8).map(|number| format!("venv{number}")).collect();
    for venv in &venvs {
        context.new_named_venv(venv);
    }
    let children: Vec<Child> = venvs
        .iter()
        .map(|venv| {
            let mut arguments = vec!["add", "--index-url", &url, "--venv", venv];
            arguments.extend(names.iter().map(String::as_str));
            context.spawn(arguments)
        })
        .collect();
    for child in children {
        finish(&context, child).success();
    }
    assert_eq!(context.store_entries().len(), 6);
    for venv in &venvs {
        context.virtpy(["check", "--venv", venv]).success();
        context.eval(venv, "import part0.module3, part5.module19");
    }
    context.assert_no_leftovers();
}

#[test]
fn several_processes_add_to_one_venv() {
    let index = Index::start(&many_wheels(6));
    let context = TestContext::new();
    context.new_venv();
    let url = index.url();
    let children: Vec<Child> =
        names(6).iter().map(|name| context.spawn(["add", "--index-url", &url, name])).collect();
    for child in children {
        finish(&context, child).success();
    }
    context.virtpy(["check"]).success();
    let listed = context.virtpy(["freeze"]).success();
    assert_eq!(listed.lines().len(), 6, "{}", listed.dump());
    context.eval(".venv", "import part0, part1, part2, part3, part4, part5");
}

#[test]
fn a_killed_download_leaves_nothing_half_done() {
    let wheel = many_wheels(1).remove(0);
    let index = Index::start(std::slice::from_ref(&wheel));
    index.fault(&wheel.file_name, Fault::Slow(Duration::from_millis(300)));
    let context = TestContext::new();
    context.new_venv();
    let venv = context.venv_tree(".venv");
    let url = index.url();
    let mut child = context.spawn(["add", "--index-url", &url, "part0"]);
    let waited = std::time::Instant::now();
    while index.downloads(&wheel.file_name) == 0 && waited.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(400));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(context.store_entries(), Vec::<String>::new());
    venv.assert_unchanged(&context.venv_tree(".venv"), "the venv");
    context.add(&index, &["part0"]).success();
    context.eval(".venv", "import part0.module3");
    context.virtpy(["check"]).success();
}

#[test]
fn kills_at_any_moment_lose_nothing() {
    let index = Index::start(&many_wheels(4));
    let context = TestContext::new();
    context.new_venv();
    let (url, names) = (index.url(), names(4));
    for delay in [1, 3, 6, 10, 15, 20, 30, 40, 60, 80, 120] {
        let mut arguments = vec!["add", "--index-url", &url];
        arguments.extend(names.iter().map(String::as_str));
        let mut child = context.spawn(&arguments);
        std::thread::sleep(Duration::from_millis(delay));
        let _ = child.kill();
        child.wait().unwrap();
        context.virtpy(["add", "--index-url", &url, "part0"]).success();
        context.virtpy(["check"]).success();
        context.eval(".venv", "import part0.module1");
        let installed = context.virtpy(["freeze"]).success();
        for line in installed.lines() {
            let name = line.split("==").next().unwrap();
            context.eval(".venv", &format!("import {name}.module2"));
        }
        context.virtpy(["remove", "part0"]).success();
    }
}

#[test]
fn a_store_on_another_path_is_another_store() {
    let index = Index::start(&many_wheels(1));
    let mut context = TestContext::new();
    context.new_venv();
    context.add(&index, &["part0"]).success();
    context.set("VIRTPY_HOME", context.root().join("elsewhere"));
    context.new_named_venv("second");
    context.add(&index, &["--venv", "second", "part0"]).success();
    assert!(context.root().join("elsewhere/w").is_dir());
    assert_eq!(context.store_entries().len(), 1);
}
