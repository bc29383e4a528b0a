//! The names of the archives of python-build-standalone, which tell what is in them:
//! `cpython-3.14.0rc1+20250808-x86_64-unknown-linux-gnu-freethreaded-install_only_stripped.tar.gz`.

use crate::PythonVersion;

/// How an archive is packed and what is left out of it, the most wanted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flavour {
    /// What is needed to run, without debugging symbols.
    Stripped,
    /// What is needed to run.
    InstallOnly,
    /// Everything, with the objects that it was linked from.
    Full,
}

/// What an archive's name tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asset {
    pub(super) version: PythonVersion,
    /// The date of the build.
    pub(super) build: String,
    pub(super) triple: String,
    pub(super) free_threaded: bool,
    /// Whether it is built as releases are: not for debugging, not without optimisations.
    pub(super) is_ordinary: bool,
    pub(super) flavour: Flavour,
}

/// The endings of names, with what stands for what.
const ENDINGS: [(&str, Flavour); 5] = [
    ("-install_only_stripped.tar.gz", Flavour::Stripped),
    ("-install_only_stripped.tar.zst", Flavour::Stripped),
    ("-install_only.tar.gz", Flavour::InstallOnly),
    ("-install_only.tar.zst", Flavour::InstallOnly),
    ("-full.tar.zst", Flavour::Full),
];

impl Asset {
    /// Reads the name at the end of a URL or a path. Returns `None` for a name of another kind.
    pub(super) fn of(location: &str) -> Option<Self> {
        let end = location.find(['?', '#']).unwrap_or(location.len());
        let file = location[..end].rsplit('/').next()?.replace("%2B", "+").replace("%2b", "+");
        let (version, rest) = file.strip_prefix("cpython-")?.split_once('+')?;
        let (build, rest) = rest.split_once('-')?;
        let (rest, flavour) =
            ENDINGS.iter().find_map(|(end, kind)| Some((rest.strip_suffix(end)?, *kind)))?;
        let is_date = build.len() == 8 && build.bytes().all(|byte| byte.is_ascii_digit());
        let (triple, options) = split_triple(rest)?;
        let options: Vec<&str> = options.split(['+', '-']).filter(|option| !option.is_empty()).collect();
        is_date.then_some(())?;
        Some(Self {
            version: version.parse().ok()?,
            build: build.to_owned(),
            triple: triple.to_owned(),
            free_threaded: options.contains(&"freethreaded"),
            is_ordinary: options
                .iter()
                .all(|option| matches!(*option, "freethreaded" | "pgo" | "lto" | "static")),
            flavour,
        })
    }
}

/// What a build of `CPython` is asked for by.
pub(super) fn name(version: &PythonVersion, free_threaded: bool) -> String {
    format!("{version}{}", if free_threaded { "t" } else { "" })
}

/// Splits off a target triple, which has three or four parts.
fn split_triple(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.split('-');
    let (architecture, vendor, system) = (parts.next()?, parts.next()?, parts.next()?);
    let mut length = architecture.len() + vendor.len() + system.len() + 2;
    match system {
        "darwin" => {}
        "linux" | "windows" => length += parts.next()?.len() + 1,
        _ => return None,
    }
    Some((&text[..length], text[length..].trim_start_matches('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_is_inside() {
        let read = |file: &str| {
            let asset = Asset::of(file).unwrap_or_else(|| panic!("{file}"));
            let ordinary = if asset.is_ordinary { "" } else { " odd" };
            format!(
                "{} {} {} {:?}{ordinary}",
                name(&asset.version, asset.free_threaded),
                asset.build,
                asset.triple,
                asset.flavour
            )
        };
        let cases = [
            (
                "https://x.example/d/20261021/cpython-3.15.1%2B20261021-x86_64-unknown-linux-gnu-freethreaded-install_only_stripped.tar.gz?x=1",
                "3.15.1t 20261021 x86_64-unknown-linux-gnu Stripped",
            ),
            (
                "/srv/cpython-3.14.0rc1+20250808-aarch64-apple-darwin-install_only.tar.gz",
                "3.14.0rc1 20250808 aarch64-apple-darwin InstallOnly",
            ),
            (
                "cpython-3.12.1+20240107-x86_64_v3-unknown-linux-musl-install_only.tar.zst",
                "3.12.1 20240107 x86_64_v3-unknown-linux-musl InstallOnly",
            ),
            (
                "cpython-3.13.1+20250115-x86_64-unknown-linux-gnu-freethreaded+pgo+lto-full.tar.zst",
                "3.13.1t 20250115 x86_64-unknown-linux-gnu Full",
            ),
            (
                "cpython-3.13.1+20250115-armv7-unknown-linux-gnueabihf-debug-full.tar.zst",
                "3.13.1 20250115 armv7-unknown-linux-gnueabihf Full odd",
            ),
            (
                "cpython-3.12.1+20240107-x86_64-pc-windows-msvc-shared-install_only.tar.gz",
                "3.12.1 20240107 x86_64-pc-windows-msvc InstallOnly odd",
            ),
        ];
        for (name, expected) in cases {
            assert_eq!(read(name), expected);
        }
    }

    #[test]
    fn other_names_tell_nothing() {
        for name in [
            "",
            "SHA256SUMS",
            "python-3.12.tar.gz",
            "cpython-3.12.1-x86_64-unknown-linux-gnu-install_only.tar.gz",
            "cpython-3.12.1+20240107-x86_64-unknown-linux-gnu-install_only.tar.gz.sha256",
            "cpython-3.12.1+2024-x86_64-unknown-linux-gnu-install_only.tar.gz",
            "cpython-3.12.x+20240107-x86_64-unknown-linux-gnu-install_only.tar.gz",
            "cpython-3.12.1+20240107-x86_64-install_only.tar.gz",
            "pypy-3.12.1+20240107-x86_64-unknown-linux-gnu-install_only.tar.gz",
        ] {
            assert_eq!(Asset::of(name), None, "{name}");
        }
    }
}
