//! A network for tests that is none.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use virtpy_pep::Sha256Digest;

use super::location::Progress;
use super::{AvailableError, Fetch, Transferred};

/// Has texts at addresses, and counts how often it is asked.
#[derive(Default)]
pub(super) struct Server {
    texts: Mutex<BTreeMap<String, String>>,
    requested: Mutex<usize>,
}

impl Server {
    pub(super) fn serve(&self, url: &str, text: &str) {
        self.texts.lock().unwrap().insert(url.to_owned(), text.to_owned());
    }

    pub(super) fn remove(&self, url: &str) {
        self.texts.lock().unwrap().remove(url);
    }

    pub(super) fn requests(&self) -> usize {
        *self.requested.lock().unwrap()
    }
}

impl Fetch for Server {
    fn text(&self, url: &str, limit: u64) -> Result<Vec<u8>, AvailableError> {
        *self.requested.lock().unwrap() += 1;
        let texts = self.texts.lock().unwrap();
        let text = texts.get(url).filter(|text| text.len() as u64 <= limit);
        text.map(|text| text.clone().into_bytes()).ok_or_else(|| AvailableError::Location {
            location: url.to_owned(),
            reason: "the test has nothing there".to_owned(),
        })
    }

    fn file(
        &self,
        url: &str,
        _target: &Path,
        _sha256: Option<Sha256Digest>,
        _progress: Progress<'_>,
    ) -> Result<Transferred, AvailableError> {
        panic!("the test downloads {url}")
    }

    fn stream(
        &self,
        url: &str,
        _sha256: Sha256Digest,
        _progress: Progress<'_>,
        _work: &mut dyn FnMut(&mut (dyn Read + Send)),
    ) -> Result<Transferred, AvailableError> {
        panic!("the test downloads {url}")
    }
}
