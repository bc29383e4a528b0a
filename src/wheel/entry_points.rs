//! `entry_points.txt` (the entry points specification), as far as scripts are made from it.

use serde::{Deserialize, Serialize};

use super::Error;

/// A script to be made: `name = module:attribute`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPoint {
    /// The script's file name.
    pub name: String,
    /// The module to import.
    pub module: String,
    /// What to call in it; may be dotted.
    pub attribute: String,
    /// Whether it is a program with windows, which on Windows needs no console.
    pub gui: bool,
}

/// Reads the scripts of an `entry_points.txt`. Other groups are of no interest here.
///
/// # Errors
/// When a script's name is no file name, belongs to the venv, or its object reference makes no sense.
pub(super) fn parse(text: &str) -> Result<Vec<EntryPoint>, Error> {
    let mut points: Vec<EntryPoint> = Vec::new();
    let mut gui = None;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(group) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            gui = match group.trim() {
                "console_scripts" => Some(false),
                "gui_scripts" => Some(true),
                _ => None,
            };
            continue;
        }
        let (Some(gui), Some((name, reference))) = (gui, line.split_once('=')) else {
            continue;
        };
        let point = entry_point(name.trim(), reference, gui)?;
        points.retain(|other| other.name != point.name);
        points.push(point);
    }
    Ok(points)
}

fn entry_point(name: &str, reference: &str, gui: bool) -> Result<EntryPoint, Error> {
    let refuse = |reason| Error::Script { name: name.to_owned(), reason };
    check_script_name(name)?;
    // Extras may follow in brackets; they are deprecated and change nothing about the script.
    let reference = reference.split('[').next().unwrap_or(reference).trim();
    let (module, attribute) =
        reference.split_once(':').ok_or_else(|| refuse("its entry point names no object of a module"))?;
    let (module, attribute) = (module.trim(), attribute.trim());
    let is_dotted_name = |text: &str| text.split('.').all(is_identifier);
    if !is_dotted_name(module) || !is_dotted_name(attribute) {
        return Err(refuse("its entry point is no Python name"));
    }
    Ok(EntryPoint { name: name.to_owned(), module: module.to_owned(), attribute: attribute.to_owned(), gui })
}

/// Whether a text is an identifier of Python, near enough to be written into a script without harm.
fn is_identifier(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && letters.all(|letter| letter == '_' || letter.is_alphanumeric())
}

/// Refuses names that are no plain file names.
pub(super) fn check_script_name(name: &str) -> Result<(), Error> {
    let refuse = |reason| Err(Error::Script { name: name.to_owned(), reason });
    if name.is_empty() || name == "." || name == ".." {
        return refuse("its name is no file name");
    }
    if name.contains(['/', '\\', '\0']) || name.chars().any(char::is_control) {
        return refuse("its name has a separator or a control character");
    }
    if is_reserved_script(name) {
        return refuse("that name belongs to the venv itself");
    }
    Ok(())
}

/// Whether a name in `bin` is the interpreter's or an activation script's.
pub fn is_reserved_script(name: &str) -> bool {
    let is_python = name
        .strip_prefix("python")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b't'));
    let lower = name.to_ascii_lowercase();
    is_python
        || lower == "activate"
        || lower == "deactivate"
        || lower.starts_with("activate.")
        || lower.starts_with("activate_this.")
        || lower.starts_with("deactivate.")
}

/// The text of a script that runs an entry point. `shebang` is the interpreter line, line end included.
pub fn script(point: &EntryPoint, shebang: &str) -> String {
    let EntryPoint { module, attribute, .. } = point;
    let object = attribute.split('.').next().unwrap_or(attribute);
    format!(
        "{shebang}# -*- coding: utf-8 -*-\n\
         import sys\n\
         from {module} import {object}\n\n\
         if __name__ == \"__main__\":\n    \
         for suffix in (\"-script.pyw\", \".exe\"):\n        \
         if sys.argv[0].endswith(suffix):\n            \
         sys.argv[0] = sys.argv[0][: -len(suffix)]\n    \
         sys.exit({attribute}())\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_scripts_and_nothing_else() {
        let text = "[console_scripts]\nblack = black:patched_main [colorama]\n# no\n[gui_scripts]\nidle=a.b : C.main\n\
                    [pytest11]\nplugin = x\n";
        let points = parse(text).unwrap();
        assert_eq!(points.len(), 2);
        assert_eq!((points[0].attribute.as_str(), points[0].gui), ("patched_main", false));
        assert_eq!(
            (points[1].module.as_str(), points[1].attribute.as_str(), points[1].gui),
            ("a.b", "C.main", true)
        );
    }

    #[test]
    fn refuses_names_that_lead_elsewhere() {
        for line in
            ["../x = a:b", "a/b = a:b", ".. = a:b", "x = a", "x = a:b();import os", "x = a b:c", " = a:b"]
        {
            assert!(parse(&format!("[console_scripts]\n{line}\n")).is_err(), "{line}");
        }
    }

    #[test]
    fn a_dotted_attribute_is_imported_by_its_first_part() {
        let point =
            EntryPoint { name: "x".into(), module: "m".into(), attribute: "A.run".into(), gui: false };
        let text = script(&point, "#!/bin/python\n");
        assert!(
            text.starts_with("#!/bin/python\n")
                && text.contains("from m import A\n")
                && text.contains("A.run()")
        );
    }
}
