//! A context for one test: a home, a store, a working folder and an environment of its own.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::python::{self, Python};
use super::{Index, Node, Output, Tree, archive, known, place};

/// A context for one test. Its folders go away with it.
pub(crate) struct TestContext {
    _root: tempfile::TempDir,
    root: PathBuf,
    environment: Vec<(OsString, OsString)>,
    python: Python,
}

impl TestContext {
    /// A context with an empty home and store, the default interpreter on PATH, and nothing of the user's settings.
    pub(crate) fn new() -> Self {
        Self::with_python(python::default())
    }

    /// The same with this interpreter as the one on PATH.
    pub(crate) fn with_python(python: &Python) -> Self {
        let context = Self::knowing_nothing(python);
        if python == python::default() {
            known::put(&context.store());
        }
        context
    }

    /// The same where virtpy has never asked the interpreter.
    pub(crate) fn knowing_nothing(python: &Python) -> Self {
        let holder = place::folder();
        let root = holder.path().canonicalize().expect("the folder exists");
        for folder in ["home", "store", "work", "tmp", "bin"] {
            std::fs::create_dir(root.join(folder)).expect("a folder can be made");
        }
        std::os::unix::fs::symlink(&python.path, root.join("bin/python3")).expect("a link can be made");
        let mut context = Self { _root: holder, root, environment: Vec::new(), python: python.clone() };
        context.set("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", context.root.join("bin").display()));
        context.set("HOME", context.home().as_os_str());
        context.set("VIRTPY_HOME", context.store().as_os_str());
        context.set("TMPDIR", context.root.join("tmp").as_os_str());
        context.set("LANG", "C.UTF-8");
        // Most tests are about what they add themselves; those of the module `pip` turn it on.
        context.set("VIRTPY_PIP_SHIM", "0");
        // No process outlives its test, and where root runs the tests Python leaves nothing in the store; those of the
        // module `bytecode` turn both on.
        context.set("VIRTPY_BYTECODE", "off");
        context.set("PYTHONDONTWRITEBYTECODE", "1");
        context
    }

    /// Sets an environment variable for what the context runs.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.unset(name);
        self.environment.push((name.into(), value.as_ref().to_owned()));
    }

    /// Removes an environment variable.
    pub(crate) fn unset(&mut self, name: &str) {
        self.environment.retain(|(other, _)| other != name);
    }

    /// The interpreter.
    pub(crate) fn interpreter(&self) -> &Python {
        &self.python
    }

    /// The folder that holds everything of this context.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The home folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// `$VIRTPY_HOME`.
    pub(crate) fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// A path in the working folder.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join("work").join(relative)
    }

    /// Writes a file in the working folder and returns its path.
    pub(crate) fn write(&self, relative: &str, text: &str) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().expect("the path has a parent")).expect("a folder can be made");
        std::fs::write(&path, text).expect("the file can be written");
        path
    }

    /// Reads a file of the working folder.
    #[track_caller]
    pub(crate) fn read(&self, relative: &str) -> String {
        match std::fs::read_to_string(self.path(relative)) {
            Ok(text) => text,
            Err(error) => panic!("{relative} cannot be read: {error}"),
        }
    }

    /// The site-packages folder of a venv, from the working folder on.
    pub(crate) fn site_packages(&self, venv: &str) -> String {
        format!("{venv}/{}", self.python.site_packages())
    }

    /// A command with the context's environment and working folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path(".")).env_clear().stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The program under test with these arguments.
    pub(crate) fn virtpy_command<I, S>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = self.command(env!("CARGO_BIN_EXE_virtpy"));
        command.args(arguments);
        command
    }

    /// Runs the program under test.
    pub(crate) fn virtpy<I, S>(&self, arguments: I) -> Output
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.run(&mut self.virtpy_command(arguments))
    }

    /// Starts the program under test and does not wait for it.
    pub(crate) fn spawn<I, S>(&self, arguments: I) -> Child
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = self.virtpy_command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    /// Makes `.venv`.
    #[track_caller]
    pub(crate) fn new_venv(&self) {
        self.virtpy(["new"]).success();
    }

    /// Makes the venv `name`.
    #[track_caller]
    pub(crate) fn new_named_venv(&self, name: &str) {
        self.virtpy(["new", name]).success();
    }

    /// Runs `virtpy add` with the index and these arguments.
    pub(crate) fn add(&self, index: &Index, arguments: &[&str]) -> Output {
        let url = index.url();
        let mut all = vec!["add", "--index-url", &url];
        all.extend(arguments);
        self.virtpy(all)
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, command: &mut Command) -> Output {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        self.output_of(&format!("{command:?}"), &output)
    }

    /// Puts a finished command's output into the form that has the checks.
    pub(crate) fn output_of(&self, command: &str, output: &std::process::Output) -> Output {
        let placeholder = |path: PathBuf, name: &'static str| (path.to_string_lossy().into_owned(), name);
        Output {
            command: command.to_owned(),
            code: output.status.code(),
            raw_stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            raw_stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            filters: vec![
                placeholder(self.store(), "[STORE]"),
                placeholder(self.home(), "[HOME]"),
                placeholder(self.root.join("work"), "[WORK]"),
                placeholder(self.root.clone(), "[ROOT]"),
            ],
        }
    }

    /// Runs code with a venv's interpreter.
    pub(crate) fn python(&self, venv: &str, code: &str) -> Output {
        self.run(self.command(self.path(venv).join("bin/python")).args(["-c", code]))
    }

    /// Runs code with a venv's interpreter and returns what it printed.
    #[track_caller]
    pub(crate) fn eval(&self, venv: &str, code: &str) -> String {
        self.python(venv, code).success().raw_stdout.trim().to_owned()
    }

    /// Runs a script of a venv.
    pub(crate) fn script(&self, venv: &str, name: &str, arguments: &[&str]) -> Output {
        self.run(self.command(self.path(venv).join("bin").join(name)).args(arguments))
    }

    /// The tree of a venv, without bytecode.
    pub(crate) fn venv_tree(&self, venv: &str) -> Tree {
        Tree::of(&self.path(venv)).without_components(&["__pycache__"])
    }

    /// What a venv holds that two venvs with the same content must have in common: everything but bytecode, the files
    /// that name the venv itself, and virtpy's own notes, with the venv's path replaced in scripts.
    pub(crate) fn venv_content(&self, venv: &str) -> Tree {
        let root = self.path(venv);
        let mut tree = self.venv_tree(venv).without(&[".virtpy", "pyvenv.cfg"]);
        let own_path = root.to_string_lossy().into_owned();
        tree.0.retain(|path, _| !path.starts_with("bin/activate") && !path.starts_with("bin/Activate"));
        for (path, node) in &mut tree.0 {
            if let Node::File(_, hash) = node
                && let Ok(text) = std::fs::read_to_string(root.join(path))
            {
                let mut text = text.replace(&own_path, "[VENV]");
                if path.ends_with(".dist-info/RECORD") {
                    // Scripts name the venv, so their hashes and sizes do too.
                    let path_only = |row: &str| row.split(',').next().unwrap_or("").to_owned();
                    let rows = text
                        .lines()
                        .map(|row| if row.contains("/bin/") { path_only(row) } else { row.to_owned() });
                    text = rows.collect::<Vec<_>>().join("\n");
                }
                *hash = archive::hex(&archive::sha256(text.as_bytes())[..6]);
            }
        }
        tree
    }

    /// The tree of the store, without what may be deleted at any time, and empty folders at the top.
    pub(crate) fn store_tree(&self) -> Tree {
        let mut tree = Tree::of(&self.store()).without(&["cache", "locks", "compiling"]);
        let nested: Vec<String> = tree.0.keys().filter(|path| path.contains('/')).cloned().collect();
        let is_empty = |top: &str| !nested.iter().any(|path| path.starts_with(&format!("{top}/")));
        tree.0.retain(|path, node| !matches!(node, Node::Folder(_)) || path.contains('/') || !is_empty(path));
        tree
    }

    /// The names of the store's entries.
    pub(crate) fn store_entries(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.store().join("w")) else {
            return Vec::new();
        };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Panics if anything is left in the folders for temporary files.
    #[track_caller]
    pub(crate) fn assert_no_leftovers(&self) {
        for folder in [self.root.join("tmp"), self.store().join("tmp")] {
            let tree = Tree::of(&folder);
            assert!(tree.0.is_empty(), "left in {}: {:?}", folder.display(), tree.0.keys());
        }
    }
}

impl Drop for TestContext {
    /// Makes the store's read-only folders writable, so that a user without privileges can remove them.
    fn drop(&mut self) {
        make_writable(&self.store().join("w"));
    }
}

fn make_writable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).is_err() {
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path());
        }
    }
}
