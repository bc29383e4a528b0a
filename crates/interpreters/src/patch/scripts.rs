//! The names of an interpreter in its `bin`, and the scripts beside it that name it in their first line.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind, IoResultExt as _, PathError};
use virtpy_wheel as wheel;

use super::relocation::Relocation;

/// Larger files are no scripts of an interpreter's own.
const LARGEST_SCRIPT: u64 = 1 << 20;

/// Makes sure that the interpreter is called `python`, `python3` and `python3.X` too.
///
/// # Errors
/// When the folder cannot be read or written.
pub(crate) fn complete_names(bin: &Path) -> Result<(), PathError> {
    let names = fs::names(bin)?;
    let versioned = |name: &str| {
        let minor = name.strip_prefix("python3.")?;
        minor.strip_suffix('t').unwrap_or(minor).parse::<u32>().ok()
    };
    // The ordinary name before the one of a free-threaded build: they are one executable.
    let best =
        names.iter().filter_map(|name| name.to_str()).filter_map(|name| Some((versioned(name)?, name)));
    let Some((minor, name)) = best.max_by_key(|(minor, name)| (*minor, !name.ends_with('t'))) else {
        return Ok(());
    };
    for alias in [format!("python3.{minor}"), "python3".to_owned(), "python".to_owned()] {
        let path = bin.join(&alias);
        // A link to nothing is no name either.
        if alias != name && fs::metadata(&path).is_err() {
            fs::remove_tree(&path)?;
            fs::symlink(Path::new(name), &path)?;
        }
    }
    Ok(())
}

/// Leads the scripts that were made for the interpreter's old place to the new one.
///
/// # Errors
/// When the folder cannot be read or written.
pub(super) fn adapt(bin: &Path, relocation: &Relocation<'_>) -> Result<(), PathError> {
    for (name, kind) in fs::read_dir_names(bin)? {
        let path = bin.join(&name);
        if kind != FileKind::File || fs::metadata(&path)?.len() > LARGEST_SCRIPT || !is_script(&path)? {
            continue;
        }
        if let Some(content) = adapted(&fs::read(&path)?, bin, relocation) {
            fs::write_atomic(&path, &content)?;
            fs::set_mode(&path, 0o755)?;
        }
    }
    Ok(())
}

fn is_script(path: &Path) -> Result<bool, PathError> {
    let mut start = [0; 2];
    let count = fs::open(path)?.read(&mut start).at("read", path)?;
    Ok(start[..count] == *b"#!")
}

/// The script with a first line that runs the interpreter in its new place; `None` where its first line names
/// another program.
fn adapted(content: &[u8], bin: &Path, relocation: &Relocation<'_>) -> Option<Vec<u8>> {
    let end = content.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&content[..end]).ok()?.strip_prefix("#!")?.trim();
    let old_bin = format!("{}/bin/", relocation.from);
    let (program, arguments) = line.split_once(' ').unwrap_or((line, ""));
    let name = program.strip_prefix(&old_bin).filter(|name| name.starts_with("python"))?;
    let name = if fs::metadata(&bin.join(name)).is_ok() { name } else { "python3" };
    let interpreter = PathBuf::from(relocation.to).join("bin").join(name);
    let mut first = wheel::shebang(&interpreter).ok()?;
    // The other form passes its arguments on in another way.
    if !arguments.is_empty() && first.lines().count() == 1 {
        first = format!("{} {arguments}\n", first.trim_end());
    }
    Some([first.as_bytes(), &content[end + 1..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapted_text(text: &str, to: &str) -> Option<String> {
        let bin = tempfile::tempdir().unwrap();
        fs::write_new(&bin.path().join("python3.12"), b"", 0o755).unwrap();
        let content = adapted(text.as_bytes(), bin.path(), &Relocation { from: "/install", to })?;
        Some(String::from_utf8(content).unwrap())
    }

    #[test]
    fn first_lines_lead_to_the_new_place() {
        let cases = [
            ("#!/install/bin/python3.12\nimport pip\n", Some("#!/py/bin/python3.12\nimport pip\n")),
            ("#!/install/bin/python3.12 -E\nx\n", Some("#!/py/bin/python3.12 -E\nx\n")),
            ("#!/install/bin/python3.9\nx\n", Some("#!/py/bin/python3\nx\n")),
            ("#!/bin/sh\nexec x\n", None),
            ("#!/install/bin/tclsh\nx\n", None),
            ("#!/installed/bin/python3\nx\n", None),
            ("#!/install/bin/python3.12", None),
        ];
        for (text, expected) in cases {
            assert_eq!(adapted_text(text, "/py").as_deref(), expected, "{text}");
        }
        let odd = adapted_text("#!/install/bin/python3.12\nx\n", "/my home").unwrap();
        assert!(odd.starts_with("#!/bin/sh\n'''exec' \"/my home/bin/python3.12\""), "{odd}");
    }

    #[test]
    fn missing_names_are_made() {
        let bin = tempfile::tempdir().unwrap();
        fs::write_new(&bin.path().join("python3.13t"), b"", 0o755).unwrap();
        fs::symlink(Path::new("nothing"), &bin.path().join("python")).unwrap();
        complete_names(bin.path()).unwrap();
        for name in ["python", "python3", "python3.13"] {
            assert_eq!(fs::read_link(&bin.path().join(name)).unwrap(), Path::new("python3.13t"), "{name}");
        }
        complete_names(bin.path()).unwrap();
        let empty = tempfile::tempdir().unwrap();
        complete_names(empty.path()).unwrap();
        assert!(fs::names(empty.path()).unwrap().is_empty());
    }
}
