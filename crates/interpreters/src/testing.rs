//! Interpreters for the tests of this folder: scripts that answer as one would, and count how often they
//! start.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use virtpy_files as fs;

use super::discover::find;
use super::query::{MARKER, Prober};
use super::request::PythonRequest;
use super::{Error, Interpreter, Sources};

/// A folder of fake interpreters, with a cache.
pub(super) struct Fakes {
    folder: tempfile::TempDir,
    pub(super) cache: PathBuf,
    pub(super) pythons: PathBuf,
    pub(super) root: PathBuf,
}

impl Fakes {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        Self { cache: root.join("cache"), pythons: root.join("pythons"), root, folder }
    }

    /// Sources that see nothing outside the folder.
    pub(super) fn sources(&self) -> Sources<'_> {
        Sources::new(&self.pythons, &self.cache, &self.root)
    }

    /// A shell script with the given lines.
    pub(super) fn script(&self, path: &str, lines: &str) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = self.folder.path().join(".script");
        fs::write_atomic(&text, format!("#!/bin/sh\n{lines}\n").as_bytes()).unwrap();
        // Were the script written by this process, a test that forks meanwhile would keep it open for
        // writing, and it could not be started.
        assert!(Command::new("cp").arg(&text).arg(&path).status().unwrap().success());
        fs::set_mode(&path, 0o755).unwrap();
        path
    }

    /// Asks the executable at a path in the folder.
    pub(super) fn ask(&self, path: impl AsRef<Path>) -> Result<Interpreter, Error> {
        let timeout = Duration::from_secs(20);
        Prober { cache: &self.cache, working_directory: &self.root, timeout }.ask(path.as_ref())
    }

    /// A script that answers like an interpreter of this version and notes its start.
    pub(super) fn python(&self, path: &str, version: &str) -> PathBuf {
        self.interpreter(path, &facts(&self.root.join(path), version))
    }

    /// A script that answers with these facts and notes its start.
    pub(super) fn interpreter(&self, path: &str, facts: &Interpreter) -> PathBuf {
        let json = serde_json::to_string(facts).unwrap();
        self.script(path, &format!("{}\ncat <<'END'\n{MARKER}{json}\nEND", self.note()))
    }

    /// The line of a script that notes its start.
    pub(super) fn note(&self) -> String {
        format!("echo \"$0\" >> {}", self.root.join("starts").display())
    }

    /// The scripts that were started, in order, relative to the folder.
    pub(super) fn starts(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.root.join("starts")).unwrap_or_default();
        let relative = |line: &str| Path::new(line).strip_prefix(&self.root).unwrap().display().to_string();
        text.lines().map(relative).collect()
    }

    /// What a request finds: the executable, relative to the folder.
    pub(super) fn find(&self, text: &str, sources: &Sources) -> Result<String, Error> {
        let request: PythonRequest = text.parse().unwrap();
        let interpreter = find((request != PythonRequest::Any).then_some(&request), sources)?;
        let relative = interpreter.executable.strip_prefix(&self.root).unwrap();
        Ok(relative.display().to_string())
    }

    /// A value for `PATH` of folders in the folder.
    pub(super) fn path(&self, folders: &[&str]) -> OsString {
        std::env::join_paths(folders.iter().map(|folder| self.root.join(folder))).unwrap()
    }

    pub(super) fn file(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write_atomic(&path, content.as_bytes()).unwrap();
    }

    pub(super) fn link(&self, target: &Path, path: &str) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::symlink(target, &path).unwrap();
        path
    }
}

/// Plausible facts of a `CPython`.
pub(super) fn facts(executable: &Path, version: &str) -> Interpreter {
    let version: super::PythonVersion = version.parse().unwrap();
    let (major, minor) = (version.major, version.minor);
    let library = PathBuf::from(format!("lib/python{major}.{minor}/site-packages"));
    Interpreter {
        executable: executable.to_path_buf(),
        version,
        implementation: "cpython".to_owned(),
        prefix: PathBuf::from("/opt/python"),
        stdlib: PathBuf::from("/opt/python/lib"),
        purelib: library.clone(),
        platlib: library,
        packages: vec!["/opt/python/lib/python3/site-packages".into()],
        platlibdir: "lib".to_owned(),
        free_threaded: false,
        abi_flags: String::new(),
        cache_tag: Some(format!("cpython-{major}{minor}")),
        magic: "cb0d0d0a".to_owned(),
        soabi: None,
        extension_suffix: None,
        platform: "linux-x86_64".to_owned(),
        pointer_width: 64,
        libc: None,
        macos: None,
        markers: [("os_name".to_owned(), "posix".to_owned())].into(),
    }
}
