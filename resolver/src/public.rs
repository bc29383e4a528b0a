//! URLs as they may be shown and kept: without what proves to a server who asks.

use toml_edit::{Item, TableLike, Value};
use uv_redacted::DisplaySafeUrl;

/// The parameters of a query that say what is meant, and not who asks. Any other may be a signature or a token.
const HARMLESS: &[&str] = &[
    "archive", "at", "branch", "commit", "dl", "download", "filename", "format", "inline", "path", "project",
    "raw", "ref", "ref_type", "sha", "version",
];

/// A URL as it may be shown and kept: without credentials, fragment and parameters that may be secrets.
pub(crate) fn public(url: &DisplaySafeUrl) -> String {
    let mut url = url.clone();
    strip(&mut url);
    url.set_fragment(None);
    url.as_str().to_owned()
}

/// The same for a text, with its fragment. What is no URL with a server stays as it is.
pub fn public_url(text: &str) -> String {
    match DisplaySafeUrl::parse(text) {
        Ok(mut url) if url.has_host() => {
            let before = url.as_str().to_owned();
            strip(&mut url);
            if url.as_str() == before { text.to_owned() } else { url.as_str().to_owned() }
        }
        _ => text.to_owned(),
    }
}

/// The same for the URL in a requirement (`name @ URL; marker`), if it has one.
pub fn public_requirement(text: &str) -> String {
    let Some(middle) = text.find("://") else { return text.to_owned() };
    let start = text[..middle].rfind(char::is_whitespace).map_or(0, |place| place + 1);
    let end = text[middle..].find(char::is_whitespace).map_or(text.len(), |length| middle + length);
    format!("{}{}{}", &text[..start], public_url(&text[start..end]), &text[end..])
}

/// The same for every line of a requirements file.
pub(crate) fn strip_lines(text: &str) -> String {
    text.split_inclusive('\n').map(public_requirement).collect()
}

fn strip(url: &mut DisplaySafeUrl) {
    url.remove_credentials();
    let Some(query) = url.query() else { return };
    let is_harmless = |pair: &&str| HARMLESS.contains(&pair.split('=').next().unwrap_or_default());
    let kept: Vec<&str> = query.split('&').filter(is_harmless).collect();
    let kept = (!kept.is_empty()).then(|| kept.join("&"));
    url.set_query(kept.as_deref());
}

/// Does the same to every URL of a lock file. Returns the hosts of those that had a secret, each once.
pub(crate) fn strip_document(document: &mut toml_edit::DocumentMut) -> Vec<String> {
    let mut hosts = Vec::new();
    strip_table(document.as_table_mut(), &mut hosts);
    hosts.sort();
    hosts.dedup();
    hosts
}

fn strip_table(table: &mut dyn TableLike, hosts: &mut Vec<String>) {
    for (key, item) in table.iter_mut() {
        let is_url = matches!(key.get(), "url" | "index");
        match item {
            Item::Value(value) => strip_value(value, is_url, hosts),
            Item::Table(table) => strip_table(table, hosts),
            Item::ArrayOfTables(tables) => tables.iter_mut().for_each(|table| strip_table(table, hosts)),
            Item::None => {}
        }
    }
}

fn strip_value(value: &mut Value, is_url: bool, hosts: &mut Vec<String>) {
    match value {
        Value::String(text) if is_url => {
            let stripped = public_url(text.value());
            if stripped != *text.value() {
                let host = DisplaySafeUrl::parse(&stripped)
                    .ok()
                    .and_then(|url| url.host_str().map(ToOwned::to_owned));
                hosts.extend(host);
                let decor = text.decor().clone();
                *value = Value::from(stripped);
                *value.decor_mut() = decor;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| strip_value(value, false, hosts)),
        Value::InlineTable(table) => strip_table(table, hosts),
        _ => {}
    }
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
        assert_eq!(strip_lines("a==1\nb @ https://h/b.whl?sig=1 \\\n"), "a==1\nb @ https://h/b.whl \\\n");
    }

    #[test]
    fn lock_files_keep_no_secret() {
        let text = "[[packages]]\nname = \"a\"\nindex = \"https://me:pw@h/simple/\"\nwheels = [\n    { url = \"https://h/a.whl?sig=x\", size = 1 },\n]\n\
                    archive = { url = \"https://me@i/b.zip\" }\n[packages.vcs]\nurl = \"https://t@i/x\"\n";
        let mut document: toml_edit::DocumentMut = text.parse().unwrap();
        assert_eq!(strip_document(&mut document), ["h", "i"]);
        let expected = text.replace("me:pw@", "").replace("me@", "").replace("t@", "").replace("?sig=x", "");
        assert_eq!(document.to_string(), expected);
        assert_eq!(strip_document(&mut document), [] as [&str; 0]);
    }
}
