//! What file and folder names tell about interpreters, so that most of them need not be started.

use std::ffi::OsStr;

use super::version::{OLDEST, PythonVersion, split_release};

/// What the name of an executable (`python3.12`) or of an installation's folder (`3.12.1`,
/// `pypy3.10-7.3.15`, `cpython-3.13.0+freethreaded-linux-x86_64-gnu`) tells about the interpreter. Only what
/// the name is sure about is filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NameHint {
    pub(super) implementation: Option<String>,
    pub(super) release: Vec<u32>,
    pub(super) suffix: String,
    pub(super) free_threaded: bool,
}

impl NameHint {
    /// Reads a name; one that follows no known pattern tells nothing.
    pub(super) fn of(name: &OsStr) -> Self {
        let name = name.to_str().unwrap_or_default();
        let split = name.find(|character: char| character.is_ascii_digit()).unwrap_or(name.len());
        let (prefix, rest) = name.split_at(split);
        let implementation = match prefix.trim_end_matches(['-', '@']) {
            "" | "cpython" => Some("cpython".to_owned()),
            "python" => None,
            "pypy" => Some("pypy".to_owned()),
            // The number in such a name is GraalPy's own.
            "graalpy" | "graalpy-community" => {
                return Self { implementation: Some("graalpy".to_owned()), ..Self::default() };
            }
            _ => return Self::default(),
        };
        let version = rest.split(['-', '+']).next().unwrap_or_default();
        let plain = version.strip_suffix('t').unwrap_or(version);
        let Some((release, suffix)) = split_release(plain) else {
            return Self::default();
        };
        let free_threaded = plain.len() < version.len() || rest[version.len()..].starts_with("+freethreaded");
        Self { implementation, release, suffix: suffix.to_owned(), free_threaded }
    }

    /// Whether virtpy may support the version, as far as it is known.
    pub(super) fn may_be_supported(&self) -> bool {
        match self.release[..] {
            [major, minor, ..] => (major, minor) >= OLDEST,
            [major] => major >= OLDEST.0,
            [] => true,
        }
    }

    /// The rank in a folder of installations, the best the greatest: `CPython` before others, the ordinary
    /// build before the free-threaded one, final releases before pre-releases, then the newest.
    pub(super) fn preference(&self) -> impl Ord + use<> {
        let version = PythonVersion {
            major: self.release.first().copied().unwrap_or(0),
            minor: self.release.get(1).copied().unwrap_or(0),
            // A folder named `3.12` stands for the newest 3.12.
            micro: self.release.get(2).copied().unwrap_or(if self.release.is_empty() { 0 } else { u32::MAX }),
            suffix: self.suffix.clone(),
        };
        let is_cpython = self.implementation.as_deref() == Some("cpython");
        (is_cpython, !self.free_threaded, !version.is_prerelease(), version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(name: &str) -> (Option<String>, Vec<u32>, bool) {
        let hint = NameHint::of(OsStr::new(name));
        (hint.implementation, hint.release, hint.free_threaded)
    }

    #[test]
    fn names_tell_implementation_version_and_build() {
        let cases: [(&str, Option<&str>, &[u32], bool); 16] = [
            ("python3.12", None, &[3, 12], false),
            ("python3.13t", None, &[3, 13], true),
            ("python3", None, &[3], false),
            ("python", None, &[], false),
            ("python2.7", None, &[2, 7], false),
            ("3.12.1", Some("cpython"), &[3, 12, 1], false),
            ("3.13.0t", Some("cpython"), &[3, 13, 0], true),
            ("3.14-dev", Some("cpython"), &[3, 14], false),
            ("3.14.0rc1", Some("cpython"), &[3, 14, 0], false),
            ("cpython-3.12.1-linux-x86_64-gnu", Some("cpython"), &[3, 12, 1], false),
            ("cpython-3.13.0+freethreaded-linux-x86_64-gnu", Some("cpython"), &[3, 13, 0], true),
            ("cpython@3.12.1", Some("cpython"), &[3, 12, 1], false),
            ("pypy3.10-7.3.15", Some("pypy"), &[3, 10], false),
            ("pypy3", Some("pypy"), &[3], false),
            ("graalpy-24.1.1", Some("graalpy"), &[], false),
            ("miniconda3-4.7.12", None, &[], false),
        ];
        for (name, implementation, release, free_threaded) in cases {
            assert_eq!(
                hint(name),
                (implementation.map(str::to_owned), release.to_vec(), free_threaded),
                "{name}"
            );
        }
    }

    #[test]
    fn the_most_wanted_installation_comes_first() {
        let wanted = [
            "3.13",
            "3.13.2",
            "3.13.1",
            "3.9.18",
            "3.14.0rc1",
            "3.14.0a2",
            "3.13.2t",
            "pypy3.11-7.3.15",
            "pypy3.10-7.3.15",
        ];
        for pair in wanted.windows(2) {
            let [better, worse] = [pair[0], pair[1]].map(|name| NameHint::of(OsStr::new(name)).preference());
            assert!(better > worse, "{} before {}", pair[0], pair[1]);
        }
    }
}
