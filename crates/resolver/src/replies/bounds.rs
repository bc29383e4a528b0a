//! How much of a reply is taken, and how slowly it may come.

use std::time::{Duration, Instant};
use virtpy_pep::index_page::InvalidPage;

use futures::TryStreamExt;
use reqwest::Response;
use reqwest::header::CONTENT_LENGTH;
use uv_client::WrappedReqwestError;

use crate::settings::IndexSettings;

/// Of an answer that says that something failed, so much is read.
const OF_FAILURES: usize = 64 * 1024;

/// What is wrong with a reply, so that none of it is used.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum BadReply {
    #[error("it has more than {limit} bytes, the most that is taken (the setting `{setting}`)")]
    TooLarge { limit: u64, setting: &'static str },
    #[error(
        "too slow: {bytes} bytes came in {seconds} seconds, and fewer than {speed} a second are not waited for \
         (the setting `index.min-speed`)"
    )]
    TooSlow { bytes: u64, seconds: u64, speed: u64 },
    #[error("it is compressed as `{0}`, which was not asked for")]
    Encoding(String),
    #[error("it is not compressed as it says: {0}")]
    Compression(String),
    #[error(transparent)]
    Page(#[from] InvalidPage),
    #[error("the metadata is not what the index announces: expected {expected}, but got {computed}")]
    Metadata {
        /// The file that it is of.
        file: String,
        expected: String,
        computed: String,
    },
}

impl BadReply {
    /// Looks for one among the causes of an error.
    pub(crate) fn among<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            // These two hide what they wrap: its causes begin after it.
            if let Some(wrapped) = error.downcast_ref::<WrappedReqwestError>() {
                next = Some(&**wrapped);
                continue;
            }
            if let Some(reqwest_middleware::Error::Middleware(inner)) = error.downcast_ref() {
                next = Some(inner.as_ref());
                continue;
            }
            next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
                Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
                None => error.source(),
            };
        }
        None
    }

    /// Whether another attempt may go better.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::TooSlow { .. })
    }
}

/// Why a reply could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    #[error(transparent)]
    Broken(#[from] reqwest::Error),
    #[error(transparent)]
    Bad(#[from] BadReply),
}

impl From<Unread> for reqwest_middleware::Error {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Broken(error) => Self::Reqwest(error),
            Unread::Bad(bad) => Self::Middleware(bad.into()),
        }
    }
}

/// The bounds of replies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    page: u64,
    file: u64,
    /// So many bytes a second have to come, in each span of `window`.
    speed: u64,
    window: Duration,
}

impl Bounds {
    pub(crate) fn new(settings: &IndexSettings) -> Self {
        Self {
            page: settings.max_page_size,
            file: settings.max_file_size,
            speed: settings.min_speed,
            window: settings.timeout,
        }
    }

    /// Of a text that is used whole.
    pub(super) fn text_limit(self) -> Limit {
        Limit { bytes: self.page, setting: "index.max-page-size" }
    }

    fn file_limit(self) -> Limit {
        Limit { bytes: self.file, setting: "index.max-file-size" }
    }

    /// The whole body of a page or another text, as it came.
    pub(super) async fn whole(self, response: Response) -> Result<Vec<u8>, Unread> {
        let limit = self.text_limit();
        limit.check(announced(&response).unwrap_or_default())?;
        let mut pace = Pace::new(self);
        let mut stream = response.bytes_stream();
        let mut content = Vec::new();
        loop {
            let asked_at = Instant::now();
            let Some(chunk) = stream.try_next().await? else { return Ok(content) };
            pace.add(asked_at.elapsed(), chunk.len())?;
            limit.check(content.len() as u64 + chunk.len() as u64)?;
            content.extend_from_slice(&chunk);
        }
    }

    /// The beginning of the body of an answer that says that something failed; the status counts, not the text.
    pub(super) async fn beginning(self, response: Response) -> Vec<u8> {
        let mut pace = Pace::new(self);
        let mut stream = response.bytes_stream();
        let mut content = Vec::new();
        let mut asked_at = Instant::now();
        while let Ok(Some(chunk)) = stream.try_next().await {
            content.extend_from_slice(&chunk);
            if content.len() >= OF_FAILURES || pace.add(asked_at.elapsed(), chunk.len()).is_err() {
                content.truncate(OF_FAILURES);
                break;
            }
            asked_at = Instant::now();
        }
        content
    }

    /// The body of a file, which ends with an error where it goes beyond the bounds.
    ///
    /// # Errors
    ///
    /// When it announces that it will.
    pub(super) fn streamed(self, response: Response) -> Result<reqwest::Body, BadReply> {
        let limit = self.file_limit();
        limit.check(announced(&response).unwrap_or_default())?;
        let start = (Box::pin(response.bytes_stream()), Pace::new(self), 0_u64);
        let bounded =
            futures::stream::try_unfold(start, move |(mut stream, mut pace, mut size)| async move {
                // Only waiting for the server counts, not what its bytes are waited for with.
                let asked_at = Instant::now();
                let Some(chunk) = stream.try_next().await? else { return Ok::<_, Unread>(None) };
                pace.add(asked_at.elapsed(), chunk.len())?;
                size += chunk.len() as u64;
                limit.check(size)?;
                Ok(Some((chunk, (stream, pace, size))))
            });
        Ok(reqwest::Body::wrap_stream(bounded.map_err(
            |unread| -> Box<dyn std::error::Error + Send + Sync> {
                match unread {
                    Unread::Broken(error) => Box::new(error),
                    Unread::Bad(bad) => Box::new(bad),
                }
            },
        )))
    }
}

/// The size that a reply announces. Its body may be wrapped, so the header is asked.
pub(crate) fn announced(response: &Response) -> Option<u64> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The most bytes that are taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) bytes: u64,
    setting: &'static str,
}

impl Limit {
    pub(super) fn check(self, size: u64) -> Result<(), BadReply> {
        if size <= self.bytes {
            return Ok(());
        }
        Err(BadReply::TooLarge { limit: self.bytes, setting: self.setting })
    }
}

/// How fast a body comes.
struct Pace {
    speed: u64,
    window: Duration,
    waited: Duration,
    came: u64,
}

impl Pace {
    fn new(bounds: Bounds) -> Self {
        Self { speed: bounds.speed, window: bounds.window, waited: Duration::ZERO, came: 0 }
    }

    /// Takes note of bytes that were waited for.
    fn add(&mut self, waited: Duration, bytes: usize) -> Result<(), BadReply> {
        self.waited += waited;
        self.came += bytes as u64;
        if self.waited < self.window || self.window.is_zero() {
            return Ok(());
        }
        let seconds = self.waited.as_secs().max(1);
        if self.came < self.speed.saturating_mul(seconds) {
            return Err(BadReply::TooSlow { bytes: self.came, seconds, speed: self.speed });
        }
        (self.waited, self.came) = (Duration::ZERO, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_drips_is_too_slow() {
        let window = Duration::from_secs(5);
        let mut pace = Pace { speed: 100, window, waited: Duration::ZERO, came: 0 };
        for _ in 0..20 {
            pace.add(Duration::from_secs(1), 1000).unwrap();
        }
        let mut pace = Pace { speed: 100, window, waited: Duration::ZERO, came: 0 };
        let slow = (0..5).find_map(|_| pace.add(Duration::from_secs(1), 1).err()).unwrap();
        assert!(
            slow.is_passing() && slow.to_string().starts_with("too slow: 5 bytes came in 5 seconds"),
            "{slow}"
        );
    }

    #[test]
    fn a_bad_reply_is_found_behind_others() {
        let bad = BadReply::Encoding("zstd".to_owned());
        let wrapped = std::io::Error::other(std::io::Error::other(bad));
        assert!(matches!(BadReply::among(&wrapped), Some(BadReply::Encoding(_))));
        assert!(BadReply::among(&std::io::Error::other("something else")).is_none());
    }
}
