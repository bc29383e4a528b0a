//! `[tool.uv.sources]`: where a project wants some of its packages from, instead of an index. Of a member of a workspace the root's count
//! as well. What a directory on this machine requires is looked at too, since it may have such places of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::{Table, Value};
use uv_normalize::PackageName;
use uv_pep508::{MarkerTree, VersionOrUrl};
use uv_pypi_types::VerbatimParsedUrl;
use uv_redacted::DisplaySafeUrl;
use uv_requirements_txt::RequirementsTxtRequirement;

use crate::portable::normalized_path;

type Requirement = uv_pep508::Requirement<VerbatimParsedUrl>;

/// The places that a project's file and its workspace's give.
#[derive(Debug, Default)]
pub(crate) struct ToolSources(BTreeMap<PackageName, Given>);

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
    /// An index, which is among those that are asked, or not.
    Index,
}

impl ToolSources {
    /// Those that count for the project in a directory.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut all = BTreeMap::new();
        let root = workspace(folder).filter(|root| root != folder);
        for folder in root.iter().map(PathBuf::as_path).chain([folder]) {
            let file = read(folder).unwrap_or_default();
            let sources = at(&file, &["tool", "uv", "sources"]).and_then(Value::as_table);
            for (name, value) in sources.into_iter().flatten() {
                if let Ok(name) = PackageName::from_str(name) {
                    all.insert(name, Given { value: value.clone(), folder: folder.to_path_buf() });
                }
            }
        }
        Self(all)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The packages that an index of their own is given for, which is not read.
    pub(crate) fn of_indexes(&self) -> Vec<&PackageName> {
        let is_index = |given: &Given| tables(&given.value).iter().any(|one| one.contains_key("index"));
        self.0.iter().filter(|(_, given)| is_index(given)).map(|(name, _)| name).collect()
    }

    /// A requirement, led to the places that are given for it: one for each, and one for where none of them counts. Behind them comes
    /// what directories among them require that has a place as well. The error says why a place cannot be used.
    pub(crate) fn place(&self, requirement: Requirement) -> Result<Vec<RequirementsTxtRequirement>, String> {
        let mut placed = Vec::new();
        self.add(requirement, &mut BTreeSet::new(), &mut placed)?;
        Ok(placed)
    }

    fn add(
        &self,
        requirement: Requirement,
        seen: &mut BTreeSet<PathBuf>,
        placed: &mut Vec<RequirementsTxtRequirement>,
    ) -> Result<(), String> {
        let given = self.0.get(&requirement.name);
        let has_url = matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_)));
        let Some(given) = given.filter(|_| !has_url) else {
            placed.push(RequirementsTxtRequirement::Named(requirement));
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
            let Place::Url { url, editable } = place else { continue };
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
                self.add_below(&url, named, seen, placed)?;
            }
            placed.push(led);
            rest = rest.and(marker.negate());
        }
        if !rest.is_false() {
            placed.push(RequirementsTxtRequirement::Named(Requirement { marker: rest, ..requirement }));
        }
        Ok(())
    }

    /// Adds what the directory behind a URL requires and gives a place for.
    fn add_below(
        &self,
        url: &str,
        parent: &Requirement,
        seen: &mut BTreeSet<PathBuf>,
        placed: &mut Vec<RequirementsTxtRequirement>,
    ) -> Result<(), String> {
        let folder = DisplaySafeUrl::parse(url).ok().and_then(|url| url.to_file_path().ok());
        let Some(folder) = folder.filter(|folder| folder.is_dir() && seen.insert(folder.clone())) else {
            return Ok(());
        };
        let file = read(&folder).unwrap_or_default();
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
            if own.0.contains_key(&named.name) && !self.0.contains_key(&named.name) {
                named.marker = named.marker.and(parent.marker);
                own.add(named, seen, placed)?;
            }
        }
        Ok(())
    }
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
    if word("index").is_some() {
        return Ok(Place::Index);
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
    let root = workspace(folder)?;
    let file = read(&root)?;
    let patterns = at(&file, &["tool", "uv", "workspace", "members"]).and_then(Value::as_array);
    let patterns = patterns.into_iter().flatten().filter_map(Value::as_str);
    let escaped = glob::Pattern::escape(&root.to_string_lossy());
    let folders =
        patterns.flat_map(|pattern| glob::glob(&format!("{escaped}/{pattern}")).into_iter().flatten());
    let is_it = |folder: &PathBuf| {
        let file = read(folder).unwrap_or_default();
        let found = at(&file, &["project", "name"]).and_then(Value::as_str).map(PackageName::from_str);
        found.is_some_and(|found| found.is_ok_and(|found| found == *name))
    };
    folders.flatten().map(|folder| normalized_path(&folder)).chain([root.clone()]).find(is_it)
}

/// The nearest directory with a workspace, from this one upwards.
fn workspace(folder: &Path) -> Option<PathBuf> {
    let has_one =
        |folder: &&Path| read(folder).is_some_and(|file| at(&file, &["tool", "uv", "workspace"]).is_some());
    folder.ancestors().find(has_one).map(Path::to_path_buf)
}

fn at<'t>(file: &'t Table, keys: &[&str]) -> Option<&'t Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(file.get(*first)?, |value, key| value.get(key))
}

/// A directory's `pyproject.toml`.
#[expect(
    clippy::disallowed_methods,
    reason = "reading only: the ban is on writing past the one module that does"
)]
fn read(folder: &Path) -> Option<Table> {
    let path = folder.join("pyproject.toml");
    std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
    std::fs::read_to_string(&path).ok()?.parse().ok()
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
            Ok(Place::Index) => "index".to_owned(),
            Err(reason) => reason,
        };
        assert_eq!(
            url("git = 'https://example.org/a'\ntag = 'v1'\nsubdirectory = 'b'"),
            "git+https://example.org/a@v1#subdirectory=b"
        );
        assert_eq!(url("url = 'https://example.org/a.zip'"), "https://example.org/a.zip");
        assert_eq!(url("index = 'own'"), "index");
        assert_eq!(url("path = '../b/./c'"), "is not there: `/b/c`");
        assert!(url("extra = 'x'\npath = '.'").contains("`extra`"));
        assert!(url("workspace = true").contains("no member has that name"));
    }
}
