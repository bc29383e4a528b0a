//! Which wheels an interpreter takes (PEP 425), and saying so: the one place that compares the tags of a wheel's file
//! name with an interpreter, wherever the wheel comes from.

use std::str::FromStr as _;
use std::sync::OnceLock;

use uv_distribution_filename::WheelFilename;
use uv_platform_tags::{Arch, Os, Platform, Tags, TagsOptions};

use crate::tag_facts::{TagFacts, TagSystem};
use crate::tag_words;

/// A wheel that is not for the interpreter at hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is for {made_for}; this is {interpreter}", file.escape_debug())]
pub struct IncompatibleWheel {
    /// The wheel's file name.
    pub file: String,
    /// What its tags say, in words.
    pub made_for: String,
    /// The interpreter, in the same words.
    pub interpreter: String,
}

impl IncompatibleWheel {
    /// What a user can do about it.
    pub fn hint(&self) -> String {
        "take a wheel that is for this interpreter, or name the package alone, so that the index chooses one; `-p` chooses \
         another interpreter for a new venv"
            .to_owned()
    }
}

/// The tags of wheels that an interpreter takes. They are worked out when a wheel is met that not every Python 3 takes.
#[derive(Debug, Clone, Default)]
pub struct InterpreterTags {
    facts: TagFacts,
    tags: OnceLock<Option<Tags>>,
}

impl InterpreterTags {
    /// Those of an interpreter. Of one whose system is not known, every wheel is accepted.
    pub fn new(facts: TagFacts) -> Self {
        Self { facts, tags: OnceLock::new() }
    }

    /// Checks that a wheel, by its file name, is for this interpreter.
    ///
    /// # Errors
    ///
    /// [`IncompatibleWheel`] if it is not, also for a name with tags that nobody knows. A text that is no wheel's name
    /// passes: that is for others to say.
    pub fn check(&self, file_name: &str) -> Result<(), IncompatibleWheel> {
        if is_for_every_python_3(file_name) && self.facts.version.0 == 3 {
            return Ok(());
        }
        let Ok(wheel) = WheelFilename::from_str(file_name) else { return Ok(()) };
        match self.tags.get_or_init(|| tags(&self.facts)) {
            Some(tags) if !wheel.is_compatible(tags) => Err(IncompatibleWheel {
                file: file_name.to_owned(),
                made_for: tag_words::wheel(file_name),
                interpreter: tag_words::interpreter(&self.facts),
            }),
            _ => Ok(()),
        }
    }
}

/// Whether a wheel has the tag `py3-none-any`.
fn is_for_every_python_3(file_name: &str) -> bool {
    let pythons = file_name.strip_suffix("-none-any.whl").and_then(|start| start.rsplit('-').next());
    pythons.is_some_and(|pythons| pythons.split('.').any(|python| python == "py3"))
}

/// `None` where nothing can be said.
fn tags(facts: &TagFacts) -> Option<Tags> {
    let short = |number: u32| u8::try_from(number).ok();
    let long = |number: u32| u16::try_from(number).ok();
    let os = match facts.system? {
        TagSystem::Glibc(major, minor) => Os::Manylinux { major: long(major)?, minor: long(minor)? },
        TagSystem::Musl(major, minor) => Os::Musllinux { major: long(major)?, minor: long(minor)? },
        TagSystem::Macos(major, minor) => Os::Macos { major: long(major)?, minor: long(minor)? },
    };
    let arch = match (facts.machine.as_str(), facts.pointer_width) {
        // A 32-bit interpreter on a 64-bit machine.
        ("x86_64" | "amd64", 32) | ("i386" | "i586", _) => Arch::X86,
        ("aarch64" | "arm64", 32) => Arch::Armv7L,
        ("arm64", _) => Arch::Aarch64,
        (machine, _) => machine.parse().ok()?,
    };
    let options = TagsOptions {
        manylinux_compatible: true,
        gil_disabled: facts.free_threaded,
        debug_enabled: facts.debug,
        is_cross: false,
    };
    let version = (short(facts.version.0)?, short(facts.version.1)?);
    let (major, minor) = facts.implementation_version;
    let implementation_version = (short(major)?, short(minor)?);
    let platform = Platform::new(os, arch);
    Tags::from_env(platform, version, &facts.implementation, implementation_version, options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linux(version: (u32, u32)) -> TagFacts {
        TagFacts {
            implementation: "cpython".to_owned(),
            implementation_label: "CPython".to_owned(),
            implementation_version: version,
            version,
            pointer_width: 64,
            machine: "x86_64".to_owned(),
            system: Some(TagSystem::Glibc(2, 36)),
            ..TagFacts::default()
        }
    }

    #[track_caller]
    fn takes(facts: &TagFacts, tags: &[&str]) {
        for tag in tags {
            let name = format!("x-1.0-{tag}.whl");
            assert_eq!(InterpreterTags::new(facts.clone()).check(&name), Ok(()), "{tag}");
        }
    }

    #[track_caller]
    fn refuses(facts: &TagFacts, tags: &[(&str, &str)]) {
        for (tag, words) in tags {
            let name = format!("x-1.0-{tag}.whl");
            let error = InterpreterTags::new(facts.clone()).check(&name).unwrap_err();
            assert_eq!(&error.made_for, words, "{tag}");
        }
    }

    #[test]
    fn linux_with_glibc() {
        let python = linux((3, 11));
        takes(
            &python,
            &[
                "py3-none-any",
                "py2.py3-none-any",
                "py311-none-any",
                "cp311-cp311-linux_x86_64",
                "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
                "cp311-cp311-manylinux1_x86_64",
                "cp38-abi3-manylinux_2_28_x86_64",
                "1a-cp311-none-any",
                "py3-none-manylinux_2_36_x86_64",
                "cp310.cp311-none-any",
            ],
        );
        refuses(
            &python,
            &[
                ("cp312-cp312-win_amd64", "CPython 3.12 on Windows x86_64"),
                ("cp311-cp311-macosx_11_0_arm64", "CPython 3.11 on macOS arm64 (11.0 or newer)"),
                ("cp311-cp311-manylinux_2_39_x86_64", "CPython 3.11 on Linux x86_64 (glibc 2.39 or newer)"),
                ("cp311-cp311-musllinux_1_2_x86_64", "CPython 3.11 on Linux x86_64 (musl 1.2 or newer)"),
                ("cp311-cp311-manylinux2014_aarch64", "CPython 3.11 on Linux aarch64 (glibc 2.17 or newer)"),
                ("cp312-abi3-linux_x86_64", "CPython 3.12 or newer on Linux x86_64"),
                ("cp311-cp311d-linux_x86_64", "CPython 3.11 (debug) on Linux x86_64"),
                ("cp311-cp311t-linux_x86_64", "free-threaded CPython 3.11 on Linux x86_64"),
                ("py2-none-any", "Python 2"),
                ("pp310.pp311-pypy310_pp73-any", "PyPy 3.10 or PyPy 3.11 (pypy310_pp73)"),
                ("py3-none-win32.win_amd64", "Python 3 on Windows x86 or Windows x86_64"),
                ("odd-none-any", "odd"),
                ("py3-none-plan9_mips", "Python 3 on plan9_mips"),
            ],
        );
        let error = InterpreterTags::new(python).check("x-1.0-cp312-cp312-win_amd64.whl").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`x-1.0-cp312-cp312-win_amd64.whl` is for CPython 3.12 on Windows x86_64; this is CPython 3.11 on Linux \
             x86_64 (glibc 2.36)"
        );
    }

    #[test]
    fn other_interpreters() {
        let free_threaded = TagFacts { free_threaded: true, ..linux((3, 13)) };
        takes(&free_threaded, &["cp313-cp313t-linux_x86_64", "py3-none-any", "cp313-none-any"]);
        refuses(
            &free_threaded,
            &[
                ("cp313-cp313-linux_x86_64", "CPython 3.13 on Linux x86_64"),
                ("cp38-abi3-linux_x86_64", "CPython 3.8 or newer on Linux x86_64"),
            ],
        );
        let debug = TagFacts { debug: true, ..linux((3, 12)) };
        takes(&debug, &["cp312-cp312d-linux_x86_64", "cp312-cp312-linux_x86_64"]);
        let musl = TagFacts { system: Some(TagSystem::Musl(1, 2)), ..linux((3, 12)) };
        takes(&musl, &["cp312-cp312-musllinux_1_1_x86_64"]);
        refuses(
            &musl,
            &[("cp312-cp312-manylinux1_x86_64", "CPython 3.12 on Linux x86_64 (glibc 2.5 or newer)")],
        );
        let narrow = TagFacts { pointer_width: 32, ..linux((3, 12)) };
        takes(&narrow, &["cp312-cp312-manylinux1_i686"]);
        let mac =
            TagFacts { system: Some(TagSystem::Macos(14, 2)), machine: "arm64".to_owned(), ..linux((3, 12)) };
        takes(&mac, &["cp312-cp312-macosx_11_0_arm64", "cp312-cp312-macosx_10_9_universal2"]);
        refuses(&mac, &[("cp312-cp312-macosx_15_0_arm64", "CPython 3.12 on macOS arm64 (15.0 or newer)")]);
        assert_eq!(tag_words::interpreter(&mac), "CPython 3.12 on macOS 14.2 arm64");
        let pypy = TagFacts {
            implementation: "pypy".to_owned(),
            implementation_label: "PyPy".to_owned(),
            implementation_version: (7, 3),
            ..linux((3, 10))
        };
        takes(&pypy, &["pp310-pypy310_pp73-manylinux_2_17_x86_64", "py3-none-any"]);
        let unknown = TagFacts { system: None, ..linux((3, 12)) };
        takes(&unknown, &["cp312-cp312-win_amd64"]);
    }

    #[test]
    fn what_is_no_name_of_a_wheel_is_not_judged_here() {
        let tags = InterpreterTags::new(linux((3, 11)));
        assert_eq!(tags.check(""), Ok(()));
        assert_eq!(tags.check("x.tar.gz"), Ok(()));
    }
}
