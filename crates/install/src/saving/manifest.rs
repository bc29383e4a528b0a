//! `pyproject.toml` as it is edited: requirements come and go, and all else stays as it was written.

use std::fmt;

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};
use virtpy_pep::{PackageName, Requirement};

use super::array;
use crate::words::line_of;

/// Why nothing can be recorded outside of groups.
pub(super) const NO_PROJECT: &str = "it has no `[project]` table";

/// A list of requirements in a project's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequirementList {
    /// `dependencies` of `[project]` (PEP 621).
    Dependencies,
    /// An extra: a list of `[project.optional-dependencies]` (PEP 621).
    Extra(String),
    /// A list of `[dependency-groups]` (PEP 735).
    Group(String),
}

impl fmt::Display for RequirementList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dependencies => formatter.write_str("the dependencies"),
            Self::Extra(name) => write!(formatter, "the extra `{name}`"),
            Self::Group(name) => write!(formatter, "the group `{name}`"),
        }
    }
}

/// The file of a project, or what a script says about itself (PEP 723).
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    document: DocumentMut,
    /// Whether it is a script's: there the dependencies stand in no table.
    is_script: bool,
}

impl Manifest {
    /// Reads a file's text; the error says why it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let document = text.parse::<DocumentMut>().map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            format!("line {line}: {}", error.message())
        })?;
        Ok(Self { document, is_script: false })
    }

    /// Reads what a script says about itself.
    pub(super) fn of_script(text: &str) -> Result<Self, String> {
        Ok(Self { is_script: true, ..Self::parse(text)? })
    }

    /// The file's text.
    pub(super) fn text(&self) -> String {
        self.document.to_string()
    }

    /// Whether the dependencies stand where standard tools look for them.
    pub(super) fn is_standard(&self) -> bool {
        self.document.contains_key("project") || self.document.contains_key("dependency-groups")
    }

    /// The name of the project itself.
    pub(super) fn name(&self) -> Option<PackageName> {
        self.document.get("project")?.get("name")?.as_str()?.parse().ok()
    }

    /// A requirement as [`Self::add`] is to record it: what the one of the same package says in its place, and this one does not,
    /// stays (extras, versions or a URL, a marker). `keeps_versions` is whether versions stay.
    pub(super) fn merged(
        &mut self,
        list: &RequirementList,
        text: &str,
        keeps_versions: bool,
    ) -> Result<String, String> {
        let wanted = parsed(text).ok_or_else(|| format!("`{text}` is not a requirement"))?;
        let old = self.list(list)?.and_then(|list| {
            list.get(place_of(list, wanted.name(), text)?).and_then(Value::as_str).map(str::to_owned)
        });
        Ok(old.and_then(|old| merge(&old, text, keeps_versions)).unwrap_or_else(|| text.to_owned()))
    }

    /// Records a requirement in a list: in the place of the one of the same package and for the same marker, where there is one.
    pub(super) fn add(&mut self, list: &RequirementList, text: &str) -> Result<(), String> {
        let wanted = parsed(text).ok_or_else(|| format!("`{text}` is not a requirement"))?;
        let list = self.list_or_new(list)?;
        let place = place_of(list, wanted.name(), text);
        match place {
            Some(place) => array::replace(list, place, text),
            None => array::insert(list, text),
        }
        Ok(())
    }

    /// Takes a package's requirements out of a list; says whether there was one.
    pub(super) fn remove(&mut self, list: &RequirementList, name: &PackageName) -> Result<bool, String> {
        let Some(list) = self.list(list)? else { return Ok(false) };
        let found = places(list, name);
        found.iter().rev().for_each(|place| array::remove(list, *place));
        Ok(!found.is_empty())
    }

    /// All requirements, each with the list that it is in. What is no requirement by itself (a group that is included) is left out.
    pub(super) fn requirements(&mut self) -> Vec<(RequirementList, Requirement)> {
        let mut all = Vec::new();
        for list in self.lists() {
            let found = self.list(&list).ok().flatten();
            let texts = found.into_iter().flat_map(|array| array.iter()).filter_map(Value::as_str);
            all.extend(texts.filter_map(parsed).map(|requirement| (list.clone(), requirement)));
        }
        all
    }

    /// The lists that have a requirement of a package.
    pub(super) fn lists_with(&mut self, name: &PackageName) -> Vec<RequirementList> {
        let mut lists = self.lists();
        let has =
            |list: &mut Option<&mut Array>| list.as_ref().is_some_and(|list| !places(list, name).is_empty());
        lists.retain(|list| self.list(list).is_ok_and(|mut list| has(&mut list)));
        lists
    }

    /// The dependencies, the extras and the groups.
    fn lists(&self) -> Vec<RequirementList> {
        let mut lists = vec![RequirementList::Dependencies];
        let keys = |table: Option<&Item>| -> Vec<String> {
            let table = table.and_then(Item::as_table_like);
            table.map(|table| table.iter().map(|(key, _)| key.to_owned()).collect()).unwrap_or_default()
        };
        let extras = self.document.get("project").and_then(|project| project.get("optional-dependencies"));
        lists.extend(keys(extras).into_iter().map(RequirementList::Extra));
        lists.extend(keys(self.document.get("dependency-groups")).into_iter().map(RequirementList::Group));
        lists
    }

    /// A list that is there.
    fn list(&mut self, list: &RequirementList) -> Result<Option<&mut Array>, String> {
        let table = match list {
            RequirementList::Dependencies if self.is_script => Some(self.document.as_item_mut()),
            RequirementList::Dependencies => self.document.get_mut("project"),
            RequirementList::Extra(_) => {
                self.document.get_mut("project").and_then(|project| project.get_mut("optional-dependencies"))
            }
            RequirementList::Group(_) => self.document.get_mut("dependency-groups"),
        };
        let Some(table) = table.and_then(Item::as_table_like_mut) else { return Ok(None) };
        let key = key_in(table, list);
        match table.get_mut(&key) {
            None => Ok(None),
            Some(item) => item.as_array_mut().map(Some).ok_or_else(|| format!("`{key}` in it is not a list")),
        }
    }

    /// A list, made where it is not there.
    fn list_or_new(&mut self, list: &RequirementList) -> Result<&mut Array, String> {
        let table = match list {
            RequirementList::Dependencies => self.project("dependencies")?,
            RequirementList::Extra(_) => {
                let extras = self.project("optional-dependencies")?;
                let extras = extras.entry("optional-dependencies").or_insert(Item::Table(Table::new()));
                extras.as_table_like_mut().ok_or("`optional-dependencies` in it is not a table")?
            }
            RequirementList::Group(_) => {
                let groups = self.document.entry("dependency-groups").or_insert(Item::Table(Table::new()));
                groups.as_table_like_mut().ok_or("`dependency-groups` in it is not a table")?
            }
        };
        let key = key_in(table, list);
        let item = table.entry(&key).or_insert(Item::Value(Value::Array(Array::new())));
        item.as_array_mut().ok_or_else(|| format!("`{key}` in it is not a list"))
    }

    /// The table `[project]`, if a field of it is not made by a build backend.
    fn project(&mut self, field: &str) -> Result<&mut dyn TableLike, String> {
        if self.is_script {
            return Ok(self.document.as_table_mut());
        }
        let project = self.document.get_mut("project").and_then(Item::as_table_like_mut);
        let project = project.ok_or(NO_PROJECT)?;
        let dynamic = project.get("dynamic").and_then(Item::as_array);
        if dynamic.is_some_and(|fields| fields.iter().any(|one| one.as_str() == Some(field))) {
            return Err(format!("its `{field}` are dynamic: its build backend makes them"));
        }
        Ok(project)
    }
}

/// The key under which a list stands in its table: names of extras and groups are the same in any spelling.
fn key_in(table: &dyn TableLike, list: &RequirementList) -> String {
    let wanted = match list {
        RequirementList::Dependencies => return "dependencies".to_owned(),
        RequirementList::Extra(name) | RequirementList::Group(name) => name,
    };
    let name = wanted.parse::<PackageName>().ok();
    let same = |key: &str| name.is_some() && key.parse().ok() == name;
    let known = table.iter().map(|(key, _)| key).find(|key| *key == wanted || same(key));
    known.unwrap_or(wanted).to_owned()
}

fn parsed(text: &str) -> Option<Requirement> {
    text.parse().ok()
}

/// What stands behind the semicolon; in a URL one may be a part of it.
pub(super) fn marker(text: &str) -> &str {
    let parts = if text.contains(" @ ") || text.contains("://") {
        text.split_once(" ;")
    } else {
        text.split_once(';')
    };
    parts.map_or("", |(_, marker)| marker.trim())
}

/// Where a requirement of a package goes in a list that has some of it: to the one with the same marker, or to the only one if it
/// names no marker.
fn place_of(list: &Array, name: &PackageName, text: &str) -> Option<usize> {
    let same = places(list, name);
    let wanted = marker(text);
    let marker_at = |place: &usize| list.get(*place).and_then(Value::as_str).map(marker);
    let only = (same.len() == 1 && wanted.is_empty()).then(|| same[0]);
    same.into_iter().find(|place| marker_at(place) == Some(wanted)).or(only)
}

/// A requirement with what an older one of the same package says besides.
fn merge(old_text: &str, new_text: &str, keeps_versions: bool) -> Option<String> {
    let (old, new) = (parsed(old_text)?, parsed(new_text)?);
    let says_versions = new.url().is_some() || !new.specifiers().is_empty();
    let says_marker = !marker(new_text).is_empty();
    let (mut extras, of_new) = (old.extras(), new.extras());
    let more: Vec<String> = of_new.iter().filter(|extra| !extras.contains(extra)).cloned().collect();
    if more.is_empty()
        && !says_versions
        && keeps_versions
        && (!says_marker || marker(old_text) == marker(new_text))
    {
        return Some(old_text.to_owned());
    }
    let is_all_new = extras.iter().all(|extra| of_new.contains(extra))
        && (says_versions || !keeps_versions)
        && (says_marker || marker(old_text).is_empty());
    if is_all_new {
        return Some(new_text.to_owned());
    }
    extras.extend(more);
    let name_end = new_text
        .find(|one: char| !one.is_ascii_alphanumeric() && !"-_.".contains(one))
        .unwrap_or(new_text.len());
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let versions = if says_versions || !keeps_versions { &new } else { &old };
    let (marker, source) = (if says_marker { marker(new_text) } else { marker(old_text) }, versions.url());
    let (source, gap) = source
        .map_or_else(|| (versions.specifiers().replace(", ", ","), ""), |url| (format!(" @ {url}"), " "));
    let marker = if marker.is_empty() { String::new() } else { format!("{gap}; {marker}") };
    Some(format!("{}{extras}{source}{marker}", &new_text[..name_end]))
}

/// Where a list has requirements of a package.
fn places(list: &Array, name: &PackageName) -> Vec<usize> {
    let is_it = |value: &Value| value.as_str().and_then(parsed).is_some_and(|one| one.name() == name);
    list.iter().enumerate().filter(|(_, value)| is_it(value)).map(|(place, _)| place).collect()
}
