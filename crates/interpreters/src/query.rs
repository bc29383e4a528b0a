//! Asks an executable which interpreter it is.
//!
//! The executable is first followed to the base interpreter as far as links and `pyvenv.cfg` tell; what is
//! left is started with a short script. Whatever is started there may be broken or not even Python, so its
//! time and its output are limited, and the environment cannot lead it astray.

use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use virtpy_files::{self as fs, Stamp};

use super::cache::{self, Answer};
use super::platform;
use super::process::{Running, reason};
use super::target::{REDIRECTION_LIMIT, stable_executable, target};
use super::version::OLDEST;
use super::{Error, Interpreter, PythonVersion};

const SCRIPT: &str = include_str!("../../../python/interpreter_facts.py");
/// What the line with the facts begins with; the script knows it too.
pub(super) const MARKER: &str = "virtpy-interpreter-facts:";
/// How long an interpreter may take. The first start from a network file system may take seconds.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
/// Variables that change what an interpreter tells about itself even when it is started in isolated mode.
const MISLEADING_VARIABLES: [&str; 6] = [
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONEXECUTABLE",
    "__PYVENV_LAUNCHER__",
    "_PYTHON_HOST_PLATFORM",
    "_PYTHON_SYSCONFIGDATA_NAME",
];

/// Lets an executable say its version, and returns that and whether it is a free-threaded build. The interpreter answers
/// before it reads anything of its library: this shows that the system can run it, in a tenth of the time of [`query`].
///
/// # Errors
/// As [`query`].
pub fn probe_version(executable: &Path) -> Result<(PythonVersion, bool), Error> {
    let inquiry = Prober { cache: Path::new("."), working_directory: Path::new("."), timeout: TIMEOUT };
    let too_old = |version: String| Error::TooOld { executable: executable.to_path_buf(), version };
    // Older than isolated mode is older than `-VV` as well.
    let answer = inquiry.start(executable, &["-I", "-VV"])?.ok_or_else(|| too_old("2".to_owned()))?;
    let not_python = |reason: String| Error::NotPython { executable: executable.to_path_buf(), reason };
    // As in `Python 3.14.0 free-threading build (main, Oct  7 2025, 12:00:00) [GCC 14.2.0]`.
    let line = answer.lines().next().unwrap_or_default();
    let description = line.strip_prefix("Python ");
    let description = description.ok_or_else(|| not_python("it does not tell its version".to_owned()))?;
    let version = description.split(' ').next().unwrap_or_default();
    let version: PythonVersion =
        version.parse().map_err(|_| not_python(format!("it calls its version `{version}`")))?;
    if (version.major, version.minor) < OLDEST {
        return Err(too_old(version.to_string()));
    }
    let before_parenthesis = description.split('(').next().unwrap_or_default();
    Ok((version, before_parenthesis.contains("free-threading")))
}

/// Returns the facts about the base interpreter behind an executable: from the cache in the folder `cache`,
/// or by starting it.
///
/// # Errors
/// When there is no such executable, it does not answer like a Python interpreter, or its version is not
/// supported.
pub fn query(executable: &Path, cache: &Path) -> Result<Interpreter, Error> {
    Prober { cache, working_directory: Path::new("."), timeout: TIMEOUT }.ask(executable)
}

/// How executables are asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prober<'a> {
    /// The folder of the cache.
    pub(super) cache: &'a Path,
    /// Where relative paths begin, and where shims look for their settings.
    pub(super) working_directory: &'a Path,
    /// How long one start may take.
    pub(super) timeout: Duration,
}

/// The script's answer.
#[derive(Deserialize)]
struct Facts {
    #[serde(flatten)]
    interpreter: Interpreter,
    libc_file: Option<PathBuf>,
}

impl Prober<'_> {
    /// Returns the base interpreter behind an executable.
    ///
    /// # Errors
    /// As [`query`].
    pub(super) fn ask(&self, executable: &Path) -> Result<Interpreter, Error> {
        let answer = self.follow(executable, REDIRECTION_LIMIT)?.0;
        match answer {
            Answer::Usable(interpreter) => Ok(*interpreter),
            Answer::TooOld(version) => Err(Error::TooOld { executable: executable.to_path_buf(), version }),
        }
    }

    /// Returns the answer with the files that it depends on.
    fn follow(&self, executable: &Path, redirections: u32) -> Result<(Answer, Vec<Stamp>), Error> {
        let target = target(executable, self.working_directory)?;
        let (path, stamp) = (&target.path, Stamp::of(&target.path));
        if !target.is_shim
            && let Some(remembered) = cache::load(self.cache, path)
        {
            return Ok(remembered);
        }
        let (answer, others) = self.answer_of(path, executable, redirections)?;
        let files: Vec<_> = stamp.into_iter().chain(others).collect();
        if !target.is_shim {
            cache::store(self.cache, path, files.clone(), &answer);
        }
        Ok((answer, files))
    }

    /// Starts `path`; where it turns out to be a wrapper, goes on with what is behind it. Returns the answer
    /// with the files that it depends on besides `path`.
    fn answer_of(&self, path: &Path, named: &Path, redirections: u32) -> Result<(Answer, Vec<Stamp>), Error> {
        let Some(mut facts) = self.facts(path)? else {
            return Ok((Answer::TooOld("2".to_owned()), Vec::new()));
        };
        let version = &facts.interpreter.version;
        if (version.major, version.minor) < OLDEST {
            return Ok((Answer::TooOld(version.to_string()), Vec::new()));
        }
        let not_python =
            |reason: &str| Error::NotPython { executable: path.to_path_buf(), reason: reason.to_owned() };
        check(&facts.interpreter).map_err(not_python)?;
        let behind = target(&facts.interpreter.executable, self.working_directory)?.path;
        if behind == path || fs::canonicalize(path).is_ok_and(|real| real == behind) {
            facts.interpreter.executable = stable_executable(&behind);
            let library = facts.libc_file.as_deref().and_then(Stamp::of);
            return Ok((Answer::Usable(Box::new(facts.interpreter)), library.into_iter().collect()));
        }
        let redirections =
            redirections.checked_sub(1).ok_or_else(|| Error::Endless { executable: named.to_path_buf() })?;
        self.follow(&behind, redirections)
    }

    /// Starts an executable and reads its facts; `None` if it is older than isolated mode (Python 3.4).
    fn facts(&self, executable: &Path) -> Result<Option<Facts>, Error> {
        let arguments = ["-I", "-S", "-B", "-c", SCRIPT];
        let Some(output) = self.start(executable, &arguments)? else { return Ok(None) };
        let not_python = |reason: String| Error::NotPython { executable: executable.to_path_buf(), reason };
        let line = output.lines().rev().find_map(|line| line.strip_prefix(MARKER));
        let line = line.ok_or_else(|| not_python("its output has no facts".to_owned()))?;
        serde_json::from_str(line).map(Some).map_err(|error| not_python(error.to_string()))
    }

    /// Starts an executable, and returns what it says; `None` as above.
    fn start(&self, executable: &Path, arguments: &[&str]) -> Result<Option<String>, Error> {
        let mut command = Command::new(executable);
        command.args(arguments).current_dir(self.working_directory);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // On macOS, an old build would otherwise be told that the system is version 10.16.
        command.env("SYSTEM_VERSION_COMPAT", "0");
        for name in MISLEADING_VARIABLES {
            command.env_remove(name);
        }
        // What a wrapper started ends together with it, where processes have groups.
        platform::lead_group(&mut command);
        let child = command
            .spawn()
            .map_err(|source| Error::Start { executable: executable.to_path_buf(), source })?;
        let (status, output, errors) = Running::new(child, executable, self.timeout).finish()?;
        if !status.success() {
            if errors.contains("Unknown option: -I") {
                return Ok(None);
            }
            // Another program than Python takes the script for the name of a file, or one of the options for none of its own.
            let name = executable.file_name().unwrap_or_default().to_string_lossy();
            let is_named_so = name.contains("py") || errors.contains("Traceback (most recent call last)");
            if !is_named_so || SCRIPT.lines().next().is_some_and(|line| errors.contains(line)) {
                return Err(Error::NotPython {
                    executable: executable.to_path_buf(),
                    reason: format!("it ended with {status} when it was asked for its version"),
                });
            }
            let output = reason(&errors);
            return Err(Error::Failed {
                executable: executable.to_path_buf(),
                status: status.to_string(),
                output,
            });
        }
        Ok(Some(String::from_utf8_lossy(&output).into_owned()))
    }
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::testing::{Fakes, facts};
    use super::*;

    /// An interpreter of this machine.
    fn real_python(fakes: &Fakes) -> Interpreter {
        let sources = super::super::Sources::from_environment(&fakes.pythons, &fakes.cache, &fakes.root);
        super::super::find(None, &sources).unwrap()
    }

    #[test]
    fn a_real_interpreter_tells_the_truth() {
        let fakes = Fakes::new();
        let python = real_python(&fakes);
        let script = "import os, sys, sysconfig; print(sys.base_prefix); print(os.__file__); \
                      print('%d.%d.%d' % sys.version_info[:3]); print(sysconfig.get_platform())";
        let output = Command::new(&python.executable).args(["-c", script]).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(python.prefix, Path::new(lines[0]));
        assert_eq!(python.stdlib.join("os.py"), Path::new(lines[1]));
        assert!(python.version.to_string().starts_with(lines[2]));
        assert_eq!(python.platform, lines[3]);
        assert_eq!(python.markers.len(), 11);
        assert_eq!(python.markers["python_full_version"], python.version.to_string());
        assert!(python.purelib.starts_with("lib") && python.purelib.ends_with("site-packages"));
        assert!(python.platlib.starts_with(&python.platlibdir));
        let script = "import site; print('\\n'.join(site.getsitepackages()))";
        let output = Command::new(&python.executable).args(["-c", script]).output().unwrap();
        let packages = python.packages.iter().map(|folder| format!("{}\n", folder.display()));
        assert_eq!(packages.collect::<String>(), String::from_utf8(output.stdout).unwrap());
    }

    #[test]
    fn an_introduction_tells_the_same() {
        let python = real_python(&Fakes::new());
        assert_eq!(probe_version(&python.executable).unwrap(), (python.version, python.free_threaded));
        assert!(matches!(probe_version(Path::new("/bin/true")), Err(Error::NotPython { .. })));
        assert!(matches!(probe_version(Path::new("/no/such/python")), Err(Error::Start { .. })));
    }

    #[test]
    fn interpreters_introduce_themselves_in_different_words() {
        let fakes = Fakes::new();
        for (words, version, free_threaded) in [
            ("Python 3.8.18 (default, Nov 21 2026, 07:31:42) \n[GCC 12.2.0]", "3.8.18", false),
            ("Python 3.13.9 (main, free-threading build) [Clang 21]", "3.13.9", false),
            (
                "Python 3.13.9 experimental free-threading build (main, Nov 21 2026) [Clang 21]",
                "3.13.9",
                true,
            ),
            ("Python 3.14.0rc2 free-threading build (main, Nov 21 2026) [Clang 21]", "3.14.0rc2", true),
            ("Python 3.11.13 (413c9b7f57f5, Jul 03 2025)\n[PyPy 7.3.20 with GCC 10.2.1]", "3.11.13", false),
        ] {
            let path = fakes.script("bin/python3", &format!("echo '{words}'"));
            let (found, threading) = probe_version(&path).unwrap();
            assert_eq!((found.to_string().as_str(), threading), (version, free_threaded), "{words}");
        }
        for words in ["", "Python", "Python three", "Perl 5.40.0"] {
            let path = fakes.script("bin/python3", &format!("echo '{words}'"));
            assert!(matches!(probe_version(&path), Err(Error::NotPython { .. })), "{words}");
        }
        let path = fakes.script("bin/python3", "echo 'Python 3.7.17 (default)'");
        assert!(matches!(probe_version(&path), Err(Error::TooOld { .. })));
    }

    #[test]
    fn markers_are_what_the_module_platform_says() {
        let fakes = Fakes::new();
        let python = real_python(&fakes);
        let script = "import platform as p; print(p.machine(), p.python_implementation(), p.release(), p.system(), \
                      p.version(), p.python_version(), '.'.join(p.python_version_tuple()[:2]), sep='\\n')";
        let output = Command::new(&python.executable).args(["-c", script]).output().unwrap();
        let expected = String::from_utf8(output.stdout).unwrap();
        let names = ["machine", "python_implementation", "release", "system", "version"];
        let names = names.map(|name| format!("platform_{name}")).into_iter();
        let names = names.chain(["python_full_version".to_owned(), "python_version".to_owned()]);
        let found: String = names.map(|name| python.markers[&name].clone() + "\n").collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_script_writes_json_as_others_read_it() {
        let python = real_python(&Fakes::new());
        let check = "\nimport json\n\
            odd = {'a\"b\\\\': [True, False, None, -3, 'tab\\t\\x7f \u{fc} \u{1f600}', [], {}], 'c': '\\udc80'}\n\
            assert json.loads(as_json(odd)) == odd, as_json(odd)\n\
            assert json.loads(as_json(facts())) == facts()\n";
        let output =
            Command::new(&python.executable).arg("-c").arg(SCRIPT.to_owned() + check).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn a_second_question_starts_nothing() {
        let fakes = Fakes::new();
        let path = fakes.python("bin/python3.12", "3.12.1");
        let first = fakes.ask(&path).unwrap();
        assert_eq!(first, facts(&path, "3.12.1"));
        assert_eq!(fakes.ask("bin/python3.12").unwrap(), first);
        assert_eq!(fakes.ask(fakes.link(&path, "elsewhere/python")).unwrap(), first);
        assert_eq!(fakes.starts(), ["bin/python3.12"]);
        // An interpreter that was replaced is asked again.
        fakes.python("bin/python3.12", "3.12.22");
        assert_eq!(fakes.ask(&path).unwrap().version.micro, 22);
        assert_eq!(fakes.starts().len(), 2);
    }

    #[test]
    fn a_wrapper_leads_to_the_interpreter_behind_it() {
        let fakes = Fakes::new();
        let real = fakes.python("opt/bin/python3.12", "3.12.1");
        let body = format!("{}\nexec {} \"$@\"", fakes.note(), real.display());
        let wrapper = fakes.script("bin/python3", &body);
        assert_eq!(fakes.ask(&wrapper).unwrap().executable, real);
        let starts = fakes.starts().len();
        assert_eq!(fakes.ask(&wrapper).unwrap().executable, real);
        assert_eq!(fakes.starts().len(), starts);
        // The wrapper's answer goes with the file behind it.
        fakes.python("opt/bin/python3.12", "3.12.22");
        assert_eq!(fakes.ask(&wrapper).unwrap().version.micro, 22);
    }

    #[test]
    fn a_shim_is_asked_every_time_and_its_interpreter_once() {
        let fakes = Fakes::new();
        let [old, new] =
            ["3.11.7", "3.12.1"].map(|version| fakes.python(&format!("v/{version}/python3"), version));
        fakes.file("choice", "3.11.7");
        let shim = fakes.script(
            "shims/python3",
            &format!("exec {}/v/$(cat choice)/python3 \"$@\"", fakes.root.display()),
        );
        assert_eq!(fakes.ask(&shim).unwrap().executable, old);
        fakes.file("choice", "3.12.1");
        assert_eq!(fakes.ask(&shim).unwrap().executable, new);
        // One program under many names decides by the name it was called by.
        let body = format!("case $0 in */python3) exec {} \"$@\";; esac; exit 1", new.display());
        let program = fakes.script("manager/multicall", &body);
        assert_eq!(fakes.ask(fakes.link(&program, "manager/links/python3")).unwrap().executable, new);
    }

    #[test]
    fn wrappers_that_lead_in_circles_are_an_error() {
        let fakes = Fakes::new();
        let [one, two] = ["one/python3", "two/python3"].map(|path| fakes.root.join(path));
        fakes.interpreter("one/python3", &facts(&two, "3.12.1"));
        fakes.interpreter("two/python3", &facts(&one, "3.12.1"));
        assert!(matches!(fakes.ask(&one), Err(Error::Endless { .. })));
    }

    #[test]
    fn real_venvs_lead_to_the_real_interpreter() {
        let fakes = Fakes::new();
        let python = real_python(&fakes);
        for option in ["--symlinks", "--copies"] {
            let venv = fakes.root.join(option);
            let arguments = ["-I", "-m", "venv", "--without-pip", option];
            let status = Command::new(&python.executable).args(arguments).arg(&venv).status().unwrap();
            assert!(status.success());
            assert_eq!(fakes.ask(venv.join("bin/python")).unwrap(), python);
        }
    }

    #[test]
    fn what_is_no_interpreter_is_told_apart() {
        let fakes = Fakes::new();
        let reason = |path: PathBuf| fakes.ask(path).unwrap_err();
        let garbage = reason(fakes.script("garbage/python3", "echo hello; head -c 5000 /dev/urandom"));
        assert!(matches!(garbage, Error::NotPython { .. }), "{garbage}");
        let half = reason(fakes.script("half/python3", &format!("echo '{MARKER}{{\"version\": \"3.12.1\"'")));
        assert!(matches!(half, Error::NotPython { .. }), "{half}");
        let failing = reason(fakes.script("failing/python3", "echo 'cannot open libpython' >&2; exit 3"));
        assert!(failing.to_string().ends_with("(exit status: 3): cannot open libpython"), "{failing}");
        let text = fakes.root.join("text/python3");
        fakes.file("text/python3", "not a program");
        assert!(matches!(reason(text), Error::Start { .. }));
        assert!(matches!(reason(fakes.root.join("missing/python3")), Error::Missing { .. }));
    }

    #[test]
    fn facts_that_lead_out_of_the_venv_are_refused() {
        let fakes = Fakes::new();
        let good = facts(&fakes.root.join("bin/python3"), "3.12.1");
        let bad = [
            Interpreter { purelib: PathBuf::from("/usr/lib"), ..good.clone() },
            Interpreter { platlib: PathBuf::from("lib/../../.."), ..good.clone() },
            Interpreter { platlibdir: "../lib".to_owned(), ..good.clone() },
            Interpreter { executable: PathBuf::from("python3"), ..good.clone() },
        ];
        for facts in bad {
            let error = fakes.ask(fakes.interpreter("bin/python3", &facts)).unwrap_err();
            assert!(matches!(error, Error::NotPython { .. }), "{error}");
        }
        assert_eq!(fakes.ask(fakes.interpreter("bin/python3", &good)).unwrap(), good);
    }

    #[test]
    fn endless_output_ends_at_the_limit() {
        let fakes = Fakes::new();
        for stream in ["1", "2"] {
            let path = fakes
                .script(&format!("{stream}/python3"), &format!("head -c 100000000 /dev/zero >&{stream}"));
            let error = fakes.ask(path).unwrap_err();
            let is_refused = matches!(error, Error::NotPython { .. } | Error::Failed { .. });
            assert!(is_refused, "{error}");
        }
    }

    #[test]
    fn a_hanging_interpreter_and_what_it_started_are_ended() {
        let fakes = Fakes::new();
        let inquiry = Prober {
            cache: &fakes.cache,
            working_directory: &fakes.root,
            timeout: Duration::from_millis(300),
        };
        let bodies = [
            "sleep 60",
            "sleep 60 & wait",
            "exec >&- 2>&-; sleep 60",
            "trap '' TERM; while :; do sleep 60; done",
        ];
        for (number, body) in bodies.iter().enumerate() {
            let path = fakes.script(&format!("{number}/python3"), body);
            let begin = Instant::now();
            let error = inquiry.ask(&path).unwrap_err();
            assert!(matches!(error, Error::TimedOut { .. }), "{body}: {error}");
            assert!(begin.elapsed() < Duration::from_secs(20), "{body}");
        }
    }

    #[test]
    fn old_versions_are_refused_and_remembered() {
        let fakes = Fakes::new();
        let old = fakes.python("bin/python3.7", "3.7.16");
        let body = format!("{}\necho 'Unknown option: -I' >&2; exit 2", fakes.note());
        let ancient = fakes.script("bin/python2.7", &body);
        for _ in 0..2 {
            let error = fakes.ask(&old).unwrap_err();
            assert!(matches!(&error, Error::TooOld { version, .. } if version == "3.7.16"), "{error}");
            let error = fakes.ask(&ancient).unwrap_err();
            assert!(matches!(&error, Error::TooOld { version, .. } if version == "2"), "{error}");
        }
        assert_eq!(fakes.starts(), ["bin/python3.7", "bin/python2.7"]);
    }
}
