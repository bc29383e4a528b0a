//! A wheel's file name (PEP 427): `name-version[-build]-python-abi-platform.whl`.

use virtpy_resolver::{Version, normalize_name};

use super::Error;

/// What a wheel's file name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    /// The normalized name (PEP 503).
    pub name: String,
    /// The version.
    pub version: Version,
    /// The build tag.
    pub build: Option<String>,
    /// The compressed tag set: `cp312-cp312-manylinux_2_17_x86_64`.
    pub tags: String,
}

impl WheelName {
    /// Reads a file name.
    ///
    /// # Errors
    /// When it does not have five or six parts, or name or version are none.
    pub fn parse(filename: &str) -> Result<Self, Error> {
        let refuse = |reason| Error::Filename { filename: filename.to_owned(), reason };
        let stem = filename.strip_suffix(".whl").ok_or_else(|| refuse("it does not end in `.whl`"))?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build, tags) = match parts[..] {
            [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
            [name, version, build, python, abi, platform] => {
                (name, version, Some(build), [python, abi, platform])
            }
            _ => {
                return Err(refuse("it does not have the parts `name-version-python-abi-platform`"));
            }
        };
        if build.is_some_and(|build| !build.starts_with(|first: char| first.is_ascii_digit())) {
            return Err(refuse("its build tag does not begin with a digit"));
        }
        if tags.iter().any(|tag| tag.is_empty()) {
            return Err(refuse("a tag is empty"));
        }
        Ok(Self {
            name: normalize_name(name).map_err(|_| refuse("its first part is no name"))?,
            version: version.parse().map_err(|_| refuse("its second part is no version"))?,
            build: build.map(str::to_owned),
            tags: tags.join("-"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_legal_spelling() {
        let name = WheelName::parse("Foo.Bar_baz-1.0.0+local.1-1build-cp312.py3-abi3.none-any.whl").unwrap();
        assert_eq!((name.name.as_str(), name.build.as_deref()), ("foo-bar-baz", Some("1build")));
        assert_eq!(name.version, "1.0+local.1".parse().unwrap());
        assert_eq!(WheelName::parse("a-1!2-py3-none-any.whl").unwrap().version, "1!2".parse().unwrap());
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "a-1-py3-none-any.zip",
            "a-1-any.whl",
            "a-one-py3-none-any.whl",
            "a-1-x-py3-none-any.whl",
            "../a-1-py3-none-.whl",
        ] {
            assert!(WheelName::parse(text).is_err(), "{text}");
        }
    }
}
