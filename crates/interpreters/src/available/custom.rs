//! Custom distributions, as Hatch has them: three environment variables describe each.
//!
//! `HATCH_PYTHON_CUSTOM_SOURCE_<NAME>` is the archive's URL or path, `HATCH_PYTHON_CUSTOM_PATH_<NAME>` the
//! interpreter inside of it, and `HATCH_PYTHON_CUSTOM_VERSION_<NAME>` a version that is raised when there is
//! something new. `<NAME>` is the name in upper case with underscores for periods. Shells cannot set variables
//! with hyphens in their names, so an underscore may stand for a hyphen too. Any name will do.

use std::collections::BTreeMap;

use virtpy_pep::Version;
use virtpy_wheel::archive;

use super::environment::Variable;
use super::{AvailableError, Build, BuildSource, location};

/// How the names of the three variables go on after what all have in common.
const PARTS: [&str; 3] = ["SOURCE_", "PATH_", "VERSION_"];
/// How an archive may be called.
const SUFFIXES: [&str; 7] = [".tar.bz2", ".bz2", ".tar.gz", ".tgz", ".tar.zst", ".tar.zstd", ".zip"];

/// The custom distributions of an environment, each complete or with the reason why it cannot be used.
#[derive(Debug, Default)]
pub(super) struct Distributions {
    by_key: BTreeMap<String, Description>,
}

/// The values of the three variables of one name.
#[derive(Debug)]
struct Description {
    /// The end of the variables' names, as it is written there.
    ending: String,
    values: [Option<String>; 3],
}

impl Distributions {
    pub(super) fn new(variables: &[Variable]) -> Self {
        let mut by_key: BTreeMap<String, Description> = BTreeMap::new();
        let mut sorted: Vec<&Variable> = variables.iter().collect();
        // Hyphens stand before underscores: the exact spelling is seen first, and counts.
        sorted.sort_by(|one, other| one.name.cmp(&other.name));
        for variable in sorted {
            let mut known = PARTS.iter().enumerate();
            let found = known.find_map(|(part, name)| Some((part, variable.name.strip_prefix(name)?)));
            let Some((part, ending)) = found.filter(|(_, ending)| !ending.is_empty()) else { continue };
            let description = by_key
                .entry(key(ending))
                .or_insert_with(|| Description { ending: ending.to_owned(), values: [None, None, None] });
            description.values[part].get_or_insert_with(|| variable.value.clone());
        }
        Self { by_key }
    }

    /// The distribution of a name.
    ///
    /// # Errors
    /// When there are variables for this name, but not all three, or they make no sense.
    pub(super) fn find(&self, name: &str) -> Result<Option<Build>, AvailableError> {
        self.by_key.get(&key(name)).map(Description::build).transpose()
    }

    /// All that can be used, and what is wrong with the others.
    pub(super) fn all(&self) -> (Vec<Build>, Vec<AvailableError>) {
        let (mut builds, mut errors) = (Vec::new(), Vec::new());
        for description in self.by_key.values() {
            match description.build() {
                Ok(build) => builds.push(build),
                Err(error) => errors.push(error),
            }
        }
        (builds, errors)
    }
}

/// What the names of one distribution have in common, however they are spelt.
fn key(name: &str) -> String {
    name.to_uppercase().replace(['.', '-'], "_")
}

impl Description {
    /// The name that is most likely meant: numbers have periods between them.
    fn name(&self) -> String {
        let lower = self.ending.to_lowercase();
        let letters: Vec<char> = lower.chars().collect();
        let is_digit = |place: Option<usize>| {
            place.and_then(|place| letters.get(place)).is_some_and(char::is_ascii_digit)
        };
        let written = letters.iter().enumerate().map(|(place, letter)| match letter {
            '_' if is_digit(place.checked_sub(1)) && is_digit(Some(place + 1)) => '.',
            '_' => '-',
            other => *other,
        });
        written.collect()
    }

    fn variable(&self, part: usize) -> String {
        format!("HATCH_PYTHON_CUSTOM_{}{}", PARTS[part], self.ending)
    }

    fn build(&self) -> Result<Build, AvailableError> {
        let refused =
            |part: usize, reason: String| AvailableError::Variable { variable: self.variable(part), reason };
        let name = self.name();
        let [Some(source), Some(path), Some(version)] = &self.values else {
            let missing = (0..PARTS.len()).filter(|part| self.values[*part].is_none());
            let missing = missing.map(|part| format!("`{}`", self.variable(part))).collect();
            return Err(AvailableError::Incomplete { name, missing });
        };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
            || !name.starts_with(|first: char| first.is_ascii_alphanumeric())
        {
            let reason =
                format!("`{name}` is not a name: it has other characters than letters, digits and `.-+`");
            return Err(refused(0, reason));
        }
        let (location, sha256) = location::split_hash(source).map_err(|reason| refused(0, reason))?;
        location::local_path(&location).map_err(|error| refused(0, error.to_string()))?;
        let file = location.split('?').next().unwrap_or_default().to_ascii_lowercase();
        if !SUFFIXES.iter().any(|suffix| file.ends_with(suffix)) {
            return Err(refused(
                0,
                format!("`{source}` is not an archive: it ends with none of {}", SUFFIXES.join(" ")),
            ));
        }
        let executable = archive::check_name(path.as_bytes()).map_err(|problem| {
            refused(1, format!("`{path}` is not a path inside an archive: it {problem}"))
        })?;
        version.parse::<Version>().map_err(|error| refused(2, error.to_string()))?;
        Ok(Build {
            name,
            version: version.clone(),
            build: None,
            free_threaded: false,
            triple: None,
            location,
            sha256,
            executable: Some(executable.to_owned()),
            source: BuildSource::Custom,
        })
    }
}

#[cfg(test)]
mod tests {
    use virtpy_pep::Sha256Digest;

    use super::*;

    fn distributions(variables: &[(&str, &str)]) -> Distributions {
        let variable =
            |(name, value): &(&str, &str)| Variable { name: (*name).to_owned(), value: (*value).to_owned() };
        Distributions::new(&variables.iter().map(variable).collect::<Vec<_>>())
    }

    fn complete(ending: &str, source: &str, path: &str) -> Distributions {
        distributions(&[
            (&format!("SOURCE_{ending}"), source),
            (&format!("PATH_{ending}"), path),
            (&format!("VERSION_{ending}"), "7.3.15"),
        ])
    }

    #[test]
    fn any_name_is_found_in_every_spelling() {
        let cases = [
            ("PYPY3_10", "pypy3.10", vec!["pypy3.10", "PyPy3.10"]),
            ("MYCO-3_12", "myco-3.12", vec!["myco-3.12", "myco_3.12"]),
            ("MYCO_3_12", "myco-3.12", vec!["myco-3.12", "myco_3.12"]),
            ("3_12", "3.12", vec!["3.12"]),
            ("3_12T", "3.12t", vec!["3.12t"]),
            ("WHOLLY_NEW", "wholly-new", vec!["wholly-new", "wholly.new"]),
        ];
        for (ending, name, requests) in cases {
            let custom = complete(ending, "https://x.example/a.tar.gz", "bin/python");
            for request in requests {
                let build = custom.find(request).unwrap().unwrap_or_else(|| panic!("{request}"));
                assert_eq!((build.name.as_str(), build.version.as_str()), (name, "7.3.15"));
                assert_eq!(build.executable.as_deref(), Some("bin/python"));
            }
            assert_eq!(custom.find("3.1").unwrap(), None);
        }
    }

    #[test]
    fn the_exact_spelling_counts() {
        let custom = distributions(&[
            ("SOURCE_MY_CO", "/underscore.zip"),
            ("PATH_MY_CO", "python"),
            ("VERSION_MY_CO", "1"),
            ("SOURCE_MY-CO", "/hyphen.zip"),
        ]);
        assert_eq!(custom.find("my-co").unwrap().unwrap().location, "/hyphen.zip");
    }

    #[test]
    fn what_is_missing_is_named() {
        let custom = distributions(&[("SOURCE_MYCO", "/x.zip"), ("PATH_OTHER", "python")]);
        let error = custom.find("myco").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the custom distribution `myco` is not complete: `HATCH_PYTHON_CUSTOM_PATH_MYCO` and \
             `HATCH_PYTHON_CUSTOM_VERSION_MYCO` are not set"
        );
        let (builds, errors) = custom.all();
        assert!(builds.is_empty() && errors.len() == 2, "{errors:?}");
        assert!(distributions(&[("SOURCE_", "/x.zip"), ("OTHER_X", "1")]).all().1.is_empty());
    }

    #[test]
    fn all_suffixes_and_locations_are_known() {
        for suffix in SUFFIXES {
            for place in ["https://x.example/a b/p", "file:///srv/p", "/srv/p", "p"] {
                let custom = complete("X", &format!("{place}{suffix}"), "p/bin/python");
                assert_eq!(custom.find("x").unwrap().unwrap().location, format!("{place}{suffix}"));
            }
        }
        let hash = Sha256Digest::from([0; 32]);
        let source = format!("https://x.example/p.zip?token=1#sha256={hash}");
        let build = complete("X", &source, "python").find("x").unwrap().unwrap();
        assert_eq!(build.location, "https://x.example/p.zip?token=1");
        assert_eq!(build.sha256, Some(hash));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_variable() {
        let cases = [
            (
                "X",
                "https://x.example/p.rar",
                "python",
                "SOURCE_X` cannot be used: `https://x.example/p.rar` is not an archive",
            ),
            ("X", "ftp://x.example/p.zip", "python", "SOURCE_X` cannot be used"),
            ("X", "/p.zip#sha256=12", "python", "SOURCE_X` cannot be used"),
            (
                "X",
                "/p.zip",
                "../python",
                "PATH_X` cannot be used: `../python` is not a path inside an archive",
            ),
            ("X", "/p.zip", "/bin/python", "PATH_X` cannot be used"),
            ("X", "/p.zip", "bin\\python", "PATH_X` cannot be used"),
            ("X/../Y", "/p.zip", "python", "SOURCE_X/../Y` cannot be used"),
        ];
        for (ending, source, path, expected) in cases {
            let error = complete(ending, source, path).find(ending).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`HATCH_PYTHON_CUSTOM_{expected}")), "{error}");
        }
        let mut custom = complete("X", "/p.zip", "python");
        custom.by_key.get_mut("X").unwrap().values[2] = Some("newest".to_owned());
        let error = custom.find("x").unwrap_err().to_string();
        assert!(error.starts_with("`HATCH_PYTHON_CUSTOM_VERSION_X` cannot be used"), "{error}");
    }
}
