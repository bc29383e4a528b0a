//! HTTP: a client that is made when the first request goes out, and not before.
//!
//! Reading a bundle of certificates costs more than a whole resolution from the cache. So the clients that
//! the libraries get have an empty connection pool and one middleware, [`LazyClient`]; it makes the real
//! clients (certificates, proxies, credentials) when a request reaches it. With `--offline` none ever does.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next};
use uv_cache::Cache;
use uv_client::{
    AuthIntegration, BaseClientBuilder, Connectivity, ExtraMiddleware, RedirectPolicy, RegistryClient,
    RegistryClientBuilder,
};
use uv_configuration::{IndexStrategy, KeyringProviderType, TrustedHost};
use uv_distribution_types::IndexLocations;
use uv_preview::Preview;
use uv_redacted::DisplaySafeUrl;

use crate::error::{Cause, Error, REDIRECT_TO_HTTP};
use crate::failure::whole_message;
use crate::pages::PageFreshness;
use crate::public::public;
use crate::replies::{Asked, Bounds, Kind, Replies};
use crate::settings::IndexSettings;

/// How long to wait for a connection at most.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How many redirects are followed for one request. The client above stops after ten, but takes the last one for the answer.
const MAX_REDIRECTS: u32 = 9;

/// Does what the first client would do once in the life of the process. The maps that clients share ask the kernel to be told
/// apart from other processes (membarrier(2)). That takes microseconds while there is one thread, and more than ten
/// milliseconds as soon as there are several: so whoever starts threads that will need clients calls this before.
pub fn prepare() {
    static DONE: Once = Once::new();
    // A builder has such a map.
    DONE.call_once(|| drop(BaseClientBuilder::default()));
}

/// What every client of a session has in common.
#[derive(Debug, Clone)]
pub(crate) struct ClientFactory {
    settings: IndexSettings,
    trusted_hosts: Vec<TrustedHost>,
    user_agent: String,
    cache: Cache,
    /// Until when the pages that came through its clients may be believed.
    pub(crate) arrivals: PageFreshness,
    /// Takes in what servers answer.
    pub(crate) replies: Replies,
}

impl ClientFactory {
    /// Takes the settings over; makes no client yet.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`] when a trusted host is not one.
    pub(crate) fn new(settings: &IndexSettings, user_agent: &str, cache: Cache) -> Result<Self, Error> {
        prepare();
        let trusted_hosts = settings
            .trusted_hosts
            .iter()
            .map(|host| {
                host.parse::<TrustedHost>().map_err(|error| Error::Settings {
                    setting: format!("the trusted host `{host}`"),
                    reason: whole_message(&error),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            settings: settings.clone(),
            trusted_hosts,
            user_agent: user_agent.to_owned(),
            cache,
            arrivals: PageFreshness::default(),
            replies: Replies::new(Bounds::new(settings)),
        })
    }

    /// A client for the given indexes.
    ///
    /// # Errors
    ///
    /// [`Error::Network`] when no client can be made, such as for credentials that cannot be read.
    pub(crate) fn registry(&self, indexes: &IndexLocations) -> Result<RegistryClient, Error> {
        RegistryClientBuilder::new(self.deferred(indexes)?, self.cache.clone())
            .index_locations(indexes.clone())
            .index_strategy(index_strategy(&self.settings))
            .build()
            .map_err(|error| no_client(&error))
    }

    /// The same for clients that look only into the cache.
    pub(crate) fn offline(&self) -> Self {
        Self { settings: IndexSettings { offline: true, ..self.settings.clone() }, ..self.clone() }
    }

    fn deferred(&self, indexes: &IndexLocations) -> Result<BaseClientBuilder<'static>, Error> {
        // Never connects: every request ends in the middleware before it.
        let unconnected = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build()
            .map_err(|error| no_client(&error))?;
        let builder = self.builder();
        let deferred = LazyClient {
            network: self.clone(),
            builder: builder.clone(),
            indexes: indexes.clone(),
            checked: Mutex::new(None),
            unchecked: Mutex::new(None),
            hops: Mutex::default(),
        };
        Ok(builder
            .custom_client(unconnected)
            .auth_integration(AuthIntegration::NoAuthMiddleware)
            .extra_middleware(ExtraMiddleware(vec![Arc::new(deferred)]))
            .redirect(RedirectPolicy::RetriggerMiddleware))
    }

    fn builder(&self) -> BaseClientBuilder<'static> {
        let connectivity = if self.settings.offline { Connectivity::Offline } else { Connectivity::Online };
        let keyring = if self.settings.keyring {
            KeyringProviderType::Subprocess
        } else {
            KeyringProviderType::Disabled
        };
        BaseClientBuilder::new(
            connectivity,
            false,
            self.trusted_hosts.clone(),
            Preview::default(),
            self.settings.timeout,
            self.settings.timeout.min(CONNECT_TIMEOUT),
            self.settings.retries,
        )
        .keyring(keyring)
    }

    /// The client that connects. Without certificates of the user's choice the system's are trusted, and
    /// where a system has none (slim containers), the bundled ones.
    fn connected(&self, check_certificates: bool) -> anyhow::Result<reqwest::Client> {
        let builder = || -> anyhow::Result<reqwest::ClientBuilder> {
            let mut builder = reqwest::Client::builder()
                .user_agent(&self.user_agent)
                .pool_max_idle_per_host(20)
                .read_timeout(self.settings.timeout)
                .connect_timeout(self.settings.timeout.min(CONNECT_TIMEOUT))
                .redirect(reqwest::redirect::Policy::none())
                // Whoever takes replies in unpacks them, within bounds; files are taken as they are.
                .no_gzip()
                .no_deflate()
                .no_brotli()
                .no_zstd()
                .tls_backend_rustls()
                .tls_danger_accept_invalid_certs(!check_certificates);
            if let Some(proxy) = &self.settings.proxy {
                builder = builder.proxy(reqwest::Proxy::all(proxy)?);
            }
            if let Some(file) = &self.settings.client_certificate {
                builder = builder.identity(reqwest::Identity::from_pem(&read(file)?)?);
            }
            Ok(builder)
        };
        if let Some(place) = &self.settings.certificate {
            return Ok(builder()?.tls_certs_only(certificates(place)?).build()?);
        }
        if let Ok(client) = builder()?.build() {
            return Ok(client);
        }
        let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .map(|certificate| reqwest::Certificate::from_der(certificate))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(builder()?.tls_certs_only(bundled).build()?)
    }
}

/// Which of several indexes decides about a package.
pub(crate) fn index_strategy(settings: &IndexSettings) -> IndexStrategy {
    if settings.best_match { IndexStrategy::UnsafeBestMatch } else { IndexStrategy::FirstIndex }
}

/// How an address was come to.
#[derive(Debug, Clone, Default)]
struct Hop {
    /// By how many redirects.
    depth: u32,
    /// The last part of the address that was asked first: of a page, the project's name.
    name: String,
}

/// Makes the real clients when they are needed, and hands the requests on to them.
struct LazyClient {
    network: ClientFactory,
    builder: BaseClientBuilder<'static>,
    indexes: IndexLocations,
    checked: Mutex<Option<RegistryClient>>,
    unchecked: Mutex<Option<RegistryClient>>,
    /// What is known of addresses that redirects led to and that were not asked yet.
    hops: Mutex<HashMap<String, Hop>>,
}

impl LazyClient {
    fn client(&self, url: &DisplaySafeUrl) -> anyhow::Result<RegistryClient> {
        let trusted = self.network.trusted_hosts.iter().any(|host| host.matches(url));
        let slot = if trusted { &self.unchecked } else { &self.checked };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = slot.as_ref() {
            return Ok(client.clone());
        }
        // The retries are made around this middleware; inside they would multiply.
        let builder = self.builder.clone().retries(0).custom_client(self.network.connected(!trusted)?);
        let client = RegistryClientBuilder::new(builder, self.network.cache.clone())
            .index_locations(self.indexes.clone())
            .build()?;
        Ok(slot.insert(client).clone())
    }

    /// Refuses a redirect from HTTPS to HTTP, unless the user said that the host is trusted (whoever sits in between could
    /// answer anything), and one that comes after too many others. The client above follows the rest.
    /// Returns the last part of the address that was asked first.
    fn check_redirect(&self, url: &DisplaySafeUrl, response: &Response) -> anyhow::Result<String> {
        let mut hops = self.hops.lock().unwrap_or_else(PoisonError::into_inner);
        let Hop { depth, name } = hops.remove(url.as_str()).unwrap_or_else(|| {
            let mut parts = url.path_segments().into_iter().flatten();
            Hop { depth: 0, name: parts.rfind(|part| !part.is_empty()).unwrap_or_default().to_owned() }
        });
        if !response.status().is_redirection() {
            return Ok(name);
        }
        let location = response.headers().get(http::header::LOCATION);
        let target = location.and_then(|location| url.join(location.to_str().ok()?).ok());
        // The client above says what is wrong with it.
        let Some(target) = target.map(|target| DisplaySafeUrl::from_url(target.into())) else {
            return Ok(name);
        };
        let trusted = self.network.trusted_hosts.iter().any(|host| host.matches(&target));
        if url.scheme() == "https" && target.scheme() == "http" && !trusted {
            anyhow::bail!("{REDIRECT_TO_HTTP}: `{}`", public(&target));
        }
        anyhow::ensure!(depth < MAX_REDIRECTS, "the server redirects in a circle, or too often");
        hops.insert(target.as_str().to_owned(), Hop { depth: depth + 1, name: name.clone() });
        Ok(name)
    }
}

#[async_trait::async_trait]
impl Middleware for LazyClient {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut http::Extensions,
        _next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let url = DisplaySafeUrl::from_url(request.url().clone());
        let client = self.client(&url).map_err(reqwest_middleware::Error::Middleware)?;
        let uncached = client.uncached_client(&url);
        let (kind, method) = (Kind::of(&mut request), request.method().clone());
        let (asked, asked_at) = (request.try_clone(), SystemTime::now());
        let response = uncached.raw_client().execute_with_extensions(request, extensions).await?;
        if let Some(asked) = asked {
            self.network.arrivals.note(&asked, &response, asked_at);
        }
        let name = self.check_redirect(&url, &response).map_err(reqwest_middleware::Error::Middleware)?;
        self.network.replies.take(Asked { kind, method, url: &url, name }, response).await
    }
}

/// The authorities in a PEM file, or in all files of a folder.
fn certificates(place: &Path) -> anyhow::Result<Vec<reqwest::Certificate>> {
    if !place.is_dir() {
        let certificates = reqwest::Certificate::from_pem_bundle(&read(place)?)?;
        anyhow::ensure!(!certificates.is_empty(), "there is no certificate in `{}`", place.display());
        return Ok(certificates);
    }
    let mut found = Vec::new();
    for file in files_of(place)? {
        // Folders of certificates hold other files too; what is no bundle is passed over.
        if let Ok(certificates) = read(&file).and_then(|pem| Ok(reqwest::Certificate::from_pem_bundle(&pem)?))
        {
            found.extend(certificates);
        }
    }
    anyhow::ensure!(!found.is_empty(), "there is no certificate in `{}`", place.display());
    Ok(found)
}

// Reading only: the ban is on writing past the one module that does.
#[expect(clippy::disallowed_methods)]
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| anyhow::anyhow!("could not read `{}`: {error}", file.display()))
}

#[expect(clippy::disallowed_methods)]
fn files_of(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| anyhow::anyhow!("could not read `{}`: {error}", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

fn no_client(error: &(dyn std::error::Error + 'static)) -> Error {
    Error::Network { what: "anything".to_owned(), status: None, cause: Some(Cause::from_error(error)) }
}
