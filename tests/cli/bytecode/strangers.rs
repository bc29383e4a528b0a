//! What lies among the entries and is none.

use super::{context, demo, entry, set_mode};
use crate::support::{Index, TestContext, Tree};

#[test]
fn what_lies_among_the_entries_is_run_by_nobody_and_found() {
    let index = Index::start(&[demo().build()]);
    let context = context("off");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let planted = "import os; os.write(1, b'PLANTED')\n";
    for name in ["sitecustomize.py", "simplejson.py"] {
        std::fs::write(context.store().join("w").join(name), planted).unwrap();
    }
    std::fs::create_dir_all(context.store().join("w/folder")).unwrap();
    let code = "import importlib, importlib.util as u; importlib.invalidate_caches(); \
                print(u.find_spec('simplejson'), u.find_spec('folder'))";
    assert_eq!(context.eval(".venv", code), "None None");
    let path = "import sys; print(sys.path[-1], len(sys.path) - len(set(sys.path)))";
    assert_eq!(
        context.eval(".venv", path),
        format!("{} 0", context.store().join("w").display()),
        "coverage looks for it, and finds it once"
    );
    context.virtpy(["check"]).success().stdout_has("`w/simplejson.py` in the store belongs to no package");
    let found = context.virtpy(["store", "verify"]).failure(1);
    for name in ["sitecustomize.py", "simplejson.py", "folder"] {
        assert!(
            found.raw_stdout.contains(&format!("`{name}` does not belong there")),
            "{}",
            found.raw_stdout
        );
    }
    context.virtpy(["store", "repair"]).success().stdout_has("sitecustomize.py");
    assert_eq!(quarantined(&context, "simplejson.py"), [planted], "somebody may want it");
    context.virtpy(["store", "verify"]).success();
    context.eval(".venv", "import demo.part");
}

/// The contents of files of this name that were put aside, with paths in their names where they lay in folders.
fn quarantined(context: &TestContext, name: &str) -> Vec<String> {
    let Ok(folders) = std::fs::read_dir(context.store().join("quarantine")) else { return Vec::new() };
    let mut contents: Vec<String> = folders
        .flatten()
        .filter_map(|folder| std::fs::read_to_string(folder.path().join(name)).ok())
        .collect();
    contents.sort();
    contents
}

#[test]
fn what_has_the_name_of_an_entry_and_is_none_is_kept_by_all_but_found() {
    let index = Index::start(&[demo().build()]);
    let context = context("off");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let entries = context.store().join("w");
    let (folder, link) = (entries.join("0123456789abcdef"), entries.join("fedcba9876543210"));
    std::fs::create_dir_all(folder.join("site")).unwrap();
    std::fs::write(folder.join("site/notes.txt"), "precious").unwrap();
    set_mode(&folder, 0o555);
    std::os::unix::fs::symlink(context.path(".venv"), &link).unwrap();
    let venv = Tree::of(&context.path(".venv"));

    // A collection leaves what it does not know.
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    assert!(folder.join("site/notes.txt").exists() && link.is_symlink());
    let found = context.virtpy(["store", "verify"]).failure(1);
    for name in ["0123456789abcdef", "fedcba9876543210"] {
        let finding = format!("w/{name}: `{name}` does not belong there");
        assert!(found.raw_stdout.contains(&finding), "{}", found.raw_stdout);
    }
    context.virtpy(["store", "repair"]).success().stdout_has("w/fedcba9876543210: moved to");
    context.virtpy(["store", "verify"]).success();
    assert_eq!(quarantined(&context, "0123456789abcdef/site/notes.txt"), ["precious"]);
    assert!(!link.is_symlink());
    venv.assert_unchanged(&Tree::of(&context.path(".venv")), "what the link led to");
}

#[test]
fn an_entry_that_lost_its_manifest_stays_for_its_venvs_until_they_are_relinked() {
    let index = Index::start(&[demo().build()]);
    let mut context = context("off");
    context.set("PYTHONDONTWRITEBYTECODE", "1");
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let folder = entry(&context);
    set_mode(&folder, 0o755);
    std::fs::remove_file(folder.join("entry.json")).unwrap();
    context.virtpy(["store", "verify"]).failure(1);
    let repaired = context.virtpy(["store", "repair"]).failure(1);
    repaired.stderr_has("is not a package, and stays").stderr_has("`virtpy relink`");
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    context.eval(".venv", "import demo.part");
    context.virtpy(["relink", "--index-url", &index.url()]).success();
    assert_eq!(context.eval(".venv", "import demo.part; print(demo.part.z)"), "1");
    context.virtpy(["store", "verify"]).success();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(quarantined(&context, &format!("{name}/site/demo/part.py")), ["z = 1\n"]);
}
