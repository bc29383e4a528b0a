//! Folders that may not be folded: their shared libraries look for another wheel's files beside them.

use std::path::Path;
use std::process::Command;

use crate::support::{Artifact, Index, TestContext, WheelBuilder, place};

/// The bytes of a shared library.
fn library(folder: &Path, name: &str, source: &str, options: &[&str]) -> Vec<u8> {
    let (code, file) = (folder.join("source.c"), folder.join(name));
    std::fs::write(&code, source).unwrap();
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-o"]).arg(&file).arg(&code).arg("-L").arg(folder).args(options);
    let output = command.output().expect("the C compiler that Rust links with starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(&file).unwrap()
}

/// A wheel with a library, and one whose library finds it by a path that leads from one wheel to the other.
fn wheels() -> [Artifact; 2] {
    let folder = place::folder();
    let soname = "-Wl,-soname,libanswer.so.1";
    let provided = library(folder.path(), "libanswer.so", "int answer(void) { return 42; }\n", &[soname]);
    let options = ["-Wl,-rpath,$ORIGIN/../../provider/lib", "-lanswer"];
    let source = "int answer(void);\nint question(void) { return answer(); }\n";
    let asking = library(folder.path(), "libasking.so", source, &options);
    let answering =
        WheelBuilder::new("provider", "1.0").member("provider/lib/libanswer.so.1", &provided, 0o644);
    let asker = WheelBuilder::new("asker", "1.0")
        .file("asker/data/table.txt", "1\n")
        .file("asker/lib/notes.txt", "beside the library\n")
        .member("asker/lib/libasking.so", &asking, 0o755);
    [answering.platlib().build(), asker.platlib().build()]
}

const ASK: &str = "import asker, ctypes, os; \
    print(ctypes.CDLL(os.path.join(os.path.dirname(asker.__file__), 'lib/libasking.so')).question())";

#[test]
fn a_library_finds_another_wheel_s_files() {
    let context = TestContext::new();
    let index = Index::start(&wheels());
    context.new_venv();
    context.add(&index, &["asker"]).success();
    let site = context.interpreter().site_packages();
    let alone = context.venv_content(".venv");
    assert!(alone.is_link(&format!("{site}/asker")), "folded as long as nobody provides what it wants");

    context.add(&index, &["provider"]).success();
    let tree = context.venv_tree(".venv");
    for path in ["asker", "asker/lib"] {
        assert!(tree.is_folder(&format!("{site}/{path}")), "{path}: {:?}", tree.node(path));
    }
    // The loader takes a library's folder from the path by which it is opened: a link is enough for the file.
    let links =
        ["asker/data", "provider", "asker/__init__.py", "asker/lib/libasking.so", "asker/lib/notes.txt"];
    for path in links {
        assert!(tree.is_link(&format!("{site}/{path}")), "{path}: {:?}", tree.node(path));
    }
    assert_eq!(context.eval(".venv", ASK), "42");
    context.virtpy(["check"]).success();

    context.virtpy(["remove", "provider"]).success();
    alone.assert_unchanged(&context.venv_content(".venv"), "the venv without the provider");
    assert!(!context.python(".venv", ASK).raw_stderr.is_empty(), "nobody provides the library now");
}

#[test]
fn a_library_that_is_opened_by_name_is_found_by_the_search_path() {
    let folder = place::folder();
    let soname = "-Wl,-soname,libanswer.so.1";
    let provided = library(folder.path(), "libanswer.so", "int answer(void) { return 42; }\n", &[soname]);
    let source = "#include <dlfcn.h>\n\
        int question(void) { void *library = dlopen(\"libanswer.so.1\", RTLD_NOW);\n\
        if (!library) return -1; int (*answer)(void) = (int (*)(void))dlsym(library, \"answer\"); return answer(); }\n";
    let context = TestContext::new();
    for tags in ["--enable-new-dtags", "--disable-new-dtags"] {
        let options =
            [&format!("-Wl,{tags}"), "-Wl,-rpath,$ORIGIN/../../provider/lib", "-ldl"].map(str::to_owned);
        let plugin = library(folder.path(), "libplugin.so", source, &options.each_ref().map(String::as_str));
        let index = Index::start(&[
            WheelBuilder::new("provider", "1.0")
                .member("provider/lib/libanswer.so.1", &provided, 0o644)
                .platlib()
                .build(),
            WheelBuilder::new("asker", "1.0")
                .member("asker/lib/libasking.so", &plugin, 0o755)
                .file("asker/notes/text.txt", "")
                .platlib()
                .build(),
        ]);
        let venv = tags.trim_start_matches('-');
        context.new_named_venv(venv);
        context.add(&index, &["--venv", venv, "asker"]).success();
        let site = context.interpreter().site_packages();
        assert!(context.venv_tree(venv).is_link(&format!("{site}/asker")), "nobody has what it looks for");
        context.add(&index, &["--venv", venv, "provider"]).success();
        assert_eq!(context.eval(venv, ASK), "42", "{tags}");
        assert!(context.venv_tree(venv).is_link(&format!("{site}/asker/notes")));
    }
}

#[test]
fn the_order_of_installation_does_not_matter() {
    let context = TestContext::new();
    let index = Index::start(&wheels());
    for (venv, names) in [("a", ["asker", "provider"]), ("b", ["provider", "asker"])] {
        context.new_named_venv(venv);
        for name in names {
            context.add(&index, &["--venv", venv, name]).success();
        }
        assert_eq!(context.eval(venv, ASK), "42");
    }
    context.venv_content("a").assert_unchanged(&context.venv_content("b"), "the other order");
}

#[test]
fn a_real_folder_goes_away_whole() {
    let context = TestContext::new();
    let index = Index::start(&wheels());
    context.new_venv();
    let empty = context.venv_content(".venv");
    context.add(&index, &["asker", "provider"]).success();
    context.virtpy(["remove", "asker", "provider"]).success();
    empty.assert_unchanged(&context.venv_content(".venv"), "the empty venv");
}

#[test]
fn a_venv_may_be_on_another_file_system_than_the_store() {
    let context = TestContext::new();
    let Some(folder) = place::folder_elsewhere(context.root()) else { return };
    let index = Index::start(&wheels());
    let venv = folder.path().join("venv");
    let shown = venv.to_string_lossy();
    context.virtpy(["new", &shown]).success();
    context.add(&index, &["--venv", &shown, "asker", "provider"]).success();
    assert_eq!(context.eval(&shown, ASK), "42");
    let library = venv.join(context.interpreter().site_packages()).join("asker/lib/libasking.so");
    assert!(library.is_symlink());
    context.virtpy(["check", "--venv", &shown]).success();
    context.virtpy(["remove", "--venv", &shown, "asker", "provider"]).success();
    assert!(!library.is_symlink());
    // The user asked for hardlinks: copies instead would be a silent mixture.
    let hard = folder.path().join("hard");
    let shown = hard.to_string_lossy();
    context.virtpy(["new", "--link-mode", "hardlink", &shown]).success();
    let empty = context.venv_content(&shown);
    let refused = context.add(&index, &["--venv", &shown, "provider"]).failure(1);
    assert!(refused.raw_stderr.contains("one file system"), "{}", refused.raw_stderr);
    empty.assert_unchanged(&context.venv_content(&shown), "the venv after the failure");
}
