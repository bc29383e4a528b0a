//! No file of a crate uses, over however many others, a file that uses it: each can be read after those that it stands on.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::imports::{Arrows, arrows};

/// The files that use each other, one set for each circle.
fn circles(arrows: &Arrows) -> Vec<BTreeSet<PathBuf>> {
    let mut circles: Vec<BTreeSet<PathBuf>> = Vec::new();
    for file in arrows.keys() {
        if circles.iter().any(|circle| circle.contains(file)) {
            continue;
        }
        let ahead = reachable(arrows, file);
        let circle: BTreeSet<PathBuf> =
            ahead.iter().filter(|other| reachable(arrows, other).contains(file)).cloned().collect();
        circles.extend((!circle.is_empty()).then_some(circle));
    }
    circles
}

/// What a file uses, and what those use, and so on.
fn reachable(arrows: &Arrows, file: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut left = vec![file.to_path_buf()];
    while let Some(file) = left.pop() {
        for other in arrows[&file].keys() {
            if found.insert(other.clone()) {
                left.push(other.clone());
            }
        }
    }
    found
}

/// The arrows inside of a circle, for whoever is to open it.
fn describe(arrows: &Arrows, circle: &BTreeSet<PathBuf>) -> String {
    let mut text = String::new();
    for file in circle {
        for (other, names) in arrows[file].iter().filter(|(other, _)| circle.contains(*other)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            writeln!(text, "  {} → {} ({})", file.display(), other.display(), names.join(", ")).unwrap();
        }
    }
    text
}

/// Every circle of a crate with its arrows, but for those that `is_known` admits.
fn report(root: &Path, is_known: fn(&BTreeSet<PathBuf>) -> bool) -> String {
    let arrows = arrows(root);
    assert!(arrows.len() > 2, "{}: its files were not found", root.display());
    let unknown = circles(&arrows).into_iter().filter(|circle| !is_known(circle));
    let told: Vec<String> =
        unknown.map(|circle| format!("{}:\n{}", root.display(), describe(&arrows, &circle))).collect();
    told.concat()
}

#[test]
fn no_files_use_each_other() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    // What calls the commands of a family, and what they share, stands in one file: `commands/tool/mod.rs`.
    let is_family = |circle: &BTreeSet<PathBuf>| {
        let families: BTreeSet<_> = circle.iter().map(|file| file.parent()).collect();
        families.len() == 1
            && circle.iter().all(|file| file.starts_with("commands") && file.components().count() > 2)
    };
    let mut found = report(&top.join("src/lib.rs"), is_family);
    for item in std::fs::read_dir(top.join("crates")).unwrap() {
        found.push_str(&report(&item.unwrap().path().join("src/lib.rs"), |_| false));
    }
    assert!(found.is_empty(), "files use each other:\n{found}");
}

#[test]
fn circles_are_seen_where_they_are() {
    let crate_of = |files: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        report(&folder.path().join("lib.rs"), |_| false)
    };
    let shapes = "mod plan;\nmod node;\npub use node::{Node, make};\npub use plan::Plan;\n";
    let plan = "use super::Node;\npub struct Plan(Node);\n";
    for (node, arrow) in [
        // What only tests use, and what a comment or a text says, counts for nothing.
        ("pub struct Node; // crate::Plan\n#[cfg(test)]\nmod tests { use super::super::Plan; }\n", None),
        ("pub struct Node;\npub fn make() -> &'static str { \"crate::Plan\" }\n", None),
        // An import by way of a re-export, a path where it is used, a list, another name, everything.
        ("use crate::Plan;\npub struct Node(Vec<Plan>);\n", Some("Plan")),
        ("pub struct Node;\npub fn make() { super::Plan::of(); }\n", Some("of")),
        ("pub struct Node;\npub fn make() { println!(\"{}\", crate::plan::Plan::SIZE) }\n", Some("SIZE")),
        (
            "use std::{fmt, io};\nuse super::{plan::{self}, make as other};\npub struct Node(plan::Plan);\n",
            Some("Plan"),
        ),
        ("use super::*;\npub struct Node(Box<Plan>);\n", Some("Plan")),
    ] {
        let found = crate_of(&[("lib.rs", shapes), ("plan.rs", plan), ("node.rs", node)]);
        match arrow {
            None => assert_eq!(found, "", "{node}"),
            Some(name) => assert!(found.contains(&format!("node.rs → plan.rs ({name}")), "{node}\n{found}"),
        }
    }
    // A parent that passes a child's names on does not use them; one that works with them does.
    let child = "use super::Store;\npub struct Entry(Store);\n";
    for (parent, is_circle) in [
        ("mod entry;\nmod other;\npub use entry::Entry;\npub struct Store;\n", false),
        ("mod entry;\nmod other;\npub use entry::Entry;\npub struct Store(Vec<Entry>);\n", true),
    ] {
        let found = crate_of(&[
            ("lib.rs", "mod store;\n"),
            ("store/mod.rs", parent),
            ("store/entry.rs", child),
            ("store/other.rs", ""),
        ]);
        assert_eq!(!found.is_empty(), is_circle, "{parent}\n{found}");
    }
}
