//! A list of texts in TOML that is edited as a person would: in the order that it has, each in the way that it is written there,
//! and with the comments where they were.
//!
//! A comment behind an element belongs to that element, but TOML's grammar keeps it in front of the next one, or at the end
//! of the list; a comment on a line of its own belongs to what follows it.

use toml_edit::{Array, RawString, Value};

/// Writes another text in the place of one.
pub(super) fn replace(list: &mut Array, place: usize, text: &str) {
    let decor = list.get(place).map(|old| old.decor().clone()).unwrap_or_default();
    let mut value = Value::from(text);
    *value.decor_mut() = decor;
    list.replace_formatted(place, value);
}

/// Puts a text in: where the order says, if the list is sorted, else at the end.
pub(super) fn insert(list: &mut Array, text: &str) {
    let key = text.to_lowercase();
    let keys: Vec<String> =
        list.iter().map(|value| value.as_str().unwrap_or_default().to_lowercase()).collect();
    let is_sorted = keys.is_sorted() && list.iter().all(Value::is_str);
    let later = keys.iter().position(|other| is_sorted && *other > key);
    let place = later.unwrap_or(keys.len());
    let Some(indent) = indent(list) else {
        insert_in_line(list, place, text);
        return;
    };
    let (behind_last, rest) = if place < list.len() { split(&prefix(list, place)) } else { end(list) };
    if place < list.len() {
        set_prefix(list, place, rest);
    } else {
        list.set_trailing_comma(true);
        list.set_trailing(rest);
    }
    let mut value = Value::from(text);
    value.decor_mut().set_prefix(format!("{behind_last}\n{indent}"));
    list.insert_formatted(place, value);
}

/// Takes an element out, with the comment behind it.
pub(super) fn remove(list: &mut Array, place: usize) {
    if indent(list).is_none() {
        list.remove(place);
        if place == 0 && !list.is_empty() {
            set_prefix(list, 0, String::new());
        }
        return;
    }
    // Comments on lines of their own stay: who knows of how many elements they speak.
    let kept = prefix(list, place).trim_end_matches([' ', '\t', '\n', '\r']).to_owned();
    if place + 1 < list.len() {
        let (_, rest) = split(&prefix(list, place + 1));
        list.remove(place);
        set_prefix(list, place, kept + &rest);
    } else {
        let (_, rest) = end(list);
        list.remove(place);
        list.set_trailing(kept + &rest);
    }
}

fn insert_in_line(list: &mut Array, place: usize, text: &str) {
    let opening = if list.is_empty() { String::new() } else { prefix(list, 0) };
    let mut value = Value::from(text);
    value.decor_mut().set_prefix(if place == 0 { opening.as_str() } else { " " });
    if place == list.len() && place > 0 {
        // What stands before the closing bracket.
        if let Some(last) = list.get_mut(place - 1) {
            let closing = text_of(last.decor().suffix());
            last.decor_mut().set_suffix("");
            value.decor_mut().set_suffix(closing);
        }
    }
    list.insert_formatted(place, value);
    if place == 0 && list.len() > 1 {
        set_prefix(list, 1, " ".to_owned());
    }
}

/// The indentation of the elements, where they stand on lines of their own.
fn indent(list: &Array) -> Option<String> {
    let of_line = |text: &str| text.rsplit_once('\n').map(|(_, indent)| indent.to_owned());
    let found = (0..list.len()).find_map(|place| of_line(&prefix(list, place)));
    // An empty list over several lines has nothing that shows how they would be indented.
    found.or_else(|| {
        (list.is_empty() && text_of(Some(list.trailing())).contains('\n')).then(|| "    ".to_owned())
    })
}

/// What stands behind the last element: its comment, and the rest.
fn end(list: &mut Array) -> (String, String) {
    let trailing = text_of(Some(list.trailing()));
    let place = list.len().checked_sub(1);
    let Some(element) = place.and_then(|place| list.get_mut(place)) else {
        return (String::new(), with_line_end(&trailing));
    };
    let suffix = text_of(element.decor().suffix());
    element.decor_mut().set_suffix("");
    let (comment, rest) = split(&(suffix + &trailing));
    (comment, with_line_end(&rest))
}

fn with_line_end(text: &str) -> String {
    if text.contains('\n') { text.to_owned() } else { format!("{text}\n") }
}

/// What belongs to the line before, and the rest with its line end.
fn split(text: &str) -> (String, String) {
    let (line, _) = text.split_once('\n').unwrap_or((text, ""));
    (line.trim_end().to_owned(), text[line.len()..].to_owned())
}

fn prefix(list: &Array, place: usize) -> String {
    text_of(list.get(place).and_then(|value| value.decor().prefix()))
}

fn set_prefix(list: &mut Array, place: usize, prefix: String) {
    if let Some(value) = list.get_mut(place) {
        value.decor_mut().set_prefix(prefix);
    }
}

fn text_of(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}
