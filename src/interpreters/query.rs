//! Asks an executable which interpreter it is.
//!
//! The executable is first followed to the base interpreter as far as links and `pyvenv.cfg` tell; what is left
//! is started with a short script. Whatever is started there may be broken or not even Python, so its time and
//! its output are limited, and the environment cannot lead it astray.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;

use super::cache::{self, Answer, Stamp};
use super::request::OLDEST;
use super::{Error, Interpreter};
use crate::fs;

const SCRIPT: &str = include_str!("../../python/interpreter_facts.py");
/// What the line with the facts begins with; the script knows it too.
const MARKER: &str = "virtpy-interpreter-facts:";
/// How long an interpreter may take. The first start from a network file system may take seconds.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
/// How many bytes of output are read, many times what the facts need.
const OUTPUT_LIMIT: u64 = 1 << 20;
/// How many links from wrapper to wrapper and venv to venv are followed.
const REDIRECTION_LIMIT: u32 = 8;
/// Variables that change what an interpreter tells about itself even when it is started in isolated mode.
const MISLEADING_VARIABLES: [&str; 6] = [
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONEXECUTABLE",
    "__PYVENV_LAUNCHER__",
    "_PYTHON_HOST_PLATFORM",
    "_PYTHON_SYSCONFIGDATA_NAME",
];

/// Returns the facts about the base interpreter behind an executable: from the cache in the folder `cache`, or by
/// starting it.
///
/// # Errors
/// When there is no such executable, it does not answer like a Python interpreter, or its version is not supported.
pub fn query(executable: &Path, cache: &Path) -> Result<Interpreter, Error> {
    Inquiry {
        cache,
        working_directory: Path::new("."),
        timeout: TIMEOUT,
    }
    .ask(executable)
}

/// How executables are asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inquiry<'a> {
    /// The folder of the cache.
    pub(super) cache: &'a Path,
    /// Where relative paths begin, and where shims look for their settings.
    pub(super) working_directory: &'a Path,
    /// How long one start may take.
    pub(super) timeout: Duration,
}

/// The executable to start, after links and venvs have been followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// An absolute path.
    pub(super) path: PathBuf,
    /// Whether it is a shim: its answer depends on more than its own file, and is never remembered.
    pub(super) is_shim: bool,
}

/// The script's answer.
#[derive(Deserialize)]
struct Facts {
    #[serde(flatten)]
    interpreter: Interpreter,
    libc_file: Option<PathBuf>,
}

impl Inquiry<'_> {
    /// Returns the base interpreter behind an executable.
    ///
    /// # Errors
    /// As [`query`].
    pub(super) fn ask(&self, executable: &Path) -> Result<Interpreter, Error> {
        let answer = self.follow(executable, REDIRECTION_LIMIT)?.0;
        match answer {
            Answer::Usable(interpreter) => Ok(*interpreter),
            Answer::TooOld(version) => Err(Error::TooOld {
                executable: executable.to_path_buf(),
                version,
            }),
        }
    }

    /// Returns the answer with the files that it depends on besides the executable's own.
    fn follow(&self, executable: &Path, redirections: u32) -> Result<(Answer, Vec<Stamp>), Error> {
        let target = self.target(executable)?;
        let (path, stamp) = (&target.path, Stamp::of(&target.path));
        if !target.is_shim
            && let Some(answer) = cache::load(self.cache, path)
        {
            return Ok((answer, stamp.into_iter().collect()));
        }
        let (answer, others) = self.answer_of(path, executable, redirections)?;
        let files: Vec<_> = stamp.into_iter().chain(others).collect();
        if !target.is_shim {
            cache::store(self.cache, path, files.clone(), &answer);
        }
        Ok((answer, files))
    }

    /// Starts `path`; where it turns out to be a wrapper, goes on with what is behind it.
    fn answer_of(&self, path: &Path, named: &Path, redirections: u32) -> Result<(Answer, Vec<Stamp>), Error> {
        let Some(mut facts) = self.start(path)? else {
            return Ok((Answer::TooOld("2".to_owned()), Vec::new()));
        };
        let version = &facts.interpreter.version;
        if (version.major, version.minor) < OLDEST {
            return Ok((Answer::TooOld(version.to_string()), Vec::new()));
        }
        let not_python = |reason: &str| Error::NotPython {
            executable: path.to_path_buf(),
            reason: reason.to_owned(),
        };
        check(&facts.interpreter).map_err(not_python)?;
        let behind = self.target(&facts.interpreter.executable)?.path;
        if behind == path || fs::canonicalize(path).is_ok_and(|real| real == behind) {
            facts.interpreter.executable = stable_executable(&behind);
            let library = facts.libc_file.as_deref().and_then(Stamp::of);
            return Ok((
                Answer::Usable(Box::new(facts.interpreter)),
                library.into_iter().collect(),
            ));
        }
        let redirections = redirections.checked_sub(1).ok_or_else(|| Error::Endless {
            executable: named.to_path_buf(),
        })?;
        self.follow(&behind, redirections)
    }

    /// Follows links, and venvs to their base interpreter, without starting anything.
    ///
    /// # Errors
    /// When there is no such file, or it belongs to a venv whose base interpreter is gone.
    pub(super) fn target(&self, executable: &Path) -> Result<Target, Error> {
        let mut path = self.absolute(executable);
        for _ in 0..REDIRECTION_LIMIT {
            let Ok(real) = fs::canonicalize(&path) else {
                return Err(match venv_of(&path) {
                    Some((venv, _)) => Error::BrokenVenv { venv },
                    None => Error::Missing {
                        path: executable.to_path_buf(),
                    },
                });
            };
            if real.file_name() != path.file_name() && !has_interpreter_name(&real) {
                // One program under many names, which looks at the name it was called by.
                return Ok(Target { path, is_shim: true });
            }
            let Some((venv, settings)) = venv_of(&real) else {
                let is_shim = real.parent().is_some_and(|folder| folder.ends_with("shims"));
                return Ok(Target { path: real, is_shim });
            };
            path = base_of_venv(&settings, &real).ok_or(Error::BrokenVenv { venv })?;
        }
        Err(Error::Endless {
            executable: executable.to_path_buf(),
        })
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        let path = self.working_directory.join(path);
        std::path::absolute(&path).unwrap_or(path)
    }

    /// Starts an executable and reads its facts; `None` if it is older than isolated mode (Python 3.4).
    fn start(&self, executable: &Path) -> Result<Option<Facts>, Error> {
        let mut command = Command::new(executable);
        command
            .args(["-I", "-S", "-B", "-c", SCRIPT])
            .current_dir(self.working_directory);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // On macOS, an old build would otherwise be told that the system is version 10.16.
        command.env("SYSTEM_VERSION_COMPAT", "0");
        for name in MISLEADING_VARIABLES {
            command.env_remove(name);
        }
        // Its own process group: what a wrapper started ends together with it.
        command.process_group(0);
        let child = command.spawn().map_err(|source| Error::Start {
            executable: executable.to_path_buf(),
            source,
        })?;
        let (status, output, errors) = Running::new(child, executable, self.timeout).finish()?;
        if !status.success() {
            if errors.contains("Unknown option: -I") {
                return Ok(None);
            }
            let output = last_line(&errors);
            return Err(Error::Failed {
                executable: executable.to_path_buf(),
                status: status.to_string(),
                output,
            });
        }
        let not_python = |reason: String| Error::NotPython {
            executable: executable.to_path_buf(),
            reason,
        };
        let text = String::from_utf8_lossy(&output);
        let line = text.lines().rev().find_map(|line| line.strip_prefix(MARKER));
        let line = line.ok_or_else(|| not_python("its output has no facts".to_owned()))?;
        serde_json::from_str(line)
            .map(Some)
            .map_err(|error| not_python(error.to_string()))
    }
}

/// A started interpreter, which is ended when this is dropped.
struct Running<'a> {
    child: Child,
    executable: &'a Path,
    timeout: Duration,
    deadline: Instant,
}

impl<'a> Running<'a> {
    fn new(child: Child, executable: &'a Path, timeout: Duration) -> Self {
        Self {
            child,
            executable,
            timeout,
            deadline: Instant::now() + timeout,
        }
    }

    /// Waits for its end; returns its status, its output and what it wrote to standard error.
    fn finish(mut self) -> Result<(ExitStatus, Vec<u8>, String), Error> {
        let output = read_in_background(self.child.stdout.take());
        let errors = read_in_background(self.child.stderr.take());
        let output = self.receive(&output)?;
        let errors = String::from_utf8_lossy(&self.receive(&errors)?).into_owned();
        // Standard output and error are closed now, so the end is a matter of a few milliseconds.
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok((status, output, errors)),
                Ok(None) if Instant::now() < self.deadline => std::thread::sleep(Duration::from_millis(1)),
                Ok(None) => return Err(self.timed_out()),
                Err(source) => {
                    return Err(Error::Start {
                        executable: self.executable.to_path_buf(),
                        source,
                    });
                }
            }
        }
    }

    fn receive(&self, stream: &Receiver<Vec<u8>>) -> Result<Vec<u8>, Error> {
        match stream.recv_timeout(self.deadline.saturating_duration_since(Instant::now())) {
            Ok(bytes) if bytes.len() as u64 > OUTPUT_LIMIT => Err(Error::NotPython {
                executable: self.executable.to_path_buf(),
                reason: "it prints without end".to_owned(),
            }),
            Ok(bytes) => Ok(bytes),
            Err(RecvTimeoutError::Timeout) => Err(self.timed_out()),
            Err(RecvTimeoutError::Disconnected) => Ok(Vec::new()),
        }
    }

    fn timed_out(&self) -> Error {
        Error::TimedOut {
            executable: self.executable.to_path_buf(),
            seconds: self.timeout.as_secs(),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            drop(kill_process_group(group, Signal::KILL));
        }
        drop(self.child.wait());
    }
}

/// Reads a stream to its end or just past the limit, on a thread of its own, which may outlive the caller.
fn read_in_background<R: Read + Send + 'static>(stream: Option<R>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stream) = stream {
            // What was read before a failure is judged like any other answer.
            drop(stream.take(OUTPUT_LIMIT + 1).read_to_end(&mut bytes));
        }
        drop(sender.send(bytes));
    });
    receiver
}

/// The last line with text, fit for a message: of bounded length and without control characters.
fn last_line(text: &str) -> String {
    let line = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    line.chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect()
}

/// Refuses facts that no interpreter has and that would lead a venv's files astray.
fn check(interpreter: &Interpreter) -> Result<(), &'static str> {
    let is_inside = |path: &Path| {
        path.components().count() > 0 && path.components().all(|part| matches!(part, Component::Normal(_)))
    };
    if !interpreter.executable.is_absolute() {
        return Err("it does not know its own path");
    }
    if !is_inside(&interpreter.purelib) || !is_inside(&interpreter.platlib) {
        return Err("its venvs would keep packages outside themselves");
    }
    if !is_inside(Path::new(&interpreter.platlibdir)) || interpreter.platlibdir.contains('/') {
        return Err("its library folder has no plain name");
    }
    Ok(())
}

/// The venv that an executable stands in, and the content of its `pyvenv.cfg`. CPython looks for that file beside
/// the executable and one folder up (PEP 405).
fn venv_of(executable: &Path) -> Option<(PathBuf, String)> {
    let folders = executable.ancestors().skip(1).take(2);
    folders.map(Path::to_path_buf).find_map(|folder| {
        let settings = fs::read_to_string(&folder.join("pyvenv.cfg")).ok()?;
        setting(&settings, "home").is_some().then_some((folder, settings))
    })
}

/// A value of a `pyvenv.cfg`.
fn setting<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = settings.lines().filter_map(|line| line.split_once('='));
    pairs
        .find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// The interpreter that a venv whose `python` is a copy was made from.
fn base_of_venv(settings: &str, executable: &Path) -> Option<PathBuf> {
    let home = Path::new(setting(settings, "home")?);
    let version = setting(settings, "version").or_else(|| setting(settings, "version_info"));
    let numbered = version.and_then(|version| {
        let mut numbers = version.split('.');
        Some(format!("python{}.{}", numbers.next()?, numbers.next()?))
    });
    let own = executable
        .file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned);
    let names = numbered
        .into_iter()
        .chain(own)
        .chain(["python3".to_owned(), "pypy3".to_owned()]);
    // A base that were the venv's own file would lead nowhere.
    names
        .map(|name| home.join(name))
        .find(|base| base.is_absolute() && base.is_file() && base != executable)
}

/// Whether a file is called like an interpreter, so that it is one whatever name it was reached by.
fn has_interpreter_name(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    ["python", "pypy", "graalpy"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Replaces Homebrew's folder of one patch version, which the next upgrade removes, by the link that it keeps.
fn stable_executable(real: &Path) -> PathBuf {
    let mut before = PathBuf::new();
    let mut parts = real.components();
    while let Some(part) = parts.next() {
        if part.as_os_str() == "Cellar"
            && let (Some(formula), Some(_version)) = (parts.next(), parts.next())
        {
            let stable = before.join("opt").join(formula).join(parts.as_path());
            if fs::canonicalize(&stable).is_ok_and(|target| target == real) {
                return stable;
            }
            break;
        }
        before.push(part);
    }
    real.to_path_buf()
}
