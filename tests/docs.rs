//! What holds of the pages themselves: their links lead somewhere, and each uses the words of the glossary with a link to it.
//! That their commands do what they say is tested in `tests/cli/docs.rs`.

#![allow(clippy::disallowed_methods, reason = "it reads the pages, it writes nothing")]
#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

/// The words of the glossary, with the forms in which the pages use them.
const WORDS: &[(&str, &str)] = &[
    ("adopt", "adopt|adopts|adopted|adopting|adoption"),
    ("application", "application|applications"),
    ("detach", "detach|detaches|detached|detaching"),
    ("entry", "entry|entries"),
    ("fold", "fold|folds|folded|folding"),
    ("generation", "generation|generations"),
    ("journal", "journal|journals"),
    ("link-mode", r"link\smode|link\smodes"),
    ("plugin", "plugin|plugins"),
    ("relink", "relink|relinks|relinked|relinking"),
    ("shim", "shim|shims"),
    ("store", "store|stores"),
    ("unfold", "unfold|unfolds|unfolded|unfolding"),
    ("venv", "venv|venvs"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The pages for users, by their path from the root.
fn pages() -> BTreeMap<PathBuf, String> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|item| item.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let paths = pages.chain(
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "fuzz/README.md"].map(|page| root().join(page)),
    );
    paths
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root()).unwrap().to_path_buf(), text)
        })
        .collect()
}

fn glossary() -> String {
    std::fs::read_to_string(root().join("docs/glossary.md")).unwrap()
}

/// The text with everything blanked that is not prose: code, headings, comments, the addresses of links.
fn prose(text: &str) -> String {
    let mut prose = text.to_owned();
    for pattern in ["(?ms)^```.*?^```$", "(?m)^#.*$", "(?s)<!--.*?-->", "(?s)`[^`]*`", r"\]\([^)]*\)"] {
        let blank = |found: &regex::Captures<'_>| "\0".repeat(found[0].len());
        prose = Regex::new(pattern).unwrap().replace_all(&prose, blank).into_owned();
    }
    prose
}

/// Where a text first uses a word in the sense of the glossary: not in `entry point`, `directory entry`, `Qt's plugins`.
fn first_use(prose: &str, forms: &str) -> Option<std::ops::Range<usize>> {
    let word = Regex::new(&format!(r"(?i)(^|[^\w-])({forms})($|[^\w-])")).unwrap();
    let mut from = 0;
    while let Some(found) = word.captures_at(prose, from) {
        let range = found.get(2).unwrap().range();
        let is_other = prose[range.end..].starts_with(" point")
            || ["directory ", "Qt's "].iter().any(|before| prose[..range.start].ends_with(before));
        if !is_other {
            return Some(range);
        }
        from = range.end;
    }
    None
}

#[test]
fn each_page_links_the_first_use_of_a_word_of_the_glossary() {
    let mut wrong = Vec::new();
    for (path, text) in pages() {
        let is_for_users =
            path.starts_with("docs") || path.ends_with("README.md") && !path.starts_with("fuzz");
        // The table of contents has titles only.
        if !is_for_users || path.ends_with("glossary.md") || path.ends_with("SUMMARY.md") {
            continue;
        }
        let words = prose(&text);
        let above = if path.starts_with("docs") { "" } else { "docs/" };
        for (word, forms) in WORDS {
            let Some(place) = first_use(&words, forms) else { continue };
            let link = format!("]({above}glossary.md#{word})");
            if !text[place.end..].starts_with(&link) || !text[..place.start].ends_with('[') {
                let number = text[..place.start].lines().count();
                wrong.push(format!("{}:{number}: [{}{link}", path.display(), &text[place]));
            }
        }
    }
    assert!(wrong.is_empty(), "the first use of these words has to be such a link:\n{}", wrong.join("\n"));
}

#[test]
fn the_glossary_has_each_word_once_in_order() {
    let text = glossary();
    let anchors = Regex::new(r#"<a id="([^"]+)"></a>([a-z ]+) \|"#).unwrap();
    let found: Vec<&str> = anchors.captures_iter(&text).map(|found| found.get(1).unwrap().as_str()).collect();
    let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
    assert_eq!(found, words);
}

#[test]
fn the_table_of_contents_has_each_page_once() {
    let contents = std::fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let link = Regex::new(r"\]\(([a-z-]+\.md)\)").unwrap();
    let mut listed: Vec<String> = link.captures_iter(&contents).map(|found| found[1].to_owned()).collect();
    listed.sort();
    let in_docs =
        pages().into_keys().filter_map(|path| Some(path.strip_prefix("docs").ok()?.to_str()?.to_owned()));
    let pages: Vec<String> = in_docs.filter(|page| page != "SUMMARY.md").collect();
    assert_eq!(listed, pages);
}

#[test]
fn links_and_named_files_exist() {
    let link = Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").unwrap();
    let named =
        Regex::new(r"`((?:docs|tests|benches|src|crates|shims|fuzz|data)/[A-Za-z0-9_./-]*[A-Za-z0-9_/-])`")
            .unwrap();
    let mut wrong = BTreeSet::new();
    for (path, text) in pages() {
        let folder = root().join(&path).parent().unwrap().to_path_buf();
        for found in link.captures_iter(&text) {
            if !folder.join(&found[1]).exists() {
                wrong.insert(format!("{}: {}", path.display(), &found[1]));
            }
        }
        for found in named.captures_iter(&text) {
            let is_there =
                [root().join(&found[1]), folder.join(&found[1])].iter().any(|place| place.exists());
            if !is_there {
                wrong.insert(format!("{}: `{}`", path.display(), &found[1]));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere:\n{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}
