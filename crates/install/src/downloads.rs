//! The network for what is no package: interpreters, their indexes, scripts. It goes the way of the packages' indexes, with
//! the same certificates, proxies, credentials and retries.

use std::io::Read;
use std::path::Path;

use virtpy_interpreters::available::location::Progress;
use virtpy_interpreters::available::{AvailableError, Fetch, FetchError, FetchProblem, Transferred};
use virtpy_pep::Sha256Digest;
use virtpy_resolver::{Error, IndexSettings, Transfer};

/// How servers see the program.
pub(crate) const USER_AGENT: &str = concat!("virtpy/", env!("CARGO_PKG_VERSION"));

/// Downloads with the settings of the package indexes.
pub struct Downloads(Transfer);

impl Downloads {
    /// Costs nothing until something is fetched.
    pub fn new(settings: &IndexSettings) -> Self {
        Self(Transfer::new(settings, USER_AGENT))
    }
}

impl Fetch for Downloads {
    fn text(&self, url: &str, limit: u64) -> Result<Vec<u8>, AvailableError> {
        self.0.text(url, limit).map_err(failed)
    }

    fn file(
        &self,
        url: &str,
        target: &Path,
        sha256: Option<Sha256Digest>,
        progress: Progress<'_>,
    ) -> Result<Transferred, AvailableError> {
        self.0.file(url, target, sha256, progress).map(transferred).map_err(failed)
    }

    fn stream(
        &self,
        url: &str,
        sha256: Sha256Digest,
        progress: Progress<'_>,
        work: &mut dyn FnMut(&mut (dyn Read + Send)),
    ) -> Result<Transferred, AvailableError> {
        let streamed = self.0.stream(url, sha256, progress, |body| work(body));
        streamed.map(|((), done)| transferred(done)).map_err(failed)
    }
}

fn transferred(virtpy_resolver::Transferred { sha256, size }: virtpy_resolver::Transferred) -> Transferred {
    Transferred { sha256, size }
}

/// The facade's hints speak of package indexes; those of [`FetchError`] speak of interpreters.
fn failed(error: Error) -> AvailableError {
    let kind = match &error {
        Error::Network { status: Some(401 | 403), .. } => FetchProblem::Unauthorized,
        Error::Network { status: Some(404), .. } => FetchProblem::NotFound,
        Error::Network { .. } => FetchProblem::Network,
        Error::Offline { .. } => FetchProblem::Offline,
        Error::Hash { .. } => FetchProblem::Hash,
        Error::Transfer { .. } => FetchProblem::Broken,
        _ => FetchProblem::Other,
    };
    FetchError { kind, hint: error.hint(), source: Box::new(error) }.into()
}
