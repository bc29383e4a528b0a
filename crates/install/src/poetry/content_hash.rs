//! The digest by which a lock file knows the project that it was made for: SHA-256 over the dependencies of
//! `pyproject.toml` as JSON, written exactly as Python's `json` writes it.

use std::fmt::Write as _;
use virtpy_files::digest::{hex, sha256};

use toml::{Table, Value};

/// The keys of `tool.poetry` that always count, as nothing if they are not there, unless `[project]` has some.
const LEGACY: &[&str] = &["dependencies", "source", "extras", "dev-dependencies"];

/// The keys of `project` that count.
const PROJECT: &[&str] = &["requires-python", "dependencies", "optional-dependencies"];

/// The digest of a `pyproject.toml`; Poetry before 2.3 left `dependency-groups` out.
pub(super) fn content_hash(pyproject: &Table, with_dependency_groups: bool) -> String {
    let empty = Table::new();
    let table = |name: &str| pyproject.get(name).and_then(Value::as_table).unwrap_or(&empty);
    let project: Vec<(&str, Json<'_>)> =
        PROJECT.iter().filter_map(|key| Some((*key, Json::Value(table("project").get(*key)?)))).collect();
    let groups = if with_dependency_groups { table("dependency-groups") } else { &empty };
    let poetry = table("tool").get("poetry").and_then(Value::as_table).unwrap_or(&empty);
    let is_modern = !project.is_empty() || !groups.is_empty();
    let mut own = Vec::new();
    for key in LEGACY.iter().chain(&["group"]) {
        match poetry.get(*key) {
            Some(value) => own.push((*key, Json::Value(value))),
            None if LEGACY.contains(key) && !is_modern => own.push((*key, Json::Null)),
            None => {}
        }
    }
    let mut relevant = Vec::new();
    if !project.is_empty() {
        relevant.push(("project", Json::Object(project)));
    }
    if !groups.is_empty() {
        relevant.push(("dependency-groups", Json::Table(groups)));
    }
    let relevant = if is_modern {
        relevant.push(("tool", Json::Object(vec![("poetry", Json::Object(own))])));
        Json::Object(relevant)
    } else {
        Json::Object(own)
    };
    let mut text = String::new();
    write_json(&mut text, &relevant);
    hex(&sha256(text.as_bytes()))
}

/// What is written.
enum Json<'a> {
    Null,
    Value(&'a Value),
    Table(&'a Table),
    Object(Vec<(&'a str, Self)>),
}

fn write_json(text: &mut String, json: &Json<'_>) {
    match json {
        Json::Null => text.push_str("null"),
        Json::Object(items) => {
            let mut items: Vec<_> = items.iter().collect();
            items.sort_by_key(|(key, _)| *key);
            write_object(text, items.into_iter().map(|(key, item)| (*key, item)));
        }
        Json::Table(table) => {
            let mut items: Vec<(&str, Json<'_>)> =
                table.iter().map(|(key, value)| (key.as_str(), Json::Value(value))).collect();
            items.sort_by_key(|(key, _)| *key);
            write_object(text, items.iter().map(|(key, item)| (*key, item)));
        }
        Json::Value(Value::Table(table)) => write_json(text, &Json::Table(table)),
        Json::Value(Value::Array(items)) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write_json(text, &Json::Value(item));
            }
            text.push(']');
        }
        Json::Value(Value::String(string)) => write_string(text, string),
        Json::Value(Value::Boolean(value)) => text.push_str(if *value { "true" } else { "false" }),
        Json::Value(Value::Integer(number)) => {
            let _ = write!(text, "{number}");
        }
        Json::Value(Value::Float(number)) => {
            let _ = write!(text, "{number:?}");
        }
        // Poetry refuses these itself.
        Json::Value(Value::Datetime(time)) => write_string(text, &time.to_string()),
    }
}

fn write_object<'a>(text: &mut String, items: impl Iterator<Item = (&'a str, &'a Json<'a>)>) {
    text.push('{');
    for (index, (key, item)) in items.enumerate() {
        text.push_str(if index == 0 { "" } else { ", " });
        write_string(text, key);
        text.push_str(": ");
        write_json(text, item);
    }
    text.push('}');
}

/// A string with everything beyond ASCII escaped, in UTF-16 as JSON has it.
fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for letter in string.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_written_as_python_writes_them() {
        let mut text = String::new();
        write_string(&mut text, "a\"\\\n\u{7f}é😀");
        assert_eq!(text, r#""a\"\\\n\u007f\u00e9\ud83d\ude00""#);
    }

    #[test]
    fn the_digest_is_poetrys() {
        // What Python's hashlib and json give for the same tables.
        let legacy: Table = toml::from_str("[tool.poetry.dependencies]\npython = \"^3.8\"\n").unwrap();
        let modern: Table =
            toml::from_str("[project]\ndependencies = [\"a>1\"]\n[dependency-groups]\nd = [\"b\"]\n")
                .unwrap();
        assert_eq!(content_hash(&legacy, true), LEGACY_DIGEST);
        assert_eq!(content_hash(&modern, true), MODERN_DIGEST);
        assert_eq!(content_hash(&modern, false), WITHOUT_GROUPS_DIGEST);
    }

    const LEGACY_DIGEST: &str = "935b488be9f11b23f14aa1ce3bed4013d88bd77462534b5e4fe5bb82b485bfe9";
    const MODERN_DIGEST: &str = "6a2f00cad28ca88198c2d59917b99145a2639ed162a23ea1572d1ef47669d8f1";
    const WITHOUT_GROUPS_DIGEST: &str = "d1b4abea4f9b8118769c3f0563a60d145af6c72822235f887576e32aaf76cf8e";
}
