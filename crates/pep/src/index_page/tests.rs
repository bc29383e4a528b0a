//! Pages with all that real ones had wrong.

use serde_json::{Value, json};
use url::Url;

use super::page::{Page, metadata_sha256, without_marks};
use super::{html, json};

const SHA256: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn base() -> Url {
    Url::parse("https://index.example/simple/lib/").unwrap()
}

fn written(page: &Page<'_>) -> Value {
    serde_json::from_slice(&page.json()).unwrap()
}

/// What becomes of one file of a JSON page that has such a value too.
fn with(key: &str, value: Value) -> Option<Value> {
    let mut file =
        json!({"filename": "lib-1.0.tar.gz", "url": "/files/lib-1.0.tar.gz", "hashes": {"sha256": SHA256}});
    file[key] = value;
    let text = json!({"files": [file]}).to_string();
    let page = json::read(text.as_bytes(), &base()).unwrap();
    assert_eq!(page.notes.len() + page.files.len(), 1);
    written(&page)["files"].get(0).cloned()
}

#[test]
fn what_is_null_is_as_if_it_was_not_there() {
    for key in ["size", "yanked", "upload-time", "requires-python", "core-metadata", "hashes", "else"] {
        let file = with(key, Value::Null).unwrap_or_else(|| panic!("{key}"));
        assert!(file.get(key).is_none_or(|value| *value == json!(false) || *value == json!({})), "{file}");
    }
    assert!(with("url", Value::Null).is_none() && with("filename", Value::Null).is_none());
}

#[test]
fn values_are_taken_as_the_standards_mean_them() {
    let value = |key: &str, given: Value| with(key, given).unwrap()[key].clone();
    assert_eq!(value("yanked", json!("")), Value::Null);
    assert_eq!(value("yanked", json!("broken")), json!("broken"));
    assert_eq!(value("yanked", json!(true)), json!(true));
    assert_eq!(value("upload-time", json!("2024-01-01T00:00:00")), json!("2024-01-01T00:00:00Z"));
    assert_eq!(value("upload-time", json!("2024-01-01T00:00:00.5Z")), json!("2024-01-01T00:00:00.5Z"));
    assert_eq!(value("upload-time", json!("yesterday")), Value::Null);
    assert_eq!(value("size", json!("12")), Value::Null);
    assert_eq!(value("url", json!("../../f/x.whl")), json!("https://index.example/f/x.whl"));
    assert!(with("requires-python", json!(3)).is_none());
}

#[test]
fn only_files_of_the_network_are_taken() {
    for url in [
        "git+https://host.example/lib",
        "file:///etc/lib.whl",
        "javascript:alert(1)",
        "data:,x",
        "https://[x/",
    ] {
        assert!(with("url", json!(url)).is_none(), "{url}");
    }
}

#[test]
fn a_hash_that_is_none_is_no_hash_left_out() {
    assert!(with("hashes", json!({"sha256": "abc"})).is_none());
    assert!(with("hashes", json!({"sha256": format!("../{}", &SHA256[3..])})).is_none());
    assert_eq!(with("hashes", json!({"blake9": "abc"})).unwrap()["hashes"], json!({}));
}

#[test]
fn what_is_no_file_does_not_spoil_the_page() {
    let text = br#"{"files": [null, 7, "x", {"filename": "a-1.tar.gz", "url": "a-1.tar.gz"}]}"#;
    let page = json::read(text, &base()).unwrap();
    assert_eq!((page.files.len(), page.notes.len()), (1, 3));
    assert!(json::read(b"{\"files\": null}", &base()).is_err());
    assert!(json::read(b"<html>", &base()).is_err());
}

#[test]
fn the_hash_of_the_metadata_comes_back_with_its_url() {
    let file = with("core-metadata", json!({"sha256": SHA256})).unwrap();
    assert_eq!(file["core-metadata"], json!(true));
    let url = file["url"].as_str().unwrap();
    assert_eq!(metadata_sha256(&Url::parse(url).unwrap()), SHA256.parse().ok());
    assert_eq!(
        without_marks(&format!("url = \"{url}\", x")),
        "url = \"https://index.example/files/lib-1.0.tar.gz\", x"
    );
    let older = with("dist-info-metadata", json!({"sha256": SHA256})).unwrap();
    assert_eq!(older["url"], file["url"]);
    // Without a hash there is nothing to compare; with a broken one the metadata is not used.
    let bare = with("core-metadata", json!(true)).unwrap();
    assert!(bare["core-metadata"] == json!(true) && !bare["url"].as_str().unwrap().contains('#'));
    assert_eq!(with("core-metadata", json!({"sha256": "xyz"})).unwrap()["core-metadata"], json!(false));
}

#[test]
fn links_are_read_as_json_is() {
    let text = format!(
        "<html><head><meta name=\"pypi:project-status\" content=\"archived\"><base href=\"/files/\"></head><body>\
         <a href=\"lib-1.0.tar.gz#sha256={SHA256}&amp;x=y\" data-requires-python=\"&gt;=3.8\" \
         data-core-metadata=\"sha256={SHA256}\">x</a><a>no link</a>\
         <A HREF='git+https://host.example/lib#egg=lib'>git</A>\
         <a href=\"https://host.example/lib-2.0%2Bcpu.whl?a=b\" data-yanked>y</a></body></html>"
    );
    let page = html::read(&text, &base()).unwrap();
    assert_eq!(page.notes.len(), 1, "{:?}", page.notes);
    let value = written(&page);
    assert_eq!(value["project-status"]["status"], "archived");
    let files = value["files"].as_array().unwrap();
    let expected = format!("https://index.example/files/lib-1.0.tar.gz#metadata-file:sha256={SHA256}");
    assert_eq!(files[0]["url"], json!(expected));
    assert_eq!(
        (&files[0]["requires-python"], &files[0]["hashes"]["sha256"]),
        (&json!(">=3.8"), &json!(SHA256))
    );
    assert_eq!((&files[1]["filename"], &files[1]["yanked"]), (&json!("lib-2.0+cpu.whl"), &json!(true)));
}

#[test]
fn a_page_of_links_is_written_as_one() {
    let text = format!(
        "<a href=\"lib-1.0-py3-none-any.whl#sha256={SHA256}\" data-core-metadata=true data-requires-python=\"&lt;4\">l</a>\
         <a href=\"a&amp;b.whl\" data-yanked=\"&quot;no&quot;\">m</a>"
    );
    let page = html::read(&text, &base()).unwrap();
    let again = String::from_utf8(page.html()).unwrap();
    assert!(!again.contains("metadata"), "{again}");
    let (first, second) = (written(&page), written(&html::read(&again, &base()).unwrap()));
    let without = |mut page: Value| {
        for file in page["files"].as_array_mut().unwrap() {
            file["core-metadata"] = json!(false);
        }
        page
    };
    assert_eq!(without(first), without(second));
}

#[test]
fn pages_with_signed_links_are_told_from_others() {
    let may_hold_secret = |url: &str| {
        let file = json!({"filename": "lib-1.0.tar.gz", "url": url, "hashes": {"sha256": SHA256}});
        let text = json!({"files": [file]}).to_string();
        json::read(text.as_bytes(), &base()).unwrap().may_hold_secret()
    };
    assert!(may_hold_secret("/files/lib-1.0.tar.gz?X-Amz-Signature=00"));
    assert!(!may_hold_secret("/files/lib-1.0.tar.gz#sha256=00"));
}
