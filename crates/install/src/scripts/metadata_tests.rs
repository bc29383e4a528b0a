//! The standard's rules for metadata in scripts, one by one.

use virtpy_resolver::IndexSettings;

use super::*;

fn text(script: &str) -> Option<String> {
    block(script.as_bytes()).unwrap().map(|block| block.text)
}

fn error(script: &str) -> String {
    block(script.as_bytes()).unwrap_err().to_string()
}

fn parse(document: &str) -> Result<Metadata, ScriptError> {
    Metadata::parse(&Block { text: document.to_owned(), line: 2 })
}

/// The example of the standard (PEP 723), in words of its own.
const EXAMPLE: &str = "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#   \"requests<3\",\n#   \"rich\",\n\
                       # ]\n# ///\n\nimport requests\n";

#[test]
fn the_example_of_the_standard_is_read() {
    let block = block(EXAMPLE.as_bytes()).unwrap().unwrap();
    assert_eq!(block.line, 2);
    let metadata = Metadata::parse(&block).unwrap();
    assert_eq!(metadata.requires_python.as_deref(), Some(">=3.11"));
    let wanted = ["requests<3", "rich"].map(|text| Input::Requirement(text.to_owned()));
    assert_eq!(metadata.dependencies, wanted);
    assert!(metadata.unknown.is_empty());
}

#[test]
fn what_is_embedded_in_another_block_is_not_metadata() {
    // The standard's second example: a block of another type whose content looks like the end of a block and goes on.
    let script = "# /// some-toml\n# embedded-csharp = \"\"\"\n# /// <summary>\n# /// text\n# ///\n# /// </summary>\n\
                  # public class MyClass { }\n# \"\"\"\n# ///\n";
    assert_eq!(text(script), None);
    let hidden = "# /// other\n# /// script\n# dependencies = []\n# ///\n";
    assert_eq!(text(hidden), None);
    let as_script = script.replacen("some-toml", "script", 1);
    assert!(
        text(&as_script).unwrap().ends_with("# public class MyClass { }\n\"\"\"\n".trim_start_matches("# "))
    );
}

#[test]
fn a_block_ends_at_the_last_line_that_can_end_it() {
    let script = "# /// script\n# a = 1\n# ///\n#\n# b = 2\n# ///\n#\n# words after it\nx = 1\n# ///\n";
    assert_eq!(text(script).unwrap(), "a = 1\n///\n\nb = 2\n");
    assert_eq!(text("# /// script\n# ///\n").unwrap(), "");
}

#[test]
fn lines_end_in_any_way_and_other_things_may_stand_before() {
    let windows = EXAMPLE.replace('\n', "\r\n");
    assert_eq!(text(&windows), text(EXAMPLE));
    let shebang = format!("#!/usr/bin/env -S virtpy run\n#\n\"\"\"Words\"\"\"\n{EXAMPLE}");
    assert_eq!(block(shebang.as_bytes()).unwrap().unwrap().line, 5);
    assert_eq!(text(&format!("\u{feff}{EXAMPLE}")), text(EXAMPLE));
    assert_eq!(text("# /// script\n# a = 1\n# ///"), Some("a = 1\n".to_owned()));
}

#[test]
fn what_only_looks_like_a_block_is_none() {
    for script in [
        "",
        "print('# /// script')\n",
        " # /// script\n# a = 1\n# ///\n",
        "# /// script \n# a = 1\n# ///\n",
        "# ///script\n# ///\n",
        "#/// script\n# ///\n",
        "# /// \n# ///\n",
        "# /// scripts\n# a = 1\n",
        "# /// pyproject\n# a = 1\n# ///\n",
    ] {
        assert_eq!(text(script), None, "{script:?}");
    }
}

#[test]
fn a_block_that_does_not_end_is_an_error() {
    assert_eq!(error("\n# /// script\n# a = 1\n"), "the script's metadata begin in line 2 and do not end");
    for (script, stop) in [
        ("# /// script\n# a = 1\n\n# ///\n", 3),
        ("# /// script\n#\ta = 1\n# ///\n", 2),
        ("# /// script\n#a = 1\n# ///\n", 2),
        ("# /// script\n# a = 1\n# /// \nx\n", 4),
        ("# /// script\n# a = 1\n  # ///\n", 3),
    ] {
        let failure = block(script.as_bytes()).unwrap_err();
        assert!(
            matches!(failure, ScriptError::Unclosed { begin: 1, stop: found } if found == stop),
            "{failure:?}"
        );
        assert!(failure.hint().unwrap().contains(&format!("line {stop}")));
    }
}

#[test]
fn two_blocks_are_an_error() {
    let script = format!("{EXAMPLE}\n{EXAMPLE}");
    assert_eq!(error(&script), "the script has metadata in line 1 and again in line 11");
    // The second one of another type is none of ours.
    assert!(text(&format!("{EXAMPLE}\n# /// other\n# x = 1\n# ///\n")).is_some());
}

#[test]
fn metadata_are_utf8_and_the_rest_may_be_anything() {
    let latin = b"# \xe4\n# /// script\n# dependencies = []\n# ///\nx = '\xff'\n";
    assert!(block(latin).unwrap().is_some());
    let failure = block(b"# /// script\n# a = 1\n# b = '\xff'\n# ///\n").unwrap_err();
    assert_eq!(failure.to_string(), "line 3 of the script's metadata is not UTF-8");
}

#[test]
fn wrong_metadata_are_named_with_their_line() {
    let wrong = |document: &str| parse(document).unwrap_err().to_string();
    assert!(wrong("dependencies = [\n  'rich',\n").starts_with("the script's metadata make no sense: line "));
    assert!(wrong("dependencies = 'rich'\n").contains("line 2: "), "{}", wrong("dependencies = 'rich'\n"));
    assert!(wrong("dependencies = [\n 'rich',\n 'not a requirement',\n]\n").contains("line 4: "));
    assert!(wrong("\nrequires-python = 'three'\n").contains("line 3: "));
    assert!(wrong("a = 1\na = 2\n").contains("line 3: "));
}

#[test]
fn unknown_keys_are_told_and_tables_of_other_tools_are_theirs() {
    let metadata = parse(
        "dependancies = []\n[tool.black]\nline-length = 3\n[tool.uv]\nfancy = true\nno-index = true\n[other]\n",
    )
    .unwrap();
    assert_eq!(metadata.unknown, ["dependancies", "other", "tool.uv.fancy"]);
    assert!(metadata.uv.no_index && metadata.dependencies.is_empty());
}

#[test]
fn the_table_of_uv_is_honoured_where_it_can_be() {
    let metadata = parse(
        "dependencies = ['one[x]>=1; python_version > \"3\"', 'two', 'Three', 'four']\n\
         [tool.uv]\nexclude-newer = 2024-05-01T00:00:00Z\nprerelease = 'allow'\nconstraint-dependencies = ['six<2']\n\
         no-build = true\nfind-links = ['./wheels']\n\
         [[tool.uv.index]]\nname = 'first'\nurl = 'https://a.example/simple'\n\
         [[tool.uv.index]]\nurl = 'https://b.example/simple'\ndefault = true\n\
         [[tool.uv.index]]\nname = 'special'\nurl = 'https://c.example/simple'\nexplicit = true\n\
         [tool.uv.sources]\none = { git = 'https://h.example/one', tag = 'v1', subdirectory = 'p' }\n\
         two = { path = '../two' }\nthree = { path = 'three', editable = true }\n",
    )
    .unwrap();
    let UvTable { exclude_newer, constraints, only_binary, find_links, .. } = &metadata.uv;
    let applied = metadata.uv.applied_to(IndexSettings::default());
    assert_eq!(applied.index_url.as_deref(), Some("https://b.example/simple"));
    assert_eq!(applied.extra_index_urls[..], ["first=https://a.example/simple"]);
    assert_eq!(exclude_newer.as_deref(), Some("2024-05-01T00:00:00Z"));
    assert_eq!((constraints.len(), &only_binary[0][..], &find_links[0][..]), (1, ":all:", "./wheels"));
    assert_eq!((metadata.uv.prerelease.as_deref(), metadata.unknown.len()), (Some("allow"), 0));
    let requirement = |text: &str| Input::Requirement(text.to_owned());
    assert_eq!(
        metadata.dependencies,
        [
            requirement("one[x] @ git+https://h.example/one@v1#subdirectory=p ; python_version > \"3\""),
            requirement("two @ ../two"),
            Input::Editable("three".to_owned()),
            requirement("four"),
        ]
    );
}

#[test]
fn what_would_bring_other_packages_is_refused() {
    for (document, key) in [
        ("[tool.uv]\nindex-strategy = 'unsafe-first-match'\n", "tool.uv.index-strategy"),
        ("dependencies = ['x']\n[tool.uv.sources]\nx = { index = 'own' }\n", "tool.uv.sources.x.index"),
        (
            "dependencies = ['x']\n[tool.uv.sources]\nx = { workspace = true }\n",
            "tool.uv.sources.x.workspace",
        ),
        ("[tool.uv.sources]\nx = [{ url = 'https://h.example/x.whl' }]\n", "tool.uv.sources"),
        ("[tool.uv]\nno-index = 'yes'\n", "tool.uv.no-index"),
    ] {
        let failure = parse(document).unwrap_err();
        assert!(failure.to_string().contains(&format!("`{key}`")), "{failure}");
        assert!(failure.hint().is_some());
    }
}
