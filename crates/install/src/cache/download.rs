//! Scripts that come from URLs: kept in the cache, where they are found again without a connection.

use std::path::PathBuf;

use crate::resolve::ResolveError;
use crate::scripts::LARGEST_SCRIPT;
use crate::{Host, IndexOptions, Result, cache, transfer};
use virtpy_files as fs;
use virtpy_store::Store;

impl Host {
    /// Fetches a script, and returns where it is kept and what it says. What was fetched before is taken where no connection may
    /// be made.
    ///
    /// # Errors
    /// When it cannot be fetched, or is too large.
    pub fn download_script(&self, url: &str, index: &IndexOptions) -> Result<(PathBuf, Vec<u8>)> {
        let folder = cache::downloads(self).join(Store::digest_of(url));
        let path = folder.join(file_name(url));
        let settings = self.index_settings(index)?;
        if settings.offline
            && let Ok(source) = fs::read(&path)
        {
            return Ok((path, source));
        }
        let source = transfer(&settings).text(url, LARGEST_SCRIPT).map_err(ResolveError::from)?;
        // Its time says when it was used last.
        if !cache::is_young(&folder) || !fs::read(&path).is_ok_and(|known| known == source) {
            fs::create_dir_all(&folder)?;
            fs::write_atomic(&path, &source)?;
        }
        Ok((path, source))
    }
}

/// A file name for what is behind a URL: its own, if that is harmless.
fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_harmless = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'))
        && name.len() < 100
        && path.matches('/').count() > 2;
    if is_harmless { name.to_owned() } else { "script.py".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_a_harmless_name() {
        for (url, name) in [
            ("https://h.example/a/tool.py?raw=1#x", "tool.py"),
            ("https://h.example/.profile", "script.py"),
            ("https://h.example/a%2Fb.py", "script.py"),
            ("https://h.example/", "script.py"),
            ("https://h.example", "script.py"),
        ] {
            assert_eq!(file_name(url), name, "{url}");
        }
    }
}
