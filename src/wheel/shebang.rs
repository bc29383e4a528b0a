//! The first line of scripts.
//!
//! Linux reads at most 127 bytes of it and splits at blanks, so an interpreter with a long or odd path is started
//! by a trampoline: a text that `/bin/sh` reads as an `exec` and Python as a string.

use std::path::Path;

use super::Error;

/// What the kernel reads of the first line, `#!` and line end left out.
const KERNEL_LIMIT: usize = 124;

/// The interpreter line for a script, line end included.
///
/// # Errors
/// When the path is no UTF-8 or has a line end or a NUL.
pub fn shebang(interpreter: &Path) -> Result<String, Error> {
    let path =
        interpreter.to_str().filter(|path| !path.contains(['\n', '\r', '\0'])).ok_or(Error::Shebang)?;
    if path.len() <= KERNEL_LIMIT && path.bytes().all(is_plain) {
        return Ok(format!("#!{path}\n"));
    }
    // For Python the second and third line are one string between triple quotes; for the shell the second line
    // begins with an empty string, then `exec` in quotes.
    let command = if path.bytes().all(|byte| is_plain(byte) || byte == b' ') {
        format!("\"{path}\"")
    } else {
        format!("\"$(printf '%b' '{}')\"", in_octal(path))
    };
    Ok(format!("#!/bin/sh\n'''exec' {command} \"$0\" \"$@\"\n' '''\n"))
}

/// Whether a byte means itself in a first line, in a shell's double quotes and in a Python string.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-+@,=:~".contains(&byte)
}

/// Every byte that might mean something as `\0NNN`, which `printf %b` reads, and Python takes for a harmless
/// escape.
fn in_octal(path: &str) -> String {
    path.bytes().fold(String::new(), |mut text, byte| {
        if is_plain(byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("\\0{byte:03o}"));
        }
        text
    })
}

/// Replaces a script's first line `#!python` (or `#!pythonw`, PEP 427); `None` where it has none. Arguments of
/// the interpreter are kept if the new line can hold them.
pub fn rewrite_python_shebang(content: &[u8], shebang: &str) -> Option<Vec<u8>> {
    let end = content.iter().position(|byte| *byte == b'\n').map_or(content.len(), |position| position + 1);
    let first = std::str::from_utf8(&content[..end]).ok()?.trim_end();
    let rest = first.strip_prefix("#!python")?;
    let arguments = rest.strip_prefix('w').unwrap_or(rest);
    let is_simple = shebang.lines().count() == 1;
    let arguments = match arguments.trim() {
        "" => "",
        _ if !arguments.starts_with(' ') => return None,
        _ if is_simple => arguments.trim_end(),
        _ => "",
    };
    let line = if is_simple { format!("{}{arguments}\n", shebang.trim_end()) } else { shebang.to_owned() };
    Some([line.as_bytes(), &content[end..]].concat())
}

/// Whether a script's first line is `#!python` or `#!pythonw`.
pub(super) fn asks_for_python(content: &[u8]) -> bool {
    rewrite_python_shebang(content, "#!x\n").is_some()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_plain_path_is_named_plainly() {
        assert_eq!(shebang(Path::new("/v/bin/python")).unwrap(), "#!/v/bin/python\n");
        assert!(shebang(Path::new("/a b/python")).unwrap().starts_with("#!/bin/sh\n"));
        assert!(
            shebang(Path::new(&format!("/{}/python", "x".repeat(200)))).unwrap().starts_with("#!/bin/sh\n")
        );
        assert!(shebang(Path::new("/a\nb")).is_err());
    }

    #[test]
    fn scripts_run_in_folders_of_any_name() {
        let python =
            Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
        let python = String::from_utf8(python.stdout).unwrap().trim().to_owned();
        let root = tempfile::tempdir().unwrap();
        for name in [
            "plain",
            "a b",
            "it's",
            "say \"x\"",
            "$HOME `id`",
            "back\\slash\\0",
            "50%s",
            "'''",
            "café ✓",
            "-n",
            "#!",
        ] {
            let folder = root.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            let interpreter = folder.join("python");
            std::os::unix::fs::symlink(&python, &interpreter).unwrap();
            let script = folder.join("script");
            let body = "import sys\nprint('ran', *sys.argv[1:])\n";
            std::fs::write(&script, shebang(&interpreter).unwrap() + body).unwrap();
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
            let output = Command::new(&script)
                .args(["one two", "$x"])
                .env("PYTHONWARNINGS", "error")
                .output()
                .unwrap();
            let shown = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert_eq!(shown, ("ran one two $x\n".into(), "".into()), "{name}");
        }
    }

    #[test]
    fn only_the_generic_first_line_is_replaced() {
        let rewrite = |text: &str| {
            rewrite_python_shebang(text.as_bytes(), "#!/v/python\n")
                .map(|bytes| String::from_utf8(bytes).unwrap())
        };
        assert_eq!(rewrite("#!python\nx").as_deref(), Some("#!/v/python\nx"));
        assert_eq!(rewrite("#!pythonw\r\nx").as_deref(), Some("#!/v/python\nx"));
        assert_eq!(rewrite("#!python -E\nx").as_deref(), Some("#!/v/python -E\nx"));
        for text in ["#!/usr/bin/env python\nx", "#!python3.9x\n", "x\n#!python\n", ""] {
            assert_eq!(rewrite(text), None, "{text}");
        }
    }
}
