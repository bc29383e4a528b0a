//! By what a request is recognised when it comes again: everything that changes its answer, and nothing else.
//!
//! How a server is reached (a timeout, a proxy, a certificate) decides whether there is an answer, not which one.

use std::path::Path;

use serde::Serialize;
use virtpy_resolver::IndexSettings;

use virtpy_files::digest::{hex, sha256};
use virtpy_interpreters::Interpreter;
use virtpy_store::VenvId;

/// The number of this form of keys. Whoever changes a field, or what an answer is made of, takes the next one.
const FORMAT: u32 = 1;

/// A request with all that decides about its answer.
#[derive(Serialize)]
pub(crate) struct RequestKey<'a, R: Serialize> {
    format: u32,
    python: Option<PythonKey<'a>>,
    index: IndexKey<'a>,
    request: R,
}

/// What of an interpreter decides.
#[derive(Serialize)]
struct PythonKey<'a> {
    executable: &'a Path,
    version: String,
    platform: &'a str,
}

/// What of the indexes' settings decides.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a setting of its own")]
struct IndexKey<'a> {
    index_url: Option<&'a str>,
    extra_index_urls: &'a [String],
    find_links: &'a [String],
    no_index: bool,
    best_match: bool,
    no_binary: &'a [String],
    only_binary: &'a [String],
    prerelease: bool,
    require_hashes: bool,
    exclude_newer: Option<&'a str>,
}

impl<'a, R: Serialize> RequestKey<'a, R> {
    /// The key of a request that these settings are asked about, for an interpreter if it is known.
    pub(crate) fn new(interpreter: Option<&'a Interpreter>, settings: &'a IndexSettings, request: R) -> Self {
        let python = interpreter.map(|one| PythonKey {
            executable: &one.executable,
            version: one.version.to_string(),
            platform: &one.platform,
        });
        let index = IndexKey {
            index_url: settings.index_url.as_deref(),
            extra_index_urls: &settings.extra_index_urls,
            find_links: &settings.find_links,
            no_index: settings.no_index,
            best_match: settings.best_match,
            no_binary: &settings.no_binary,
            only_binary: &settings.only_binary,
            prerelease: settings.prerelease,
            require_hashes: settings.require_hashes,
            exclude_newer: settings.exclude_newer.as_deref(),
        };
        Self { format: FORMAT, python, index, request }
    }

    /// The key as a text.
    pub(crate) fn text(&self) -> String {
        // A path that is not UTF-8 cannot be written down: then the key is nobody else's, and nothing is recognised by it.
        serde_json::to_string(self).unwrap_or_else(|_| VenvId::random().to_string())
    }

    /// What stands for it among remembered answers.
    pub(crate) fn digest(&self) -> String {
        hex(&sha256(self.text().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn digest(settings: &IndexSettings, request: &[&str]) -> String {
        RequestKey::new(None, settings, request).digest()
    }

    #[test]
    fn what_decides_is_told_apart() {
        let settings = IndexSettings::default();
        let first = digest(&settings, &["a", "b"]);
        assert_eq!(digest(&settings, &["a", "b"]), first);
        assert_ne!(digest(&settings, &["a b"]), first);
        assert_ne!(digest(&IndexSettings { no_index: true, ..settings.clone() }, &["a", "b"]), first);
        let other = IndexSettings { only_binary: vec!["a".to_owned()], ..settings };
        assert_ne!(digest(&other, &["a", "b"]), first);
    }

    #[test]
    fn what_cannot_be_written_down_is_like_nothing_else() {
        use std::os::unix::ffi::OsStrExt as _;
        let settings = IndexSettings::default();
        let path = Path::new(std::ffi::OsStr::from_bytes(b"\xff"));
        let key = || RequestKey::new(None, &settings, path).digest();
        assert_ne!(key(), key());
    }

    #[test]
    fn how_a_server_is_reached_changes_no_answer() {
        let settings = IndexSettings::default();
        let other = IndexSettings {
            offline: true,
            timeout: Duration::from_secs(1),
            retries: 7,
            proxy: Some("http://proxy.example".to_owned()),
            min_speed: 1,
            ..settings.clone()
        };
        assert_eq!(digest(&settings, &[]), digest(&other, &[]));
    }
}
