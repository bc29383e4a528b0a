//! URLs as they may be shown and kept: without what proves to a server who asks.

use uv_redacted::DisplaySafeUrl;

/// The parameters of a query that say what is meant, and not who asks. Any other may be a signature or a token.
const HARMLESS: &[&str] = &[
    "archive", "at", "branch", "commit", "dl", "download", "filename", "format", "inline", "path", "project",
    "raw", "ref", "ref_type", "sha", "version",
];

/// A URL without credentials and parameters that may be secrets. A text that is not a URL with a host stays as it is.
pub fn public_url(text: &str) -> String {
    match DisplaySafeUrl::parse(text) {
        Ok(mut url) if url.has_host() => {
            let before = url.as_str().to_owned();
            strip_secrets(&mut url);
            if url.as_str() == before { text.to_owned() } else { url.as_str().to_owned() }
        }
        _ => text.to_owned(),
    }
}

/// A requirement whose URL (`name @ URL; marker`), if it has one, is without credentials and secrets, as of [`public_url`].
pub fn public_requirement(text: &str) -> String {
    let Some(middle) = text.find("://") else { return text.to_owned() };
    let start = text[..middle].rfind(char::is_whitespace).map_or(0, |place| place + 1);
    let end = text[middle..].find(char::is_whitespace).map_or(text.len(), |length| middle + length);
    format!("{}{}{}", &text[..start], public_url(&text[start..end]), &text[end..])
}

/// Whether a parameter of a query says what is meant, and proves nothing.
pub fn is_public_parameter(name: &str) -> bool {
    HARMLESS.contains(&name)
}

/// Takes credentials and parameters that may be secrets out of a URL.
pub fn strip_secrets(url: &mut DisplaySafeUrl) {
    url.remove_credentials();
    let Some(query) = url.query() else { return };
    let is_harmless = |pair: &&str| is_public_parameter(pair.split('=').next().unwrap_or_default());
    let kept: Vec<&str> = query.split('&').filter(is_harmless).collect();
    let kept = (!kept.is_empty()).then(|| kept.join("&"));
    url.set_query(kept.as_deref());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (text, kept) in [
            ("https://me:pw@h/a.whl?sig=x#sha256=00", "https://h/a.whl#sha256=00"),
            ("https://h/a.whl?raw=true&X-Amz-Signature=x&ref=main", "https://h/a.whl?raw=true&ref=main"),
            ("https://h/a.whl?token", "https://h/a.whl"),
            ("https://h", "https://h"),
            ("file:///a%20b?c", "file:///a%20b?c"),
            ("../a.whl", "../a.whl"),
        ] {
            assert_eq!(public_url(text), kept);
        }
        assert_eq!(
            public_requirement("x @ git+https://t@h/x@main ; os_name == 'nt'"),
            "x @ git+https://h/x@main ; os_name == 'nt'"
        );
        assert_eq!(public_requirement("git+ssh://git@h/x"), "git+ssh://git@h/x");
    }
}
