//! Scripts that are really run, in folders with hostile names.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use virtpy_files as fs;

use super::*;
use crate::{EntryPoint, script};

/// Names of folders that have tripped up scripts, or might.
const HOSTILE: [&[u8]; 22] = [
    b"plain",
    b"two  words",
    b"it's",
    b"''' three quotes '''",
    b"\"double\"",
    b"'\"'\"'\"",
    b"$HOME",
    b"$(touch owned)",
    b"`touch owned`",
    b"back\\slash \\n \\x41 \\101 \\N{DASH} \\u1234",
    b"100% %s %n",
    b"line\nbreak",
    b"tab\tbell\x07",
    "\u{fc}n\u{ef}c\u{f6}d\u{e9} \u{1f40d}".as_bytes(),
    "\u{fc}n\u{ef}c\u{f6}d\u{e9}".as_bytes(),
    b"latin1 \xfc\xff",
    b"#hash; rm -rf & | < > * ? [a] {b,c} ~ ! (x)",
    b"coding=latin-1",
    b" -*- coding: utf-7 -*- ",
    b"-dash",
    b"trailing ",
    b"a-long-name-a-long-name-a-long-name-a-long-name-a-long-name-a-long-name-a-long-name-a-long-name-a-long-name-a-long-name",
];

/// The real Python, found once through PATH.
fn python() -> PathBuf {
    let output =
        Command::new("python3").args(["-c", "import sys; print(sys.executable, end='')"]).output().unwrap();
    assert!(output.status.success());
    PathBuf::from(String::from_utf8(output.stdout).unwrap())
}

/// What a script that was just written prints. Another test's child, between its fork and its exec, may have it open for
/// writing at this moment.
fn output_of(command: &mut Command) -> Output {
    loop {
        match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {}
            other => return other.unwrap(),
        }
    }
}

/// Makes a folder with this name that holds a `python`, and returns that.
fn interpreter_in(folder: &Path, name: &[u8], python: &Path) -> PathBuf {
    let folder = folder.join(OsStr::from_bytes(name));
    fs::create_dir(&folder).unwrap();
    let interpreter = folder.join("python");
    // Not a link: an interpreter that is started through one may look for its library beside the target only.
    let launcher = format!("#!/bin/sh\nexec '{}' \"$@\"\n", python.display());
    fs::write_new(&interpreter, launcher.as_bytes(), 0o755).unwrap();
    interpreter
}

#[test]
fn scripts_start_from_any_folder() {
    let python = python();
    let folder = tempfile::tempdir().unwrap();
    let entry = EntryPoint {
        name: "show".to_owned(),
        module: "shown".to_owned(),
        attribute: "Tool.inner.run".to_owned(),
        gui: false,
    };
    let module = "import sys, json\nclass Tool:\n    class inner:\n        @staticmethod\n        def run():\n            \
        print(json.dumps([sys.argv[0].endswith('/show')] + sys.argv[1:]))\n            return 7\n";
    fs::write_new(&folder.path().join("shown.py"), module.as_bytes(), 0o644).unwrap();
    for name in HOSTILE {
        let interpreter = interpreter_in(folder.path(), name, &python);
        let first = shebang(&interpreter).unwrap();
        let text = script(&entry, &first);
        let path = interpreter.with_file_name("show-script.pyw");
        fs::write_new(&path, text.as_bytes(), 0o755).unwrap();
        let arguments = ["one two", "$HOME", "'", "\\", ""];
        let mut command = Command::new(&path);
        command
            .args(arguments)
            .current_dir(folder.path())
            .env("PYTHONPATH", folder.path())
            .env("PYTHONWARNINGS", "error")
            .env("PYTHONIOENCODING", "utf-8:surrogateescape");
        let output = output_of(&mut command);
        let context = format!("{}\n{text}\n{}", name.escape_ascii(), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(7), "{context}");
        let shown: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(shown.len(), 1 + arguments.len(), "{context}");
        assert!(shown[0] == true, "{context}");
        for (shown, given) in shown[1..].iter().zip(arguments) {
            assert_eq!(shown, given, "{context}");
        }
        assert!(output.stderr.is_empty(), "{context}");
        assert!(!folder.path().join("owned").exists(), "{context}");
    }
}

#[test]
fn the_lines_are_a_harmless_string_for_python() {
    let python = python();
    for name in HOSTILE {
        let path = PathBuf::from("/")
            .join(OsStr::from_bytes(name))
            .join("a very long path".repeat(10))
            .join("python");
        let text = format!("{}print('reached')\n", shebang(&path).unwrap());
        assert!(text.is_ascii());
        let output = Command::new(&python).args(["-W", "error", "-c", &text]).output().unwrap();
        assert_eq!(output.stdout, b"reached\n", "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn plain_lines_where_kernels_understand_them() {
    let line = |path: &str| shebang(Path::new(path)).unwrap();
    assert_eq!(line("/usr/bin/python3"), "#!/usr/bin/python3\n");
    assert_eq!(line("/home/jos\u{e9}/bin/python"), "#!/home/jos\u{e9}/bin/python\n");
    let longest = format!("/{}", "x".repeat(123));
    assert_eq!(line(&longest), format!("#!{longest}\n"));
    assert!(line(&format!("{longest}x")).starts_with("#!/bin/sh\n'''exec' \"/xxx"));
    assert_eq!(line("/a b/python"), "#!/bin/sh\n'''exec' \"/a b/python\" \"$0\" \"$@\"\n' '''\n");
    assert_eq!(
        line("/a 'b/python"),
        "#!/bin/sh\n'''exec' \"$(printf '%b' '/a\\0040\\0047b/python')\" \"$0\" \"$@\"\n' '''\n"
    );
    assert!(matches!(shebang(Path::new("bin/python")), Err(Error::Interpreter { .. })));
    assert!(matches!(shebang(Path::new("/bin/python\n")), Err(Error::Interpreter { .. })));
}

#[test]
fn only_python_lines_of_wheels_are_rewritten() {
    let rewrite = |content: &str| {
        rewrite_python_shebang(content.as_bytes(), "#!/v/bin/python\n")
            .map(|content| String::from_utf8(content).unwrap())
    };
    assert_eq!(rewrite("#!python\nx\n").as_deref(), Some("#!/v/bin/python\nx\n"));
    assert_eq!(rewrite("#!pythonw\r\nx\r\n").as_deref(), Some("#!/v/bin/python\nx\r\n"));
    assert_eq!(rewrite("#!python3 -E  -s \nx").as_deref(), Some("#!/v/bin/python -E  -s\nx"));
    assert_eq!(rewrite("#!python").as_deref(), Some("#!/v/bin/python\n"));
    let long = format!("#!python -X {}\nx", "y".repeat(120));
    assert_eq!(rewrite(&long).as_deref(), Some("#!/v/bin/python\nx"));
    for other in
        ["#!/usr/bin/env python\nx", "#! python\nx", "#!/bin/sh\n", "", "#!pytho", "x\n#!python\n", "\x7fELF"]
    {
        assert_eq!(rewrite(other), None, "{other}");
    }
}

#[test]
fn rewritten_scripts_run_and_keep_their_encoding() {
    let python = python();
    let folder = tempfile::tempdir().unwrap();
    let interpreter = interpreter_in(folder.path(), b"it's a `folder`", &python);
    let first = shebang(&interpreter).unwrap();
    let content = b"#!python -E\n# -*- coding: latin-1 -*-\nprint(ascii('\xfc'))\n";
    let script = rewrite_python_shebang(content, &first).unwrap();
    let path = folder.path().join("script");
    fs::write_new(&path, &script, 0o755).unwrap();
    let output = output_of(&mut Command::new(&path));
    assert_eq!(output.stdout, b"'\\xfc'\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_installers_made_of_a_first_line_is_undone() {
    let is_own = |path: &Path| path == Path::new("/v e/bin/python3") || path == Path::new("/v/bin/python");
    let cases: [(&str, Option<&str>); 12] = [
        ("#!/v/bin/python\nx\n", Some("#!python\nx\n")),
        ("#!/v/bin/python", Some("#!python\n")),
        ("#!/v/bin/python -E  -s\nx", Some("#!python -E  -s\nx")),
        ("#!/v e/bin/python3\nx", Some("#!python\nx")),
        ("#!/usr/bin/python\nx", None),
        ("#!/bin/sh\necho\n", None),
        ("x", None),
        // distlib and pip, uv, uv where the venv may be moved.
        ("#!/bin/sh\n'''exec' /v/bin/python \"$0\" \"$@\"\n' '''\n# c\nx", Some("#!python\n# c\nx")),
        ("#!/bin/sh\n'''exec' \"/v e/bin/python3\" \"$0\" \"$@\"\n' '''\nx", Some("#!python\nx")),
        ("#!/bin/sh\n'''exec' '/v e/bin/python3' \"$0\" \"$@\"\n' '''\nx", Some("#!python\nx")),
        (
            "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\nx",
            Some("#!python\nx"),
        ),
        ("#!/bin/sh\n'''exec' /usr/bin/python \"$0\" \"$@\"\n' '''\nx", None),
    ];
    for (script, expected) in cases {
        let restored = restore_python_shebang(script.as_bytes(), &is_own);
        assert_eq!(restored.map(|text| String::from_utf8(text).unwrap()).as_deref(), expected, "{script}");
    }
}
