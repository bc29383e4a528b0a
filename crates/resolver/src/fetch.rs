//! Fetches a wheel again whose origin and hash are known, without resolving anything.

use std::path::{Path, PathBuf};

use uv_distribution_types::HashPolicy;
use uv_redacted::DisplaySafeUrl;
use uv_requirements::RequirementsSpecification;
use uv_types::HashStrategy;

use crate::client::ClientFactory;
use crate::context::Context;
use crate::download::{self, Expected};
use crate::error::Error;
use crate::hashing::sha256_digest;
use crate::public::public;
use crate::request::{KnownWheel, ObtainedWheel, Options};
use crate::runtime::Runtime;
use crate::settings::IndexSettings;
use crate::url::local_path;
use crate::{indexes, resolve};

/// See [`Session::fetch`](crate::Session::fetch).
pub(crate) async fn fetch(
    runtime: &Runtime,
    network: &ClientFactory,
    settings: &IndexSettings,
    wheel: &KnownWheel,
    folder: &Path,
) -> Result<Option<ObtainedWheel>, Error> {
    // What was built from source has its source for an origin.
    let file = wheel.origin.split(['?', '#']).next().unwrap_or_default();
    if Path::new(file).extension().is_none_or(|extension| extension != "whl") {
        return Ok(None);
    }
    let digests = [sha256_digest(wheel.sha256.into())];
    let demanded = HashPolicy::All(&digests);
    let expected = Expected { label: &wheel.filename, listed: &[], demanded, size: None };
    let url = match DisplaySafeUrl::parse(&wheel.origin) {
        Ok(url) if local_path(&url).is_none() => url,
        Ok(url) => return local(&local_path(&url).unwrap_or_default(), wheel, &expected).await.map(Some),
        Err(_) => return local(Path::new(&wheel.origin), wheel, &expected).await.map(Some),
    };
    let none = RequirementsSpecification::default();
    let options = Options::default();
    // The indexes are only named for their credentials.
    let indexes = indexes::locations(settings, &none, &options.folder(), &mut Vec::new())?;
    let choices = resolve::choices(settings, &options, &[])?;
    let context = Context::new(runtime, network, indexes, HashStrategy::None, choices).await?;
    let path = folder.join(&wheel.filename);
    let fetched = download::fetch(&context.client, &url, &path, &expected, &|_| {}).await?;
    Ok(Some(ObtainedWheel {
        path,
        filename: wheel.filename.clone(),
        sha256: fetched.sha256.into(),
        size: fetched.size,
        origin: public(&url),
        temporary: true,
        archive_sha256: None,
    }))
}

async fn local(path: &Path, wheel: &KnownWheel, expected: &Expected<'_>) -> Result<ObtainedWheel, Error> {
    let checked = download::check_local(path, expected).await?;
    Ok(ObtainedWheel {
        path: PathBuf::from(path),
        filename: wheel.filename.clone(),
        sha256: checked.sha256.into(),
        size: checked.size,
        origin: path.display().to_string(),
        temporary: false,
        archive_sha256: None,
    })
}
