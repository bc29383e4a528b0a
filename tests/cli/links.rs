//! What stands in a venv: folded folders, unfolded ones, dist-info.

use crate::support::{Index, Node, TestContext, WheelBuilder};

/// The rows of a distribution's RECORD.
fn record(context: &TestContext, dist_info: &str) -> Vec<String> {
    let path = format!("{}/{dist_info}/RECORD", context.site_packages(".venv"));
    context.read(&path).lines().map(str::to_owned).collect()
}

/// Panics unless every file that the metadata of every distribution names exists, and has the hash it names.
#[track_caller]
fn assert_records_hold(context: &TestContext) {
    let code = r"
import base64, hashlib
from importlib.metadata import distributions
for dist in distributions():
    for path in dist.files or []:
        place = path.locate()
        if not place.exists():
            print(dist.metadata['Name'], path, 'is missing')
        elif path.hash and place.is_file():
            digest = hashlib.new(path.hash.mode, place.read_bytes()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b'=').decode() != path.hash.value:
                print(dist.metadata['Name'], path, 'has another hash')
";
    assert_eq!(context.eval(".venv", code), "");
}

#[test]
fn a_package_is_one_link_into_the_store() {
    let context = TestContext::new();
    let wheel = WheelBuilder::new("demo", "1.0").file("demo/deep/down.py", "x = 1\n").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let tree = context.venv_tree(".venv");
    let site = context.interpreter().site_packages();
    let target = format!("{}/w/{}/site/demo", context.store().display(), &wheel.sha256()[..16]);
    assert_eq!(tree.node(&format!("{site}/demo")), Some(&Node::Link(target)));
    assert_eq!(context.eval(".venv", "import demo.deep.down as d; print(d.x)"), "1");
}

#[test]
fn the_dist_info_is_real_and_lists_the_links_first() {
    let context = TestContext::new();
    let wheel = WheelBuilder::new("demo", "1.0").file("single.py", "y = 2\n").requires("helper").build();
    let index = Index::start(&[wheel, WheelBuilder::new("helper", "1.0").build()]);
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let site = context.interpreter().site_packages();
    let tree = context.venv_tree(".venv");
    assert!(tree.is_folder(&format!("{site}/demo-1.0.dist-info")));
    for name in ["RECORD", "INSTALLER", "REQUESTED"] {
        let node = tree.node(&format!("{site}/demo-1.0.dist-info/{name}"));
        assert!(matches!(node, Some(Node::File(..))), "{name}: {node:?}");
    }
    assert_eq!(context.read(&format!(".venv/{site}/demo-1.0.dist-info/INSTALLER")).trim(), "virtpy");
    assert!(
        tree.node(&format!("{site}/helper-1.0.dist-info/REQUESTED")).is_none(),
        "helper was not asked for"
    );
    let rows = record(&context, "demo-1.0.dist-info");
    let position = |row: &str| rows.iter().position(|other| other.starts_with(row));
    let link = position("demo,,").unwrap_or_else(|| panic!("no row for the link: {rows:?}"));
    let file = position("demo/__init__.py,,").unwrap_or_else(|| panic!("no row for the file: {rows:?}"));
    assert!(link < file, "the link comes first: {rows:?}");
    assert_records_hold(&context);
}

#[test]
fn a_record_is_the_venv_s_own_and_the_rest_of_a_dist_info_links() {
    let context = TestContext::new();
    let helper = WheelBuilder::new("helper", "1.0").console_script("help-me");
    let demo = WheelBuilder::new("demo", "1.0").requires("helper").build();
    let taken = WheelBuilder::new("taken", "1.0").file("helper/x.py", "").build();
    let index = Index::start(&[demo, helper.build(), taken]);
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let tree = context.venv_tree(".venv");
    let site = context.interpreter().site_packages();
    for name in ["METADATA", "WHEEL", "entry_points.txt"] {
        assert!(tree.is_link(&format!("{site}/helper-1.0.dist-info/{name}")), "{name}");
    }
    for name in ["RECORD", "INSTALLER"] {
        let node = tree.node(&format!("{site}/helper-1.0.dist-info/{name}"));
        assert!(matches!(node, Some(Node::File(..))), "{name}: {node:?}");
    }
    assert!(record(&context, "demo-1.0.dist-info").iter().any(|row| row.contains("/REQUESTED,")));
    let rows = record(&context, "helper-1.0.dist-info");
    assert!(!rows.iter().any(|row| row.contains("/REQUESTED,")));
    assert!(rows.contains(&"../../../bin/help-me,,".to_owned()), "{rows:?}");
    assert_records_hold(&context);

    // Where the folder is shared, the RECORD is another one.
    context.add(&index, &["taken"]).success();
    assert_ne!(record(&context, "helper-1.0.dist-info"), rows);
    assert_records_hold(&context);
    context.virtpy(["remove", "taken"]).success();
    assert_eq!(record(&context, "helper-1.0.dist-info"), rows);
    context.virtpy(["check"]).success();
}

#[test]
fn a_shared_folder_unfolds_and_folds_back() {
    // With an `__init__.py` it is no namespace, which would be real from the beginning.
    let first = WheelBuilder::empty("ns-first", "1.0")
        .file("ns/__init__.py", "")
        .file("ns/first/__init__.py", "name = 'first'\n")
        .build();
    let second =
        WheelBuilder::empty("ns-second", "1.0").file("ns/second/__init__.py", "name = 'second'\n").build();
    let index = Index::start(&[first, second]);
    let context = TestContext::new();
    context.new_venv();
    context.new_named_venv("fresh-first");
    context.new_named_venv("fresh-both");
    context.add(&index, &["--venv", "fresh-first", "ns-first"]).success();
    context.add(&index, &["--venv", "fresh-both", "ns-first", "ns-second"]).success();

    let site = context.interpreter().site_packages();
    context.add(&index, &["ns-first"]).success();
    assert!(context.venv_tree(".venv").is_link(&format!("{site}/ns")));
    context.add(&index, &["ns-second"]).success();
    let tree = context.venv_tree(".venv");
    assert!(tree.is_folder(&format!("{site}/ns")));
    assert!(tree.is_link(&format!("{site}/ns/first")) && tree.is_link(&format!("{site}/ns/second")));
    let code = "import ns.first, ns.second; print(ns.first.name, ns.second.name)";
    assert_eq!(context.eval(".venv", code), "first second");
    assert_records_hold(&context);
    let both = context.venv_content("fresh-both");
    both.assert_unchanged(&context.venv_content(".venv"), "against a venv made in one go, the venv");

    context.virtpy(["remove", "ns-second"]).success();
    let fresh = context.venv_content("fresh-first");
    fresh.assert_unchanged(&context.venv_content(".venv"), "against a fresh venv, the one after a removal");
    assert_eq!(context.eval(".venv", "import ns.first; print(ns.first.name)"), "first");
    assert_records_hold(&context);
}

#[test]
fn folders_unfold_only_as_deep_as_names_collide() {
    let wheel = |name: &str| {
        let wheel = WheelBuilder::empty(&format!("deep-{name}"), "1.0")
            .file(&format!("deep/shared/{name}/__init__.py"), "")
            .file(&format!("deep/{name}_only/__init__.py"), "");
        if name == "a" { wheel.file("deep/__init__.py", "").build() } else { wheel.build() }
    };
    let index = Index::start(&[wheel("a"), wheel("b"), wheel("c")]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["deep-a", "deep-b", "deep-c"]).success();
    let tree = context.venv_tree(".venv");
    let site = context.interpreter().site_packages();
    assert!(tree.is_folder(&format!("{site}/deep")) && tree.is_folder(&format!("{site}/deep/shared")));
    for name in ["a", "b", "c"] {
        assert!(tree.is_link(&format!("{site}/deep/shared/{name}")), "{name}");
        assert!(tree.is_link(&format!("{site}/deep/{name}_only")), "{name}");
    }
    context.virtpy(["remove", "deep-b", "deep-c"]).success();
    assert!(context.venv_tree(".venv").is_link(&format!("{site}/deep")));
    assert_records_hold(&context);
}

#[test]
fn folders_that_have_an_init_file_in_one_wheel_are_shared_too() {
    let core =
        WheelBuilder::empty("qt-core", "1.0").file("qt/__init__.py", "core = True\n").file("qt/core.py", "");
    let addons = WheelBuilder::empty("qt-addons", "1.0").file("qt/addons.py", "more = True\n");
    let index = Index::start(&[core.build(), addons.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["qt-core", "qt-addons"]).success();
    let imports = "import qt, qt.core, qt.addons; print(qt.core is not None, qt.addons.more)";
    assert_eq!(context.eval(".venv", imports), "True True");
    assert_records_hold(&context);
}

#[test]
fn the_later_of_two_equal_paths_wins_and_its_removal_brings_the_first_back() {
    let early = WheelBuilder::empty("early", "1.0").file("common/shared.py", "owner = 'early'\n");
    let late = WheelBuilder::empty("late", "1.0").file("common/shared.py", "owner = 'late'\n");
    let index = Index::start(&[early.build(), late.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["early"]).success();
    let before = context.venv_content(".venv");
    let output = context.add(&index, &["late"]).success();
    assert!(output.raw_stderr.contains("warning: "), "{}", output.dump());
    assert!(output.raw_stderr.contains("common/shared.py"), "{}", output.dump());
    let owner = "import common.shared; print(common.shared.owner)";
    assert_eq!(context.eval(".venv", owner), "late");
    context.virtpy(["remove", "late"]).success();
    assert_eq!(context.eval(".venv", owner), "early");
    before.assert_unchanged(&context.venv_content(".venv"), "after adding and removing, the venv");
}

#[test]
fn removing_the_loser_of_a_clash_leaves_the_winner() {
    let early = WheelBuilder::empty("early", "1.0").file("common/shared.py", "owner = 'early'\n");
    let late = WheelBuilder::empty("late", "1.0").file("common/shared.py", "owner = 'late'\n");
    let index = Index::start(&[early.build(), late.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["early"]).success();
    context.add(&index, &["late"]).success();
    context.virtpy(["remove", "early"]).success();
    assert_eq!(context.eval(".venv", "import common.shared; print(common.shared.owner)"), "late");
    assert_records_hold(&context);
}

#[test]
fn equal_top_level_modules_clash_like_folders() {
    let early = WheelBuilder::empty("early", "1.0").file("clash.py", "owner = 'early'\n");
    let late = WheelBuilder::empty("late", "1.0").file("clash.py", "owner = 'late'\n");
    let index = Index::start(&[early.build(), late.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["early"]).success();
    context.add(&index, &["late"]).success().stderr_has("clash.py");
    assert_eq!(context.eval(".venv", "import clash; print(clash.owner)"), "late");
    context.virtpy(["remove", "late"]).success();
    assert_eq!(context.eval(".venv", "import clash; print(clash.owner)"), "early");
}

#[test]
fn data_files_and_headers_merge_into_the_venv() {
    let one = WheelBuilder::new("one", "1.0")
        .data("data", "share/jupyter/kernels/one/kernel.json", "{}")
        .data("data", "etc/one/settings.conf", "a = 1\n")
        .data("headers", "one.h", "#define ONE 1\n");
    let two = WheelBuilder::new("two", "1.0")
        .data("data", "share/jupyter/kernels/two/kernel.json", "{}")
        .data("headers", "two.h", "#define TWO 2\n");
    let index = Index::start(&[one.build(), two.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["one"]).success();
    let alone = context.venv_content(".venv");
    context.add(&index, &["two"]).success();
    assert_eq!(context.read(".venv/share/jupyter/kernels/one/kernel.json"), "{}");
    assert_eq!(context.read(".venv/share/jupyter/kernels/two/kernel.json"), "{}");
    assert_eq!(context.read(".venv/etc/one/settings.conf"), "a = 1\n");
    let headers = format!(".venv/include/site/python{}", context.interpreter().short());
    assert_eq!(context.read(&format!("{headers}/one/one.h")), "#define ONE 1\n");
    assert_eq!(context.read(&format!("{headers}/two/two.h")), "#define TWO 2\n");
    assert_records_hold(&context);
    context.virtpy(["remove", "two"]).success();
    alone.assert_unchanged(&context.venv_content(".venv"), "after adding and removing, the venv");
    context.virtpy(["remove", "one"]).success();
    assert!(!context.path(".venv/share").exists() && !context.path(".venv/etc").exists());
    assert!(context.path(".venv/include").is_dir(), "include/ stays");
}

#[test]
fn purelib_and_platlib_of_data_belong_to_site_packages() {
    let wheel = WheelBuilder::new("demo", "1.0").data("purelib", "pure_part/__init__.py", "p = 1\n").data(
        "platlib",
        "demo/extension.py",
        "q = 2\n",
    );
    let index = Index::start(&[wheel.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let code = "import pure_part, demo.extension; print(pure_part.p, demo.extension.q)";
    assert_eq!(context.eval(".venv", code), "1 2");
    assert_records_hold(&context);
}

#[test]
fn pth_files_and_top_level_modules_work() {
    let wheel = WheelBuilder::empty("demo", "1.0")
        .file("single.py", "value = 3\n")
        .file("demo.pth", "import sys; sys.demo_pth_ran = True\n");
    let index = Index::start(&[wheel.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    assert_eq!(context.eval(".venv", "import sys, single; print(single.value, sys.demo_pth_ran)"), "3 True");
    context.virtpy(["remove", "demo"]).success();
    assert_eq!(context.eval(".venv", "import sys; print(hasattr(sys, 'demo_pth_ran'))"), "False");
}

#[test]
fn executable_bits_survive() {
    let wheel = WheelBuilder::new("demo", "1.0")
        .executable("demo/bin/tool", "#!/bin/sh\necho from the package\n")
        .file("demo/data.txt", "no program\n");
    let index = Index::start(&[wheel.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let site = context.site_packages(".venv");
    let mut command = context.command(context.path(&format!("{site}/demo/bin/tool")));
    assert_eq!(context.run(&mut command).success().raw_stdout, "from the package\n");
    let code =
        "import os, demo; print(os.stat(os.path.dirname(demo.__file__) + '/data.txt').st_mode & 0o111)";
    assert_eq!(context.eval(".venv", code), "0");
}

#[test]
fn several_top_level_names_of_one_wheel_are_each_linked() {
    let wheel = WheelBuilder::new("demo", "1.0")
        .file("_demo_impl/__init__.py", "i = 1\n")
        .file("demo.libs/library.txt", "a library\n");
    let index = Index::start(&[wheel.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let tree = context.venv_tree(".venv");
    for name in ["demo", "_demo_impl", "demo.libs"] {
        assert!(tree.is_link(&format!("{}/{name}", context.interpreter().site_packages())), "{name}");
    }
    let code = "import os, demo; here = os.path.dirname(os.path.realpath(demo.__file__)); \
                print(open(os.path.join(here, '..', 'demo.libs', 'library.txt')).read())";
    assert_eq!(context.eval(".venv", code), "a library");
}

#[test]
fn the_other_link_modes_hold_real_files() {
    let wheel = WheelBuilder::new("demo", "1.0").file("demo/part.py", "z = 1\n").console_script("demo-tool");
    let index = Index::start(&[wheel.build()]);
    let context = TestContext::new();
    for mode in ["copy", "hardlink"] {
        context.virtpy(["new", mode, "--link-mode", mode]).success();
        context.add(&index, &["--venv", mode, "demo"]).success();
        let tree = context.venv_tree(mode);
        let site = context.interpreter().site_packages();
        assert!(tree.is_folder(&format!("{site}/demo")), "{mode}");
        let node = tree.node(&format!("{site}/demo/part.py"));
        assert!(matches!(node, Some(Node::File(..))), "{mode}: {node:?}");
        assert_eq!(context.eval(mode, "import demo.part as p; print(p.z)"), "1", "{mode}");
        context.script(mode, "demo-tool", &[]).success();
        context.virtpy(["remove", "--venv", mode, "demo"]).success();
        assert!(!context.path(&format!("{mode}/{site}/demo")).exists(), "{mode}");
    }
    assert_eq!(context.store_entries().len(), 1);
}
