//! What goes wrong is told in one clear error with exit code 1, and neither the venv nor the store changes.

use crate::support::{Artifact, Defect, Fault, Index, Output, TestContext, Tree, WheelBuilder};

/// A venv with a good distribution in it, whose state is compared after each failure.
struct Scene {
    context: TestContext,
    index: Index,
    venv: Tree,
    store: Tree,
}

impl Scene {
    fn new(artifacts: &[Artifact]) -> Self {
        let context = TestContext::new();
        let index = Index::start(artifacts);
        index.add(&WheelBuilder::new("good", "1.0").build());
        index.add(&WheelBuilder::new("second", "1.0").build());
        context.new_venv();
        context.add(&index, &["good"]).success();
        let (venv, store) = (Tree::of(&context.path(".venv")), context.store_tree());
        Self { context, index, venv, store }
    }

    /// Runs `add`, which must fail in one error that names `words`, and changes nothing; after it, another succeeds.
    #[track_caller]
    fn fails(&self, arguments: &[&str], words: &[&str]) -> Output {
        let mut output = self.context.add(&self.index, arguments).one_error();
        for word in words {
            output = output.stderr_has(word);
        }
        self.venv.assert_unchanged(&Tree::of(&self.context.path(".venv")), "the venv");
        self.store.assert_unchanged(&self.context.store_tree(), "the store");
        self.context.assert_no_leftovers();
        output
    }

    #[track_caller]
    fn still_works(&self) {
        self.context.add(&self.index, &["second"]).success().stdout_is(" + second 1.0\n");
        self.context.virtpy(["check"]).success();
    }
}

fn demo() -> WheelBuilder {
    WheelBuilder::new("demo", "1.0")
}

const DEMO: &str = "demo-1.0-py3-none-any.whl";

#[test]
fn a_version_that_does_not_exist() {
    let scene = Scene::new(&[demo().build()]);
    scene.fails(&["demo>=2"], &["demo", "2"]);
    scene.still_works();
}

#[test]
fn requirements_that_contradict_each_other() {
    let scene = Scene::new(&[
        WheelBuilder::new("left", "1.0").requires("shared<2").build(),
        WheelBuilder::new("right", "1.0").requires("shared>=2").build(),
        WheelBuilder::new("shared", "1.0").build(),
        WheelBuilder::new("shared", "2.0").build(),
    ]);
    scene.fails(&["left", "right"], &["left", "right", "shared"]);
    scene.still_works();
}

#[test]
fn a_requirement_that_contradicts_what_is_installed() {
    let scene = Scene::new(&[demo().requires("good>=2").build()]);
    scene.fails(&["demo"], &["demo", "good"]);
}

#[test]
fn a_name_that_the_index_does_not_know() {
    let scene = Scene::new(&[]);
    scene.fails(&["no-such-thing"], &["no-such-thing"]);
    scene.still_works();
}

#[test]
fn a_dependency_that_the_index_does_not_know() {
    let scene = Scene::new(&[demo().requires("no-such-thing").build()]);
    scene.fails(&["demo"], &["no-such-thing"]);
}

#[test]
fn only_yanked_versions() {
    let scene = Scene::new(&[demo().build()]);
    scene.index.yank(DEMO, "it eats files");
    scene.fails(&["demo"], &["demo", "yanked"]);
    scene.still_works();
}

#[test]
fn no_wheel_for_this_platform_and_no_source() {
    let scene =
        Scene::new(&[demo().tag("cp311-cp311-win_amd64").build(), demo().tag("cp27-none-any").build()]);
    scene.fails(&["demo"], &["demo"]);
    scene.still_works();
}

#[test]
fn a_python_that_is_too_old() {
    let scene = Scene::new(&[demo().requires_python(">=4.0").build()]);
    scene.fails(&["demo"], &["demo", "Python"]);
}

#[test]
fn a_wheel_with_another_hash_than_the_index_names() {
    let scene = Scene::new(&[demo().build()]);
    scene.index.state_sha256(DEMO, Some(&"0".repeat(64)));
    scene.fails(&["demo"], &["demo", "hash"]);
    scene.still_works();
}

#[test]
fn other_bytes_than_the_index_promised() {
    let scene = Scene::new(&[demo().build()]);
    let other = demo().file("demo/extra.py", "evil = True\n").build();
    scene.index.fault(DEMO, Fault::OtherBytes(other.bytes));
    scene.fails(&["demo"], &["demo", "hash"]);
    let mut same_size = demo().build().bytes;
    let middle = same_size.len() / 2;
    same_size[middle] ^= 1;
    scene.index.fault(DEMO, Fault::OtherBytes(same_size));
    scene.fails(&["demo"], &["demo", "hash"]);
}

#[test]
fn a_download_that_ends_early() {
    let big = demo().file("demo/big.txt", &"0123456789 ".repeat(5000)).build();
    let scene = Scene::new(&[big]);
    scene.index.fault(DEMO, Fault::Shortened(50));
    scene.fails(&["demo"], &["demo"]);
    scene.index.fault(DEMO, Fault::HangUpAfter(50));
    scene.fails(&["demo"], &["demo"]);
    scene.still_works();
}

#[test]
fn archives_that_are_broken_in_themselves() {
    let module = || "demo/__init__.py".to_owned();
    let defects = [
        Defect::Truncated,
        Defect::NotAnArchive,
        Defect::NoMetadata,
        Defect::NoRecord,
        Defect::WrongRecordHash(module()),
        Defect::FlippedByte(module()),
    ];
    for defect in defects {
        let scene = Scene::new(&[demo().defect(defect).build()]);
        scene.fails(&["--no-deps", "demo"], &["demo"]);
    }
}

#[test]
fn one_broken_wheel_among_good_ones_changes_nothing_in_the_venv() {
    let scene = Scene::new(&[
        demo().requires("broken").requires("second").build(),
        WheelBuilder::new("broken", "1.0")
            .defect(Defect::WrongRecordHash("broken/__init__.py".to_owned()))
            .build(),
    ]);
    scene.context.add(&scene.index, &["demo"]).one_error().stderr_has("broken");
    scene.venv.assert_unchanged(&Tree::of(&scene.context.path(".venv")), "the venv");
    scene.context.assert_no_leftovers();
    scene.still_works();
}

#[test]
fn a_file_that_is_gone_from_the_index() {
    let scene = Scene::new(&[demo().build()]);
    scene.index.fault(DEMO, Fault::Status(404, usize::MAX));
    scene.fails(&["demo"], &["demo", "404"]);
    scene.still_works();
}

#[test]
fn an_index_that_is_down() {
    let scene = Scene::new(&[demo().build()]);
    scene.index.page_fault("demo", Fault::Status(500, usize::MAX));
    scene.fails(&["demo"], &["demo"]);
    let nobody = "http://127.0.0.1:9/simple/";
    scene.context.virtpy(["add", "--index-url", nobody, "demo"]).one_error().stderr_has("127.0.0.1:9");
}

#[test]
fn requirements_that_are_no_requirements() {
    let scene = Scene::new(&[]);
    for spec in ["demo=1", "==1.0", "demo >= ", "de mo", "demo[", "demo ; nonsense == 1"] {
        let output = scene.context.add(&scene.index, &["--", spec]);
        let output = if output.code == Some(2) { output.failure(2) } else { output.one_error() };
        assert!(output.raw_stderr.contains(spec.trim()), "{}", output.dump());
        scene.venv.assert_unchanged(&Tree::of(&scene.context.path(".venv")), "the venv");
    }
}

#[test]
fn a_requirements_file_that_is_not_there_or_is_broken() {
    let scene = Scene::new(&[]);
    scene.fails(&["-r", "absent.txt"], &["absent.txt"]);
    scene.fails(&["absent.txt"], &["absent.txt"]);
    scene.fails(&["-c", "absent.txt", "second"], &["absent.txt"]);
    scene.context.write("broken.txt", "good\n==nonsense\n");
    scene.fails(&["-r", "broken.txt"], &["broken.txt"]);
}

#[test]
fn no_venv_is_told_with_a_hint() {
    let context = TestContext::new();
    for arguments in
        [vec!["add", "demo"], vec!["list"], vec!["freeze"], vec!["check"], vec!["remove", "demo"]]
    {
        context.virtpy(&arguments).one_error().stderr_has("hint: ").stderr_has("virtpy new");
    }
    std::fs::create_dir(context.path("plain-folder")).unwrap();
    context.virtpy(["add", "--venv", "plain-folder", "demo"]).one_error().stderr_has("plain-folder");
    context.virtpy(["list", "--venv", "absent"]).one_error().stderr_has("absent");
}

#[test]
fn a_venv_whose_interpreter_is_gone_is_told() {
    let scene = Scene::new(&[demo().build()]);
    let short = scene.context.interpreter().short();
    for name in ["python".to_owned(), "python3".to_owned(), format!("python{short}")] {
        let link = scene.context.path(".venv/bin").join(name);
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("/no/such/python", &link).unwrap();
    }
    let config = scene.context.read(".venv/pyvenv.cfg");
    let changed: String = config
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("home", _)) => "home = /no/such\n".to_owned(),
            Some(("executable", _)) => "executable = /no/such/python\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    scene.context.write(".venv/pyvenv.cfg", &changed);
    scene.context.add(&scene.index, &["demo"]).one_error().stderr_has("/no/such");
}

#[test]
fn usage_errors_end_with_two() {
    let context = TestContext::new();
    for arguments in
        [vec!["frobnicate"], vec!["new", "--frobnicate"], vec!["remove"], vec!["path", "nowhere"]]
    {
        context.virtpy(&arguments).failure(2);
    }
    context.virtpy(["--help"]).success().stdout_has("add");
    context.virtpy(["--version"]).success().stdout_has("virtpy ");
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let scene = Scene::new(&[]);
    let program = env!("CARGO_BIN_EXE_virtpy");
    let mut command = scene.context.command("/bin/sh");
    command.args(["-c", &format!("'{program}' list | true; '{program}' --help | true")]);
    scene.context.run(&mut command).success().stderr_lacks("panicked");
}

#[test]
fn data_that_cannot_be_written_is_an_error_and_a_reader_that_is_gone_is_none() {
    let context = TestContext::new();
    context.new_venv();
    for command in [&["list-all"][..], &["freeze", "--json"], &["help"], &["store", "stats", "--json"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = context.virtpy_command(command).stdout(full).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {told}");
        assert!(told.contains("error: the standard output could not be written"), "{command:?}: {told}");
    }
    let script = format!("{} list --json | true", env!("CARGO_BIN_EXE_virtpy"));
    context.run(context.command("sh").args(["-ec", &script])).success();
}

#[test]
fn a_hash_that_is_none_is_told_with_its_file_and_the_case_of_digits_does_not_count() {
    let scene = Scene::new(&[demo().build()]);
    let context = &scene.context;
    let (state, hash) = (".venv/.virtpy/state.json", WheelBuilder::new("good", "1.0").build().sha256());
    let text = context.read(state);
    assert!(text.contains(&hash), "{text}");
    context.write(state, &text.replace(&hash, &hash.to_ascii_uppercase()));
    context.virtpy(["check"]).success();
    assert!(context.virtpy(["list"]).success().raw_stdout.contains("good"));
    context.write(state, &text.replace(&hash, &hash[1..]));
    let told = "is not a SHA-256: it has to be 64 hexadecimal digits";
    context.virtpy(["list"]).one_error().stderr_has("state.json").stderr_has(&hash[1..]).stderr_has(told);
    // It is not known what it uses.
    let kept = context.virtpy(["store", "gc", "--remove", "--grace", "0s"]);
    kept.failure(1).stderr_has("nothing was removed");
    context.write(state, &text);
    scene.still_works();
}
