//! `[tool.uv]` of a project or of a script's metadata, as far as it says where packages come from and which versions may be taken.
//!
//! It is somebody else's word. So it never says how an index is reached: whose certificates are not checked, where passwords
//! are looked for. And an index that has the name of one of the user's is that one.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};
use virtpy_pep::PackageName;

use crate::settings::IndexSettings;

/// What decides about a resolution or about what is built, and is left aside. Who reads the table hears of it.
const LEFT_ASIDE: [&str; 14] = [
    "allow-insecure-host",
    "build-constraint-dependencies",
    "config-settings",
    "config-settings-package",
    "conflicts",
    "dependency-groups",
    "dependency-metadata",
    "extra-build-dependencies",
    "extra-build-variables",
    "keyring-provider",
    "no-build-isolation",
    "no-build-isolation-package",
    "no-sources",
    "no-sources-package",
];

/// The keys by which another lock comes out: a lock is out of date when one of them changes.
pub const LOCK_KEYS: [&str; 24] = [
    "constraint-dependencies",
    "default-groups",
    "dev-dependencies",
    "environments",
    "exclude-dependencies",
    "exclude-newer",
    "exclude-newer-package",
    "extra-index-url",
    "find-links",
    "fork-strategy",
    "index",
    "index-strategy",
    "index-url",
    "no-binary",
    "no-binary-package",
    "no-build",
    "no-build-package",
    "no-index",
    "override-dependencies",
    "package",
    "prerelease",
    "required-environments",
    "resolution",
    "workspace",
];

/// What a table says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UvTable {
    /// The indexes, in the order in which they are asked.
    pub indexes: Vec<UvIndex>,
    /// Folders and pages of files.
    pub find_links: Vec<String>,
    /// Whether no index is asked.
    pub no_index: bool,
    /// Whether the best version of all indexes counts, and not the first index that has the name.
    pub best_match: bool,
    /// Leave out what was uploaded after this time.
    pub exclude_newer: Option<String>,
    /// The same for single packages: `NAME=TIME`, or `NAME=false` for none.
    pub exclude_newer_packages: Vec<String>,
    /// Of which packages pre-releases are admitted, by uv's word for it.
    pub prerelease: Option<String>,
    /// Which versions are taken of those that fit, by uv's word for it.
    pub resolution: Option<String>,
    /// Whether as few versions of a package as possible are taken where one would not do everywhere, by uv's word for it.
    pub fork_strategy: Option<String>,
    /// What is built from source always: names, or `:all:`.
    pub no_binary: Vec<String>,
    /// What is never built from source: names, or `:all:`.
    pub only_binary: Vec<String>,
    /// Requirements that limit the versions.
    pub constraints: Vec<String>,
    /// Requirements that stand in place of all others of the same name.
    pub overrides: Vec<String>,
    /// Packages that nobody gets, whoever requires them.
    pub excludes: Vec<String>,
    /// The environments that a lock is for, as markers.
    pub environments: Vec<String>,
    /// Environments that every package has to have a file for, as markers.
    pub required_environments: Vec<String>,
    /// The keys that say nothing here.
    pub unknown: Vec<String>,
    /// Where packages come from that have a place of their own, by normalized name: a table, or several with markers.
    pub sources: BTreeMap<PackageName, Value>,
}

/// One of `[[tool.uv.index]]`, or of the older keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UvIndex {
    /// The name that sources know it by.
    pub name: Option<String>,
    /// Its URL or directory.
    pub url: String,
    /// Whether it stands in place of the configured one, and is asked last.
    pub default: bool,
    /// Whether it is asked only for packages that name it.
    pub explicit: bool,
    /// Whether it is a page or a directory of files.
    pub flat: bool,
}

/// A key whose value makes no sense, or asks for what cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableKey {
    /// The key, below `tool.uv`.
    pub key: String,
    /// What would do.
    pub instead: &'static str,
}

impl UvIndex {
    /// Its URL with its name before it, as [`IndexSettings`] has it.
    fn setting(&self) -> String {
        self.name.as_ref().map_or_else(|| self.url.clone(), |name| format!("{name}={}", self.url))
    }
}

impl UvTable {
    /// Reads the table.
    ///
    /// # Errors
    /// When a value is of the wrong type, or a key asks for what cannot be done.
    pub fn parse(table: Table) -> Result<Self, UnusableKey> {
        let mut uv = Self::default();
        // What stands in `index` is asked before what the older keys have.
        let (first, others): (Vec<_>, Vec<_>) = table.into_iter().partition(|(key, _)| key == "index");
        for (key, value) in first.into_iter().chain(others) {
            uv.take(&key, &value)?;
        }
        Ok(uv)
    }

    /// The same with paths that start from a directory.
    #[must_use]
    pub fn in_directory(mut self, directory: &Path) -> Self {
        let places = self.indexes.iter_mut().map(|index| &mut index.url).chain(&mut self.find_links);
        for place in places.filter(|place| !place.contains("://")) {
            *place = directory.join(&*place).display().to_string();
        }
        self
    }

    /// The user's settings with what the table says. An index that the user named for this call goes first, and one of the user's is
    /// asked in place of one that has its name.
    pub fn applied_to(&self, mut settings: IndexSettings) -> IndexSettings {
        let is_users =
            |index: &&UvIndex| index.name.as_deref().is_some_and(|name| settings.index_named(name).is_some());
        let own: Vec<&UvIndex> = self.indexes.iter().filter(|index| !is_users(index)).collect();
        let of = |wanted: fn(&UvIndex) -> bool| own.iter().filter(move |index| wanted(index));
        if let Some(index) = of(|index| index.default && !index.flat).next()
            && !settings.names_index
        {
            settings.index_url = Some(index.setting());
            settings.no_index = false;
        }
        let extra = of(|index| !index.default && !index.explicit && !index.flat).map(|index| index.setting());
        settings.extra_index_urls = extra.chain(settings.extra_index_urls).collect();
        settings.explicit_index_urls.extend(of(|index| index.explicit).map(|index| index.setting()));
        settings.find_links.extend(of(|index| index.flat && !index.explicit).map(|index| index.url.clone()));
        settings.find_links.extend(self.find_links.iter().cloned());
        settings.no_index |= self.no_index;
        settings.best_match |= self.best_match;
        settings.no_binary.extend(self.no_binary.iter().cloned());
        settings.only_binary.extend(self.only_binary.iter().cloned());
        settings.exclude_newer = self.exclude_newer.clone().or(settings.exclude_newer);
        settings
    }

    /// The keys that decide about a resolution or about builds, and that are left aside.
    pub(crate) fn left_aside(&self) -> impl Iterator<Item = &String> {
        self.unknown.iter().filter(|key| LEFT_ASIDE.contains(&key.split('.').next().unwrap_or_default()))
    }

    fn take(&mut self, key: &str, value: &Value) -> Result<(), UnusableKey> {
        let wrong = || unusable(key, "its value is of a type that makes no sense here");
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
        let texts = |value: &Value| -> Result<Vec<String>, UnusableKey> {
            value.as_array().ok_or_else(wrong)?.iter().map(text).collect()
        };
        let one_or_several =
            |value: &Value| if value.is_str() { Ok(vec![text(value)?]) } else { texts(value) };
        let switch = |value: &Value| value.as_bool().ok_or_else(wrong);
        match key {
            "index-url" => {
                let url = text(value)?;
                self.indexes.push(UvIndex { url, default: true, ..UvIndex::default() });
            }
            "extra-index-url" => {
                let index = |url| UvIndex { url, ..UvIndex::default() };
                self.indexes.extend(texts(value)?.into_iter().map(index));
            }
            "find-links" => self.find_links = texts(value)?,
            "no-index" => self.no_index = switch(value)?,
            "index-strategy" => match text(value)?.as_str() {
                "unsafe-best-match" => self.best_match = true,
                "first-index" => {}
                _ => return Err(unusable(key, "`first-index` and `unsafe-best-match` can be done")),
            },
            "exclude-newer" => self.exclude_newer = Some(date(value)),
            "exclude-newer-package" => {
                let packages = value.as_table().ok_or_else(wrong)?.iter();
                self.exclude_newer_packages =
                    packages.map(|(name, value)| format!("{name}={}", date(value))).collect();
            }
            "prerelease" => self.prerelease = Some(text(value)?),
            "resolution" => self.resolution = Some(text(value)?),
            "fork-strategy" => self.fork_strategy = Some(text(value)?),
            "no-binary-package" => self.no_binary.append(&mut texts(value)?),
            "no-build-package" => self.only_binary.append(&mut texts(value)?),
            "no-binary" if switch(value)? => self.no_binary.push(":all:".to_owned()),
            "no-build" if switch(value)? => self.only_binary.push(":all:".to_owned()),
            "no-binary" | "no-build" => {}
            "constraint-dependencies" => self.constraints = texts(value)?,
            "override-dependencies" => self.overrides = texts(value)?,
            "exclude-dependencies" => self.excludes = texts(value)?,
            "environments" => self.environments = one_or_several(value)?,
            "required-environments" => self.required_environments = one_or_several(value)?,
            "index" => {
                for index in value.as_array().ok_or_else(wrong)? {
                    self.index(index.as_table().ok_or_else(wrong)?)?;
                }
            }
            "sources" => {
                for (name, source) in value.as_table().ok_or_else(wrong)? {
                    let name = name.parse::<PackageName>().map_err(|_| wrong())?;
                    self.sources.insert(name, source.clone());
                }
            }
            other => self.unknown.push(other.to_owned()),
        }
        Ok(())
    }

    fn index(&mut self, index: &Table) -> Result<(), UnusableKey> {
        let flag = |key: &str| index.get(key).and_then(Value::as_bool).unwrap_or_default();
        let text = |key: &str| index.get(key).and_then(Value::as_str);
        let url = text("url").ok_or_else(|| unusable("index", "each index needs a `url`"))?;
        self.indexes.push(UvIndex {
            name: text("name").map(str::to_owned),
            url: url.to_owned(),
            default: flag("default"),
            explicit: flag("explicit"),
            flat: text("format") == Some("flat"),
        });
        Ok(())
    }
}

/// A date as text, whether it was written as one, as TOML's own kind, or as `false` for none.
fn date(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn unusable(key: &str, instead: &'static str) -> UnusableKey {
    UnusableKey { key: key.to_owned(), instead }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> UvTable {
        UvTable::parse(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn an_index_of_the_users_is_asked_in_place_of_one_with_its_name() {
        let table = parse(
            "extra-index-url = ['https://c.example']\n\
             [[index]]\nname = 'own'\nurl = 'https://a.example'\n\
             [[index]]\nname = 'main'\nurl = 'https://b.example'\ndefault = true\n\
             [[index]]\nname = 'torch'\nurl = 'https://d.example'\nexplicit = true\n\
             [[index]]\nurl = 'flat'\nformat = 'flat'\n",
        );
        let applied = table.clone().in_directory(Path::new("/p")).applied_to(IndexSettings::default());
        assert_eq!(applied.index_url.as_deref(), Some("main=https://b.example"));
        assert_eq!(applied.extra_index_urls, ["own=https://a.example", "https://c.example"]);
        assert_eq!(applied.explicit_index_urls, ["torch=https://d.example"]);
        assert_eq!(applied.find_links, ["/p/flat"]);
        let users = ["own=https://mine.example".to_owned()];
        let mine = IndexSettings { extra_index_urls: users.to_vec(), ..IndexSettings::default() };
        let applied = table.applied_to(mine);
        assert_eq!(applied.extra_index_urls, ["https://c.example", "own=https://mine.example"]);
        let url = Some("https://mine.example".to_owned());
        let named = IndexSettings { index_url: url.clone(), names_index: true, ..IndexSettings::default() };
        assert_eq!(table.applied_to(named).index_url, url);
    }

    #[test]
    fn what_is_left_aside_is_told() {
        let table = parse(
            "managed = true\nconflicts = []\nkeyring-provider = 'subprocess'\n[pip]\nuniversal = true\n",
        );
        assert_eq!(table.left_aside().collect::<Vec<_>>(), ["conflicts", "keyring-provider"]);
    }
}
