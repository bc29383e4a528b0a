//! Editing `pyproject.toml`: what is not asked for stays byte by byte.

use proptest::prelude::*;

use super::RequirementList;
use super::manifest::Manifest;

const LINES: &str = r#"# A project.
[project]
name = "demo"   # its name
dependencies = [
    # Of the web.
    "flask>=3",  # 3 has what we need
    "requests",
]

[project.optional-dependencies]
Cli = ["click", "rich"]

[tool.other]
x = 1
"#;

fn added(text: &str, list: &RequirementList, requirement: &str) -> String {
    let mut manifest = Manifest::parse(text).unwrap();
    manifest.add(list, requirement).unwrap();
    manifest.text()
}

fn removed(text: &str, list: &RequirementList, name: &str) -> String {
    let mut manifest = Manifest::parse(text).unwrap();
    assert!(manifest.remove(list, &name.parse().unwrap()).unwrap());
    manifest.text()
}

#[test]
fn a_requirement_gets_a_line_in_its_place() {
    let dependencies = RequirementList::Dependencies;
    let middle = added(LINES, &dependencies, "httpx>=0.28");
    assert_eq!(middle, LINES.replace("    \"requests\",\n", "    \"httpx>=0.28\",\n    \"requests\",\n"));
    let last = added(LINES, &dependencies, "starlette");
    assert_eq!(last, LINES.replace("\"requests\",\n", "\"requests\",\n    \"starlette\",\n"));
    let first = added(LINES, &dependencies, "black");
    assert_eq!(first, LINES.replace("    # Of the web.\n", "    \"black\",\n    # Of the web.\n"));
    let replaced = added(LINES, &dependencies, "Flask>=4");
    assert_eq!(replaced, LINES.replace("flask>=3", "Flask>=4"));
}

#[test]
fn a_list_in_one_line_stays_in_one() {
    let extra = RequirementList::Extra("cli".to_owned());
    assert_eq!(added(LINES, &extra, "attrs"), LINES.replace("[\"click\"", "[\"attrs\", \"click\""));
    assert_eq!(added(LINES, &extra, "typer"), LINES.replace("\"rich\"]", "\"rich\", \"typer\"]"));
    assert_eq!(removed(LINES, &extra, "click"), LINES.replace("\"click\", ", ""));
    assert_eq!(removed(LINES, &extra, "rich"), LINES.replace(", \"rich\"", ""));
    let spaced = "[project]\ndependencies = [ \"b\" ]\n";
    let dependencies = RequirementList::Dependencies;
    assert_eq!(added(spaced, &dependencies, "a"), "[project]\ndependencies = [ \"a\", \"b\" ]\n");
    assert_eq!(added(spaced, &dependencies, "c"), "[project]\ndependencies = [ \"b\", \"c\" ]\n");
}

#[test]
fn lists_and_tables_are_made() {
    let group = added(LINES, &RequirementList::Group("dev".to_owned()), "pytest");
    assert_eq!(group, format!("{LINES}\n[dependency-groups]\ndev = [\"pytest\"]\n"));
    let bare = "[project]\nname = \"demo\"\n";
    assert_eq!(added(bare, &RequirementList::Dependencies, "a"), format!("{bare}dependencies = [\"a\"]\n"));
    let extra = added(bare, &RequirementList::Extra("x".to_owned()), "a");
    assert_eq!(extra, format!("{bare}\n[project.optional-dependencies]\nx = [\"a\"]\n"));
    let empty = "[project]\ndependencies = [\n]\n";
    let filled = added(empty, &RequirementList::Dependencies, "a");
    assert_eq!(filled, "[project]\ndependencies = [\n    \"a\",\n]\n");
}

#[test]
fn comments_keep_their_place() {
    let dependencies = RequirementList::Dependencies;
    let without = removed(LINES, &dependencies, "requests");
    assert_eq!(without, LINES.replace("    \"requests\",\n", ""));
    let without = removed(LINES, &dependencies, "flask");
    assert_eq!(without, LINES.replace("    \"flask>=3\",  # 3 has what we need\n", ""));
    let open = "[project]\ndependencies = [\n  \"b\", # b\n  \"a\" # a\n  # end\n]\n";
    let more = added(open, &dependencies, "0");
    assert_eq!(more, "[project]\ndependencies = [\n  \"b\", # b\n  \"a\", # a\n  \"0\",\n  # end\n]\n");
}

#[test]
fn of_several_requirements_the_one_with_the_marker_is_replaced() {
    let text = "[project]\ndependencies = [\"a==1; os_name == 'nt'\", \"a==2; os_name != 'nt'\"]\n";
    let dependencies = RequirementList::Dependencies;
    let one = added(text, &dependencies, "a==3; os_name != 'nt'");
    assert_eq!(one, text.replace("a==2", "a==3"));
    assert!(added(text, &dependencies, "a==3").contains("\"a==3\""));
    let none = removed(text, &dependencies, "a");
    assert_eq!(none, "[project]\ndependencies = []\n");
}

#[test]
fn what_a_requirement_says_besides_stays() {
    let dependencies = RequirementList::Dependencies;
    let merged = |old: &str, new: &str, keeps_versions: bool| {
        let text = format!("[project]\ndependencies = [{old}]\n");
        Manifest::parse(&text).unwrap().merged(&dependencies, new, keeps_versions).unwrap()
    };
    let rich = "'httpx[http2]>=0.20,<0.29; sys_platform == \"linux\"'";
    let same = "httpx[http2]>=0.20,<0.29; sys_platform == \"linux\"";
    for (old, new, keeps_versions, expected) in [
        (rich, "httpx", true, same),
        (rich, "httpx[http2]", true, same),
        (rich, "httpx>=1", true, "httpx[http2]>=1; sys_platform == \"linux\""),
        (rich, "httpx[cli]", true, "httpx[http2,cli]>=0.20,<0.29; sys_platform == \"linux\""),
        (rich, "httpx", false, "httpx[http2]; sys_platform == \"linux\""),
        (rich, "httpx>=1; os_name == 'nt'", true, "httpx>=1; os_name == 'nt'"),
        ("'attrs>=20'", "attrs[tests]", true, "attrs[tests]>=20"),
        ("'Attrs>=20'", "attrs>=21", true, "attrs>=21"),
        ("'r @ https://h/r.whl'", "r", true, "r @ https://h/r.whl"),
        ("'r @ https://h/r.whl'", "r[x]", true, "r[x] @ https://h/r.whl"),
        ("'r[x]>=1'", "r @ https://h/r.whl", true, "r[x] @ https://h/r.whl"),
        ("", "new", true, "new"),
    ] {
        assert_eq!(merged(old, new, keeps_versions), expected, "{old} and {new}");
    }
}

#[test]
fn another_marker_is_another_line() {
    let text = "[project]\ndependencies = [\"tomli; python_version < '3.11'\"]\n";
    let both = added(text, &RequirementList::Dependencies, "tomli; python_version >= '3.11'");
    assert!(both.contains("< '3.11'") && both.contains(">= '3.11'"), "{both}");
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let refused = |text: &str, list: &RequirementList| {
        let mut manifest = Manifest::parse(text).unwrap();
        let reason = manifest.add(list, "a").unwrap_err();
        assert_eq!(manifest.text(), text, "{reason}");
        reason
    };
    let dependencies = RequirementList::Dependencies;
    assert!(refused("[dependency-groups]\n", &dependencies).contains("no `[project]` table"));
    assert!(refused("[project]\ndynamic = [\"dependencies\"]\n", &dependencies).contains("dynamic"));
    assert!(refused("[project]\ndependencies = \"a\"\n", &dependencies).contains("is not a list"));
    assert!(Manifest::parse("[project").is_err());
}

#[test]
fn where_a_package_is_recorded_is_known() {
    let mut manifest = Manifest::parse(LINES).unwrap();
    let lists = |manifest: &mut Manifest, name: &str| manifest.lists_with(&name.parse().unwrap());
    assert_eq!(lists(&mut manifest, "Flask"), [RequirementList::Dependencies]);
    assert_eq!(lists(&mut manifest, "rich"), [RequirementList::Extra("Cli".to_owned())]);
    assert_eq!(lists(&mut manifest, "absent"), []);
}

/// Lists of different packages, in one line or several, with comments and commas as they come.
fn list() -> impl Strategy<Value = (Vec<String>, String)> {
    let names = proptest::collection::btree_set("[a-y][a-y0-9]{0,5}", 0..6);
    let names = names.prop_map(|names| names.into_iter().collect::<Vec<_>>()).prop_shuffle();
    (names, any::<bool>(), any::<bool>(), proptest::collection::vec(any::<bool>(), 6)).prop_map(
        |(names, lines, comma, comments)| {
            let mut text = String::from("[project]\ndependencies = [");
            for (place, name) in names.iter().enumerate() {
                let is_last = place + 1 == names.len();
                let separator = if is_last && !comma { "" } else { "," };
                let comment = if lines && comments[place] { format!(" # {name}") } else { String::new() };
                let start = if lines {
                    "\n    "
                } else if place == 0 {
                    ""
                } else {
                    " "
                };
                text.extend([start, "\"", name, "\"", separator, &comment]);
            }
            text.push_str(if lines { "\n]\n" } else { "]\n" });
            (names, text)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_added_and_removed_again_leaves_the_rest((names, text) in list(), new in "[a-y]{1,3}z[a-z]{0,3}") {
        let dependencies = RequirementList::Dependencies;
        let more = added(&text, &dependencies, &new);
        let parsed: toml::Table = more.parse().unwrap();
        let found: Vec<&str> = parsed["project"]["dependencies"].as_array().unwrap().iter().filter_map(|one| one.as_str()).collect();
        let others: Vec<&str> = found.iter().copied().filter(|one| *one != new).collect();
        prop_assert_eq!(others, names.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(found.len(), names.len() + 1);
        for line in text.lines().filter(|line| line.contains('#')) {
            let comment = line.split('#').nth(1).unwrap();
            prop_assert!(more.lines().any(|other| other.contains(&format!("\"{}\"", comment.trim())) && other.ends_with(comment)), "{}", more);
        }
        let again = removed(&more, &dependencies, &new);
        let closed = |text: &str| text.replace(",\n]", "\n]").replace(", #", " #").replace(",]", "]").replace([' ', ','], "");
        prop_assert_eq!(closed(&again), closed(&text));
    }
}
