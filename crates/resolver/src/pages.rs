//! Which pages of an index an answer depends on, and until when the index lets them be believed.
//!
//! What an index says of a package may be kept for some minutes (RFC 9111). A resolution that was made of such pages is the
//! same as long as all of them may be believed and none was fetched again, so a caller that remembers it need not ask for it
//! once more. The cache underneath does not tell for how long a page is good: that is seen when the page comes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AGE, CACHE_CONTROL, HeaderMap};
use reqwest::{Request, Response, StatusCode};
use uv_normalize::PackageName;

/// The pages that a resolution depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// The files in the session's cache that hold them, and the folders in which wheels were looked for. What one of them
    /// that changes says may be something else.
    pub files: Vec<PathBuf>,
    /// The moment at which the first of them may no longer be believed.
    pub until: SystemTime,
}

/// Until when the pages that came may be believed, by the last part of their addresses, which is a package's name.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageFreshness(Arc<Mutex<BTreeMap<String, SystemTime>>>);

impl PageFreshness {
    /// Notes an answer, if it is a page.
    pub(crate) fn note(&self, request: &Request, response: &Response, asked_at: SystemTime) {
        let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
        let is_page = accept.is_some_and(|accept| accept.contains("application/vnd.pypi.simple"));
        if !is_page || !matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED) {
            return;
        }
        let mut parts = request.url().path_segments().into_iter().flatten();
        let name = parts.rfind(|part| !part.is_empty());
        let until = lifetime(response.headers()).and_then(|lifetime| asked_at.checked_add(lifetime));
        if let (Some(name), Some(until)) = (name, until) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), until);
        }
    }

    pub(crate) fn get(&self, name: &PackageName) -> Option<SystemTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name.as_str()).copied()
    }
}

/// The longest time that is believed, in seconds: what RFC 9111 makes of numbers that are too large.
const LONGEST: u64 = 1 << 31;

/// For how long an answer may be believed, from when it was asked for; `None` if the index does not say.
fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    let text = |value: &reqwest::header::HeaderValue| value.to_str().map(str::to_ascii_lowercase).ok();
    let mut seconds = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in text(value)?.split(',').map(str::trim) {
            match directive.split_once('=').map_or((directive, ""), |(name, value)| (name, value)) {
                ("no-cache" | "no-store", _) => return None,
                ("max-age", value) => seconds = Some(value.trim_matches('"').parse::<u64>().ok()?),
                _ => {}
            }
        }
    }
    let age = headers.get(AGE).map_or(Some(0), |value| text(value)?.parse::<u64>().ok())?;
    Some(Duration::from_secs(seconds?.min(LONGEST).checked_sub(age)?))
}

/// The packages whose pages a resolution looked at.
#[derive(Debug, Default)]
pub(crate) struct ConsultedPages {
    pub(crate) names: BTreeSet<PackageName>,
    /// Whether one of them has an index of its own.
    pub(crate) has_other_index: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_what_the_index_says() {
        let lifetime_of = |pairs: &[(reqwest::header::HeaderName, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(name, reqwest::header::HeaderValue::from_static(value));
            }
            lifetime(&headers).map(|lifetime| lifetime.as_secs())
        };
        for (control, expected) in [
            ("max-age=600", Some(600)),
            ("public, Max-Age=600, immutable", Some(600)),
            ("max-age=\"30\"", Some(30)),
            ("max-age=0", Some(0)),
            ("no-cache, max-age=600", None),
            ("max-age=600, no-store", None),
            ("max-age=soon", None),
            ("max-age=18446744073709551615", Some(LONGEST)),
            ("public", None),
        ] {
            assert_eq!(lifetime_of(&[(CACHE_CONTROL, control)]), expected, "{control}");
        }
        assert_eq!(lifetime_of(&[]), None);
        assert_eq!(lifetime_of(&[(CACHE_CONTROL, "max-age=600"), (AGE, "250")]), Some(350));
        assert_eq!(lifetime_of(&[(CACHE_CONTROL, "max-age=600"), (AGE, "700")]), None);
        assert_eq!(lifetime_of(&[(CACHE_CONTROL, "max-age=600"), (CACHE_CONTROL, "no-cache")]), None);
    }
}
