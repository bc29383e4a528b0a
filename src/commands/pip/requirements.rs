//! What a request names: the names of packages in requirements, as far as they can be told without asking anybody.

use virtpy_pep::{PackageName, Requirement, WheelName};
use virtpy_resolver::{EntryKind, RequirementsFiles};

/// The name of the package that a requirement, a wheel's path or a URL names.
pub(super) fn name_of(text: &str) -> Option<PackageName> {
    let text = text.trim();
    if let Ok(requirement) = text.parse::<Requirement>() {
        return Some(requirement.name().clone());
    }
    let address = text.split(['#', ';']).next().unwrap_or(text).trim();
    if let Ok(wheel) = WheelName::parse(address.rsplit('/').next().unwrap_or(address)) {
        return Some(wheel.name);
    }
    let egg = text.split_once("#egg=").map(|(_, name)| name)?;
    egg.split(['&', '[']).next().unwrap_or(egg).parse::<PackageName>().ok()
}

/// The names of what requirements files ask for, as far as they can be told.
pub(super) fn names_in(files: &RequirementsFiles) -> Vec<PackageName> {
    let asked = files.entries.iter().filter(|entry| entry.kind != EntryKind::Constraint);
    asked.filter_map(|entry| name_of(&entry.text)).collect()
}

/// The name in a requirement or behind a URL, as it is spelled there.
pub(super) fn spelled(text: &str) -> &str {
    let name = text.split_once("#egg=").map_or(text, |(_, name)| name).trim_start();
    let is_in_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
    &name[..name.find(|letter| !is_in_name(letter)).unwrap_or(name.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_every_form() {
        for (text, name) in [
            ("Six>=1 ; python_version > '3'", Some("six")),
            ("black[d]", Some("black")),
            ("a.b @ file:///x/y.whl", Some("a-b")),
            ("/tmp/Foo_Bar-1.0-py3-none-any.whl", Some("foo-bar")),
            ("https://example.org/foo-1-py3-none-any.whl#sha256=00", Some("foo")),
            ("git+https://example.org/x#egg=Thing", Some("thing")),
            ("./folder", None),
        ] {
            assert_eq!(name_of(text).as_deref(), name, "{text}");
        }
        assert_eq!(spelled("Demo.Name[x]>=1"), "Demo.Name");
        assert_eq!(spelled("file:///x.zip#egg=Some_Thing&subdirectory=a"), "Some_Thing");
    }
}
