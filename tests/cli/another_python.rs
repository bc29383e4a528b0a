//! `virtpy new --keep`: another Python, the same packages, and the old venv as it was if that fails.

use std::path::Path;
use std::process::Command;

use crate::support::python::{self, Python};
use crate::support::{Index, SdistBuilder, TestContext, WheelBuilder, skip};

/// A venv of one Python with packages of an index, and another Python.
struct Scene {
    context: TestContext,
    index: Index,
    other: &'static Python,
}

impl Scene {
    /// `None` where this machine has one Python only.
    fn new() -> Option<Self> {
        let [old, .., other] = python::all() else {
            skip("there is one Python only");
            return None;
        };
        let of_old = format!("cp{0}{1}-none-any", old.version.0, old.version.1);
        let new_only = format!("needed; python_version >= \"{}\"", other.short());
        let index = Index::start(&[
            WheelBuilder::new("demo", "1.0")
                .requires("base")
                .requires(&new_only)
                .console_script("demo")
                .build(),
            WheelBuilder::new("demo", "2.0").build(),
            WheelBuilder::new("base", "1.0").file("base/deep/down.py", "x = 1\n").build(),
            WheelBuilder::new("base", "2.0").build(),
            WheelBuilder::new("needed", "3.0").build(),
            WheelBuilder::new("old", "1.0").tag(&of_old).build(),
        ]);
        let context = TestContext::with_python(old);
        context.virtpy(["new", "--prompt", "it's", "--link-mode", "hardlink"]).success();
        context.add(&index, &["demo==1.0", "base==1.0"]).success();
        Some(Self { context, index, other })
    }

    fn python(&self) -> String {
        self.other.path.display().to_string()
    }

    fn renew(&self, more: &[&str]) -> crate::support::Output {
        let (python, url) = (self.python(), self.index.url());
        let arguments = ["new", "--keep", "-p", &python, "--index-url", &url];
        self.context.virtpy([&arguments[..], more].concat())
    }

    /// Lets it fail, and compares the venv with what it was.
    fn refused(&self, expected: &str) {
        let before = self.context.venv_content(".venv");
        self.renew(&[]).failure(1).stderr_has(expected);
        before.assert_unchanged(&self.context.venv_content(".venv"), "the venv after a failure");
        self.context.virtpy(["check"]).success();
        self.context.assert_no_leftovers();
    }
}

#[test]
fn the_packages_are_the_same_on_another_python() {
    let Some(scene) = Scene::new() else { return };
    let context = &scene.context;
    context.write("proj/pyproject.toml", "[project]\nname = 'proj'\nversion = '0.1'\n[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n");
    context.write("proj/backend.py", EDITABLE_BACKEND);
    context.virtpy(["add", "-e", "./proj", "--index-url", &scene.index.url()]).success();
    scene.renew(&[]).success().stderr_has("3 packages as before, and 1 more that this Python needs");
    let version = context.eval(".venv", "import sys; print('%d.%d' % sys.version_info[:2])");
    assert_eq!(version, scene.other.short());
    let frozen = context.virtpy(["freeze"]).success().raw_stdout;
    let proj = format!("-e file://{}", context.path("proj").display());
    for line in ["demo==1.0", "base==1.0", "needed==3.0", &proj] {
        assert!(frozen.contains(line), "{line}: {frozen}");
    }
    assert_eq!(
        context.eval(".venv", "import proj, demo, base.deep.down as d; print(proj.here, d.x)"),
        "True 1"
    );
    context.script(".venv", "demo", &[]).success();
    // What was asked for is known still, and how the venv was made.
    let site = context.path(&format!(".venv/lib/python{}/site-packages", scene.other.short()));
    let is_requested = |name: &str| site.join(name).join("REQUESTED").exists();
    assert!(is_requested("demo-1.0.dist-info") && !is_requested("needed-3.0.dist-info"));
    let config = context.read(".venv/pyvenv.cfg");
    assert!(
        config.contains("prompt = \"it's\"") && config.contains("virtpy-link-mode = hardlink"),
        "{config}"
    );
    context.virtpy(["check"]).success();
    context.virtpy(["store", "verify"]).success();
    // Only the new one is a root of the store.
    let all = context.virtpy(["list-all"]).success().raw_stdout;
    assert_eq!(all.matches(".venv").count(), 1, "{all}");
    context.assert_no_leftovers();
}

#[test]
fn a_failure_leaves_the_old_venv_as_it_was() {
    let Some(scene) = Scene::new() else { return };
    scene.context.add(&scene.index, &["old"]).success();
    scene.refused("cannot be had for Python");
    scene.context.virtpy(["remove", "old"]).success();
    // What somebody edited is not thrown away.
    scene.context.virtpy(["detach", "base"]).success();
    let site = format!(".venv/lib/python{}/site-packages", scene.context.interpreter().short());
    scene.context.write(&format!("{site}/base/deep/down.py"), "x = 'mine'\n");
    scene.refused("base/deep/down.py");
    let refused = scene.renew(&[]).failure(1);
    refused.stderr_has("discard it with `virtpy detach --undo --force base`").stderr_lacks("`--force`");
    scene.context.virtpy(["detach", "--undo", "--force", "base"]).success();
    scene.renew(&[]).success();
    let missing = scene.context.virtpy(["new", "--keep", "nowhere"]).failure(1);
    missing.stderr_has("there is no venv at");
}

#[test]
fn a_venv_whose_python_is_gone_gets_another_one() {
    let Some(scene) = Scene::new() else { return };
    let context = &scene.context;
    // As after an upgrade of the system.
    let bin = context.path(".venv/bin");
    std::fs::remove_file(bin.join("python")).unwrap();
    std::os::unix::fs::symlink("/nonexistent/python3", bin.join("python")).unwrap();
    scene.renew(&[]).success();
    assert!(Command::new(bin.join("demo")).status().unwrap().success());
    // What another installer put there comes from the index too.
    let site = context.path(&format!(".venv/lib/python{}/site-packages", scene.other.short()));
    let info = site.join("needed-3.0.dist-info");
    context.virtpy(["remove", "needed"]).success();
    std::fs::create_dir(&info).unwrap();
    std::fs::write(info.join("METADATA"), "Metadata-Version: 2.1\nName: needed\nVersion: 3.0\n").unwrap();
    std::fs::write(info.join("RECORD"), "needed-3.0.dist-info/METADATA,,\nneeded-3.0.dist-info/RECORD,,\n")
        .unwrap();
    let old = context.interpreter().path.display().to_string();
    context.virtpy(["new", "--keep", "-p", &old, "--index-url", &scene.index.url()]).success();
    assert_eq!(context.eval(".venv", "import needed; print(needed.__name__)"), "needed");
}

/// The tag of wheels for one Python alone.
fn tag(python: &Python) -> String {
    format!("cp{0}{1}-none-any", python.version.0, python.version.1)
}

fn module(name: &str, value: &str) -> WheelBuilder {
    WheelBuilder::empty(name, "2.0").file(&format!("{name}.py"), &format!("value = {value:?}\n"))
}

#[test]
fn what_fits_stays_the_same_file_whatever_another_index_has() {
    let Some(scene) = Scene::new() else { return };
    let mut context = scene.context;
    let lib = module("lib", "A").build();
    let ours = Index::start(std::slice::from_ref(&lib));
    let theirs = Index::start(&[module("lib", "B").build()]);
    context.write("in.txt", &format!("lib==2.0 --hash=sha256:{}\n", lib.sha256()));
    for arguments in [&["lib"][..], &["-r", "in.txt"]] {
        context.virtpy(["new", "--clear"]).success();
        context.add(&ours, arguments).success();
        context.set("PIP_INDEX_URL", theirs.url());
        let kept = context.virtpy(["new", "--keep", "-p", &scene.other.path.display().to_string()]).success();
        kept.stderr_has("1 package as before (1 from the store").stderr_lacks("other file");
        assert_eq!(context.eval(".venv", "import lib; print(lib.value)"), "A");
        context.unset("PIP_INDEX_URL");
    }
    assert_eq!(theirs.requests(), Vec::<String>::new());

    // A file that is gone, and what was built, with nobody to ask.
    let wheel = module("local", "file").build().write_to(context.root());
    let sdist = SdistBuilder::new("made", "1.0").build();
    context.virtpy(["new", "--clear"]).success();
    context.virtpy([Path::new("add"), &wheel]).success();
    context.add(&Index::start(&[sdist]), &["made"]).success();
    std::fs::remove_file(&wheel).unwrap();
    let python = scene.other.path.display().to_string();
    context
        .virtpy(["new", "--keep", "-p", &python, "--no-index"])
        .success()
        .stderr_has("2 packages as before");
    assert_eq!(context.eval(".venv", "import local, made; print(local.value)"), "file");
    context.virtpy(["freeze"]).success().stdout_has("local @ file://");
    context.virtpy(["check"]).success();
}

#[test]
fn another_file_comes_only_for_what_does_not_fit_and_is_named() {
    let Some(scene) = Scene::new() else { return };
    let (context, other) = (&scene.context, scene.other);
    let old = context.interpreter();
    for wheel in [
        module("native", "old").tag(&tag(old)).requires("lib>=2"),
        module("native", "new").tag(&tag(other)).requires("lib>=2"),
        module("lib", "A"),
        WheelBuilder::new("lib", "3.0"),
    ] {
        scene.index.add(&wheel.build());
    }
    context.add(&scene.index, &["lib==2.0", "native"]).success();
    assert_eq!(context.eval(".venv", "import native; print(native.value)"), "old");
    let another =
        |python: &Python| format!("is another file of the same version for Python {}", python.short());
    scene
        .renew(&[])
        .success()
        .stderr_has("3 packages as before, and 1 more that this Python needs")
        .stderr_has(&another(other))
        .stderr_has(": native 2.0");
    let values = "import native, lib, needed; print(native.value, lib.value)";
    assert_eq!(context.eval(".venv", values), "new A");
    context.virtpy(["check"]).success();

    // What says by itself that it is for the other Python alone.
    let (old, new) = (old.path.display().to_string(), scene.python());
    let newer = module("bound", "new").requires_python(&format!(">={}", other.short()));
    context.virtpy(["new", "-p", &new, "up"]).success();
    context.add(&Index::start(&[newer.build()]), &["bound", "--venv", "up"]).success();
    assert_eq!(context.eval("up", "import bound; print(bound.value)"), "new");
    scene.index.add(&module("bound", "all").build());
    let url = scene.index.url();
    let kept = context.virtpy(["new", "--keep", "-p", &old, "--index-url", &url, "up"]).success();
    kept.stderr_has(&another(context.interpreter())).stderr_has(": bound 2.0");
    assert_eq!(context.eval("up", "import bound; print(bound.value)"), "all");
}

#[test]
fn a_projects_own_indexes_are_asked_for_its_venv() {
    let Some(scene) = Scene::new() else { return };
    let (context, other) = (&scene.context, scene.other);
    let old = context.interpreter();
    let needed = format!("more; python_version >= \"{}\"", other.short());
    let own = Index::start(&[module("lib", "own").requires(&needed).build(), module("more", "own").build()]);
    let explicit = Index::start(&[
        module("native", "old").tag(&tag(old)).build(),
        module("native", "new").tag(&tag(other)).build(),
    ]);
    let project = format!(
        "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">={}\"\ndependencies = [\"lib\", \"native\"]\n\
         [[tool.uv.index]]\nurl = \"{}\"\ndefault = true\n\
         [[tool.uv.index]]\nname = \"special\"\nurl = \"{}\"\nexplicit = true\n\
         [tool.uv.sources]\nnative = {{ index = \"special\" }}\n",
        old.short(),
        own.url(),
        explicit.url()
    );
    context.virtpy(["new", "--clear"]).success();
    context.write("pyproject.toml", &project);
    context.virtpy(["lock"]).success();
    context.virtpy(["sync"]).success();
    let python = other.path.display().to_string();
    context.virtpy(["new", "--keep", "-p", &python]).success();
    let values = "import lib, more, native; print(lib.value, more.value, native.value)";
    assert_eq!(context.eval(".venv", values), "own own new");
    assert!(!own.requests().iter().any(|request| request.contains("native")), "{:?}", own.requests());
    context.virtpy(["sync"]).success().stderr_has("Nothing to do");
}

#[test]
fn the_lock_of_a_project_says_which_files_come_for_its_venv() {
    let Some(scene) = Scene::new() else { return };
    let (mut context, other) = (scene.context, scene.other);
    let old = context.interpreter().clone();
    let more = format!("more; python_version >= \"{}\"", other.short());
    let of_new = |value: &str| module("native", value).tag(&tag(other)).requires(&more).build();
    let of_old = module("native", "old").tag(&tag(&old)).requires(&more).build();
    let locked = Index::start(&[of_old, of_new("new"), module("more", "locked").build()]);
    let project = "[project]\nname = \"app\"\nversion = \"1\"\ndependencies = [\"native\"]\n";
    context.write("pyproject.toml", &format!("{project}requires-python = \">={}\"\n", old.short()));
    context.set("PIP_INDEX_URL", locked.url());
    context.virtpy(["new", "--clear"]).success();
    context.virtpy(["lock"]).success();
    context.virtpy(["sync"]).success();

    // Another index has another file of the same name.
    let theirs = Index::start(&[of_new("theirs"), module("more", "theirs").build()]);
    let python = other.path.display().to_string();
    let keep = ["new", "--keep", "-p", &python];
    let before = context.venv_content(".venv");
    let refused = context.virtpy([&keep[..], &["--index-url", &theirs.url()]].concat()).failure(1);
    refused
        .stderr_has("cannot be had for Python")
        .stderr_has("the hash of `native 2.0` is not the expected one");
    before.assert_unchanged(&context.venv_content(".venv"), "the venv after a failure");

    // Nor is what the lock has another version because there is a newer one.
    locked.add(&WheelBuilder::new("more", "3.0").build());
    context.virtpy(keep).success().stderr_has(": native 2.0");
    context.virtpy(["freeze"]).success().stdout_has("more==2.0");
    assert_eq!(context.eval(".venv", "import native; print(native.value)"), "new");
    context.virtpy(["sync"]).success().stderr_has("Nothing to do");
}

/// Builds an editable wheel by hand: no index has a backend.
const EDITABLE_BACKEND: &str = r#"
import os, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "proj-0.1-py3-none-any.whl"
    source = os.path.join(os.getcwd(), "source")
    os.makedirs(source, exist_ok=True)
    with open(os.path.join(source, "proj.py"), "w") as file:
        file.write("here = True\n")
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("proj.pth", source + "\n")
        wheel.writestr("proj-0.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: proj\nVersion: 0.1\n")
        wheel.writestr("proj-0.1.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("proj-0.1.dist-info/RECORD", "proj.pth,,\nproj-0.1.dist-info/METADATA,,\nproj-0.1.dist-info/WHEEL,,\nproj-0.1.dist-info/RECORD,,\n")
    return name

build_wheel = build_editable
"#;
