//! What servers answer, before anything else sees it: bounded in size and speed, unpacked here (so that the bounds count what it
//! unpacks to), pages put right, metadata compared with its hash.

mod bounds;

use std::io::Read as _;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue,
    RANGE,
};
use reqwest::{Method, Request, Response, ResponseBuilderExt, Url};

use crate::hashing::Hashing;
pub(crate) use bounds::{BadReply, Bounds, announced};
use uv_redacted::DisplaySafeUrl;
use virtpy_pep::{index_page, may_hold_secret};

/// So many notes of one page are kept.
const NOTES: usize = 20;

const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";
const SIMPLE_HTML: &str = "application/vnd.pypi.simple.v1+html";

/// What was passed over in pages, for who wants to know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, notes: Vec<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(notes.into_iter().take(NOTES));
    }

    /// All of them, each once.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut notes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        notes.sort();
        notes.dedup();
        notes
    }
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A page of an index.
    Page,
    /// A page of links.
    Links,
    /// Another text that is used whole: metadata, a requirements file.
    Text,
    /// A file, which may be large, byte by byte as it is; or a part of one.
    File,
}

impl Kind {
    /// Finds out what a request is for, and says to the server how the answer may be compressed.
    pub(crate) fn of(request: &mut Request) -> Self {
        let headers = request.headers_mut();
        let value = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let kind = if value(ACCEPT_ENCODING) == Some("identity") || headers.contains_key(RANGE) {
            return Self::File;
        } else {
            match value(ACCEPT) {
                Some(accept) if accept.contains("application/vnd.pypi.simple") => Self::Page,
                Some("text/html") => Self::Links,
                _ => Self::Text,
            }
        };
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        kind
    }
}

/// A request whose reply is to be taken in.
pub(crate) struct Asked<'a> {
    pub(crate) kind: Kind,
    pub(crate) method: Method,
    /// The whole address, with its fragment.
    pub(crate) url: &'a Url,
    /// The last part of the address before redirects: of a page, the project's name.
    pub(crate) name: String,
}

/// Takes replies in.
#[derive(Debug, Clone)]
pub(crate) struct Replies {
    bounds: Bounds,
    pub(crate) notes: Notes,
}

impl Replies {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, notes: Notes::default() }
    }

    /// Takes the reply to a request in.
    ///
    /// # Errors
    ///
    /// When the connection breaks, and for a [`BadReply`].
    pub(crate) async fn take(
        &self,
        asked: Asked<'_>,
        response: Response,
    ) -> reqwest_middleware::Result<Response> {
        let mut response = response;
        if may_hold_secret(&DisplaySafeUrl::from_url(asked.url.clone())) {
            keep_out_of_cache(response.headers_mut());
        }
        if asked.method == Method::HEAD || response.status().is_redirection() {
            return Ok(response);
        }
        let head = Head::of(&response);
        if !response.status().is_success() {
            let beginning = self.bounds.beginning(response).await;
            return Ok(head.with(beginning));
        }
        if asked.kind == Kind::File {
            let body = self.bounds.streamed(response).map_err(anyhow::Error::new)?;
            return Ok(head.with(body));
        }
        let body = self.bounds.whole(response).await?;
        if asked.kind == Kind::Text {
            let (head, body) = self.unpacked(head, body).map_err(anyhow::Error::new)?;
            check_metadata(asked.url, &body).await.map_err(anyhow::Error::new)?;
            return Ok(head.with(body));
        }
        // Pages can be long, and many come at once: whoever waits for the network does not wait for them, too.
        let (replies, Asked { kind, name, .. }) = (self.clone(), asked);
        let mended = tokio::task::spawn_blocking(move || {
            let (head, body) = replies.unpacked(head, body)?;
            replies.mended(kind, &name, head, body)
        });
        match mended.await {
            Ok(mended) => mended.map_err(|bad| anyhow::Error::new(bad).into()),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(stopped) => Err(anyhow::Error::new(stopped).into()),
            },
        }
    }

    /// Undoes the compression.
    fn unpacked(&self, mut head: Head, body: Vec<u8>) -> Result<(Head, Vec<u8>), BadReply> {
        head.headers.remove(CONTENT_LENGTH);
        let Some(encoding) = head.headers.remove(CONTENT_ENCODING) else { return Ok((head, body)) };
        match encoding.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "identity" | "" => Ok((head, body)),
            "gzip" | "x-gzip" => {
                let limit = self.bounds.text_limit();
                let mut unpacked = Vec::new();
                MultiGzDecoder::new(body.as_slice())
                    .take(limit.bytes.saturating_add(1))
                    .read_to_end(&mut unpacked)
                    .map_err(|error| BadReply::Compression(error.to_string()))?;
                limit.check(unpacked.len() as u64)?;
                Ok((head, unpacked))
            }
            other => Err(BadReply::Encoding(other.to_owned())),
        }
    }

    /// Writes a page again, if it is one.
    fn mended(&self, kind: Kind, name: &str, mut head: Head, body: Vec<u8>) -> Result<Response, BadReply> {
        let media = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|media| media.split(';').next()).unwrap_or_default().trim();
        let text;
        let mut page = match media {
            SIMPLE_JSON => index_page::read_json(&body, &head.url)?,
            SIMPLE_HTML | "text/html" => {
                text = String::from_utf8_lossy(&body);
                index_page::read_html(&text, &head.url)?
            }
            // The library above says that it knows no such thing.
            _ => return Ok(head.with(body)),
        };
        if kind == Kind::Page {
            page.keep_only(name, &head.url);
        }
        let written = if kind == Kind::Page {
            head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(SIMPLE_JSON));
            page.json()
        } else {
            head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            page.html()
        };
        if page.may_hold_secret() {
            keep_out_of_cache(&mut head.headers);
        }
        self.notes.add(page.notes);
        Ok(head.with(written))
    }
}

/// Says that a reply is not to be stored: the cache keeps whole addresses, and one of this reply proves something to a server.
fn keep_out_of_cache(headers: &mut http::HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// All of a reply but its body.
struct Head {
    status: reqwest::StatusCode,
    version: reqwest::Version,
    headers: http::HeaderMap,
    url: Url,
}

impl Head {
    fn of(response: &Response) -> Self {
        Self {
            status: response.status(),
            version: response.version(),
            headers: response.headers().clone(),
            url: response.url().clone(),
        }
    }

    fn with(self, body: impl Into<reqwest::Body>) -> Response {
        let mut response = http::Response::new(body);
        *response.status_mut() = self.status;
        *response.version_mut() = self.version;
        *response.headers_mut() = self.headers;
        let (mut parts, body) = response.into_parts();
        // The one way to say it is on a builder.
        if let Ok(located) = http::Response::builder().url(self.url).body(()) {
            parts.extensions = located.into_parts().0.extensions;
        }
        Response::from(http::Response::from_parts(parts, body))
    }
}

/// Compares metadata with the hash that the page of its index gave.
async fn check_metadata(asked: &Url, body: &[u8]) -> Result<(), BadReply> {
    let expected = index_page::metadata_hashes(asked);
    if expected.is_empty() {
        return Ok(());
    }
    let mut hashing = Hashing::new(expected.iter().map(|hash| hash.algorithm));
    let hashed = hashing.update(body).await;
    hashed.map_err(|error| BadReply::Compression(error.to_string()))?;
    let computed = hashing.finish().all;
    if expected.iter().all(|hash| computed.contains(hash)) {
        return Ok(());
    }
    let join = |hashes: &[uv_pypi_types::HashDigest]| {
        hashes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let file = asked.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    Err(BadReply::Metadata { file: file.to_owned(), expected: join(&expected), computed: join(&computed) })
}
