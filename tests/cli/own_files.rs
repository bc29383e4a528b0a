//! What a venv must not share with the store, and what has to be a real file in it: a venv shares no inode with the
//! store, and whatever looks around from its own resolved path finds the venv.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::support::{Index, Node, TestContext, WheelBuilder};

/// The inodes of the regular files under a folder, with the path of each.
fn inodes(folder: &Path) -> Vec<((u64, u64), String)> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        let facts = path.symlink_metadata().unwrap();
        if facts.is_dir() {
            found.extend(inodes(&path));
        } else if facts.is_file() {
            found.push(((facts.dev(), facts.ino()), path.display().to_string()));
        }
    }
    found
}

/// Wheels of every kind that puts real files into a venv.
fn index() -> Index {
    let shared = |name: &str| {
        WheelBuilder::new(name, "1.0")
            .file(&format!("ns/{name}.py"), "x = 1\n")
            .file(&format!("ns/{name}.css"), "body {}\n")
            .data("data", &format!("share/common/{name}.json"), "{}")
            .data("headers", &format!("{name}.h"), "#define X 1\n")
            .data("scripts", &format!("run-{name}"), "#!/bin/sh\necho here\n")
            .console_script(&format!("start-{name}"))
            .file(&format!("{name}_single.py"), "y = 1\n")
    };
    let climbing = "from pathlib import Path\nSITE = Path(__file__).resolve().parent.parent\n";
    Index::start(&[
        shared("one").build(),
        shared("two").build(),
        WheelBuilder::empty("climber", "1.0").file("climber/__init__.py", climbing).build(),
    ])
}

#[test]
fn a_venv_shares_no_inode_with_the_store() {
    let (context, index) = (TestContext::new(), index());
    for mode in ["auto", "symlink", "copy"] {
        context.virtpy(["new", "--link-mode", mode, mode]).success();
        context.add(&index, &["--venv", mode, "one", "two", "climber"]).success();
        context.virtpy(["check", "--venv", mode]).success();
    }
    let store: BTreeSet<_> = inodes(&context.store()).into_iter().map(|(inode, _)| inode).collect();
    for mode in ["auto", "symlink", "copy"] {
        let shared: Vec<String> = inodes(&context.path(mode))
            .into_iter()
            .filter(|(inode, _)| store.contains(inode))
            .map(|(_, path)| path)
            .collect();
        assert_eq!(shared, Vec::<String>::new(), "{mode}");
    }
}

/// What `chmod -R u+w`, `chown -R` and an editor do to a venv stays there.
#[test]
fn what_is_done_to_the_files_of_a_venv_stays_there() {
    let (context, index) = (TestContext::new(), index());
    context.new_venv();
    context.add(&index, &["one", "two", "climber"]).success();
    let before = context.store_tree();
    for (_, path) in inodes(&context.path(".venv")) {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(b"\n# edited\n");
        std::fs::write(&path, bytes).unwrap();
    }
    before.assert_unchanged(&context.store_tree(), "the store");
    context.virtpy(["store", "verify"]).success();
}

#[test]
fn files_of_shared_folders_are_real_unless_they_are_code() {
    let (context, index) = (TestContext::new(), index());
    context.new_venv();
    context.add(&index, &["one", "two"]).success();
    let (tree, site) = (context.venv_tree(".venv"), context.interpreter().site_packages());
    for name in ["one", "two"] {
        assert!(tree.is_link(&format!("{site}/ns/{name}.py")), "{name}");
        assert!(tree.is_link(&format!("{site}/{name}_single.py")), "{name}");
        for path in [format!("{site}/ns/{name}.css"), format!("share/common/{name}.json")] {
            assert!(matches!(tree.node(&path), Some(Node::File(0o444, _))), "{path}: {:?}", tree.node(&path));
        }
        let script = tree.node(&format!("bin/run-{name}"));
        assert!(matches!(script, Some(Node::File(0o555, _))), "{script:?}");
    }
    assert_eq!(context.eval(".venv", "import ns.one, ns.two; print(ns.one.x + ns.two.x)"), "2");
}

/// A package that finds its neighbours in every way that leads out of its folder.
const HOST: &str = r"
import os
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent

def plugins():
    return sorted(path.name for path in SITE.glob('host_plugin_*') if '.' not in path.name)

def neighbour():
    return (SITE / 'neighbour' / 'text.txt').read_text()

def by_dots():
    return open(os.path.join(os.path.dirname(__file__), '..', 'neighbour', 'text.txt')).read()

def data():
    return open(os.path.join(os.path.dirname(__file__), *['..'] * 4, 'share', 'host', 'text.txt')).read()
";

const ASK: &str = "import host; print(host.plugins(), host.neighbour(), host.by_dots(), host.data())";

fn host() -> Index {
    let host = WheelBuilder::empty("host", "1.0")
        .file("host/__init__.py", HOST)
        .file("host/other.py", "z = 1\n")
        .file("host/deep/__init__.py", "")
        .data("data", "share/host/text.txt", "shared");
    let neighbour = WheelBuilder::new("neighbour", "1.0").file("neighbour/text.txt", "beside");
    let plugin = |name: &str| WheelBuilder::new(&format!("host_plugin_{name}"), "1.0").build();
    Index::start(&[host.build(), neighbour.build(), plugin("a"), plugin("b")])
}

#[test]
fn a_module_that_climbs_by_its_own_path_finds_its_neighbours() {
    let (context, index) = (TestContext::new(), host());
    context.new_venv();
    context.add(&index, &["host", "neighbour", "host_plugin_a"]).success();
    assert_eq!(context.eval(".venv", ASK), "['host_plugin_a'] beside beside shared");
    context.add(&index, &["host_plugin_b"]).success();
    assert_eq!(context.eval(".venv", ASK), "['host_plugin_a', 'host_plugin_b'] beside beside shared");
    let (tree, site) = (context.venv_tree(".venv"), context.interpreter().site_packages());
    assert!(matches!(tree.node(&format!("{site}/host/__init__.py")), Some(Node::File(0o444, _))));
    for path in ["host/other.py", "host/deep", "neighbour", "host_plugin_a"] {
        assert!(tree.is_link(&format!("{site}/{path}")), "{path}: {:?}", tree.node(path));
    }
    context.virtpy(["check"]).success();
    context.virtpy(["remove", "host"]).success();
    assert!(!context.path(&format!(".venv/{site}/host")).exists());
}

/// The module is the venv's own, so its bytecode is as well, and an edit counts.
#[test]
fn an_edit_of_a_module_that_climbs_counts_and_stays_in_its_venv() {
    let (context, index) = (TestContext::new(), host());
    for venv in [".venv", "other"] {
        context.new_named_venv(venv);
        context.add(&index, &["--venv", venv, "--compile-bytecode", "host", "neighbour"]).success();
        context.eval(venv, "import host");
    }
    let site = context.interpreter().site_packages();
    let module = context.path(&format!(".venv/{site}/host/__init__.py"));
    std::fs::set_permissions(&module, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(&module, "def neighbour():\n    return 'edited'\n").unwrap();
    let ask = "import host; print(host.neighbour())";
    assert_eq!(context.eval(".venv", ask), "edited");
    assert_eq!(context.eval("other", ask), "beside");
}

#[test]
fn a_single_module_that_climbs_is_a_real_file() {
    let source =
        "from pathlib import Path\nBESIDE = (Path(__file__).resolve().parent / 'neighbour').is_dir()\n";
    let single = WheelBuilder::empty("single", "1.0").file("single.py", source).build();
    let index = Index::start(&[single, WheelBuilder::new("neighbour", "1.0").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["single", "neighbour"]).success();
    assert_eq!(context.eval(".venv", "import single; print(single.BESIDE)"), "True");
}

/// A program that finds its data from where it really is.
#[test]
fn a_script_that_resolves_its_own_path_finds_the_venv_s_data() {
    let script = "#!/bin/sh\ncat \"$(dirname \"$(readlink -f \"$0\")\")/../share/tool/text.txt\"\n";
    let tool = WheelBuilder::new("tool", "1.0").data("scripts", "tool", script).data(
        "data",
        "share/tool/text.txt",
        "found\n",
    );
    let index = Index::start(&[tool.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["tool"]).success();
    context.script(".venv", "tool", &[]).success().stdout_has("found");
}

/// Nothing keeps the store's owner from a forced write through a link; so it is found, named and put right.
#[test]
fn a_forced_write_through_a_link_is_noticed_and_repaired() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").file("demo/part.py", "z = 1\n").build()]);
    let context = TestContext::new();
    for venv in [".venv", "other"] {
        context.new_named_venv(venv);
        context.add(&index, &["--venv", venv, "demo"]).success();
    }
    let site = context.interpreter().site_packages();
    let part = context.path(&format!(".venv/{site}/demo/part.py"));
    for (content, mode) in [("z = 6\n", 0o444), ("z = 1\n", 0o644)] {
        std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::write(&part, content).unwrap();
        std::fs::set_permissions(&part, std::fs::Permissions::from_mode(mode)).unwrap();
        let told = context.virtpy(["check", "--venv", "other"]).failure(1);
        assert!(told.raw_stdout.contains("demo 1.0 was changed in the store"), "{}", told.dump());
        assert!(told.raw_stdout.contains("demo/part.py"), "{}", told.dump());
        context.virtpy(["store", "verify"]).failure(1);
        context.virtpy(["store", "repair"]).success();
        context.virtpy(["check", "--venv", "other"]).success();
        assert_eq!(context.eval("other", "import demo.part as p; print(p.z)"), "1");
    }
}
