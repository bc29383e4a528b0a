//! Wheels that mean harm: nothing outside the venv and the store is ever written, and nothing of the venv's own is
//! replaced. The same holds for what other installers left in a venv, when it is removed.

use crate::support::{Defect, Index, TestContext, Tree, WheelBuilder};

/// Adds the wheel, which must be refused in one error and leave no trace anywhere.
#[track_caller]
fn assert_refused(wheel: &WheelBuilder) {
    let context = TestContext::new();
    let artifact = wheel.build();
    let path = artifact.write_to(&context.path("wheels")).to_string_lossy().into_owned();
    let index = Index::start(&[artifact]);
    context.new_venv();
    let outside = |context: &TestContext| Tree::of(context.root()).without(&["store"]);
    let (before, store) = (outside(&context), context.store_tree());
    let url = index.url();
    let from_index = vec!["add", "--index-url", &url, "--no-deps", "demo"];
    let from_file = vec!["add", "--no-index", "--no-deps", "--", &path];
    for arguments in [from_index, from_file] {
        let output = context.virtpy(arguments);
        let differences =
            [before.differences(&outside(&context)), store.differences(&context.store_tree())].concat();
        assert!(differences.is_empty(), "{differences}\n{}", output.dump());
        output.one_error().stderr_has("demo").stderr_lacks("`0.whl`");
    }
}

fn demo() -> WheelBuilder {
    WheelBuilder::new("demo", "1.0")
}

#[test]
fn paths_that_climb_out_are_refused() {
    for path in ["../evil.py", "../../../../evil.py", "demo/../../evil.py", "./../evil.py"] {
        assert_refused(&demo().file(path, "evil\n"));
    }
}

#[test]
fn absolute_paths_are_refused() {
    assert_refused(&demo().file("/evil.py", "evil\n"));
    assert_refused(&demo().file("//evil.py", "evil\n"));
}

#[test]
fn backslashes_and_control_characters_in_paths_are_refused() {
    assert_refused(&demo().file("..\\evil.py", "evil\n"));
    assert_refused(&demo().file("demo/new\nline.py", "evil\n"));
    assert_refused(&demo().file("demo/nul\0byte.py", "evil\n"));
}

#[test]
fn symbolic_links_in_an_archive_are_refused() {
    assert_refused(&demo().defect(Defect::Symlink("demo/link".to_owned(), "/etc".to_owned())));
    let through = Defect::Symlink("demo/out".to_owned(), "../../..".to_owned());
    assert_refused(&demo().defect(through).file("demo/out/evil.py", "evil\n"));
}

#[test]
fn the_same_path_twice_is_refused() {
    assert_refused(&demo().defect(Defect::Duplicate("demo/__init__.py".to_owned())));
}

#[test]
fn a_file_where_a_folder_should_be_is_refused() {
    assert_refused(&demo().file("demo/both", "a file\n").file("demo/both/inside.py", "x\n"));
}

#[test]
fn data_that_climbs_out_is_refused() {
    for scheme in ["data", "scripts", "headers", "purelib"] {
        assert_refused(&demo().data(scheme, "../../../evil", "evil\n"));
    }
    assert_refused(&demo().data("..", "evil", "evil\n"));
    assert_refused(&demo().data("unknown", "evil", "evil\n"));
}

#[test]
fn data_that_replaces_the_venvs_own_files_is_refused() {
    for path in ["pyvenv.cfg", "bin/python", "bin/activate", ".virtpy/state.json"] {
        assert_refused(&demo().data("data", path, "evil\n"));
    }
    for path in
        ["Bin/Python3", "PYVENV.cfg", "bin/pythOn3.12", "Scripts/activate.PS1", ".VIRTPY/x", "share/.virtpy"]
    {
        assert_refused(&demo().data("data", path, "evil\n"));
    }
    for path in
        ["lib/python3.12/site-packages/x-1.dist-info/RECORD", "lib64/x/site-packages/x-1.DIST-INFO/METADATA"]
    {
        assert_refused(&demo().data("data", path, "evil\n"));
    }
    assert_refused(&demo().data("purelib", "demo-1.0.dist-info/INSTALLER", "evil\n"));
    assert_refused(&demo().data("scripts", "python", "#!/bin/sh\necho evil\n"));
    assert_refused(&demo().data("scripts", "activate", "echo evil\n"));
}

#[test]
fn entry_points_with_hostile_names_are_refused() {
    let names = [
        "../evil",
        "../../evil",
        "/evil",
        "sub/evil",
        "..",
        ".",
        "a\\b",
        "-rf",
        "python",
        "python3",
        "Python3.12",
        "activate",
    ];
    for name in names {
        assert_refused(&demo().entry_point("console_scripts", &format!("{name} = demo:main")));
    }
}

#[test]
fn entry_points_with_hostile_objects_are_refused() {
    for object in ["demo:main; import os", "demo:main()", "de mo:main", "demo:\"", "__import__('os'):x"] {
        assert_refused(&demo().entry_point("console_scripts", &format!("evil = {object}")));
    }
}

#[test]
fn a_record_that_does_not_fit_the_archive_is_refused() {
    let module = || "demo/__init__.py".to_owned();
    assert_refused(&demo().defect(Defect::WrongRecordHash(module())));
    assert_refused(&demo().defect(Defect::WrongRecordSize(module())));
    assert_refused(&demo().defect(Defect::NoRecord));
}

/// Bytecode that differs from its source would run instead of it.
#[test]
fn bytecode_is_not_installed() {
    let python = "import sys; print(sys.implementation.cache_tag)";
    let context = TestContext::new();
    context.new_venv();
    let path = format!("demo/__pycache__/part.{}.pyc", context.eval(".venv", python));
    let index =
        Index::start(&[demo().file("demo/part.py", "print('source')\n").file(&path, "evil\n").build()]);
    context.add(&index, &["demo"]).success();
    assert_eq!(context.eval(".venv", "import demo.part"), "source");
    let code = "import importlib.metadata as m; print(any('pycache' in str(f) for f in m.files('demo')))";
    assert_eq!(context.eval(".venv", code), "False");
    context.virtpy(["check"]).success();
}

/// Wheels with such a RECORD are published, and every installer takes them. The rows lead to nothing.
#[test]
fn a_record_with_too_many_rows_is_mended_and_told() {
    let defects = [
        (Defect::ListedButMissing("demo/absent.py".to_owned()), "RECORD lists `demo/absent.py`"),
        (Defect::ListedButMissing("../../../evil.py".to_owned()), "RECORD lists `../../../evil.py`"),
    ];
    for (defect, warning) in defects {
        let index = Index::start(&[demo().defect(defect).build()]);
        let context = TestContext::new();
        context.new_venv();
        context.add(&index, &["demo"]).success().stderr_has(warning);
        let code = "import importlib.metadata as m; print(sorted(str(f) for f in m.files('demo') if 'py' in str(f)))";
        let files = context.eval(".venv", code);
        assert!(
            files.contains("demo/__init__.py") && !files.contains("absent") && !files.contains("evil"),
            "{files}"
        );
    }
}

/// The folder for packages has files of the venv's own too.
#[test]
fn modules_that_replace_the_venvs_own_files_are_refused() {
    assert_refused(&demo().file(".virtpy", "evil\n"));
    assert_refused(&demo().file("demo/.virtpy", "evil\n"));
    assert_refused(&demo().data("purelib", "demo/.Virtpy/x", "evil\n"));
    let index = Index::start(&[demo().file("_virtpy.pth", "import evil\n").build()]);
    let context = TestContext::new();
    context.new_venv();
    let before = context.venv_tree(".venv");
    context.add(&index, &["demo"]).one_error().stderr_has("_virtpy.pth");
    before.assert_unchanged(&context.venv_tree(".venv"), "the venv");
}

#[test]
fn folders_that_are_metadata_only_where_case_does_not_matter_are_refused() {
    assert_refused(&demo().file("DEMO-1.0.DIST-INFO/RECORD", "evil\n"));
    assert_refused(&demo().file("demo-1.0.di\u{17f}t-info/RECORD", "evil\n"));
    assert_refused(&demo().file("demo-1.0.Data/scripts/python", "evil\n"));
}

#[test]
fn names_of_endless_length_are_refused() {
    assert_refused(&demo().file(&format!("demo/{}", "x".repeat(256)), "evil\n"));
    assert_refused(&demo().file(&format!("demo/{}x", "deep/".repeat(200)), "evil\n"));
}

#[test]
fn metadata_that_is_missing_or_lies_is_refused() {
    assert_refused(&demo().metadata_line("Name: evil"));
    assert_refused(&demo().metadata_line("Version: 9.9"));
    assert_refused(&demo().defect(Defect::NoMetadata));
    assert_refused(&demo().defect(Defect::NoWheelFile));
    assert_refused(&demo().defect(Defect::OtherName("evil".to_owned())));
    assert_refused(&demo().defect(Defect::OtherVersion("9.9".to_owned())));
    assert_refused(&demo().defect(Defect::TwoDistInfos));
    assert_refused(&demo().defect(Defect::FutureFormat));
}

#[test]
fn a_broken_archive_is_refused() {
    assert_refused(&demo().defect(Defect::Truncated));
    assert_refused(&demo().defect(Defect::NotAnArchive));
    assert_refused(
        &demo()
            .file("demo/big.txt", "a text that the flipped byte is in\n")
            .defect(Defect::FlippedByte("demo/big.txt".to_owned())),
    );
}

#[test]
fn sizes_that_lie_or_are_out_of_proportion_are_refused() {
    let path = "demo/zeros.bin";
    for size in [1, 100_001, 3_000_000_000] {
        let defect = Defect::DeclaredSize(path.to_owned(), size);
        assert_refused(&demo().member(path, &vec![0_u8; 100_000], 0o644).defect(defect));
    }
}

#[test]
fn set_user_bits_are_not_kept() {
    let index = Index::start(&[demo().member("demo/tool", b"#!/bin/sh\n", 0o6755).build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let code =
        "import os, demo; print(oct(os.stat(os.path.dirname(demo.__file__) + '/tool').st_mode & 0o7777))";
    let mode = context.eval(".venv", code);
    assert!(matches!(mode.as_str(), "0o555" | "0o755"), "{mode}");
}

#[test]
fn odd_but_harmless_names_are_kept() {
    let wheel = demo()
        .file("demo/with blank.txt", "1\n")
        .file("demo/comma,quote\".txt", "2\n")
        .file("demo/ünï-蛇.txt", "3\n")
        .file("demo/..dots.txt", "4\n");
    let index = Index::start(&[wheel.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let code = "from importlib.metadata import files; f = [p for p in files('demo') if p.suffix == '.txt']; \
                print(len([p for p in f if p.parts[0] == 'demo']), all(p.locate().exists() for p in f))";
    assert_eq!(context.eval(".venv", code), "4 True");
    context.virtpy(["check"]).success();
    context.virtpy(["remove", "demo"]).success();
}

/// A venv with a distribution that another installer seems to have put there, whose RECORD has these rows too, and a
/// distribution of virtpy's; around it, things that must stay.
fn scene_with_foreign(rows: &str) -> (TestContext, Index) {
    let index = Index::start(&[demo().file("demo/part.py", "1\n").console_script("demo-tool").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let site = context.site_packages(".venv");
    for (name, text) in [
        ("METADATA", "Metadata-Version: 2.1\nName: liar\nVersion: 1.0\n"),
        ("WHEEL", "Wheel-Version: 1.0\nGenerator: fixture\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        ("INSTALLER", "pip\n"),
    ] {
        context.write(&format!("{site}/liar-1.0.dist-info/{name}"), text);
    }
    context.write(&format!("{site}/liar/__init__.py"), "");
    let own =
        ["METADATA", "WHEEL", "INSTALLER", "RECORD"].map(|name| format!("liar-1.0.dist-info/{name},,\n"));
    let record = format!("{rows}liar/__init__.py,,\n{}", own.concat());
    context.write(&format!("{site}/liar-1.0.dist-info/RECORD"), &record);
    context.write("outside/file.txt", "precious\n");
    context.write("outside.txt", "precious\n");
    (context, index)
}

/// Removes the foreign distribution; nothing else may go.
#[track_caller]
fn assert_only_its_own_goes(context: &TestContext, what: &str) {
    let tree = |context: &TestContext| {
        let names = ["liar", "liar-1.0.dist-info", "__pycache__", "state.json", "cache", "locks"];
        Tree::of(context.root()).without_components(&names)
    };
    let (before, store) = (tree(context), context.store_tree());
    context.virtpy(["remove", "liar"]).success();
    before.assert_unchanged(&tree(context), what);
    store.assert_unchanged(&context.store_tree(), what);
    let site = context.site_packages(".venv");
    assert!(!context.path(&format!("{site}/liar")).exists(), "{what}: its own files stayed");
    assert!(!context.path(&format!("{site}/liar-1.0.dist-info")).exists(), "{what}: its metadata stayed");
    assert_eq!(context.eval(".venv", "import demo.part; print(1)"), "1");
    context.virtpy(["check"]).success();
}

#[test]
fn a_record_that_names_what_is_outside_removes_nothing_there() {
    let (context, _index) = scene_with_foreign("");
    let site = context.site_packages(".venv");
    let record = format!("{site}/liar-1.0.dist-info/RECORD");
    let rows = context.read(&record);
    let outside = context.path("outside.txt").display().to_string();
    let link = context.path(&format!("{site}/way-out"));
    std::os::unix::fs::symlink(context.path("outside"), &link).unwrap();
    std::os::unix::fs::symlink("../../../..", context.path(".venv/up")).unwrap();
    let lies = [
        "../../../../outside.txt,,\n",
        "../../../../outside/file.txt,,\n",
        "liar/../../../../../outside.txt,,\n",
        "liar/../../../../../outside,,\n",
        "../../../../../../../../../../../../etc/passwd,,\n",
        "way-out/file.txt,,\n",
        "way-out/../outside.txt,,\n",
        "../../../up/outside.txt,,\n",
        "./way-out/./file.txt,,\n",
        "way-out//file.txt,,\n",
        "..,,\n",
        "../../..,,\n",
        "../../../..,,\n",
        ".,,\n",
        "/,,\n",
    ];
    let absolute = format!("{outside},,\n/{outside},,\n//{outside},,\n/../{outside},,\n");
    context.write(&record, &format!("{}{absolute}{rows}", lies.concat()));
    assert_only_its_own_goes(&context, "what is outside");
}

#[test]
fn a_record_that_names_the_venvs_own_files_removes_none_of_them() {
    let own = [
        "../../../pyvenv.cfg",
        "../../../bin/python",
        "../../../bin/python3",
        "../../../bin/activate",
        "../../../bin/activate.fish",
        "../../../lib64",
        "../../../lib64/../pyvenv.cfg",
        "../../../.virtpy/state.json",
        "../../../.virtpy",
        "../../../bin",
        "../../../.gitignore",
        "_virtpy.pth",
        "liar/../_virtpy.pth",
    ];
    let (context, _index) = scene_with_foreign(&own.map(|row| format!("{row},,\n")).concat());
    assert_only_its_own_goes(&context, "the venv itself");
}

#[test]
fn a_record_that_names_anothers_files_removes_none_of_them() {
    let others = [
        "demo",
        "demo/__init__.py",
        "demo/part.py",
        "demo-1.0.dist-info/RECORD",
        "demo-1.0.dist-info/METADATA",
        "demo-1.0.dist-info/INSTALLER",
        "demo-1.0.dist-info",
        "../../../bin/demo-tool",
    ];
    let (context, _index) = scene_with_foreign(&others.map(|row| format!("{row},,\n")).concat());
    assert_only_its_own_goes(&context, "another distribution");
}

#[test]
fn a_record_that_is_no_table_stops_the_removal() {
    for record in ["\"liar", "a,b,c,d\n", ",,\n", "liar/__init__.py,,-1\n"] {
        let (context, _index) = scene_with_foreign("");
        let site = context.site_packages(".venv");
        context.write(&format!("{site}/liar-1.0.dist-info/RECORD"), record);
        let before = context.venv_tree(".venv");
        context.virtpy(["remove", "liar"]).one_error().stderr_has("RECORD");
        before.assert_unchanged(&context.venv_tree(".venv"), record);
    }
}

#[test]
fn metadata_that_is_a_link_leads_no_removal_outside() {
    let (context, _index) = scene_with_foreign("");
    let site = context.site_packages(".venv");
    let folder = context.path(&format!("{site}/liar-1.0.dist-info"));
    let elsewhere = context.path("elsewhere");
    std::fs::rename(&folder, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &folder).unwrap();
    let before = Tree::of(&elsewhere);
    let output = context.virtpy(["remove", "liar"]);
    before.assert_unchanged(&Tree::of(&elsewhere), &output.dump());
}

/// Whoever reads a lock looks at the names of the packages.
#[test]
fn a_lock_that_brings_one_package_under_anothers_name_is_refused() {
    let context = TestContext::new();
    let evil = WheelBuilder::new("evil", "1.0").build();
    let path = evil.write_to(&context.path("wheels"));
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    let sha256 = evil.sha256();
    let pylock = format!(
        "lock-version = '1.0'\ncreated-by = 'x'\n[[packages]]\nname = 'demo'\nversion = '1.0'\n\
         wheels = [{{ name = '{file}', path = 'wheels/{file}', hashes = {{ sha256 = '{sha256}' }} }}]\n"
    );
    let uv_lock = format!(
        "version = 1\nrequires-python = '>=3.8'\n[[package]]\nname = 'demo'\nversion = '1.0'\nsource = {{ registry = \
         'wheels' }}\nwheels = [{{ path = '{file}', hash = 'sha256:{sha256}' }}]\n[[package]]\nname = 'app'\n\
         version = '1'\nsource = {{ virtual = '.' }}\ndependencies = [{{ name = 'demo' }}]\n"
    );
    context.write(
        "pyproject.toml",
        "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.8'\ndependencies = ['demo']\n",
    );
    context.new_venv();
    for (name, text) in [("pylock.toml", pylock), ("uv.lock", uv_lock)] {
        context.write(name, &text);
        let before = context.venv_tree(".venv");
        let refused = context.virtpy(["sync", "--frozen", "--no-index", name]).failure(1);
        refused.stderr_has("lists a file of evil under another package's name");
        before.assert_unchanged(&context.venv_tree(".venv"), name);
        // The same under its own name is fine.
        context.write(name, &text.replace("'demo'", "'evil'"));
        context.virtpy(["sync", "--frozen", "--no-index", name]).success();
        context.virtpy(["remove", "--no-save", "evil"]).success();
    }
}
