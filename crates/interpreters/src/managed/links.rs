//! What leads to installed interpreters: the link of each minor version, and commands.
//!
//! `pythons/3.12` is a link to the newest patch release of 3.12. Venvs are made through it, so that they go on with
//! `3.12.12` when that is installed. Commands are no links: `python3.12 -> …` in `$VIRTPY_HOME/bin` would make Python take
//! the folder above, which has a `pyvenv.cfg`, for a venv. They are scripts of one line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind, PathError};
use virtpy_venv::activation::posix_word;

use super::record::{Installed, installed};

/// The second line of every command that virtpy made.
const MARK: &str = "# Made by virtpy: runs an interpreter that it installed.";

/// Leads every minor version's link to its newest patch release; a link without any goes. The caller holds the lock of
/// the links, `temporary` is a free path on the same file system, and `going` counts as removed already.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn refresh(pythons: &Path, temporary: &Path, going: Option<&str>) -> Result<(), PathError> {
    let mut staying = installed(pythons);
    staying.retain(|one| going != Some(one.folder_name.as_str()));
    let wanted = minors(&staying);
    for (name, kind) in fs::read_dir_names(pythons)? {
        let is_unwanted = name.to_str().is_some_and(|name| !wanted.contains_key(name));
        // One that leads out of the folder is somebody else's.
        let is_ours = |link: &Path| fs::read_link(link).is_ok_and(|to| to.components().count() == 1);
        if kind == FileKind::Link && is_unwanted && is_ours(&pythons.join(&name)) {
            fs::remove_file(&pythons.join(name))?;
        }
    }
    for (minor, key) in wanted {
        fs::link_by_way_of(temporary, Path::new(&key), &pythons.join(minor))?;
    }
    Ok(())
}

/// The link of each minor version, and the key that it leads to.
pub(super) fn minors(installed: &[Installed]) -> BTreeMap<String, String> {
    let mut links = BTreeMap::new();
    // The most preferable come first.
    for one in installed {
        if let Some(minor) = one.record.minor(&one.folder_name) {
            links.entry(minor).or_insert_with(|| one.folder_name.clone());
        }
    }
    links
}

/// The path of an interpreter through the link of its minor version, if that leads to it now. It stays right when a newer
/// patch release is installed.
pub fn through_minor(pythons: &Path, executable: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(pythons).ok()?;
    let inside = executable.strip_prefix(&real).ok()?;
    let key = inside.iter().next()?.to_str()?;
    let minor = real.join(Installed::read(&real, key)?.record.minor(key)?);
    let leads_here = fs::read_link(&minor).is_ok_and(|target| target == Path::new(key));
    leads_here.then(|| minor.join(inside.iter().skip(1).collect::<PathBuf>()))
}

/// The path of an interpreter through the link of its minor version if `named`, by which somebody reached the interpreter, goes through that link.
pub fn as_named(pythons: &Path, named: &Path, executable: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(pythons).ok()?;
    let goes_through = named.ancestors().any(|part| {
        fs::kind(part).is_ok_and(|kind| kind == Some(FileKind::Link))
            && part.parent().is_some_and(|folder| fs::canonicalize(folder).is_ok_and(|folder| folder == real))
    });
    if goes_through { through_minor(pythons, executable) } else { None }
}

/// What has to be installed so that a folder below `pythons` exists again; none for folders elsewhere.
pub fn name_in(pythons: &Path, folder: &Path) -> Option<String> {
    let real = fs::canonicalize(pythons).ok();
    let inside = folder.strip_prefix(pythons).ok().or_else(|| folder.strip_prefix(real?).ok())?;
    let key = inside.iter().next()?.to_str()?;
    Some(key.strip_prefix("custom-").unwrap_or(key).to_owned())
}

/// Makes a command that runs `executable`. Returns whether it was made: what somebody else put there stays, unless it is to
/// be replaced.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn make_command(command: &Path, executable: &Path, replace: bool) -> Result<bool, PathError> {
    if !replace && fs::kind(command)?.is_some() && !is_command(command) {
        return Ok(false);
    }
    let text = format!("#!/bin/sh\n{MARK}\nexec {} \"$@\"\n", posix_word(&executable.to_string_lossy()));
    if fs::read_to_string(command).is_ok_and(|old| old == text) {
        return Ok(true);
    }
    fs::write_atomic(command, text.as_bytes())?;
    fs::set_mode(command, 0o755)?;
    Ok(true)
}

/// Removes the commands that run what is no longer there.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn sweep_commands(bin: &Path) -> Result<(), PathError> {
    if fs::kind(bin)? != Some(FileKind::Folder) {
        return Ok(());
    }
    for (name, kind) in fs::read_dir_names(bin)? {
        let command = bin.join(&name);
        let is_named_so = name.to_str().is_some_and(|name| name.starts_with("python"));
        if kind != FileKind::File || !is_named_so || !is_command(&command) {
            continue;
        }
        let text = fs::read_to_string(&command)?;
        let runs = text.lines().nth(2).and_then(|line| line.strip_prefix("exec ")?.strip_suffix(" \"$@\""));
        if runs.map(unquoted).is_none_or(|path| fs::metadata(&path).is_err()) {
            fs::remove_file(&command)?;
        }
    }
    Ok(())
}

/// Whether virtpy made a command.
fn is_command(path: &Path) -> bool {
    fs::kind(path).is_ok_and(|kind| kind == Some(FileKind::File))
        && fs::read_to_string(path).is_ok_and(|text| text.lines().nth(1) == Some(MARK))
}

fn unquoted(text: &str) -> PathBuf {
    let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text);
    PathBuf::from(inner.replace("'\\''", "'"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::record::{FILE, Record, build};
    use super::*;
    use crate::available::BuildSource;

    fn install(pythons: &Path, name: &str) {
        fs::create_dir_all(&pythons.join(name).join("bin")).unwrap();
        let record =
            Record::of(&build(name, BuildSource::BuiltIn), [0; 32].into(), PathBuf::from("bin/python3"));
        let text = serde_json::to_string(&record).unwrap();
        fs::write_new(&pythons.join(name).join(FILE), text.as_bytes(), 0o644).unwrap();
        fs::write_new(&pythons.join(name).join("bin/python3"), b"", 0o755).unwrap();
    }

    #[test]
    fn a_minor_versions_link_leads_to_the_newest_patch_release() {
        let folder = tempfile::tempdir().unwrap();
        let pythons = fs::canonicalize(folder.path()).unwrap();
        let (temporary, link) = (pythons.join(".new"), pythons.join("3.12"));
        let leads = || fs::read_link(&link).ok();
        install(&pythons, "3.12.9");
        refresh(&pythons, &temporary, None).unwrap();
        assert_eq!(leads().unwrap(), Path::new("3.12.9"));
        for name in ["3.12.10", "3.13.0rc1", "3.13.0rc1t"] {
            install(&pythons, name);
        }
        refresh(&pythons, &temporary, None).unwrap();
        assert_eq!(leads().unwrap(), Path::new("3.12.10"));
        assert_eq!(fs::read_link(&pythons.join("3.13t")).unwrap(), Path::new("3.13.0rc1t"));
        let stable = through_minor(&pythons, &pythons.join("3.12.10/bin/python3"));
        assert_eq!(stable.unwrap(), pythons.join("3.12/bin/python3"));
        assert_eq!(through_minor(&pythons, &pythons.join("3.12.9/bin/python3")), None);
        assert_eq!(through_minor(&pythons, Path::new("/usr/bin/python3")), None);
        fs::remove_tree(&pythons.join("3.12.10")).unwrap();
        refresh(&pythons, &temporary, None).unwrap();
        assert_eq!(leads().unwrap(), Path::new("3.12.9"));
        fs::remove_tree(&pythons.join("3.12.9")).unwrap();
        // A user's own.
        fs::symlink(Path::new("/opt/python"), &pythons.join("mine")).unwrap();
        refresh(&pythons, &temporary, None).unwrap();
        assert_eq!(leads(), None);
        assert_eq!(fs::read_link(&pythons.join("mine")).unwrap(), Path::new("/opt/python"));
    }

    #[test]
    fn commands_run_what_they_should_and_foreign_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("it's a folder");
        fs::create_dir(&odd).unwrap();
        let (program, command) = (odd.join("echo"), folder.path().join("python3.12"));
        fs::symlink(Path::new("/bin/echo"), &program).unwrap();
        assert!(make_command(&command, &program, false).unwrap());
        let output = Command::new(&command).args(["a b", "c"]).output().unwrap();
        assert_eq!(output.stdout, b"a b c\n");
        sweep_commands(folder.path()).unwrap();
        assert!(is_command(&command));
        fs::remove_file(&program).unwrap();
        sweep_commands(folder.path()).unwrap();
        assert_eq!(fs::kind(&command).unwrap(), None);
        fs::write_new(&command, b"#!/bin/sh\nexec other\n", 0o755).unwrap();
        assert!(!make_command(&command, &program, false).unwrap());
        sweep_commands(folder.path()).unwrap();
        assert!(fs::kind(&command).unwrap().is_some());
        assert!(make_command(&command, &program, true).unwrap());
    }
}
