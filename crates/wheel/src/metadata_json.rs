//! METADATA as JSON, in the form that PEP 566 gives it.

use serde_json::{Map, Value};

/// The fields that may stand there more than once.
const LISTS: [&str; 12] = [
    "classifier",
    "dynamic",
    "license_file",
    "obsoletes_dist",
    "platform",
    "project_url",
    "provides_dist",
    "provides_extra",
    "requires_dist",
    "requires_external",
    "supported_platform",
    "import_name",
];

/// Reads METADATA into an object: a key per field in lower case with underscores, lists for fields that may be there more
/// than once, the text after the headers as `description`. Bytes that are not UTF-8 are replaced.
pub fn metadata_as_json(content: &[u8]) -> Map<String, Value> {
    let text = String::from_utf8_lossy(content).replace("\r\n", "\n");
    let (headers, body) = text.split_once("\n\n").unwrap_or((text.as_str(), ""));
    let mut object = Map::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in headers.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                // A description that is a header has its lines indented by seven blanks and a bar, or by eight blanks.
                let inside = line.strip_prefix("       |").or_else(|| line.strip_prefix("        "));
                value.push_str(inside.unwrap_or_else(|| line.trim_start()));
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_lowercase().replace('-', "_"), value.trim().to_owned()));
        }
    }
    for (name, value) in fields {
        if LISTS.contains(&name.as_str()) {
            let list = object.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(Value::String(value));
            }
        } else if name == "keywords" {
            let separator =
                |letter: char| if value.contains(',') { letter == ',' } else { letter.is_whitespace() };
            let words = value.split(separator).map(str::trim).filter(|word| !word.is_empty());
            object.insert(name, words.map(|word| Value::String(word.to_owned())).collect());
        } else {
            object.insert(name, Value::String(value));
        }
    }
    if !body.is_empty() {
        object.insert("description".to_owned(), Value::String(body.to_owned()));
    }
    object
}

/// The home page that such an object names: `Home-page`, or the project's URL of that name.
pub fn home_page(metadata: &Map<String, Value>) -> String {
    let plain = metadata.get("home_page").and_then(Value::as_str).filter(|page| !page.is_empty());
    let urls = metadata.get("project_url").and_then(Value::as_array).into_iter().flatten();
    let named = || {
        urls.filter_map(Value::as_str).filter_map(|url| url.split_once(',')).find_map(|(label, url)| {
            let label: String =
                label.to_lowercase().chars().filter(|letter| letter.is_alphabetic()).collect();
            (label == "homepage").then(|| url.trim().to_owned())
        })
    };
    plain.map(str::to_owned).or_else(named).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_keys() {
        let text = "Metadata-Version: 2.1\r\nName: Demo\nVersion: 1\nKeywords: a, b\nClassifier: x\nClassifier: y\n\
                    License: first\n        second\n\nAbout it.\n\nMore.\n";
        let value = Value::Object(metadata_as_json(text.as_bytes()));
        let expected = serde_json::json!({
            "metadata_version": "2.1", "name": "Demo", "version": "1", "keywords": ["a", "b"],
            "classifier": ["x", "y"], "license": "first\nsecond", "description": "About it.\n\nMore.\n",
        });
        assert_eq!(value, expected);
    }
}
