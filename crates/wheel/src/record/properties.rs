//! What holds of every RECORD.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::{RecordAdditions, installed_record};

/// Fields with everything that CSV has a meaning for.
fn fields() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-zü/._-]{1,4}",
        1 => prop_oneof![Just(","), Just("\""), Just("\n"), Just("\r"), Just("\r\n"), Just("\u{feff}"), Just(" "), Just("=")]
            .prop_map(str::to_owned),
    ];
    vec(part, 1..5).prop_map(|parts| parts.concat())
}

fn rows() -> impl Strategy<Value = RecordRow> {
    let hash =
        (fields().prop_filter("an algorithm ends at the first `=`", |name| !name.contains('=')), fields())
            .prop_map(|(algorithm, digest)| RecordHash { algorithm, digest });
    (fields(), option::of(hash), option::of(any::<u64>())).prop_map(|(path, hash, size)| RecordRow {
        path,
        hash,
        size,
    })
}

proptest! {
    /// Rows are read as they were written, whatever stands in them.
    #[test]
    fn it_is_read_as_it_was_written(rows in vec(rows(), 0..5)) {
        let text = write_record(&rows);
        prop_assert_eq!(parse_record(&text).unwrap(), rows, "written as {:?}", text);
    }

    /// Each way to write a row gives one that is read as that.
    #[test]
    fn a_row_is_one_row(path in fields(), content in option::of(any::<[u8; 4]>())) {
        let text = record_row(&path, content.as_ref().map(<[u8; 4]>::as_slice));
        let hash = content.map(|content| RecordHash { algorithm: "sha256".to_owned(), digest: RecordDigest::of(content).to_string() });
        let size = content.map(|content| content.len() as u64);
        prop_assert_eq!(parse_record(&text).unwrap(), [RecordRow { path, hash, size }]);
    }

    /// Any text is read or refused, and what was read is read again.
    #[test]
    fn no_text_is_too_much(text in "[a,\"\n\r=0 \u{feff}]{0,24}") {
        if let Ok(rows) = parse_record(&text) {
            prop_assert_eq!(parse_record(&write_record(&rows)).unwrap(), rows);
        }
    }

    /// A venv's RECORD has the links, then every file once, those below a link without their hash, then the installer's own.
    #[test]
    fn a_venvs_has_every_file_once(folders in proptest::sample::subsequence(vec!["a", "b", "ab"], 0..=3), names in proptest::collection::btree_set("(a|b|ab)/[xy]\\.py|[xy]\\.py", 0..8)) {
        let site: String = names.iter().map(|name| known_record_row(name, &RecordDigest::of("content"), 7)).collect();
        let links: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
        let text = installed_record(&site, "d.dist-info", &RecordAdditions { links: links.clone(), rows: String::new() }, &[("INSTALLER", "x")]);
        let rows = parse_record(&text).unwrap();
        let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
        let own = ["d.dist-info/INSTALLER", "d.dist-info/RECORD"];
        let expected: Vec<&str> = links.iter().chain(&names).map(String::as_str).chain(own).collect();
        prop_assert_eq!(paths, expected);
        for row in &rows[links.len()..links.len() + names.len()] {
            let is_below = links.iter().any(|link| row.path.starts_with(&format!("{link}/")));
            prop_assert_eq!(row.hash.is_none(), is_below, "{}", &row.path);
        }
    }
}
