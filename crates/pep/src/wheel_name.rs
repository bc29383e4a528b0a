//! File names of wheels (PEP 427), and the directory names derived from them.

use crate::spelling::{is_same, is_same_escaped};
use crate::{InvalidText, PackageName};

/// More tags than any wheel has. They multiply: a name of 4 KiB could stand for two thousand million.
const MAX_TAGS: usize = 1000;

/// The file name of a wheel, taken apart (PEP 427).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    /// The name of the package.
    pub name: PackageName,
    /// The name as it stands there.
    pub spelled_name: String,
    /// The version as it stands there: old tools wrote `_` for `+` and `-`.
    pub version: String,
    /// The compatibility tags (PEP 425), written out: `py2.py3-none-any` are two.
    pub tags: Vec<String>,
}

impl WheelName {
    /// Reads `name-version(-build)?-python-abi-platform.whl`.
    ///
    /// # Errors
    ///
    /// When the text has another form.
    pub fn parse(filename: &str) -> Result<Self, InvalidText> {
        let wrong = |reason: &str| InvalidText::new(filename, "the file name of a wheel", &reason);
        let stem = filename.strip_suffix(".whl").ok_or_else(|| wrong("it does not end in `.whl`"))?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+!".contains(&byte);
        if !stem.bytes().all(legal) {
            return Err(wrong("it contains an illegal character"));
        }
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, tags) = match parts.as_slice() {
            [name, version, tags @ ..] if tags.len() == 3 => (name, version, tags),
            [name, version, build, tags @ ..] if tags.len() == 3 => {
                if !build.starts_with(|letter: char| letter.is_ascii_digit()) {
                    return Err(wrong("its build number does not start with a digit"));
                }
                (name, version, tags)
            }
            _ => return Err(wrong("it does not have five or six parts")),
        };
        let has_empty_tag = tags.iter().any(|tag| tag.split('.').any(str::is_empty));
        let malformed = || wrong("one of its parts is empty or malformed");
        if version.is_empty() || has_empty_tag {
            return Err(malformed());
        }
        if tags.iter().map(|tag| tag.split('.').count()).product::<usize>() > MAX_TAGS {
            return Err(wrong("it has too many tags"));
        }
        Ok(Self {
            name: name.parse().map_err(|_| malformed())?,
            spelled_name: (*name).to_owned(),
            version: (*version).to_owned(),
            tags: expand(tags),
        })
    }

    /// Whether a folder `stem.dist-info` or `stem.data` is this wheel's: any spelling of its name, and where it goes on, a hyphen
    /// and any spelling of its version.
    pub fn is_named_by(&self, stem: &str) -> bool {
        self.name.is_spelled(stem)
            || stem.match_indices('-').any(|(place, _)| {
                let found = &stem[place + 1..];
                self.name.is_spelled(&stem[..place])
                    && (self.has_version(found) || is_same_escaped(found, &self.version))
            })
    }

    /// Whether a full version is the one of the file name, from which some tools leave out a local label.
    pub fn has_version(&self, full: &str) -> bool {
        let public = full.split('+').next().unwrap_or(full);
        is_same_escaped(&self.version, full) || is_same(&self.version, public)
    }
}

fn expand(tags: &[&str]) -> Vec<String> {
    let [pythons, abis, platforms] = tags else {
        return Vec::new();
    };
    let mut expanded = Vec::new();
    for python in pythons.split('.') {
        for abi in abis.split('.') {
            for platform in platforms.split('.') {
                expanded.push(format!("{python}-{abi}-{platform}"));
            }
        }
    }
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names() {
        let name = WheelName::parse("Foo.Bar-1.0-py2.py3-none-any.whl").unwrap();
        assert_eq!(
            (name.name.as_str(), name.spelled_name.as_str(), name.version.as_str()),
            ("foo-bar", "Foo.Bar", "1.0")
        );
        assert_eq!(name.tags, ["py2-none-any", "py3-none-any"]);
        assert_eq!(
            WheelName::parse("a-1!2.0+x.1-1build-cp312-cp312-linux_x86_64.whl").unwrap().version,
            "1!2.0+x.1"
        );
        for wrong in [
            "a-1.0-py3-none-any.zip",
            "a-1.0-none-any.whl",
            "a-1.0-b-py3-none-any.whl",
            "a-1.0-1-x-py3-none-any.whl",
            "-1.0-py3-none-any.whl",
            "a--py3-none-any.whl",
            "a-1.0-py3--any.whl",
            "a-1.0-py3-abi3.-any.whl",
            "../a-1.0-py3-none-any.whl",
            "ä-1.0-py3-none-any.whl",
            "a b-1.0-py3-none-any.whl",
            ".a-1.0-py3-none-any.whl",
            &format!("a-1.0-py3{}-none{}-any.whl", ".py3".repeat(40), ".none".repeat(40)),
        ] {
            assert!(WheelName::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn folders_in_any_spelling() {
        let name = WheelName::parse("foo_bar-1.0.post1+cpu-py3-none-any.whl").unwrap();
        for stem in [
            "foo_bar-1.0.post1+cpu",
            "Foo.Bar-1.0-1+cpu",
            "foo-bar-1.0.0.post1+CPU",
            "FOO__BAR-1.0.post1_cpu",
            "foo_bar",
        ] {
            assert!(name.is_named_by(stem), "{stem}");
        }
        for stem in [
            "foo",
            "foo_bar-1.0",
            "foo_bar-1.0.post1+gpu",
            "foo-1.0.post1+cpu",
            "foo_bar_baz-1.0.post1+cpu",
            "",
            "-",
        ] {
            assert!(!name.is_named_by(stem), "{stem}");
        }
    }
}
