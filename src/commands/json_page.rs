//! The tables of `docs/json.md`, made of the types that are written as JSON: the page cannot say anything else than they do.
//!
//! `UPDATE_DOCS=1 cargo test --lib json_page` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::{
    detach, export, freeze, list_all, listing, plugins, python, remote, remove, show, store, tool, tree, why,
};
use crate::fs;
use crate::install::{Adoption, Relinked};
use crate::report;
use crate::store::Verdict;
use crate::venv::{Problem, Statistics};

/// What begins the part of the page that is made here.
const MARK: &str = "<!-- What follows is generated: UPDATE_DOCS=1 cargo test --lib json_page -->\n";

/// The commands that answer in JSON, and the schema of their answers.
fn answers() -> Vec<(&'static str, Value)> {
    vec![
        ("add, sync, poetry-install", of::<report::Report<'_>>()),
        ("remove", of::<remove::Removal<'_>>()),
        ("list, outdated", of::<Vec<listing::Row>>()),
        ("freeze", of::<Vec<freeze::Frozen<'_>>>()),
        ("show", of::<Vec<show::Card>>()),
        ("tree", of::<tree::Graph>()),
        ("why", of::<Vec<why::Answer>>()),
        ("check", of::<Vec<Problem>>()),
        ("list-all", of::<Vec<list_all::Row>>()),
        ("adopt", of::<Vec<Adoption>>()),
        ("detach", of::<Vec<detach::Report>>()),
        ("relink", of::<Relinked>()),
        ("export", of::<export::Report>()),
        ("install, upgrade, reinstall, inject, uninject", of::<Vec<tool::report::Report>>()),
        ("tool list", of::<Vec<tool::list::Row>>()),
        ("python install", of::<Vec<python::install::Row<'_>>>()),
        ("python list", of::<Vec<python::list::Row>>()),
        ("python show", of::<python::show::Shown>()),
        ("remote status", of::<remote::status::Status>()),
        ("store gc", of::<store::gc::Report<'_>>()),
        ("store stats", of::<Statistics>()),
        ("store verify", of::<Vec<Verdict>>()),
        ("store fill", of::<Vec<crate::install::Filled>>()),
        ("store seal", of::<store::seal::Report>()),
        ("store why", of::<Vec<store::why::Answer>>()),
        ("status, poetry status", of::<Vec<plugins::status::Report>>()),
        ("kernel list", of::<Vec<crate::install::Kernel>>()),
    ]
}

/// The schema of a type as it is written, with nothing that refers to another place.
fn of<T: JsonSchema>() -> Value {
    let settings =
        SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn generated() -> String {
    let mut text = MARK.to_owned();
    for (commands, schema) in answers() {
        let (form, item) = match schema.get("items") {
            Some(item) => ("A list.", item),
            None => ("One object.", &schema),
        };
        let _ = writeln!(text, "\n## {}\n\n{form}", headline(commands));
        add_object(item, &mut text);
    }
    text
}

fn headline(commands: &str) -> String {
    commands.split(", ").map(|command| format!("`{command} --json`")).collect::<Vec<_>>().join(", ")
}

/// Describes an object, or each of several that there may be.
fn add_object(schema: &Value, text: &mut String) {
    if let Some(variants) = schema.get("oneOf").and_then(Value::as_array) {
        for variant in variants {
            let description = variant.get("description").and_then(Value::as_str).unwrap_or_default();
            let _ = writeln!(text, "\n{description}");
            add_table(variant, text);
        }
        return;
    }
    add_table(schema, text);
}

fn add_table(schema: &Value, text: &mut String) {
    text.push_str("\n| field | type | meaning |\n|---|---|---|\n");
    add_fields(schema, "", text);
}

fn add_fields(schema: &Value, above: &str, text: &mut String) {
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for (name, field) in properties {
        let meaning = field.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
        let meaning =
            if field.get("const").is_some() { "Tells these forms apart.".to_owned() } else { meaning };
        let mut kind = type_of(field);
        if !required.iter().any(|one| one == name) {
            // It is left out where there is nothing to say, and never `null`.
            kind = kind.trim_end_matches(" or null").to_owned() + ", not always there";
        }
        let _ = writeln!(text, "| `{above}{name}` | {kind} | {meaning} |");
        let (inner, between) = match field.get("items") {
            Some(items) if items.is_object() => (items, "[]."),
            _ => (field, "."),
        };
        if inner.get("properties").is_some() {
            add_fields(inner, &format!("{above}{name}{between}"), text);
        } else if let Some(variants) = inner.get("oneOf").and_then(Value::as_array) {
            add_choice(variants, &format!("{above}{name}{between}"), text);
        }
    }
}

/// Describes what has one of several forms, told apart by a field.
fn add_choice(variants: &[Value], above: &str, text: &mut String) {
    for variant in variants.iter().filter(|variant| variant.get("properties").is_some()) {
        let description = variant.get("description").and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(text, "| | | {} |", description.replace('\n', " "));
        add_fields(variant, above, text);
    }
}

fn type_of(schema: &Value) -> String {
    if let Some(constant) = schema.get("const").and_then(Value::as_str) {
        return format!("`\"{constant}\"`");
    }
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names
            .iter()
            .filter_map(Value::as_str)
            .map(|name| format!("`\"{name}\"`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(variants) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        let mut types: Vec<String> = variants.iter().map(type_of).collect();
        types.dedup();
        return types.join(", ");
    }
    let one = |name: &str| match name {
        "array" => {
            let items = schema.get("items").filter(|items| items.is_object()).map(type_of);
            items.map_or_else(|| "list".to_owned(), |items| format!("list of {items}"))
        }
        other => other.to_owned(),
    };
    match schema.get("type") {
        Some(Value::String(name)) => one(name),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(one).collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}

#[test]
fn the_page_about_json_says_what_the_types_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, present) = page.split_once(MARK).unwrap();
    let present = format!("{MARK}{present}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write_atomic(&path, format!("{head}{}", generated()).as_bytes()).unwrap();
        return;
    }
    assert_eq!(present, generated(), "`UPDATE_DOCS=1 cargo test --lib json_page` writes it anew");
}

#[test]
fn every_field_has_a_meaning() {
    let text = generated();
    let silent: Vec<&str> = text.lines().filter(|line| line.ends_with("|  |")).collect();
    assert!(silent.is_empty(), "{silent:#?}");
}
