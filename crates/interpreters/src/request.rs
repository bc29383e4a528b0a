//! What a user asks for with `--python`: a version, a range of versions, an implementation, a command or a
//! path. Besides matching known interpreters, a request tells from a [`NameHint`] alone whether starting an
//! interpreter could be worth the time.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::Interpreter;
use super::hint::NameHint;
use super::range::{RangeError, VersionRange};
use super::version::{OLDEST, split_release, write_numbers};

/// The newest minor version whose executable names are looked for in folders that are too large to list.
const NEWEST_MINOR: u32 = 40;

/// Which interpreter is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonRequest {
    /// Any interpreter: `python`, or an empty text.
    Any,
    /// An implementation, a version, or both: `3.12`, `3.13t`, `pypy3.10`, `python3`.
    Version(VersionRequest),
    /// A range of versions: `>=3.9,<3.13`.
    Range(VersionRange),
    /// An executable, a venv or the folder of an installation.
    Path(PathBuf),
    /// A name that says nothing: a file in the working directory, or a command on `PATH`.
    Name(String),
}

/// An implementation, a version, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRequest {
    /// `cpython`, `pypy`, ...; a bare version means `CPython`. `None` (from `python3.12`) leaves it open.
    pub implementation: Option<String>,
    /// None to three numbers: the leading part of the version that is wanted.
    pub release: Vec<u32>,
    /// `rc1` and the like: then exactly this pre-release is wanted.
    pub suffix: String,
    /// Whether the build without the global interpreter lock is wanted (PEP 703).
    pub free_threaded: bool,
}

impl FromStr for PythonRequest {
    type Err = RangeError;

    /// Reads a request. Only a text that starts like a range can be wrong; everything else is at least a
    /// name.
    fn from_str(text: &str) -> Result<Self, RangeError> {
        let text = text.trim();
        if text.is_empty() || text == "python" {
            return Ok(Self::Any);
        }
        if text.starts_with(['<', '>', '=', '!', '~']) && !text.starts_with("~/") {
            return text.parse().map(Self::Range);
        }
        if text.contains('/') || text == "." || text == ".." {
            return Ok(Self::Path(PathBuf::from(text)));
        }
        Ok(text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Version))
    }
}

impl PythonRequest {
    /// Whether an interpreter is what was asked for. A path or a name says where to look, and fits any.
    pub fn matches(&self, interpreter: &Interpreter) -> bool {
        match self {
            Self::Any | Self::Path(_) | Self::Name(_) => true,
            Self::Range(range) => range.contains(&interpreter.version),
            Self::Version(request) => request.matches(interpreter),
        }
    }

    /// Whether an interpreter of which only a name is known may fit.
    pub(super) fn may_match(&self, hint: &NameHint) -> bool {
        if !hint.may_be_supported() {
            return false;
        }
        match self {
            Self::Any | Self::Path(_) | Self::Name(_) => true,
            Self::Range(range) => range.may_contain(&hint.release),
            Self::Version(request) => request.may_match(hint),
        }
    }

    /// The file names under which a fitting interpreter may stand in a folder, best first.
    pub(super) fn executable_names(&self) -> Vec<String> {
        let plain = ["python3".to_owned(), "python".to_owned()];
        let numbered = || (OLDEST.1..=NEWEST_MINOR).rev().map(|minor| format!("python3.{minor}"));
        match self {
            Self::Any | Self::Path(_) => plain.to_vec(),
            Self::Name(name) => vec![name.clone()],
            Self::Range(_) => numbered().chain(plain).collect(),
            Self::Version(request) => request.executable_names(),
        }
    }
}

/// Every file name under which an interpreter may stand in a folder, best first.
pub(super) fn all_executable_names() -> Vec<String> {
    let minors = || (OLDEST.1..=NEWEST_MINOR).rev();
    ["python3".to_owned(), "python".to_owned()]
        .into_iter()
        .chain(minors().map(|minor| format!("python3.{minor}")))
        .chain(minors().map(|minor| format!("python3.{minor}t")))
        .chain(["pypy3".to_owned(), "pypy".to_owned(), "graalpy".to_owned()])
        .chain(minors().map(|minor| format!("pypy3.{minor}")))
        .collect()
}

impl fmt::Display for PythonRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("python"),
            Self::Version(request) => request.fmt(formatter),
            Self::Range(range) => range.fmt(formatter),
            Self::Path(path) => path.display().fmt(formatter),
            Self::Name(name) => formatter.write_str(name),
        }
    }
}

/// A text that is no implementation and version; the caller takes it for a name then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an implementation or a version")]
pub struct NotAVersion;

impl FromStr for VersionRequest {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let split = text.find(|character: char| character.is_ascii_digit()).unwrap_or(text.len());
        let (name, version) = text.split_at(split);
        let name = name.strip_suffix(['-', '@']).unwrap_or(name);
        let implementation = match name {
            "" | "cpython" => Some("cpython".to_owned()),
            "python" => None,
            "pypy" | "graalpy" => Some(name.to_owned()),
            _ => return Err(NotAVersion),
        };
        let (version, free_threaded) = match version.strip_suffix("+freethreaded") {
            Some(version) => (version, true),
            None => version.strip_suffix('t').map_or((version, false), |version| (version, true)),
        };
        if version.is_empty() {
            let complete =
                !free_threaded && !name.is_empty() && split == text.len() && !text.ends_with(['-', '@']);
            return if complete { Ok(Self::new(implementation)) } else { Err(NotAVersion) };
        }
        let (mut release, suffix) = split_release(version).ok_or(NotAVersion)?;
        if release.len() > 3 || (!suffix.is_empty() && release.len() < 2) {
            return Err(NotAVersion);
        }
        if !suffix.is_empty() {
            release.resize(3, 0);
        }
        Ok(Self { implementation, release, suffix: suffix.to_owned(), free_threaded })
    }
}

impl VersionRequest {
    fn new(implementation: Option<String>) -> Self {
        Self { implementation, release: Vec::new(), suffix: String::new(), free_threaded: false }
    }

    /// Whether it names one release and no other will do.
    pub fn is_exact(&self) -> bool {
        self.release.len() == 3
    }

    /// Whether nothing that this request could mean is supported by virtpy.
    pub(super) fn is_too_old(&self) -> bool {
        match self.release[..] {
            [] => false,
            [major] => major < OLDEST.0,
            [major, minor, ..] => (major, minor) < OLDEST,
        }
    }

    fn matches(&self, interpreter: &Interpreter) -> bool {
        let version = &interpreter.version;
        self.implementation.as_ref().is_none_or(|name| *name == interpreter.implementation)
            && version.release().starts_with(&self.release)
            && (self.suffix.is_empty() || self.suffix == version.suffix)
            && self.accepts_threading(interpreter.free_threaded)
    }

    /// From two numbers on, the ordinary build and the free-threaded one are two different answers.
    fn accepts_threading(&self, free_threaded: bool) -> bool {
        self.free_threaded == free_threaded || (!self.free_threaded && self.release.len() < 2)
    }

    fn may_match(&self, hint: &NameHint) -> bool {
        let implementation = match (&self.implementation, &hint.implementation) {
            (Some(wanted), Some(known)) => wanted == known,
            _ => true,
        };
        let release = self.release.iter().zip(&hint.release).all(|(wanted, known)| wanted == known);
        implementation && release && (!hint.free_threaded || self.accepts_threading(true))
    }

    fn executable_names(&self) -> Vec<String> {
        let name = match self.implementation.as_deref() {
            None | Some("cpython") => "python",
            Some(other) => other,
        };
        let mut names = Vec::new();
        if let [major, minor, ..] = self.release[..] {
            if self.free_threaded {
                names.push(format!("{name}{major}.{minor}t"));
            }
            names.push(format!("{name}{major}.{minor}"));
        }
        names.extend([format!("{name}3"), name.to_owned()]);
        if self.release.len() < 2 {
            let suffix = if self.free_threaded { "t" } else { "" };
            names.extend((OLDEST.1..=NEWEST_MINOR).rev().map(|minor| format!("{name}3.{minor}{suffix}")));
        }
        names
    }
}

impl fmt::Display for VersionRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.implementation.as_deref() {
            None => formatter.write_str("python")?,
            Some("cpython") if !self.release.is_empty() => {}
            Some(other) => formatter.write_str(other)?,
        }
        write_numbers(formatter, &self.release)?;
        formatter.write_str(&self.suffix)?;
        formatter.write_str(if self.free_threaded { "t" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::Path;

    use super::super::testing::facts;
    use super::*;

    fn request(text: &str) -> PythonRequest {
        text.parse().unwrap()
    }

    fn interpreter(implementation: &str, version: &str, free_threaded: bool) -> Interpreter {
        let implementation = implementation.to_owned();
        Interpreter { implementation, free_threaded, ..facts(Path::new("/opt/python"), version) }
    }

    #[test]
    fn versions_are_read_and_written() {
        let cases = [
            ("3", "3"),
            ("3.12", "3.12"),
            (" 3.12.1 ", "3.12.1"),
            ("3.13t", "3.13t"),
            ("3.13+freethreaded", "3.13t"),
            ("3.14rc1", "3.14.0rc1"),
            ("python3", "python3"),
            ("python3.11", "python3.11"),
            ("cpython-3.11", "3.11"),
            ("cpython@3.11.4", "3.11.4"),
            ("cpython", "cpython"),
            ("pypy", "pypy"),
            ("pypy3.10", "pypy3.10"),
            ("pypy@3.10", "pypy3.10"),
            ("2.7", "2.7"),
        ];
        for (text, written) in cases {
            let request = request(text);
            assert!(matches!(request, PythonRequest::Version(_)), "{text}: {request:?}");
            assert_eq!(request.to_string(), written);
            assert_eq!(self::request(written), request);
        }
    }

    #[test]
    fn other_requests_are_told_apart() {
        assert_eq!(request(""), PythonRequest::Any);
        assert_eq!(request("python"), PythonRequest::Any);
        for path in ["/usr/bin/python3", "./python", "venv/bin/python", ".", "..", "~/venv", "3.12/"] {
            assert_eq!(request(path), PythonRequest::Path(PathBuf::from(path)));
        }
        for name in
            ["venv", "pypy-", "3.12.1.4", "3x", "3.", "t", "cpython+freethreaded", "python-dev", "jython"]
        {
            assert_eq!(request(name), PythonRequest::Name(name.to_owned()));
        }
        assert!(matches!(request(">=3.9,<3.13"), PythonRequest::Range(_)));
        assert!(matches!(request("~=3.9"), PythonRequest::Range(_)));
        assert_eq!("=>3".parse::<PythonRequest>().unwrap_err().clause, "=>3");
    }

    #[test]
    fn a_request_matches_what_it_names() {
        let cpython = interpreter("cpython", "3.13.2", false);
        let threaded = interpreter("cpython", "3.13.2", true);
        let pypy = interpreter("pypy", "3.10.14", false);
        let candidate = interpreter("cpython", "3.14.0rc1", false);
        let cases: [(&str, [bool; 4]); 13] = [
            ("python", [true, true, true, true]),
            ("3", [true, true, false, true]),
            ("python3", [true, true, true, true]),
            ("3.13", [true, false, false, false]),
            ("3.13.2", [true, false, false, false]),
            ("3.1", [false, false, false, false]),
            ("3.13t", [false, true, false, false]),
            ("3.14", [false, false, false, true]),
            ("3.14.0rc1", [false, false, false, true]),
            ("3.14.0rc2", [false, false, false, false]),
            ("pypy", [false, false, true, false]),
            ("pypy3.10", [false, false, true, false]),
            (">=3.10,<3.14", [true, true, true, false]),
        ];
        for (text, expected) in cases {
            let found = [&cpython, &threaded, &pypy, &candidate].map(|one| request(text).matches(one));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_name_rules_out_only_what_cannot_match() {
        let cases = [
            ("3.12", "python3.8", false),
            ("3.12", "python3", true),
            ("3.12", "python", true),
            ("3.12", "python3.12", true),
            ("3.12", "3.12.1", true),
            ("3.12", "3.13.0", false),
            ("3.12.1", "python3.12", true),
            ("3.12.1", "3.12.2", false),
            ("3.13", "3.13.0t", false),
            ("3", "3.13.0t", true),
            ("3.13t", "python3.13", true),
            ("3.10", "pypy3.10-7.3.15", false),
            ("python3.10", "pypy3.10-7.3.15", true),
            ("pypy", "3.10.1", false),
            ("pypy", "python3", true),
            ("3.12", "miniconda3-4.7.12", true),
            (">=3.12.4", "python3.12", true),
            (">=3.12.4", "3.12.3", false),
            ("python", "python2.7", false),
            ("python", "3.7.16", false),
            ("python", "3.8.18", true),
        ];
        for (text, name, expected) in cases {
            assert_eq!(
                request(text).may_match(&NameHint::of(OsStr::new(name))),
                expected,
                "{text} in {name}"
            );
        }
    }

    #[test]
    fn the_most_exact_name_is_tried_first() {
        assert_eq!(request("3.12.1").executable_names(), ["python3.12", "python3", "python"]);
        assert_eq!(request("3.13t").executable_names(), ["python3.13t", "python3.13", "python3", "python"]);
        assert_eq!(request("pypy3.10").executable_names(), ["pypy3.10", "pypy3", "pypy"]);
        assert_eq!(request("python").executable_names(), ["python3", "python"]);
        let names = request(">=3.9").executable_names();
        let place = |wanted: &str| names.iter().position(|name| name == wanted).unwrap();
        assert!(place("python3.13") < place("python3.12") && place("python3.12") < place("python3"));
    }

    #[test]
    fn too_old_versions_are_known_without_a_search() {
        let is_too_old = |text: &str| text.parse::<VersionRequest>().unwrap().is_too_old();
        assert!(["2", "2.7", "3.7", "3.7.16", "python3.6"].map(is_too_old).iter().all(|old| *old));
        assert!(!["3", "3.8", "3.14", "pypy", "4"].map(is_too_old).iter().any(|old| *old));
    }
}
