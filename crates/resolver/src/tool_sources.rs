//! `[tool.uv.sources]`: where a project wants some of its packages from, instead of an index. Of a member of a workspace the root's count
//! as well. What a directory on this machine requires is looked at too, since it may have such places of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::{Table, Value};
use uv_distribution_types::{
    IndexFormat, IndexMetadata, RequirementSource, UnresolvedRequirement, UnresolvedRequirementSpecification,
};
use uv_normalize::PackageName;
use uv_pep508::{MarkerTree, VersionOrUrl};
use uv_pypi_types::VerbatimParsedUrl;
use uv_redacted::DisplaySafeUrl;
use uv_requirements_txt::RequirementsTxtRequirement;

use crate::indexes;
use crate::portable::normalized_path;
use crate::settings::IndexSettings;
use crate::tool_uv::{UvIndex, UvTable};
use crate::workspace::{at, members_of, read_project, workspace_of};

type Requirement = uv_pep508::Requirement<VerbatimParsedUrl>;

/// The places that a project's file and its workspace's give.
#[derive(Debug, Default)]
pub(crate) struct ToolSources {
    given: BTreeMap<PackageName, Given>,
    /// The indexes that they may name; those of the project itself first.
    indexes: Vec<UvIndex>,
}

/// What stands under one name, and in which directory's file.
#[derive(Debug)]
struct Given {
    value: Value,
    folder: PathBuf,
}

/// Where a requirement leads.
enum Place {
    Url {
        url: String,
        editable: bool,
    },
    /// The index of this name.
    Index(String),
}

/// A requirement with the index that alone is asked for it, if the project says so.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) requirement: RequirementsTxtRequirement,
    pub(crate) index: Option<IndexMetadata>,
}

impl ToolSources {
    /// Those that count for the project in a directory.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut all = Self::default();
        let root = workspace_of(folder);
        for folder in root.iter().map(PathBuf::as_path).chain([folder]) {
            let file = read_project(folder).unwrap_or_default();
            let sources = at(&file, &["tool", "uv", "sources"]).and_then(Value::as_table);
            for (name, value) in sources.into_iter().flatten() {
                if let Ok(name) = PackageName::from_str(name) {
                    all.given.insert(name, Given { value: value.clone(), folder: folder.to_path_buf() });
                }
            }
            all.indexes.splice(0..0, indexes_of(&file, folder));
        }
        all
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// A requirement, led to the places that are given for it: one for each, and one for where none of them counts. Behind them comes
    /// what directories among them require that has a place as well. The error says why a place cannot be used.
    pub(crate) fn place(
        &self,
        requirement: Requirement,
        users: &IndexSettings,
    ) -> Result<Vec<Placed>, String> {
        let mut placed = Vec::new();
        self.add(requirement, users, &mut BTreeSet::new(), &mut placed)?;
        Ok(placed)
    }

    /// A requirement that stays what it is, with the index that alone is asked for its package.
    pub(crate) fn at_its_index(
        &self,
        requirement: RequirementsTxtRequirement,
        users: &IndexSettings,
    ) -> Placed {
        let index = match &requirement {
            RequirementsTxtRequirement::Named(named) => self.index_of(&named.name, users),
            RequirementsTxtRequirement::Unnamed(_) => None,
        };
        Placed { requirement, index }
    }

    /// The index that alone is asked for a package.
    pub(crate) fn index_of(&self, package: &PackageName, users: &IndexSettings) -> Option<IndexMetadata> {
        let names = tables(&self.given.get(package)?.value);
        let name = names.into_iter().find_map(|one| one.get("index").and_then(Value::as_str))?;
        self.index(name, users).ok()
    }

    /// The index of a name: the user's, or else one that a project's file has.
    fn index(&self, name: &str, users: &IndexSettings) -> Result<IndexMetadata, String> {
        let own = self.indexes.iter().find(|index| index.name.as_deref() == Some(name));
        let users = users.index_named(name).map(str::to_owned);
        let is_flat = users.is_none() && own.is_some_and(|index| index.flat);
        let url = users.or_else(|| own.map(|index| index.url.clone()));
        let url =
            url.ok_or_else(|| format!("is the index `{name}`, which `[[tool.uv.index]]` does not have"))?;
        let setting = format!("the index `{name}`:");
        let url =
            indexes::url(&url, Path::new("/"), &setting).map_err(|error| format!("is no index: {error}"))?;
        let format = if is_flat { IndexFormat::Flat } else { IndexFormat::Simple };
        Ok(IndexMetadata { url, format })
    }

    fn add(
        &self,
        requirement: Requirement,
        users: &IndexSettings,
        seen: &mut BTreeSet<PathBuf>,
        placed: &mut Vec<Placed>,
    ) -> Result<(), String> {
        let given = self.given.get(&requirement.name);
        let has_url = matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_)));
        let Some(given) = given.filter(|_| !has_url) else {
            placed.push(Placed::named(requirement));
            return Ok(());
        };
        let unusable = |reason: &str| {
            format!("`[tool.uv.sources]` gives a place for `{}` that {reason}", requirement.name)
        };
        let mut rest = requirement.marker;
        for one in tables(&given.value) {
            let place = place(one, &requirement.name, &given.folder).map_err(|reason| unusable(&reason))?;
            let marker = one.get("marker").map(|marker| marker.as_str().unwrap_or_default());
            let marker = marker.map_or(Ok(MarkerTree::TRUE), |text| {
                MarkerTree::from_str(text).map_err(|error| unusable(&format!("has no valid marker: {error}")))
            })?;
            let (url, editable) = match place {
                Place::Url { url, editable } => (url, editable),
                Place::Index(name) => {
                    let index = self.index(&name, users).map_err(|reason| unusable(&reason))?;
                    let narrowed = Requirement { marker: rest.and(marker), ..requirement.clone() };
                    placed.push(Placed { index: Some(index), ..Placed::named(narrowed) });
                    rest = rest.and(marker.negate());
                    continue;
                }
            };
            let extras = requirement.extras.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let extras = if extras.is_empty() { extras } else { format!("[{extras}]") };
            let text = format!("{}{extras} @ {url}", requirement.name);
            let mut led = RequirementsTxtRequirement::parse(&text, &given.folder, false)
                .map_err(|error| unusable(&format!("cannot be read: {error}")))?;
            if editable {
                led.make_editable().map_err(|error| unusable(&error.to_string()))?;
            }
            if let RequirementsTxtRequirement::Named(named) = &mut led {
                named.marker = requirement.marker.and(marker);
                self.add_below(&url, named, users, (seen, placed))?;
            }
            placed.push(Placed { requirement: led, index: None });
            rest = rest.and(marker.negate());
        }
        if !rest.is_false() {
            placed.push(Placed::named(Requirement { marker: rest, ..requirement }));
        }
        Ok(())
    }

    /// Adds what the directory behind a URL requires and gives a place for.
    fn add_below(
        &self,
        url: &str,
        parent: &Requirement,
        users: &IndexSettings,
        (seen, placed): (&mut BTreeSet<PathBuf>, &mut Vec<Placed>),
    ) -> Result<(), String> {
        let folder = DisplaySafeUrl::parse(url).ok().and_then(|url| url.to_file_path().ok());
        let Some(folder) = folder.filter(|folder| folder.is_dir() && seen.insert(folder.clone())) else {
            return Ok(());
        };
        let file = read_project(&folder).unwrap_or_default();
        let own = Self::of(&folder);
        let extras = parent.extras.iter().map(ToString::to_string);
        let lists = extras.map(|extra| at(&file, &["project", "optional-dependencies", &extra]).cloned());
        let lists = lists.chain([at(&file, &["project", "dependencies"]).cloned()]).flatten();
        let texts: Vec<String> = lists
            .filter_map(|list| {
                Some(list.as_array()?.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect())
            })
            .flat_map(|texts: Vec<String>| texts)
            .collect();
        for text in texts {
            let Ok(RequirementsTxtRequirement::Named(mut named)) =
                RequirementsTxtRequirement::parse(&text, &folder, false)
            else {
                continue;
            };
            if own.given.contains_key(&named.name) && !self.given.contains_key(&named.name) {
                named.marker = named.marker.and(parent.marker);
                own.add(named, users, seen, placed)?;
            }
        }
        Ok(())
    }
}

impl Placed {
    /// Makes it count only where a condition holds.
    pub(crate) fn narrow(&mut self, condition: MarkerTree) {
        let marker = match &mut self.requirement {
            RequirementsTxtRequirement::Named(named) => &mut named.marker,
            RequirementsTxtRequirement::Unnamed(unnamed) => &mut unnamed.marker,
        };
        *marker = marker.and(condition);
    }

    fn named(requirement: Requirement) -> Self {
        Self { requirement: RequirementsTxtRequirement::Named(requirement), index: None }
    }

    /// Whether it says where its package is from.
    pub(crate) fn is_placed(&self) -> bool {
        let has_url = matches!(&self.requirement, RequirementsTxtRequirement::Named(named) if matches!(named.version_or_url, Some(VersionOrUrl::Url(_))));
        has_url || self.index.is_some()
    }
}

impl From<RequirementsTxtRequirement> for Placed {
    fn from(requirement: RequirementsTxtRequirement) -> Self {
        Self { requirement, index: None }
    }
}

impl From<Placed> for UnresolvedRequirementSpecification {
    fn from(placed: Placed) -> Self {
        let mut specification = Self::from(placed.requirement);
        if let UnresolvedRequirement::Named(requirement) = &mut specification.requirement
            && let RequirementSource::Registry { index, .. } = &mut requirement.source
        {
            *index = placed.index;
        }
        specification
    }
}

/// The indexes that the file of a directory has.
fn indexes_of(file: &Table, folder: &Path) -> Vec<UvIndex> {
    let own = at(file, &["tool", "uv", "index"]).map(|index| ("index".to_owned(), index.clone()));
    // What makes no sense is told where it is used.
    UvTable::parse(own.into_iter().collect()).unwrap_or_default().in_directory(folder).indexes
}

/// One place, or several with markers.
fn tables(value: &Value) -> Vec<&Table> {
    match value {
        Value::Table(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_table).collect(),
        _ => Vec::new(),
    }
}

/// Where a table leads; the error says what is wrong with it.
fn place(table: &Table, name: &PackageName, folder: &Path) -> Result<Place, String> {
    const KNOWN: [&str; 12] = [
        "git",
        "rev",
        "tag",
        "branch",
        "url",
        "path",
        "editable",
        "subdirectory",
        "workspace",
        "index",
        "marker",
        "package",
    ];
    if let Some(other) = table.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(format!("has the key `{other}`, which virtpy does not read"));
    }
    let word = |key: &str| table.get(key).and_then(Value::as_str);
    let flag = |key: &str| table.get(key).and_then(Value::as_bool);
    let fragment = word("subdirectory").map(|folder| format!("#subdirectory={folder}")).unwrap_or_default();
    if let Some(url) = word("git") {
        let revision = word("rev").or_else(|| word("tag")).or_else(|| word("branch"));
        let revision = revision.map(|revision| format!("@{revision}")).unwrap_or_default();
        let prefix = if url.starts_with("git+") { "" } else { "git+" };
        return Ok(Place::Url { url: format!("{prefix}{url}{revision}{fragment}"), editable: false });
    }
    if let Some(url) = word("url") {
        return Ok(Place::Url { url: format!("{url}{fragment}"), editable: false });
    }
    if let Some(path) = word("path") {
        let path = normalized_path(&folder.join(path));
        let editable = flag("editable").unwrap_or_default() && path.is_dir();
        return local(&path, editable);
    }
    if flag("workspace") == Some(true) {
        let member =
            member(folder, name).ok_or("is a member of the workspace, and no member has that name")?;
        return local(&member, flag("editable").unwrap_or(true));
    }
    if let Some(name) = word("index") {
        return Ok(Place::Index(name.to_owned()));
    }
    Err("names none of `path`, `workspace`, `git`, `url` and `index`".to_owned())
}

fn local(path: &Path, editable: bool) -> Result<Place, String> {
    if !path.exists() {
        return Err(format!("is not there: `{}`", path.display()));
    }
    let url = DisplaySafeUrl::from_file_path(path).map_err(|()| "has no absolute path".to_owned())?;
    Ok(Place::Url { url: url.to_string(), editable })
}

/// The directory of the workspace's member with a name; the root is one as well.
fn member(folder: &Path, name: &PackageName) -> Option<PathBuf> {
    let root = workspace_of(folder).unwrap_or_else(|| folder.to_path_buf());
    let is_it = |found: &str| PackageName::from_str(found).is_ok_and(|found| found == *name);
    if let Some((member, _)) = members_of(&root).into_iter().find(|(_, found)| is_it(found)) {
        return Some(member);
    }
    let own = read_project(&root)?;
    at(&own, &["project", "name"]).and_then(Value::as_str).is_some_and(is_it).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_or_refused() {
        let table = |text: &str| text.parse::<Table>().unwrap();
        let name = PackageName::from_str("a").unwrap();
        let url = |text: &str| match place(&table(text), &name, Path::new("/nowhere")) {
            Ok(Place::Url { url, .. }) => url,
            Ok(Place::Index(name)) => format!("index {name}"),
            Err(reason) => reason,
        };
        assert_eq!(
            url("git = 'https://example.org/a'\ntag = 'v1'\nsubdirectory = 'b'"),
            "git+https://example.org/a@v1#subdirectory=b"
        );
        assert_eq!(url("url = 'https://example.org/a.zip'"), "https://example.org/a.zip");
        assert_eq!(url("index = 'own'"), "index own");
        assert_eq!(url("path = '../b/./c'"), "is not there: `/b/c`");
        assert!(url("extra = 'x'\npath = '.'").contains("`extra`"));
        assert!(url("workspace = true").contains("no member has that name"));
    }
}
