//! What Cargo cannot say about the architecture: the arrows between the modules of the program itself and between the files of
//! each crate, and the rules of the house. The arrows between the crates are in their `Cargo.toml`.

#![allow(clippy::disallowed_methods, reason = "it reads the sources, it writes nothing")]
#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

#[path = "layering/circles.rs"]
mod circles;
#[path = "layering/imports.rs"]
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The layers from the top. A module may use those of the rows below its own, and within a row only itself.
const LAYERS: &[&[&str]] = &[
    &["main"],
    &["commands"],
    &["report"],
    &["context"],
    &["settings"],
    &["progress"],
    &["restart"],
    &["error", "output"],
    &["cli"],
];

/// What the install operation is made of, from the top. The files above those are the operation itself.
const INSTALL_LAYERS: &[&[&str]] = &[
    &["lockfile"],
    &["tools", "poetry", "plugins", "scripts"],
    &["compiler"],
    &["resolve", "downloads"],
    &["platform", "words"],
];

/// `output` shows a failure, which is an `error`; both belong to what the user sees.
const NEIGHBOURS: &[(&str, &str)] = &[("output", "error")];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The top-level module of a crate that a file belongs to; `folder` has the crate's sources.
fn module(path: &Path, folder: &Path) -> String {
    let relative = path.strip_prefix(folder).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The modules of this crate that a file names with `crate::` or `virtpy::`.
fn used(text: &str) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for marker in ["crate::", "virtpy::"] {
        for (position, _) in text.match_indices(marker) {
            let rest = &text[position + marker.len()..];
            if let Some(list) = rest.strip_prefix('{') {
                let list = list.split('}').next().unwrap_or("");
                modules.extend(
                    list.split(',').map(|item| item.trim().split("::").next().unwrap_or("").to_owned()),
                );
            } else {
                modules.insert(
                    rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect(),
                );
            }
        }
    }
    modules
}

fn layer(layers: &[&[&str]], module: &str) -> Option<usize> {
    layers.iter().position(|row| row.contains(&module))
}

/// Fails where a file uses what is above or beside it. Modules without a layer are above all others.
fn check_arrows(folder: &Path, layers: &[&[&str]]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for path in sources(folder) {
        let module = module(&path, folder);
        let from = layer(layers, &module);
        let text = std::fs::read_to_string(&path).unwrap();
        for other in used(&text).into_iter().filter(|other| *other != module) {
            let is_below = match (from, layer(layers, &other)) {
                (Some(from), Some(to)) => to > from,
                (Some(_), None) => {
                    !folder.join(&other).is_dir() && !folder.join(format!("{other}.rs")).is_file()
                }
                (None, _) => true,
            };
            let allowed = is_below || NEIGHBOURS.contains(&(module.as_str(), other.as_str()));
            assert!(allowed, "{} uses `{other}`, which is above or beside `{module}`", path.display());
        }
        seen.insert(module);
    }
    seen
}

#[test]
fn imports_follow_the_arrows() {
    let mut seen = check_arrows(&root().join("src"), LAYERS);
    seen.remove("lib");
    assert_eq!(seen, LAYERS.concat().into_iter().map(str::to_owned).collect(), "every module has a layer");
    let seen = check_arrows(&root().join("crates/install/src"), INSTALL_LAYERS);
    assert!(
        INSTALL_LAYERS.concat().into_iter().all(|module| seen.contains(module)),
        "the sources were not found"
    );
}

/// The crates of the workspace and those of them that each uses, as the manifests say.
fn manifests() -> BTreeMap<String, BTreeSet<String>> {
    let mut folders = vec![root()];
    folders.extend(std::fs::read_dir(root().join("crates")).unwrap().map(|item| item.unwrap().path()));
    let mut crates = BTreeMap::new();
    for folder in folders {
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let short = |name: &str| name.strip_prefix("virtpy-").unwrap_or(name).to_owned();
        let own = |name: &&String| name.starts_with("virtpy-");
        let uses = manifest["dependencies"].as_table().unwrap().keys().filter(own).map(|name| short(name));
        crates.insert(short(manifest["package"]["name"].as_str().unwrap()), uses.collect());
    }
    crates
}

#[test]
fn the_drawing_of_the_crates_is_true() {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let block = text.split("```crates\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut drawn = BTreeMap::new();
    for line in block.lines() {
        let (name, uses) = line.split_once(" → ").unwrap_or((line, ""));
        let uses: BTreeSet<String> =
            uses.split(", ").filter(|one| !one.is_empty()).map(str::to_owned).collect();
        // Each line uses only those above it: there is no circle.
        assert!(uses.iter().all(|one| drawn.contains_key(one)), "`{name}` uses what is below it");
        drawn.insert(name.to_owned(), uses);
    }
    assert_eq!(drawn, manifests(), "docs/architecture.md draws (left) what Cargo.toml does not say (right)");
}

#[test]
fn only_the_grammar_and_the_facade_use_uv() {
    for folder in ["", "files", "wheel", "store", "venv", "interpreters", "remote", "install"] {
        let folder = if folder.is_empty() { root() } else { root().join("crates").join(folder) };
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let uses = manifest["dependencies"].as_table().unwrap();
        assert!(uses.keys().all(|name| !name.starts_with("uv-")), "{} bypasses them", folder.display());
    }
}

#[test]
fn every_module_tells_what_lives_there() {
    for folder in ["src", "crates"] {
        for path in sources(&root().join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//!"), "{} opens without a paragraph for newcomers", path.display());
        }
    }
}

#[test]
fn files_stay_readable() {
    for folder in ["src", "crates"] {
        for path in sources(&root().join(folder)) {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 500, "{} has {lines} lines: is it one room?", path.display());
        }
    }
}

#[test]
fn only_the_files_crate_may_write_without_asking() {
    for folder in ["src", "crates"] {
        for path in sources(&root().join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            let allows = text.contains("allow(clippy::disallowed_methods");
            // The facade's crates write into a cache of their own; tests lay out their own folders.
            let is_allowed = path.starts_with(root().join("crates/files"))
                || path.starts_with(root().join("crates/resolver"))
                || path.components().any(|part| part.as_os_str() == "tests")
                || path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("tests.rs"));
            assert!(!allows || is_allowed, "{} switches off the rule of clippy.toml", path.display());
        }
    }
}

/// What systems do differently has one module per crate, so that it is plain what another system needs. (`cfg!` is an ordinary
/// condition: both sides are compiled everywhere.)
#[test]
fn systems_differ_in_one_module_per_crate() {
    let names_a_system = |line: &&str| {
        line.trim_start().starts_with("#[cfg")
            && ["target_os", "(unix", "(windows", "target_family"].iter().any(|word| line.contains(word))
    };
    for folder in ["src", "crates"] {
        for path in sources(&root().join(folder)) {
            let parts = || path.components().map(std::path::Component::as_os_str);
            if parts().any(|part| part == "platform" || part == "tests" || part == "tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let found = text.lines().find(names_a_system);
            assert!(found.is_none(), "{}: `{}` belongs into `platform`", path.display(), found.unwrap());
        }
    }
}

/// What only Unix has stands in `platform`, too, and is not called elsewhere: the crates below the program compile for Windows.
#[test]
fn only_platform_names_what_unix_alone_has() {
    for path in sources(&root().join("crates")) {
        let parts = || path.components().map(std::path::Component::as_os_str);
        if is_test(&path) || parts().any(|part| part == "platform" || part == "tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for word in ["os::unix", "os::fd", "rustix::", "libc::"] {
            assert!(!code.contains(word), "{}: `{word}` belongs into `platform`", path.display());
        }
    }
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.ends_with("tests.rs")
        || ["testing.rs", "properties.rs"].contains(&name.as_ref())
        || path.parent().is_some_and(|above| above.ends_with("tests"))
}

/// Whoever may write to a venv can put a link in place of one of its folders at any moment: what is changed there is changed
/// by way of its open folder. These lines are about what is not in a venv yet, or about the whole of it.
#[test]
fn venvs_are_changed_by_way_of_their_open_folder() {
    let allowed =
        ["fs::create_dir_all(parent)?;", "fs::rename(staged.path(), &path)?;", "fs::remove_tree(&root)?;"];
    let changing = [
        "append",
        "copy",
        "create",
        "exchange",
        "hard_link",
        "link_by",
        "remove",
        "rename",
        "set_",
        "symlink(",
        "touch",
        "write",
    ];
    for path in sources(&root().join("crates/venv/src")).into_iter().filter(|path| !is_test(path)) {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().map(str::trim).filter(|line| !allowed.contains(line)) {
            let changes = |name: &&str| line.contains(&format!("fs::{name}"));
            assert!(!changing.iter().any(changes), "{}: `{line}` works by a path", path.display());
        }
    }
}
