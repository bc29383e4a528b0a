//! Reads pages in JSON (PEP 691).

use std::borrow::Cow;

use serde::Deserialize;
use url::Url;

use super::InvalidPage;
use super::loose::Loose;
use super::page::{Listed, Metadata, Page, Status, Yanked};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail<'a> {
    #[serde(borrow)]
    files: Vec<Loose<'a>>,
    #[serde(borrow, default)]
    project_status: Option<Loose<'a>>,
}

/// Reads a page.
///
/// # Errors
///
/// [`InvalidPage`] when it is not JSON, or has no list of files.
pub fn read<'a>(body: &'a [u8], base: &Url) -> Result<Page<'a>, InvalidPage> {
    let detail: Detail<'a> = serde_json::from_slice(body).map_err(|error| InvalidPage(error.to_string()))?;
    let mut page = Page::default();
    let mut status = None;
    let mut reason = None;
    for (key, value) in detail.project_status.map(Loose::entries).unwrap_or_default() {
        match key.as_ref() {
            "status" => status = value.text(),
            "reason" => reason = value.text(),
            _ => {}
        }
    }
    page.status = status.and_then(|status| Status::new(status, reason));
    for file in detail.files {
        page.add(listed(file), base);
    }
    Ok(page)
}

fn listed(file: Loose<'_>) -> Listed<'_> {
    let mut listed = Listed::default();
    let mut older_metadata = None;
    for (key, value) in file.entries() {
        match key.as_ref() {
            "filename" => listed.filename = value.text(),
            "url" => listed.url = value.text(),
            "hashes" => listed.hashes = hashes(value),
            "requires-python" => listed.requires_python = Some(value),
            "size" => listed.size = if let Loose::Number(size) = value { Some(size) } else { None },
            "upload-time" => listed.upload_time = value.text(),
            "yanked" => listed.yanked = yanked(value),
            "core-metadata" => listed.metadata = metadata(value),
            "dist-info-metadata" | "data-dist-info-metadata" => older_metadata = metadata(value),
            _ => {}
        }
    }
    listed.metadata = listed.metadata.or(older_metadata);
    listed
}

fn hashes(value: Loose<'_>) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    value.entries().into_iter().filter_map(|(name, digest)| Some((name, digest.text()?))).collect()
}

/// An empty reason is none: then it is not yanked (PEP 691).
fn yanked(value: Loose<'_>) -> Option<Yanked<'_>> {
    match value {
        Loose::Nothing | Loose::Bool(false) | Loose::Number(0) => None,
        Loose::Text(text) if text.is_empty() => None,
        Loose::Text(text) => Some(Yanked::Because(text)),
        _ => Some(Yanked::Yes(true)),
    }
}

fn metadata(value: Loose<'_>) -> Option<Metadata<'_>> {
    match value {
        Loose::Bool(true) => Some(Metadata(Vec::new())),
        Loose::Map(_) => Some(Metadata(hashes(value))),
        _ => None,
    }
}
