//! What the first word after `virtpy run` means: a script, a folder or an archive that Python runs, a URL, the standard input,
//! or a command.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::ScriptError;
use crate::platform;
use virtpy_files::{self as fs, FileKind};

/// The largest script that is taken from a URL or the standard input, in bytes.
pub const LARGEST_SCRIPT: u64 = 64 * 1024 * 1024;

/// So much of a file tells whether it is a script.
const BEGINNING: u64 = 1024;

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A file of Python's, with its content.
    Script {
        /// Its path as it was typed.
        path: PathBuf,
        /// What is in it.
        content: Vec<u8>,
    },
    /// A script from a pipe, as shells make them for `<(…)`: it can be read only once.
    Pipe(Vec<u8>),
    /// A folder or an archive with `__main__.py`, or compiled code, which say nothing about what they need.
    Package(PathBuf),
    /// A script behind a URL.
    Url(String),
    /// The standard input.
    StandardInput,
    /// A command, by its name or path.
    Command(OsString),
}

/// Reads a script from the standard input.
///
/// # Errors
/// When it cannot be read, or is too large.
pub fn read_input(input: &mut dyn std::io::Read) -> Result<Vec<u8>, ScriptError> {
    virtpy_resolver::input_was_consumed();
    let mut source = Vec::new();
    input.take(LARGEST_SCRIPT + 1).read_to_end(&mut source).map_err(ScriptError::Input)?;
    if source.len() as u64 > LARGEST_SCRIPT {
        return Err(ScriptError::TooLarge(LARGEST_SCRIPT));
    }
    Ok(source)
}

/// Finds out what a word means, for somebody in `folder`. A word without `/` that is the name of a folder stays a command:
/// projects have folders with the names of their commands.
///
/// # Errors
/// When it can only mean a script that is not there, or a file that cannot be read.
pub fn program(word: &OsStr, folder: &Path) -> Result<Program, ScriptError> {
    let text = word.to_string_lossy();
    if text == "-" {
        return Ok(Program::StandardInput);
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return Ok(Program::Url(text.into_owned()));
    }
    let path = PathBuf::from(word);
    let absolute = folder.join(&path);
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    let is_source = matches!(extension.as_str(), "py" | "pyw");
    let kind = match fs::kind(&absolute)? {
        Some(FileKind::Link) => fs::metadata(&absolute).ok().map(|found| FileKind::from(found.file_type())),
        kind => kind,
    };
    match kind {
        None if is_source || text.contains('/') => Err(ScriptError::Missing(path)),
        Some(FileKind::Folder) if fs::kind(&absolute.join("__main__.py"))?.is_some() => {
            Ok(if text.contains('/') || text == "." || text == ".." {
                Program::Package(path)
            } else {
                Program::Command(word.to_owned())
            })
        }
        Some(FileKind::Folder) if text.contains('/') || text == "." || text == ".." => {
            Err(ScriptError::NoMain(path))
        }
        Some(FileKind::Other) if (is_source || text.contains('/')) && is_stream(&absolute) => {
            virtpy_resolver::input_was_consumed();
            Ok(Program::Pipe(fs::read_stream(&absolute)?))
        }
        Some(kind) if is_source && kind != FileKind::Folder => {
            Ok(Program::Script { content: fs::read(&absolute)?, path })
        }
        Some(FileKind::File) if matches!(extension.as_str(), "pyz" | "pyzw" | "zip" | "pyc" | "whl") => {
            Ok(Program::Package(path))
        }
        Some(FileKind::File) => of_unknown_file(word, path, &absolute),
        _ => Ok(Program::Command(word.to_owned())),
    }
}

/// Whether something gives its content only once.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| platform::is_stream(found.file_type()))
}

/// A file whose name says nothing.
fn of_unknown_file(word: &OsStr, path: PathBuf, absolute: &Path) -> Result<Program, ScriptError> {
    let mut beginning = Vec::with_capacity(usize::try_from(BEGINNING).unwrap_or_default());
    let Ok(mut file) = fs::open(absolute) else { return Ok(Program::Command(word.to_owned())) };
    if (&mut file).take(BEGINNING).read_to_end(&mut beginning).is_err() {
        return Ok(Program::Command(word.to_owned()));
    }
    let line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_pythons = line.starts_with(b"#!") && is_of_python(&String::from_utf8_lossy(line));
    if beginning.contains(&0) {
        // Archives may have an interpreter line before them.
        let is_archive = is_pythons || beginning.starts_with(b"PK\x03\x04");
        return Ok(if is_archive { Program::Package(path) } else { Program::Command(word.to_owned()) });
    }
    let content = fs::read(absolute)?;
    if is_pythons || super::block(&content)?.is_some() {
        return Ok(Program::Script { path, content });
    }
    Ok(Program::Command(word.to_owned()))
}

/// Whether a script's first line names Python, or a program that runs Python's scripts; virtpy is one of them, and a script
/// that is started by it must not start it again.
fn is_of_python(line: &str) -> bool {
    ["python", "pypy", "virtpy", "uv run", "pipx run"].iter().any(|name| line.contains(name))
}

/// The lock file of a script `NAME.py`: `pylock.NAME.toml` (PEP 751) beside it, or else uv's `NAME.py.lock`.
pub fn lock_beside(script: &Path) -> Option<PathBuf> {
    let is_there = |path: &PathBuf| matches!(fs::kind(path), Ok(Some(FileKind::File | FileKind::Link)));
    let of_uv = || {
        let mut name = script.file_name()?.to_owned();
        name.push(".lock");
        Some(script.with_file_name(name))
    };
    lock_name(script).filter(is_there).or_else(|| of_uv().filter(is_there))
}

/// Where the lock file of a script belongs (PEP 751); none for a name with a dot in it, which the standard has no place for.
pub fn lock_name(script: &Path) -> Option<PathBuf> {
    let stem = script.file_stem()?.to_str().filter(|stem| !stem.contains('.'))?;
    Some(script.with_file_name(format!("pylock.{stem}.toml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |name: &str, content: &[u8]| fs::write_new(&root.join(name), content, 0o644).unwrap();
        write("a.py", b"print(1)");
        write("tool", b"#!/usr/bin/env -S virtpy run --with x\nprint(1)");
        write("plain", b"# /// script\n# dependencies = []\n# ///\n");
        write("shell", b"#!/bin/sh\necho");
        write("app", b"#!/usr/bin/env python3\nPK\x03\x04\0\0");
        write("app.pyz", b"PK");
        fs::create_dir(&root.join("pack")).unwrap();
        write("pack/__main__.py", b"");
        fs::create_dir(&root.join("empty")).unwrap();
        let of = |word: &str| program(OsStr::new(word), root);
        for word in ["a.py", "./a.py", "tool", "plain"] {
            assert!(
                matches!(of(word).unwrap(), Program::Script { path, .. } if path == Path::new(word)),
                "{word}"
            );
        }
        for word in ["app", "app.pyz", "./pack", "pack/"] {
            assert_eq!(of(word).unwrap(), Program::Package(PathBuf::from(word)), "{word}");
        }
        for word in ["shell", "./shell", "pytest", "pack", "empty"] {
            assert_eq!(of(word).unwrap(), Program::Command(OsString::from(word)), "{word}");
        }
        assert_eq!(of("-").unwrap(), Program::StandardInput);
        assert_eq!(of("http://h.example/x").unwrap(), Program::Url("http://h.example/x".to_owned()));
        for word in ["missing.py", "./missing"] {
            assert!(matches!(of(word), Err(ScriptError::Missing(_))), "{word}");
        }
        assert!(matches!(of("./empty"), Err(ScriptError::NoMain(_))));
    }

    #[test]
    fn a_lock_stands_beside_its_script() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("tool.py");
        assert_eq!(lock_beside(&script), None);
        for name in ["tool.py.lock", "pylock.tool.toml"] {
            let lock = folder.path().join(name);
            fs::write_new(&lock, b"", 0o644).unwrap();
            assert_eq!(lock_beside(&script), Some(lock));
        }
        // The name between the dots has none itself.
        assert_eq!(lock_beside(&folder.path().join("tool.x.py")), None);
    }
}
