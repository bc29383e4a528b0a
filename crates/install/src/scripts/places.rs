//! `[tool.uv.sources]` in a script's metadata: dependencies that have a place of their own.

use std::collections::BTreeMap;

use toml::Value;
use virtpy_pep::{PackageName, Requirement};
use virtpy_resolver::Input;

use super::ScriptError;

/// What to do instead of what virtpy cannot do.
const WRITE_URLS: &str = "write the dependency as `NAME @ URL`, or leave the key out";

/// The places of packages.
type Places = BTreeMap<PackageName, Value>;

/// Refuses several places for one package.
///
/// # Errors
/// When there are some.
pub(super) fn check(places: &Places) -> Result<(), ScriptError> {
    if places.values().all(Value::is_table) {
        return Ok(());
    }
    Err(ScriptError::unsupported("sources", "give each package one place, without markers"))
}

/// A dependency with the place that is given for it.
///
/// # Errors
/// When that place is of a kind that cannot be used.
pub(super) fn place(places: &Places, text: &str, requirement: &Requirement) -> Result<Input, ScriptError> {
    let Some(source) = places.get(requirement.name()).and_then(Value::as_table) else {
        return Ok(Input::Requirement(text.to_owned()));
    };
    let known = ["git", "rev", "tag", "branch", "url", "path", "editable", "subdirectory"];
    if let Some(other) = source.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(ScriptError::unsupported(&format!("sources.{}.{other}", requirement.name()), WRITE_URLS));
    }
    let word = |key: &str| source.get(key).and_then(Value::as_str);
    let extras = requirement.extras();
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let fragment = word("subdirectory").map(|folder| format!("#subdirectory={folder}")).unwrap_or_default();
    let url = if let Some(url) = word("git") {
        let revision = word("rev").or_else(|| word("tag")).or_else(|| word("branch"));
        let revision = revision.map(|revision| format!("@{revision}")).unwrap_or_default();
        let prefix = if url.starts_with("git+") { "" } else { "git+" };
        format!("{prefix}{url}{revision}{fragment}")
    } else if let Some(url) = word("url") {
        format!("{url}{fragment}")
    } else if let Some(path) = word("path") {
        if source.get("editable").and_then(Value::as_bool).unwrap_or_default() {
            return Ok(Input::Editable(format!("{path}{extras}")));
        }
        path.to_owned()
    } else {
        return Err(ScriptError::unsupported(&format!("sources.{}", requirement.name()), WRITE_URLS));
    };
    let marker = text.split_once(';').map(|(_, marker)| format!(" ; {}", marker.trim()));
    Ok(Input::Requirement(format!("{}{extras} @ {url}{}", requirement.name(), marker.unwrap_or_default())))
}
