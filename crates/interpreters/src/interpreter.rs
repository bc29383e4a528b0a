//! What is known about an interpreter.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::PythonVersion;

/// The facts about one base interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// The real executable; its folder is the `home` of a venv (PEP 405).
    pub executable: PathBuf,
    /// Its version.
    pub version: PythonVersion,
    /// `sys.implementation.name`: `cpython`, `pypy`, `graalpy`.
    pub implementation: String,
    /// `sys.base_prefix`: the folder of the installation.
    pub prefix: PathBuf,
    /// The folder of the standard library.
    pub stdlib: PathBuf,
    /// Where a venv of this interpreter keeps pure packages, relative to the venv:
    /// `lib/python3.12/site-packages`.
    pub purelib: PathBuf,
    /// Where packages with compiled parts are installed; differs from `purelib` where [`Self::platlibdir`] is
    /// `lib64`.
    pub platlib: PathBuf,
    /// The folders of packages of the installation itself, which a venv may see.
    #[serde(default)]
    pub packages: Vec<PathBuf>,
    /// `sys.platlibdir`: `lib`, or `lib64` on Fedora and its relatives.
    pub platlibdir: String,
    /// Whether it was built without the global interpreter lock (PEP 703).
    pub free_threaded: bool,
    /// `sys.abiflags`: `t` for free-threaded, `d` for debug builds.
    pub abi_flags: String,
    /// `sys.implementation.cache_tag`: the part of bytecode's names that tells whose it is, such as `cpython-312`.
    pub cache_tag: Option<String>,
    /// The number that its bytecode begins with, in hexadecimal digits.
    pub magic: String,
    /// The ABI part of extension modules' names, such as `cpython-312-x86_64-linux-gnu`.
    pub soabi: Option<String>,
    /// How extension modules end, such as `.cpython-312-x86_64-linux-gnu.so`.
    pub extension_suffix: Option<String>,
    /// `sysconfig.get_platform()`, such as `linux-x86_64` or `macosx-11.0-arm64`.
    pub platform: String,
    /// 64 or 32 bits. A 32-bit interpreter may run on a 64-bit machine.
    pub pointer_width: u32,
    /// The C library on Linux, where it is one that wheels are built for.
    pub libc: Option<Libc>,
    /// Major and minor version of macOS.
    pub macos: Option<(u32, u32)>,
    /// The environment markers of PEP 508 and their values.
    pub markers: BTreeMap<String, String>,
}

/// The C library that an interpreter runs on, which decides about manylinux and musllinux wheels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Libc {
    /// `glibc` or `musl`.
    pub family: String,
    /// The 2 of 2.36.
    pub major: u32,
    /// The 36 of 2.36.
    pub minor: u32,
}

impl Interpreter {
    /// Version and build as folders name them: `3.12`, or `3.13t` for a free-threaded build.
    pub fn tag(&self) -> String {
        let threading = if self.free_threaded { "t" } else { "" };
        format!("{}.{}{threading}", self.version.major, self.version.minor)
    }

    /// The names that a venv gives this interpreter in its `bin`, `python` first.
    pub fn executable_names(&self) -> Vec<String> {
        let (major, minor) = (self.version.major, self.version.minor);
        let mut names = vec!["python".to_owned(), format!("python{major}"), format!("python{major}.{minor}")];
        if self.free_threaded {
            names.push(format!("python{major}.{minor}t"));
        }
        if self.implementation != "cpython" {
            let name = &self.implementation;
            names.extend([name.clone(), format!("{name}{major}"), format!("{name}{major}.{minor}")]);
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::testing::facts;

    #[test]
    fn names_and_tags_follow_implementation_and_build() {
        let cpython = facts(Path::new("/opt/python"), "3.13.1");
        assert_eq!(cpython.tag(), "3.13");
        assert_eq!(cpython.executable_names(), ["python", "python3", "python3.13"]);
        let threaded = Interpreter { free_threaded: true, ..cpython.clone() };
        assert_eq!(threaded.tag(), "3.13t");
        assert_eq!(threaded.executable_names(), ["python", "python3", "python3.13", "python3.13t"]);
        let pypy =
            Interpreter { implementation: "pypy".to_owned(), ..facts(Path::new("/opt/pypy"), "3.10.14") };
        assert_eq!(pypy.executable_names(), ["python", "python3", "python3.10", "pypy", "pypy3", "pypy3.10"]);
    }

    #[test]
    fn facts_survive_a_round_trip() {
        let libc = Libc { family: "musl".to_owned(), major: 1, minor: 2 };
        let facts = Interpreter {
            libc: Some(libc),
            macos: Some((14, 2)),
            ..facts(Path::new("/opt/python"), "3.13.1")
        };
        let json = serde_json::to_string(&facts).unwrap();
        assert_eq!(serde_json::from_str::<Interpreter>(&json).unwrap(), facts);
    }
}
