//! Reads pages in HTML (PEP 503), and pages of links that `--find-links` names.

use std::borrow::Cow;

use html_escape::decode_html_entities;
use percent_encoding::percent_decode_str;
use tl::HTMLTag;
use url::Url;

use super::InvalidPage;
use super::loose::Loose;
use super::page::{Listed, Metadata, Page, Status, Yanked};

/// Reads a page that came from `address`.
///
/// # Errors
///
/// [`InvalidPage`] when it is too large for the parser.
pub fn read(text: &str, address: &Url) -> Result<Page<'static>, InvalidPage> {
    let document =
        tl::parse(text, tl::ParserOptions::default()).map_err(|error| InvalidPage(error.to_string()))?;
    let tags = || document.nodes().iter().filter_map(tl::Node::as_tag);
    let base = tags()
        .take_while(|tag| !is(tag, "a") && !is(tag, "link"))
        .find(|tag| is(tag, "base"))
        .and_then(|tag| attribute(tag, "href"))
        .and_then(|href| address.join(&href).ok());
    let base = base.as_ref().unwrap_or(address);
    let mut page = Page { status: status(tags().filter(|tag| is(tag, "meta"))), ..Page::default() };
    for link in tags().filter(|tag| is(tag, "a")) {
        if let Some(href) = attribute(link, "href").filter(|href| !href.is_empty()) {
            page.add(listed(link, &href), base);
        }
    }
    Ok(page)
}

fn listed(link: &HTMLTag<'_>, href: &str) -> Listed<'static> {
    let (url, fragment) = href.split_once('#').unwrap_or((href, ""));
    let path = url.split('?').next().unwrap_or(url);
    let filename = path.rsplit('/').next().unwrap_or(path);
    let fragment = percent_decode_str(fragment).decode_utf8_lossy();
    let is_announced =
        attribute(link, "data-core-metadata").or_else(|| attribute(link, "data-dist-info-metadata"));
    Listed {
        filename: Some(Cow::Owned(percent_decode_str(filename).decode_utf8_lossy().into_owned())),
        url: Some(Cow::Owned(url.to_owned())),
        hashes: hashes(&fragment),
        requires_python: attribute(link, "data-requires-python").map(|text| Loose::Text(Cow::Owned(text))),
        size: attribute(link, "data-size").and_then(|size| size.parse().ok()),
        upload_time: attribute(link, "data-upload-time").map(Cow::Owned),
        yanked: yanked(link),
        metadata: is_announced.filter(|value| value != "false").and_then(|value| {
            let hashes = hashes(&value);
            (value == "true" || !hashes.is_empty()).then_some(Metadata(hashes))
        }),
    }
}

/// Here an empty reason is one: the attribute is there (PEP 592).
fn yanked(link: &HTMLTag<'_>) -> Option<Yanked<'static>> {
    if let Some(reason) = attribute(link, "data-yanked") {
        return Some(Yanked::Because(Cow::Owned(reason)));
    }
    let is_there = link.attributes().iter().any(|(name, _)| name.eq_ignore_ascii_case("data-yanked"));
    is_there.then_some(Yanked::Yes(true))
}

/// `sha256=...`, among other things that a fragment may have.
fn hashes(text: &str) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    let pairs = text.split('&').filter_map(|part| part.split_once('='));
    pairs.map(|(name, digest)| (Cow::Owned(name.to_owned()), Cow::Owned(digest.to_owned()))).collect()
}

fn status<'a, 'b: 'a>(tags: impl Iterator<Item = &'a HTMLTag<'b>>) -> Option<Status<'static>> {
    let (mut status, mut reason) = (None, None);
    for tag in tags {
        match attribute(tag, "name").as_deref() {
            Some("pypi:project-status") => status = attribute(tag, "content"),
            Some("pypi:project-status-reason") => reason = attribute(tag, "content"),
            _ => {}
        }
    }
    Status::new(Cow::Owned(status?), reason.map(Cow::Owned))
}

fn is(tag: &HTMLTag<'_>, name: &str) -> bool {
    tag.name().as_bytes().eq_ignore_ascii_case(name.as_bytes())
}

/// The value of an attribute, without character references.
fn attribute(tag: &HTMLTag<'_>, name: &str) -> Option<String> {
    let mut attributes = tag.attributes().iter();
    let value = attributes.find_map(|(own, value)| own.eq_ignore_ascii_case(name).then_some(value))??;
    Some(decode_html_entities(value.as_ref()).into_owned())
}
