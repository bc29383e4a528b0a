//! A wheel's file name (PEP 427) and the folder names derived from it.

use virtpy_pep::normalize_name;

use super::{Error, version};

/// More tags than any wheel has. They multiply: a name of 4 KiB could stand for two thousand million.
const MAX_TAGS: usize = 1000;

/// What a wheel's file name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    /// The distribution's name as it stands there.
    pub name: String,
    /// The version as it stands there.
    pub version: String,
    /// The compatibility tags, expanded: `py2.py3-none-any` are two.
    pub tags: Vec<String>,
}

impl WheelName {
    /// Reads `name-version(-build)?-python-abi-platform.whl`.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(filename: &str) -> Result<Self, Error> {
        let wrong = |reason| Error::FileName { name: filename.to_owned(), reason };
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
        if normalize_name(name).is_err() || version.is_empty() || has_empty_tag {
            return Err(wrong("one of its parts is empty or malformed"));
        }
        if tags.iter().map(|tag| tag.split('.').count()).product::<usize>() > MAX_TAGS {
            return Err(wrong("it has too many tags"));
        }
        Ok(Self { name: (*name).to_owned(), version: (*version).to_owned(), tags: expand(tags) })
    }

    /// Whether a folder `stem.dist-info` or `stem.data` is this wheel's: any spelling of its name, and where it goes on, a hyphen
    /// and any spelling of its version.
    pub fn is_named_by(&self, stem: &str) -> bool {
        let is_the_name = is_same_name(stem, &self.name);
        is_the_name
            || stem.match_indices('-').any(|(place, _)| {
                let found = &stem[place + 1..];
                is_same_name(&stem[..place], &self.name)
                    && (self.has_version(found) || version::is_same_escaped(found, &self.version))
            })
    }

    /// Whether a full version is the one of the file name, from which some tools leave out a local label.
    pub fn has_version(&self, full: &str) -> bool {
        let public = full.split('+').next().unwrap_or(full);
        version::is_same_escaped(&self.version, full) || version::is_same(&self.version, public)
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

/// Whether two names are one after PEP 503 normalisation.
pub(super) fn is_same_name(left: &str, right: &str) -> bool {
    match (normalize_name(left), normalize_name(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names() {
        let name = WheelName::parse("Foo.Bar-1.0-py2.py3-none-any.whl").unwrap();
        assert_eq!((name.name.as_str(), name.version.as_str()), ("Foo.Bar", "1.0"));
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
