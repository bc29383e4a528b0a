//! What is of interest in a page of releases: where its links and its fragments lead.

use tl::{HTMLTag, ParserOptions};
use url::Url;

/// The addresses that a page names, in its order, as far as they are below a site.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Of links: `<a href>`.
    pub(super) links: Vec<Url>,
    /// Of parts that a browser fetches when they are looked at: `<include-fragment src>`.
    pub(super) fragments: Vec<Url>,
}

impl Page {
    /// Reads a page that was found at an address. What is no page has no links. What leads elsewhere than below
    /// `site` is left out.
    pub(super) fn parse(content: &[u8], address: &Url, site: &Url) -> Self {
        let text = String::from_utf8_lossy(content);
        let mut page = Self::default();
        let Ok(document) = tl::parse(&text, ParserOptions::default()) else { return page };
        for tag in document.nodes().iter().filter_map(|node| node.as_tag()) {
            let name = tag.name().as_bytes();
            let (target, found) = if name.eq_ignore_ascii_case(b"a") {
                (attribute(tag, "href"), &mut page.links)
            } else if name.eq_ignore_ascii_case(b"include-fragment") {
                (attribute(tag, "src"), &mut page.fragments)
            } else {
                continue;
            };
            let joined = target.and_then(|target| address.join(target.trim()).ok());
            found.extend(joined.filter(|url| is_below(url, site)));
        }
        page
    }
}

/// The value of an attribute, with what `&amp;` and the like stand for.
fn attribute(tag: &HTMLTag<'_>, name: &str) -> Option<String> {
    let attributes = tag.attributes();
    let (_, value) = attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(html_escape::decode_html_entities(&value?).into_owned())
}

/// Whether an address is the site's own, and further down.
fn is_below(url: &Url, site: &Url) -> bool {
    let rest = url.path().strip_prefix(site.path().trim_end_matches('/'));
    url.origin() == site.origin() && rest.is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Page {
        let url = |text| Url::parse(text).unwrap();
        Page::parse(
            text.as_bytes(),
            &url("https://x.example/o/p/releases?page=2"),
            &url("https://x.example/o/p/releases"),
        )
    }

    fn links(text: &str) -> Vec<String> {
        parse(text).links.into_iter().map(Url::into).collect()
    }

    #[test]
    fn links_are_made_whole() {
        let text = "<!DOCTYPE html><p>&lt;a href=/no&gt;<A class=x HREF='/o/p/releases/tag/1'>1</a>\
                    <a href=\"https://x.example/o/p/releases/download/1/a%2Bb.tar.gz?x=1&amp;y=2\">b<br>\
                    <a href=releases/tag/2>2</a><!-- <a href=/o/p/releases/tag/3> -->";
        assert_eq!(
            links(text),
            [
                "https://x.example/o/p/releases/tag/1",
                "https://x.example/o/p/releases/download/1/a%2Bb.tar.gz?x=1&y=2",
                "https://x.example/o/p/releases/tag/2",
            ]
        );
        let page = parse(
            "<include-fragment loading=lazy src=\"/o/p/releases/expanded_assets/1\"></include-fragment>",
        );
        assert_eq!(page.fragments[0].as_str(), "https://x.example/o/p/releases/expanded_assets/1");
    }

    #[test]
    fn what_leads_elsewhere_is_left_out() {
        for elsewhere in [
            "https://y.example/o/p/releases/tag/1",
            "http://x.example/o/p/releases/tag/1",
            "https://x.example:444/o/p/releases/tag/1",
            "//y.example/o/p/releases/tag/1",
            "/o/p/releases",
            "/o/p/releases-of-another/tag/1",
            "/o/p/releases/../../q/tag/1",
            "javascript:alert(1)",
            "file:///o/p/releases/tag/1",
            "",
        ] {
            assert_eq!(links(&format!("<a href='{elsewhere}'>x</a>")), [] as [&str; 0], "{elsewhere}");
        }
    }

    #[test]
    fn what_is_no_page_has_no_links() {
        for text in ["", "{\"a\": 1}", "<", "<a href", "<a href=", "\u{0}\u{1}"] {
            assert_eq!(parse(text), Page::default(), "{text}");
        }
        assert_eq!(parse(&"<a ".repeat(100_000)).fragments, []);
        assert_eq!(parse(&"<div>".repeat(100_000)), Page::default());
    }
}
