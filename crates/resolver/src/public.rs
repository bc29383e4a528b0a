//! Lock files and requirements files without what proves to a server who asks.

use toml_edit::{Item, TableLike, Value};
use uv_redacted::DisplaySafeUrl;
use virtpy_pep::{public_requirement, public_url, strip_secrets};

/// A URL as it may be shown and kept: without credentials, fragment and parameters that may be secrets.
pub(crate) fn public(url: &DisplaySafeUrl) -> String {
    let mut url = url.clone();
    strip_secrets(&mut url);
    url.set_fragment(None);
    url.as_str().to_owned()
}

/// The text of a requirements file, each line as of [`public_requirement`].
pub(crate) fn strip_lines(text: &str) -> String {
    text.split_inclusive('\n').map(public_requirement).collect()
}

/// Takes the secrets out of every URL of a lock file. Returns the hosts of those that had a secret, each once.
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
    fn every_line_loses_its_secrets() {
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
