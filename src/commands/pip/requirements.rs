//! What a request names: the names of packages in requirements and in files of them, as far as they can be told without
//! asking anybody.

use std::path::{Path, PathBuf};

use virtpy_resolver::{Requirement, WheelName, normalize_name};

use crate::error::Failure;
use crate::fs;

/// The normalized name of the package that a requirement, a wheel's path or a URL names.
pub(super) fn name_of(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(requirement) = text.parse::<Requirement>() {
        return Some(requirement.name().to_owned());
    }
    let address = text.split(['#', ';']).next().unwrap_or(text).trim();
    if let Ok(wheel) = WheelName::parse(address.rsplit('/').next().unwrap_or(address)) {
        return Some(wheel.name);
    }
    let egg = text.split_once("#egg=").map(|(_, name)| name)?;
    normalize_name(egg.split(['&', '[']).next().unwrap_or(egg)).ok()
}

/// A line of a requirements file without its comment and its own options.
pub(super) fn stripped(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') {
        return "";
    }
    let line = line.split_once(" #").map_or(line, |(line, _)| line);
    line.split_once(" --").map_or(line, |(line, _)| line).trim_end_matches('\\').trim()
}

/// The lines of a requirements file, those that go on with a backslash put together.
pub(super) fn logical_lines(text: &str) -> Vec<String> {
    text.replace("\\\n", " ").lines().map(str::to_owned).collect()
}

/// What an option of a line in a requirements file is given, if the line is one of it.
fn option<'l>(line: &'l str, letter: &str, name: &str) -> Option<&'l str> {
    let rest = line.strip_prefix(letter).or_else(|| line.strip_prefix(name))?;
    Some(rest.trim_start_matches('=').trim())
}

/// Requirements files with those that they include, in order, each once.
pub(super) fn included(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut waiting = files;
    waiting.reverse();
    let mut seen = Vec::new();
    while let Some(file) = waiting.pop() {
        if seen.contains(&file) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap_or_default();
        for line in logical_lines(&text) {
            if let Some(other) = option(stripped(&line), "-r", "--requirement") {
                waiting.push(file.parent().unwrap_or(Path::new("")).join(other));
            }
        }
        seen.push(file);
    }
    seen
}

/// The names in requirements files, those that they include too.
pub(super) fn names_in(files: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for file in included(files.to_vec()) {
        for line in logical_lines(&fs::read_to_string(&file)?) {
            let line = stripped(&line);
            if let Some(editable) = option(line, "-e", "--editable") {
                names.extend(name_of(editable));
            } else if !line.is_empty() && !line.starts_with('-') {
                names.extend(name_of(line));
            }
        }
    }
    Ok(names)
}

/// The name in a requirement or behind a URL, as it is spelled there.
pub(super) fn spelled(text: &str) -> &str {
    let name = text.split_once("#egg=").map_or(text, |(_, name)| name).trim_start();
    let is_in_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
    &name[..name.find(|letter| !is_in_name(letter)).unwrap_or(name.len())]
}

/// Several lines as one, without what is empty.
pub(super) fn joined(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_every_form() {
        for (text, name) in [
            ("Six>=1 ; python_version > '3'", Some("six")),
            ("black[d]", Some("black")),
            ("a.b @ file:///x/y.whl", Some("a-b")),
            ("/tmp/Foo_Bar-1.0-py3-none-any.whl", Some("foo-bar")),
            ("https://example.org/foo-1-py3-none-any.whl#sha256=00", Some("foo")),
            ("git+https://example.org/x#egg=Thing", Some("thing")),
            ("./folder", None),
        ] {
            assert_eq!(name_of(text).as_deref(), name, "{text}");
        }
        assert_eq!(spelled("Demo.Name[x]>=1"), "Demo.Name");
        assert_eq!(spelled("file:///x.zip#egg=Some_Thing&subdirectory=a"), "Some_Thing");
        assert_eq!(stripped("six==1 --hash=sha256:00 # why"), "six==1");
        assert_eq!(stripped("# only a comment"), "");
    }

    #[test]
    fn files_may_include_others() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("main.txt");
        let more = folder.path().join("more.txt");
        fs::write_new(
            &main,
            b"-r more.txt\nsix==1 \\\n    --hash=sha256:0\n--index-url x\n-c c.txt\n",
            0o644,
        )
        .unwrap();
        fs::write_new(&more, b"# more\nidna\n-r main.txt\n", 0o644).unwrap();
        assert_eq!(names_in(&[main]).unwrap(), ["six", "idna"]);
        assert_eq!(joined("fatal: no\n\n  such thing\n"), "fatal: no; such thing");
        assert!(names_in(&[folder.path().join("absent")]).is_err());
    }
}
