//! Wheels that mean harm: nothing outside the venv and the store is ever written, and nothing of the venv's own is
//! replaced.

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
    assert_refused(&demo().data("scripts", "python", "#!/bin/sh\necho evil\n"));
    assert_refused(&demo().data("scripts", "activate", "echo evil\n"));
}

#[test]
fn entry_points_with_hostile_names_are_refused() {
    let names = ["../evil", "../../evil", "/evil", "sub/evil", "..", ".", "python", "python3", "activate"];
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

/// Wheels with such a RECORD are published, and every installer takes them: what counts is what the archive holds.
#[test]
fn a_record_with_too_few_or_too_many_rows_is_mended_and_told() {
    let defects = [
        (Defect::Unlisted("demo/__init__.py".to_owned()), "RECORD does not list `demo/__init__.py`"),
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

#[test]
fn metadata_that_is_missing_or_lies_is_refused() {
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
