//! `entry_points.txt` (the entry points specification), as far as scripts are made of it.

use serde::{Deserialize, Serialize};

use super::Error;
use super::script_name::check_script_name;

/// A script that an installer has to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPoint {
    /// The script's file name.
    pub name: String,
    /// The module to import, dotted.
    pub module: String,
    /// The object in it to call, dotted where it is an attribute of an attribute.
    pub attribute: String,
    /// Whether it opens windows (`gui_scripts`) rather than writing to a terminal.
    pub gui: bool,
}

/// Reads the `console_scripts` and `gui_scripts` of an `entry_points.txt`. Other groups may contain anything; of
/// two scripts with one name the later counts.
///
/// # Errors
/// When a script's name could leave the scripts folder or would replace a part of the environment, or when its
/// object is no `module:attribute` of Python identifiers.
pub fn parse(content: &[u8]) -> Result<Vec<EntryPoint>, Error> {
    let text = String::from_utf8_lossy(content);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut entries: Vec<EntryPoint> = Vec::new();
    let mut group = "";
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            group = name.trim();
            continue;
        }
        let gui = match group {
            "console_scripts" => false,
            "gui_scripts" => true,
            _ => continue,
        };
        let entry = entry(line, gui)?;
        entries.retain(|other| other.name != entry.name);
        entries.push(entry);
    }
    Ok(entries)
}

/// Reads `name = module:attribute [extra, …]`.
fn entry(line: &str, gui: bool) -> Result<EntryPoint, Error> {
    let wrong = |reason| Error::EntryPoint { entry: line.to_owned(), reason };
    let (name, object) = line.split_once('=').ok_or_else(|| wrong("has no `=`"))?;
    let name = name.trim();
    check_script_name(name).map_err(wrong)?;
    let object = match object.split_once('[') {
        Some((object, extras)) if extras.trim_end().ends_with(']') => object,
        Some(_) => return Err(wrong("has an unclosed bracket")),
        None => object,
    };
    let (module, attribute) =
        object.split_once(':').ok_or_else(|| wrong("names a module, but nothing in it to call"))?;
    let (module, attribute) = (module.trim(), attribute.trim());
    if !is_dotted_identifier(module) || !is_dotted_identifier(attribute) {
        return Err(wrong("does not name a Python object"));
    }
    Ok(EntryPoint { name: name.to_owned(), module: module.to_owned(), attribute: attribute.to_owned(), gui })
}

/// Whether a text is made of identifiers and dots only, so that it can stand in a script without surprises.
fn is_dotted_identifier(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && !part.starts_with(char::is_numeric)
            && part.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_scripts_of_both_kinds() {
        let text = b"\xef\xbb\xbf# comment\r\n; another\n[console_scripts]\r\n  black = black:patched_main\r\n\
            Tool-X.y=a.b_c:Class.run [extra1,extra2]\npip3.12 = pip:main\nwith space = m:f\n\n[ gui_scripts ]\nwin = m : f \n\
            [pytest11]\nanything goes: here\n[console_scripts]\nblack = black:other\n\xc3\xbcber = m\xc3\xb6dul:f\xc3\xbcr\n";
        let entries = parse(text).unwrap();
        let found: Vec<_> = entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.module.as_str(), entry.attribute.as_str(), entry.gui))
            .collect();
        assert_eq!(
            found,
            [
                ("Tool-X.y", "a.b_c", "Class.run", false),
                ("pip3.12", "pip", "main", false),
                ("with space", "m", "f", false),
                ("win", "m", "f", true),
                ("black", "black", "other", false),
                ("über", "mödul", "für", false),
            ]
        );
        assert!(parse(b"").unwrap().is_empty());
    }

    #[test]
    fn refuses_what_makes_no_safe_script() {
        for line in [
            "a",
            "a = module",
            "a = module:",
            "a = :attr",
            "a = m:f()",
            "a = m:f;import os",
            "a = m m:f",
            "a = 1m:f",
            "a = m..n:f",
            "a = m:f.",
            "a = m:f [extra",
            "a = m:f:g",
            "a = \u{fffd}:f",
            " = m:f",
            "../a = m:f",
            "a/b = m:f",
            "a\\b = m:f",
            ".. = m:f",
            ". = m:f",
            "a\u{1b}b = m:f",
            "-rf = m:f",
            "--help = m:f",
            "python = m:f",
            "python3.12 = m:f",
            "activate = m:f",
        ] {
            let text = format!("[console_scripts]\n{line}\n");
            assert!(matches!(parse(text.as_bytes()), Err(Error::EntryPoint { .. })), "{line}");
        }
    }
}
