//! Somebody who may write to a venv exchanges its folders for links to another place while commands work in it: whatever
//! becomes of the command, nothing is made, changed or removed there.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::support::{Index, Output, TestContext, Tree, WheelBuilder};

/// What is done to the venv, each with what it is told beside the venv and the index.
const COMMANDS: [&[&str]; 6] = [
    &["add", "beta", "two"],
    &["remove", "one", "gamma"],
    &["sync", "wanted.txt"],
    &["relink"],
    &["detach", "alpha"],
    &["new", "--clear", ".venv"],
];

/// A venv `.venv` with packages of virtpy and of another installer, and a folder `outside` in which what is precious has the
/// names of what is in the venv.
struct Scene {
    context: TestContext,
    index: Index,
    site: String,
}

impl Scene {
    fn new() -> Self {
        let wheel = |name: &str| {
            WheelBuilder::new(name, "1.0")
                .file(&format!("{name}/code.py"), "x = 1\n")
                .file(&format!("shared/{name}.py"), "")
                .data("data", &format!("share/man/man1/{name}.1"), "")
                .console_script(name)
                .build()
        };
        let index = Index::start(&["alpha", "beta", "one", "two"].map(wheel));
        let context = TestContext::new();
        context.write("wanted.txt", "beta\n");
        let site = context.interpreter().site_packages();
        let scene = Self { context, index, site };
        scene.lay_out();
        scene.add(&["beta", "two"]).success();
        for (path, kind) in Tree::of(&scene.path(".venv")).0 {
            let precious = scene.path("outside").join(&path);
            std::fs::create_dir_all(precious.parent().unwrap()).unwrap();
            if matches!(kind, crate::support::Node::Folder(_)) {
                std::fs::create_dir_all(precious).unwrap();
            } else {
                std::fs::write(precious, "precious").unwrap();
            }
        }
        for path in
            [".virtpy/unfinished", ".virtpy/trash/0", ".virtpy/trash/deep/file", ".virtpy/journal.json"]
        {
            scene.context.write(&format!("outside/{path}"), "precious");
        }
        scene
    }

    fn path(&self, path: &str) -> PathBuf {
        self.context.path(path)
    }

    fn add(&self, names: &[&str]) -> Output {
        self.context.add(&self.index, &[&["--venv", ".venv"], names].concat())
    }

    /// Makes the venv as it is before each command.
    fn lay_out(&self) {
        for left in [".venv", "..venv.virtpy-new", ".venv.virtpy-new", "aside"] {
            let path = self.path(left);
            if path.is_symlink() {
                std::fs::remove_file(&path).unwrap();
            } else {
                drop(std::fs::remove_dir_all(&path));
            }
        }
        std::fs::create_dir(self.path("aside")).unwrap();
        self.context.new_venv();
        self.add(&["alpha", "one"]).success();
        let record = ["gamma/code.py", "gamma-1.0.dist-info/METADATA", "gamma-1.0.dist-info/RECORD"];
        for name in record {
            self.context.write(&format!(".venv/{}/{name}", self.site), "Name: gamma\nVersion: 1.0\n");
        }
        let rows = record.map(|name| format!("{name},,\n")).concat();
        self.context.write(&format!(".venv/{}/{}", self.site, record[2]), &rows);
        self.context.write(&format!(".venv/{}/gamma-1.0.dist-info/INSTALLER", self.site), "pip\n");
    }

    /// Runs a command while a folder of the venv and a link to the one outside are exchanged again and again. Returns how
    /// often they were.
    fn run(&self, command: &[&str], folder: &str) -> (Output, usize) {
        let (real, link) = (self.path(".venv").join(folder), self.path("aside/link"));
        symlink(self.path("outside").join(folder), &link).unwrap();
        let real: PathBuf = real.components().collect();
        let (done, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
        let url = self.index.url();
        let mut arguments = command.to_vec();
        if command[0] != "new" {
            arguments.extend(["--venv", ".venv"]);
        }
        if matches!(command[0], "add" | "sync" | "relink") {
            arguments.extend(["--index-url", &url]);
        }
        let output = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    // The venv itself may not be there for a moment.
                    if renameat_with(CWD, &real, CWD, &link, RenameFlags::EXCHANGE).is_ok() {
                        swaps.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
            let output = self.context.virtpy(arguments);
            done.store(true, Ordering::Relaxed);
            output
        });
        (output, swaps.into_inner())
    }
}

#[test]
fn folders_that_become_links_while_a_command_runs_lead_nowhere() {
    let scene = Scene::new();
    let site = &scene.site;
    let shared = format!("{site}/shared");
    let gamma = format!("{site}/gamma");
    let expected = Tree::of(&scene.path("outside"));
    assert!(expected.0.contains_key(&shared) && expected.0.contains_key(".virtpy/state.json"));
    let (mut swapped, mut done) = (0, 0);
    for folder in [".virtpy", "bin", "lib", site, &shared, &gamma, "share", ""] {
        for command in COMMANDS {
            scene.lay_out();
            std::fs::create_dir_all(scene.path(".venv").join(folder)).unwrap();
            let (output, swaps) = scene.run(command, folder);
            assert_eq!(Tree::of(&scene.path("outside")), expected, "`{folder}`\n{}", output.dump());
            assert!(matches!(output.code, Some(0 | 1)), "`{folder}`\n{}", output.dump());
            assert!(!output.raw_stderr.contains("panicked"), "`{folder}`\n{}", output.dump());
            swapped += swaps;
            done += usize::from(output.code == Some(0));
        }
    }
    assert!(swapped > 1000, "{swapped} swaps show nothing");
    assert!(done > 0, "no command came to its end");
    scene.lay_out();
    scene.add(&["beta", "two"]).success();
    assert_eq!(scene.context.eval(".venv", "import alpha.code, shared.two; print(alpha.code.x)"), "1");
}

/// Where there is not the one call by which a folder is reached without links, it is reached step by step.
#[test]
fn without_openat2_all_is_the_same() {
    let scene = Scene::new();
    let program = scene.context.virtpy_command(["x"]).get_program().to_owned();
    let trace = |arguments: &[&str]| {
        let mut command = scene.context.command("strace");
        command.args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=openat2",
            "-e",
            "inject=openat2:error=ENOSYS",
        ]);
        scene.context.run(command.arg(&program).args(arguments).args(["--venv", ".venv"]))
    };
    if !Path::new("/usr/bin/strace").exists() {
        return;
    }
    let url = scene.index.url();
    trace(&["add", "--index-url", &url, "beta", "two"]).success();
    let venv = scene.context.venv_content(".venv");
    trace(&["remove", "one", "gamma"]).success();
    scene.lay_out();
    scene.add(&["beta", "two"]).success();
    assert_eq!(venv, scene.context.venv_content(".venv"));
    let inner = scene.path(".venv").join(&scene.site).join("shared");
    std::fs::remove_dir_all(&inner).unwrap();
    symlink(scene.path("outside"), &inner).unwrap();
    let expected = Tree::of(&scene.path("outside"));
    trace(&["remove", "one"]);
    assert_eq!(Tree::of(&scene.path("outside")), expected);
}
