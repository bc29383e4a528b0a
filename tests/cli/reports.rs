//! What commands report, word by word. Each test compares a whole session with its snapshot in `snapshots/`, so a report that
//! changes shows in a review, and one that is lost is noticed. What has to hold whatever the words are is tested beside it, in
//! the command's own module.

use crate::support::pythons::{pack, standalone};
use crate::support::transcript::{Transcript, context_with};
use crate::support::{Artifact, Index, SdistBuilder, TestContext, WheelBuilder};

use super::poetry_install;
use super::python_install::Mirror;

/// An application with a library that has two releases, and two distributions that have the same file.
fn wheels() -> Vec<Artifact> {
    let with_common = |name: &str| WheelBuilder::new(name, "1.0").file("common/same.py", name).build();
    vec![
        WheelBuilder::new("demo", "1.0")
            .requires("Helper>=1")
            .extra("fast", &["speedups"])
            .console_script("demo")
            .metadata_line("Home-page: https://demo.example")
            .build(),
        WheelBuilder::new("Helper", "1.0").build(),
        WheelBuilder::new("Helper", "2.0").build(),
        WheelBuilder::new("speedups", "1.0").build(),
        WheelBuilder::new("plugin", "1.0").requires("demo").console_script("plugin").build(),
        with_common("left"),
        with_common("right"),
        SdistBuilder::new("source", "1.0").build(),
    ]
}

/// A scene in which the first venv is made.
fn scene() -> (TestContext, Index) {
    let index = Index::start(&wheels());
    let context = context_with(&index);
    context.new_venv();
    (context, index)
}

#[test]
fn of_a_venv_that_is_made_and_filled() {
    let index = Index::start(&wheels());
    let context = context_with(&index);
    Transcript::of(&context)
        .run("new")
        .run("new other --prompt name -q")
        .run("list")
        .run("add --dry-run demo[fast] helper<2")
        .run("add demo[fast] helper<2")
        .run("add demo")
        .run("add -U --dry-run helper")
        .run("add -U --json helper")
        .run("add --venv other demo")
        .run("add source")
        .run("remove --dry-run speedups")
        .run("remove --json speedups source")
        .run("remove absent demo")
        .run("remove absent")
        .compare("new_add_remove");
}

#[test]
fn of_packages_that_have_the_same_file() {
    let (context, _index) = scene();
    Transcript::of(&context)
        .run("add left right")
        .run("list")
        .run("add left --force")
        .run("remove right")
        .compare("clashes");
}

#[test]
fn of_looking_at_a_venv() {
    let (context, _index) = scene();
    SdistBuilder::new("mine", "0.1").write_folder(&context.path("mine"));
    let mut transcript = Transcript::of(&context);
    transcript
        .run("add plugin helper<2")
        .run("add -e ./mine")
        .run("list")
        .run("list --json")
        .run("list --outdated")
        .run("freeze")
        .run("show demo")
        .run("show demo absent")
        .run("tree")
        .run("check");
    std::fs::remove_file(context.path(&context.site_packages(".venv")).join("demo")).unwrap();
    transcript
        .run("remove helper")
        .run("check")
        .run("check --json")
        .run("relink")
        .run("check")
        .run("list-all")
        .run("path bin")
        .compare("list_show_check");
}

#[test]
fn of_following_a_lock() {
    let (context, _index) = scene();
    context.write(
        "pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"1.0\"\nrequires-python = \">=3.8\"\ndependencies = [\"demo\"]\n\
         [project.optional-dependencies]\nfast = [\"speedups\"]\n[dependency-groups]\ndev = [\"left\"]\n",
    );
    let mut transcript = Transcript::of(&context);
    transcript
        .run("lock --no-project")
        .run("lock --no-project")
        .run("lock --no-project --check")
        .run("add right -q");
    transcript
        .run("sync --dry-run")
        .run("sync --extra fast --dry-run --json")
        .run("sync --extra fast")
        .run("sync --extra fast")
        .run("sync --inexact")
        .run("sync")
        .run("new second --from pylock.toml")
        .run("sync --extra absent");
    context.write("requirements.txt", "demo\nhelper<2\n");
    transcript.run("sync requirements.txt").compare("lock_sync");
}

#[test]
fn of_poetry_install() {
    let (mut context, index) = poetry_install::shop();
    context.set("PIP_INDEX_URL", index.url());
    index.add(&WheelBuilder::new("left", "1.0").build());
    let mut transcript = Transcript::of(&context);
    transcript
        .run("poetry-install --dry-run")
        .run("poetry-install --no-root --only main")
        .run("poetry-install")
        .run("poetry-install")
        .run("add left -q")
        .run("poetry-install --sync --with docs --json");
    let project = context.read("pyproject.toml").replace("rich>=13", "rich>=14");
    context.write("pyproject.toml", &project);
    transcript.run("poetry-install").compare("poetry_install");
}

#[test]
fn of_applications() {
    let index = Index::start(&wheels());
    index.pages_kept_for(0);
    let context = context_with(&index);
    let mut transcript = Transcript::of(&context);
    transcript
        .run("install demo")
        .run("install demo")
        .run("install demo helper")
        .run("tool list")
        .run("tool list --json")
        .run("inject demo speedups")
        .run("uninject demo speedups")
        .run("pin demo");
    index.add(&WheelBuilder::new("demo", "2.0").console_script("demo").console_script("demo-two").build());
    transcript
        .run("upgrade demo")
        .run("unpin demo")
        .run("tool list --outdated")
        .run("upgrade --all")
        .run("upgrade demo")
        .run("reinstall demo --json")
        .run("install plugin --with-apps --suffix -x")
        .run("tool run plugin a b")
        .run("uninstall demo")
        .run("uninstall --all")
        .run("tool list")
        .compare("applications");
}

#[test]
fn of_running_scripts() {
    let (context, _index) = scene();
    context.write(
        "script.py",
        "# /// script\n# dependencies = ['demo']\n# ///\nimport sys, demo\nprint(demo.__version__, sys.argv[1:])\n",
    );
    Transcript::of(&context)
        .run("run script.py a b")
        .run("run --with speedups -m speedups")
        .run("run absent.py")
        .run("run no-such-command")
        .compare("run");
}

#[test]
fn of_interpreters() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    let older = mirror.offer_pretender(&context, 90);
    let short = context.interpreter().short();
    let mut transcript = Transcript::of(&context);
    transcript
        .run("python update-index")
        .run(&format!("python install {short}"))
        .run(&format!("python install {older}"));
    mirror.offer_pretender(&context, 91);
    // An archive that is not what it says.
    let members = standalone(context.interpreter(), "3.1.1", "python");
    mirror.offer(&mirror.version(92), "/wrong.tar.gz", pack(&members, "tar.gz"));
    transcript
        .run(&format!("python install {}", mirror.version(92)))
        .run(&format!("python install {} --json", mirror.version(91)))
        .run(&format!("python update {short}"))
        .run("python list --only-installed")
        .run(&format!("python find {older}"))
        .run(&format!("python pin {short}"))
        .run(&format!("new -p {older}"))
        .run(&format!("python uninstall {older}"))
        .run(&format!("python uninstall {}", mirror.version(91)))
        .compare("python");
}

#[test]
fn of_the_store() {
    let (context, _index) = scene();
    let mut transcript = Transcript::of(&context);
    transcript
        .run("add plugin")
        .run("store stats")
        .run("store why helper")
        .run("store why absent")
        .run("store verify")
        .run("store verify --json");
    let entry = |name: &str| -> std::path::PathBuf {
        let link = context.path(&context.site_packages(".venv")).join(name);
        std::fs::canonicalize(link).unwrap()
    };
    let damaged = entry("helper").join("__init__.py");
    make_writable(&damaged);
    std::fs::write(&damaged, "changed\n").unwrap();
    transcript
        .run("store verify")
        .run("check")
        .run("store repair")
        .run("store repair")
        .run("remove plugin -q")
        .run("store gc")
        .run("store gc --grace 0s")
        .run("store gc --grace 0s --json")
        .run("store gc --grace 0s --remove")
        .run("store gc --remove --max-age 30d")
        .run("store stats --json")
        .compare("store");
}

/// Lets a file of the store be written as an editor of its owner would that forces it.
fn make_writable(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
}

#[test]
fn of_copies_and_exports() {
    let (context, _index) = scene();
    let mut transcript = Transcript::of(&context);
    transcript.run("add demo -q").run("detach demo").run("detach demo").run("list --json");
    let module = context.path(&context.site_packages(".venv")).join("demo/__init__.py");
    std::fs::write(module, "edited = True\n").unwrap();
    transcript
        .run("check")
        .run("detach --undo demo")
        .run("detach --undo --force demo")
        .run("export out")
        .run("export second --json");
    std::fs::rename(context.path(".venv"), context.path("moved")).unwrap();
    transcript
        .run("list --venv moved")
        .run("relink --venv moved --json")
        .run("relink --venv moved")
        .compare("detach_export_relink");
}

#[test]
fn of_adopting_a_venv() {
    let (context, _index) = scene();
    let python = &context.interpreter().path;
    context.run(context.command(python).args(["-m", "venv", "--without-pip", "plain"])).success();
    let site_packages = context.path(&context.site_packages("plain"));
    for artifact in &wheels()[..2] {
        let mut unzip = context.command(python);
        let archive = artifact.write_to(&context.path("wheels"));
        unzip.args(["-m", "zipfile", "-e"]).arg(archive).arg(&site_packages);
        context.run(&mut unzip).success();
    }
    Transcript::of(&context)
        .run("adopt --dry-run plain")
        .run("adopt plain")
        .run("adopt plain")
        .run("list --venv plain")
        .run("adopt absent")
        .compare("adopt");
}

#[test]
fn of_the_pip_of_a_venv() {
    let (mut context, _index) = scene();
    context.set("VIRTUAL_ENV", context.path(".venv"));
    Transcript::of(&context)
        .run("pip install demo[fast]")
        .run("pip install demo")
        .run("pip install --dry-run plugin")
        .run("pip list")
        .run("pip freeze")
        .run("pip show helper")
        .run("pip check")
        .run("pip uninstall -y speedups absent")
        .run("pip install absent")
        .run("pip frobnicate")
        .compare("pip");
}
