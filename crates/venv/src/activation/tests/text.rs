//! What can be said of the scripts' texts without a shell.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::super::{Activation, Error, fill, quoting};

#[test]
fn powershell_texts_are_ascii_expressions() {
    assert_eq!(quoting::powershell(""), "''");
    assert_eq!(quoting::powershell("it's $x `n \"q\""), "'it''s $x `n \"q\"'");
    assert_eq!(quoting::powershell("caf\u{e9}"), "('caf' + [char]0x00E9)");
    assert_eq!(quoting::powershell("\u{2019}'a"), "('' + [char]0x2019 + '''a')");
    assert_eq!(
        quoting::powershell("a\u{1F40D}\u{e9}b"),
        "('a' + [char]0xD83D + [char]0xDC0D + [char]0x00E9 + 'b')"
    );
}

#[test]
fn batch_texts_leave_no_sign_to_the_parser() {
    assert_eq!(quoting::batch("100% & (more)"), "100%% & (more)");
    assert_eq!(quoting::batch("a\"b&c\"d&e"), "a\"b^&c\"d&e");
    let script = Activation { root: Path::new("/r"), scripts: "bin", prompt: "a$b" };
    let script = script.scripts().unwrap().into_iter().find(|script| script.name == "activate.bat").unwrap();
    assert!(script.content.contains("set \"PROMPT=(a$$b) %PROMPT%\"\r\n"), "{}", script.content);
    assert!(script.content.contains("set \"VIRTUAL_ENV_PROMPT=a$b\"\r\n"), "{}", script.content);
}

#[test]
fn filling_goes_through_the_template_once() {
    let values = [("A", "@B@".to_owned()), ("B", "b".to_owned())];
    assert_eq!(fill("x@A@ @B@@A@ me@example @C@ @", &values), "x@B@ b@B@ me@example @C@ @");
}

#[test]
fn no_placeholder_is_left() {
    let activation = Activation { root: Path::new("/some/where"), scripts: "bin", prompt: "here" };
    for script in activation.scripts().unwrap() {
        for (at, _) in script.content.match_indices('@') {
            let rest = &script.content[at + 1..];
            let name = rest
                .split(|character: char| !(character.is_ascii_uppercase() || character == '_'))
                .next()
                .unwrap();
            assert!(name.is_empty() || !rest[name.len()..].starts_with('@'), "{} has @{name}@", script.name);
        }
    }
}

#[test]
fn texts_that_no_script_can_hold_are_refused() {
    let scripts = |root: &Path, prompt: &str| Activation { root, scripts: "bin", prompt }.scripts();
    for bad in ["a\nb", "a\rb", "a\0b"] {
        let error = scripts(Path::new("/fine"), bad).unwrap_err();
        assert!(matches!(error, Error::LineBreak { what: "prompt", .. }), "{error}");
        assert!(error.hint().unwrap().contains("prompt"));
        let error = scripts(&Path::new("/").join(bad), "fine").unwrap_err();
        assert!(matches!(error, Error::LineBreak { what: "path", .. }), "{error}");
        assert!(!error.to_string().contains(['\n', '\r', '\0']), "{error}");
    }
    let error = scripts(Path::new(OsStr::from_bytes(b"/caf\xe9")), "fine").unwrap_err();
    assert!(matches!(error, Error::NotUtf8(_)), "{error}");
    assert!(matches!(scripts(Path::new("relative"), "fine"), Err(Error::NotAbsolute(_))));
}
