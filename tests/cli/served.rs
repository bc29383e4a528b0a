//! Static files below folders that are real: servers compare real paths.

use crate::support::{Artifact, Index, TestContext, WheelBuilder};

/// The files whose real path lies outside the real path of the folder that would be served.
const OUTSIDE: &str = "import os, sys, sysconfig\n\
    for folder in ROOTS:\n\
    \x20   root = os.path.join(sysconfig.get_path('purelib') if folder[0] != '/' else sys.prefix, folder.lstrip('/'))\n\
    \x20   served = 0\n\
    \x20   for above, _, names in sorted(os.walk(root, followlinks=True)):\n\
    \x20       for name in names:\n\
    \x20           path = os.path.join(above, name)\n\
    \x20           if path.endswith(('.css', '.js', '.html', '.txt')):\n\
    \x20               served += 1\n\
    \x20               if os.path.commonpath([os.path.realpath(root), os.path.realpath(path)]) != os.path.realpath(root):\n\
    \x20                   print(os.path.relpath(path, root))\n\
    \x20   print(folder, served)\n";

fn outside(context: &TestContext, venv: &str, roots: &str) -> String {
    context.eval(venv, &OUTSIDE.replace("ROOTS", roots))
}

/// Two distributions that share folders, one of which also has folders that are real for other reasons.
fn wheels() -> [Artifact; 2] {
    let first = WheelBuilder::new("first", "1.0")
        .file("shared/one/__init__.py", "")
        .file("shared/static/first.css", "p {}\n")
        .file("shared/static/first/a.css", "p {}\n")
        .file("shared/static/first/deep/b.js", "1\n")
        .file("shared/static/first/deep/notes.txt", "served as well\n")
        .file("shared/include/first/a.h", "\n")
        .file("assets/css/a.css", "p {}\n")
        .file("assets/js/deep/a.js", "1\n")
        .data("data", "share/jupyter/nbextensions/first/main.js", "1\n");
    let second = WheelBuilder::new("second", "1.0")
        .file("shared/two/__init__.py", "")
        .file("shared/static/second/a.css", "p {}\n")
        .file("shared/include/second/a.h", "\n")
        .data("data", "share/jupyter/nbextensions/second/deep/main.js", "1\n");
    [first.build(), second.build()]
}

#[test]
fn a_tree_of_static_files_below_a_shared_folder_is_real() {
    let context = TestContext::new();
    let index = Index::start(&wheels());
    context.new_venv();
    let empty = context.venv_content(".venv");
    context.add(&index, &["first"]).success();
    let alone = context.venv_content(".venv");
    context.add(&index, &["second"]).success();
    let roots = "['shared/static', 'shared', 'assets', '/share/jupyter/nbextensions', '/share']";
    let expected = "shared/static 5\nshared 5\nassets 2\n/share/jupyter/nbextensions 2\n/share 2";
    assert_eq!(outside(&context, ".venv", roots), expected);
    let site = context.interpreter().site_packages();
    let tree = context.venv_tree(".venv");
    for link in ["shared/one", "shared/include/first", "shared/include/second"] {
        assert!(
            tree.is_link(&format!("{site}/{link}")),
            "{link} is not a static file: {:?}",
            tree.node(link)
        );
    }
    context.virtpy(["check"]).success();
    context.virtpy(["remove", "second"]).success();
    alone.assert_unchanged(&context.venv_content(".venv"), "the venv with the first only");
    context.virtpy(["remove", "first"]).success();
    empty.assert_unchanged(&context.venv_content(".venv"), "the empty venv");
}

#[test]
fn what_lies_in_a_package_that_is_real_for_its_modules_is_real_too() {
    let climbing = "from pathlib import Path\nHERE = Path(__file__).resolve().parent\nPLUGINS = HERE.parent / 'plugins'\n";
    let context = TestContext::new();
    let app = WheelBuilder::empty("app", "1.0")
        .file("app/__init__.py", climbing)
        .file("app/page.html", "<p>\n")
        .file("app/static/deep/a.css", "p {}\n")
        .file("app/table.txt", "1\n")
        .file("app/inner/__init__.py", "");
    let index = Index::start(&[app.build()]);
    context.new_venv();
    context.add(&index, &["app"]).success();
    assert_eq!(outside(&context, ".venv", "['app', 'app/static']"), "app 3\napp/static 1");
    let relative = "import app; print((app.HERE / 'static/deep/a.css').resolve().relative_to(app.HERE))";
    assert_eq!(context.eval(".venv", relative), "static/deep/a.css");
    assert!(
        context.venv_tree(".venv").is_link(&format!("{}/app/inner", context.interpreter().site_packages()))
    );
}

#[test]
fn a_large_front_end_stays_a_link_and_is_served_by_its_own_path() {
    let context = TestContext::new();
    let mut large = WheelBuilder::new("large", "1.0");
    for number in 0..200 {
        large = large.file(&format!("shared/static/large/{number}.js"), "1\n");
    }
    let other = WheelBuilder::new("other", "1.0").file("shared/static/other.css", "p {}\n");
    let index = Index::start(&[large.build(), other.build()]);
    context.new_venv();
    context.add(&index, &["large", "other"]).success();
    let site = context.interpreter().site_packages();
    assert!(context.venv_tree(".venv").is_link(&format!("{site}/shared/static/large")));
    assert_eq!(outside(&context, ".venv", "['shared/static/large']"), "shared/static/large 200");
}

#[test]
fn links_that_an_earlier_version_made_go_with_their_package() {
    let context = TestContext::new();
    let [first, second] = wheels();
    let newer = WheelBuilder::new("first", "1.1").file("assets/css/a.css", "p { margin: 0 }\n");
    let index = Index::start(&[first, second, newer.build()]);
    for venv in ["empty", "fresh", "removed", "upgraded", "met"] {
        context.new_named_venv(venv);
    }
    context.add(&index, &["--venv", "fresh", "first==1.1"]).success();
    for venv in ["removed", "upgraded", "met"] {
        context.add(&index, &["--venv", venv, "first==1.0"]).success();
        make_earlier_links(&context.path(&context.site_packages(venv)));
        assert_eq!(outside(&context, venv, "['assets']"), "css/a.css\njs/deep/a.js\nassets 2");
    }
    let output = context.virtpy(["remove", "--venv", "removed", "first"]).success();
    assert!(!output.stderr().contains("left alone"), "{}", output.stderr());
    context.venv_content("empty").assert_unchanged(&context.venv_content("removed"), "the empty venv");

    context.add(&index, &["--venv", "upgraded", "first==1.1"]).success();
    context.venv_content("fresh").assert_unchanged(&context.venv_content("upgraded"), "the upgraded venv");

    // What another package has to do with it is laid out again, the rest by `relink`.
    context.add(&index, &["--venv", "met", "second"]).success();
    context.virtpy(["relink", "--venv", "met"]).success();
    context.virtpy(["check", "--venv", "met"]).success();
    assert_eq!(outside(&context, "met", "['assets']"), "assets 2");
}

/// Puts links where earlier versions had them: the folders of static files, and a file.
fn make_earlier_links(site: &std::path::Path) {
    let package = std::fs::read_link(site.join("shared/one")).unwrap();
    let store = package.ancestors().nth(2).unwrap();
    for folder in ["assets/css", "assets/js"] {
        std::fs::remove_dir_all(site.join(folder)).unwrap();
        std::os::unix::fs::symlink(store.join(folder), site.join(folder)).unwrap();
    }
}
