//! What a script says about itself (PEP 723): a block of comments with a TOML document.
//!
//! ```text
//! # /// script
//! # requires-python = ">=3.11"
//! # dependencies = ["rich"]
//! # ///
//! ```

use serde::Deserialize;
use toml::Spanned;
use virtpy_pep::{Requirement, Version, accepts_python};
use virtpy_resolver::{Input, UnusableKey, UvTable};

use super::{ScriptError, places};
use crate::words::line_of;

/// How a block begins, with the type of its content after it.
const OPENING: &[u8] = b"# /// ";

/// How a block ends.
const CLOSING: &[u8] = b"# ///";

/// The text of a script's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The TOML document.
    pub text: String,
    /// The line of the script, from 1, in which the document begins.
    pub line: usize,
}

/// Finds a script's metadata. Blocks of other types are passed over, whatever is in them.
///
/// # Errors
/// When there are two blocks of metadata, one that does not end, or one that is not UTF-8.
pub fn block(script: &[u8]) -> Result<Option<Block>, ScriptError> {
    let script = script.strip_prefix(b"\xef\xbb\xbf").unwrap_or(script);
    let lines: Vec<&[u8]> =
        script.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    let mut found: Option<Block> = None;
    let mut index = 0;
    while index < lines.len() {
        let Some(kind) = opened(lines[index]) else {
            index += 1;
            continue;
        };
        let is_ours = kind == b"script";
        let body = index + 1;
        let end = lines[body..].iter().position(|line| !is_content(line)).map_or(lines.len(), |at| body + at);
        // The last possible end counts: what stands before may be part of the document.
        let Some(close) = (body..end).rev().find(|at| lines[*at] == CLOSING) else {
            if is_ours {
                return Err(ScriptError::Unclosed { begin: index + 1, stop: end + 1 });
            }
            index += 1;
            continue;
        };
        if is_ours {
            if let Some(first) = &found {
                return Err(ScriptError::Twice { first: first.line - 1, second: index + 1 });
            }
            found = Some(Block { text: document(&lines[body..close], body + 1)?, line: body + 1 });
        }
        index = close + 1;
    }
    Ok(found)
}

/// The type of the block that a line begins.
fn opened(line: &[u8]) -> Option<&[u8]> {
    let kind = line.strip_prefix(OPENING)?;
    let is_kind = !kind.is_empty() && kind.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    is_kind.then_some(kind)
}

/// Whether a line can be part of a block.
fn is_content(line: &[u8]) -> bool {
    line == b"#" || line.starts_with(b"# ")
}

/// The content of a block's lines, the first of which has this number.
fn document(lines: &[&[u8]], first: usize) -> Result<String, ScriptError> {
    let mut text = String::new();
    for (offset, line) in lines.iter().enumerate() {
        let content = line.strip_prefix(b"# ").unwrap_or_default();
        let content =
            std::str::from_utf8(content).map_err(|_| ScriptError::NotUtf8 { line: first + offset })?;
        text.push_str(content);
        text.push('\n');
    }
    Ok(text)
}

/// What a script needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// The versions of Python that it works with (PEP 440).
    pub requires_python: Option<String>,
    /// The packages that it needs, with the places that `[tool.uv.sources]` gives for some of them.
    pub dependencies: Vec<Input>,
    /// What the table `[tool.uv]` says about indexes and versions.
    pub uv: UvTable,
    /// The keys that say nothing to virtpy: of the standard's own level, and of `[tool.uv]`.
    pub unknown: Vec<String>,
}

/// The document as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    #[serde(default)]
    dependencies: Vec<Spanned<String>>,
    requires_python: Option<Spanned<String>>,
    #[serde(default)]
    tool: Tools,
}

/// The tables of tools; those of others are theirs.
#[derive(Default, Deserialize)]
struct Tools {
    #[serde(default)]
    uv: toml::Table,
}

impl Metadata {
    /// Reads the metadata of a block.
    ///
    /// # Errors
    /// When they make no sense, with the script's line, or ask for what cannot be done.
    pub fn parse(block: &Block) -> Result<Self, ScriptError> {
        let line = |at: usize| block.line + line_of(&block.text, at) - 1;
        let broken = |error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            ScriptError::Invalid { line: line(at), reason: error.message().to_owned() }
        };
        let document: Document = toml::from_str(&block.text).map_err(broken)?;
        let keys: toml::Table = toml::from_str(&block.text).map_err(broken)?;
        let invalid = |span: std::ops::Range<usize>, reason: String| ScriptError::Invalid {
            line: line(span.start),
            reason,
        };
        if let Some(requires) = &document.requires_python {
            let zero = "0".parse::<Version>().map_err(|error| invalid(requires.span(), error.to_string()))?;
            accepts_python(requires.get_ref(), &zero)
                .map_err(|error| invalid(requires.span(), error.to_string()))?;
        }
        let unsupported = |UnusableKey { key, instead }| ScriptError::unsupported(&key, instead);
        let uv = UvTable::parse(document.tool.uv).map_err(unsupported)?;
        places::check(&uv.sources)?;
        let mut dependencies = Vec::with_capacity(document.dependencies.len());
        for text in document.dependencies {
            let requirement = text
                .get_ref()
                .parse::<Requirement>()
                .map_err(|error| invalid(text.span(), error.to_string()))?;
            dependencies.push(places::place(&uv.sources, text.get_ref(), &requirement)?);
        }
        let is_known = |key: &str| matches!(key, "dependencies" | "requires-python" | "tool");
        let mut unknown: Vec<String> =
            keys.into_iter().map(|(key, _)| key).filter(|key| !is_known(key)).collect();
        unknown.extend(uv.unknown.iter().map(|key| format!("tool.uv.{key}")));
        let requires_python = document.requires_python.map(Spanned::into_inner);
        Ok(Self { requires_python, dependencies, uv, unknown })
    }
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
