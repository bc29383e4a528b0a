//! What a user asks for with `--python`: a version, a range of versions, an implementation, a command or a
//! path. Besides matching known interpreters, a request tells from a file's or a folder's name alone whether
//! starting that interpreter could be worth the time.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::Interpreter;
use super::version::{PythonVersion, split_release};

/// The newest minor version whose executable names are looked for in folders that are too large to list.
const NEWEST_MINOR: u32 = 40;
/// The oldest Python that virtpy makes venvs for, as `(major, minor)`.
pub(super) const OLDEST: (u32, u32) = (3, 8);

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
    /// `cpython`, `pypy`, ...; a bare version means CPython. `None` (from `python3.12`) leaves it open.
    pub implementation: Option<String>,
    /// None to three numbers: the leading part of the version that is wanted.
    pub release: Vec<u32>,
    /// `rc1` and the like: then exactly this pre-release is wanted.
    pub suffix: String,
    /// Whether the build without the global interpreter lock is wanted (PEP 703).
    pub free_threaded: bool,
}

/// Version specifiers in the sense of PEP 440, applied to the numbers of a version; pre-release suffixes are
/// left out of the comparison, as installers do for `Requires-Python`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange {
    clauses: Vec<Clause>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Clause {
    operator: Operator,
    numbers: Vec<u32>,
    /// Whether `.*` follows the numbers.
    wildcard: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtLeast,
    AtMost,
    Below,
    Above,
    Equal,
    NotEqual,
    Compatible,
}

/// The operators and how they are written; those of two characters first, so that `>=` is not read as `>`.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("~=", Operator::Compatible),
    ("<", Operator::Below),
    (">", Operator::Above),
];

/// A part of a version range that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{clause}` is not a version specifier")]
pub struct RangeError {
    /// The part between two commas.
    pub clause: String,
}

impl RangeError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some("a range looks like `>=3.9,<3.13`, `==3.12.*` or `~=3.11`".to_owned())
    }
}

impl FromStr for PythonRequest {
    type Err = RangeError;

    /// Reads a request. Only a text that starts like a range can be wrong; everything else is at least a name.
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
        Ok(text
            .parse()
            .map_or_else(|_| Self::Name(text.to_owned()), Self::Version))
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
        let numbered = || {
            (OLDEST.1..=NEWEST_MINOR)
                .rev()
                .map(|minor| format!("python3.{minor}"))
        };
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
        let split = text
            .find(|character: char| character.is_ascii_digit())
            .unwrap_or(text.len());
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
            None => version
                .strip_suffix('t')
                .map_or((version, false), |version| (version, true)),
        };
        if version.is_empty() {
            let complete =
                !free_threaded && !name.is_empty() && split == text.len() && !text.ends_with(['-', '@']);
            return if complete {
                Ok(Self::new(implementation))
            } else {
                Err(NotAVersion)
            };
        }
        let (mut release, suffix) = split_release(version).ok_or(NotAVersion)?;
        if release.len() > 3 || (!suffix.is_empty() && release.len() < 2) {
            return Err(NotAVersion);
        }
        if !suffix.is_empty() {
            release.resize(3, 0);
        }
        Ok(Self {
            implementation,
            release,
            suffix: suffix.to_owned(),
            free_threaded,
        })
    }
}

impl VersionRequest {
    fn new(implementation: Option<String>) -> Self {
        Self {
            implementation,
            release: Vec::new(),
            suffix: String::new(),
            free_threaded: false,
        }
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
        self.implementation
            .as_ref()
            .is_none_or(|name| *name == interpreter.implementation)
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
        let release = self
            .release
            .iter()
            .zip(&hint.release)
            .all(|(wanted, known)| wanted == known);
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
            names.extend(
                (OLDEST.1..=NEWEST_MINOR)
                    .rev()
                    .map(|minor| format!("{name}3.{minor}{suffix}")),
            );
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

fn write_numbers(formatter: &mut fmt::Formatter<'_>, numbers: &[u32]) -> fmt::Result {
    for (index, number) in numbers.iter().enumerate() {
        let dot = if index == 0 { "" } else { "." };
        write!(formatter, "{dot}{number}")?;
    }
    Ok(())
}

impl FromStr for VersionRange {
    type Err = RangeError;

    /// Reads specifiers between commas: `>=`, `<=`, `<`, `>`, `==`, `!=` or `~=`, then one to three numbers;
    /// `.*` may follow them after `==` and `!=`.
    fn from_str(text: &str) -> Result<Self, RangeError> {
        let clauses = text
            .split(',')
            .map(|clause| clause.trim().parse())
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { clauses })
    }
}

impl FromStr for Clause {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let error = || RangeError {
            clause: text.to_owned(),
        };
        let (operator, version) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| text.strip_prefix(sign).map(|version| (*operator, version.trim())))
            .ok_or_else(error)?;
        let (version, wildcard) = version
            .strip_suffix(".*")
            .map_or((version, false), |version| (version, true));
        let (numbers, suffix) = split_release(version).ok_or_else(error)?;
        let may_be_wild = matches!(operator, Operator::Equal | Operator::NotEqual);
        let too_short = operator == Operator::Compatible && numbers.len() < 2;
        if numbers.len() > 3 || !suffix.is_empty() || (wildcard && !may_be_wild) || too_short {
            return Err(error());
        }
        Ok(Self {
            operator,
            numbers,
            wildcard,
        })
    }
}

impl VersionRange {
    /// Whether the version's numbers satisfy every specifier.
    pub fn contains(&self, version: &PythonVersion) -> bool {
        self.contains_release(version.release())
    }

    fn contains_release(&self, release: [u32; 3]) -> bool {
        self.clauses.iter().all(|clause| clause.contains(release))
    }

    /// Whether some version that starts with these numbers is in the range.
    fn may_contain(&self, known: &[u32]) -> bool {
        match *known {
            [major, minor, micro, ..] => self.contains_release([major, minor, micro]),
            [major, minor] => {
                // The answer can only change beside a number that a specifier names.
                let named = self
                    .clauses
                    .iter()
                    .filter_map(|clause| clause.numbers.get(2).copied());
                let beside =
                    named.flat_map(|micro| [micro.saturating_sub(1), micro, micro.saturating_add(1)]);
                [0, 1, u32::MAX]
                    .into_iter()
                    .chain(beside)
                    .any(|micro| self.contains_release([major, minor, micro]))
            }
            _ => true,
        }
    }
}

impl Clause {
    fn contains(&self, release: [u32; 3]) -> bool {
        let mut bound = [0; 3];
        bound[..self.numbers.len()].copy_from_slice(&self.numbers);
        match self.operator {
            Operator::AtLeast => release >= bound,
            Operator::AtMost => release <= bound,
            Operator::Below => release < bound,
            Operator::Above => release > bound,
            Operator::Equal if self.wildcard => release.starts_with(&self.numbers),
            Operator::Equal => release == bound,
            Operator::NotEqual if self.wildcard => !release.starts_with(&self.numbers),
            Operator::NotEqual => release != bound,
            Operator::Compatible => {
                release >= bound && release.starts_with(&self.numbers[..self.numbers.len() - 1])
            }
        }
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, clause) in self.clauses.iter().enumerate() {
            let sign = OPERATORS
                .iter()
                .find(|(_, operator)| *operator == clause.operator)
                .map_or("", |pair| pair.0);
            formatter.write_str(if index == 0 { "" } else { "," })?;
            formatter.write_str(sign)?;
            write_numbers(formatter, &clause.numbers)?;
            formatter.write_str(if clause.wildcard { ".*" } else { "" })?;
        }
        Ok(())
    }
}

/// What the name of an executable (`python3.12`) or of an installation's folder (`3.12.1`,
/// `pypy3.10-7.3.15`, `cpython-3.13.0+freethreaded-linux-x86_64-gnu`) tells about the interpreter. Only what
/// the name is sure about is filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NameHint {
    implementation: Option<String>,
    release: Vec<u32>,
    suffix: String,
    free_threaded: bool,
}

impl NameHint {
    /// Reads a name; one that follows no known pattern tells nothing.
    pub(super) fn of(name: &OsStr) -> Self {
        let name = name.to_str().unwrap_or_default();
        let split = name
            .find(|character: char| character.is_ascii_digit())
            .unwrap_or(name.len());
        let (prefix, rest) = name.split_at(split);
        let implementation = match prefix.trim_end_matches(['-', '@']) {
            "" | "cpython" => Some("cpython".to_owned()),
            "python" => None,
            "pypy" => Some("pypy".to_owned()),
            // The number in such a name is GraalPy's own.
            "graalpy" | "graalpy-community" => {
                return Self {
                    implementation: Some("graalpy".to_owned()),
                    ..Self::default()
                };
            }
            _ => return Self::default(),
        };
        let version = rest.split(['-', '+']).next().unwrap_or_default();
        let plain = version.strip_suffix('t').unwrap_or(version);
        let Some((release, suffix)) = split_release(plain) else {
            return Self::default();
        };
        let free_threaded = plain.len() < version.len() || rest[version.len()..].starts_with("+freethreaded");
        Self {
            implementation,
            release,
            suffix: suffix.to_owned(),
            free_threaded,
        }
    }

    fn may_be_supported(&self) -> bool {
        match self.release[..] {
            [major, minor, ..] => (major, minor) >= OLDEST,
            [major] => major >= OLDEST.0,
            [] => true,
        }
    }

    /// The rank in a folder of installations, the best the greatest: CPython before others, the ordinary build
    /// before the free-threaded one, final releases before pre-releases, then the newest.
    pub(super) fn preference(&self) -> impl Ord + use<> {
        let version = PythonVersion {
            major: self.release.first().copied().unwrap_or(0),
            minor: self.release.get(1).copied().unwrap_or(0),
            // A folder named `3.12` stands for the newest 3.12.
            micro: self
                .release
                .get(2)
                .copied()
                .unwrap_or(if self.release.is_empty() { 0 } else { u32::MAX }),
            suffix: self.suffix.clone(),
        };
        let is_cpython = self.implementation.as_deref() == Some("cpython");
        (is_cpython, !self.free_threaded, !version.is_prerelease(), version)
    }
}
