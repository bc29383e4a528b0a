//! `[tool.uv]` in a script's metadata, as far as it says where packages come from and which versions may be taken.
//!
//! What would bring other packages if it were left aside is an error; what only says how uv itself should work is reported
//! as unknown.

use std::collections::BTreeMap;

use toml::{Table, Value};
use virtpy_pep::{PackageName, Requirement};
use virtpy_resolver::{IndexSettings, Input};

use super::ScriptError;

/// What to do instead of what virtpy cannot do.
const WRITE_URLS: &str = "write the dependency as `NAME @ URL`, or leave the key out";

/// What a script's table says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UvTable {
    /// The index that is asked last, in place of the configured one.
    pub index_url: Option<String>,
    /// Other indexes, asked before it: `URL` or `NAME=URL`.
    pub extra_index_urls: Vec<String>,
    /// Folders and pages of files.
    pub find_links: Vec<String>,
    /// Whether no index is asked.
    pub no_index: bool,
    /// Leave out what was uploaded after this time.
    pub exclude_newer: Option<String>,
    /// Whether pre-releases are admitted.
    pub prerelease: bool,
    /// What is built from source always: names, or `:all:`.
    pub no_binary: Vec<String>,
    /// What is never built from source: names, or `:all:`.
    pub only_binary: Vec<String>,
    /// Requirements that limit the versions.
    pub constraints: Vec<String>,
    /// The keys that say nothing to virtpy.
    pub(super) unknown: Vec<String>,
    /// Where packages come from that have a place of their own, by normalized name.
    sources: BTreeMap<PackageName, Table>,
}

impl UvTable {
    /// The user's settings with what the script says. An index that the user named for this call (`names_index`) goes first.
    pub fn applied_to(&self, mut settings: IndexSettings, names_index: bool) -> IndexSettings {
        if let Some(url) = &self.index_url
            && !names_index
        {
            settings.index_url = Some(url.clone());
            settings.no_index = false;
        }
        let extra = self.extra_index_urls.iter().cloned().chain(settings.extra_index_urls);
        settings.extra_index_urls = extra.collect();
        settings.find_links.extend(self.find_links.iter().cloned());
        settings.no_index |= self.no_index;
        settings.prerelease |= self.prerelease;
        settings.no_binary.extend(self.no_binary.iter().cloned());
        settings.only_binary.extend(self.only_binary.iter().cloned());
        settings.exclude_newer = self.exclude_newer.clone().or(settings.exclude_newer);
        settings
    }

    /// Reads the table.
    ///
    /// # Errors
    /// When a value is of the wrong type, or a key asks for what cannot be done.
    pub(super) fn parse(table: Table) -> Result<Self, ScriptError> {
        let mut uv = Self::default();
        for (key, value) in table {
            uv.take(&key, &value)?;
        }
        Ok(uv)
    }

    fn take(&mut self, key: &str, value: &Value) -> Result<(), ScriptError> {
        let wrong = || unsupported(key, "its value is of a type that makes no sense here");
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
        let texts = |value: &Value| -> Result<Vec<String>, ScriptError> {
            value.as_array().ok_or_else(wrong)?.iter().map(text).collect()
        };
        let switch = |value: &Value| value.as_bool().ok_or_else(wrong);
        match key {
            "index-url" => self.index_url = Some(text(value)?),
            "extra-index-url" => self.extra_index_urls.append(&mut texts(value)?),
            "find-links" => self.find_links = texts(value)?,
            "no-index" => self.no_index = switch(value)?,
            "exclude-newer" => self.exclude_newer = Some(date(value)),
            "prerelease" => self.prerelease = text(value)? == "allow",
            "no-binary-package" => self.no_binary.append(&mut texts(value)?),
            "no-build-package" => self.only_binary.append(&mut texts(value)?),
            "no-binary" if switch(value)? => self.no_binary.push(":all:".to_owned()),
            "no-build" if switch(value)? => self.only_binary.push(":all:".to_owned()),
            "no-binary" | "no-build" => {}
            "constraint-dependencies" => self.constraints = texts(value)?,
            "index" => {
                for index in value.as_array().ok_or_else(wrong)? {
                    self.index(index.as_table().ok_or_else(wrong)?)?;
                }
            }
            "sources" => {
                for (name, source) in value.as_table().ok_or_else(wrong)? {
                    let name = name.parse::<PackageName>().map_err(|_| wrong())?;
                    let table = source.as_table().ok_or_else(|| {
                        unsupported("sources", "give each package one place, without markers")
                    })?;
                    self.sources.insert(name, table.clone());
                }
            }
            "override-dependencies" | "exclude-dependencies" => {
                return Err(unsupported(key, "leave the key out, and name what is needed in `dependencies`"));
            }
            other => self.unknown.push(format!("tool.uv.{other}")),
        }
        Ok(())
    }

    /// One of `[[tool.uv.index]]`. One that only serves packages which name it is not asked for the others.
    fn index(&mut self, index: &Table) -> Result<(), ScriptError> {
        let flag = |key: &str| index.get(key).and_then(Value::as_bool).unwrap_or_default();
        let text = |key: &str| index.get(key).and_then(Value::as_str);
        let url = text("url").ok_or_else(|| unsupported("index", "each index needs a `url`"))?;
        if flag("explicit") {
            return Ok(());
        }
        let named = text("name").map_or_else(|| url.to_owned(), |name| format!("{name}={url}"));
        match (text("format"), flag("default")) {
            (Some("flat"), _) => self.find_links.push(url.to_owned()),
            (_, true) => self.index_url = Some(named),
            (_, false) => self.extra_index_urls.push(named),
        }
        Ok(())
    }

    /// A dependency with the place that the table gives for it.
    ///
    /// # Errors
    /// When that place is of a kind that cannot be used.
    pub(super) fn place(&self, text: &str, requirement: &Requirement) -> Result<Input, ScriptError> {
        let Some(source) = self.sources.get(requirement.name()) else {
            return Ok(Input::Requirement(text.to_owned()));
        };
        let known = ["git", "rev", "tag", "branch", "url", "path", "editable", "subdirectory"];
        if let Some(other) = source.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(unsupported(&format!("sources.{}.{other}", requirement.name()), WRITE_URLS));
        }
        let word = |key: &str| source.get(key).and_then(Value::as_str);
        let extras = requirement.extras();
        let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
        let fragment =
            word("subdirectory").map(|folder| format!("#subdirectory={folder}")).unwrap_or_default();
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
            return Err(unsupported(&format!("sources.{}", requirement.name()), WRITE_URLS));
        };
        let marker = text.split_once(';').map(|(_, marker)| format!(" ; {}", marker.trim()));
        Ok(Input::Requirement(format!(
            "{}{extras} @ {url}{}",
            requirement.name(),
            marker.unwrap_or_default()
        )))
    }
}

/// A date as text, whether it was written as one or as TOML's own kind.
fn date(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn unsupported(key: &str, instead: &'static str) -> ScriptError {
    ScriptError::Unsupported { what: format!("tool.uv.{key}"), instead }
}
