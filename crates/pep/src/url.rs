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
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_secret(pair)).collect();
    let kept = (!kept.is_empty()).then(|| kept.join("&"));
    url.set_query(kept.as_deref());
}

/// Whether a parameter, `name=value`, may be a secret.
fn is_secret(parameter: &str) -> bool {
    !is_public_parameter(parameter.split('=').next().unwrap_or_default())
}

/// Whether an address proves something to a server who asks: by credentials, by a parameter that may be a secret, or by a part
/// of its path that looks like a token, as some private indexes have them. Digests, which some indexes file their wheels
/// under, are none; neither is the last part, which names a project or a file.
pub fn may_hold_secret(url: &DisplaySafeUrl) -> bool {
    let has_secret_parameter = || url.query().into_iter().flat_map(|query| query.split('&')).any(is_secret);
    let mut parts: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    parts.pop();
    !url.username().is_empty()
        || url.password().is_some()
        || has_secret_parameter()
        || parts.into_iter().any(looks_like_token)
}

/// Whether a part of a path is rather a token than a word: capitals and digits only, or long and of letters and digits.
fn looks_like_token(part: &str) -> bool {
    let has = |kind: fn(&char) -> bool| part.chars().any(|letter| kind(&letter));
    let is_digest = part.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f' | b'-'));
    let is_word = part.contains('.') || !has(char::is_ascii_alphabetic);
    let is_capital = part.len() >= 6 && !has(char::is_ascii_lowercase);
    let is_mixed = part.len() >= 16 && (has(char::is_ascii_digit) || has(char::is_ascii_uppercase));
    !is_digest && !is_word && (is_capital || is_mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_words() {
        let may = |text: &str| may_hold_secret(&DisplaySafeUrl::parse(text).unwrap());
        for public in [
            "https://h/simple/Flask/",
            "https://h/api/v4/projects/1234567890123456/packages/simple/x/",
            "https://h/packages/0a/5f/6e1f3bd1c2f8b9ad/PyYAML-6.0-cp311-cp311-manylinux_2_17_x86_64.whl",
            "https://h/some-rather-long-organization/simple/x/",
            "https://h/simple/x/#sha256=00",
        ] {
            assert!(!may(public), "{public}");
        }
        for secret in [
            "https://me:pw@h/simple/x/",
            "https://t@h/simple/x/",
            "https://h/f/a-1-py3-none-any.whl?sig=x",
            "https://h/SECRET/simple/x/",
            "https://h/aB3dE6gH9jK2mN5p/org/simple/x/",
        ] {
            assert!(may(secret), "{secret}");
        }
    }

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
