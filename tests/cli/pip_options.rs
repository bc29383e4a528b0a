//! Each option of pip's that is taken is carried out, handed to a real pip, or refused.

use std::collections::BTreeSet;

use crate::pip_shim::scene as empty_scene;
use crate::support::{Index, Output, SdistBuilder, TestContext, Tree, WheelBuilder};

fn scene() -> (TestContext, Index) {
    let index = Index::start(&[
        WheelBuilder::new("base", "1.0").build(),
        WheelBuilder::new("base", "2.0").build(),
        WheelBuilder::new("base", "3.0rc1").build(),
        WheelBuilder::new("user", "1.0").requires("base<2").requires("more ; extra == 'x'").build(),
        WheelBuilder::new("more", "1.0").requires("base").build(),
        WheelBuilder::new("both", "1.0").requires("absent").requires("more").build(),
        WheelBuilder::new("mixed", "1.0").build(),
        SdistBuilder::new("mixed", "2.0").build(),
    ]);
    let mut context = empty_scene();
    context.set("PIP_INDEX_URL", index.url());
    (context, index)
}

fn pip(context: &TestContext, line: &str) -> Output {
    let words: Vec<&str> = line.split_whitespace().collect();
    context.script(".venv", "pip", &words)
}

fn stdout(context: &TestContext, line: &str) -> String {
    pip(context, line).success().stdout()
}

#[test]
fn a_log_has_what_was_told_and_what_was_not() {
    let (context, _index) = scene();
    assert_eq!(stdout(&context, "install -q --log pip.log base==1.0"), "");
    pip(&context, "install --log pip.log absent").failure(1);
    let log = context.read("pip.log");
    for text in [
        "Z pip install -q --log pip.log base==1.0\n",
        "Z Successfully installed base-1.0\n",
        "Z ERROR: No matching distribution found for absent\n",
    ] {
        assert!(log.contains(text), "{text}: {log}");
    }
    assert!(log.lines().all(|line| line.starts_with("20") && line[..20].ends_with('Z')), "{log}");
    pip(&context, "install --log no/such/pip.log user").failure(1).stderr_has("pip.log");
    assert_eq!(stdout(&context, "freeze"), "base==1.0\n");
}

#[test]
fn groups_and_scripts_say_what_is_needed() {
    let (context, _index) = scene();
    context.write(
        "pyproject.toml",
        "[dependency-groups]\ntest = [\"base<2\", {include-group = \"more\"}]\nmore = [\"more\"]\nempty = []\n",
    );
    stdout(&context, "install --group empty");
    let told = stdout(&context, "install --group test");
    assert!(told.ends_with("Successfully installed base-1.0 more-1.0\n"), "{told}");
    pip(&context, "install --group nope")
        .failure(1)
        .stderr_has("[dependency-groups] resolution failed for 'nope' from 'pyproject.toml'");
    context.write(
        "script.py",
        "# /// script\n# dependencies = [\"user\"]\n# requires-python = \">=3\"\n# ///\n",
    );
    let told = stdout(&context, "install --requirements-from-script script.py");
    assert!(told.ends_with("Successfully installed user-1.0\n"), "{told}");
    context.write(
        "other.py",
        "# /// script\n# dependencies = [\"mixed\"]\n# requires-python = \">=4\"\n# ///\n",
    );
    pip(&context, "install --requirements-from-script other.py")
        .failure(1)
        .stderr_has("requires a different Python");
}

#[test]
fn what_cannot_be_done_is_refused() {
    let (context, _index) = scene();
    let before = Tree::of(&context.path(".venv"));
    for (option, why) in [
        ("--no-clean", "`--no-clean` is not supported"),
        ("--ignore-requires-python", "`virtpy new --python VERSION`"),
        ("--global-option=x", "`--global-option` is not supported"),
        ("--check-build-dependencies", "`--check-build-dependencies` is not supported"),
        ("--no-proxy-env", "`--no-proxy-env` is not supported"),
        ("--refresh-package=base", "`--refresh-package` is not supported"),
        ("--use-deprecated=legacy-resolver", "`--use-deprecated=legacy-resolver` is not supported"),
        ("--pre --only-final=base", "--pre cannot be used with --all-releases or --only-final."),
        ("--platform=any", "Can not use any platform or abi specific options"),
        ("--python-version=3.9", "Can not use any platform or abi specific options"),
    ] {
        pip(&context, &format!("install {option} base")).failure(1).stderr_has(why);
    }
    before.assert_unchanged(&Tree::of(&context.path(".venv")), "the venv");
}

#[test]
fn files_of_one_kind_are_taken_or_preferred() {
    let (context, _index) = scene();
    let told = stdout(&context, "install --prefer-binary mixed");
    assert!(told.ends_with("Successfully installed mixed-1.0\n"), "{told}");
    stdout(&context, "install base==1.0");
    let outdated =
        |options: &str| stdout(&context, &format!("list --outdated --format=json --exclude base {options}"));
    assert!(
        outdated("").contains("\"latest_version\": \"2.0\", \"latest_filetype\": \"sdist\""),
        "{}",
        outdated("")
    );
    for options in ["--only-binary=:all:", "--only-binary mixed", "--prefer-binary"] {
        assert_eq!(outdated(options), "[]\n", "{options}");
    }
    let outdated = |options: &str| stdout(&context, &format!("list --outdated --exclude mixed {options}"));
    for (options, latest) in [
        ("", "2.0"),
        ("--pre", "3.0rc1"),
        ("--all-releases base", "3.0rc1"),
        ("--all-releases other,Base", "3.0rc1"),
        ("--all-releases :all: --only-final base", "2.0"),
        ("--all-releases=base --only-final :all:", "3.0rc1"),
    ] {
        assert!(
            outdated(options).contains(&format!("base    1.0     {latest} ")),
            "{options}: {}",
            outdated(options)
        );
    }
}

#[test]
fn failures_have_the_lines_that_tools_look_for() {
    let (context, _index) = scene();
    for (line, told) in [
        (
            "install base>9",
            &[
                "ERROR: Could not find a version that satisfies the requirement base>9\n",
                "ERROR: No matching distribution found for base>9\n",
            ][..],
        ),
        ("install nope", &["ERROR: No matching distribution found for nope\n"]),
        (
            "install user base>=2",
            &[
                "ERROR: Cannot install user and base>=2 because these package versions have conflicting dependencies.\n",
                "ERROR: ResolutionImpossible: ",
            ],
        ),
    ] {
        let output = pip(&context, line).failure(1);
        for text in told {
            assert!(output.raw_stderr.contains(text), "{line}: {}", output.dump());
        }
    }
    pip(&context, "install base[nope]").success().stderr_has("base 2.0 does not provide the extra 'nope'");
}

#[test]
fn what_an_upgrade_breaks_is_told_unless_it_is_not_wanted() {
    let (context, _index) = scene();
    stdout(&context, "install user");
    let output = pip(&context, "install base==2.0").success();
    let told = "user 1.0 requires base<2, but you have base 2.0 which is incompatible.\n";
    assert!(output.raw_stderr.ends_with(told), "{}", output.dump());
    stdout(&context, "install base==1.0");
    let output = pip(&context, "install --no-warn-conflicts base==2.0").success();
    assert_eq!(output.raw_stderr, "");
    // All that is wrong with what requires it, and nothing of others.
    stdout(&context, "uninstall -y base more");
    stdout(&context, "install --no-deps user");
    let output = pip(&context, "install mixed==1.0").success();
    assert_eq!(output.raw_stderr, "");
    stdout(&context, "install --no-deps both");
    let output = pip(&context, "install more").success();
    let told: Vec<&str> = output.raw_stderr.lines().skip(1).collect();
    assert_eq!(
        told,
        [
            "both 1.0 requires absent, which is not installed.",
            "user 1.0 requires base<2, but you have base 2.0 which is incompatible."
        ]
    );
}

#[test]
fn what_comes_is_told_with_what_it_comes_for() {
    let (context, _index) = scene();
    let told = stdout(&context, "install user[x] nothing;python_version<'3'");
    assert!(
        told.ends_with(
            "Ignoring nothing: markers 'python_version<'3'' don't match your environment\n\
             Collecting user[x]\nCollecting base<2 (from user)\nCollecting more (from user[x])\n\
             Installing collected packages: base, more, user\nSuccessfully installed base-1.0 more-1.0 user-1.0\n"
        ),
        "{told}"
    );
    let listed = stdout(&context, "list --not-required --exclude user --format=freeze");
    assert_eq!(listed, "more==1.0\npip==26.3+virtpy\n", "what is left out requires things all the same");
}

#[test]
fn uninstall_takes_names_only() {
    let (context, _index) = scene();
    stdout(&context, "install base==1.0");
    let output = pip(&context, "uninstall -y ./base.zip base").success();
    assert!(
        output.raw_stderr.contains("WARNING: Invalid requirement: './base.zip' ignored"),
        "{}",
        output.dump()
    );
    assert_eq!(stdout(&context, "freeze"), "");
    pip(&context, "uninstall -y https://example.org/a.zip")
        .failure(1)
        .stderr_has("You must give at least one requirement to uninstall");
}

#[test]
fn freeze_tells_what_a_file_names_twice_and_each_option_once() {
    let (context, _index) = scene();
    stdout(&context, "install base==1.0");
    context.write("one.txt", "--pre\nBase\nNo.Such==1  # not there\n");
    context.write("two.txt", "# once\n--pre\nBase\n# once\n");
    let output = pip(&context, "freeze -r one.txt -r two.txt").success();
    assert_eq!(
        output.raw_stdout,
        "--pre\nbase==1.0\n# once\n## The following requirements were added by pip freeze:\n"
    );
    assert_eq!(
        output.raw_stderr,
        "WARNING: Requirement file [one.txt] contains No.Such==1, but package 'No.Such' is not installed\n\
         WARNING: Requirement Base included multiple times [one.txt, two.txt]\n"
    );
}

#[test]
fn freeze_reads_nothing_that_a_file_includes() {
    let (context, _index) = scene();
    stdout(&context, "install base==1.0");
    let lines = "-r gone.txt\n-c also-gone.txt\n--find-links http://127.0.0.1:1/x\n";
    context.write("hint.txt", &format!("{lines}base\n"));
    let output = pip(&context, "freeze -r hint.txt").success();
    let added = "## The following requirements were added by pip freeze:\n";
    assert_eq!(output.raw_stdout, format!("{lines}base==1.0\n{added}"));
}

#[test]
fn of_opposite_options_the_later_counts_and_files_come_last() {
    let (context, _index) = scene();
    context.write("final.txt", "--only-final base\nbase\n");
    context.write("all.txt", "--all-releases Base\nbase\n");
    context.write("source.txt", "--no-binary mixed\nmixed==2.0\n");
    for (options, comes) in [
        ("base", "base-2.0"),
        ("--all-releases base base", "base-3.0rc1"),
        ("--all-releases :all: --only-final base base", "base-2.0"),
        ("--only-final :all: --all-releases base base", "base-3.0rc1"),
        ("--all-releases base --only-final base base", "base-2.0"),
        ("--only-final base --all-releases :none: base", "base-2.0"),
        ("--all-releases base -r final.txt", "base-2.0"),
        ("--only-final :all: -r all.txt", "base-3.0rc1"),
        ("--no-binary mixed --only-binary mixed mixed", "mixed-1.0"),
        ("--only-binary mixed --no-binary mixed mixed", "mixed-2.0"),
        ("--only-binary :all: mixed", "mixed-1.0"),
        ("--only-binary mixed -r source.txt", "mixed-2.0"),
    ] {
        let output = pip(&context, &format!("install --dry-run {options}")).success();
        assert!(
            output.raw_stdout.ends_with(&format!("Would install {comes}\n")),
            "{options}: {}",
            output.dump()
        );
        assert_eq!(output.raw_stderr, "", "{options}");
    }
    pip(&context, "install --only-final base base==3.0rc1").failure(1).stderr_has("No matching distribution");
}

#[test]
fn build_settings_are_for_what_is_named() {
    let (context, _index) = scene();
    let log = context.path("settings.log");
    for name in ["named", "listed"] {
        let folder = SdistBuilder::new(name, "1.0").write_folder(&context.path(name));
        let backend = folder.join("backend.py");
        let recording = format!(
            "\n_plain = build_wheel\n\n\ndef build_wheel(folder, config_settings=None, metadata_directory=None):\n    \
             print({name:?}, config_settings or {{}}, file=open({log:?}, 'a'))\n    return _plain(folder)\n"
        );
        let text = std::fs::read_to_string(&backend).unwrap() + &recording;
        std::fs::write(backend, text).unwrap();
    }
    context.write("others.txt", "./listed\n");
    stdout(&context, "install -C key=value ./named -r others.txt");
    let seen: BTreeSet<String> = context.read("settings.log").lines().map(str::to_owned).collect();
    assert_eq!(Vec::from_iter(seen), ["listed {}", "named {'key': 'value'}"]);
}

#[test]
fn what_a_marker_leaves_out_is_not_looked_at() {
    let (context, _index) = scene();
    context.write("other.txt", "./some-1.0-cp27-none-xyz.whl ; sys_platform == 'xyz'\nbase\n");
    context.write("some-1.0-cp27-none-xyz.whl", "");
    assert!(stdout(&context, "install -r other.txt").ends_with("Successfully installed base-2.0\n"));
}

#[test]
fn of_several_indexes_the_best_version_counts_unless_another_order_is_set() {
    let (mut context, _index) = scene();
    let extra = Index::start(&[WheelBuilder::new("base", "1.5").build()]);
    context.set("PIP_EXTRA_INDEX_URL", extra.url());
    let told = stdout(&context, "install base");
    assert!(told.ends_with("Successfully installed base-2.0\n"), "{told}");
    context.set("UV_INDEX_STRATEGY", "first-index");
    let told = stdout(&context, "install --force-reinstall base");
    assert!(told.ends_with("Successfully installed base-1.5\n"), "the extra index is the first: {told}");
}

#[test]
fn a_requirement_that_cannot_be_read_is_told_by_check() {
    let (context, _index) = scene();
    let folder = format!("{}/broken-1.0.0.RC1.dist-info", context.site_packages(".venv"));
    std::fs::create_dir_all(context.path(&folder)).unwrap();
    let metadata = "Metadata-Version: 2.1\nName: broken\nVersion: 1.0.0.RC1\nRequires-Dist: x; a;b\n";
    context.write(&format!("{folder}/METADATA"), metadata);
    let output = pip(&context, "check").failure(1);
    assert!(output.raw_stderr.contains("Error parsing dependencies of broken: "), "{}", output.dump());
    let listed = stdout(&context, "list --format=freeze --exclude pip");
    assert_eq!(listed, "broken==1.0.0rc1\n", "as PEP 440 writes it");
}

#[test]
fn what_is_required_comes_without_who_requires_it() {
    let (context, _index) = scene();
    let told = stdout(&context, "install --only-deps user[x]");
    assert!(told.ends_with("Successfully installed base-1.0 more-1.0\n"), "{told}");
    assert_eq!(stdout(&context, "freeze"), "base==1.0\nmore==1.0\n");
    pip(&context, "install --only-deps --no-deps user").failure(2).stderr_has("--only-deps and --no-deps");
}

#[test]
fn empty_words_ask_for_nothing_and_pip_is_there_already() {
    let (context, _index) = scene();
    let output = context.script(".venv", "pip", &["install", "", "base"]).success();
    assert!(output.raw_stdout.ends_with("Successfully installed base-2.0\n"), "{}", output.dump());
    let told = stdout(&context, "install -v pip");
    assert!(
        told.contains("Requirement already satisfied: pip in ")
            && told.contains("Using pip 26.3+virtpy from ")
    );
}

#[test]
fn what_nothing_can_be_built_from_is_told_first() {
    let (context, index) = scene();
    context.write("plain/readme.txt", "");
    context.write("with[x]/pyproject.toml", "");
    index.forget_requests();
    for (line, told) in [
        (
            "install base ./plain",
            "Directory './plain' is not installable. Neither 'setup.py' nor 'pyproject.toml' found.",
        ),
        ("install ./plain[x]", "Directory './plain[x]' is not installable."),
        ("install -e ./plain", "./plain does not appear to be a Python project: neither 'setup.py' nor"),
        ("install -e base==1.0", "base==1.0 is not a valid editable requirement"),
        (
            "install --requirements-from-script a.py --requirements-from-script b.py",
            "--requirements-from-script can only be given once",
        ),
    ] {
        pip(&context, line).failure(1).stderr_has(told);
    }
    assert_eq!(index.requests(), Vec::<String>::new());
    let told = pip(&context, "install ./with[x]").failure(1).stderr();
    assert!(!told.contains("not installable"), "{told}");
    assert_eq!(stdout(&context, "freeze"), "");
}
