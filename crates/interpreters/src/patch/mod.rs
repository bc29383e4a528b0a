//! Making an unpacked interpreter right for the place where it will stand.
//!
//! Standalone builds are made for a folder `/install` on another machine, by compilers that only that machine has. All of
//! this is written down in files that those read who build extension modules: `sysconfig`'s data, pkg-config's files, the
//! first lines of scripts. They are changed here, once, before the interpreter is published.

pub(super) mod certificates;
mod literal;
mod relocation;
mod scripts;
mod settings;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use self::relocation::Relocation;

pub(super) use self::scripts::complete_names;
use self::settings::STANDALONE_PREFIX;
use virtpy_files::{self as fs, FileKind, PathError};

/// Real ones have 60 to 100 KB.
const LARGEST_FILE: u64 = 8 << 20;

/// What PEP 668 asks for: other installers keep their hands off.
const EXTERNALLY_MANAGED: &str = "[externally-managed]\n\
    Error=This Python is managed by virtpy, and shared by all venvs that are made from it.\n \n \
    Make a venv with `virtpy new`, and install into that with `virtpy add`.\n";

/// An unpacked interpreter that is not at its place yet.
#[derive(Debug, Clone, Copy)]
pub struct Unpatched<'a> {
    /// Its prefix where it lies now: the folder with `bin` and `lib`.
    pub prefix: &'a Path,
    /// Its prefix where it will stand.
    pub destination: &'a Path,
    /// The date of its build, for the file `BUILD`.
    pub build: Option<&'a str>,
}

/// Patches it. Returns what could not be made right although the interpreter works, for the user.
///
/// # Errors
/// When a file cannot be read or written.
pub fn apply(unpatched: &Unpatched<'_>) -> Result<Vec<String>, PathError> {
    let mut warnings = Vec::new();
    let mut built_for = STANDALONE_PREFIX.to_owned();
    let destination = unpatched.destination.display().to_string();
    let libraries = standard_libraries(unpatched.prefix)?;
    for library in &libraries {
        for file in files(library, "_sysconfigdata_", ".py")? {
            match patch_settings(&file, &destination)? {
                Ok(prefix) => built_for = prefix,
                Err(reason) => warnings.push(reason),
            }
        }
        let mark = library.join("EXTERNALLY-MANAGED");
        if fs::kind(&mark)?.is_none() {
            fs::write_new(&mark, EXTERNALLY_MANAGED.as_bytes(), 0o644)?;
        }
    }
    let relocation = Relocation { from: &built_for, to: &destination };
    for library in &libraries {
        patch_companions(library, &relocation)?;
    }
    let packages = unpatched.prefix.join("lib/pkgconfig");
    for file in files(&packages, "", ".pc")? {
        change(&file, |text| Some(without_prefix(text, &relocation)))?;
    }
    let bin = unpatched.prefix.join("bin");
    if fs::kind(&bin)? == Some(FileKind::Folder) {
        complete_names(&bin)?;
        scripts::adapt(&bin, &relocation)?;
    }
    if let Some(build) = unpatched.build {
        fs::write_atomic(&unpatched.prefix.join("BUILD"), build.as_bytes())?;
    }
    if cfg!(target_os = "macos") {
        warnings.extend(name_libraries(unpatched)?);
    }
    Ok(warnings)
}

/// The folders below `lib` that hold a standard library: `python3.12`, `pypy3.10`.
fn standard_libraries(prefix: &Path) -> Result<Vec<PathBuf>, PathError> {
    let lib = prefix.join("lib");
    if fs::kind(&lib)? != Some(FileKind::Folder) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (name, kind) in fs::read_dir_names(&lib)? {
        let path = lib.join(name);
        if kind == FileKind::Folder && fs::kind(&path.join("os.py"))?.is_some() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The regular files of a folder with such names, sorted; none where there is no folder.
fn files(folder: &Path, prefix: &str, suffix: &str) -> Result<Vec<PathBuf>, PathError> {
    if fs::kind(folder)? != Some(FileKind::Folder) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (name, kind) in fs::read_dir_names(folder)? {
        let fits = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(suffix));
        if fits && kind == FileKind::File {
            found.push(folder.join(name));
        }
    }
    found.sort();
    Ok(found)
}

/// Patches a file of settings. Returns the prefix that the interpreter was built for, or why the file stays as it is.
fn patch_settings(file: &Path, destination: &str) -> Result<Result<String, String>, PathError> {
    let name = file.file_name().unwrap_or_default().display();
    let Some(source) = text(file)? else {
        return Ok(Err(format!("`{name}` is not text of a usual size; C extensions may not build")));
    };
    match settings::adapt(&source, destination) {
        Ok(adapted) => {
            fs::write_atomic(file, adapted.content.as_bytes())?;
            Ok(Ok(adapted.prefix))
        }
        // PyPy has a program there, which works anywhere.
        Err(_) if !source.contains(STANDALONE_PREFIX) => Ok(Ok(STANDALONE_PREFIX.to_owned())),
        Err(error) => Ok(Err(format!("`{name}` was left as it is ({error}); C extensions may not build"))),
    }
}

/// Patches the other files in which a standard library says how it was built.
fn patch_companions(library: &Path, relocation: &Relocation<'_>) -> Result<(), PathError> {
    let json = files(library, "_sysconfig_vars_", ".json")?;
    for file in json.into_iter().chain(files(library, "build-details", ".json")?) {
        change(&file, |text| settings::adapt_json(text, relocation))?;
    }
    if !relocation.is_sound() {
        return Ok(());
    }
    for (name, kind) in fs::read_dir_names(library)? {
        if kind == FileKind::Folder && name.as_encoded_bytes().starts_with(b"config-") {
            for file in files(&library.join(name), "Makefile", "")? {
                change(&file, |text| Some(relocation.apply(text)))?;
            }
        }
    }
    Ok(())
}

/// A pkg-config file that finds its prefix by itself.
fn without_prefix(text: &str, relocation: &Relocation<'_>) -> String {
    let fixed = format!("prefix={}", relocation.from);
    let lines = text.lines().map(|line| {
        if line == fixed { "prefix=${pcfiledir}/../..".to_owned() } else { moved_line(line, relocation) }
    });
    lines.map(|line| line + "\n").collect()
}

fn moved_line(line: &str, relocation: &Relocation<'_>) -> String {
    if relocation.is_sound() { relocation.apply(line) } else { line.to_owned() }
}

/// The text of a file; none where it is too large or no UTF-8.
fn text(file: &Path) -> Result<Option<String>, PathError> {
    if fs::metadata(file)?.len() > LARGEST_FILE {
        return Ok(None);
    }
    Ok(String::from_utf8(fs::read(file)?).ok())
}

/// Replaces a text file by what `adapt` makes of it.
fn change(file: &Path, adapt: impl Fn(&str) -> Option<String>) -> Result<(), PathError> {
    let Some(old) = text(file)? else { return Ok(()) };
    match adapt(&old) {
        Some(new) if new != old => fs::write_atomic(file, new.as_bytes()),
        _ => Ok(()),
    }
}

/// Gives macOS libraries the path by which programs that embed the interpreter shall load them.
fn name_libraries(unpatched: &Unpatched<'_>) -> Result<Vec<String>, PathError> {
    let mut warnings = Vec::new();
    for library in files(&unpatched.prefix.join("lib"), "libpython", ".dylib")? {
        let id = unpatched.destination.join("lib").join(library.file_name().unwrap_or_default());
        let mut command = Command::new("install_name_tool");
        command.arg("-id").arg(&id).arg(&library);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let done = command.status().is_ok_and(|status| status.success());
        if !done {
            warnings.push(format!(
                "`install_name_tool` could not name `{}`; programs that embed this Python have to be told where it is",
                id.display()
            ));
        }
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, content: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write_atomic(&path, content.as_bytes()).unwrap();
    }

    fn unpatched(root: &Path) -> Vec<String> {
        let destination = Path::new("/py/3.12.1");
        apply(&Unpatched { prefix: root, destination, build: Some("20261021") }).unwrap()
    }

    #[test]
    fn everything_that_names_the_old_place_names_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let library = "lib/python3.12";
        write(root, &format!("{library}/os.py"), "");
        let data = format!("{library}/_sysconfigdata__linux_x86_64-linux-gnu.py");
        write(root, &data, "build_time_vars = {'prefix': '/install', 'CC': 'clang -pthread'}\n");
        write(root, &format!("{library}/build-details.json"), "{\"base_prefix\": \"/install\"}");
        let makefile = format!("{library}/config-3.12-x86_64-linux-gnu/Makefile");
        write(root, &makefile, "prefix=\t/install\nINSTALL=\t/usr/bin/install\n");
        write(root, "lib/pkgconfig/python3.pc", "prefix=/install\nlibdir=/install/lib\n");
        write(root, "bin/python3.12", "\u{7f}ELF");
        write(root, "bin/pip3", "#!/install/bin/python3.12\nx\n");
        assert_eq!(unpatched(root), Vec::<String>::new());
        let read = |path: &str| fs::read_to_string(&root.join(path)).unwrap();
        assert!(read(&data).contains("'prefix': '/py/3.12.1',\n 'CC': 'cc -pthread'"), "{}", read(&data));
        assert!(read(&format!("{library}/build-details.json")).contains("\"/py/3.12.1\""));
        assert_eq!(read(&makefile), "prefix=\t/py/3.12.1\nINSTALL=\t/usr/bin/install\n");
        assert_eq!(read("lib/pkgconfig/python3.pc"), "prefix=${pcfiledir}/../..\nlibdir=/py/3.12.1/lib\n");
        assert_eq!(read("bin/pip3"), "#!/py/3.12.1/bin/python3.12\nx\n");
        assert_eq!(read("BUILD"), "20261021");
        assert!(read(&format!("{library}/EXTERNALLY-MANAGED")).starts_with("[externally-managed]\nError="));
        assert_eq!(fs::read_link(&root.join("bin/python")).unwrap(), Path::new("python3.12"));
    }

    #[test]
    fn what_is_not_understood_stays_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "lib/pypy3.10/os.py", "");
        write(folder.path(), "lib/pypy3.10/_sysconfigdata_x.py", "import os  # /install\n");
        write(folder.path(), "lib/pypy3.10/_sysconfigdata_y.py", "import os\n");
        let warnings = unpatched(folder.path());
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("`_sysconfigdata_x.py` was left as it is (line 1: "), "{warnings:?}");
        let kept = fs::read_to_string(&folder.path().join("lib/pypy3.10/_sysconfigdata_x.py")).unwrap();
        assert_eq!(kept, "import os  # /install\n");
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside.py");
        fs::write_new(&outside, b"build_time_vars = {'prefix': '/install'}", 0o644).unwrap();
        let root = folder.path().join("tree");
        write(&root, "lib/python3.12/os.py", "");
        fs::symlink(&outside, &root.join("lib/python3.12/_sysconfigdata_x.py")).unwrap();
        unpatched(&root);
        assert!(fs::read_to_string(&outside).unwrap().contains("'/install'"));
    }
}
