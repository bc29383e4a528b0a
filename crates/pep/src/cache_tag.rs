//! What can be said of an interpreter of which only the tag of its bytecode is known (`cpython-312`): that a wheel, or a
//! `Requires-Python`, is certainly not for it.

use crate::{Version, WheelName, accepts_python};

impl WheelName {
    /// Whether a Python whose bytecode has this cache tag (`cpython-312`, `pypy310`) may take the wheel, as far as the tags of
    /// its Python and its ABI tell. Of an interpreter that is not known it may.
    pub fn may_be_for(&self, cache_tag: &str) -> bool {
        let Some((implementation, minor)) = python_of_cache_tag(cache_tag) else { return true };
        self.tags.iter().any(|tag| {
            let mut parts = tag.split('-');
            let (python, abi) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if python == "py3" {
                return true;
            }
            let generic = python.strip_prefix("py3").and_then(|minor| minor.parse::<u32>().ok());
            let own = python.strip_prefix(implementation).and_then(|version| version.strip_prefix('3'));
            let own = own.and_then(|minor| minor.parse::<u32>().ok());
            generic.is_some_and(|least| least <= minor)
                || own.is_some_and(|least| least == minor || (abi == "abi3" && least < minor))
        })
    }
}

/// Whether a `Requires-Python` may accept some Python whose bytecode has this cache tag (`cpython-312`). What cannot be read, and
/// an interpreter that is not known, may.
pub fn may_accept(requires_python: &str, cache_tag: &str) -> bool {
    let Some((_, minor)) = python_of_cache_tag(cache_tag) else { return true };
    // The first and the last of its releases.
    [0, 99].into_iter().any(|patch| {
        let version = format!("3.{minor}.{patch}").parse::<Version>();
        version.is_ok_and(|version| accepts_python(requires_python, &version).unwrap_or(true))
    })
}

/// The letters by which wheels name the implementation of a cache tag, and its minor version of Python 3.
fn python_of_cache_tag(cache_tag: &str) -> Option<(&'static str, u32)> {
    let (implementation, version) = match cache_tag.strip_prefix("cpython-") {
        Some(version) => ("cp", version),
        None => ("pp", cache_tag.strip_prefix("pypy")?),
    };
    let minor = version.strip_prefix('3')?.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    Some((implementation, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_is_not_for_every_python() {
        let may = |tags: &str, cache_tag: &str| {
            WheelName::parse(&format!("a-1.0-{tags}.whl")).unwrap().may_be_for(cache_tag)
        };
        for (tags, cache_tag) in [
            ("py3-none-any", "cpython-312"),
            ("py2.py3-none-any", "pypy310"),
            ("py38-none-any", "cpython-312"),
            ("cp312-cp312-manylinux_2_17_x86_64", "cpython-312"),
            ("cp313-cp313t-linux_x86_64", "cpython-313"),
            ("cp39-abi3-linux_x86_64", "cpython-312"),
            ("cp38.cp312-none-any", "cpython-312"),
            ("pp310-pypy310_pp73-linux_x86_64", "pypy310"),
            ("cp311-cp311-linux_x86_64", "graalpy242-312-native"),
        ] {
            assert!(may(tags, cache_tag), "{tags} {cache_tag}");
        }
        for (tags, cache_tag) in [
            ("py2-none-any", "cpython-312"),
            ("py313-none-any", "cpython-312"),
            ("cp311-cp311-linux_x86_64", "cpython-312"),
            ("cp313-abi3-linux_x86_64", "cpython-312"),
            ("cp311-none-any", "cpython-312"),
            ("cp310-cp310-linux_x86_64", "pypy310"),
            ("pp310-pypy310_pp73-linux_x86_64", "cpython-310"),
        ] {
            assert!(!may(tags, cache_tag), "{tags} {cache_tag}");
        }
    }

    #[test]
    fn a_python_is_accepted_if_some_release_of_it_is() {
        for (required, is_accepted) in [
            (">=3.12", true),
            (">=3.12.4", true),
            ("<3.12.4", true),
            ("<3.12", false),
            (">=3.13", false),
            ("?", true),
        ] {
            assert_eq!(may_accept(required, "cpython-312"), is_accepted, "{required}");
        }
        assert!(may_accept("<3", "graalpy242-312-native"));
    }
}
