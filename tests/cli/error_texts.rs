//! What people are told when something goes wrong, word by word: the errors that are met most. Each session is compared with
//! its snapshot in `snapshots/`. That nothing is changed by a failure is tested in `errors` and its like.

use crate::support::transcript::{Transcript, context_with};
use crate::support::{Artifact, Defect, Fault, Index, SdistBuilder, TestContext, WheelBuilder};

use super::python_install::Mirror;

fn demo() -> WheelBuilder {
    WheelBuilder::new("demo", "1.0")
}

const DEMO: &str = "demo-1.0-py3-none-any.whl";

/// A venv, and an index with these files.
fn scene(artifacts: &[Artifact]) -> (TestContext, Index) {
    let index = Index::start(artifacts);
    let context = context_with(&index);
    context.new_venv();
    (context, index)
}

#[test]
fn of_requirements_that_cannot_be_met() {
    let (context, index) = scene(&[
        demo().build(),
        WheelBuilder::new("left", "1.0").requires("shared<2").build(),
        WheelBuilder::new("right", "1.0").requires("shared>=2").build(),
        WheelBuilder::new("shared", "1.0").build(),
        WheelBuilder::new("shared", "2.0").build(),
        WheelBuilder::new("needy", "1.0").requires("no-such-thing").build(),
        WheelBuilder::new("strict", "1.0").requires("demo>=2").build(),
        WheelBuilder::new("future", "1.0").requires_python(">=4.0").build(),
        WheelBuilder::new("windows", "1.0").tag("cp311-cp311-win_amd64").build(),
        WheelBuilder::new("withdrawn", "1.0").build(),
        WheelBuilder::new("early", "1.0b1").build(),
    ]);
    index.yank("withdrawn-1.0-py3-none-any.whl", "it eats files");
    Transcript::of(&context)
        .run("add demo>=2")
        .run("add no-such-thing")
        .run("add needy")
        .run("add left right")
        .run("add demo -q")
        .run("add strict demo<2")
        .run("add demo 2.31")
        .run("add demo==2.31")
        .run("add dmeo")
        .run("add -v demo>=2")
        .run("add future")
        .run("add windows")
        .run("add withdrawn")
        .run("add early<1")
        .run("add --offline shared")
        .run("add demo[absent]")
        .compare("errors_requirements");
}

#[test]
fn of_words_that_are_no_requirements() {
    let (context, _index) = scene(&[demo().build()]);
    context.write("broken.txt", "demo\n==nonsense\n");
    context.write("option.txt", "--no-such-option\ndemo\n");
    context.write("hashed.txt", &format!("demo==1.0 --hash=sha256:{}\n", "0".repeat(64)));
    context.write("folder/readme", "");
    Transcript::of(&context)
        .run("add demo=1")
        .run("add ==1.0")
        .run("add demo[")
        .run("add -r absent.txt")
        .run("add absent.txt")
        .run("add -r broken.txt")
        .run("add -r option.txt")
        .run("add -r hashed.txt")
        .run("add --require-hashes demo")
        .run("add ./folder")
        .run("add ./absent-1.0-py3-none-any.whl")
        .run("add git+file:///no/such/repository")
        .compare("errors_words");
}

#[test]
fn of_indexes_that_do_not_answer() {
    let (context, index) = scene(&[demo().build(), WheelBuilder::new("down", "1.0").build()]);
    index.page_fault("down", Fault::Status(500, usize::MAX));
    let mut transcript = Transcript::of(&context);
    transcript.run("add down").run("add --index-url http://127.0.0.1:9/simple/ demo");
    transcript.run("add --index-url ftp://example/simple demo");
    index.fault(DEMO, Fault::Status(404, usize::MAX));
    transcript.run("add demo");
    index.require_credentials("me:secret");
    transcript.run("add down demo").compare("errors_indexes");
}

#[test]
fn of_archives_that_are_broken() {
    let module = || "demo/__init__.py".to_owned();
    let defects = [
        Defect::Truncated,
        Defect::NotAnArchive,
        Defect::NoRecord,
        Defect::NoMetadata,
        Defect::WrongRecordHash(module()),
        Defect::FlippedByte(module()),
        Defect::Unlisted(module()),
        Defect::OtherName("other".to_owned()),
        Defect::FutureFormat,
    ];
    let (context, index) = scene(&[demo().build()]);
    index.state_sha256(DEMO, Some(&"0".repeat(64)));
    let mut transcript = Transcript::of(&context);
    transcript.run("add demo");
    for (number, defect) in defects.into_iter().enumerate() {
        let artifact = demo().defect(defect).build();
        let folder = format!("wheels{number}");
        artifact.write_to(&context.path(&folder));
        transcript.run(&format!("add ./{folder}/{}", artifact.file_name));
    }
    transcript.compare("errors_archives");
}

#[test]
fn of_sources_that_do_not_build() {
    let (context, index) = scene(&[]);
    index.add(&SdistBuilder::new("broken", "1.0").failing("the compiler is missing").build());
    Transcript::of(&context).run("add broken").run("add --only-binary :all: broken").compare("errors_builds");
}

#[test]
fn of_venvs_that_are_not_as_they_should_be() {
    let (mut context, _index) = scene(&[demo().build()]);
    std::fs::create_dir(context.path("plain-folder")).unwrap();
    context.write("foreign/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.0\n");
    context.write("full/file", "");
    let mut transcript = Transcript::of(&context);
    transcript
        .run("new")
        .run("new full")
        .run("list --venv absent")
        .run("add --venv plain-folder demo")
        .run("add --venv foreign demo")
        .run("remove demo")
        .run("add demo -q");
    let site_packages = context.path(&context.site_packages(".venv"));
    let record = site_packages.join("demo-1.0.dist-info/RECORD");
    std::fs::remove_file(&record).unwrap();
    transcript.run("check").run("add demo --force -q");
    std::fs::write(site_packages.join("left.py"), "somebody's own\n").unwrap();
    let clashing = WheelBuilder::empty("clashing", "1.0").file("left.py", "").build();
    clashing.write_to(&context.path("wheels"));
    transcript.run("add ./wheels/clashing-1.0-py3-none-any.whl");
    for link in ["python", "python3", &format!("python{}", context.interpreter().short())] {
        let link = context.path(".venv/bin").join(link);
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("/no/such/python", &link).unwrap();
    }
    transcript.run("check").run("add clashing");
    let text = transcript.text().to_owned();
    context.set("VIRTUAL_ENV", "/nonexist");
    let mut transcript = Transcript::continued(&context, text);
    transcript.run("list").compare("errors_venvs");
}

#[test]
fn of_stores_that_are_not_there() {
    let (mut context, _index) = scene(&[demo().build()]);
    context.virtpy(["add", "demo"]).success();
    let store = context.store();
    std::fs::rename(&store, context.path("moved-store")).unwrap();
    let mut transcript = Transcript::of(&context);
    transcript.run("list").run("check").run("add demo").run("store verify");
    let text = transcript.text().to_owned();
    std::fs::remove_dir_all(&store).unwrap();
    std::fs::rename(context.path("moved-store"), &store).unwrap();
    context.set("VIRTPY_HOME", context.write("a-file", ""));
    let mut transcript = Transcript::continued(&context, text);
    transcript.run("new two").run("list").run("store gc").compare("errors_stores");
}

#[test]
fn of_interpreters() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let version = mirror.version(90);
    mirror.offer_as(&version, "/damaged.tar.gz", b"not an archive".to_vec(), Some(&"0".repeat(64)));
    let older = mirror.version(91);
    mirror.offer(&older, "/broken.tar.gz", b"not an archive".to_vec());
    Transcript::of(&context)
        .run("new -p 3.99")
        .run("new -p python3.7")
        .run("new -p /bin/ls")
        .run("new -p nonsense!")
        .run(&format!("python install {version}"))
        .run(&format!("python install {older}"))
        .run("python install 2.7")
        .run("python uninstall 3.99")
        .run("python find 3.99")
        .compare("errors_interpreters");
}

#[test]
fn of_applications() {
    let (context, index) = scene(&[
        demo().console_script("demo").build(),
        WheelBuilder::new("rival", "1.0").console_script("demo").build(),
        WheelBuilder::new("library", "1.0").build(),
    ]);
    let mut transcript = Transcript::of(&context);
    transcript
        .run("install library")
        .run("install absent")
        .run("install demo -q")
        .run("install rival")
        .run("uninstall absent")
        .run("upgrade absent")
        .run("inject absent library")
        .run("pin demo");
    index.add(&WheelBuilder::new("demo", "2.0").console_script("demo").build());
    transcript.run("install demo>=2").run("tool run absent").compare("errors_applications");
}

#[test]
fn of_locks_and_projects() {
    let (context, _index) = scene(&[demo().build()]);
    let mut transcript = Transcript::of(&context);
    transcript.run("sync").run("sync absent.toml").run("lock").run("poetry-install");
    context.write("pylock.toml", "lock-version = \"9.0\"\npackages = []\n");
    transcript.run("sync");
    context.write("pylock.toml", "lock-version = \"1.0\"\ncreated-by = \"x\"\npackages = [\n");
    transcript.run("sync");
    context.write(
        "pylock.toml",
        "lock-version = \"1.0\"\ncreated-by = \"x\"\nrequires-python = \">=4\"\npackages = []\n",
    );
    transcript.run("sync").run("sync --group absent");
    context.write("poetry.lock", "[metadata]\nlock-version = \"9.0\"\n");
    context.write("pyproject.toml", "[project]\nname = \"app\"\nversion = \"1.0\"\n");
    transcript.run("poetry-install").run("poetry enable ./poetry").compare("errors_locks");
}

#[test]
fn of_settings_and_command_lines() {
    let (context, _index) = scene(&[demo().build()]);
    let mut transcript = Transcript::of(&context);
    transcript
        .run("frobnicate")
        .run("instal black")
        .run("add --frobnicate")
        .run("remove")
        .run("path nowhere")
        .run("store gc --max-age soon");
    std::fs::create_dir_all(context.home().join(".config/virtpy")).unwrap();
    std::fs::write(context.home().join(".config/virtpy/config.toml"), "link-mode = \"sideways\"\n").unwrap();
    transcript.run("new two");
    std::fs::write(context.home().join(".config/virtpy/config.toml"), "link-mode = \n").unwrap();
    transcript.run("new two").compare("errors_settings");
}
