//! Numbers, times and addresses as people read them.

use std::fmt::Display;
use std::time::Duration;

use virtpy_pep::is_public_parameter;

/// A duration as people read it: `7 ms`, `1.24 s`.
pub fn seconds(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else {
        format!("{:.2} s", duration.as_secs_f64())
    }
}

/// A number with its noun: `1 package`, `2 packages`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A text with what stands before the `@` of an address replaced, and the parameters of its query that may be secrets. Most
/// addresses are shown without them anyway; this is for libraries' messages, and for what was meant as an address and is none,
/// such as a URL with a blank in it, or one taken for a path.
pub fn masked(message: &impl Display) -> String {
    let text = message.to_string();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(place) = rest.find(":/") {
        let after = &rest[place + 2..];
        let start = place + 2 + usize::from(after.starts_with('/'));
        let is_of_file = rest[..place].ends_with("file");
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|letter: char| letter.is_whitespace() || "/`'\"<>".contains(letter));
        let mut authority = &rest[..end.unwrap_or(rest.len())];
        if let Some((_, port)) = authority.rsplit_once(':')
            && !authority.contains('@')
            && port.bytes().any(|byte| !byte.is_ascii_digit())
        {
            // What stands there is no port: a password with a slash in it, which should have been written `%2F`.
            let end = rest.find(|letter: char| letter.is_whitespace() || "`'\"<>".contains(letter));
            authority = &rest[..end.unwrap_or(rest.len())];
        }
        if let Some(at) = authority.rfind('@')
            && &authority[..at] != "git"
        {
            out.push_str("****");
            rest = &rest[at..];
        }
        let end = rest.find(|letter: char| letter.is_whitespace() || "`'\"<>".contains(letter));
        let address = &rest[..end.unwrap_or(rest.len())];
        if let Some(question) = address.find('?')
            && !is_of_file
            && !address[..question].contains(":/")
        {
            let end = address[question..].find('#').map_or(address.len(), |place| question + place);
            out.push_str(&rest[..=question]);
            out.push_str(&masked_query(&rest[question + 1..end]));
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    out
}

fn masked_query(query: &str) -> String {
    let shown = query.split('&').map(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        if is_public_parameter(name) {
            return pair.to_owned();
        }
        // What ends the sentence is not of the address.
        let end = &pair[pair.trim_end_matches([':', ',', '.', ';', ')']).len()..];
        if name.len() < pair.len() { format!("{name}=****{end}") } else { format!("****{end}") }
    });
    shown.collect::<Vec<_>>().join("&")
}

/// The line of a text, from 1, that a byte is in.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_and_nothing_else() {
        for (text, shown) in [
            ("cannot use http://me:pw@bad host/: no", "cannot use http://****@bad host/: no"),
            ("`/some/@ http:/me:p@w@host:1/x`", "`/some/@ http:/****@host:1/x`"),
            ("`https://token@host` and `https://a:b@c`", "`https://****@host` and `https://****@c`"),
            (
                "ssh://git@host/x, file:///a@b, x @ http://host/@1",
                "ssh://git@host/x, file:///a@b, x @ http://host/@1",
            ),
            ("a:/", "a:/"),
            ("http://me:p/w/@x@host:1/x, a@b", "http://****@host:1/x, a@b"),
            ("http://host:1/@x and http://host:1a/x a@b", "http://host:1/@x and http://host:1a/x a@b"),
            (
                "could not fetch `https://h/a.whl?sig=x#y` (404)",
                "could not fetch `https://h/a.whl?sig=****#y` (404)",
            ),
            (
                "https://h/a?raw=1&t=x&token: no, https://a:b@c/?d=e.",
                "https://h/a?raw=1&t=****&****: no, https://****@c/?d=****.",
            ),
            ("file:///a?b=c what?d=e https://h/", "file:///a?b=c what?d=e https://h/"),
        ] {
            assert_eq!(masked(&text), shown);
        }
    }
}
